"""What is wrong with a row of a price list: checks against what is possible, against itself, and against other rows.

A check is a function from a row, and perhaps the evidence, to findings. The bounds come from the rows of real lists,
read one by one; docs/prices.md says what each check finds in them.
"""

import math
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

from banditroute.routing.pricelist.peers import Witnesses, usual
from banditroute.routing.pricelist.rows import RATE_KEYS, WHOLE_KEYS, WHOLE_OF, Listing, Rates

# A third above the dearest real prices, o1-pro's 150 and 600: what reaches them is a price per thousand tokens.
TOO_DEAR_USD_PER_MTOK = {"input_usd_per_mtok": 200.0, "output_usd_per_mtok": 800.0}
# Half the cheapest that is listed otherwise.
TOO_CHEAP_USD_PER_MTOK = 0.005
# Without a mistake, providers ask up to 20-fold for one model, answers cost up to 20-fold the prompt, and long prompts
# up to 12-fold the short ones. Mistaken units are 100- or 1,000-fold.
DOUBTFUL_RATIO = 21.0
IMPOSSIBLE_RATIO = 80.0
# The dearest real cache write, kept for an hour, costs twice the input.
DOUBTFUL_CACHE_WRITE_RATIO = 4.0

_CHAT_MODES = frozenset({"chat", "responses"})
_LIMITS = frozenset({"context_window", "max_output_tokens"})
_DATE = re.compile(r"\d{4}-\d\d-\d\d")


