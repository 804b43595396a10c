"""Whether the configuration hangs together, and whether the keys that it names are there."""

from collections.abc import Iterator, Mapping

from banditroute.assemble import open_router
from banditroute.cli.doctoring.lines import Line, State, line_of
from banditroute.config import RouterConfig, missing_keys
from banditroute.config.findings import Finding
from banditroute.errors import ConfigError, MissingExtraError, PriceError
from banditroute.reports.format import plural

ELSEWHERE = frozenset({"key", "small"})
"""Checks of the review that lines of their own stand for."""
PARTS: Mapping[str, str] = {
    **dict.fromkeys(("unencrypted", "keyless", "unverified", "unused"), "providers"),
    **dict.fromkeys(("unbounded", "idle", "unreachable", "unlimited", "scope"), "budgets"),
    **dict.fromkeys(("open", "unbound"), "gateway"),
}
"""Which part a check of the review is about; the others are about the configuration as a whole."""


def config_lines(config: RouterConfig, environ: Mapping[str, str]) -> Iterator[Line]:
    """Whether a router can be made of it: nothing is opened, and keys that are missing are no matter here."""
    filled = {key.variable: "missing" for key in missing_keys(config, environ)}
    try:
        open_router(config, environ={**environ, **filled})
    except (ConfigError, MissingExtraError, PriceError) as error:
        yield Line(State.wrong, "config", str(error))
        return
    models, providers = plural(len(config.catalog), "model"), plural(len(config.providers), "provider")
    yield Line(State.ok, "config", f"{config.path}: {models} of {providers}")


def key_lines(config: RouterConfig, environ: Mapping[str, str]) -> Iterator[Line]:
    """Whether each provider's key is in the environment."""
    missing = missing_keys(config, environ)
    for key in missing:
        told = f"{key.variable} of provider {key.provider} {key.problem}"
        yield Line(State.wrong, "keys", told, f"export {key.variable}=..., which the router needs to start")
    named = [variable for provider in config.providers for variable in provider.api_key_env]
    if not missing:
        yield Line(State.ok, "keys", f"{', '.join(named)} set" if named else "none needed")


def finding_lines(findings: tuple[Finding, ...], part: str) -> Iterator[Line]:
    """What the configuration's review says of a part."""
    for finding in findings:
        if finding.check not in ELSEWHERE and PARTS.get(finding.check, "config") == part:
            yield line_of(finding, part)
