"""A drawing as inline SVG for a page: themed by CSS variables, scalable, named for screen readers, nothing to fetch."""

from __future__ import annotations

import io
import re
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

from banditroute.reports.charts.canvas import drawing
from banditroute.reports.theme import variable_of

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from banditroute.reports.parts import Draw

_SVG = "{http://www.w3.org/2000/svg}"
_LINK = "{http://www.w3.org/1999/xlink}href"
_COLOUR = re.compile(r"#[0-9a-fA-F]{6}\b")
_LONG_DECIMAL = re.compile(r"(\.\d\d)\d+")
_REFERENCE = re.compile(r"url\(#([^)]+)\)")
_GEOMETRY = ("d", "x", "y", "width", "height", "points", "transform")


def inline_svg(draw: Draw, width: float, name: str, title: str, description: str) -> str:
    """A chart drawn for a width in CSS pixels as one `<svg>` element.

    Every id starts with the name, which must differ between drawings on one page.
    """
    root = ET.fromstring(_svg_text(draw, width))
    _drop_ballast(root)
    for element in root.iter():
        _lighten(element)
        _prefix(element, name)
    _announce(root, name, title, description)
    return ET.tostring(root, encoding="unicode")


def _svg_text(draw: Draw, width: float) -> str:
    with drawing():
        return save(draw(width), "svg").decode("utf-8")


def save(figure: Figure, kind: str, dpi: float = 72) -> bytes:
    """The figure as an SVG or PNG file, the same bytes for the same figure; call it within `drawing`."""
    buffer = io.BytesIO()
    metadata = {"Date": None, "Creator": None} if kind == "svg" else {"Software": None}
    figure.savefig(buffer, format=kind, dpi=dpi, metadata=metadata)
    return buffer.getvalue()


def _drop_ballast(root: ET.Element) -> None:
    """Removes metadata, and the style sheet that would reach out of the drawing into the page."""
    for parent in list(root.iter()):
        for child in list(parent):
            if child.tag == f"{_SVG}metadata" or child.tag == f"{_SVG}style":
                parent.remove(child)


def _lighten(element: ET.Element) -> None:
    """Binds colours to variables, leaves the font to the page and cuts coordinates to a hundredth of a pixel."""
    if element.tag == f"{_SVG}g":
        element.attrib.pop("id", None)
    for key in _GEOMETRY:
        if key in element.attrib:
            element.set(key, _LONG_DECIMAL.sub(r"\1", " ".join(element.attrib[key].split())))
    if "style" in element.attrib:
        element.set("style", _COLOUR.sub(lambda found: variable_of(found[0]), _without_font(element.attrib["style"])))


def _without_font(style: str) -> str:
    """The style without the font's family; older drawings name size and family in one."""
    kept: list[str] = []
    for declaration in style.split("; "):
        key, _, value = declaration.partition(": ")
        if key == "font":
            size = re.search(r"[\d.]+px", value)
            kept += [f"font-size: {size[0]}"] if size else []
            kept += ["font-weight: 700"] if re.search(r"\b(bold|700)\b", value) else []
        elif key != "font-family":
            kept.append(declaration)
    return "; ".join(kept)


def _prefix(element: ET.Element, name: str) -> None:
    if "id" in element.attrib:
        element.set("id", f"{name}-{element.attrib['id']}")
    if _LINK in element.attrib:
        element.set("href", f"#{name}-{element.attrib.pop(_LINK).removeprefix('#')}")
    for key, value in element.attrib.items():
        element.set(key, _REFERENCE.sub(rf"url(#{name}-\1)", value))


def _announce(root: ET.Element, name: str, title: str, description: str) -> None:
    for tag, words in (("desc", description), ("title", title)):
        spoken = ET.Element(f"{_SVG}{tag}", {"id": f"{name}-{tag}"})
        spoken.text = words
        root.insert(0, spoken)
    for key in ("width", "height", "version"):
        root.attrib.pop(key, None)
    root.set("role", "img")
    root.set("aria-labelledby", f"{name}-title")
    root.set("aria-describedby", f"{name}-desc")


ET.register_namespace("", "http://www.w3.org/2000/svg")
