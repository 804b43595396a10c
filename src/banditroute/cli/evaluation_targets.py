"""The policies that `--policy` names, as targets of an evaluation."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial

from banditroute.assemble import decider_of
from banditroute.config import RouterConfig, load_config
from banditroute.errors import InputError, meant
from banditroute.evaluation.log import LogTable
from banditroute.evaluation.replayed import Progress, Replayed
from banditroute.evaluation.targets import Fixed, Given, TargetPolicy, Uniform
from banditroute.routing.budgets import Cap, PacedBudget

_FIXED = "fixed:"
_UNIFORM = "uniform"
_SHADOW = "shadow"
_FROZEN = "frozen:"
_FORMS = "fixed:MODEL, uniform, shadow:NAME, a router.toml, or frozen:FILE.toml for what its warm start knows"


@dataclass(frozen=True, slots=True)
class Named:
    """A policy that was asked for.

    Attributes:
        target: what is evaluated.
        shadow: the shadow's name, where it is one.
        notes: what of it a log cannot show.
    """

    target: TargetPolicy
    shadow: str | None = None
    notes: tuple[str, ...] = ()


def named(policies: Sequence[str], log: LogTable, progress: Progress | None) -> list[Named]:
    """The policies in the order given; each fixed model, uniform and every shadow of the log where none is.

    Raises:
        InputError: a name is none, or the log has no such shadow.
        ConfigError: a router.toml cannot be used.
    """
    return [_named(each, log, progress) for each in policies or _default(log)]


def _default(log: LogTable) -> list[str]:
    """All that the log itself speaks of; without chance in it, that is what its shadows expected."""
    shadows = [f"{_SHADOW}:{name}" for name in log.shadows]
    if shadows and not log.drawn.any():
        return shadows
    return [*(f"{_FIXED}{model}" for model in log.models), _UNIFORM, *shadows]


def _named(word: str, log: LogTable, progress: Progress | None) -> Named:
    if word.startswith(_FIXED) and word != _FIXED:
        return Named(Fixed(word.removeprefix(_FIXED)))
    if word == _UNIFORM:
        return Named(Uniform())
    if word == _SHADOW or word.startswith(f"{_SHADOW}:"):
        return _shadow(word, log)
    if word.endswith(".toml"):
        return _router(word, log, progress)
    guess = meant(word, [_UNIFORM, _SHADOW, *(f"{_FIXED}{model}" for model in log.models)])
    raise InputError(f"no policy is called {word!r}", remedy=f"{guess}give {_FORMS}", field="--policy")


def _router(word: str, log: LogTable, progress: Progress | None) -> Named:
    """A router.toml's policy: led over the log, or frozen as its warm start makes it."""
    plan = load_config(word.removeprefix(_FROZEN), {})  # the environment speaks of the router.toml in use
    frozen = word.startswith(_FROZEN)
    if frozen and plan.routing.warm_start is None:
        remedy = "give it routing.warm_start, or leave out frozen: and it learns along the log"
        raise InputError(f"{word} knows nothing to be frozen with", remedy=remedy, field="--policy")
    replayed = Replayed(word, partial(decider_of, plan), learns=not frozen, progress=progress)
    return Named(replayed, notes=tuple(_not_shown(word, plan, log)))


def _shadow(word: str, log: LogTable) -> Named:
    """A shadow of the log; by `shadow` alone its only one."""
    names = list(log.shadows)
    name = word.removeprefix(_SHADOW).removeprefix(":") or (names[0] if len(names) == 1 else "")
    if name in log.shadows:
        return Named(Given(f"{_SHADOW}:{name}", log.shadows[name]), name)
    if not names:
        remedy = "give the router a [shadow] table and log anew"
        raise InputError("no policy decided beside the one that logged", remedy=remedy, field="--policy")
    problem = f"the log has no shadow {name!r}" if name else f"the log has {len(names)} shadows"
    choices = ", ".join(f"{_SHADOW}:{each}" for each in names)
    raise InputError(problem, remedy=f"choose from: {choices}", field="--policy")


def _not_shown(word: str, plan: RouterConfig, log: LogTable) -> Iterator[str]:
    """Plain sentences on what of a router its replay leaves out."""
    if any(isinstance(budget, Cap) for budget in plan.budgets):
        yield f"{word}: its caps are left out; its paced budgets pay what its own choices are expected to cost."
    if any(isinstance(budget, PacedBudget) and budget.scope.kind == "tenant" for budget in plan.budgets):
        yield f"{word}: a log does not say for whom a request was, so budgets of tenants are left out."
    if plan.budgets and not (log.output_tokens > 0).any():
        yield f"{word}: the log does not say how long answers were, so its budgets pay for answers of a usual length."
