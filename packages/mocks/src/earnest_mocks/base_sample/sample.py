"""The base sample: the simulated clusters that lend their residuals and gas profiles to the mock clusters."""

import functools
import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from importlib import resources
from os import PathLike
from pathlib import Path
from typing import Any, final

import numpy as np
import polars as pl
from earnest_common.arrays import FloatArray, IntArray
from earnest_common.errors import InputError, IntegrityError, VersionError
from earnest_common.notebook import html_table, plural
from earnest_common.run.files import refuse_existing
from earnest_common.run.parquet import read_parquet, write_parquet
from earnest_common.schema import CLUSTERS, RADII_R500C, Column, Table, conform
from earnest_common.survey.cosmology import MAGNETICUM
from earnest_common.survey.mass_function import DEFAULT_Z
from earnest_common.survey.scaling import ScalingRelations

from earnest_mocks.base_sample.emulator import EMULATED_SEED, METALLICITY, emulate
from earnest_mocks.base_sample.relations import OBSERVABLES, fit_relations, mean_observables
from earnest_mocks.gas.profile import density_from_slope

__all__ = ["BaseSample", "default_base_sample", "emulated_base_sample", "read_base_sample", "write_base_sample"]

FORMAT_VERSION = 2
_KEY = "earnest.base_sample"
_SHIPPED = "base_sample.parquet"
_RECIPE = "earnest_mocks.emulator"
"""The name that sets and samples on disk know the recipe by; it stays when the module moves."""
_EMULATED = (
    "EMULATED base sample: made by a recipe that reproduces published statistics of the Magneticum simulation; "
    "no simulation output is in it"
)


@final
@dataclass(frozen=True, kw_only=True, eq=False)
class BaseSample:
    """Simulated clusters in rising mass, all at one redshift.

    Attributes
    ----------
    log10_m_500c
        log10 of the mass [solMass], rising, shape (n,).
    observables
        log10 of l_x [1e44 erg/s], t_x [keV] and m_gas [solMass], shape (n, 3).
    gas_fraction_profile
        M_gas(<r) / M_gas(<R_500c), shape (n, n_radii).
    gas_slope_profile
        d ln rho_gas / d ln r, shape (n, n_radii).
    donor_id
        Identity of each cluster in its source, shape (n,).
    z
        Redshift that l_x and t_x refer to.
    radii
        Radii of the profiles in units of R_500c.
    synthetic
        What is emulated in it, in words; ``None`` if nothing is.
    source
        Where it comes from.
    """

    log10_m_500c: FloatArray
    observables: FloatArray
    gas_fraction_profile: FloatArray
    gas_slope_profile: FloatArray
    donor_id: IntArray
    z: float = DEFAULT_Z
    radii: tuple[float, ...] = RADII_R500C
    synthetic: str | None = None
    source: Mapping[str, Any] = field(default_factory=dict)

    def __repr__(self) -> str:
        """Return one line: number of clusters, redshift, range of masses and whether anything is emulated."""
        low, high = self.log10_m_500c[[0, -1]]
        emulated = ", with emulated parts" if self.synthetic else ""
        size = plural(self.n_clusters, "cluster")
        return f"BaseSample({size}, z {self.z:g}, log10 m_500c {low:.2f} to {high:.2f}{emulated})"

    def _repr_html_(self) -> str:
        rows = {"clusters": self.n_clusters, "z": self.z, "log10 m_500c": tuple(map(float, self.log10_m_500c[[0, -1]]))}
        laws = {f"slope of {name}": float(getattr(self.relations, name).slope) for name in OBSERVABLES}
        return html_table("BaseSample", {**rows, **laws, "synthetic": self.synthetic})

    @property
    def n_clusters(self) -> int:
        """The number of clusters."""
        return len(self.log10_m_500c)

    @property
    def emulated(self) -> bool:
        """Whether masses and observables come from a recipe and not from a simulation or the sky."""
        return "recipe" in self.source

    @functools.cached_property
    def relations(self) -> ScalingRelations:
        """The power laws fitted to the sample, the references of every mock."""
        return fit_relations(self.log10_m_500c, self.observables)

    @functools.cached_property
    def residuals(self) -> FloatArray:
        """Offsets of log10 l_x, t_x and m_gas from the fitted relations [dex], shape (n, 3)."""
        return self.observables - mean_observables(self.relations, self.log10_m_500c)

    @functools.cached_property
    def gas_density_profile(self) -> FloatArray:
        """Gas density at the radii [M_gas(<R_500c) R_500c^-3], from slopes and enclosed masses, shape (n, n_radii)."""
        return density_from_slope(np.array(self.radii), self.gas_fraction_profile, self.gas_slope_profile)


def emulated_base_sample() -> BaseSample:
    """Return the built-in base sample, computed afresh (a second)."""
    clusters = emulate()
    return BaseSample(
        log10_m_500c=clusters.log10_m_500c,
        observables=clusters.observables,
        # Single precision, as in the file, so that a computed and a read sample agree.
        gas_fraction_profile=clusters.gas_fraction_profile.astype(np.float32).astype(np.float64),
        gas_slope_profile=clusters.gas_slope_profile.astype(np.float32).astype(np.float64),
        donor_id=np.arange(len(clusters.log10_m_500c)),
        synthetic=_EMULATED,
        source={"recipe": _RECIPE, "seed": EMULATED_SEED, "metallicity": METALLICITY, "cosmology": vars(MAGNETICUM)},
    )


