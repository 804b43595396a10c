"""What a gateway's table gets wrong: keys that are not there, and doors that stand open."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from banditroute.config.findings import Finding
from banditroute.config.values import RouterConfig


def gateway_findings(config: RouterConfig, environ: Mapping[str, str]) -> Iterator[Finding]:
    """The findings; none where the file says nothing of a gateway."""
    gateway = config.gateway
    if gateway is None:
        return
    if gateway.auth == "none":
        problem = "whoever reaches its port may spend your money: it listens on this machine alone"
        yield Finding("open", "gateway", problem, 'set auth = "keys" unless you trust everybody who is on it')
        return
    for key in gateway.keys:
        if not environ.get(key.key_env, "").strip():
            problem = f"environment variable {key.key_env} is not set or empty"
            yield Finding("key", f"gateway key {key.name!r}", problem, "export it before the gateway starts")
    bound = [key.name for key in gateway.keys if key.tenant]
    for key in gateway.keys:
        if bound and not key.tenant and not key.admin:
            problem = f"it may ask for any tenant, that of {bound[0]!r} too"
            yield Finding("unbound", f"gateway key {key.name!r}", problem, "give it a tenant, or leave it to a backend")
