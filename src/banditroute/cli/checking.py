"""The work of `banditroute db check`: one line for each thing that can be wrong with a store, or is good to know."""

import os
import sys
import time
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path

import orjson
import typer

from banditroute.cli.differences import Difference, differences, edges_apart
from banditroute.cli.doctoring.lines import Line, State
from banditroute.cli.store_file import look, stored_plan
from banditroute.cli.tables import printable
from banditroute.config import StoreConfig
from banditroute.reports.format import plural
from banditroute.storage.examining import Examined, examined
from banditroute.storage.protocol import Dispatch
from banditroute.storage.rebuilding import ComparingReader, Comparison

_DAY_S = 86_400.0
_MIB = 2**20
_SHOWN = 10  # edges; a file with more has one cause, not eleven


def run(config: Path, *, json: bool) -> bool:
    """Whether nothing was found wrong; what was found is printed.

    Raises:
        InputError: there is no store.
        StoreError: the store cannot be read, or a newer version of the library wrote it.
    """
    plan, now = stored_plan(config), time.time()
    found = examined(os.fspath(plan.store.path)) if plan.store.kind == "sqlite" else None
    lines = [] if found is None else list(_file_lines(found, plan.store, now))
    if found is None or (found.is_current and not found.damages):
        comparison, unsettled = look(plan, _read)
        lines += [*_state_lines(comparison), _unsettled_line(unsettled, now)]
    if json:
        _print_json(lines, found)
    else:
        for line in lines:
            typer.echo(f"{line.state:<5}  {line.part:<11}  {printable(line.told)}")
            if line.remedy:
                typer.echo(f"{'':20}{printable(line.remedy)}")
    return all(line.state != State.wrong for line in lines)


async def _read(store: ComparingReader) -> tuple[Comparison, Sequence[Dispatch]]:
    return await store.compared(), await store.unsettled()


def _file_lines(found: Examined, store: StoreConfig, now: float) -> Iterator[Line]:
    if found.is_current:
        yield Line(State.ok, "version", f"{found.version}, the one that this banditroute reads")
    else:
        told = f"{found.version}, and this banditroute reads {found.latest}: the rest was not looked at"
        yield Line(State.wrong, "version", told, "run `banditroute db migrate`, or start the router")
    if found.damages:
        told = f"{len(found.damages):,} damages; the first: {found.damages[0]}"
        yield Line(State.wrong, "file", told, "put a backup in its place, or move it away to begin anew")
        return
    log = f", and {found.log_bytes / _MIB:,.1f} MiB of log beside it" if found.log_bytes else ""
    yield Line(State.ok, "file", f"sound; {found.size_bytes / _MIB:,.1f} MiB{log}")
    if found.is_current:
        yield Line(State.ok, "rows", ", ".join(plural(count, _ROWS[table]) for table, count in found.rows.items()))
        yield _age_line(found, store, now)
        yield from _holder_lines(found, now)


_ROWS = {"decision": "decision", "outcome": "outcome", "feedback": "judgement", "prompt": "prompt"}


def _age_line(found: Examined, store: StoreConfig, now: float) -> Line:
    kept = "for ever" if store.retention_s is None else f"{store.retention_s / _DAY_S:g} days"
    if found.oldest_at is None:
        return Line(State.ok, "retention", f"decisions are kept {kept}")
    told = f"decisions are kept {kept}; the oldest is of {_day(found.oldest_at)}"
    late_s = 0.0 if store.retention_s is None else now - found.oldest_at - store.retention_s
    if late_s < _DAY_S:
        return Line(State.ok, "retention", told)
    return Line(State.look, "retention", told, "a router that runs deletes older ones every hour; is one running?")


def _holder_lines(found: Examined, now: float) -> Iterator[Line]:
    alive = [holder.name for holder in found.holders if holder.alive_until > now]
    if alive:
        yield Line(State.ok, "processes", f"{len(alive)} share it: {', '.join(alive)}")
    held = [lease for lease in found.leases if lease.until > now and lease.usd]
    if held:
        told = ", ".join(f"${lease.usd:,.4f} of {lease.budget} {lease.period}" for lease in held)
        yield Line(State.ok, "leases", told)


def _state_lines(comparison: Comparison) -> Iterator[Line]:
    found = differences(comparison)
    yield from _part_lines("evidence", [each for each in found if each.part == "evidence"])
    for edge, relative in edges_apart(comparison)[:_SHOWN]:
        yield Line(State.wrong, "edge", f"{edge.task} / {edge.model}, {edge.signal}: {relative:.1e} apart")
    yield from _part_lines("spending", [each for each in found if each.part == "spending"])
    yield from _part_lines("pace", [each for each in found if each.part == "pace"])


def _part_lines(part: str, found: Sequence[Difference]) -> Iterator[Line]:
    apart = [each for each in found if each.differs]
    if not apart:
        yield Line(State.ok, part, f"{plural(sum(each.compared for each in found), _WHAT[part])} as the log says")
    for each in apart:
        told = f"{each.name}: {each.relative:.1e} from what the log says"
        yield Line(State.wrong, part, told, "stop the router and run `banditroute rebuild`")


_WHAT = {"evidence": "edge", "spending": "window", "pace": "pace"}


def _unsettled_line(unsettled: Sequence[Dispatch], now: float) -> Line:
    late = sum(1 for each in unsettled if each.expires_at < now and not each.by_caller)
    told = f"{plural(len(unsettled), 'decision')} without an outcome yet"
    if not late:
        return Line(State.ok, "unsettled", told)
    remedy = "a router that starts charges them what was expected of them"
    return Line(State.look, "unsettled", f"{told}; of {late:,} nobody will hear the answer any more", remedy)


def _day(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).date().isoformat()


def _print_json(lines: Sequence[Line], found: Examined | None) -> None:
    document = {
        "ok": all(line.state != State.wrong for line in lines),
        "lines": [line._asdict() for line in lines],
        "file": None
        if found is None
        else {
            **found._asdict(),
            "rows": dict(found.rows),
            "holders": [holder._asdict() for holder in found.holders],
            "leases": [lease._asdict() for lease in found.leases],
        },
    }
    sys.stdout.write(orjson.dumps(document, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE).decode())
