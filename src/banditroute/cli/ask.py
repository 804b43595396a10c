"""`banditroute ask`: one routed request from the command line."""

from pathlib import Path
from typing import Annotated

import typer


def command(
    question: Annotated[str, typer.Argument(metavar="TEXT", help="What to ask; - reads standard input.")],
    config: Annotated[Path, typer.Option(metavar="FILE", help="The router's configuration.")] = Path("router.toml"),
    task: Annotated[str | None, typer.Option(metavar="TASK", help="Its task class. [default: classified]")] = None,
    model: Annotated[
        str | None, typer.Option(metavar="MODEL", help="This model. [default: the router's choice]")
    ] = None,
    tenant: Annotated[str, typer.Option(metavar="NAME", help="On whose behalf: selects budgets.")] = "",
    json: Annotated[bool, typer.Option("--json", help="Print the answer and what it took as JSON.")] = False,
) -> None:
    """Ask a question; the router chooses who answers.

    The answer goes to standard output as it is written; who gave it, dollars, seconds and the decision's id go to
    standard error. It is on record like every other request, and counts in every budget.
    """
    from banditroute.cli.asking import Question, run  # numpy and aiohttp, which --help can do without

    run(config, Question(question, task, model, tenant), json=json)
