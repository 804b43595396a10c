"""What goes into router.toml: read strictly, checked whole, given as frozen values. Nothing live is made here."""

from banditroute.config.loading import Checked, check_config, load_config
from banditroute.config.secrets import MissingKey, missing_keys, require_keys
from banditroute.config.values import (
    FromEnvironment,
    GatewayConfig,
    GatewayKey,
    ProviderConfig,
    RouterConfig,
    RoutingConfig,
    StoreConfig,
)

__all__ = [
    "Checked",
    "FromEnvironment",
    "GatewayConfig",
    "GatewayKey",
    "MissingKey",
    "ProviderConfig",
    "RouterConfig",
    "RoutingConfig",
    "StoreConfig",
    "check_config",
    "load_config",
    "missing_keys",
    "require_keys",
]
