"""Reading price lists from files."""

import gzip
import zlib
from collections.abc import Sequence
from pathlib import Path

from banditroute.errors import PriceError
from banditroute.routing.pricelist import Listing, parse_price_list

_GZIP = b"\x1f\x8b"


def listings_in(path: Path) -> Sequence[Listing]:
    """The rows of a price list, plain or .gz.

    Raises:
        PriceError: it cannot be read, or is none.
    """
    return tuple(parse_price_list(_text(path), path=str(path)))


def _text(path: Path) -> str:
    try:
        content = path.read_bytes()
        return (gzip.decompress(content) if content.startswith(_GZIP) else content).decode("utf-8-sig")
    except OSError as problem:  # gzip.BadGzipFile is one
        reason = (problem.strerror or str(problem)).lower()
        raise PriceError(f"cannot be read: {reason}", remedy="name a price list", path=str(path)) from problem
    except (EOFError, zlib.error) as problem:
        raise PriceError("broken gzip", remedy="fetch it again", path=str(path)) from problem
    except UnicodeDecodeError as problem:
        raise PriceError("not UTF-8", remedy="name a price list", path=str(path)) from problem
