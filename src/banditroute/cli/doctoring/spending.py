"""Whether requests fit into the caps, one by one and several at once."""

import math
from collections.abc import Iterator

from banditroute.cli.doctoring.lines import Line, State
from banditroute.config import RouterConfig
from banditroute.config.findings import dollars
from banditroute.config.review import longest_call_usd
from banditroute.routing.budgets import Cap
from banditroute.routing.tasks import is_judging


def budget_lines(config: RouterConfig) -> Iterator[Line]:
    """One line for each cap; and one for all that only steers, or is not there."""
    worst = [longest_call_usd(model) for model in config.catalog if model.routed] or [0.0]
    caps = [each for each in config.budgets if isinstance(each, Cap) and not is_judging(each.scope.name)]
    for cap in caps:
        yield _cap(cap, worst)
    paced = len(config.budgets) - len([each for each in config.budgets if isinstance(each, Cap)])
    if paced:
        yield Line(State.ok, "budgets", f"{paced} paced: steers the choice, refuses nothing")
    if not config.budgets and all(model.price.free for model in config.catalog):
        yield Line(State.ok, "budgets", "none, and every model is free")


def _cap(cap: Cap, worst: list[float]) -> Line:
    """Caps hold what a request may cost at worst; what that is of an unbounded model, another line asks."""
    amount, known = f"{cap.name}: {dollars(cap.usd)} a {cap.per}", [usd for usd in worst if math.isfinite(usd)]
    over = [usd for usd in known if usd > cap.usd]
    if over and len(over) == len(worst):
        told = f"{amount}, and a request without a limit of its own may cost {dollars(min(over))} or more"
        state = State.wrong if cap.on_exhausted == "reject" else State.look
        return Line(state, "budgets", told, "raise it, or lower max_output_tokens: no such request fits")
    if over:
        told = f"{amount}, less than a request may cost with {len(over)} of {len(worst)} models"
        return Line(State.look, "budgets", told, "raise it, or lower max_output_tokens")
    dearest = max(known, default=0.0)
    if not dearest:
        return Line(State.ok, "budgets", amount)
    room = f"a request reserves up to {dollars(dearest)}, room for {math.floor(cap.usd / dearest):,} at once"
    return Line(State.ok, "budgets", f"{amount}; {room}")
