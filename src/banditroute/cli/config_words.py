"""What the values of a configuration mean, in words with units."""

from collections.abc import Mapping, Sequence

from banditroute.config import ProviderConfig, RouterConfig, RoutingConfig, StoreConfig
from banditroute.config.findings import typical_usd
from banditroute.config.review import cheapest_and_dearest
from banditroute.config.review_grading import judging_usd
from banditroute.config.secrets import missing_keys
from banditroute.config.values import GraderConfig, JudgeConfig
from banditroute.reports.format import ABSENT, count, money, percent
from banditroute.routing.budgets import Cap, PacedBudget, Scope
from banditroute.routing.catalog import Model
from banditroute.routing.tasks import JUDGE_TASK

_DAY_S = 86_400.0

Words = Sequence[tuple[str, str]]
"""Rows of a name and what it means."""


def key_words(config: RouterConfig, environ: Mapping[str, str]) -> list[str]:
    """For each provider its keys' variables, and whether a key is in each."""
    missing = {key.variable for key in missing_keys(config, environ)}
    return [
        ", ".join(f"{name} ({'missing' if name in missing else 'set'})" for name in each.api_key_env) or "none is sent"
        for each in config.providers
    ]


def answer_limits(model: Model) -> tuple[str, str]:
    """The context window and the longest answer."""
    can = model.capabilities
    window, answer = (
        ABSENT if limit is None else count(limit) for limit in (can.context_window, can.max_output_tokens)
    )
    return window, answer


def takes(model: Model) -> str:
    """What the model can do, and how many prices long prompts have."""
    can = model.capabilities
    able = (("tools", can.tools), ("images", can.vision), ("JSON", can.json), ("streams", can.streaming))
    words = [word for word, yes in able if yes]
    if not model.routed:
        words.append("only who names it")
    return ", ".join([*words, *(["dearer long prompts"] if model.price.tiers else [])]) or "plain chat"


def budget_words(config: RouterConfig) -> Words:
    """Each budget, and how many typical requests it is worth."""
    return [
        (each.name, _cap(each, config) if isinstance(each, Cap) else _pace(each, config)) for each in config.budgets
    ]


def store_words(store: StoreConfig) -> Words:
    """Where things are kept and what they survive."""
    if store.kind == "memory":
        return [("memory", "nothing survives the end of the process")]
    if store.kind in ("redis", "postgres"):
        server = "log does: see its appendfsync" if store.kind == "redis" else "commits do: see synchronous_commit"
        kept = "for ever" if store.retention_s is None else f"{store.retention_s / _DAY_S:g} days"
        return [
            (store.kind, store.url or f"at the URL in {store.url_env}"),
            ("namespace", store.namespace),
            ("survives", f"what the server's own {server}"),
            ("decisions", f"kept {kept}; what they taught stays"),
            ("prompts", "kept" if store.keep_prompts else "not kept"),
        ]
    survives = "a power cut" if store.fsync else "a kill; for a power cut set fsync = true"
    kept = "for ever" if store.retention_s is None else f"{store.retention_s / _DAY_S:g} days"
    prompts = "kept" if store.keep_prompts else "not kept"
    return [
        ("sqlite", str(store.path)),
        ("survives", survives),
        ("decisions", f"kept {kept}; what they taught stays"),
        ("prompts", prompts),
    ]


def routing_words(routing: RoutingConfig) -> Words:
    """How models are chosen."""
    explore = routing.policy.exploration
    tasks = ", ".join(routing.tasks) or "none known from the start"
    waiting = f"{routing.quality_per_s:g} quality points a second" if routing.quality_per_s else "costs nothing"
    return [
        ("task classes", tasks),
        ("features", f"{routing.features} numbers with every request" if routing.features else "none from callers"),
        ("waiting", waiting),
        ("deadline", f"{routing.deadline_s:g} s a request, retries and fallbacks included"),
        ("conversations", _session(routing)),
        ("tries", f"at most {percent(explore.decisions)} of decisions, {percent(explore.dollars)} of a paced budget"),
        ("chance", "from the system" if routing.seed is None else f"from seed {routing.seed}"),
    ]


def grading_words(config: RouterConfig) -> Words:
    """Who says how good answers are, of which classes, and what that costs."""
    return [
        *((each.name, f"grades {_classes(each.tasks)}, {_when(each)}") for each in config.graders),
        *((each.name, _judge(each, config)) for each in config.judges),
    ]


