"""Telling a secret from the name of the environment variable that holds it, so that none is ever kept or shown."""

from __future__ import annotations

import re
from collections.abc import Mapping
from itertools import pairwise
from typing import NamedTuple

from banditroute.config.values import RouterConfig
from banditroute.errors import ConfigError

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_BEGINNING = re.compile(
    r"(?:sk|pk|rk|xai|nvapi|pplx|csk|key)-\S|(?:gsk|hf|fw|tgp|r8)_[A-Za-z0-9]{16,}|AIza|eyJ|Bearer "
)
_HEXADECIMAL = re.compile(r"[0-9a-fA-F]{32,}")
_LONG = 20
_MIXED = 0.4  # of neighbours differ in kind: random letters and digits .6, words run together .3 at most


class MissingKey(NamedTuple):
    """A key that the environment lacks, or holds in a form that cannot be sent.

    Attributes:
        provider: whose key it is.
        variable: the environment variable.
        problem: what is wrong with it.
    """

    provider: str
    variable: str
    problem: str


def looks_like_a_key(text: str) -> bool:
    """Whether a text may be a secret: a known beginning, or long and mixed as no name is."""
    if _BEGINNING.match(text) or _HEXADECIMAL.fullmatch(text):
        return True
    return any(_mixed(run) for run in re.findall(r"[A-Za-z0-9]+", text) if len(run) >= _LONG)


def checked_variable(name: str) -> str:
    """The name of an environment variable.

    Raises:
        ConfigError: it is none, or looks like a secret; the value is not in the message.
    """
    if looks_like_a_key(name):
        raise ConfigError(
            "a value that looks like a key itself (not shown)",
            remedy="put it into an environment variable and write the variable's name here",
        )
    if not _NAME.fullmatch(name):
        raise ConfigError(
            "not the name of an environment variable (not shown)", remedy="write a name like OPENAI_API_KEY"
        )
    return name


def missing_keys(config: RouterConfig, environ: Mapping[str, str]) -> tuple[MissingKey, ...]:
    """The keys of providers that cannot be used, in the order of the file."""
    found = (
        MissingKey(provider.name, variable, problem)
        for provider in config.providers
        for variable in provider.api_key_env
        if (problem := _problem(environ.get(variable)))
    )
    return tuple(found)


def require_keys(config: RouterConfig, environ: Mapping[str, str]) -> None:
    """Returns if every provider's keys are there.

    Raises:
        ConfigError: some are not; names them all, with their providers.
    """
    missing = missing_keys(config, environ)
    if missing:
        named = ", ".join(f"{key.variable} of provider {key.provider!r} {key.problem}" for key in missing)
        remedy = "export it, or take it out of api_key_env" if len(missing) == 1 else "export them, or take them out"
        raise ConfigError(f"environment variable {named}", remedy=remedy, path=str(config.path), field="api_key_env")


def _problem(key: str | None) -> str:
    if key is None:
        return "is not set"
    if not key.strip():
        return "is empty"
    if not key.isprintable() or not key.isascii() or key != key.strip():
        return "has blanks, line ends or other signs that no key has"
    return ""


def _mixed(run: str) -> bool:
    kinds = [(sign.islower(), sign.isupper()) for sign in run]
    return sum(before != after for before, after in pairwise(kinds)) >= _MIXED * len(run)
