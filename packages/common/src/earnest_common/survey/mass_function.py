"""The cluster mass function, tabulated once over sigma8 and interpolated smoothly.

The table for the default survey ships with the package; ``write_default_table()`` makes it again, byte for byte.
"""

import functools
import io
from dataclasses import asdict, dataclass, replace
from importlib import resources
from pathlib import Path
from typing import final

import numpy as np
from scipy.interpolate import RectBivariateSpline

from earnest_common.arrays import FloatArray, FloatLike
from earnest_common.errors import InputError, IntegrityError, VersionError
from earnest_common.run.archives import read_archive
from earnest_common.run.files import write_atomic
from earnest_common.survey.cosmology import MAGNETICUM, Cosmology

__all__ = [
    "MassFunctionTable",
    "default_mass_function",
    "mass_function_of",
    "tabulate_mass_function",
    "write_default_table",
]

FORMAT_VERSION = 1
DEFAULT_Z = 0.0663
SIGMA8_GRID = tuple(round(0.56 + 0.02 * i, 2) for i in range(28))
LOG10_M_RANGE = (12.4, 16.0)
LOG10_M_STEP = 0.05
_SHIPPED = "mass_function_magneticum.npz"


@final
@dataclass(frozen=True, kw_only=True, eq=False)
class MassFunctionTable:
    """ln(dn/dlog10 m) on a grid of sigma8 and log10 m, with a bicubic spline through it.

    Attributes
    ----------
    cosmology
        The cosmology; its sigma8 is the reference, the table covers ``sigma8``.
    z
        Redshift.
    model
        Name of the COLOSSUS mass function.
    sigma8
        Grid, shape (k,).
    log10_m
        Grid of log10 m_500c [solMass], h-free, shape (n,).
    ln_dn_dlog10_m
        ln of the comoving density [Mpc^-3 dex^-1], shape (k, n).
    """

    cosmology: Cosmology
    z: float
    model: str
    sigma8: FloatArray
    log10_m: FloatArray
    ln_dn_dlog10_m: FloatArray

    def dn_dlog10_m(self, log10_m: FloatLike, sigma8: FloatLike) -> FloatArray:
        """Return dn/dlog10 m, broadcasting masses against sigma8.

        Parameters
        ----------
        log10_m
            log10 of m_500c [solMass], h-free.
        sigma8
            sigma8 of the cosmology.

        Returns
        -------
        Comoving number density [Mpc^-3 dex^-1].

        Raises
        ------
        InputError
            If a value lies outside the table, where a spline would invent numbers.

        Examples
        --------
        >>> table = default_mass_function()
        >>> counts = table.dn_dlog10_m(np.array([14.0, 15.0]), np.array([[0.7], [0.9]]))
        >>> counts.shape, bool((counts[1] > counts[0]).all())
        ((2, 2), True)
        """
        _refuse_outside("log10_m", log10_m, self.log10_m)
        _refuse_outside("sigma8", sigma8, self.sigma8)
        return np.asarray(np.exp(self._spline.ev(sigma8, log10_m)), dtype=np.float64)

    @functools.cached_property
    def _spline(self) -> RectBivariateSpline:
        return RectBivariateSpline(self.sigma8, self.log10_m, self.ln_dn_dlog10_m)

    def save(self, path: Path) -> None:
        """Write the table as one ``.npz`` file of the same bytes every time."""
        buffer = io.BytesIO()
        np.savez(
            buffer,
            format_version=np.int64(FORMAT_VERSION),
            cosmology=np.array(list(asdict(self.cosmology).values())),
            z=np.float64(self.z),
            model=np.array(self.model),
            sigma8=self.sigma8,
            log10_m=self.log10_m,
            ln_dn_dlog10_m=self.ln_dn_dlog10_m,
        )
        write_atomic(path, buffer.getvalue())

    @classmethod
    def load(cls, path: Path) -> "MassFunctionTable":
        """Read a table that ``save`` wrote.

        Raises
        ------
        InputError, IntegrityError, VersionError
            If it does not exist, is damaged, or a later release wrote it.
        """
        remedy = "make it again"
        content = read_archive(path, what="mass-function table", remedy=remedy)
        try:
            version = int(content.pop("format_version"))
            if version > FORMAT_VERSION:
                raise VersionError.unsupported(path, "format_version", found=version, supported=FORMAT_VERSION)
            values = dict(zip(Cosmology.__dataclass_fields__, content.pop("cosmology").tolist(), strict=True))
            return cls(
                cosmology=Cosmology(**values), z=float(content.pop("z")), model=str(content.pop("model")), **content
            )
        except (ValueError, KeyError, TypeError) as error:
            raise IntegrityError(f"mass-function table {path} cannot be read ({error}); {remedy}") from error


