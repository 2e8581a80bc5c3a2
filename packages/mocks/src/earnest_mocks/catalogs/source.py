"""Live mock catalogs: any number of them, each determined by the seed and its id alone."""

import functools
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import product
from typing import Any, final

import numpy as np
import numpy.typing as npt
import polars as pl
from earnest_common.arrays import FloatArray, IntArray
from earnest_common.catalogs.base_relations import BaseRelations
from earnest_common.catalogs.batch import CatalogBatch
from earnest_common.errors import InputError
from earnest_common.run.config import as_mapping
from earnest_common.run.provenance import provenance
from earnest_common.schema import CATALOGS, CLUSTERS
from earnest_common.survey.mass_function import MassFunctionTable
from earnest_common.survey.priors import Uniform
from earnest_common.survey.scaling import ScalingRelations, with_factors

from earnest_mocks.base_sample.evolution import at_redshift
from earnest_mocks.base_sample.relations import OBSERVABLES
from earnest_mocks.base_sample.sample import BaseSample, default_base_sample, read_base_sample
from earnest_mocks.catalogs.apertures import seen_through
from earnest_mocks.catalogs.base_relations import base_relations
from earnest_mocks.catalogs.config import MocksConfig, resolve_config
from earnest_mocks.catalogs.direct_catalogs import expected_copies, own_clusters
from earnest_mocks.catalogs.donors import DonorPool, donor_pools
from earnest_mocks.catalogs.mass_function import Abundance, MassFunctionCube, abundance_of, mass_function_for
from earnest_mocks.catalogs.measurement_errors import add_measurement_errors
from earnest_mocks.catalogs.observables import Loan, borrow, cluster_table, largest_residual, log10_observable
from earnest_mocks.catalogs.parameters import Design, design
from earnest_mocks.catalogs.population import Population, expected_number, populate
from earnest_mocks.catalogs.selection import Spectra, flux_limited, flux_nodes, mass_limited, share_at
from earnest_mocks.prescription.scaling import PRESCRIBED, log10_shift

__all__ = ["MOST_CLUSTERS", "MockSource", "make_source", "most_expected", "open_source"]

_LN_10 = float(np.log(10))
MOST_CLUSTERS = 10_000_000
"""Expected clusters that are made at once at most: 0.4 kB of memory each, and what writes them as much again."""


