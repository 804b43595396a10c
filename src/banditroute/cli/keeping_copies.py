"""The work of `banditroute db backup` and `banditroute db migrate`."""

import os
import sys
from pathlib import Path
from typing import Any

import orjson
import typer

from banditroute.cli.store_file import stored_plan
from banditroute.config import RouterConfig, StoreConfig
from banditroute.errors import InputError
from banditroute.reports.format import plural
from banditroute.storage.copying import Copied, copy
from banditroute.storage.upgrading import Upgrade, upgrade_of, upgraded

_MIB = 2**20


def back_up(config: Path, file: Path, *, json: bool) -> None:
    """Copies the store and says what the copy holds.

    Raises:
        InputError: there is no store, it is on a server, or the copy cannot be made there.
        StoreError: the store cannot be read, or is damaged.
    """
    plan = stored_plan(config)
    _check_is_file(plan, config)
    copied = copy(os.fspath(plan.store.path), os.fspath(file))
    _print(_copy_json(copied)) if json else typer.echo(_copy_line(copied))


def upgrade(config: Path, backup: Path | None, *, dry_run: bool, no_backup: bool, json: bool) -> None:
    """Brings the store up to date and says from which version to which.

    Raises:
        InputError: there is no store, it is on a server, or the copy cannot be made there.
        StoreError: somebody has it open, or it cannot be written; nothing is changed then.
    """
    if backup is not None and no_backup:
        raise InputError("--no-backup makes no copy, and --backup says where to", remedy="leave one of them out")
    plan = stored_plan(config)
    _check_is_file(plan, config)
    path = os.fspath(plan.store.path)
    due = upgrade_of(path)
    place = None if no_backup else os.fspath(backup or f"{path}.v{due.before}.backup")
    done = due if dry_run else upgraded(path, place)
    if json:
        copied = None if done.copied is None else _copy_json(done.copied)
        _print({"from": done.before, "to": done.after, "done": done.is_due and not dry_run, "backup": copied})
        return
    for line in _lines(done, place, dry_run=dry_run):
        typer.echo(line)


def _lines(done: Upgrade, place: str | None, *, dry_run: bool) -> list[str]:
    if not done.is_due:
        return [f"its tables are of version {done.before}, the one that this banditroute reads: nothing to do"]
    steps = f"version {done.before} to {done.after}"
    if dry_run:
        copying = f"would copy it to {place} first" if place else "would make no copy"
        return [copying, f"would bring its tables from {steps}"]
    return [*([_copy_line(done.copied)] if done.copied else []), f"its tables were brought from {steps}"]


def _check_is_file(plan: RouterConfig, config: Path) -> None:
    """Raises InputError where another program's tools are the ones to use."""
    if plan.store.kind != "sqlite":
        problem = f"a store of kind {plan.store.kind!r} is no file; the router that starts first brings it up to date"
        raise InputError(problem, remedy=_tool(plan.store), path=str(config), field="store.kind")


def _tool(store: StoreConfig) -> str:
    if store.kind == "postgres":
        return f"copy it with `pg_dump --format=custom --schema=banditroute_{store.namespace}`"
    return "copy it with `redis-cli --rdb FILE`"


def _copy_line(copied: Copied) -> str:
    size = f"{copied.size_bytes / _MIB:,.1f} MiB"
    held = plural(copied.decisions, "decision")
    return f"{copied.path}: {held}, {size}, tables of version {copied.version}, read back whole"


def _copy_json(copied: Copied) -> dict[str, Any]:
    return copied._asdict()


def _print(value: dict[str, Any]) -> None:
    sys.stdout.write(orjson.dumps(value, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE).decode())