def _refuse_outside(name: str, value: FloatLike, grid: FloatArray) -> None:
    low, high = float(np.min(value)), float(np.max(value))
    if not (grid[0] <= low and high <= grid[-1]):
        raise InputError(
            f"mass function: {name} from {low:.6g} to {high:.6g} is not covered by the table, "
            f"which holds {grid[0]:.6g} to {grid[-1]:.6g}; tabulate a wider one with tabulate_mass_function"
        )


def tabulate_mass_function(
    cosmology: Cosmology,
    z: float,
    *,
    sigma8_grid: tuple[float, ...] = SIGMA8_GRID,
    log10_m_range: tuple[float, float] = LOG10_M_RANGE,
    model: str = "bocquet16",
) -> MassFunctionTable:
    """Compute the mass function with COLOSSUS over a grid of sigma8 (about 0.2 s each).

    Parameters
    ----------
    cosmology
        The cosmology; sigma8 is replaced by each grid value.
    z
        Redshift.
    sigma8_grid
        At least four increasing values.
    log10_m_range
        Lowest and highest log10 m_500c [solMass], h-free.
    model
        One of ``earnest_common.survey.halo.MODELS_500C``.
    """
    from earnest_common.survey.halo import dn_dlog10_m_500c

    n_masses = round((log10_m_range[1] - log10_m_range[0]) / LOG10_M_STEP) + 1
    log10_m = np.linspace(*log10_m_range, n_masses).round(10)
    rows = [
        dn_dlog10_m_500c(log10_m, cosmology=replace(cosmology, sigma8=sigma8), z=z, model=model)
        for sigma8 in sigma8_grid
    ]
    return MassFunctionTable(
        cosmology=cosmology,
        z=z,
        model=model,
        sigma8=np.array(sigma8_grid),
        log10_m=log10_m,
        # Nine decimals of ln n are far below COLOSSUS's own accuracy and make the file the same on every machine.
        ln_dn_dlog10_m=np.log(rows).round(9),
    )


@functools.cache
def default_mass_function() -> MassFunctionTable:
    """Return the shipped table: Magneticum's cosmology, z = 0.0663, bocquet16 (hydro) at 500c."""
    with resources.as_file(resources.files("earnest_common") / "data" / _SHIPPED) as path:
        return MassFunctionTable.load(path)


def mass_function_of(cosmology: Cosmology, z: float, model: str = "bocquet16") -> MassFunctionTable:
    """Return the shipped table if it is the one asked for, else compute it (about 5 s)."""
    shipped = default_mass_function()
    if (cosmology, z, model) == (shipped.cosmology, shipped.z, shipped.model):
        return shipped
    return tabulate_mass_function(cosmology, z, model=model)


def write_default_table(path: Path | None = None) -> Path:
    """Regenerate the shipped table, in place unless another path is given.

    Run from the repository::

        python -c "from earnest_common.survey.mass_function import write_default_table; write_default_table()"
    """
    target = path or Path(__file__).parent / "data" / _SHIPPED
    tabulate_mass_function(MAGNETICUM, DEFAULT_Z).save(target)
    return target
