"""Writing files whole or not at all."""

import os
from pathlib import Path

from banditroute.errors import InputError


def write_whole(path: Path, content: bytes) -> None:
    """Writes a file such that readers see the old content or the new, never a part.

    Raises:
        InputError: the file cannot be written there.
    """
    draft = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        draft.write_bytes(content)
        draft.replace(path)
    except OSError as problem:
        draft.unlink(missing_ok=True)
        reason = (problem.strerror or str(problem)).lower()
        raise InputError(
            f"cannot be written: {reason}", remedy="name a file in a directory that exists and is yours", path=str(path)
        ) from problem


def make_directory(path: Path) -> None:
    """Makes a directory and those above it, where they are not there yet.

    Raises:
        InputError: it cannot be made.
    """
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as problem:
        reason = (problem.strerror or str(problem)).lower()
        raise InputError(f"cannot be made: {reason}", remedy="name a directory", path=str(path)) from problem
