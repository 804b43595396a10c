"""Work that is done by the workers of a Dask cluster; what a dead worker had is done again, as Dask does it."""

from __future__ import annotations

import sys
from collections.abc import Callable, Generator, Sequence
from concurrent.futures import CancelledError, Future
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from importlib.metadata import version
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, Generic, cast

from banditroute._version import __version__
from banditroute.errors import InputError, MissingExtraError, WorkersLostError

from .chaining import as_they_end, settle
from .executor import Done, Ground, Share, Tick, Work
from .packing import Unpacked, packed, unpacked

if TYPE_CHECKING:
    from distributed import Client
    from distributed import Future as DaskFuture

_PATIENCE_S = 10.0  # for a scheduler to answer, and for a first worker
_FIELD = "--cluster"


@dataclass(frozen=True, slots=True)
class DaskCluster:
    """An executor of a cluster that is there already; it is used and left as it is.

    Attributes:
        address: of its scheduler, such as tcp://10.0.0.5:8786.
    """

    address: str

    @contextmanager
    def crew(self, work: Work[Ground, Share, Done], ground: Ground) -> Generator[DaskCrew[Share, Done]]:
        """The cluster's workers, until the end of the `with`.

        Raises:
            InputError: nobody answers there, no worker is there, one has another version, or the work cannot be sent.
            MissingExtraError: Dask is not installed.
        """
        payload = packed(Unpacked(work, ground))
        client = _connected(self.address)
        try:
            _check_workers(client, self.address)
            crew: DaskCrew[Share, Done] = DaskCrew(client, payload)
            try:
                yield crew
            finally:
                crew.close()
        finally:
            client.close()


class DaskCrew(Generic[Share, Done]):
    """A cluster's workers that know one piece of work.

    Args:
        client: connected; its owner closes it.
        payload: the work, packed.
    """

    def __init__(self, client: Client, payload: bytes) -> None:
        from dask import config

        self._client = client
        self._under_way: set[DaskFuture[Any]] = set()
        # A task, not data that is scattered: where all workers die that had it, the scheduler has it made anew.
        with config.set({"distributed.admin.large-graph-warning-threshold": 2**62}):
            self._work = client.submit(unpacked, payload, pure=False)

    def submit(self, share: Share) -> Future[Done]:
        """What the share will have come to, at one of the workers."""
        outer: Future[Done] = Future()
        remote: DaskFuture[Any] = self._client.submit(_done, self._work, packed(share), pure=False)
        self._under_way.add(remote)
        remote.add_done_callback(partial(self._ended, outer))
        return outer

    def sweep(self, shares: Sequence[Share], tick: Tick | None = None) -> Generator[tuple[int, Done]]:
        """What each share came to, as they end; nobody hears ticks."""
        del tick
        yield from as_they_end([self.submit(share) for share in shares])

    def close(self) -> None:
        """Has everything left that is not done; what a worker is in the middle of it finishes for nobody."""
        if self._under_way:
            self._client.cancel(list(self._under_way), force=True)
        self._work.release()

    def _ended(self, outer: Future[Done], remote: DaskFuture[Any]) -> None:
        """In a thread of the client's."""
        result, error = _outcome(remote)
        self._under_way.discard(remote)
        settle(outer, result, error)


def _outcome(remote: DaskFuture[Any]) -> tuple[object, BaseException | None]:
    """What a task came to, or what it raised."""
    from distributed.client import FutureCancelledError
    from distributed.scheduler import KilledWorker

    try:
        return remote.result(), None
    except KilledWorker:
        return None, WorkersLostError("several workers of the cluster died while they did it")
    except (CancelledError, FutureCancelledError, OSError):
        return None, WorkersLostError("the cluster's scheduler is gone, or was restarted")
    except Exception as error:  # noqa: BLE001  # whatever the share raised is raised where it is waited for
        return None, error


def _done(work: Unpacked[Any, Any, Any], share: bytes) -> object:
    return work.done(share)


def _connected(address: str) -> Client:
    if find_spec("distributed") is None:
        raise MissingExtraError("a Dask cluster", "scale")
    from distributed import Client
    from distributed.comm.addressing import get_address_host_port

    try:
        get_address_host_port(address)  # a client that finds out by itself takes half a minute to be let go
        return Client(address, timeout=_PATIENCE_S, set_as_default=False)
    except (OSError, TimeoutError) as error:
        remedy = "start a scheduler there (dask scheduler), or check the address"
        raise InputError(f"no Dask scheduler answers at {address}", remedy=remedy, field=_FIELD) from error
    except ValueError as error:
        remedy = "give one such as tcp://10.0.0.5:8786"
        raise InputError(f"{address!r} is no address", remedy=remedy, field=_FIELD) from error


def _check_workers(client: Client, address: str) -> None:
    """Raises InputError unless there are workers, with the same versions as here."""
    try:
        client.wait_for_workers(1, timeout=_PATIENCE_S)
    except TimeoutError as error:
        remedy = f"start some: dask worker {address} --nthreads 1"
        raise InputError(f"the cluster at {address} has no worker", remedy=remedy, field=_FIELD) from error
    ours = versions()
    for worker, theirs in _asked(client, versions).items():
        if theirs != ours:
            remedy = "install the same everywhere: results would differ"
            raise InputError(f"worker {worker} has {theirs}, here is {ours}", remedy=remedy, field=_FIELD)


def _asked(client: Client, question: Callable[[], str]) -> dict[str, str]:
    try:
        return cast("dict[str, str]", client.run(question))  # not a coroutine: the client is no asynchronous one
    except ImportError as error:
        remedy = "install the same packages there as here"
        raise InputError(f"the cluster's workers lack {error.name}", remedy=remedy, field=_FIELD) from error


def versions() -> str:
    """What results depend on beside the work."""
    python = ".".join(map(str, sys.version_info[:2]))
    return f"banditroute {__version__} with numpy {version('numpy')} on Python {python}"
