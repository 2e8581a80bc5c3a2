"""Colours for dark paper: lightness turned round in a perceptual space, hue kept."""

import re

import numpy as np
from earnest_common.arrays import FloatArray

__all__ = ["for_dark_paper", "to_hex"]

_TO_LMS = np.array(
    [
        [0.4122214708, 0.5363325363, 0.0514459929],
        [0.2119034982, 0.6806995451, 0.1073969566],
        [0.0883024619, 0.2817188376, 0.6299787005],
    ]
)
_TO_LAB = np.array(
    [
        [0.2104542553, 0.7936177850, -0.0040720468],
        [1.9779984951, -2.4285922050, 0.4505937099],
        [0.0259040371, 0.7827717662, -0.8086757660],
    ]
)

DARKEST, COLOUR, LIGHTEST = 0.2, 0.52, 0.93
"""OKLab lightness of dark paper, of the darkest coloured line that is well seen on it, and of ink."""

_NAMED = {"black": "#000000", "white": "#ffffff", "grey": "#808080", "gray": "#808080"}
_RGB = re.compile(r"rgb\(\s*(\d+)\s*,\s*(\d+)\s*,\s*(\d+)\s*\)")


def to_hex(text: str) -> str | None:
    """Return a CSS colour as ``#rrggbb``; None if it is none of the forms that drawings use.

    Examples
    --------
    >>> to_hex("#FfF"), to_hex("rgb(0, 16, 255)"), to_hex("none")
    ('#ffffff', '#0010ff', None)
    """
    text = _NAMED.get(text.strip().lower(), text.strip().lower())
    if match := _RGB.fullmatch(text):
        return "#" + "".join(f"{min(int(part), 255):02x}" for part in match.groups())
    if re.fullmatch(r"#[0-9a-f]{3}", text):
        return "#" + "".join(2 * digit for digit in text[1:])
    return text if re.fullmatch(r"#[0-9a-f]{6}", text) else None


def for_dark_paper(colour: str) -> str:
    """Return the colour that plays the same part on dark paper: ink becomes light, paper dark, hues stay.

    Lightness L of OKLab (Ottosson 2020) becomes 0.2 + 0.73 (1 - L)^0.7; chroma is reduced where the
    screen ends. Coloured lines stay at 0.52 at least.

    Parameters
    ----------
    colour
        ``#rrggbb``.

    Examples
    --------
    >>> for_dark_paper("#ffffff") < for_dark_paper("#000000")
    True
    """
    lightness, a, b = _to_oklab(np.array([int(colour[k : k + 2], 16) / 255 for k in (1, 3, 5)]))
    turned = DARKEST + (LIGHTEST - DARKEST) * max(1 - lightness, 0.0) ** 0.7
    if np.hypot(a, b) > 0.04 and lightness < 0.85:
        turned = max(turned, COLOUR)
    chroma = 1.0
    while True:
        rgb = _from_oklab(np.array([turned, chroma * a, chroma * b]))
        if chroma <= 0.05 or np.all((rgb > -1e-4) & (rgb < 1 + 1e-4)):
            break
        chroma -= 0.05
    return "#" + "".join(f"{round(255 * float(part)):02x}" for part in np.clip(rgb, 0, 1))


def _to_oklab(rgb: FloatArray) -> FloatArray:
    linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    return np.asarray(_TO_LAB @ np.cbrt(_TO_LMS @ linear), dtype=np.float64)


def _from_oklab(lab: FloatArray) -> FloatArray:
    linear = np.linalg.solve(_TO_LMS, np.linalg.solve(_TO_LAB, lab) ** 3)
    gamma = 1.055 * np.maximum(linear, 0) ** (1 / 2.4) - 0.055
    return np.where(linear <= 0.0031308, 12.92 * linear, gamma)
