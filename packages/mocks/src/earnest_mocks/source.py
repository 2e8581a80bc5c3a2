"""Live mock catalogs: any number of them, each determined by the seed and its id alone."""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import product
from typing import Any, final

import numpy as np
import numpy.typing as npt
import polars as pl
from earnest_common.arrays import FloatArray, IntArray
from earnest_common.batch import CatalogBatch
from earnest_common.config import as_mapping
from earnest_common.errors import InputError
from earnest_common.mass_function import MassFunctionTable, mass_function_of
from earnest_common.provenance import provenance
from earnest_common.scaling import ScalingRelations, biased
from earnest_common.schema import CATALOGS, CLUSTERS

from earnest_mocks.base_sample import BaseSample, default_base_sample, read_base_sample
from earnest_mocks.config import MocksConfig, resolve_config
from earnest_mocks.design import Design, design
from earnest_mocks.donors import DonorPool, donor_pools
from earnest_mocks.noise import measured
from earnest_mocks.observables import Loan, borrow, cluster_table, largest_residual, log10_observable
from earnest_mocks.population import Population, populate
from earnest_mocks.relations import OBSERVABLES
from earnest_mocks.selected import Spectra, flux_limited, flux_nodes, mass_limited, share_at

__all__ = ["MockSource", "make_source", "open_source"]


@final
@dataclass(frozen=True, kw_only=True, eq=False)
class MockSource:
    """An endless supply of mock catalogs (an ``earnest_common.protocols.CatalogSource``).

    Attributes
    ----------
    config, seed
        What determines every catalog.
    sample
        The base sample.
    table
        The mass function.
    pools
        Donors of each split.
    highest
        For a cut in flux: the bound on residuals of each pool at each mass node, shape (n_pools, n_nodes).
    """

    config: MocksConfig
    seed: int
    sample: BaseSample
    table: MassFunctionTable
    pools: tuple[DonorPool, ...]
    highest: FloatArray | None

    @property
    def radii(self) -> tuple[float, ...]:
        """Radii of the gas profiles in units of R_500c."""
        return self.sample.radii

    def provenance(self) -> Mapping[str, Any]:
        """Return configuration, seed, versions and what is emulated."""
        inputs = {"base_sample": self.config.base_sample} if self.config.base_sample else None
        record = provenance(config=self.plain_config(), seed=self.seed, inputs=inputs)
        return {**record, "synthetic": self.sample.synthetic, "base_sample": dict(self.sample.source)}

    def plain_config(self) -> dict[str, Any]:
        """Return the configuration for JSON; the base sample's place on this machine is no part of it."""
        plain = as_mapping(self.config)
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
        chosen = design(self.config.priors, seed=self.seed, catalog_id=np.asarray(catalog_ids, dtype=np.int64))
        relations = biased(self.sample.relations, chosen.factors)
        spectra = self._spectra(chosen, relations)
        clusters = populate(spectra.nodes, spectra.density, seed=self.seed, catalog_id=chosen.catalog_id)
        pool = chosen.split[clusters.row]
        loan = borrow(self.sample, self.pools, self.config.donors, clusters=clusters, pool=pool)
        log10_x = _log10_observables(chosen, relations, loan, clusters)
        if spectra.share is not None:
            detected = self._detected(spectra, clusters, log10_x["l_x"])
            clusters, loan = clusters.keep(detected), loan.keep(detected)
            log10_x = {name: values[detected] for name, values in log10_x.items()}
        table = cluster_table(
            self.sample,
            loan,
            clusters=clusters,
            log10_x=log10_x,
            catalog_id=chosen.catalog_id,
            m_wl_scatter=chosen.parameters["m_wl_scatter"],
            z=self.config.survey.z,
        )
        table = measured(
            table,
            self.config.noise,
            radii=self.radii,
            seed=self.seed,
            counts=clusters.counts,
            catalog_id=chosen.catalog_id,
        )
        catalogs = _catalog_table(chosen, clusters.counts, self.config)
        return CatalogBatch(catalogs=catalogs, clusters=table.select(CLUSTERS.names), radii=self.radii)

    def _spectra(self, chosen: Design, relations: ScalingRelations) -> Spectra:
        survey, sigma8 = self.config.survey, chosen.parameters["sigma8"]
        if self.highest is None:
            return mass_limited(survey, self.table, sigma8=sigma8, l_x=relations.l_x)
        which = chosen.split if self.config.donors.split else np.zeros_like(chosen.split)
        highest = self.highest[which] * chosen.parameters["l_x_scatter"][:, None]
        return flux_limited(survey, self.table, sigma8=sigma8, l_x=relations.l_x, highest=highest)

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
        Fields of :class:`earnest_mocks.config.MocksConfig` that differ from the preset, nested.

    Raises
    ------
    InputError
        If preset, seed or a field cannot be used.
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
        The base sample, if it is not to be read from where the configuration says.

    Raises
    ------
    InputError
        If the seed is negative, sigma8 or a cut in flux leaves the mass function's table, or the base sample is too
        small.
    """
    if seed < 0:
        raise InputError(f"seed is {seed}; give a whole number from 0")
    if sample is None:
        sample = read_base_sample(config.base_sample) if config.base_sample else default_base_sample()
    table = mass_function_of(config.cosmology, config.survey.z, config.mass_function)
    table.dn_dlog10_m(14.0, np.array([config.priors.sigma8.low, config.priors.sigma8.high]))  # refuses values outside
    pools = donor_pools(sample, config.donors, seed=seed)
    highest = None
    if config.survey.cut == "flux":
        nodes = flux_nodes(table)
        highest = np.stack([largest_residual(sample, pool, config.donors, nodes) for pool in pools])
        _refuse_unseen_masses(config, sample, table, highest)
    return MockSource(config=config, seed=seed, sample=sample, table=table, pools=pools, highest=highest)


def _refuse_unseen_masses(
    config: MocksConfig, sample: BaseSample, table: MassFunctionTable, highest: FloatArray
) -> None:
    """Raise if a cut in flux reaches below the mass function's table for any catalog of the priors."""
    names = ("l_x_normalisation", "l_x_slope", "l_x_scatter")
    ends = [(config.priors.of(name).low, config.priors.of(name).high) for name in names]
    corners = dict(zip(names, np.array(list(product(*ends))).T, strict=True))
    sigma8 = np.full(len(corners["l_x_scatter"]), config.priors.sigma8.high)
    l_x = biased(sample.relations, corners).l_x
    for bound in highest:
        residual = corners["l_x_scatter"][:, None] * bound
        flux_limited(config.survey, table, sigma8=sigma8, l_x=l_x, highest=residual)


def _log10_observables(
    chosen: Design, relations: ScalingRelations, loan: Loan, clusters: Population
) -> dict[str, FloatArray]:
    return {
        name: log10_observable(name, relations, loan, clusters=clusters, scatter=chosen.parameters[f"{name}_scatter"])
        for name in OBSERVABLES
    }


def _catalog_table(chosen: Design, counts: IntArray, config: MocksConfig) -> pl.DataFrame:
    n = len(chosen.catalog_id)
    return pl.DataFrame(
        {
            "catalog_id": chosen.catalog_id,
            "n_clusters": counts,
            **chosen.parameters,
            "Om0": np.full(n, config.cosmology.Om0),
            "split": chosen.split_names,
            "survey": [config.preset] * n,
        },
        schema_overrides={"split": pl.String, "survey": pl.String},
    ).select(CATALOGS.names)
