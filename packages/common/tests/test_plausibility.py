"""Units are judged by what all clusters share: usual ones pass, a slip of one column is named."""

import numpy as np
import polars as pl
import pytest
from earnest_common.importers.mapping import TableCosmology
from earnest_common.importers.plausibility import critical_density, judge, mass_within_r_500c
from earnest_common.survey.scaling import TABLE_2
from hypothesis import given, settings
from hypothesis import strategies as st

COSMOLOGY = TableCosmology(H0=70.4, Om0=0.272)


def usual(n: int = 40) -> pl.DataFrame:
    log10_m, z = np.linspace(13.7, 15, n), np.full(n, 0.0663)
    mass = 10**log10_m
    columns = {name: 10 ** getattr(TABLE_2, name).log10_mean(log10_m) for name in ("l_x", "t_x", "m_gas")}
    r_500c = (mass / (4 * np.pi / 3 * 500 * critical_density(z, COSMOLOGY))) ** (1 / 3)
    return pl.DataFrame({"z": z, "m_500c": mass, "r_500c": r_500c, **columns})


def test_usual_clusters_are_plausible():
    checks, problems, warnings = judge(usual(), COSMOLOGY, simulated=True)
    assert (len(checks), problems, warnings) == (4, [], [])
    assert all(check.value == pytest.approx(1, abs=0.1) for check in checks)


SLIPS = [
    *[(column, 10.0**decade) for column in ("m_500c", "m_gas") for decade in (-14, -13, -10, 10, 13, 14)],
    *[("l_x", 10.0**decade) for decade in (-44, -37, 37, 42, 44)],
    ("t_x", 1 / 8.617333262e-8),
    ("t_x", 1e3),
    ("r_500c", 1e-3),
    ("r_500c", 0.704),
    ("r_500c", 1 / 0.704),
]


@pytest.mark.parametrize(("column", "factor"), SLIPS)
def test_the_column_in_another_unit_is_suspected(column: str, factor: float):
    _, problems, _ = judge(usual().with_columns(pl.col(column) * factor), COSMOLOGY, simulated=True)
    assert len(problems) == 1
    assert f"'{column}' is" in problems[0].remedy
    assert "--unit COLUMN=UNIT" in problems[0].remedy


@given(factor=st.sampled_from([0.704, 1 / 0.704]), simulated=st.booleans())
@settings(deadline=None)
def test_a_forgotten_h_is_found_by_the_radius(factor: float, simulated: bool):
    frame = usual().with_columns(pl.col("m_500c", "m_gas") * factor)
    _, problems, _ = judge(frame, COSMOLOGY, simulated=simulated)
    assert "by h" in problems[0].remedy or "by 1/h" in problems[0].remedy
    _, problems, warnings = judge(frame.drop("r_500c"), COSMOLOGY, simulated=simulated)
    assert problems == []
    assert bool(warnings) == simulated


def test_without_masses_only_the_order_of_magnitude_is_judged():
    frame = usual().drop("m_500c", "r_500c")
    assert judge(frame, COSMOLOGY, simulated=False)[1] == []
    assert "'l_x' is" in judge(frame.with_columns(pl.col("l_x") * 1e44), COSMOLOGY, simulated=False)[1][0].remedy


def test_mass_within_r_500c_is_the_definition():
    cosmology = pytest.importorskip("astropy.cosmology").FlatLambdaCDM(H0=70.4, Om0=0.272)
    z = np.array([0.0, 0.0663, 0.5, 1.5])
    density = np.asarray(cosmology.critical_density(z).to_value("solMass / kpc3"))
    np.testing.assert_allclose(critical_density(z, COSMOLOGY), density, rtol=2e-4)
    radius = np.array([500.0, 700, 900, 1100])
    np.testing.assert_allclose(
        mass_within_r_500c(radius, z, COSMOLOGY), 2000 * np.pi / 3 * radius**3 * density, rtol=2e-4
    )
