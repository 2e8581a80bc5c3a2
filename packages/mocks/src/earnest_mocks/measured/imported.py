"""Base samples from real or simulated clusters that were imported into a catalog."""

from collections.abc import Mapping
from dataclasses import replace
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np
from earnest_common.arrays import FloatArray, IntArray
from earnest_common.catalogs import CatalogSet
from earnest_common.catalogs.batch import CatalogBatch
from earnest_common.errors import InputError

from earnest_mocks.base_sample.evolution import om0_of, refuse_other_bands, self_similar_shift
from earnest_mocks.base_sample.relations import OBSERVABLES
from earnest_mocks.base_sample.sample import BaseSample, default_base_sample
from earnest_mocks.measured.profiles import read_reductions, with_reduced_profiles

__all__ = ["SMALLEST_SAMPLE", "WIDEST_Z", "base_sample_from", "imported_base_sample"]

SMALLEST_SAMPLE = 20
"""Fewer clusters give neither power laws nor a choice of donors."""

WIDEST_Z = 0.02
"""Range of redshifts that counts as one: over it l_x at fixed mass evolves by some 2 %."""

_NEEDED = ("m_500c", *OBSERVABLES)
_PROFILES = ("m_gas_profile", "gas_slope_profile")


def imported_base_sample(
    path: str | PathLike[str], *, reductions: str | PathLike[str] | None = None, z: float | None = None
) -> BaseSample:
    """Return the base sample of an imported catalog set.

    Parameters
    ----------
    path
        Folder of the set, one catalog.
    reductions
        Table of ``earnest mocks reduce`` whose ``cluster_id`` are those of the set; its clusters take their gas
        profiles from there.
    z
        Redshift to bring all clusters to; default their own, see :func:`base_sample_from`.

    Raises
    ------
    InputError
        If the clusters or the table cannot be used, see :func:`base_sample_from`.

    Examples
    --------
    >>> import tempfile
    >>> from earnest_common.catalogs import Plan, write_batch
    >>> from earnest_common.testing import toy_batch
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     plan = Plan(kind="simulation", preset="toy", seed=None, n_catalogs=1)
    ...     _ = write_batch(f"{folder}/toy", toy_batch(n_catalogs=1, seed=1), plan)
    ...     print(imported_base_sample(f"{folder}/toy"))
    BaseSample(78 clusters, z 0.0663, log10 m_500c 14.00 to 15.14)
    """
    opened = CatalogSet.open(path)
    batch = opened.read()
    plan = opened.manifest.plan
    origin: dict[str, Any] = {"data_hash": opened.manifest.data_hash, "preset": plan.preset}
    origin |= {"cosmology": dict(plan.cosmology), "l_x": dict(plan.config.get("import", {})).get("l_x")}
    emulated_photons = False
    if reductions is not None:
        table = read_reductions(Path(reductions))
        batch = with_reduced_profiles(batch, table)
        origin["xray"] = {"reductions": table.sha256, "n_clusters": table.n_clusters, "simulation": table.simulation}
        emulated_photons = "EMULATED" in table.simulation
    sample = base_sample_from(batch, z=z, source=origin)
    if emulated_photons:
        words = f"gas profiles of {table.n_clusters} base-sample clusters are measured from EMULATED photons"
        sample = replace(sample, synthetic="; ".join(filter(None, (sample.synthetic, words))))
    return sample


