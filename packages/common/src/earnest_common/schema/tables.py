"""The tables that all packages share."""

import numpy as np
import polars as pl

from earnest_common.schema.column import Column, Table

__all__ = ["CATALOGS", "CLUSTERS", "PREDICTIONS", "RADII_R500C", "SCHEMA_VERSION", "SPLITS"]

SCHEMA_VERSION = 1
"""Raised when a column is renamed, removed or changes its meaning; new nullable columns do not raise it."""

RADII_R500C: tuple[float, ...] = tuple(float(r) for r in np.geomspace(0.15, 1.4, 7).round(9))
"""Default radii of the gas profiles in units of R_500c: 7, equally spaced in log r, of which the fifth is 0.665."""

SPLITS = ("train", "validation", "test")

_INT = pl.Int64()
_FLOAT = pl.Float64()
_TEXT = pl.String()
_PROFILE = pl.Array(pl.Float32, len(RADII_R500C))

CLUSTERS = Table(
    name="clusters",
    description="One row per cluster, sorted by catalog and by falling X-ray luminosity",
    key=("catalog_id", "cluster_id"),
    columns=(
        Column(name="catalog_id", dtype=_INT, lower=0, ucd="meta.id", description="the catalog it belongs to"),
        Column(name="cluster_id", dtype=_INT, lower=0, ucd="meta.id;meta.main", description="unique in its catalog"),
        Column(name="rank", dtype=_INT, lower=0, ucd="meta.number", description="place in falling l_x, from 0"),
        Column(name="z", dtype=_FLOAT, lower=0, upper=20, ucd="src.redshift", description="redshift"),
        Column(
            name="m_500c",
            dtype=_FLOAT,
            unit="solMass",
            above=0,
            upper=1e17,
            nullable=True,
            ucd="phys.mass",
            description="true mass within R_500c",
        ),
        Column(
            name="m_wl",
            dtype=_FLOAT,
            unit="solMass",
            above=0,
            upper=1e17,
            nullable=True,
            ucd="phys.mass",
            description="weak-lensing mass within R_500c",
        ),
        Column(
            name="l_x",
            dtype=_FLOAT,
            unit="1e44 erg/s",
            above=0,
            upper=1e5,
            ucd="phys.luminosity;em.X-ray",
            description="X-ray luminosity within R_500c, bolometric unless the set says otherwise",
        ),
        Column(
            name="t_x",
            dtype=_FLOAT,
            unit="keV",
            above=0,
            upper=200,
            nullable=True,
            ucd="phys.temperature",
            description="gas temperature, mass-weighted in mocks",
        ),
        Column(
            name="m_gas",
            dtype=_FLOAT,
            unit="solMass",
            above=0,
            upper=1e16,
            nullable=True,
            ucd="phys.mass",
            description="gas mass within R_500c",
        ),
        Column(
            name="y_500",
            dtype=_FLOAT,
            unit="solMass keV",
            above=0,
            upper=1e18,
            nullable=True,
            ucd="phys.energy",
            description="gas mass times temperature in R_500c: thermal energy",
        ),
        Column(
            name="m_gas_profile",
            dtype=_PROFILE,
            unit="solMass",
            above=0,
            upper=1e16,
            nullable=True,
            ucd="phys.mass",
            description="gas mass within each of the radii",
        ),
        Column(
            name="gas_slope_profile",
            dtype=_PROFILE,
            lower=-20,
            upper=20,
            nullable=True,
            ucd="arith.grad",
            description="d ln rho_gas / d ln r at each of the radii",
        ),
        Column(
            name="donor_id",
            dtype=_INT,
            lower=0,
            nullable=True,
            ucd="meta.id.assoc",
            description="base-sample cluster that lent its residuals and profile",
        ),
    ),
)


def _factor(name: str, meaning: str) -> Column:
    meaning = f"{meaning}, relative to the reference"
    return Column(name=name, dtype=_FLOAT, above=0, upper=100, nullable=True, description=meaning)


CATALOGS = Table(
    name="catalogs",
    description="One row per catalog: its labels and the parameters it was made with",
    key=("catalog_id",),
    columns=(
        Column(name="catalog_id", dtype=_INT, lower=0, ucd="meta.id;meta.main", description="identity of the catalog"),
        Column(name="n_clusters", dtype=_INT, lower=0, upper=1e9, ucd="meta.number", description="number of clusters"),
        Column(name="sigma8", dtype=_FLOAT, above=0, upper=3, nullable=True, description="true sigma8"),
        Column(name="Om0", dtype=_FLOAT, above=0, upper=1, nullable=True, description="true matter density"),
        _factor("l_x_normalisation", "normalisation of L_X-M"),
        _factor("t_x_normalisation", "normalisation of T-M"),
        _factor("m_gas_normalisation", "normalisation of M_gas-M"),
        _factor("l_x_slope", "slope of L_X-M"),
        _factor("l_x_scatter", "scatter of L_X-M"),
        _factor("t_x_scatter", "scatter of T-M"),
        _factor("m_gas_scatter", "scatter of M_gas-M"),
        Column(
            name="m_wl_scatter",
            dtype=_FLOAT,
            lower=0,
            upper=10,
            nullable=True,
            description="scatter of ln M_WL at fixed mass",
        ),
        _factor("m_wl_bias", "weak-lensing masses"),
        _factor("t_x_calibration", "measured temperatures"),
        _factor("profile_stretch", "radii of the gas profiles at the pivot mass"),
        Column(
            name="profile_trend",
            dtype=_FLOAT,
            lower=-10,
            upper=10,
            nullable=True,
            description="d ln(radius of the gas profiles) / d ln M",
        ),
        Column(name="split", dtype=_TEXT, nullable=True, choices=SPLITS, description="use in training"),
        Column(name="survey", dtype=_TEXT, description="preset or source of the catalog"),
    ),
)

PREDICTIONS = Table(
    name="predictions",
    description="One row per catalog: the inferred sigma8",
    key=("catalog_id",),
    columns=(
        Column(name="catalog_id", dtype=_INT, lower=0, ucd="meta.id;meta.main", description="identity of the catalog"),
        Column(name="sigma8", dtype=_FLOAT, description="posterior mean of sigma8"),
        Column(name="sigma8_err", dtype=_FLOAT, lower=0, description="posterior standard deviation"),
        Column(name="sigma8_lo68", dtype=_FLOAT, description="lower end of the 68 % interval"),
        Column(name="sigma8_hi68", dtype=_FLOAT, description="upper end of the 68 % interval"),
    ),
)
