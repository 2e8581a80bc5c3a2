"""Units of published tables, with powers of h, which general unit packages do not know.

Tables of simulations give masses in Msun/h, and observers write h70^-1 Msun. Unit libraries read ``h`` as an hour,
so the few units that cluster tables use are read here, and h is a number that the caller must give.
"""

import re
from dataclasses import dataclass
from typing import final

__all__ = ["UNITS", "Unit", "conversion_factor", "known_units", "parse_unit"]

UNITS: dict[str, dict[str, float]] = {
    "mass": {"solMass": 1.0, "Msun": 1.0, "M_sun": 1.0, "Msol": 1.0, "Msolar": 1.0},
    "temperature": {"keV": 1.0, "eV": 1e-3, "K": 8.617333262e-8},
    "luminosity": {"erg/s": 1e-44, "W": 1e-37},
    "length": {"kpc": 1.0, "Mpc": 1e3},
    "angle": {"deg": 1.0, "degree": 1.0, "degrees": 1.0, "hourangle": 15.0, "rad": 57.29577951308232},
    "number": {"": 1.0, "1": 1.0},
}
"""Known units by quantity, in units of solMass, keV, 1e44 erg/s, kpc and deg."""

_SPELLINGS = {"erg.s-1": "erg/s", "erg.s**-1": "erg/s", "ergs-1": "erg/s", "ergs^-1": "erg/s", "erg.s^-1": "erg/s"}
_H = re.compile(
    r"/\s*h(?P<h70a>70)?(?:\^(?P<pa>\d+(?:\.\d+)?))?(?![A-Za-z])"  # Msun/h, Msun/h70, erg/s/h^2
    r"|(?<![A-Za-z])h(?P<h70b>_?70)?\s*\^?\s*-(?P<pb>\d+(?:\.\d+)?)(?![A-Za-z])"  # h^-1 Msun, h70^-1 Msun, h-1 Mpc
)
_SCALE = re.compile(r"^(10(?:\*\*|\^)\(?[+-]?\d+\)?|10[+-]\d+|\d+(?:\.\d*)?(?:[eE][+-]?\d+)?)\s*[.*]?\s*(?=\D|$)")


@final
@dataclass(frozen=True, kw_only=True)
class Unit:
    """A unit as ``scale`` times the reference unit of its quantity times h^-h_power times (h/0.7)^-h70_power."""

    text: str
    quantity: str
    scale: float
    h_power: float = 0.0
    h70_power: float = 0.0

    @property
    def needs_h(self) -> bool:
        """Whether values in this unit cannot be converted without knowing h."""
        return bool(self.h_power or self.h70_power)

    def factor(self, h: float | None) -> float:
        """Return what turns a value in this unit into solMass, keV, 1e44 erg/s, kpc or a pure number.

        Raises
        ------
        ValueError
            If the unit has a power of h and h is not given.
        """
        if not self.needs_h:
            return self.scale
        if h is None:
            raise ValueError(f"unit '{self.text}' needs the value of h")
        return float(self.scale * h**-self.h_power * (h / 0.7) ** -self.h70_power)


def parse_unit(text: str) -> Unit:
    """Read a unit such as ``Msun/h``, ``1e14 Msun``, ``h70^-1 Msun``, ``10**37 W``, ``kpc/h`` or ``keV``.

    Raises
    ------
    ValueError
        If the text is no known unit.

    Examples
    --------
    >>> parse_unit("1e10 Msol/h").factor(0.5)
    20000000000.0
    >>> parse_unit("1e37 W").factor(None)
    1.0
    >>> parse_unit("furlong")
    Traceback (most recent call last):
    ValueError: unknown unit 'furlong'
    """
    h_power, h70_power = 0.0, 0.0
    rest = text.strip()
    while match := _H.search(rest):
        power = float(match["pa"] or match["pb"] or 1.0)
        if match["h70a"] or match["h70b"]:
            h70_power += power
        else:
            h_power += power
        rest = (rest[: match.start()] + " " + rest[match.end() :]).strip()
    scale = _SCALE.match(rest)
    number = _number(scale[1]) if scale else 1.0
    quantity, base = _base(rest[scale.end() :] if scale else rest, text)
    return Unit(text=text, quantity=quantity, scale=number * base, h_power=h_power, h70_power=h70_power)


def conversion_factor(text: str, target: str, h: float | None) -> float:
    """Return what turns a value in unit ``text`` into unit ``target``, which is free of h.

    Raises
    ------
    ValueError
        If a unit is unknown, the two measure different things, or h is needed and not given.
    """
    unit, wanted = parse_unit(text), parse_unit(target)
    if unit.quantity != wanted.quantity:
        raise ValueError(f"unit '{text}' measures a {unit.quantity}; '{target}' measures a {wanted.quantity}")
    return unit.factor(h) / wanted.factor(h)


def _number(text: str) -> float:
    power = re.fullmatch(r"10(?:\*\*|\^)?\(?([+-]?\d+)\)?", text)
    if power and text != "10" and not text.isdigit():
        return float(f"1e{power[1]}")
    return float(text)


def _base(text: str, whole: str) -> tuple[str, float]:
    squeezed = re.sub(r"\s+", "", text).strip("*.")
    squeezed = _SPELLINGS.get(squeezed, squeezed)
    for quantity, units in UNITS.items():
        for name, value in units.items():
            if name.casefold() == squeezed.casefold():
                return quantity, value
    raise ValueError(f"unknown unit '{whole}'")


def known_units(quantity: str) -> str:
    """Return words for the units of a quantity.

    Examples
    --------
    >>> known_units("luminosity")
    'erg/s or W, with a factor (1e14 ...) and a power of h (.../h) if needed'
    """
    names = " or ".join(name for name in UNITS[quantity] if name not in {"", "1"})
    return f"{names}, with a factor (1e14 ...) and a power of h (.../h) if needed" if names else "no unit"
