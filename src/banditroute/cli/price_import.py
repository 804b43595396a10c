"""The work of `banditroute prices import`: reads the lists, imports what was asked for, writes and shows it."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from fnmatch import fnmatchcase
from pathlib import Path

from banditroute.cli.catalog_toml import HEADING, catalog_toml
from banditroute.cli.price_files import listings_in
from banditroute.cli.price_output import print_import, print_json
from banditroute.errors import InputError, PriceError
from banditroute.reports.files import write_whole
from banditroute.routing.pricelist import Listing, PriceImport, import_prices


@dataclass(frozen=True, slots=True)
class Request:
    """Which rows to import, and how to judge them.

    Attributes:
        providers: only theirs, where any is named.
        models: only names that match one of these patterns, where there is any.
        free: names that match one of these are free where the list says 0.
        earlier: an earlier list to hold the prices against.
        as_of: YYYY-MM-DD by which retired models are reported; None = today.
    """

    providers: tuple[str, ...] = ()
    models: tuple[str, ...] = ()
    free: tuple[str, ...] = ()
    earlier: Path | None = None
    as_of: str | None = None


def run(file: Path, request: Request, *, out: Path | None, json: bool) -> None:
    """Imports the list, writes the models to out where it is given, and shows what was found.

    Raises:
        InputError: a list cannot be read, an option matches nothing, or out cannot be written; it is then not touched.
    """
    if out is not None:
        _check_ours(out)
    result = _imported(file, request)
    if out is not None and result.models:
        write_whole(out, catalog_toml(result.models, source=file.name).encode())
    if json:
        print_json(result, file)
    else:
        print_import(result, file, out if result.models else None)
    if out is not None and not result.models:
        raise PriceError("no row became a model", remedy="see the findings; nothing was written", path=str(file))


def _imported(file: Path, request: Request) -> PriceImport:
    today = _date(request.as_of)
    listings = listings_in(file)
    _check_matches(listings, request, file)
    return import_prices(
        listings,
        earlier=listings_in(request.earlier) if request.earlier else (),
        selected=lambda listing: _selected(listing, request),
        free=lambda name: _matches(name, request.free),
        as_of=today,
    )


def _selected(listing: Listing, request: Request) -> bool:
    wanted = not request.providers or listing.provider in request.providers
    return wanted and (not request.models or _matches(listing.model, request.models))


def _matches(name: str, patterns: Iterable[str]) -> bool:
    return any(fnmatchcase(name, pattern) for pattern in patterns)


def _check_matches(listings: Sequence[Listing], request: Request, file: Path) -> None:
    """Raises PriceError for a provider or pattern that no row has: a typing mistake would pass for an empty list."""
    names = [listing.model for listing in listings]
    served = {listing.provider for listing in listings}
    _check_each("--provider", request.providers, lambda provider: provider in served, file)
    _check_each("--model", request.models, lambda glob: any(fnmatchcase(name, glob) for name in names), file)
    _check_each("--free", request.free, lambda glob: any(fnmatchcase(name, glob) for name in names), file)


def _check_each(option: str, values: Iterable[str], found: Callable[[str], bool], file: Path) -> None:
    for value in values:
        if not found(value):
            raise PriceError(
                f"{value!r} matches no row", remedy="look for it in the list", path=str(file), field=option
            )


def _check_ours(out: Path) -> None:
    """Raises InputError where writing would replace what this command did not write, a router.toml, say."""
    try:
        ours = not out.exists() or out.read_text(errors="replace").startswith(HEADING)
    except OSError as problem:
        reason = (problem.strerror or str(problem)).lower()
        raise InputError(f"cannot be read: {reason}", remedy="name a file", path=str(out)) from problem
    if not ours:
        problem = "is there and was not written by this command"
        raise InputError(problem, remedy="name another file, or remove it", path=str(out))


def _date(as_of: str | None) -> str:
    try:
        return (date.today() if as_of is None else date.fromisoformat(as_of)).isoformat()
    except ValueError:
        raise InputError(f"{as_of!r} is not a date", remedy="write YYYY-MM-DD", field="--as-of") from None
