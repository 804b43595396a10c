"""`banditroute rebuild`: what the log amounts to, computed anew and compared with what is kept."""

import math
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NamedTuple, TypeVar

import typer

if TYPE_CHECKING:
    from banditroute.config import RouterConfig
    from banditroute.storage.protocol import State, Store

T = TypeVar("T")

SAME = 1e-9
"""Relative difference up to which two sums of the same numbers, added in another order, count as equal."""


class Difference(NamedTuple):
    """How far one part of the state is from what the log says, relative to its size."""

    what: str
    parts: int
    relative: float


def command(
    config: Annotated[Path, typer.Option(metavar="router.toml", help="The router's configuration.")],
    check: Annotated[bool, typer.Option("--check", help="Change nothing; exit 1 where log and state differ.")] = False,
) -> None:
    """Compute beliefs and spending anew from the log, and put them in the place of what is kept.

    Stop the router first: what it learns meanwhile would be lost. --check may run beside it.
    """
    from banditroute.cli.store_file import with_store  # numpy and pydantic, which --help can do without

    async def work(_: "RouterConfig", store: "Store") -> tuple[Difference, ...]:
        kept, rebuilt = await store.state(), await store.rebuilt()
        found = differences(kept, rebuilt)
        if not check and any(each.relative > SAME for each in found):
            await store.replace(rebuilt)
        return found

    found = with_store(config, work)
    for each in found:
        typer.echo(f"{each.what}: {each.parts}, largest relative difference {each.relative:.1e}")
    differ = any(each.relative > SAME for each in found)
    typer.echo(_verdict(differ, check))
    if differ and check:
        raise typer.Exit(1)


def _verdict(differ: bool, check: bool) -> str:
    if not differ:
        return "log and state agree"
    return "log and state differ" if check else "log and state differed; the state is now what the log says"


def differences(kept: "State", rebuilt: "State") -> tuple[Difference, ...]:
    """How far the evidence of each signal, the spending and the paces are apart."""
    from banditroute.routing.lessons import SIGNALS

    found: list[Difference] = []
    for signal in SIGNALS:
        edges = {edge for edge in (*kept.evidence, *rebuilt.evidence) if edge.signal == signal}
        pairs = [(_flat(kept.evidence.get(edge)), _flat(rebuilt.evidence.get(edge))) for edge in edges]
        found.append(Difference(f"evidence of {signal}, edges", len(edges), max(map(_apart, pairs), default=0.0)))
    found.append(_of_numbers("spending, windows", kept.spent_usd, rebuilt.spent_usd))
    names = {*kept.paces, *rebuilt.paces}
    alike = all(kept.paces.get(name) == rebuilt.paces.get(name) for name in names)
    found.append(Difference("paces, budgets", len(names), 0.0 if alike else math.inf))
    return tuple(found)


def _of_numbers(what: str, kept: Mapping[T, float], rebuilt: Mapping[T, float]) -> Difference:
    keys = {*kept, *rebuilt}
    pairs = [((kept.get(key, 0.0),), (rebuilt.get(key, 0.0),)) for key in keys]
    return Difference(what, len(keys), max(map(_apart, pairs), default=0.0))


def _flat(sums: object) -> tuple[float, ...]:
    """All numbers of a block of evidence; none where there is no block."""
    import numpy as np

    return () if sums is None else tuple(float(v) for part in sums for v in np.ravel(part))  # type: ignore[attr-defined]


def _apart(pair: tuple[Iterable[float], Iterable[float]]) -> float:
    mine, theirs = (tuple(values) for values in pair)
    if len(mine) != len(theirs):
        return math.inf if any(mine) or any(theirs) else 0.0
    size = max((abs(value) for value in (*mine, *theirs)), default=0.0)
    return max((abs(a - b) for a, b in zip(mine, theirs, strict=True)), default=0.0) / size if size else 0.0
