"""SVG documents made fit for one HTML page: harmless, with their own names, in colours that follow the theme."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import final
from xml.etree import ElementTree

from earnest_common.errors import InputError

from earnest_interpret.page.colour import to_hex

__all__ = ["InlineSvg", "inline"]

_SHAPES = ("path", "rect", "circle", "ellipse", "line", "polyline", "polygon", "image", "text", "tspan", "textPath")
_FRAMES = ("svg", "g", "defs", "symbol", "use", "clipPath", "mask", "pattern", "marker", "title", "desc")
_ALLOWED = frozenset((*_SHAPES, *_FRAMES, "linearGradient", "radialGradient", "stop"))
"""Elements that draw; scripts, style sheets, foreign objects, links and animations are left out."""

_PAINTS = ("fill", "stroke", "stop-color", "color")
_REFERENCE = re.compile(r"url\(\s*[\"']?#([^\"')]+)[\"']?\s*\)")
_IMAGE = re.compile(r"data:image/(png|jpeg);base64,[A-Za-z0-9+/=\s]+")


@final
@dataclass(frozen=True, kw_only=True)
class InlineSvg:
    """One drawing ready to be put into a page.

    Attributes
    ----------
    markup
        The ``svg`` element.
    colours
        Colours used, as ``#rrggbb``; the page defines a variable ``--k-rrggbb`` for each.
    width
        Natural width [CSS pixel].
    """

    markup: str
    colours: frozenset[str]
    width: float


def inline(svg: str, *, prefix: str, alt: str) -> InlineSvg:
    """Return an SVG document as an element for HTML.

    Only elements that draw are kept, references stay inside the drawing, every remaining id begins with the prefix,
    and colours become variables.

    Parameters
    ----------
    svg
        The document.
    prefix
        Unique on the page.
    alt
        Text that stands for the drawing.

    Raises
    ------
    InputError
        If the text is not an SVG document.

    Examples
    --------
    >>> drawing = inline('<svg width="9" height="9"><path id="a" d="M 0 0" fill="#000"/></svg>', prefix="f", alt="Dot")
    >>> drawing.markup.partition("<path")[2]
    ' d="M 0 0" style="fill:var(--k-000000)" /></svg>'
    """
    root = _parsed(svg, prefix)
    _clean(root)
    width, height = _size(root)
    box = root.get("viewBox") or f"0 0 {width:g} {height:g}"
    style = root.get("style")
    root.attrib.clear()
    root.attrib.update({"viewBox": box, "role": "img", "aria-label": alt} | ({"style": style} if style else {}))
    _rename(root, prefix)
    colours = frozenset(colour for element in root.iter() for colour in _themed(element))
    return InlineSvg(markup=ElementTree.tostring(root, encoding="unicode"), colours=colours, width=width)


def _parsed(svg: str, name: str) -> ElementTree.Element:
    text = re.sub(r"<!DOCTYPE[^>\[]*(\[.*?\])?\s*>", "", svg, count=1, flags=re.DOTALL)
    try:
        root = ElementTree.fromstring(text)
    except ElementTree.ParseError as error:
        raise InputError(f"figure '{name}' is not an SVG document ({error}); write it again") from error
    if _local(root.tag) != "svg":
        raise InputError(
            f"figure '{name}' is not an SVG document (it begins with <{_local(root.tag)}>); write it again"
        )
    return root


def _local(name: object) -> str:
    return str(name).rpartition("}")[2]


def _clean(element: ElementTree.Element) -> None:
    """Drop what does not draw, namespaces, and attributes that could act or fetch."""
    element.tag = _local(element.tag)
    for child in list(element):
        if isinstance(child.tag, str) and _local(child.tag) in _ALLOWED:
            _clean(child)
        else:
            element.remove(child)
    kept = {_local(name): value for name, value in element.attrib.items() if _is_harmless(_local(name), value)}
    element.attrib.clear()
    element.attrib.update({name: re.sub(r"\s+", " ", value).strip() for name, value in kept.items()})
    if element.tag not in ("text", "tspan", "title", "desc", "textPath"):
        element.text = None
    element.tail = element.tail if element.tail and element.tail.strip() else None


def _is_harmless(name: str, value: str) -> bool:
    if name.lower().startswith("on") or name in ("class", "base"):
        return False
    if name in ("href", "src"):
        return value.startswith("#") or _IMAGE.fullmatch(value) is not None
    without = _REFERENCE.sub("", value).lower()
    return not any(word in without for word in ("url(", "javascript:", "expression(", "@import", "image-set("))


def _size(root: ElementTree.Element) -> tuple[float, float]:
    """Return the natural size [CSS pixel]."""
    box = [float(part) for part in re.findall(r"[-+.\d]+(?:e[-+]?\d+)?", root.get("viewBox", ""))]
    fallback = (box[2], box[3]) if len(box) == 4 else (400.0, 300.0)
    width, height = (
        _length(root.get(name, ""), other) for name, other in zip(("width", "height"), fallback, strict=True)
    )
    return width, height


def _length(text: str, fallback: float) -> float:
    match = re.fullmatch(r"\s*([\d.]+)\s*(px|pt|in|cm|mm|)\s*", text)
    scale = {"px": 1.0, "": 1.0, "pt": 96 / 72, "in": 96.0, "cm": 96 / 2.54, "mm": 9.6 / 2.54}
    return float(match[1]) * scale[match[2]] if match else fallback


def _rename(root: ElementTree.Element, prefix: str) -> None:
    """Prefix the ids that are referred to and drop the others."""
    used: set[str] = set()
    for element in root.iter():
        used.update(name for value in element.attrib.values() for name in _REFERENCE.findall(value))
        if element.get("href", "").startswith("#"):
            used.add(element.attrib["href"][1:])
    for element in root.iter():
        if (own := element.attrib.pop("id", None)) in used:
            element.set("id", f"{prefix}-{own}")
        for name, value in element.attrib.items():
            element.attrib[name] = _REFERENCE.sub(lambda match: f"url(#{prefix}-{match[1]})", value)
        if element.get("href", "").startswith("#"):
            element.set("href", f"#{prefix}-{element.attrib['href'][1:]}")


def _themed(element: ElementTree.Element) -> Iterator[str]:
    """Turn the element's colours into variables, and yield them."""
    declarations = dict(_declarations(element.attrib.pop("style", "")))
    for name in _PAINTS:
        if name in element.attrib:
            declarations.setdefault(name, element.attrib.pop(name))
    if element.tag == "svg":
        declarations.setdefault("fill", "#000000")  # what an element without a fill inherits
    for name, value in declarations.items():
        colour = to_hex(value) if name in _PAINTS else None
        if colour:
            declarations[name] = f"var(--k-{colour[1:]})"
            yield colour
    if declarations:
        element.set("style", ";".join(f"{name}:{value}" for name, value in declarations.items()))


def _declarations(style: str) -> Iterator[tuple[str, str]]:
    for declaration in style.split(";"):
        name, colon, value = declaration.partition(":")
        if colon:
            yield name.strip().lower(), value.strip()
