"""A saved policy as a JSON file: written whole or not at all, checked when read."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated, Any, Literal
from uuid import uuid4

import numpy as np
import orjson
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from banditroute.errors import ConfigError, InputError
from banditroute.learning.evidence import Evidence
from banditroute.routing.lessons import SIGNALS, Edge
from banditroute.routing.saved import SavedPolicy, SavedPrice

ENDING = ".policy.json"

_REMEDY = "make it anew with `banditroute warm-start`"


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class _EdgeEntry(_Strict):
    task: str
    model: str
    signal: str
    n: Annotated[float, Field(ge=0)]
    s: float
    b: list[float]
    A: list[list[float]]


class _PriceEntry(_Strict):
    budget: str
    usd_per_request: Annotated[float, Field(gt=0)]
    log_price: float


class _PolicyEntry(_Strict):
    format: Literal[1]
    source: str
    encoder: str
    width: Annotated[int, Field(ge=2)]
    ess: Annotated[float, Field(gt=0)]
    edges: list[_EdgeEntry]
    prices: list[_PriceEntry]


def write_policy(policy: SavedPolicy, path: str | os.PathLike[str]) -> None:
    """Writes the policy; the file appears whole or not at all.

    Raises:
        InputError: it cannot be written there.
    """
    target = Path(path)
    draft = target.with_name(f".{target.name}.{uuid4().hex}")
    document = orjson.dumps(_document(policy), option=orjson.OPT_SERIALIZE_NUMPY | orjson.OPT_APPEND_NEWLINE)
    try:
        draft.write_bytes(document)
        draft.replace(target)
    except OSError as error:
        problem = f"cannot be written: {(error.strerror or str(error)).lower()}"
        raise InputError(problem, remedy="choose another place", path=str(target)) from error
    finally:
        draft.unlink(missing_ok=True)


def read_policy(path: str | os.PathLike[str]) -> SavedPolicy:
    """The policy in a file.

    Raises:
        ConfigError: the file cannot be read, or is no saved policy.
    """
    where = os.fspath(path)
    try:
        entry = _PolicyEntry.model_validate_json(Path(where).read_bytes())
    except OSError as error:
        problem = f"cannot be read: {(error.strerror or str(error)).lower()}"
        raise ConfigError(problem, remedy=_REMEDY, path=where) from error
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        field, problem = ".".join(map(str, first["loc"])) or None, f"is no saved policy: {first['msg'].lower()}"
        raise ConfigError(problem, remedy=_REMEDY, path=where, field=field) from None
    return SavedPolicy(
        source=entry.source,
        encoder_version=entry.encoder,
        width=entry.width,
        ess=entry.ess,
        evidence={Edge(e.task, e.model, e.signal, entry.encoder): _sums(e, entry.width, where) for e in entry.edges},
        prices={each.budget: SavedPrice(each.usd_per_request, each.log_price) for each in entry.prices},
    )


def _document(policy: SavedPolicy) -> dict[str, Any]:
    edges = [
        {"task": edge.task, "model": edge.model, "signal": edge.signal}
        | {"n": float(sums.n), "s": float(sums.s), "b": sums.b, "A": sums.A}
        for edge, sums in policy.evidence.items()
    ]
    prices = [
        {"budget": name, "usd_per_request": price.usd_per_request, "log_price": price.log_price}
        for name, price in policy.prices.items()
    ]
    head = {"format": 1, "source": policy.source, "encoder": policy.encoder_version, "width": policy.width}
    return {**head, "ess": policy.ess, "edges": edges, "prices": prices}


def _sums(entry: _EdgeEntry, width: int, where: str) -> Evidence:
    A, b = np.array(entry.A, dtype=np.float64), np.array(entry.b, dtype=np.float64)
    if entry.signal not in SIGNALS or A.shape != (width, width) or b.shape != (width,):
        problem = f"is no saved policy: the sums of {entry.task}, {entry.model}, {entry.signal} do not fit"
        raise ConfigError(problem, remedy=_REMEDY, path=where, field="edges")
    return Evidence(A, b, np.array(entry.n), np.array(entry.s))
