"""What MkDocs needs beside the pages: files that pages link to outside docs/, and a reference made of the code.

Pages link to the repository's files (../configs/router.full.toml), so that they work where they are read as they
stand; in the site such a file is copied under repository/. The reference is not written but made, each time: every
command with its options, every key of router.toml, and every public name that `banditroute` has or that a page imports.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Iterable, Iterator
from importlib import import_module
from pathlib import Path

import typer
from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files

from banditroute.cli.app import app
from banditroute.config.full import full_toml

ROOT = Path(__file__).resolve().parents[2]
PUBLIC = ("banditroute", "banditroute.telemetry", "banditroute.testing")
"""Packages whose `__all__` is for users."""

_REFERENCE = "reference/python/"

_OUTSIDE = re.compile(r"(\]\()\.\./(?!docs/)([^)#\s]+)")
_PYTHON = re.compile(r"^[ ]*```python\n(.*?)^[ ]*```", re.MULTILINE | re.DOTALL)
_IMPORT = re.compile(r"^\s*from (banditroute[\w.]*) import (?:\((?P<several>[^)]*)\)|(?P<one>[^#\n]+))", re.MULTILINE)

logging.getLogger("mkdocs.plugins.griffe").addFilter(
    # Kept to one line, a docstring may speak of arguments and attributes in pairs: "lo, hi: the ends".
    lambda record: "does not appear in the function signature" not in record.getMessage()
)


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Adds the reference, and the files outside docs/ that pages link to."""
    pages = [page.content_string for page in files.documentation_pages()]
    for name in sorted({match[2] for page in pages for match in _OUTSIDE.finditer(page)}):
        source = ROOT / name
        if source.is_file():
            files.append(File.generated(config, f"repository/{name}", abs_src_path=str(source)))
    made = dict(reference(pages))
    for uri, text in made.items():
        files.append(File.generated(config, uri, content=text))
    _show_in(config.nav, [uri for uri in made if uri.startswith(_REFERENCE)])
    return files


def on_page_markdown(markdown: str, files: Files, **_: object) -> str:
    """The page with links to the copies of files outside docs/; one to a file that is not there stays, and is told."""

    def copied(match: re.Match[str]) -> str:
        uri = f"repository/{match[2]}"
        return f"{match[1]}{uri}" if files.get_file_from_path(uri) else match[0]

    return _OUTSIDE.sub(copied, markdown)


def _show_in(nav: list[dict[str, list[object]]], uris: list[str]) -> None:
    """Adds the pages of Python names to the navigation's part `Reference`."""
    (part,) = (part["Reference"] for part in nav if "Reference" in part)
    part.append({"Python": [{uri.removeprefix(_REFERENCE).removesuffix(".md"): uri} for uri in uris]})


def reference(pages: Iterable[str]) -> Iterator[tuple[str, str]]:
    """The generated pages, each with where it goes."""
    yield "reference/commands.md", commands()
    yield "reference/router.toml.md", f"# Every key of router.toml\n\n```toml\n{full_toml()}```\n"
    for room, names in sorted(public_names(pages).items()):
        listed = "\n\n".join(f"::: {name}" for name in sorted(names, key=_by_last))
        yield f"{_REFERENCE}{room}.md", f"# {room}\n\n{listed}\n"


def public_names(pages: Iterable[str]) -> dict[str, set[str]]:
    """Dotted names by the package that they belong to: what packages call public, and what pages import beside it."""
    rooms = {name: set(_listed(name)) for name in PUBLIC}
    known = {dotted.rpartition(".")[2] for dotted in rooms["banditroute"]}
    for page in pages:
        for module, name in _imported(page):
            if name not in known:
                rooms.setdefault(".".join(module.split(".")[:2]), set()).add(f"{module}.{name}")
    return rooms


def _listed(package: str) -> Iterator[str]:
    names: list[str] = import_module(package).__all__
    return (f"{package}.{name}" for name in names if not name.startswith("__"))


def _imported(page: str) -> Iterator[tuple[str, str]]:
    """The modules of this package that a page's blocks import from, each with a name."""
    for block in _PYTHON.finditer(page):
        for match in _IMPORT.finditer(block[1]):
            names = (match["several"] or match["one"]).replace("\n", " ").split(",")
            yield from ((match[1], name.split(" as ")[0].strip()) for name in names if name.strip())


def commands() -> str:
    """Every command with its help, as a page."""
    root = typer.main.get_command(app)
    return "# Every command\n" + "".join(_command(root, "banditroute"))


def _command(command: object, path: str) -> Iterator[str]:
    context = typer.Context(command, info_name=path)  # type: ignore[arg-type]
    level = "##" if " " in path or path == "banditroute" else "#"
    yield f"\n{level} {path}\n\n```text\n{command.get_help(context).strip()}\n```\n"  # type: ignore[attr-defined]
    for name, inner in sorted(getattr(command, "commands", {}).items()):
        yield from _command(inner, f"{path} {name}")


def _by_last(name: str) -> tuple[bool, str]:
    last = name.rpartition(".")[2]
    return last[0].islower(), last.lower()
