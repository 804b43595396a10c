"""The work of `banditroute config import-litellm`: reads the YAML, writes the TOML, says what is left out."""

import os
import sys
from pathlib import Path

from banditroute.cli.litellm_file import read_deployments
from banditroute.cli.litellm_toml import translated
from banditroute.cli.litellm_yaml import parse_yaml
from banditroute.errors import ConfigError, InputError
from banditroute.reports.files import write_whole


def run(file: Path, *, out: Path | None) -> None:
    """Writes the router.toml to out, or to standard output; notes are on standard error.

    Raises:
        InputError: the file cannot be read, or out is there already.
        ConfigError: no model can be taken over.
        MissingExtraError: PyYAML is not installed.
    """
    if out is not None and out.exists():
        raise InputError("is there already", remedy="name another file, or remove it", path=str(out), field="--out")
    litellm = read_deployments(parse_yaml(file), os.environ)
    result = translated(litellm, file.name)
    for note in result.notes:
        sys.stderr.write(f"note: {' '.join(note.split())}\n")  # one line, whatever names the file has
    if not litellm.deployments:
        raise ConfigError("no model can be taken over", remedy="see the notes", path=str(file), field="model_list")
    if out is None:
        sys.stdout.write(result.text)
    else:
        write_whole(out, result.text.encode())
