"""Follows docs/tutorial.md as its reader does: saves its files, types its commands into one shell, compares what comes.

Only the ports are others, so that nobody else's are taken, and the installation has been done. Digits may differ from
those on the page, and so may blanks: what was drawn by chance is not drawn again.
"""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

import pytest

PAGE = Path(__file__).resolve().parents[2] / "docs" / "tutorial.md"
BLOCK = re.compile(r"^```(?P<language>\w+)\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL)
FILE = re.compile(r"# (\w+\.\w+)\n")
NAMED = re.compile(r"[Ss]ave this as `([\w.]+)`")
PATIENCE_S = 120.0


class Step(NamedTuple):
    """A file to save, or a command to type with what it shows."""

    file: str
    command: str
    text: str


def steps_of(page: str) -> Iterator[Step]:
    for block in BLOCK.finditer(page):
        named = FILE.match(block["text"])
        if block["language"] != "console":
            assert named, f"a block that is neither command nor file: {block['text'][:60]}"
            yield Step(named[1], "", block["text"])
            continue
        for part in re.split(r"^\$ ", block["text"], flags=re.MULTILINE)[1:]:
            command, _, shown = part.partition("\n")
            yield Step("", command, shown)


def plain(text: str) -> str:
    """What has to be the same: neither digits, ids, who was drawn and installed extras, nor how much room they take."""
    text = re.sub(r"\b[0-9A-Z]{26}\b", "ID", text)
    text = re.sub(r"\bby (small|large) for\b", "by MODEL for", text)  # drawn by chance
    text = re.sub(r"version \S+ with [\w, \n]+?(?=\n\d)", "version V with EXTRAS", text)
    return re.sub(r"\s+", " ", re.sub(r"[\d.,]*\d[\d.,]*", "N", text)).strip()


class Shell:
    """One bash, as on a terminal, in a directory."""

    def __init__(self, folder: Path, environ: Mapping[str, str]) -> None:
        self._seen = folder.parent / "terminal.txt"
        self._marks = 0
        self._at = 0
        with self._seen.open("wb") as out:
            self._bash = subprocess.Popen(
                ["bash"],
                cwd=folder,
                env=environ,
                stdin=subprocess.PIPE,
                stdout=out,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def run(self, command: str, lines: int) -> str:
        """What a command shows; of one in the background, its first lines."""
        if command.endswith("&"):
            self._type(command)
            return self._until(lambda new: new if new.count("\n") >= lines else None)
        self._marks += 1
        mark = f"--done {self._marks} "
        self._type(f"{command}; echo '{mark}'$?")
        shown, _, rest = self._until(lambda new: new if re.search(rf"{mark}\d+\n", new) else None).partition(mark)
        assert rest == "0\n" or "wait" in command, f"$ {command}\n{shown}"
        return re.sub(r"^.*\b(Terminated|Done)\b.*\n", "", shown, flags=re.MULTILINE)

    def close(self) -> None:
        """Ends it and all that it started."""
        for pid in self._children():
            os.kill(pid, signal.SIGKILL)
        self._bash.kill()
        self._bash.communicate()

    def running(self) -> int:
        """How many of what it started are still there."""
        return len(self._children())

    def _children(self) -> list[int]:
        found = subprocess.run(["ps", "-o", "pid=", "--ppid", str(self._bash.pid)], capture_output=True, text=True)
        return [int(pid) for pid in found.stdout.split()]

    def _type(self, line: str) -> None:
        assert self._bash.stdin is not None
        self._bash.stdin.write(f"{line}\n".encode())
        self._bash.stdin.flush()

    def _until(self, enough) -> str:
        ends = time.monotonic() + PATIENCE_S
        while time.monotonic() < ends:
            new = self._seen.read_bytes()[self._at :].decode()
            if enough(new) is not None:
                self._at += len(new.encode())
                return new
            time.sleep(0.02)
        raise AssertionError(f"it did not end; shown until then:\n{new}")


@pytest.fixture
def shell(tmp_path: Path) -> Iterator[Shell]:
    folder = tmp_path / "empty"
    folder.mkdir()
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("BANDITROUTE", "COLUMNS"))}
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    shell = Shell(folder, kept | {"PATH": path, "NO_COLOR": "1", "PYTHONUNBUFFERED": "1"})
    yield shell
    shell.close()


def free_ports() -> tuple[str, str]:
    with socket.socket() as one, socket.socket() as other:
        one.bind(("127.0.0.1", 0))
        other.bind(("127.0.0.1", 0))
        return str(one.getsockname()[1]), str(other.getsockname()[1])


def test_the_page_works_as_it_stands(shell: Shell, tmp_path: Path) -> None:
    page = PAGE.read_text(encoding="utf-8")
    for named, port in zip(("8000", "8080"), free_ports(), strict=True):
        page = re.sub(rf"\b{named}\b", port, page)
    days = ""
    for step in steps_of(page.partition("## 2. ")[2]):
        if step.file:
            (tmp_path / "empty" / step.file).write_text(step.text, encoding="utf-8")
            continue
        shown = shell.run(step.command, step.text.count("\n"))
        assert plain(shown) == plain(step.text), f"$ {step.command}\n{shown}"
        days = shown if "days.py" in step.command else days
    saved = re.search(r"saved: \$(\d+\.\d+)", days)
    assert saved, days
    assert float(saved[1]) >= 1.0
    right = [int(count) for count in re.findall(r"(\d+) of 300 right", days)]
    assert right[1] == 300
    assert right[0] >= 285
    assert shell.running() == 0


def test_every_file_is_named_in_the_text_as_in_its_first_line() -> None:
    page = PAGE.read_text(encoding="utf-8")
    files = [step.file for step in steps_of(page) if step.file]
    assert NAMED.findall(page) == files
    assert len(files) == 4
