"""Work and its shares as bytes: packed here, unpacked by whoever does them."""

from __future__ import annotations

import copyreg
import io
import pickle
from collections.abc import Callable
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Generic

from banditroute.errors import InputError

from .executor import Done, Ground, Share, Work, silent


@dataclass(frozen=True, slots=True)
class Unpacked(Generic[Ground, Share, Done]):
    """A piece of work as a worker knows it."""

    work: Work[Ground, Share, Done]
    ground: Ground

    def done(self, share: bytes) -> Done:
        """What a packed share comes to."""
        return self.work(self.ground, unpacked(share), silent)


def packed(thing: object) -> bytes:
    """The thing as bytes that `unpacked` takes.

    Raises:
        InputError: a part of it cannot be pickled: an own grader, say, that keeps a file open.
    """
    into = io.BytesIO()
    try:
        _Pickler(into, protocol=pickle.HIGHEST_PROTOCOL).dump(thing)
    except (pickle.PicklingError, TypeError, AttributeError) as error:
        raise InputError(
            f"this work cannot be sent to other processes: {_line(error)}",
            remedy="leave --jobs and --cluster out, or make what it names a class or function of a module",
        ) from error
    return into.getvalue()


def unpacked(payload: bytes) -> Any:
    """What was packed.

    Raises:
        InputError: this worker lacks a module that it needs.
    """
    try:
        return pickle.loads(payload)
    except (ImportError, AttributeError) as error:
        remedy = "install the same packages there as here, your own modules included"
        raise InputError(f"a worker cannot take the work: {_line(error)}", remedy=remedy) from error


def _read_only(mapping: MappingProxyType[Any, Any]) -> tuple[Callable[..., MappingProxyType[Any, Any]], tuple[Any]]:
    return _mapping, (dict(mapping),)


def _mapping(items: dict[Any, Any]) -> MappingProxyType[Any, Any]:
    return MappingProxyType(items)  # the class itself goes by a name that no module has


class _Pickler(pickle.Pickler):
    """Takes read-only mappings too, as requests and answers have them."""

    dispatch_table = copyreg.dispatch_table | {MappingProxyType: _read_only}


def _line(error: Exception) -> str:
    return str(error).partition("\n")[0]
