"""Who may use the gateway."""

from collections.abc import Iterator, Mapping, Sequence

from banditroute.cli.doctoring.lines import Line, State
from banditroute.config import RouterConfig
from banditroute.reports.format import plural
from banditroute.storage.protocol import StoredKey


def gateway_lines(config: RouterConfig, made: Sequence[StoredKey], environ: Mapping[str, str]) -> Iterator[Line]:
    """The gateway's lines."""
    gateway = config.gateway
    if gateway is None or gateway.auth == "none":
        yield Line(State.ok, "gateway", "without keys: `banditroute serve` serves this machine alone")
        return
    missing = [key for key in gateway.keys if not environ.get(key.key_env, "").strip()]
    for key in missing:
        told = f"{key.key_env} of key {key.name} is not set or empty"
        yield Line(State.wrong, "gateway", told, f"export {key.key_env}=... before `banditroute serve`")
    working = len(gateway.keys) - len(missing) + sum(key.revoked_at is None for key in made)
    if working:
        yield Line(State.ok, "gateway", plural(working, "key"))
    elif not missing:
        yield Line(State.look, "gateway", "nobody has a key", "make one: banditroute keys create")
