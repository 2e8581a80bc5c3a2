"""The mass function where Om0 varies with sigma8 from catalog to catalog: tabulated once, interpolated smoothly."""

import io
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import final

import numpy as np
from earnest_common.arrays import FloatArray
from earnest_common.errors import InputError, IntegrityError, VersionError
from earnest_common.run.archives import read_archive
from earnest_common.run.files import refuse_existing, write_atomic
from earnest_common.survey.cosmology import Cosmology
from earnest_common.survey.mass_function import MassFunctionTable, mass_function_of, tabulate_mass_function
from earnest_common.survey.priors import Uniform
from scipy.interpolate import CubicSpline

from earnest_mocks.catalogs.config import MocksConfig

__all__ = [
    "Abundance",
    "MassFunctionCube",
    "abundance_of",
    "mass_function_cube",
    "mass_function_for",
    "tabulate_cube",
]

Abundance = Callable[[FloatArray], FloatArray]
"""dn/dlog10 m [Mpc^-3 dex^-1] of n catalogs at common masses, shape (k,), or at one mass of each, shape (n, 1)."""

FORMAT_VERSION = 1
_STEP = 0.03
"""Largest step of the grids of Om0 and sigma8; cubic splines of ln n through them are good to 1e-3."""
_FEWEST = 5


@final
@dataclass(frozen=True, kw_only=True, eq=False)
class MassFunctionCube:
    """ln(dn/dlog10 m) on a grid of Om0, sigma8 and log10 m; cubic splines along each.

    Attributes
    ----------
    cosmology
        The other parameters; Ob0 and H0 stay when Om0 varies, and space stays flat.
    z, model
        Redshift and name of the COLOSSUS mass function.
    Om0, sigma8, log10_m
        The grids, shapes (a,), (b,), (c,); masses in solMass, h-free.
    ln_dn_dlog10_m
        ln of the comoving density [Mpc^-3 dex^-1], shape (a, b, c).
    """

    cosmology: Cosmology
    z: float
    model: str
    Om0: FloatArray
    sigma8: FloatArray
    log10_m: FloatArray
    ln_dn_dlog10_m: FloatArray

    def of(self, Om0: FloatArray, sigma8: FloatArray) -> Abundance:
        """Return the mass functions of catalogs, each given by its Om0 and sigma8, both of shape (n,).

        Raises
        ------
        InputError
            If a value lies outside the grids.
        """
        weights = _weights(self.Om0, Om0, "Om0")[:, :, None] * _weights(self.sigma8, sigma8, "sigma8")[:, None, :]
        rows = weights.reshape(len(weights), -1) @ self.ln_dn_dlog10_m.reshape(-1, len(self.log10_m))

        def abundance(log10_m: FloatArray) -> FloatArray:
            along_mass = _weights(self.log10_m, log10_m.ravel(), "log10_m")
            if log10_m.ndim == 1:
                common: FloatArray = np.exp(rows @ along_mass.T)
                return common
            own: FloatArray = np.exp(np.sum(rows * along_mass, axis=1, keepdims=True))
            return own

        return abundance

    def covers(self, Om0: Uniform, sigma8: Uniform) -> bool:
        """Whether both priors lie within the grids."""
        return all(
            grid[0] <= prior.low and prior.high <= grid[-1] for grid, prior in ((self.Om0, Om0), (self.sigma8, sigma8))
        )

    def save(self, path: Path) -> None:
        """Write the cube as one ``.npz`` file of the same bytes every time.

        Raises
        ------
        OutputExistsError
            If the path is taken.
        """
        refuse_existing(path)
        buffer = io.BytesIO()
        np.savez(
            buffer,
            format_version=np.int64(FORMAT_VERSION),
            cosmology=np.array(list(asdict(self.cosmology).values())),
            z=np.float64(self.z),
            model=np.array(self.model),
            Om0=self.Om0,
            sigma8=self.sigma8,
            log10_m=self.log10_m,
            ln_dn_dlog10_m=self.ln_dn_dlog10_m,
        )
        write_atomic(path, buffer.getvalue())

    @classmethod
    def load(cls, path: Path) -> "MassFunctionCube":
        """Read a cube that ``save`` wrote.

        Raises
        ------
        InputError, IntegrityError, VersionError
            If it does not exist, is damaged, or a later release wrote it.
        """
        if not path.exists():
            raise InputError(
                f"mass-function table {path} does not exist; make it with: earnest mocks mass-function --out {path}"
            )
        content = read_archive(path, what="mass-function table", remedy="make it again")
        try:
            version = int(content.pop("format_version"))
            if version > FORMAT_VERSION:
                raise VersionError.unsupported(path, "format_version", found=version, supported=FORMAT_VERSION)
            values = dict(zip(Cosmology.__dataclass_fields__, content.pop("cosmology").tolist(), strict=True))
            return cls(
                cosmology=Cosmology(**values), z=float(content.pop("z")), model=str(content.pop("model")), **content
            )
        except (ValueError, KeyError, TypeError) as error:
            raise IntegrityError(f"mass-function table {path} cannot be read ({error}); make it again") from error


