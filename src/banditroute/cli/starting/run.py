"""Finding out what there is, asking, and writing the first router.toml."""

import asyncio
import math
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import typer

from banditroute.cli.services import SERVICES
from banditroute.cli.starting.found import Found, services_found
from banditroute.cli.starting.local_servers import USUAL, addresses, is_among, local_found
from banditroute.cli.starting.plan import DAY_USD, Plan, planned
from banditroute.cli.starting.questions import Questions, questions
from banditroute.cli.starting.toml import plan_toml
from banditroute.cli.tables import printable
from banditroute.config.known_models import known_models
from banditroute.errors import InputError, meant
from banditroute.reports.files import write_whole
from banditroute.reports.format import money, plural

NAMES: tuple[str, ...] = (*(each.name for each in SERVICES), *(each.name for each in USUAL))


@dataclass(frozen=True, slots=True)
class Wanted:
    """What `banditroute init` was told.

    Attributes:
        config: the file to write.
        providers: only these; empty = all that are found.
        local: addresses of model servers to look at besides.
        day_usd: dollars a day; None = asked for, or the usual.
        local_usd_per_mtok: what a million tokens of a local model cost.
        yes: nobody is to be asked.
        force: a file that is there may be replaced.
    """

    config: Path
    providers: tuple[str, ...] = ()
    local: tuple[str, ...] = ()
    day_usd: float | None = None
    local_usd_per_mtok: float = 0.0
    yes: bool = False
    force: bool = False


def run(wanted: Wanted) -> None:
    """Writes a router.toml and says the next command.

    Raises:
        InputError: the file is there already, nothing was found, or an option means nothing.
    """
    _check(wanted)
    found = asyncio.run(find(wanted, os.environ))
    for each in found:
        typer.echo(_line(each))
    if not found:
        raise _nothing_found(wanted)
    for name in _absent(wanted, found):
        typer.echo(f"left out {name}: no model to chat with answers there", err=True)
    plan = _asked(wanted, found, questions(yes=wanted.yes))
    write_whole(wanted.config, plan_toml(plan, date.today(), known_models().as_of).encode())
    for line in _closing(wanted, plan):
        typer.echo(line)


async def find(wanted: Wanted, environ: Mapping[str, str]) -> list[Found]:
    """All that there is: services first, then servers on this machine."""
    places = addresses(environ, wanted.providers, wanted.local)
    return [*services_found(environ, wanted.providers), *await local_found(places, wanted.local_usd_per_mtok)]


def _absent(wanted: Wanted, found: Sequence[Found]) -> Iterator[str]:
    """What was asked for by name or address, and is not there."""
    names = {each.name for each in found}
    yield from (name for name in dict.fromkeys(wanted.providers) if name not in names)
    yield from (url for url in wanted.local if not is_among(found, url))


def _asked(wanted: Wanted, found: Sequence[Found], asked: Questions) -> Plan:
    chosen = asked.providers(found)
    if not chosen:
        raise InputError("nothing to route to was chosen", remedy="nothing was written", path=str(wanted.config))
    day_usd = wanted.day_usd
    if day_usd is None and planned(chosen).day_usd is not None:
        day_usd = asked.day_usd(DAY_USD)
    return planned(chosen, DAY_USD if day_usd is None else day_usd)


def _check(wanted: Wanted) -> None:
    for name in wanted.providers:
        if name not in NAMES:
            remedy = f"{meant(name, NAMES)}choose from: {', '.join(NAMES)}; others are added to router.toml by hand"
            raise InputError(f"no provider is known as {name!r}", remedy=remedy, field="--provider")
    for field, usd in (("--budget-usd", wanted.day_usd), ("--local-usd-per-mtok", wanted.local_usd_per_mtok)):
        if usd is not None and not math.isfinite(usd):
            raise InputError(f"{usd} is not an amount of dollars", remedy="give a number", field=field)
    if wanted.config.exists() and not wanted.force:
        remedy = "name another with --config, or replace it with --force"
        raise InputError("is there already, and is left as it is", remedy=remedy, path=str(wanted.config))


def _nothing_found(wanted: Wanted) -> InputError:
    if wanted.providers or wanted.local:
        names = ", ".join((*wanted.providers, *wanted.local))
        return InputError(f"no model server answers ({names})", remedy="start it, or leave the option out")
    return InputError(
        "no provider's key in the environment and no model server on this machine",
        remedy="export OPENAI_API_KEY (or another's), start Ollama, or see `banditroute demo`, which needs neither",
    )


def _line(found: Found) -> str:
    models = ", ".join(model.upstream for model in found.models)
    more = f" and {found.left_out} more" if found.left_out else ""
    return f"found {found.name} ({found.how}): {printable(models)}{more}"


def _closing(wanted: Wanted, plan: Plan) -> list[str]:
    spent = "all free" if plan.day_usd is None else f"at most {money(plan.day_usd)} a day"
    option = "" if wanted.config == Path("router.toml") else f" --config {wanted.config}"
    return [f"wrote {wanted.config}: {plural(len(plan.models), 'model')}, {spent}", f"next: banditroute doctor{option}"]
