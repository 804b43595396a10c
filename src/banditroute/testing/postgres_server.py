"""A private PostgreSQL server on a socket of the file system: nobody else can meet it, and it leaves nothing behind."""

from __future__ import annotations

import contextlib
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from pathlib import Path

_STARTS_WITHIN_S = 30
_DEBIAN = Path("/usr/lib/postgresql")
_MEMORY = Path("/dev/shm")
_PORT = 5432  # of the socket's name only


def programs() -> Path | None:
    """The folder of the server's programs; None where there are none, or nobody who may run them."""
    found = shutil.which("initdb")
    newest = max(_DEBIAN.glob("*/bin/initdb"), key=lambda path: int(path.parts[-3]), default=None)
    path = Path(found) if found else newest
    return path.resolve().parent if path is not None and (os.getuid() or _other_user()) else None


def _other_user() -> str | None:
    """Whom the server runs as where root asks for it: it refuses root."""
    known = {user.pw_name for user in pwd.getpwall()}
    return next((name for name in ("postgres", "nobody") if name in known), None)


class PostgresServer:
    """One server, which may be killed and started again on what it has written.

    Args:
        fsync: whether it waits for the disk; without, a kill of it loses nothing and a power cut may lose all.
        settings: of its configuration, beside those that keep it private.
    """

    def __init__(self, *, fsync: bool = False, **settings: str) -> None:
        folder = programs()
        if folder is None:
            raise FileNotFoundError("PostgreSQL's server is not installed")
        self._programs = folder
        # The path of a socket has to be short, which those of tests are not. Without fsync no disk is needed.
        memory = None if fsync or not _MEMORY.is_dir() else _MEMORY
        self._folder = Path(tempfile.mkdtemp(prefix="bandit-pg-", dir=memory))
        self._user = _other_user() if os.getuid() == 0 else None
        if self._user is not None:
            shutil.chown(self._folder, self._user)
        told = {"fsync": "on" if fsync else "off", "shared_buffers": "32MB", "max_connections": "50", **settings}
        private = {"listen_addresses": "", "unix_socket_directories": str(self._folder), "port": str(_PORT)}
        self._options = " ".join(f"-c {name}='{value}'" for name, value in {**told, **private}.items())

    @property
    def url(self) -> str:
        """Where it is."""
        return f"postgresql://banditroute@/postgres?host={self._folder}&port={_PORT}"

    @property
    def pid(self) -> int:
        """The server's first process, whose children are all others."""
        return int((self._folder / "data" / "postmaster.pid").read_text().split()[0])

    @property
    def socket(self) -> Path:
        """The socket that it listens on."""
        return self._folder / f".s.PGSQL.{_PORT}"

    def start(self) -> None:
        """Starts it, and returns once it answers; makes its files where there are none.

        Raises:
            subprocess.CalledProcessError: it does not.
        """
        data = str(self._folder / "data")
        if not (self._folder / "data").exists():
            self._run("initdb", "-D", data, "-U", "banditroute", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync")
        log, within = str(self._folder / "log"), str(_STARTS_WITHIN_S)
        self._run("pg_ctl", "-D", data, "-w", "-t", within, "-l", log, "-o", self._options, "start")

    def stop(self) -> None:
        """Stops it at once, as a crash would; what was not committed is lost."""
        with contextlib.suppress(subprocess.CalledProcessError):  # it runs no more
            self._run("pg_ctl", "-D", str(self._folder / "data"), "-w", "-m", "immediate", "stop")

    def kill(self, pid: int) -> None:
        """Kills one of its processes; it ends all connections then, and recovers."""
        os.kill(pid, signal.SIGKILL)

    def close(self) -> None:
        """Stops it, and deletes its files."""
        self.stop()
        shutil.rmtree(self._folder, ignore_errors=True)

    def _run(self, program: str, *arguments: str) -> None:
        command: Sequence[str] = (str(self._programs / program), *arguments)
        with (self._folder / "setup.log").open("ab") as log:
            subprocess.run(command, check=True, stdout=log, stderr=log, user=self._user, cwd=self._folder)


@contextmanager
def running_postgres(*, fsync: bool = False, **settings: str) -> Generator[PostgresServer]:
    """A server that runs while the context is open."""
    server = PostgresServer(fsync=fsync, **settings)
    try:
        server.start()
        yield server
    finally:
        server.close()
