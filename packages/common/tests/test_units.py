"""Laws of units with powers of h."""

import pytest
from earnest_common.importers.units import UNITS, conversion_factor, known_units, parse_unit
from hypothesis import given
from hypothesis import strategies as st

NAMES = [(quantity, name) for quantity, units in UNITS.items() for name in units if name not in {"", "1"}]
H = st.floats(0.4, 1.0)

SPELLINGS = {
    "Msun/h": ("mass", 1.0, 1.0, 0.0),
    "Msol / h": ("mass", 1.0, 1.0, 0.0),
    "h^-1 Msun": ("mass", 1.0, 1.0, 0.0),
    "1e14 Msun": ("mass", 1e14, 0.0, 0.0),
    "10^13 solMass": ("mass", 1e13, 0.0, 0.0),
    "10**(13) M_sun": ("mass", 1e13, 0.0, 0.0),
    "1e10 Msun / h": ("mass", 1e10, 1.0, 0.0),
    "h70^-1 Msun": ("mass", 1.0, 0.0, 1.0),
    "Msun/h70": ("mass", 1.0, 0.0, 1.0),
    "h_70^-2.5 Msun": ("mass", 1.0, 0.0, 2.5),
    "1e44erg/s": ("luminosity", 1.0, 0.0, 0.0),
    "10**44 erg s-1": ("luminosity", 1.0, 0.0, 0.0),
    "1e44 erg/s/h^2": ("luminosity", 1.0, 2.0, 0.0),
    "1e42 erg/s": ("luminosity", 1e-2, 0.0, 0.0),
    "10+37W": ("luminosity", 1.0, 0.0, 0.0),
    "W": ("luminosity", 1e-37, 0.0, 0.0),
    "kev": ("temperature", 1.0, 0.0, 0.0),
    "kpc/h": ("length", 1.0, 1.0, 0.0),
    "h-1 Mpc": ("length", 1e3, 1.0, 0.0),
    "": ("number", 1.0, 0.0, 0.0),
    "1": ("number", 1.0, 0.0, 0.0),
}


@pytest.mark.parametrize(("text", "expected"), SPELLINGS.items(), ids=SPELLINGS)
def test_spellings_of_published_tables(text: str, expected: tuple[str, float, float, float]):
    unit = parse_unit(text)
    assert (unit.quantity, unit.h_power, unit.h70_power) == (expected[0], expected[2], expected[3])
    assert unit.scale == pytest.approx(expected[1], rel=1e-12)


@pytest.mark.parametrize("text", ["furlong", "Msun/s", "hour", "erg", "Msun h", "1e14 Msun keV"])
def test_other_texts_are_refused_by_name(text: str):
    with pytest.raises(ValueError, match=f"unknown unit '{text}'"):
        parse_unit(text)


@given(h=H, power=st.integers(1, 3), name=st.sampled_from(NAMES))
def test_h_scaling_is_division_by_h(h: float, power: int, name: tuple[str, str]):
    quantity, unit = name
    plain = parse_unit(unit).factor(None)
    assert parse_unit(f"{unit}/h^{power}").factor(h) == pytest.approx(plain / h**power, rel=1e-12)
    assert parse_unit(f"{unit}/h70^{power}").factor(0.7) == pytest.approx(plain, rel=1e-12)
    assert parse_unit(f"h^-{power} {unit}").quantity == quantity


@given(h=H, scale=st.integers(-30, 44))
def test_scale_and_h_multiply(h: float, scale: int):
    assert parse_unit(f"1e{scale} Msun/h").factor(h) == pytest.approx(10.0**scale / h, rel=1e-12)
    assert parse_unit(f"10^{scale} Msun/h").factor(h) == pytest.approx(10.0**scale / h, rel=1e-12)


@given(h=H, first=st.sampled_from(NAMES), second=st.sampled_from(NAMES))
def test_conversion_there_and_back_is_one(h: float, first: tuple[str, str], second: tuple[str, str]):
    if first[0] != second[0]:
        with pytest.raises(ValueError, match="measures"):
            conversion_factor(first[1], second[1], h)
        return
    product = conversion_factor(first[1], second[1], h) * conversion_factor(second[1], first[1], h)
    assert product == pytest.approx(1, rel=1e-12)


def test_a_power_of_h_needs_h():
    assert parse_unit("Msun/h").needs_h
    with pytest.raises(ValueError, match="needs the value of h"):
        conversion_factor("Msun/h", "solMass", None)


def test_kelvin_and_astropy_agree():
    units = pytest.importorskip("astropy.units")
    kelvin = (1 * units.K).to_value("keV", equivalencies=units.temperature_energy())
    assert parse_unit("K").factor(None) == pytest.approx(kelvin, rel=1e-9)
    for _, name in NAMES:
        unit = parse_unit(name)
        target = {"mass": "solMass", "luminosity": "1e44 erg/s", "length": "kpc"}.get(unit.quantity)
        if target and name not in {"Msol", "Msolar"}:
            assert unit.factor(None) == pytest.approx(units.Unit(name).to(target), rel=1e-9)


def test_known_units_are_named():
    assert "Msun" in known_units("mass")
    assert known_units("number") == "no unit"
