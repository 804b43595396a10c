"""A price list to hold a configuration's prices against: a file, or the one that is built in."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import NamedTuple

from banditroute.cli.price_files import listings_in
from banditroute.cli.services import listed_as
from banditroute.config import RouterConfig
from banditroute.config.known_models import known_models
from banditroute.routing.catalog import Model
from banditroute.routing.pricelist import Change, Listing, changes, import_prices

Place = tuple[str, str]
"""Who serves a model, as price lists call them, and its upstream name."""


class Compared(NamedTuple):
    """A model of a configuration beside its row in a list.

    Attributes:
        model: the model.
        listed: whether the list has a price for it.
        changes: what is different.
        retires_on: the day the provider ends it, YYYY-MM-DD; None = not stated.
    """

    model: Model
    listed: bool
    changes: tuple[Change, ...] = ()
    retires_on: str | None = None


@dataclass(frozen=True, slots=True)
class PriceList:
    """Models with their prices, by who serves them under which name.

    Attributes:
        title: what it is called in a sentence.
        as_of: the day that it is of; None = it does not say.
        models: what can be used of it.
        retires_on: the days on which models end.
    """

    title: str
    as_of: date | None
    models: Mapping[Place, Model]
    retires_on: Mapping[Place, str]

    def compared(self, config: RouterConfig) -> Iterator[Compared]:
        """Each model of a configuration, in its order."""
        callees = {provider.name: listed_as(provider) for provider in config.providers}
        for model in config.catalog:
            place = callees[model.provider], model.upstream
            listed = self.models.get(place)
            if listed is None:
                yield Compared(model, listed=False)
            else:
                found = tuple(changes(model.price, listed.price))
                yield Compared(model, True, found, self.retires_on.get(place))


def built_in_list() -> PriceList:
    """The one that comes with this version."""
    known = known_models()
    title = f"the built-in list of {known.as_of}"
    return _list_of(title, known.as_of, known.listings, known.models.values())


def list_in(path: Path) -> PriceList:
    """The one in a file; rows that `banditroute prices import` refuses are not in it.

    Raises:
        PriceError: it cannot be read.
    """
    listings = listings_in(path)
    return _list_of(path.name, None, listings, import_prices(listings).models)


def _list_of(title: str, as_of: date | None, listings: Iterable[Listing], models: Iterable[Model]) -> PriceList:
    by_place = {(model.provider, model.upstream): model for model in models}
    ends = {(each.provider, each.upstream): each.retires_on for each in listings if each.retires_on is not None}
    return PriceList(title, as_of, by_place, ends)
