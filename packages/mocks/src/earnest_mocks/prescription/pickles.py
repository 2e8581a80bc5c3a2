"""Clusters of simulations of many cosmologies, in the pickled form in which Singh et al. (2020) published theirs.

One folder per simulation, ``mr_{Om0}_{Ob0}_{sigma8}_{h}``, with a dictionary of arrays per snapshot. Unpickling can
run any program that a file names; here nothing but arrays is made.
"""

import pickle
import re
from pathlib import Path
from typing import Any, final

import numpy as np
import polars as pl
from earnest_common.arrays import FloatArray
from earnest_common.errors import InputError
from earnest_common.survey.cosmology import Cosmology

from earnest_mocks.gas.geometry import r_500c

__all__ = ["read_pickled_clusters"]

_FOLDER = re.compile("mr_" + "_".join([r"([0-9]+\.?[0-9]*)"] * 4))
_SNAPSHOT = re.compile(r"snap_([0-9]{3})(\.\w+)?")
_REDSHIFTS = {"014": 0.0, "013": 0.14, "012": 0.29, "011": 0.47, "010": 0.67, "009": 0.90}
_NS = 0.963
_KEYS = ("MASSES", "RADII", "LGAS", "TGAS", "MGAS")
_APERTURES = ("RVIR", "R200M", "R500M", "R200C", "R500C", "R2500C")
_R500C = _APERTURES.index("R500C")
_MASS_UNIT = 1e10  # solMass/h

_ARRAYS = {
    ("numpy._core.multiarray", "_reconstruct"),
    ("numpy._core.numeric", "_frombuffer"),
    ("numpy", "ndarray"),
    ("numpy", "dtype"),
    ("_codecs", "encode"),  # bytes, in files of Python 2
}


@final
class _ArraysOnly(pickle.Unpickler):
    """Makes NumPy arrays and plain values and refuses whatever else a file asks for."""

    def find_class(self, module: str, name: str) -> Any:  # noqa: ANN401 - as inherited
        module = re.sub(r"^numpy\.core\b", "numpy._core", module)  # its name before NumPy 2
        if (module, name) not in _ARRAYS:
            raise pickle.UnpicklingError(f"it asks for {module}.{name}, and only arrays are read")
        return super().find_class(module, name)


def read_pickled_clusters(folder: Path) -> pl.DataFrame:
    """Return the clusters of all simulations, in the form of :func:`earnest_mocks.prescription.fit.read_clusters`.

    Values within R_500c become physical: solMass, 1e44 erg/s, keV; y_500 is m_gas times the mass-weighted t_x. Clusters
    without gas, temperature or luminosity are left out.

    Parameters
    ----------
    folder
        Holds the simulations' folders, each with files ``snap_009`` to ``snap_014``.

    Raises
    ------
    InputError
        If there are no such folders, a file holds anything but arrays or lacks one, or its masses and radii do not
        belong together.

    References
    ----------
    Singh et al. 2020 (arXiv:1911.05751).
    """
    files = [file for file in sorted(folder.glob("mr_*/*")) if _SNAPSHOT.fullmatch(file.name)]
    if not files:
        raise InputError(
            f"{folder} holds no simulations: folders mr_OM0_OB0_SIGMA8_H (for instance mr_0.272_0.0456_0.809_0.704) "
            "with files snap_009 to snap_014 are looked for"
        )
    return pl.concat([_clusters(file) for file in files])


def _clusters(file: Path) -> pl.DataFrame:
    cosmology, z = _cosmology_of(file), _redshift_of(file)
    column = _read(file)
    masses = {name: column[key] * _MASS_UNIT / cosmology.h for name, key in (("m_500c", "MASSES"), ("m_gas", "MGAS"))}
    values = masses | {"l_x": column["LGAS"], "t_x": column["TGAS"]}
    known = np.all([np.isfinite(v) & (v > 0) for v in values.values()], axis=0)
    values = {name: v[known] for name, v in values.items()}
    _refuse_other_units(file, values["m_500c"], column["RADII"][known], z=z, cosmology=cosmology)
    parameters = {name: getattr(cosmology, name) for name in ("sigma8", "Om0", "Ob0", "H0")} | {"z": z}
    return pl.DataFrame(values | {"y_500": values["m_gas"] * values["t_x"]}).with_columns(
        pl.lit(value, dtype=pl.Float64).alias(name) for name, value in parameters.items()
    )


def _cosmology_of(file: Path) -> Cosmology:
    found = _FOLDER.fullmatch(file.parent.name)
    if found is None:
        raise InputError(
            f"{file.parent}: the name does not tell the cosmology; it must be mr_OM0_OB0_SIGMA8_H, four numbers"
        )
    om0, ob0, sigma8, h = (float(text) for text in found.groups())
    return Cosmology(Om0=om0, Ob0=ob0, sigma8=sigma8, H0=h if h > 10 else 100 * h, ns=_NS)


def _redshift_of(file: Path) -> float:
    number = _SNAPSHOT.fullmatch(file.name)
    if number is None or number[1] not in _REDSHIFTS:
        raise InputError(f"{file}: the redshift of this snapshot is not known; known are {', '.join(_REDSHIFTS)}")
    return _REDSHIFTS[number[1]]


def _read(file: Path) -> dict[str, FloatArray]:
    """Return the values within R_500c of each key."""
    try:
        with file.open("rb") as stream:
            content = _ArraysOnly(stream, encoding="latin1").load()
        return {key: np.asarray(content[key], dtype=np.float64)[:, _R500C] for key in _KEYS}
    except KeyError as error:
        raise InputError(f"{file} lacks {error}; needed are {', '.join(_KEYS)}") from error
    except Exception as error:  # whatever a damaged or foreign pickle makes of itself
        raise InputError(
            f"{file} is not a pickled dictionary of arrays with the columns {', '.join(_APERTURES)}: {error}"
        ) from error


def _refuse_other_units(file: Path, m: FloatArray, radii: FloatArray, *, z: float, cosmology: Cosmology) -> None:
    """Refuse masses that are not those within the radii [comoving kpc/h], as R_500c defines them."""
    expected = np.array([r_500c(one, z, cosmology) for one in m.tolist()])
    ratio = float(np.median(radii / (1 + z) / cosmology.h / expected)) if len(m) else 1.0
    if not abs(ratio - 1) < 0.02:
        raise InputError(
            f"{file}: the radii are {ratio:.3g} times the R_500c of the masses; expected are MASSES in 1e10 solMass/h, "
            f"RADII in comoving kpc/h, and the columns {', '.join(_APERTURES)}"
        )
