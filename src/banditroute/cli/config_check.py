"""The work of `banditroute config check`: reads the file, holds it against itself and the environment, shows it."""

import os
import sys
from pathlib import Path

import typer

from banditroute.cli.config_json import print_json
from banditroute.cli.config_output import print_config
from banditroute.config import check_config
from banditroute.config.review import review


def run(file: Path, *, json: bool) -> None:
    """Shows what the file says; what is wrong with it is on standard error, one line each.

    Raises:
        typer.Exit: with 2, where the file cannot be used.
    """
    config, problems = check_config(file)
    findings = () if config is None else review(config, os.environ)
    if json:
        print_json(file, config, problems, findings, os.environ)
    elif config is not None:
        print_config(config, findings, os.environ)
    for problem in problems:
        sys.stderr.write(f"{problem}\n")
    if problems:
        raise typer.Exit(2)
