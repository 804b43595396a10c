"""What can be watched of a router: metrics, traces, and several observers at once."""

from banditroute.telemetry.exposition import CONTENT_TYPE, exposition, merged
from banditroute.telemetry.metrics import FAMILIES, Metrics
from banditroute.telemetry.observers import Observers

__all__ = ["CONTENT_TYPE", "FAMILIES", "Metrics", "Observers", "exposition", "merged"]
