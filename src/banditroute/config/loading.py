"""Reading a router.toml: everything that is wrong with it, or its values."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

from pydantic import ValidationError

from banditroute.config.file import RouterFile
from banditroute.config.places import line_of, named
from banditroute.config.problems import Problem, problem_of
from banditroute.config.references import broken_references
from banditroute.config.shadowing import unfit
from banditroute.config.values import RouterConfig
from banditroute.errors import ConfigError

_AT_LINE = re.compile(r" \(at line (\d+), column \d+\)$")


class Checked(NamedTuple):
    """A file that was read.

    Attributes:
        config: what it says; None where something is wrong.
        problems: everything that is wrong, in the order of the file.
    """

    config: RouterConfig | None
    problems: tuple[ConfigError, ...]


def load_config(path: str | Path) -> RouterConfig:
    """What a router.toml says.

    Raises:
        ConfigError: the first thing that is wrong with it: file, line, key, expected, got, what to do.
    """
    checked = check_config(path)
    if checked.config is None:
        raise checked.problems[0]
    return checked.config


def check_config(path: str | Path) -> Checked:
    """What a router.toml says, or everything that is wrong with it and with the file that its shadow decides by."""
    return _checked(Path(path), _with_rival)


def _checked(path: Path, completed: Callable[[RouterConfig], RouterConfig | list[Problem]]) -> Checked:
    try:
        text = _text(path)
        data = _parsed(text, path)
    except ConfigError as error:
        return Checked(None, (error,))
    found = list(broken_references(data))
    try:
        file = RouterFile.model_validate(data)
    except ValidationError as error:
        found += [problem_of(detail) for detail in error.errors(include_url=False)]
    else:
        result = found or completed(file.value(path))
        if isinstance(result, RouterConfig):
            return Checked(result, ())
        found = result
    return Checked(None, _in_order(found, path, text, data))


def _with_rival(config: RouterConfig) -> RouterConfig | list[Problem]:
    """The configuration with what its shadow decides by; the shadow of a shadow's file is left alone."""
    if config.shadow is None or config.shadow.path is None:
        return config
    rival, errors = _checked(config.shadow.path, lambda alone: alone)
    if rival is None:
        return [Problem(("shadow", "policy"), str(error)) for error in errors]
    return list(unfit(config, rival)) or replace(config, shadow=replace(config.shadow, rival=rival))


def _in_order(found: Iterable[Problem], path: Path, text: str, data: Mapping[str, Any]) -> tuple[ConfigError, ...]:
    errors = [
        ConfigError(
            each.problem,
            remedy=each.remedy,
            path=str(path),
            line=line_of(each.place, text),
            field=named(each.place, data),
        )
        for each in found
    ]
    return tuple(sorted(errors, key=lambda error: error.line or 0))


def _text(path: Path) -> str:
    try:
        return path.read_bytes().decode("utf-8-sig")
    except OSError as problem:
        reason = (problem.strerror or str(problem)).lower()
        raise ConfigError(f"cannot be read: {reason}", remedy="name a router.toml", path=str(path)) from problem
    except UnicodeDecodeError as problem:
        raise ConfigError("not UTF-8", remedy="save it as UTF-8", path=str(path)) from problem


def _parsed(text: str, path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as problem:
        message = str(problem)
        match = _AT_LINE.search(message)
        line = int(match[1]) if match else len(text.splitlines()) or None
        what = _AT_LINE.sub("", message).removesuffix(" (at end of document)")
        error = ConfigError(
            f"not TOML: {what[:1].lower()}{what[1:]}", remedy="mend the line", path=str(path), line=line
        )
        raise error from problem
    except RecursionError as problem:
        raise ConfigError("nested too deeply", remedy="name a router.toml", path=str(path)) from problem
