"""A LiteLLM proxy's config.yaml as YAML has it: mappings, lists and texts that may or may not be there."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, cast

from banditroute.errors import ConfigError, MissingExtraError

Yaml = Mapping[str, Any]


def parse_yaml(path: Path) -> Yaml:
    """The file's content.

    Raises:
        ConfigError: it cannot be read, or is not a LiteLLM configuration.
        MissingExtraError: PyYAML is not installed.
    """
    try:
        import yaml
    except ModuleNotFoundError as error:
        raise MissingExtraError("reading a LiteLLM configuration", "cli") from error
    try:
        content: object = yaml.safe_load(path.read_bytes())
    except OSError as problem:
        reason = (problem.strerror or str(problem)).lower()
        raise ConfigError(f"cannot be read: {reason}", remedy="name a LiteLLM config.yaml", path=str(path)) from problem
    except RecursionError as problem:
        raise ConfigError("nested too deeply", remedy="name a LiteLLM config.yaml", path=str(path)) from problem
    except yaml.YAMLError as problem:
        raise _not_yaml(problem, path) from problem
    if not isinstance(content, Mapping) or not isinstance(cast("Yaml", content).get("model_list"), list):
        raise ConfigError("no list of models", remedy="name a LiteLLM config.yaml", path=str(path), field="model_list")
    return cast("Yaml", content)


def table(value: object) -> Yaml:
    """The value if it is a mapping, else an empty one."""
    return cast("Yaml", value) if isinstance(value, Mapping) else {}


def tables(value: object) -> list[Yaml]:
    """The rows of a list, each as a mapping."""
    return [table(each) for each in listed(value)]


def listed(value: object) -> Sequence[object]:
    """The value if it is a list, else an empty one."""
    return cast("Sequence[object]", value) if isinstance(value, list) else ()


def text(table: Yaml, key: str) -> str:
    """The value of a key if it is a text, else an empty one."""
    value = table.get(key)
    return value if isinstance(value, str) else ""


def _not_yaml(problem: Exception, path: Path) -> ConfigError:
    mark = getattr(problem, "problem_mark", None)
    what = str(getattr(problem, "problem", None) or "unreadable")
    line = None if mark is None else int(mark.line) + 1
    return ConfigError(f"not YAML: {what}", remedy="mend the line", path=str(path), line=line)
