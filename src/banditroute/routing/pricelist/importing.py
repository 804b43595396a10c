"""From the rows of a price list to models that can be used: every row becomes a model or a finding says why not."""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from banditroute.errors import InputError
from banditroute.routing.catalog import Capabilities, Model, Price, Tier
from banditroute.routing.pricelist.checks import Evidence, Finding, Severity, credible, examine
from banditroute.routing.pricelist.peers import Witnesses
from banditroute.routing.pricelist.rows import RATE_KEYS, Listing, Rates

_NOT_IMPORTED = frozenset({Severity.refused, Severity.skipped})


@dataclass(frozen=True, slots=True)
class PriceImport:
    """What became of the rows that were asked for.

    Attributes:
        rows: how many they are.
        models: those that can be used, in the list's order.
        findings: what is wrong; a row that is no model has one that is refused or skipped.
    """

    rows: int
    models: tuple[Model, ...]
    findings: tuple[Finding, ...]

    def counts(self) -> Counter[tuple[Severity, str]]:
        """How many findings each check made, by severity."""
        return Counter((finding.severity, finding.check) for finding in self.findings)


def import_prices(
    listings: Iterable[Listing],
    *,
    earlier: Iterable[Listing] = (),
    selected: Callable[[Listing], bool] = lambda _: True,
    free: Callable[[str], bool] = lambda _: False,
    as_of: str | None = None,
) -> PriceImport:
    """The selected rows as models and findings; the rows not selected still bear witness.

    Args:
        listings: the list's rows.
        earlier: the rows of an earlier list, as further witnesses of what each model costs.
        selected: which rows to import.
        free: which models, by name, the caller declares free where the list says 0.
        as_of: today as YYYY-MM-DD; models that their provider ended by then are doubtful.
    """
    listed = tuple(listings)
    witnesses = Witnesses.of(filter(credible, listed), filter(credible, earlier))
    evidence = Evidence(witnesses, _by_name(listed), free, as_of)
    judged = [_judge(listing, evidence) for listing in listed if selected(listing)]
    return PriceImport(
        rows=len(judged),
        models=tuple(model for model, _ in judged if model is not None),
        findings=tuple(finding for _, findings in judged for finding in findings),
    )


def _by_name(listings: Iterable[Listing]) -> Mapping[str, tuple[Listing, ...]]:
    named: dict[str, list[Listing]] = defaultdict(list)
    for listing in listings:
        named[listing.model].append(listing)
    return {name: tuple(rows) for name, rows in named.items()}


def _judge(listing: Listing, evidence: Evidence) -> tuple[Model | None, Sequence[Finding]]:
    findings = list(examine(listing, evidence))
    if any(finding.severity in _NOT_IMPORTED for finding in findings):
        return None, findings
    mended = frozenset(finding.key for finding in findings if finding.severity is Severity.mended)
    try:
        return _model(listing, mended), findings
    except InputError as error:  # what no check foresaw, the model's own rules refuse
        refusal = Finding(listing.model, error.field or "", None, error.problem, Severity.refused, "unusable")
        return None, [*findings, refusal]


def _model(listing: Listing, mended: frozenset[str]) -> Model:
    base, *longer = (_mended(rates, tier, mended) for tier, rates in enumerate(listing.rates))
    price = _price(listing.model, base)
    tiers = tuple(Tier(rates.above_input_tokens, _price(listing.model, rates)) for rates in longer)
    return Model(
        name=listing.model,
        provider=listing.provider,
        upstream=listing.upstream,
        price=replace(price, tiers=tiers),
        capabilities=_capabilities(listing),
    )


def _mended(rates: Rates, tier: int, mended: frozenset[str]) -> Rates:
    prefix = f"tiers[{tier - 1}]." if tier else ""
    dropped = {key: None for key in RATE_KEYS if prefix + key in mended}
    return replace(rates, **dropped)


def _price(model: str, rates: Rates) -> Price:
    return Price.declared(
        model,
        input_usd_per_mtok=rates.input_usd_per_mtok,
        output_usd_per_mtok=rates.output_usd_per_mtok,
        cached_input_usd_per_mtok=rates.cached_input_usd_per_mtok,
        cache_write_usd_per_mtok=rates.cache_write_usd_per_mtok,
        reasoning_usd_per_mtok=rates.reasoning_usd_per_mtok,
    )


def _capabilities(listing: Listing) -> Capabilities:
    window, output = listing.context_window, listing.max_output_tokens
    return Capabilities(
        context_window=window,
        max_output_tokens=output if window is None or output is None else min(output, window),
        tools=listing.tools,
        vision=listing.vision,
        json=listing.json,
        streaming=listing.streaming,
    )
