"""Regular expressions that cannot run away: matched by an automaton, in time linear in the text (RE2; Cox 2007)."""

from __future__ import annotations

from collections.abc import Callable

from banditroute.errors import ConfigError, MissingExtraError

Search = Callable[[str], bool]

_MOST_BYTES = 8 << 20  # of an automaton's states: a pattern that needs more is refused when it is made


def searcher(pattern: str) -> Search:
    """Whether a text has the pattern somewhere; for any pattern and any text, in time linear in both.

    Raises:
        ConfigError: it is no regular expression of RE2, which knows neither look-around nor back-references.
        MissingExtraError: google-re2 is not installed.
    """
    try:
        import re2  # pyright: ignore[reportMissingTypeStubs]
    except ImportError:
        raise MissingExtraError("a regular expression", "grading") from None
    options = re2.Options()
    options.log_errors = False
    options.max_mem = _MOST_BYTES
    try:
        compiled = re2.compile(pattern, options=options)
    except re2.error as error:
        remedy = "write it as RE2 knows it: no look-around, no back-references"
        raise ConfigError(f"{pattern!r} is no regular expression: {_text(error)}", remedy=remedy) from None

    def found(text: str) -> bool:
        return compiled.search(_encodable(text)) is not None

    return found


def _encodable(text: str) -> str:
    """The text, with ? for what is no Unicode."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode(errors="replace").decode()
    return text


def _text(error: Exception) -> str:
    reason = error.args[0] if error.args else ""
    return reason.decode() if isinstance(reason, bytes) else str(reason)
