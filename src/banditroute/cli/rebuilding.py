"""The work of `banditroute rebuild`: compares, says what differs, and then puts it right."""

import sys
from collections.abc import Sequence
from contextlib import aclosing
from pathlib import Path

import orjson
import typer

from banditroute.assemble import open_store
from banditroute.cli import event_loop
from banditroute.cli.differences import SAME, Difference, differences
from banditroute.cli.store_file import look, stored_plan
from banditroute.cli.tables import printable
from banditroute.config import RouterConfig
from banditroute.errors import InputError
from banditroute.prompting import prompting_of
from banditroute.records import ChatRequest, Decision
from banditroute.routing.tasks import Task
from banditroute.storage.rebuilding import ComparingReader, Comparison, put_right, put_server_right
from banditroute.storage.reencoding import reencode

_JSON = orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE


def run(config: Path, *, check: bool, json: bool) -> bool:
    """Whether log and state agree now; they do unless `check` keeps this from being seen to.

    Raises:
        InputError: there is no store.
        StoreError: the store cannot be read; or it is to be changed and somebody has it open.
    """
    plan = stored_plan(config)
    found = differences(look(plan, _compared))
    differ, change = _differ(found), _differ(found) and not check
    if not json:
        _print_lines(found)  # before anything is changed
    if change:
        _put_right(plan)
    if json:
        _print_json(found, replaced=change)
    else:
        typer.echo(_verdict(differ=differ, replaced=change))
    return change or not differ


def bring_over(config: Path, *, json: bool) -> None:
    """Encodes kept prompts with the configured encoder, and says how many there were.

    Raises:
        InputError: there is no store, or the encoder is not found.
        StoreError: the store cannot be read, or somebody has it open.
    """
    plan = stored_plan(config)
    if plan.store.kind != "sqlite":
        problem = f"a store of kind {plan.store.kind!r} cannot be encoded anew"
        raise InputError(problem, remedy="begin with another namespace", path=str(config), field="store.kind")
    encoder = prompting_of(plan).encoder
    if plan.routing.features:
        remedy = "set routing.features to 0 to use an encoder, or begin with another store"
        raise InputError("features that callers gave cannot be made anew", remedy=remedy, path=str(config))

    def encode(request: ChatRequest, decision: Decision) -> tuple[float, ...]:
        return encoder.encode(request, Task(decision.context.task))

    done = reencode(plan.store.path, encode, encoder.version)
    if json:
        sys.stdout.write(orjson.dumps({"encoder": encoder.version, **done._asdict()}, option=_JSON).decode())
        return
    typer.echo(f"{done.encoded:,} decisions were encoded anew with {encoder.version}")
    if done.left:
        typer.echo(f"{done.left:,} decisions kept no prompt: they teach it nothing, and their cost and time stay spent")


def _put_right(plan: RouterConfig) -> None:
    """Puts what the log amounts to in the place of what is kept.

    Raises:
        StoreError: somebody is at work on it, or it cannot be written.
    """
    if plan.store.kind == "sqlite":
        put_right(plan.store.path)
        return

    async def replace() -> None:
        async with aclosing(open_store(plan.store)) as store:
            await store.open()
            await put_server_right(store)

    event_loop.run(replace())


async def _compared(store: ComparingReader) -> Comparison:
    return await store.compared()


def _differ(found: Sequence[Difference]) -> bool:
    return any(each.differs for each in found)


def _print_lines(found: Sequence[Difference]) -> None:
    """A line for each signal, and for every window and budget; windows that are equal share one."""
    equal = [each for each in found if each.part == "spending" and not each.differs]
    for each in found:
        if each in equal:
            continue
        edges = f", edges, {each.compared:,}" if each.part == "evidence" else ""
        typer.echo(printable(f"{each.part} of {each.name}{edges}: largest relative difference {each.relative:.1e}"))
    if equal:
        largest = max(each.relative for each in equal)
        also = "other " if len(equal) < sum(each.part == "spending" for each in found) else ""
        typer.echo(f"spending, {also}windows, {len(equal):,}: largest relative difference {largest:.1e}")


def _print_json(found: Sequence[Difference], *, replaced: bool) -> None:
    document = {
        "differences": [{**each._asdict(), "differs": each.differs} for each in found],
        "tolerance": SAME,
        "differ": _differ(found),
        "replaced": replaced,
    }
    sys.stdout.write(orjson.dumps(document, option=_JSON).decode())


def _verdict(*, differ: bool, replaced: bool) -> str:
    if not differ:
        return "log and state agree"
    return "the state is now what the log says" if replaced else "log and state differ"
