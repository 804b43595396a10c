"""What well-known models cost and can do: the built-in price list, numbers as of one day, never changed silently."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import date
from functools import cache
from importlib.resources import files
from types import MappingProxyType
from typing import Any, NamedTuple

from pydantic import BaseModel

from banditroute.routing.catalog import Model
from banditroute.routing.pricelist import Listing, import_prices, parse_price_list

_FILE = "prices.json"


class KnownModels(NamedTuple):
    """The built-in price list.

    Attributes:
        as_of: the day that it is of.
        listings: its rows.
        models: the same as models that can be used, by the rows' names.
        first: for each provider, as the list calls it, the rows that a new configuration begins with, from cheap to
            dear.
    """

    as_of: date
    listings: tuple[Listing, ...]
    models: Mapping[str, Model]
    first: Mapping[str, tuple[str, ...]]


class _File(BaseModel):
    as_of: date
    first: dict[str, tuple[str, ...]]
    models: dict[str, dict[str, Any]]


@cache
def known_models() -> KnownModels:
    """The built-in price list, read once; see data/ATTRIBUTION.md."""
    text = (files("banditroute") / "data" / _FILE).read_text(encoding="utf-8")
    read = _File.model_validate_json(text)
    listings = tuple(parse_price_list(json.dumps(read.models), path=_FILE))
    models = MappingProxyType({model.name: model for model in import_prices(listings).models})
    return KnownModels(read.as_of, listings, models, MappingProxyType(read.first))