@final
@dataclass(frozen=True, kw_only=True, eq=False)
class MockSource:
    """An endless supply of mock catalogs (an ``earnest_common.protocols.CatalogSource``).

    Attributes
    ----------
    config, seed
        What determines every catalog.
    sample
        The base sample at the survey's redshift.
    base
        What is recorded of the base sample: relations, residuals, its own redshift and how it was moved.
    table
        The mass function, over Om0 too where that varies.
    pools
        Donors of each split.
    highest
        For a cut in flux: the bound on residuals of each pool at each mass node, shape (n_pools, n_nodes).
    """

    config: MocksConfig
    seed: int
    sample: BaseSample
    base: BaseRelations
    table: MassFunctionTable | MassFunctionCube
    pools: tuple[DonorPool, ...]
    highest: FloatArray | None

    def __repr__(self) -> str:
        """Return one line: preset, seed, redshift and whether anything is emulated."""
        emulated = ", with emulated parts" if self.synthetic else ""
        return f"MockSource(preset {self.config.preset}, seed {self.seed}, z {self.config.survey.z:g}{emulated})"

    @property
    def radii(self) -> tuple[float, ...]:
        """Radii of the gas profiles in units of R_500c."""
        return self.sample.radii

    def provenance(self) -> Mapping[str, Any]:
        """Return configuration, seed, versions and what is emulated."""
        inputs = {"base_sample": self.config.base_sample} if self.config.base_sample else None
        record = provenance(config=self.plain_config(), seed=self.seed, inputs=inputs)
        origin = {**self.sample.source, "z": self.base.z, "moved": self.base.evolution}
        return {**record, "synthetic": self.synthetic, "base_sample": origin}

    @property
    def synthetic(self) -> str | None:
        """What is emulated or prescribed in the catalogs, in words; ``None`` if nothing is."""
        prescription = self.config.prescription
        rule = f"observables follow cosmology by prescription ({prescription.origin})" if prescription else None
        return "; ".join(text for text in (self.sample.synthetic, rule) if text) or None

    def abundance(self, sigma8: FloatArray, Om0: FloatArray) -> Abundance:
        """Return the mass functions of catalogs of these cosmologies, both of shape (n,)."""
        if isinstance(self.table, MassFunctionCube):
            return self.table.of(Om0, sigma8)
        return abundance_of(self.table, sigma8)

    def plain_config(self) -> dict[str, Any]:
        """Return the configuration for JSON, without the places of files on this machine."""
        plain = {**as_mapping(self.config), "mass_function_table": None}
        plain["base_sample"] = self.config.base_sample.name if self.config.base_sample else "built-in"
        return plain

    def batch(self, catalog_ids: IntArray) -> CatalogBatch:
        """Return the catalogs of these ids, in this order.

        Examples
        --------
        >>> source = open_source("paper", seed=1)
        >>> batch = source.batch(np.array([7, 8]))
        >>> batch.n_catalogs, batch.problems()
        (2, [])
        """
        if not len(catalog_ids):
            return self.batch(np.zeros(1, dtype=np.int64)).select([])
        ids = np.asarray(catalog_ids, dtype=np.int64)
        chosen = design(self.config.priors, seed=self.seed, catalog_id=ids, Om0=_prior_of_Om0(self.config))
        relations = with_factors(self.sample.relations, chosen.factors)
        spectra = self._spectra(chosen, relations)
        clusters, loan = self._drawn(chosen, spectra)
        log10_x = _log10_observables(chosen, relations, loan, clusters)
        if spectra.share is not None:
            detected = self._detected(spectra, clusters, log10_x["l_x"])
            clusters, loan = clusters.keep(detected), loan.keep(detected)
            log10_x = {name: values[detected] for name, values in log10_x.items()}
        log10_x |= self._prescribed(chosen, clusters, log10_x)
        table = cluster_table(
            self.sample,
            loan,
            clusters=clusters,
            log10_x=log10_x,
            catalog_id=chosen.catalog_id,
            m_wl_scatter=chosen.parameters["m_wl_scatter"],
            m_wl_bias=chosen.parameters["m_wl_bias"],
            z=self.config.survey.z,
        )
        table = self._observed(table, chosen, clusters)
        catalogs = _catalog_table(chosen, clusters.counts, self.config)
        return CatalogBatch(catalogs=catalogs, clusters=table.select(CLUSTERS.names), radii=self.radii)

    def _observed(self, table: pl.DataFrame, chosen: Design, clusters: Population) -> pl.DataFrame:
        """Return the clusters as observed: through their apertures, with errors of measurement."""
        measured = functools.partial(
            add_measurement_errors,
            noise=self.config.noise,
            radii=self.radii,
            seed=self.seed,
            counts=clusters.counts,
            catalog_id=chosen.catalog_id,
        )
        stretch, trend = (chosen.parameters[name] for name in ("profile_stretch", "profile_trend"))
        if self.config.aperture == "true" and (stretch == 1).all() and not trend.any():
            return measured(table)
        relations = self.sample.relations
        row = np.repeat(np.arange(len(clusters.counts)), clusters.counts)
        above_pivot = np.log(table.get_column("m_500c").to_numpy()) - _LN_10 * relations.m_gas.log10_pivot
        seen = seen_through(
            table,
            self.config.aperture,
            radii=self.radii,
            relations=relations,
            ln_stretch=np.log(stretch)[row] + trend[row] * above_pivot,
        )
        return seen.with_true_gas_mass(measured(seen.clusters))

    def _drawn(self, chosen: Design, spectra: Spectra) -> tuple[Population, Loan]:
        """Return the clusters of each catalog and what they have of the base sample."""
        if self.config.donors.own_clusters:
            cosmology = self.config.cosmology
            reference = self.abundance(np.array([cosmology.sigma8]), np.array([cosmology.Om0]))
            expected = expected_copies(self.sample, spectra, reference)
            return own_clusters(self.sample, expected, seed=self.seed, catalog_id=chosen.catalog_id)
        clusters = populate(spectra.nodes, spectra.density, seed=self.seed, catalog_id=chosen.catalog_id)
        pool = chosen.split[clusters.row]
        return clusters, borrow(self.sample, self.pools, self.config.donors, clusters=clusters, pool=pool)

    def _prescribed(
        self, chosen: Design, clusters: Population, log10_x: dict[str, FloatArray]
    ) -> dict[str, FloatArray]:
        """Return the observables that a prescription changes; the selection, as in the paper, takes no notice of it."""
        if self.config.prescription is None:
            return {}
        shift = log10_shift(
            self.config.prescription,
            Om0=chosen.parameters["Om0"],
            sigma8=chosen.parameters["sigma8"],
            z=self.config.survey.z,
            reference=self.config.cosmology,
        )
        # The temperature is mass-weighted, so gas mass times temperature is the thermal energy of the gas.
        known = {**log10_x, "y_500": log10_x["m_gas"] + log10_x["t_x"]}
        return {name: known[name] + shift[name][clusters.row] for name in PRESCRIBED}

    def _spectra(self, chosen: Design, relations: ScalingRelations) -> Spectra:
        survey, abundance = self.config.survey, self.abundance(chosen.parameters["sigma8"], chosen.parameters["Om0"])
        if self.highest is None:
            return mass_limited(survey, abundance, l_x=relations.l_x)
        which = chosen.split if self.config.donors.split else np.zeros_like(chosen.split)
        highest = self.highest[which] * chosen.parameters["l_x_scatter"][:, None]
        common = flux_nodes(self.table.log10_m)
        return flux_limited(survey, abundance, common=common, l_x=relations.l_x, highest=highest)

    def _detected(self, spectra: Spectra, clusters: Population, log10_l_x: FloatArray) -> npt.NDArray[np.bool_]:
        """Return which candidates of a cut in flux are in the catalog."""
        selection = self.config.survey.selection
        own = selection.probability(selection.equivalent_log10_m(log10_l_x))
        detected: npt.NDArray[np.bool_] = clusters.uniform[3] * share_at(spectra, clusters.row, clusters.log10_m) < own
        return detected


