"""How each scenario reaches each peer, and what it has no means for: the words under the tables of docs/peers.md."""

from __future__ import annotations

FULL_CELLS = "LiteLLM: cells that are full learn no more, and those of its busiest request type fill up in the warm-up"
RELOADED = "LiteLLM has no call for it: its configuration is loaded anew, the evidence kept"

REMARKS: dict[str, tuple[str, ...]] = {
    "silent_drop": (FULL_CELLS,),
    "price_cut_announced": (
        "ParetoBandit is told by `update_model_pricing`",
        f"{RELOADED}. It looks at the price of input tokens alone, and keeps to no budget",
    ),
    "price_cut_silent": (
        "ParetoBandit's pacer sees the bills, its penalties go on by the list price",
        "LiteLLM cannot notice: it never sees a bill",
    ),
    "newcomer_good": (
        "ParetoBandit: `register_model` with the list price, then 20 forced requests",
        f"{RELOADED}. The newcomer has its second quality tier, which is what undeclared models have",
    ),
    "newcomer_bad": (
        "ParetoBandit: `register_model` with the list price, then 20 forced requests",
        f"{RELOADED}. The newcomer has its second quality tier, which is what undeclared models have",
    ),
    "outage": (
        "ParetoBandit has no call for a model that is away for a while: it is taken out of the registry and put back, "
        "what was learned kept",
        f"{RELOADED}, and once more when the model is back",
    ),
    "late_feedback": (
        "ParetoBandit's documented way (`process_feedback`) tells its pacer of a bill with its judgement: late here, "
        "and of three in ten alone. *Bills at once* calls `budget_pacer.observe` and `update` by hand instead",
        FULL_CELLS,
    ),
}
"""For each scenario, in words."""