class Severity(StrEnum):
    """What became of the row."""

    refused = "refused"  # not imported
    mended = "mended"  # imported, the value replaced by the safe one
    doubtful = "doubtful"  # imported as it stands
    skipped = "skipped"  # not imported: no chat model, or a row that repeats another


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing wrong with one row.

    Attributes:
        model: the row's name.
        key: the key in the model's table of router.toml that it is about.
        value: what the list says, prices in dollars per million tokens; None = nothing.
        problem: what is wrong with it.
        severity: what became of the row.
        check: which check found it.
    """

    model: str
    key: str
    value: float | str | None
    problem: str
    severity: Severity
    check: str


@dataclass(frozen=True, slots=True)
class Evidence:
    """What a row is held against.

    Attributes:
        witnesses: what others ask for each model.
        named: the rows of each name.
        free: whether the caller declares a model, by name, free where the list says 0.
        as_of: today, YYYY-MM-DD; None = retirement is not looked at.
    """

    witnesses: Witnesses
    named: Mapping[str, tuple[Listing, ...]]
    free: Callable[[str], bool]
    as_of: str | None


Findings = Iterator[Finding]
Check = Callable[[Listing], Findings]
Comparison = Callable[[Listing, Evidence], Findings]


def examine(listing: Listing, evidence: Evidence) -> Findings:
    """Everything wrong with a row; of one that is no chat model of any provider, only that."""
    if listing.mode not in _CHAT_MODES:
        yield Finding(listing.model, "mode", listing.mode, "not a chat model", Severity.skipped, "not-chat")
    elif not listing.provider:
        problem = "served by nobody; an alias?"
        yield Finding(listing.model, "provider", None, problem, Severity.refused, "no-provider")
    else:
        for check in OWN_CHECKS:
            yield from check(listing)
        for compare in COMPARISONS:
            yield from compare(listing, evidence)


def credible(listing: Listing) -> bool:
    """Whether a row is of a chat model and its own prices are possible, so that it may bear witness about others."""
    return listing.mode in _CHAT_MODES and not any(
        finding.severity is Severity.refused for check in (magnitude, lopsided) for finding in check(listing)
    )


def repeated(listing: Listing, evidence: Evidence) -> Findings:
    """Rows of one name: the first stands for those that agree; where prices differ, none is imported."""
    twins = evidence.named[listing.model]
    if any(twin.rates != listing.rates for twin in twins):
        problem = f"{len(twins)} rows of this name with different prices"
        yield Finding(listing.model, "name", listing.model, problem, Severity.refused, "repeated")
    elif listing is not twins[0]:
        problem = "repeats an earlier row"
        yield Finding(listing.model, "name", listing.model, problem, Severity.skipped, "repeated")


def unreadable(listing: Listing) -> Findings:
    """Values of the wrong type: a limit is then unknown, a price makes the row unusable."""
    for bad in listing.unreadable:
        if bad.key in _LIMITS:
            problem = "not a number of tokens; taken as unknown"
            yield Finding(listing.model, bad.key, bad.value, problem, Severity.mended, "limit")
        else:
            yield Finding(listing.model, bad.key, bad.value, "cannot be read", Severity.refused, "not-a-price")


def impossible(listing: Listing) -> Findings:
    """Prices that are unknown, negative or not finite."""
    unread = {bad.key for bad in listing.unreadable}
    for where, key, usd, _rates in _prices(listing):
        if usd is None:
            if key in WHOLE_KEYS and where not in unread:
                yield Finding(listing.model, where, None, "price unknown", Severity.refused, "unknown")
        elif not (math.isfinite(usd) and usd >= 0):
            yield Finding(listing.model, where, usd, "not a price", Severity.refused, "not-a-price")


def zero(listing: Listing, evidence: Evidence) -> Findings:
    """Prices of 0, which lists write for free and for unknown alike; a row is refused once."""
    if evidence.free(listing.model):
        return
    zeros = [price for price in _prices(listing) if price.usd == 0]
    wholes = [price for price in zeros if price.key in WHOLE_KEYS]
    for where, *_rest in wholes[:1]:
        problem = "free, or unknown? declare the model free or state its price"
        yield Finding(listing.model, where, 0.0, problem, Severity.refused, "zero")
    for where, key, *_rest in () if wholes else zeros:
        problem = f"free, or unknown? billed as {WHOLE_OF[key].removesuffix('_usd_per_mtok')}"
        yield Finding(listing.model, where, 0.0, problem, Severity.mended, "zero-part")


def magnitude(listing: Listing) -> Findings:
    """Prices beyond any that was ever really asked."""
    for where, key, usd, _rates in _positive(listing, WHOLE_KEYS):
        if usd >= TOO_DEAR_USD_PER_MTOK[key]:
            problem = f"beyond any real price; listed per thousand tokens? that would be {usd / 1000:g}"
            yield Finding(listing.model, where, usd, problem, Severity.refused, "too-dear")
        elif usd < TOO_CHEAP_USD_PER_MTOK:
            problem = "below any real price; a mistaken unit?"
            yield Finding(listing.model, where, usd, problem, Severity.refused, "too-cheap")


def lopsided(listing: Listing) -> Findings:
    """Answers cheaper than prompts, or so much dearer or cheaper that one of the two must have a mistaken unit."""
    for where, _key, usd, rates in _positive(listing, ("output_usd_per_mtok",)):
        prompt = rates.input_usd_per_mtok
        if prompt is None or not 0 < prompt < math.inf:
            continue
        problem = f"{_fold(usd, prompt)} the input price of {prompt:g}; a mistaken unit?"
        if _distance(usd, prompt) >= DOUBTFUL_RATIO:
            severity = Severity.refused if _distance(usd, prompt) >= IMPOSSIBLE_RATIO else Severity.doubtful
            yield Finding(listing.model, where, usd, problem, severity, "lopsided")
        elif usd < prompt:
            yield Finding(listing.model, where, usd, problem, Severity.doubtful, "output-below-input")


def peers(listing: Listing, evidence: Evidence) -> Findings:
    """Prices far from what others ask for the same model: two witnesses convict, one only raises a doubt."""
    for key in WHOLE_KEYS:
        usd = listing.base[key]
        others = evidence.witnesses.others(listing, key)
        if usd is None or not 0 < usd < math.inf or not others:
            continue
        middle = usual(others)
        if _distance(usd, middle) >= DOUBTFUL_RATIO:
            proven = len(others) > 1 and _distance(usd, middle) >= IMPOSSIBLE_RATIO
            problem = f"{_fold(usd, middle)} the {middle:.3g} asked elsewhere ({len(others)} listed)"
            severity = Severity.refused if proven else Severity.doubtful
            yield Finding(listing.model, key, usd, problem, severity, "peers")


def cached_input(listing: Listing) -> Findings:
    """Cache reads dearer than plain input."""
    for where, _key, usd, rates in _positive(listing, ("cached_input_usd_per_mtok",)):
        if usd > (rates.input_usd_per_mtok or math.inf):
            problem = f"above the input price of {rates.input_usd_per_mtok:g}; billed as input"
            yield Finding(listing.model, where, usd, problem, Severity.mended, "cached-above-input")


def cache_write(listing: Listing) -> Findings:
    """Cache writes cheaper than plain input, often the price of a read in the wrong field, or much dearer."""
    for where, _key, usd, rates in _positive(listing, ("cache_write_usd_per_mtok",)):
        prompt = rates.input_usd_per_mtok or usd
        if usd < prompt:
            problem = f"below the input price of {prompt:g}, the price of a read? billed as input"
            yield Finding(listing.model, where, usd, problem, Severity.mended, "write-below-input")
        elif usd > DOUBTFUL_CACHE_WRITE_RATIO * prompt:
            problem = f"{_fold(usd, prompt)} the input price of {prompt:g}"
            yield Finding(listing.model, where, usd, problem, Severity.doubtful, "write-far-above-input")


def reasoning(listing: Listing) -> Findings:
    """Reasoning tokens far from the price of the answer."""
    for where, _key, usd, rates in _positive(listing, ("reasoning_usd_per_mtok",)):
        answer = rates.output_usd_per_mtok or usd
        if _distance(usd, answer) >= DOUBTFUL_RATIO:
            problem = f"{_fold(usd, answer)} the output price of {answer:g}"
            yield Finding(listing.model, where, usd, problem, Severity.doubtful, "reasoning")


def tiers(listing: Listing) -> Findings:
    """Long prompts cheaper than short ones, or much dearer."""
    for where, key, usd, rates in _positive(listing, WHOLE_KEYS):
        base = listing.base[key] or usd
        if rates is not listing.base and not base <= usd <= DOUBTFUL_RATIO * base:
            problem = f"{_fold(usd, base)} the {base:g} of short prompts"
            yield Finding(listing.model, where, usd, problem, Severity.doubtful, "tier")


def limits(listing: Listing) -> Findings:
    """Answers longer than prompt and answer together may be."""
    window, output = listing.context_window, listing.max_output_tokens
    if window is not None and output is not None and output > window:
        problem = f"more than the context window of {window}; cut to it"
        yield Finding(listing.model, "max_output_tokens", output, problem, Severity.mended, "limit")


def fee(listing: Listing) -> Findings:
    """A fee per call, for which a model's price has no place."""
    if listing.request_usd:
        problem = "dollars per call on top of the tokens, not counted"
        yield Finding(listing.model, "input_cost_per_request", listing.request_usd, problem, Severity.doubtful, "fee")


