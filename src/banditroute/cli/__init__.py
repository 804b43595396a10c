"""The command line, `banditroute`; needs the extra `cli`."""

import sys

_EXTRA_PACKAGES = frozenset({"typer", "click", "rich"})


def main() -> None:
    """Runs the command in sys.argv and exits with its code; the entry point of the `banditroute` script."""
    try:
        from banditroute.cli.app import run

        code = run(sys.argv[1:])
    except KeyboardInterrupt:  # while still importing
        code = 130
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] not in _EXTRA_PACKAGES:
            raise
        code = _without_extra()
    sys.exit(code)


def _without_extra() -> int:
    from banditroute.errors import MissingExtraError

    sys.stderr.write(f"{MissingExtraError('the command line', 'cli')}\n")
    return 2