def open_source(preset: str, seed: int, config: Mapping[str, Any] | None = None) -> MockSource:
    """Return the live source of a preset.

    Parameters
    ----------
    preset
        ``"paper"`` or ``"realistic"``.
    seed
        Seed of every catalog.
    config
        Fields of :class:`earnest_mocks.catalogs.config.MocksConfig` that differ from the preset, nested.

    Raises
    ------
    InputError
        If preset, seed or a field cannot be used.

    Examples
    --------
    >>> open_source("paper", seed=1, config={"survey": {"volume": 1e7}}).batch(np.arange(50)).n_catalogs
    50
    """
    return make_source(resolve_config(preset, options=config), seed=seed)


def make_source(config: MocksConfig, *, seed: int, sample: BaseSample | None = None) -> MockSource:
    """Return the live source of a resolved configuration; everything that all catalogs share is computed here.

    Parameters
    ----------
    config
        What determines the catalogs, with the seed.
    seed
        Seed of every catalog.
    sample
        The base sample, if it is not to be read from where the configuration says; it is moved to the survey's
        redshift.

    Raises
    ------
    InputError
        If the seed is negative, a prior or a cut in flux leaves the mass function's table, the survey would be empty or
        hold more clusters than fit into memory, or the base sample is too small or cannot be moved to its redshift.
    """
    if seed < 0:
        raise InputError(f"seed is {seed}; give a whole number from 0")
    if sample is None:
        sample = read_base_sample(config.base_sample) if config.base_sample else default_base_sample()
    pools = donor_pools(sample, config.donors, seed=seed)
    base = base_relations(sample, config.donors, z=config.survey.z)
    sample = at_redshift(sample, config.survey.z)
    table = mass_function_for(config)
    highest = None
    if config.survey.cut == "flux":
        nodes = flux_nodes(table.log10_m)
        highest = np.stack([largest_residual(sample, pool, config.donors, nodes) for pool in pools])
    source = MockSource(config=config, seed=seed, sample=sample, base=base, table=table, pools=pools, highest=highest)
    _refuse_impossible(source)
    return source


