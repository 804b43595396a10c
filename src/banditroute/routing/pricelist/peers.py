"""What others ask for the same model: the witnesses that a listed price is held against."""

import math
import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from statistics import median_high, median_low

from banditroute.routing.pricelist.rows import WHOLE_KEYS, Listing

# "us.", "eu." of cloud regions, then the maker before a dot: us.anthropic.claude-3 -> claude-3.
_REGION = re.compile(r"^(?:us|eu|apac|au|jp|global|us-gov)\.")
_MAKER = re.compile(r"^(?:[a-z0-9]+\.(?=[a-z])|(?:databricks|meta|xai)-)")
# "@001", ":free", and the revision of a cloud's packaging, not of the model: -v1.
_REVISION = re.compile(r"[@:].*$|-v\d+$")
# 3p1 and 3-1 are 3.1, unless more digits make it a date.
_POINT = re.compile(r"(?<=\d)p(?=\d)|(?<=\d)-(?=\d(?:\D|$))")
# Serving and packaging, which change a price by little next to the mistakes that are looked for.
_PACKAGING = re.compile(
    r"-(?:maas|instruct|chat|it|hf|fp8|fp4|nvfp4|bf16|awq|gguf|latest|turbo|preview|dynamic)(?=-|$)"
)
_NO_NAME = re.compile(r"[^a-z0-9.]")

_Prices = Mapping[str, float]


def family(model: str) -> str:
    """What the rows of one model have in common, whoever serves it; fine-tuned models stand alone."""
    name = model.lower()
    if name.startswith("ft:"):
        return name
    name = _MAKER.sub("", _REGION.sub("", name.rsplit("/", 1)[-1]))
    name = _POINT.sub(".", _REVISION.sub("", _REVISION.sub("", name)))
    return _NO_NAME.sub("", _PACKAGING.sub("", name))


@dataclass(frozen=True, slots=True)
class Witnesses:
    """The usual price of each model family at each provider, in this list and in an earlier one.

    Attributes:
        now: dollars per million tokens by family and key, then provider.
        before: likewise, of the earlier list.
    """

    now: Mapping[tuple[str, str], _Prices]
    before: Mapping[tuple[str, str], _Prices]

    @classmethod
    def of(cls, listings: Iterable[Listing], earlier: Iterable[Listing] = ()) -> "Witnesses":
        """The witnesses that two lists have; prices of 0 and impossible ones do not speak."""
        return cls(_by_family(listings), _by_family(earlier))

    def others(self, listing: Listing, key: str) -> tuple[float, ...]:
        """What the family costs elsewhere, one price a provider, and what it cost here before."""
        place = family(listing.model), key
        now, before = self.now.get(place, {}), self.before.get(place, {})
        elsewhere = {provider: usd for provider, usd in {**before, **now}.items() if provider != listing.provider}
        own_past = (before[listing.provider],) if listing.provider in before else ()
        return (*elsewhere.values(), *own_past)


def usual(prices: Iterable[float]) -> float:
    """The middle of positive prices on the log scale, where one that is 100-fold off cannot pull it along."""
    ordered = sorted(prices)
    return math.sqrt(median_low(ordered) * median_high(ordered))


def _by_family(listings: Iterable[Listing]) -> Mapping[tuple[str, str], _Prices]:
    prices: dict[tuple[str, str], dict[str, list[float]]] = defaultdict(lambda: defaultdict(list))
    for listing in listings:
        name = family(listing.model)
        for key in WHOLE_KEYS:
            usd = listing.base[key]
            if usd is not None and math.isfinite(usd) and usd > 0:
                prices[name, key][listing.provider].append(usd)
    return {
        place: {provider: usual(asked) for provider, asked in providers.items()} for place, providers in prices.items()
    }
