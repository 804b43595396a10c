"""What a store gets wrong about the place where it runs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from banditroute.config.findings import Finding
from banditroute.config.values import RouterConfig

_IN_A_POD = "KUBERNETES_SERVICE_HOST"  # Kubernetes sets it in every container


def store_findings(config: RouterConfig, environ: Mapping[str, str]) -> Iterator[Finding]:
    """A store that no other pod sees, in a pod."""
    kind = config.store.kind
    if kind in ("sqlite", "memory") and _IN_A_POD in environ:
        problem = f"no other pod sees a {kind} store: each would learn for itself and spend every cap by itself"
        yield Finding("alone", "store", problem, "run one replica with strategy Recreate, or use redis or postgres")
