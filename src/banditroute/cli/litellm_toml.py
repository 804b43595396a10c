"""LiteLLM deployments as the text of a router.toml."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import count
from typing import Any, NamedTuple

from banditroute.cli.litellm_file import Deployment, Key, LiteLlmFile, Site
from banditroute.cli.litellm_providers import COUNTERPARTS
from banditroute.config.writing import toml_value

_REQUIRED = ("input_usd_per_mtok", "output_usd_per_mtok")


class _Server(NamedTuple):
    """A [[providers]] table to be: a site and the variables of its keys."""

    site: Site
    keys: tuple[str, ...]


class Translation(NamedTuple):
    """A router.toml.

    Attributes:
        text: the file.
        notes: what its user has to know or do, one line each.
    """

    text: str
    notes: tuple[str, ...]


def translated(file: LiteLlmFile, source: str) -> Translation:
    """The router.toml that serves the same models; source is the name of the file that they come from."""
    groups = _grouped(file.deployments)
    variables = _variables([each.key for each in file.deployments if each.key])
    servers = [_Server(group[0].site, _keys(group, variables)) for group in groups]
    provider_names = _provider_names(servers)
    models = list(_models(groups, servers, provider_names))
    unpriced = [str(table["name"]) for table in models if not all(key in table for key in _REQUIRED)]
    lines = [
        f"# Written by `banditroute config import-litellm` from {_printable(source)}.\n",
        "# Prices marked ? are to be filled in; `banditroute config check` names them.\n" if unpriced else "",
        *(_section("providers", _provider(name, server)) for server, name in provider_names.items()),
        *(_section("models", table, _REQUIRED) for table in models),
        *(_section("budgets", budget) for budget in file.budgets),
    ]
    notes = [*file.notes, *_secrets(file.deployments, variables), *_azure(provider_names)]
    if unpriced:
        notes.append(f"no price is stated for {', '.join(map(repr, unpriced))}: fill them in, 0 declares a model free")
    return Translation("".join(lines), tuple(notes))


def _variables(keys: Sequence[Key]) -> dict[Key, str]:
    """The variable of each key; one that stood in the file gets a name that no other key has."""
    names = {key: key.variable for key in keys if key.secret is None}
    by_secret: dict[int, str] = {}
    for key in keys:
        if key.secret is not None:
            taken = [*names.values(), *by_secret.values()]
            by_secret.setdefault(key.secret, _free_name(key.variable, taken, "_"))
            names[key] = by_secret[key.secret]
    return names


def _secrets(deployments: Sequence[Deployment], variables: Mapping[Key, str]) -> Iterator[str]:
    for each in deployments:
        if each.key and each.key.secret is not None:
            yield (
                f"model {each.name!r}: its key stands in the file and was not copied; put it into the variable "
                f"{variables[each.key]}"
            )


def _grouped(deployments: Iterable[Deployment]) -> list[tuple[Deployment, ...]]:
    """Deployments that differ in nothing but the key, together: one model, several keys."""
    groups: dict[tuple[str, Site, str], list[Deployment]] = {}
    for each in deployments:
        groups.setdefault((each.name, each.site, each.upstream), []).append(each)
    return [tuple(group) for group in groups.values()]


def _keys(group: Sequence[Deployment], variables: Mapping[Key, str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(variables[each.key] for each in group if each.key))


def _provider_names(servers: Iterable[_Server]) -> dict[_Server, str]:
    names: dict[_Server, str] = {}
    for server in servers:
        if server not in names:
            names[server] = _free_name(server.site.provider, names.values())
    return names


def _models(
    groups: Sequence[tuple[Deployment, ...]],
    servers: Sequence[_Server],
    provider_names: Mapping[_Server, str],
) -> Iterator[dict[str, Any]]:
    taken = {group[0].name for group in groups}
    seen: set[str] = set()
    for group, server in zip(groups, servers, strict=True):
        first = group[0]
        name = _free_name(first.name, seen | (taken - {first.name}))
        seen.add(name)
        upstream = {} if first.upstream == name else {"upstream": first.upstream}
        yield {"name": name, "provider": provider_names[server], **upstream, **_facts(group)}


def _facts(group: Sequence[Deployment]) -> dict[str, Any]:
    """What any of the deployments states, the first that does so having its way."""
    return {key: value for each in reversed(group) for key, value in each.facts.items()}


def _free_name(wanted: str, taken: Iterable[str], mark: str = "-") -> str:
    names = {"auto", *taken}
    if wanted not in names:
        return wanted
    return next(name for number in count(2) if (name := f"{wanted}{mark}{number}") not in names)


def _provider(name: str, server: _Server) -> dict[str, Any]:
    counterpart = COUNTERPARTS[server.site.provider]
    table: dict[str, Any] = {"name": name, "kind": counterpart.kind}
    if server.site.base_url is not None:
        table["base_url"] = server.site.base_url
    if server.keys:
        table["api_key_env"] = server.keys[0] if len(server.keys) == 1 else list(server.keys)
    if counterpart.key_header != "bearer":
        table["key_header"] = counterpart.key_header
    return table


def _azure(provider_names: Mapping[_Server, str]) -> Iterator[str]:
    for server, name in provider_names.items():
        if server.site.provider == "azure":
            yield (
                f"provider {name!r}: asked at {server.site.base_url}, where Azure takes the deployment's name as the "
                "model and needs no api_version"
            )


def _section(heading: str, table: Mapping[str, Any], required: Sequence[str] = ()) -> str:
    lines = [f"{key} = {toml_value(value)}\n" for key, value in table.items()]
    missing = [f"# {key} = ?\n" for key in required if key not in table]
    return "".join([f"\n[[{heading}]]\n", *lines, *missing])


def _printable(text: str) -> str:
    return "".join(sign if sign.isprintable() else "?" for sign in text)
