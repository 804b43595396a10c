"""Whether the prices are those of the built-in list, how old that is, and whether models are about to end."""

from collections.abc import Iterator
from datetime import date

from banditroute.cli.doctoring.lines import Line, State
from banditroute.cli.price_list import Compared, PriceList, built_in_list
from banditroute.config import RouterConfig

_OLD_DAYS = 90


def price_lines(config: RouterConfig, today: date, prices: PriceList | None = None) -> Iterator[Line]:
    """The prices' lines; prices is the list, None = the one that is built in."""
    prices = built_in_list() if prices is None else prices
    compared = tuple(prices.compared(config))
    different = [each.model.name for each in compared if each.changes]
    if different:
        told = f"{', '.join(different)}: not as in {prices.title}"
        yield Line(State.look, "prices", told, "see `banditroute prices diff`, and your provider's page")
    else:
        yield Line(State.ok, "prices", _agreeing(compared, prices))
    for each in compared:
        if each.retires_on is not None:
            told = f"{each.model.name}: its provider ends it on {each.retires_on}"
            yield Line(State.look, "prices", told, "name its successor in router.toml before that")
    yield from _age(compared, prices, today)


def _agreeing(compared: tuple[Compared, ...], prices: PriceList) -> str:
    listed = [each for each in compared if each.listed]
    free = [each for each in compared if not each.listed and each.model.price.free]
    own = len(compared) - len(listed) - len(free)
    counted = (
        f"{len(listed)} as in {prices.title}" if listed else "",
        f"{len(free)} declared free" if free else "",
        f"{own} of your own, not listed" if own else "",
    )
    return ", ".join(filter(None, counted))


def _age(compared: tuple[Compared, ...], prices: PriceList, today: date) -> Iterator[Line]:
    days = 0 if prices.as_of is None else (today - prices.as_of).days
    if days > _OLD_DAYS and any(each.listed for each in compared):
        told = f"{prices.title} is {days} days old"
        yield Line(State.look, "prices", told, "upgrade banditroute, or give `banditroute prices diff` a newer list")
