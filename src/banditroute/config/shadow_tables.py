"""The table of a shadow: a policy that decides beside the router, calls nobody, and is kept on record."""

from __future__ import annotations

from pathlib import Path

from pydantic import Field, field_validator

from banditroute.config.provider_tables import Name
from banditroute.config.table import Table
from banditroute.config.values import ShadowConfig
from banditroute.errors import ConfigError

_SHADOW = ShadowConfig()
_OWN = "router"


class ShadowTable(Table):
    """What decides beside the router."""

    share: float = Field(
        default=_SHADOW.share, ge=0, le=1, description="share of the requests that it decides on, drawn by chance"
    )
    policy: Name = Field(
        default=_OWN,
        description="router: this file's own policy, beside models that callers name | the path of another router.toml "
        "whose routing, budgets and models decide, from this file's folder",
    )
    name: Name = Field(default=_SHADOW.name, description="what decisions, logs and reports call it")

    @field_validator("name")
    @classmethod
    def _check_name(cls, name: str) -> str:
        if "/" in name or not name.isprintable():
            raise ConfigError(f"{name!r} is no name for a shadow", remedy="write letters, digits and -")
        return name

    def value(self, folder: Path) -> ShadowConfig:
        """The shadow, the other file not yet read; its path is taken from the folder."""
        path = None if self.policy == _OWN else folder / Path(self.policy).expanduser()
        return ShadowConfig(self.share, self.name, path)
