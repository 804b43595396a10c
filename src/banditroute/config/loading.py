"""Reading a router.toml, and what the environment says in its place: everything that is wrong, or the values."""

from __future__ import annotations

import os
import re
import tomllib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

from pydantic import ValidationError

from banditroute.config.environment import Overridden, override
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


def load_config(path: str | Path, environ: Mapping[str, str] | None = None) -> RouterConfig:
    """What a router.toml says, and the environment in its place.

    Args:
        path: the file.
        environ: where BANDITROUTE__SECTION__KEY is looked for; None = the process's environment.

    Raises:
        ConfigError: the first thing that is wrong with it: file, line (or variable), key, expected, got, what to do.
    """
    checked = check_config(path, environ)
    if checked.config is None:
        raise checked.problems[0]
    return checked.config


def check_config(path: str | Path, environ: Mapping[str, str] | None = None) -> Checked:
    """What a router.toml says, or everything that is wrong with it and with the file that its shadow decides by.

    Args:
        path: the file.
        environ: where BANDITROUTE__SECTION__KEY is looked for; None = the process's environment.
    """
    return _checked(Path(path), _with_rival, os.environ if environ is None else environ)


def _checked(
    path: Path, completed: Callable[[RouterConfig], RouterConfig | list[Problem]], environ: Mapping[str, str]
) -> Checked:
    try:
        text = _text(path)
        data = _parsed(text, path)
    except ConfigError as error:
        return Checked(None, (error,))
    given = override(data, environ)
    found = list(broken_references(data))
    try:
        file = RouterFile.model_validate(data)
    except ValidationError as error:
        found += [problem_of(detail) for detail in error.errors(include_url=False)]
    else:
        result = found or completed(replace(file.value(path), from_environment=given.told(data)))
        if isinstance(result, RouterConfig) and not given.problems:
            return Checked(result, ())
        found = [] if isinstance(result, RouterConfig) else result
    return Checked(None, (*given.problems, *_in_order(found, path, text, data, given)))


def _with_rival(config: RouterConfig) -> RouterConfig | list[Problem]:
    """The configuration with what its shadow decides by; the shadow of a shadow's file is left alone.

    Its file stands for itself: what the environment says is said of the first.
    """
    if config.shadow is None or config.shadow.path is None:
        return config
    rival, errors = _checked(config.shadow.path, lambda alone: alone, {})
    if rival is None:
        return [Problem(("shadow", "policy"), str(error)) for error in errors]
    return list(unfit(config, rival)) or replace(config, shadow=replace(config.shadow, rival=rival))


def _in_order(
    found: Iterable[Problem], path: Path, text: str, data: Mapping[str, Any], given: Overridden
) -> tuple[ConfigError, ...]:
    errors = [_error(each, path, text, data, given) for each in found]
    return tuple(sorted(errors, key=lambda error: error.line or 0))


def _error(found: Problem, path: Path, text: str, data: Mapping[str, Any], given: Overridden) -> ConfigError:
    """The problem where it is: at the variable that said so, else at the file's line."""
    field, variable = named(found.place, data), given.variable_of(found.place)
    if variable is not None:
        return ConfigError(found.problem, remedy=found.remedy, path=variable, field=field)
    others = ", ".join(given.variables_in(found.place) or given.variables_beside(found.place, data))
    problem = f"{found.problem} (with {others})" if others else found.problem
    return ConfigError(problem, remedy=found.remedy, path=str(path), line=line_of(found.place, text), field=field)


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