def shadow_words(config: RouterConfig) -> Words:
    """What decides beside the router, if anything does."""
    if config.shadow is None:
        return []
    policy = "this file's own policy" if config.shadow.path is None else f"the policy of {config.shadow.path}"
    share = percent(config.shadow.share)
    return [(config.shadow.name, f"{policy} decides beside {share} of the requests, calls nobody, is kept on record")]


def delivery_words(config: RouterConfig) -> Words:
    """How calls are delivered."""
    retrying, breaking, hedging = config.retrying, config.breaking, config.hedging
    hedged = f"at most {percent(hedging.share)} of calls, after their {hedging.quantile:.0%} quantile"
    return [
        *((f"limits, {each.name}", _limits(each)) for each in config.providers),
        ("retries", f"{retrying.same_model} of the same model, then the others, {retrying.rounds} rounds more"),
        ("retry waits", f"from {retrying.base_s:g} s doubling to {retrying.cap_s:g} s, with full jitter"),
        ("circuit", f"opens after {breaking.consecutive} failures in a row, for {breaking.open_s:g} s and longer"),
        ("hedging", hedged if hedging.share else "off"),
    ]


def _limits(provider: ProviderConfig) -> str:
    times, way = provider.timeouts, provider.transport
    return (
        f"connect {times.connect_s:g} s, first token {times.first_token_s:g} s, between {times.between_chunks_s:g} s, "
        f"whole reply {times.whole_s:g} s, in all {times.total_s:g} s; {way.max_concurrent} calls at once"
    )


def _session(routing: RoutingConfig) -> str:
    stay = f"unless leaving is worth {routing.session_stay_quality:g} quality points"
    return f"keep to their model for {routing.session_ttl_s:g} s, {stay}"


def _pace(budget: PacedBudget, config: RouterConfig) -> str:
    amount = f"{money(budget.usd_per_request)} a request on average, {_scope(budget.scope)}; steers, never refuses"
    return f"{amount}; {_worth(budget.usd_per_request, config)}"


def _cap(budget: Cap, config: RouterConfig) -> str:
    ends = "serves with the cheapest" if budget.on_exhausted == "cheapest" else "refuses"
    amount = f"at most {money(budget.usd)} a {budget.per} (UTC), {_scope(budget.scope)}; at the cap it {ends}"
    judge = next((each for each in config.judges if budget.scope.name == JUDGE_TASK + each.name), None)
    if judge is not None:
        return f"{amount}; worth {_times(budget.usd, judging_usd(config, judge))} typical answers judged"
    return f"{amount}; {_worth(budget.usd, config)}"


def _judge(judge: JudgeConfig, config: RouterConfig) -> str:
    bench = judge.bench
    against = "" if bench.baseline is None else f" against those of {bench.baseline}, in both orders"
    caps = " and ".join(f"{money(cap.usd)} a {cap.per}" for cap in judge.caps)
    cost = f"{money(judging_usd(config, judge))} for a typical answer, {f'at most {caps}' if caps else 'no cap'}"
    what = f"{bench.model} judges {percent(bench.share)} of {_classes(judge.tasks)}{against}"
    return f"{what}, {bench.at_once} at a time; {cost}{_counts(judge.weight)}"


def _classes(tasks: Sequence[str]) -> str:
    return f"answers of {', '.join(tasks)}" if tasks else "all answers"


def _when(grader: GraderConfig) -> str:
    scale = f", on the scale of {grader.calibrate_to}" if grader.calibrate_to else ""
    when = "before they are given" if grader.when == "inline" else "just after they are given"
    return f"{when}{scale}{_counts(grader.weight)}"


def _counts(weight: float) -> str:
    return "" if weight == 1.0 else f"; counts {weight:g}"


def _scope(scope: Scope) -> str:
    return "all requests" if scope.kind == "global" else f"{scope.kind} {scope.name}"


def _worth(usd: float, config: RouterConfig) -> str:
    """How many typical requests of the cheapest and the dearest model that is."""
    ends = dict.fromkeys(cheapest_and_dearest(config.catalog))
    parts = [f"{_times(usd, typical_usd(model))} of {model.name}" for model in ends]
    return f"worth {' or '.join(parts)} (typical requests)"


def _times(usd: float, each_usd: float) -> str:
    if not each_usd:
        return "any number"
    times = usd / each_usd
    return count(int(times)) if times >= 10 else f"{times:.2g}"
