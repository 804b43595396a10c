"""The commands under one roof, and what their endings mean to a shell.

0    done
1    what was asked about is not as it should be (prices diff, doctor, db check, tenant delete); or the reader of
     standard output went away
2    bad input, a store that cannot be read, a missing extra, workers that die, no answer: a line on standard error says
     what to do
130  interrupted
"""

import os
import sys
from collections.abc import Sequence
from typing import Annotated, cast

import typer

from banditroute._version import __version__
from banditroute.cli import (
    ask,
    bench,
    classify,
    config,
    db,
    demo,
    doctor,
    evaluate,
    export,
    feedback,
    init,
    inspect,
    keys,
    openapi,
    prices,
    rebuild,
    report,
    serve,
    simulate,
    tenant,
    timeline,
    tune,
    warm_start,
)
from banditroute.errors import (
    BrokenStreamError,
    InputError,
    MissingExtraError,
    RequestError,
    StoreError,
    UnansweredError,
    UnknownDecisionError,
    WorkersLostError,
)

_UNDONE = (InputError, MissingExtraError, StoreError, UnknownDecisionError, WorkersLostError)
_UNSERVED = (RequestError, UnansweredError, BrokenStreamError)

# The base of all that typer says about usage: newer typers carry their own copy of click, older ones depend on it.
_UsageError = cast("type[Exception]", typer.BadParameter.__base__)

app = typer.Typer(
    name="banditroute",
    help="Routes each LLM call to the model worth its money, under dollar budgets that hold.",
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
app.command("init")(init.command)
app.command("doctor")(doctor.command)
app.command("ask")(ask.command)
app.command("simulate")(simulate.command)
app.command("evaluate")(evaluate.command)
app.command("tune")(tune.command)
app.command("bench")(bench.command)
app.command("serve")(serve.command)
app.command("demo")(demo.command)
app.command("classify")(classify.command)
app.command("warm-start")(warm_start.command)
app.command("inspect")(inspect.command)
app.command("timeline")(timeline.command)
app.command("report")(report.command)
app.command("export")(export.command)
app.command("rebuild")(rebuild.command)
app.command("openapi")(openapi.command)
app.add_typer(db.app, name="db")
app.add_typer(tenant.app, name="tenant")
app.add_typer(feedback.app, name="feedback")
app.add_typer(keys.app, name="keys")
app.add_typer(prices.app, name="prices")
app.add_typer(config.app, name="config")


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"banditroute {__version__}")
        raise typer.Exit


@app.callback(invoke_without_command=True)
def _root(
    context: typer.Context,
    _version: Annotated[
        bool, typer.Option("--version", help="Show the version and stop.", callback=_print_version, is_eager=True)
    ] = False,
) -> None:
    if context.invoked_subcommand is None:
        typer.echo(context.get_help())


def run(arguments: Sequence[str]) -> int:
    """Exit code of one command; what went wrong, if anything, is on standard error."""
    _never_fail_to_print()
    try:
        code = _invoke(arguments)
        sys.stdout.flush()
    except BrokenPipeError:
        return _without_stdout()
    except (KeyboardInterrupt, typer.Abort):
        return 130
    except (*_UNDONE, *_UNSERVED) as error:
        return _bad_input(str(error))
    except _UsageError as error:
        return _bad_input(_usage_problem(error))
    except OSError as error:
        return _not_printed(error)
    return code


def _invoke(arguments: Sequence[str]) -> int:
    command = typer.main.get_command(app)
    code: object = command.main(list(arguments), prog_name="banditroute", standalone_mode=False)
    return code if isinstance(code, int) else 0


def _usage_problem(error: Exception) -> str:
    """One line, whatever typer wrote, with the command to ask for help; or that help, where a command is missing."""
    context = getattr(error, "ctx", None)
    name = context.command_path if context else "banditroute"
    if type(error).__name__ == "NoArgsIsHelpError":
        return cast("typer.BadParameter", error).format_message()
    problem = " ".join(cast("typer.BadParameter", error).format_message().split())
    return f"{problem.rstrip('.')}; see {name} --help"


def _bad_input(problem: str) -> int:
    sys.stderr.write(f"{problem}\n")
    return 2


def _not_printed(error: OSError) -> int:
    """One line for a disk or a device that takes no more of the output."""
    _without_stdout()
    place, reason = error.filename or "standard output", (error.strerror or str(error)).lower()
    return _bad_input(f"{place}: cannot be read or written: {reason}; choose another place")


def _never_fail_to_print() -> None:
    """A terminal that lacks a sign shows a question mark instead of ending the command."""
    for stream in (sys.stdout, sys.stderr):
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure is not None:
            reconfigure(errors="replace")


def _without_stdout() -> int:
    """Points standard output at nothing, so that the interpreter's own flush at exit stays quiet."""
    nothing = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nothing, sys.stdout.fileno())
    return 1