def _prior_of_Om0(config: MocksConfig) -> Uniform:  # noqa: N802 - the name of the field
    return config.Om0 or Uniform(low=config.cosmology.Om0, high=config.cosmology.Om0)


def most_expected(source: MockSource) -> float:
    """Return the clusters (of a cut in flux: candidates) expected in a catalog at the richest corner of the priors.

    Raises
    ------
    InputError
        If a cut in flux leaves the mass function's table for any catalog of the priors.
    """
    config = source.config
    names = ("l_x_normalisation", "l_x_slope", "l_x_scatter")
    ends = [(config.priors.of(name).low, config.priors.of(name).high) for name in names]
    corners = dict(zip(names, np.array(list(product(*ends))).T, strict=True))
    n = len(corners["l_x_scatter"])
    abundance = source.abundance(np.full(n, config.priors.sigma8.high), np.full(n, _prior_of_Om0(config).high))
    l_x, common = with_factors(source.sample.relations, corners).l_x, flux_nodes(source.table.log10_m)
    if source.highest is None:
        spectra = [mass_limited(config.survey, abundance, l_x=l_x)]
    else:
        residuals = [corners["l_x_scatter"][:, None] * bound for bound in source.highest]
        spectra = [flux_limited(config.survey, abundance, common=common, l_x=l_x, highest=r) for r in residuals]
    return max(float(expected_number(one.nodes, one.density).max()) for one in spectra)


def _refuse_impossible(source: MockSource) -> None:
    """Raise if every catalog of the priors is empty, or one may be larger than memory."""
    most, survey, sigma8 = most_expected(source), source.config.survey, source.config.priors.sigma8.high
    if most < 1:
        raise InputError(
            f"survey: at most {most:.1g} clusters are expected in a catalog, even at sigma8 = {sigma8}; enlarge "
            "survey.volume or lower the masses of survey.selection"
        )
    if most > MOST_CLUSTERS:
        raise InputError(
            f"survey: up to {most:,.0f} {'clusters' if source.highest is None else 'candidates'} are expected in a "
            f"catalog (at sigma8 = {sigma8}), and a catalog, made in memory, may have {MOST_CLUSTERS:,}; lower "
            f"survey.volume = {survey.volume:.3g} Mpc^3 to {0.95 * survey.volume * MOST_CLUSTERS / most:.2g} or less, "
            "or raise the masses of survey.selection"
        )


def _log10_observables(
    chosen: Design, relations: ScalingRelations, loan: Loan, clusters: Population
) -> dict[str, FloatArray]:
    return {
        name: log10_observable(name, relations, loan, clusters=clusters, scatter=chosen.parameters[f"{name}_scatter"])
        for name in OBSERVABLES
    }


def _catalog_table(chosen: Design, counts: IntArray, config: MocksConfig) -> pl.DataFrame:
    return pl.DataFrame(
        {
            "catalog_id": chosen.catalog_id,
            "n_clusters": counts,
            **chosen.parameters,
            "split": chosen.split_names,
            "survey": [config.preset] * len(counts),
        },
        schema_overrides={"split": pl.String, "survey": pl.String},
    ).select(CATALOGS.names)
