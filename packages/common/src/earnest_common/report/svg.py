"""Checks of drawings from other hands: a name that is no path, an SVG document that draws and does nothing else."""

import re
from collections.abc import Iterator
from xml.etree import ElementTree

from earnest_common.errors import InputError

__all__ = ["check_name", "check_svg", "natural_size"]

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")
_ACTIVE = frozenset(
    ("script", "foreignObject", "iframe", "embed", "object", "audio", "video", "handler", "listener", "set", "animate")
)
_FETCHES = re.compile(r"@import|url\(\s*[\"']?(?!\s*(#|data:|&quot;#|&apos;#|&#))", re.IGNORECASE)
_IMAGE = re.compile(r"data:image/(png|jpeg|gif|webp);base64,[A-Za-z0-9+/=\s]*")
_MOST_ELEMENTS = 1_000_000
"""Of one drawing, counted as often as they are used."""
_PIXELS = {"px": 1.0, "": 1.0, "pt": 96 / 72, "in": 96.0, "cm": 96 / 2.54, "mm": 9.6 / 2.54}


def check_name(name: object) -> None:
    """Refuse a name of a figure that is not plain, since files are named after it.

    Raises
    ------
    InputError
        If it holds anything but ASCII letters, digits, ``-``, ``_`` and ``.``, begins with another character than a
        letter or a digit, or is longer than 100 characters.

    Examples
    --------
    >>> check_name("terse-mass_1.b")
    >>> check_name("../x")
    Traceback (most recent call last):
    earnest_common.errors.InputError: figure name '../x' is not plain: use letters, digits, '-', '_' and '.', first ...
    """
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        raise InputError(
            f"figure name {str(name)[:120]!r} is not plain: use letters, digits, '-', '_' and '.', first a letter or a "
            "digit, at most 100 in all"
        )


def check_svg(svg: object, *, name: str) -> None:
    """Refuse what is not an SVG document, or acts, or fetches, or would not end.

    Raises
    ------
    InputError
        With the reason.
    """
    root = _parsed(svg, name)
    if found := _FETCHES.search(str(svg)):
        raise InputError(f"figure '{name}' refers to other files ({found[0]}...); embed what it shows")
    for element in root.iter():
        if _local(element.tag) in _ACTIVE:
            raise InputError(f"figure '{name}' holds <{_local(element.tag)}>, which does not draw; write it without")
        for attribute, value in element.attrib.items():
            local = _local(attribute)
            if local.lower().startswith("on"):
                raise InputError(f"figure '{name}' has an attribute {local}, which acts; write it without")
            if local in ("href", "src") and not value.startswith("#") and not _IMAGE.fullmatch(value):
                raise InputError(f"figure '{name}' refers to {value[:80]!r}; embed what it shows")
    if _n_drawn(root) > _MOST_ELEMENTS:
        raise InputError(f"figure '{name}' draws more than {_MOST_ELEMENTS:,} elements; rasterise its dense layers")


def natural_size(svg: str, *, name: str) -> tuple[float, float]:
    """Return width and height of an SVG document [CSS pixel].

    Examples
    --------
    >>> natural_size('<svg width="72pt" viewBox="0 0 10 30"/>', name="f")
    (96.0, 30.0)
    """
    root = _parsed(svg, name)
    box = [float(part) for part in re.findall(r"[-+]?\d*\.?\d+(?:e[-+]?\d+)?", root.get("viewBox", ""))]
    width, height = (box[2], box[3]) if len(box) == 4 else (400.0, 300.0)
    return _length(root.get("width", ""), width), _length(root.get("height", ""), height)


def _parsed(svg: object, name: str) -> ElementTree.Element:
    text = svg if isinstance(svg, str) else ""
    if "<!ENTITY" in text:
        raise InputError(f"figure '{name}' is an SVG document with entities; write it without")
    try:
        root = ElementTree.fromstring(text)
    except (ElementTree.ParseError, ValueError, LookupError) as error:
        raise InputError(f"figure '{name}' is not an SVG document ({error}); write it again") from error
    if _local(root.tag) != "svg":
        raise InputError(
            f"figure '{name}' is not an SVG document (it begins with <{_local(root.tag)}>); write it again"
        )
    return root


def _local(name: object) -> str:
    return str(name).rpartition("}")[2]


def _length(text: str, fallback: float) -> float:
    match = re.fullmatch(r"\s*(\d+\.?\d*|\.\d+)\s*(px|pt|in|cm|mm|)\s*", text)
    return float(match[1]) * _PIXELS[match[2]] if match else fallback


def _n_drawn(root: ElementTree.Element) -> int:
    """Return how many elements are drawn, those that are used several times counted as often; more than allowed ends.

    Each round adds what the elements of the round before refer to, so that nested uses grow as they do in a browser.
    """
    by_id = {element.get("id"): element for element in root.iter() if element.get("id")}
    uses = {id(element): list(_used(element)) for element in root.iter()}
    total, waiting = 0, [root]
    while waiting and total <= _MOST_ELEMENTS:
        element = waiting.pop()
        for part in element.iter():
            total += 1
            waiting += [by_id[name] for name in uses[id(part)] if name in by_id]
    return total


def _used(element: ElementTree.Element) -> Iterator[str]:
    if _local(element.tag) == "use":
        yield from (value[1:] for name, value in element.attrib.items() if _local(name) == "href")