@functools.cache
def default_base_sample() -> BaseSample:
    """Return the base sample that ships with the package; it is EMULATED, and says so in ``synthetic``.

    Examples
    --------
    >>> sample = default_base_sample()
    >>> sample.n_clusters, round(sample.relations.m_gas.slope, 6), sample.synthetic[:8]
    (1165, 1.16, 'EMULATED')
    """
    with resources.as_file(resources.files("earnest_mocks") / "data" / _SHIPPED) as path:
        return read_base_sample(path)


def write_base_sample(path: str | PathLike[str], sample: BaseSample) -> None:
    """Write a base sample as one Parquet file with its origin in the metadata.

    Parameters
    ----------
    path
        The file.
    sample
        What to write.

    Raises
    ------
    OutputExistsError
        If the path is taken.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     write_base_sample(f"{folder}/mine.parquet", default_base_sample())
    ...     print(read_base_sample(f"{folder}/mine.parquet"))
    BaseSample(1,165 clusters, z 0.0663, log10 m_500c 13.73 to 15.15, with emulated parts)
    """
    path = Path(path)
    columns = {name: 10 ** sample.observables[:, i] for i, name in enumerate(OBSERVABLES)}
    frame = pl.DataFrame(
        {
            "donor_id": sample.donor_id,
            "m_500c": 10**sample.log10_m_500c,
            **columns,
            "gas_fraction_profile": sample.gas_fraction_profile.astype(np.float32),
            "gas_slope_profile": sample.gas_slope_profile.astype(np.float32),
        }
    )
    about = {
        "format_version": FORMAT_VERSION,
        "z": sample.z,
        "radii_r_500c": list(sample.radii),
        "units": {"m_500c": "solMass", "l_x": "1e44 erg/s", "t_x": "keV", "m_gas": "solMass"},
        "synthetic": sample.synthetic,
        "source": dict(sample.source),
    }
    refuse_existing(path)
    write_parquet(path, frame, {_KEY: json.dumps(about, sort_keys=True)})


def read_base_sample(path: str | PathLike[str]) -> BaseSample:
    """Return the base sample in a file.

    Parameters
    ----------
    path
        The file.

    Raises
    ------
    InputError
        If the file is missing or not a base sample.
    VersionError
        If a newer release wrote it.
    IntegrityError
        If it is damaged.
    SchemaError
        If a value is unknown, not finite or out of bounds.

    Examples
    --------
    >>> from importlib import resources
    >>> read_base_sample(resources.files("earnest_mocks") / "data" / "base_sample.parquet").z
    0.0663
    """
    path = Path(path)
    file = read_parquet(path, what="base sample", remedy="make or copy it again")
    if _KEY not in file.metadata:
        raise InputError(f"{path} is not a base sample; make one with: earnest mocks base-sample --out FILE")
    try:
        about = json.loads(file.metadata[_KEY])
        found = int(about["format_version"])
    except (ValueError, TypeError, KeyError) as error:
        raise IntegrityError(f"base sample {path} cannot be read ({error}); make or copy it again") from error
    if found > FORMAT_VERSION:
        raise VersionError.unsupported(path, "format_version", found=found, supported=FORMAT_VERSION)
    if file.stamped != (found > 1):
        raise IntegrityError(f"base sample {path} was altered: format_version {found}; make or copy it again")
    try:
        table = _table(len(about["radii_r_500c"]))
        return _from_frame(conform(file.frame, table, subject=f"base sample {path}"), about)
    except (KeyError, TypeError) as error:
        raise IntegrityError(f"base sample {path} cannot be read ({error}); make or copy it again") from error


def _table(n_radii: int) -> Table:
    """Return the schema of the file's rows: columns of the catalogs' schema, all of them known."""
    same = [replace(CLUSTERS.column(name), nullable=False) for name in ("donor_id", "m_500c", *OBSERVABLES)]
    profile = pl.Array(pl.Float32, n_radii)
    fraction = Column(name="gas_fraction_profile", dtype=profile, above=0, upper=100, description="M(<r) / M(<R_500c)")
    slope = replace(CLUSTERS.column("gas_slope_profile"), name="gas_slope_profile", dtype=profile, nullable=False)
    return Table(
        name="base sample", description="One row per cluster", key=("donor_id",), columns=(*same, fraction, slope)
    )


def _from_frame(frame: pl.DataFrame, about: Mapping[str, Any]) -> BaseSample:
    observables = np.log10(frame.select(OBSERVABLES).to_numpy())
    return BaseSample(
        log10_m_500c=np.log10(frame.get_column("m_500c").to_numpy()),
        observables=np.ascontiguousarray(observables),
        gas_fraction_profile=frame.get_column("gas_fraction_profile").to_numpy().astype(np.float64),
        gas_slope_profile=frame.get_column("gas_slope_profile").to_numpy().astype(np.float64),
        donor_id=frame.get_column("donor_id").to_numpy(),
        z=about["z"],
        radii=tuple(about["radii_r_500c"]),
        synthetic=about["synthetic"],
        source=about["source"],
    )
