"""Units of what is written: those of the catalog tables, in which masses are free of h."""

import re
from typing import Final

from earnest_common.schema.tables import CLUSTERS

__all__ = ["MASS_UNIT", "unit_in_words", "unit_of"]

MASS_UNIT: Final = "solMass"
"""Unit of every mass that is written."""

_UNITS: Final = {column.name: column.unit for column in CLUSTERS.columns}
_WORDS: Final = {"solMass": "M☉", "1e44 erg/s": "10^44 erg/s"}


def unit_of(name: str) -> str:
    """Return the unit of a column or input, or of what a logarithm is of; empty for a pure number.

    Examples
    --------
    >>> unit_of("log10_m_gas_profile_5"), unit_of("t_x"), unit_of("gas_slope_profile_1"), unit_of("l_x")
    ('solMass', 'keV', '', '1e44 erg/s')
    """
    stem = name.removeprefix("log10_")
    return _UNITS.get(stem) or _UNITS.get(re.sub(r"_\d+$", "", stem), "")


def unit_in_words(name: str) -> str:
    """Return the unit as sentences print it.

    Examples
    --------
    >>> unit_in_words("log10_m_wl"), unit_in_words("l_x")
    ('M☉', '10^44 erg/s')
    """
    unit = unit_of(name)
    return _WORDS.get(unit, unit)
