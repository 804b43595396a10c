"""A private Redis server on a socket of the file system: nobody else can meet it, and it leaves nothing behind."""

from __future__ import annotations

import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

_STARTS_WITHIN_S = 10.0


def binary() -> str | None:
    """The server's program; None where there is none."""
    return shutil.which("redis-server") or shutil.which("valkey-server")


class RedisServer:
    """One server, which may be killed and started again on what it has written.

    Args:
        folder: where its files are.
        settings: of its configuration, beside those that keep it private; a dash in a name is written as _.
    """

    def __init__(self, folder: Path, **settings: str) -> None:
        program = binary()
        if program is None:
            raise FileNotFoundError("redis-server is not installed")
        # A socket's path has to be short, which those of tests are not.
        self._short = Path(tempfile.mkdtemp(prefix="bandit-redis-"))
        self.socket = self._short / "redis.sock"
        self._folder = folder
        asked = {name.replace("_", "-"): value for name, value in settings.items()}
        told = {"appendonly": "yes", "appendfsync": "always", "save": "", **asked}
        private = {"port": "0", "bind": "127.0.0.1", "unixsocket": str(self.socket), "dir": str(folder)}
        options = (word for name, value in {**private, **told}.items() for word in (f"--{name}", value))
        self._command = [program, *options]
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """Where it is."""
        return f"unix://{self.socket}"

    def start(self) -> None:
        """Starts it, and returns once it answers.

        Raises:
            TimeoutError: it does not; says what it said last.
        """
        self._folder.mkdir(parents=True, exist_ok=True)
        with (self._folder / "log").open("ab") as log:
            self._process = subprocess.Popen(self._command, stdout=log, stderr=log)
        until = time.monotonic() + _STARTS_WITHIN_S
        while not self._answers():
            if time.monotonic() > until or self._process.poll() is not None:
                self.kill()
                raise TimeoutError((self._folder / "log").read_text(errors="replace")[-500:])
            time.sleep(0.01)

    def kill(self) -> None:
        """Kills it: what it has not written is lost."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def close(self) -> None:
        """Kills it, and lets go of its socket."""
        self.kill()
        shutil.rmtree(self._short, ignore_errors=True)

    def command(self, *words: str) -> bytes:
        """The first bytes of the reply to a command.

        Raises:
            OSError: it cannot be reached.
        """
        parts = [b"$%d\r\n%s\r\n" % (len(word.encode()), word.encode()) for word in words]
        with socket.socket(socket.AF_UNIX) as line:
            line.settimeout(1.0)
            line.connect(str(self.socket))
            line.sendall(b"*%d\r\n" % len(parts) + b"".join(parts))
            return line.recv(2**16)

    def _answers(self) -> bool:
        try:
            return self.command("PING").startswith(b"+PONG")
        except OSError:
            return False


@contextmanager
def running_redis(folder: Path, **settings: str) -> Generator[RedisServer]:
    """A server that runs while the context is open."""
    server = RedisServer(folder, **settings)
    try:
        server.start()
        yield server
    finally:
        server.close()