def tabulate_cube(cosmology: Cosmology, z: float, *, Om0: Uniform, sigma8: Uniform, model: str) -> MassFunctionCube:
    """Compute the mass function with COLOSSUS over the ranges of Om0 and sigma8 (0.2 s for each pair of grid values).

    Raises
    ------
    InputError
        If Om0 reaches below the baryons or above 1, or the model is not known.
    """
    if not cosmology.Ob0 < Om0.low or Om0.high > 1:
        raise InputError(f"Om0 from {Om0.low} to {Om0.high} must lie above Ob0 = {cosmology.Ob0} and not above 1")
    grid = _grid(Om0)
    values = tuple(_grid(sigma8).tolist())
    tables = [
        tabulate_mass_function(replace(cosmology, Om0=one), z, sigma8_grid=values, model=model) for one in grid.tolist()
    ]
    return MassFunctionCube(
        cosmology=cosmology,
        z=z,
        model=model,
        Om0=grid,
        sigma8=np.array(values),
        log10_m=tables[0].log10_m,
        ln_dn_dlog10_m=np.stack([table.ln_dn_dlog10_m for table in tables]),
    )


def abundance_of(table: MassFunctionTable, sigma8: FloatArray) -> Abundance:
    """Return the mass functions of catalogs that share everything but sigma8, of shape (n,)."""
    distinct, inverse = np.unique(sigma8, return_inverse=True)

    def abundance(log10_m: FloatArray) -> FloatArray:
        if log10_m.ndim == 1:  # once per distinct sigma8: the paper's grid has 23
            return table.dn_dlog10_m(log10_m, distinct[:, None])[inverse]
        return table.dn_dlog10_m(log10_m, sigma8[:, None])

    return abundance


def mass_function_for(config: MocksConfig) -> MassFunctionTable | MassFunctionCube:
    """Return the mass function that covers the priors of a configuration.

    Raises
    ------
    InputError
        If sigma8 leaves the range of the shipped table, or the configuration's own table is for something else.
    """
    if config.Om0 is None:
        table = mass_function_of(config.cosmology, config.survey.z, config.mass_function)
        ends = np.array([config.priors.sigma8.low, config.priors.sigma8.high])
        table.dn_dlog10_m(14.0, ends)  # refuses values outside
        return table
    if config.mass_function_table is None:
        return mass_function_cube(config)
    cube = MassFunctionCube.load(config.mass_function_table)
    found, wanted = (
        (x.cosmology, z, model)
        for x, z, model in ((cube, cube.z, cube.model), (config, config.survey.z, config.mass_function))
    )
    if found != wanted or not cube.covers(config.Om0, config.priors.sigma8):
        raise InputError(
            f"mass-function table {config.mass_function_table} is for {found}, Om0 {cube.Om0[0]} to {cube.Om0[-1]} and "
            f"sigma8 {cube.sigma8[0]} to {cube.sigma8[-1]}; the configuration has {wanted}, {config.Om0} and "
            f"{config.priors.sigma8}: make another with earnest mocks mass-function"
        )
    return cube


def mass_function_cube(config: MocksConfig) -> MassFunctionCube:
    """Return the mass function over the priors of Om0 and sigma8, computed with COLOSSUS.

    Raises
    ------
    InputError
        If Om0 does not vary.
    """
    if config.Om0 is None:
        raise InputError("Om0 does not vary in this configuration; give its prior: [Om0] low = 0.2, high = 0.4")
    return tabulate_cube(
        config.cosmology, config.survey.z, Om0=config.Om0, sigma8=config.priors.sigma8, model=config.mass_function
    )


def _grid(prior: Uniform) -> FloatArray:
    # A prior without width still needs a grid to interpolate in; half a step each way is as good as any.
    low, high = (prior.low, prior.high) if prior.high > prior.low else (prior.low - _STEP, prior.high + _STEP)
    n = max(_FEWEST, int(np.ceil((high - low) / _STEP - 1e-9)) + 1)
    return np.linspace(low, high, n).round(12)


def _weights(grid: FloatArray, values: FloatArray, name: str) -> FloatArray:
    """Return the weights of the grid's values in a cubic spline through them, shape (n, len(grid))."""
    low, high = float(np.min(values)), float(np.max(values))
    if not (grid[0] <= low and high <= grid[-1]):
        raise InputError(
            f"mass function: {name} from {low:.6g} to {high:.6g} is not covered by the table, which holds "
            f"{grid[0]:.6g} to {grid[-1]:.6g}; tabulate a wider one"
        )
    weights: FloatArray = CubicSpline(grid, np.eye(len(grid)))(values)
    return weights