def retired(listing: Listing, evidence: Evidence) -> Findings:
    """Models that their provider has ended."""
    date = listing.retires_on
    if date is not None and evidence.as_of is not None and _DATE.fullmatch(date) and date <= evidence.as_of:
        problem = "ended by its provider on that day"
        yield Finding(listing.model, "name", date, problem, Severity.doubtful, "retired")


OWN_CHECKS: tuple[Check, ...] = (
    unreadable,
    impossible,
    magnitude,
    lopsided,
    cached_input,
    cache_write,
    reasoning,
    tiers,
    limits,
    fee,
)
COMPARISONS: tuple[Comparison, ...] = (repeated, zero, peers, retired)


class _Listed(NamedTuple):
    """One price of a row: where it stands in the model's table, its key, and the prices it stands among."""

    where: str
    key: str
    usd: float | None
    rates: Rates


def _prices(listing: Listing) -> Iterator[_Listed]:
    for tier, rates in enumerate(listing.rates):
        prefix = f"tiers[{tier - 1}]." if tier else ""
        for key in RATE_KEYS:
            yield _Listed(prefix + key, key, rates[key], rates)


def _positive(listing: Listing, keys: tuple[str, ...]) -> Iterator[tuple[str, str, float, Rates]]:
    """The prices of those keys that can be compared: known, finite and above 0."""
    for where, key, usd, rates in _prices(listing):
        if key in keys and usd is not None and 0 < usd < math.inf:
            yield where, key, usd, rates


def _distance(one: float, other: float) -> float:
    """How many fold two positive prices differ, 1 = not at all."""
    return max(one / other, other / one)


def _fold(usd: float, reference: float) -> str:
    ratio = _distance(usd, reference)
    times = f"{ratio:,.0f}" if ratio >= 100 else f"{ratio:.3g}"
    return f"{times} times" if usd >= reference else f"1/{times} of"
