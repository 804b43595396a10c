"""The work of `banditroute tenant`: a tenant's data written out, or deleted."""

import sys
import time
from contextlib import aclosing
from dataclasses import asdict
from pathlib import Path
from typing import IO, NamedTuple

import orjson
import typer

from banditroute.assemble import open_store
from banditroute.cli import event_loop
from banditroute.cli.exporting import check_spares, written
from banditroute.cli.store_file import look, stored_plan
from banditroute.config import RouterConfig
from banditroute.errors import InputError
from banditroute.reports.format import plural
from banditroute.storage.codec import trail_json
from banditroute.storage.giving_up import end_expired
from banditroute.storage.protocol import Deleted, StoredKey, StoreReader


class _Found(NamedTuple):
    """How much there is of a tenant."""

    decisions: int
    keys: int


def hand_over(config: Path, name: str, out: Path | None) -> None:
    """Writes everything on record of a tenant; says how much on standard error.

    Raises:
        InputError: there is no store, the name is empty, or the file cannot be written.
        StoreError: the store cannot be read.
    """
    _check_name(name)
    plan = stored_plan(config)
    if out is not None:
        check_spares(out, config, plan.store.path)
    with written(out) as lines:
        found = look(plan, lambda store: _write(store, name, lines))
    sys.stderr.write(f"{plural(found.decisions, 'decision')} and {plural(found.keys, 'key')} of {name!r} written\n")


def forget(config: Path, name: str, *, yes: bool, json: bool) -> bool:
    """Deletes everything of a tenant and says what; whether nothing of it is left.

    Raises:
        InputError: there is no store, the name is empty, or nobody said yes.
        StoreError: the store cannot be read or written.
    """
    _check_name(name)
    plan = stored_plan(config)
    if not yes:
        _ask(name, look(plan, lambda store: _count(store, name)))
    budgets = tuple(each.name for each in plan.budgets if (each.scope.kind, each.scope.name) == ("tenant", name))
    deleted = event_loop.run(_delete(plan, name, budgets))
    if json:
        document = {"tenant": name, **asdict(deleted), "budgets": budgets}
        sys.stdout.write(orjson.dumps(document, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE).decode())
    else:
        for line in _lines(plan, name, deleted, budgets):
            typer.echo(line)
    return not deleted.left


async def _delete(plan: RouterConfig, name: str, budgets: tuple[str, ...]) -> Deleted:
    async with aclosing(open_store(plan.store)) as store:
        await store.open()
        await end_expired(store, name, time.time())
        return await store.delete_tenant(name, budgets)


async def _write(store: StoreReader, name: str, lines: IO[bytes]) -> _Found:
    decisions = 0
    async for trail in store.trails():
        if trail.decision.tenant == name:
            decisions += 1
            lines.write(trail_json(trail) + b"\n")
    keys = [key for key in await store.keys() if key.tenant == name]
    for key in keys:
        lines.write(_key_json(key))
    return _Found(decisions, len(keys))


async def _count(store: StoreReader, name: str) -> _Found:
    decisions = 0
    async for trail in store.trails():
        decisions += trail.decision.tenant == name
    return _Found(decisions, sum(key.tenant == name for key in await store.keys()))


def _ask(name: str, found: _Found) -> None:
    """Goes on where whoever is at the terminal says so.

    Raises:
        InputError: nobody is.
        typer.Abort: the answer is no.
    """
    told = f"{plural(found.decisions, 'decision')} and {plural(found.keys, 'key')} of {name!r}"
    if not sys.stdin.isatty():
        raise InputError(f"{told} would be deleted, and nobody is there to be asked", remedy="add --yes")
    typer.confirm(f"Delete {told}, and what they taught?", abort=True)


def _lines(plan: RouterConfig, name: str, deleted: Deleted, budgets: tuple[str, ...]) -> list[str]:
    counts = {"decision": deleted.decisions, "judgement": deleted.judgements, "prompt": deleted.prompts}
    rows = ", ".join(plural(count, what) for what, count in (counts | {"key": deleted.keys}).items())
    told = [f"deleted of {name!r}: {rows}"]
    if budgets:
        told.append(f"its own budgets start anew: {', '.join(budgets)}")
    if plan.store.kind == "sqlite" and not plan.store.shared:
        told.append("a router that is at work goes on with what it knew: restart it")
    if deleted.left:
        told.append(f"on their way: {plural(deleted.left, 'decision')}; run this again when they have their outcome")
    own = [key.name for key in plan.gateway.keys if key.tenant == name] if plan.gateway else []
    if own:
        told.append(f"its keys in the configuration stay until you take them out: {', '.join(own)}")
    return told


def _key_json(key: StoredKey) -> bytes:
    """A key's line, without its hash."""
    row = {field: value for field, value in asdict(key).items() if field != "digest"}
    return orjson.dumps({"kind": "key", **row}, option=orjson.OPT_APPEND_NEWLINE)


def _check_name(name: str) -> None:
    if not name:
        raise InputError("a tenant has a name: decisions without one are nobody's", remedy="name the tenant")