def base_sample_from(
    batch: CatalogBatch,
    *,
    z: float | None = None,
    source: Mapping[str, Any] | None = None,
) -> BaseSample:
    """Return a base sample of imported clusters: power laws, residuals and donors are theirs.

    The sample has the redshift of its clusters, which must be one. Where ``z`` is given, or they differ by up to 0.02,
    luminosities and temperatures are brought to one redshift with self-similar evolution (E^(7/3) and E^(2/3) at fixed
    m_500c), and ``source["evolution"]`` says so. Clusters without gas profiles receive the profile of the emulated
    cluster that is nearest in mass, l_x residual and m_gas residual; ``synthetic`` then says so.

    Parameters
    ----------
    batch
        One catalog with true masses.
    z
        Redshift to bring all clusters to; default the median of theirs.
    source
        Where the clusters come from, kept with the sample; its ``cosmology`` gives E(z) (default Magneticum's), its
        ``l_x`` says what the luminosity is.

    Raises
    ------
    InputError
        If there is more than one catalog, fewer than 20 clusters have mass, luminosity, temperature and gas mass, they
        have many redshifts and ``z`` is not given, or their luminosity is not bolometric and would have to be moved.

    Examples
    --------
    >>> from earnest_common.testing import toy_batch
    >>> sample = base_sample_from(toy_batch(n_catalogs=1, seed=1))
    >>> round(sample.relations.t_x.slope, 1)
    0.6
    """
    if batch.n_catalogs != 1:
        raise InputError(f"a base sample is made of one catalog, found {batch.n_catalogs}")
    values = np.stack([batch.column(name).astype(np.float64) for name in _NEEDED], axis=1)
    known = np.flatnonzero(np.isfinite(values).all(axis=1))
    if len(known) < SMALLEST_SAMPLE:
        unknown = [f"{name} of {int(np.isnan(v).sum())}" for name, v in zip(_NEEDED, values.T, strict=True)]
        raise InputError(
            f"a base sample needs at least {SMALLEST_SAMPLE} clusters with {', '.join(_NEEDED)}; {len(known)} of "
            f"{batch.n_clusters} have them (unknown: {', '.join(unknown)})"
        )
    rows = known[np.argsort(values[known, 0], kind="stable")]
    log10 = np.log10(values[rows])
    origin = dict(source or {})
    own_z = batch.column("z")[rows].astype(np.float64)
    z = _one_redshift(own_z) if z is None else z
    shift = self_similar_shift(own_z, to_z=z, Om0=om0_of(origin))
    if shift.any():
        refuse_other_bands(origin)
        words = f"z = {own_z.min():g} to {own_z.max():g} moved to {z:g}: l_x as E^(7/3), t_x as E^(2/3) at fixed m_500c"
        origin["evolution"] = words
    bare = BaseSample(
        log10_m_500c=log10[:, 0],
        observables=log10[:, 1:] + shift,
        gas_fraction_profile=np.empty((len(rows), 0)),
        gas_slope_profile=np.empty((len(rows), 0)),
        donor_id=batch.column("cluster_id")[rows],
        z=z,
        source=origin,
    )
    return _with_profiles(bare, batch, rows)


def _one_redshift(z: FloatArray) -> float:
    """Return the median of redshifts that hardly differ, and refuse others."""
    if np.ptp(z) > WIDEST_Z:
        raise InputError(
            f"clusters at z = {z.min():.4g} to {z.max():.4g} are no base sample of one redshift (allowed is a range of "
            f"{WIDEST_Z:g}); bring them to one with self-similar evolution, --z {np.median(z):.4g}, or import a "
            "snapshot"
        )
    return float(np.median(z))


def _with_profiles(sample: BaseSample, batch: CatalogBatch, rows: IntArray) -> BaseSample:
    """Return the sample with measured profiles where they are known and emulated ones elsewhere."""
    emulated = default_base_sample()
    measured = np.isfinite(np.concatenate([batch.column(name)[rows] for name in _PROFILES], axis=1)).all(axis=1)
    fraction = batch.column("m_gas_profile")[rows] / 10 ** sample.observables[:, [OBSERVABLES.index("m_gas")]]
    slope = batch.column("gas_slope_profile")[rows].astype(np.float64)
    synthetic = None
    if not measured.all():
        if measured.any() and batch.radii != emulated.radii:
            raise InputError(
                f"{int((~measured).sum())} of {len(rows)} clusters lack gas profiles and the others have them at radii "
                f"{batch.radii}, where none can be emulated; leave those clusters out or use {emulated.radii}"
            )
        twin = _twins(sample, emulated)[~measured]
        fraction[~measured], slope[~measured] = emulated.gas_fraction_profile[twin], emulated.gas_slope_profile[twin]
        synthetic = f"gas profiles of {int((~measured).sum())} of {len(rows)} base-sample clusters are EMULATED"
    return BaseSample(
        **{
            **{name: getattr(sample, name) for name in ("log10_m_500c", "observables", "donor_id", "z", "source")},
            "gas_fraction_profile": fraction,
            "gas_slope_profile": slope,
            "radii": batch.radii if measured.all() else emulated.radii,
            "synthetic": synthetic,
        }
    )


def _twins(sample: BaseSample, emulated: BaseSample) -> IntArray:
    """Return the emulated cluster most like each cluster: in mass, and in units of the scatter in l_x and m_gas."""

    def coordinates(of: BaseSample) -> FloatArray:
        scatter = np.sqrt(np.mean(of.residuals**2, axis=0))
        return np.column_stack(
            [of.log10_m_500c / 0.1, of.residuals[:, 0] / scatter[0], of.residuals[:, 2] / scatter[2]]
        )

    theirs, ours = coordinates(sample), coordinates(emulated)
    return np.array([int(np.argmin(np.sum((ours - one) ** 2, axis=1))) for one in theirs], dtype=np.int64)
