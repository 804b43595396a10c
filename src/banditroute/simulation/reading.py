"""A file's text, with one clear line on whatever keeps it from being read."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Iterator
from pathlib import Path
from stat import S_ISDIR

from banditroute.errors import TableError


def check_file(where: str) -> None:
    """Raises TableError unless there is a file that can be looked at."""
    try:
        mode = Path(where).stat().st_mode
    except FileNotFoundError:
        raise TableError("there is no such file", remedy="check the path", path=where) from None
    except OSError as error:
        raise _unreadable(where, error) from error
    if S_ISDIR(mode):
        raise TableError("is a directory", remedy="give the path of one file", path=where)


def _unreadable(where: str, error: OSError) -> TableError:
    return TableError(f"cannot be read: {error.strerror}", remedy="check the file and its folder", path=where)


def read_text(where: str, *, gzipped: bool) -> str:
    """The file's text, which is UTF-8; raises TableError where it is not, or the file is not sound."""
    data = _read_bytes(where, gzipped=gzipped)
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise TableError(
            f"byte 0x{data[error.start]:02x} is not UTF-8", remedy="save the file as UTF-8", path=where, line=line
        ) from None


def _read_bytes(where: str, *, gzipped: bool) -> bytes:
    try:
        data = Path(where).read_bytes()
    except OSError as error:
        raise _unreadable(where, error) from error
    if not gzipped:
        return data
    try:
        return gzip.decompress(data)
    except EOFError:
        raise TableError("is cut off in the middle of its gzip stream", remedy="copy it again", path=where) from None
    except (gzip.BadGzipFile, zlib.error) as error:
        raise TableError(f"is not sound gzip: {error}", remedy="copy or compress it again", path=where) from None


def numbered_lines(text: str) -> Iterator[tuple[int, str]]:
    """Every line that is not blank, with its number, counted from 1."""
    # Not splitlines: JSON texts may hold the other line ends of Unicode.
    return ((number, line) for number, line in enumerate(text.split("\n"), start=1) if line.strip())
