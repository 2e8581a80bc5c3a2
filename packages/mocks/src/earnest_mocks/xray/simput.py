"""Photon lists on disk: SIMPUT files with the headers of the PHOX simulator, written and read.

Three parts: facts about the field in the primary header, a catalog of one source (``SRC_CAT``), and the photons
(``PHLIST``: ENERGY, RA, DEC). What the Magneticum portal's PHOX jobs deliver is read by the same function.
"""

import math
import re
import warnings
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np
from earnest_common.arrays import FloatArray
from earnest_common.errors import InputError, IntegrityError, MissingExtraError
from earnest_common.run.files import refuse_existing, replace_atomically

from earnest_mocks.xray.instrument import Instrument
from earnest_mocks.xray.photon_list import PhotonList

__all__ = ["read_photons", "write_photons"]

_ERG_PER_KEV = 1.602176634e-9
_COLUMNS = ("ENERGY", "RA", "DEC")
_UNITS = {
    "ENERGY": {"kev": 1.0, "ev": 1e-3, "mev": 1e3},
    "RA": {"deg": 1.0, "degree": 1.0, "degrees": 1.0, "arcmin": 1 / 60, "arcsec": 1 / 3600, "rad": 180 / math.pi},
    "AREA": {"cm2": 1.0, "cm^2": 1.0, "cm**2": 1.0, "m2": 1e4, "m^2": 1e4, "m**2": 1e4},
    "TIME": {"s": 1.0, "sec": 1.0, "ks": 1e3, "ksec": 1e3, "min": 60.0, "h": 3600.0},
    "M500C": {"solmass": 1.0, "msun": 1.0},
    "TX": {"kev": 1.0, "ev": 1e-3, "k": 1 / 1.160451812e7},
}
_UNITS["DEC"] = _UNITS["RA"]

_CARDS = {
    "SIMUL": "simulation",
    "SNAPNUM": "snapshot",
    "REDSHIFT": "redshift of the cluster",
    "MODE": "1 = ICM, 2 = AGN, 3 = both",
    "INSTR": "-1 = generic instrument",
    "AREA": "[cm2] effective area",
    "TIME": "[s] exposure time",
    "XC": "[kpc/h] centre of the field",
    "YC": "[kpc/h] centre of the field",
    "ZC": "[kpc/h] centre of the field",
    "WIDTH": "[kpc/h] width of the field",
    "DEPTH": "[kpc/h] depth of the field",
    "CLUSTER": "identity in its base sample",
    "M500C": "[solMass] mass of the cluster",
    "TX": "[keV] temperature of the cluster",
    "METALS": "metals of its gas in solar units",
    "SEED": "seed of the random numbers",
}
_DEFAULTS: dict[str, Any] = {"SIMUL": "unknown", "SNAPNUM": -1, "MODE": 1, "INSTR": -1}
_PLACES: dict[str, float] = dict.fromkeys(("XC", "YC", "ZC", "WIDTH", "DEPTH"), 0.0)


def write_photons(path: str | PathLike[str], photons: PhotonList, *, instrument: Instrument | None = None) -> None:
    """Write a photon list as a SIMPUT file with the headers of PHOX.

    Positions are written in single precision, as PHOX does: good to 0.001 arcsec, for they count from zero.

    Parameters
    ----------
    path
        The file, ending in ``.fits``.
    photons
        What to write.
    instrument
        Gives the band in the source catalog; default the paper's.

    Raises
    ------
    OutputExistsError
        If the path is taken.
    MissingExtraError
        If astropy is not installed.
    """
    fits = _fits()
    path = refuse_existing(Path(path))
    primary = fits.PrimaryHDU()
    facts = {**_DEFAULTS, **_PLACES, **photons.about}
    facts |= {"REDSHIFT": photons.z, "AREA": photons.area, "TIME": photons.exposure}
    for name in [*(k for k in _CARDS if k in facts), *(k for k in facts if k not in _CARDS)]:
        primary.header[name] = (facts[name], _CARDS.get(name, ""))
    parts = fits.HDUList(
        [primary, _source_catalog(fits, photons, instrument or Instrument()), _list_part(fits, photons)]
    )

    parts.update_extend()
    for part in parts:
        part.add_checksum(when="of this unit")  # astropy's own words hold the time of day

    def write(part: Path) -> None:
        with part.open("wb") as stream:
            parts.writeto(stream)

    replace_atomically(path, write)


def read_photons(path: str | PathLike[str]) -> PhotonList:
    """Return the photon list in a SIMPUT file, whoever wrote it.

    Offsets are counted from REFRA, REFDEC. Units come from TUNITn of the columns, which must be there, and from the
    comments of AREA, TIME, M500C and TX, in brackets or alone; cm2, s, solMass and keV where these state none.

    Raises
    ------
    InputError
        If the file does not exist, is not FITS, or lacks a part, keyword, column or unit of a column; all that is
        missing is listed.
    IntegrityError
        If the file is cut short or its DATASUM or CHECKSUM does not match.
    MissingExtraError
        If astropy is not installed.

    Examples
    --------
    >>> import tempfile
    >>> from earnest_mocks.base_sample.emulator import emulate
    >>> from earnest_mocks.xray.photons import Observation, emulate_photons
    >>> short = Observation(instrument=Instrument(exposure=1e3))
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     write_photons(f"{folder}/3.fits", emulate_photons(emulate(n_clusters=20), 3, seed=1, observation=short))
    ...     read_photons(f"{folder}/3.fits")
    PhotonList(141 photons, z 0.0663, 600 cm2, 1000 s)
    """
    fits, path = _fits(), Path(path)
    try:
        # astropy only warns of a file cut short, or whose DATASUM and CHECKSUM, where it has them, do not match.
        with warnings.catch_warnings():
            warnings.filterwarnings("error", message=".*(truncated|(Checksum|Datasum) verification failed).*")
            with path.open("rb") as stream, fits.open(stream, memmap=False, checksum=True) as parts:
                return _read(path, parts)
    except FileNotFoundError as error:
        raise InputError(f"photon list {path} does not exist") from error
    except (OSError, TypeError, ValueError, Warning) as error:
        reason = str(error).splitlines()[0]
        raise IntegrityError(
            f"photon list {path} cannot be read as FITS ({reason}); copy or download it again"
        ) from error


def _read(path: Path, parts: Any) -> PhotonList:  # noqa: ANN401 - astropy has no types
    names = [part.name for part in parts]
    if "PHLIST" not in names:
        raise InputError(f"photon list {path}: part PHLIST is missing, found {', '.join(names)}; give a SIMPUT file")
    primary, table = parts[0].header, parts["PHLIST"]
    problems = [f"keyword {k} ({_CARDS[k]}) is missing" for k in ("REDSHIFT", "AREA", "TIME") if k not in primary]
    present = [name.upper() for name in table.columns.names]
    problems += [
        f"column {name} of PHLIST is missing, found {', '.join(present)}" for name in _COLUMNS if name not in present
    ]
    problems += [
        f"column {c.name} of PHLIST states no unit; set TUNIT{i}, one of {', '.join(_UNITS[c.name.upper()])}"
        for i, c in enumerate(table.columns, start=1)
        if c.name.upper() in _COLUMNS and not (c.unit or "").strip()
    ]
    if problems:
        raise InputError(f"photon list {path}: {'; '.join(problems)}; give what PHOX or `earnest mocks photons` wrote")
    energy, ra, dec = (_column(path, table, name) for name in _COLUMNS)
    x, y = _offsets(ra, dec, table.header)
    z = _number(path, primary, "REDSHIFT")
    area, exposure = (_quantity(path, primary, name) for name in ("AREA", "TIME"))
    if not (z > 0 and area > 0 and exposure > 0):
        raise InputError(
            f"photon list {path}: REDSHIFT = {z}, AREA = {area} cm2 and TIME = {exposure} s must all be positive"
        )
    about = {k: primary[k] for k in _CARDS if k in primary and k not in ("REDSHIFT", "AREA", "TIME")}
    about |= {k: _quantity(path, primary, k) for k in ("M500C", "TX") if k in about}
    about |= {k: _number(path, primary, k) for k in ("METALS",) if k in about}
    return PhotonList(energy=energy, x=x, y=y, z=z, area=area, exposure=exposure, about=about)


def _offsets(ra: FloatArray, dec: FloatArray, header: Any) -> tuple[FloatArray, FloatArray]:  # noqa: ANN401
    """Return offsets from the reference position [arcmin] on a flat sky; right ascension may wrap around zero."""
    ref_ra, ref_dec = (float(header.get(name, 0.0)) for name in ("REFRA", "REFDEC"))
    delta = np.mod(ra - ref_ra + 180.0, 360.0) - 180.0
    return 60 * delta * math.cos(math.radians(ref_dec)), 60 * (dec - ref_dec)


def _column(path: Path, table: Any, name: str) -> FloatArray:  # noqa: ANN401
    column = next(c for c in table.columns if c.name.upper() == name)
    factor = _factor(path, name, column.unit)
    values = np.asarray(table.data[column.name], dtype=np.float64) * factor
    if not np.isfinite(values).all():
        n = int((~np.isfinite(values)).sum())
        raise InputError(f"photon list {path}: {n} of {len(values)} values of {name} are not finite; make it again")
    return np.asarray(values)


def _number(path: Path, header: Any, name: str) -> float:  # noqa: ANN401
    try:
        return float(header[name])
    except (TypeError, ValueError) as error:
        raise InputError(f"photon list {path}: {name} = {header[name]!r} is not a number") from error


def _quantity(path: Path, header: Any, name: str) -> float:  # noqa: ANN401
    """Return the value of a keyword in the unit of its comment, be that in brackets or alone."""
    comment = str(header.comments[name]).strip()
    if bracketed := re.match(r"\[([^]]*)\]", comment):
        unit = bracketed[1]
    else:
        candidates = [comment, *re.findall(r"\(([^)]*)\)", comment)]
        unit = next((text for text in candidates if text.strip().lower() in _UNITS[name]), "")
    return _number(path, header, name) * _factor(path, name, unit)


def _factor(path: Path, name: str, unit: str | None) -> float:
    known = _UNITS[name]
    if not unit or not unit.strip():
        return 1.0
    if unit.strip().lower() not in known:
        raise InputError(f"photon list {path}: unit '{unit}' of {name} is not understood; known are {', '.join(known)}")
    return known[unit.strip().lower()]


def _source_catalog(fits: Any, photons: PhotonList, instrument: Instrument) -> Any:  # noqa: ANN401
    flux = photons.energy.sum() * _ERG_PER_KEV / (photons.area * photons.exposure)
    row: list[tuple[str, str, str | None, Any]] = [
        ("SRC_ID", "K", None, 1),
        ("SRC_NAME", "26A", None, "earnest"),
        ("RA", "E", "deg", 0.0),
        ("DEC", "E", "deg", 0.0),
        ("E_MIN", "E", "keV", instrument.e_min),
        ("E_MAX", "E", "keV", instrument.e_max),
        ("FLUX", "E", "erg/s/cm**2", flux),
        ("SPECTRUM", "10A", None, "[PHLIST,1]"),
        ("IMAGE", "10A", None, "[PHLIST,1]"),
        ("TIMING", "4A", None, "NULL"),
    ]
    columns = [fits.Column(name=name, format=form, unit=unit, array=[value]) for name, form, unit, value in row]
    return _part(fits, columns, name="SRC_CAT", kind="SRC_CAT")


def _list_part(fits: Any, photons: PhotonList) -> Any:  # noqa: ANN401
    values = (("keV", photons.energy), ("deg", photons.x / 60), ("deg", photons.y / 60))
    columns = [
        fits.Column(name=name, format="E", unit=unit, array=array.astype(np.float32))
        for name, (unit, array) in zip(_COLUMNS, values, strict=True)
    ]
    part = _part(fits, columns, name="PHLIST", kind="PHOTONS")
    part.header["REFRA"], part.header["REFDEC"] = 0.0, 0.0
    return part


def _part(fits: Any, columns: list[Any], *, name: str, kind: str) -> Any:  # noqa: ANN401
    part = fits.BinTableHDU.from_columns(columns, name=name)
    part.header["HDUCLASS"], part.header["HDUCLAS1"], part.header["HDUCLAS2"] = "HEASARC", "SIMPUT", kind
    part.header["HDUVERS"], part.header["EXTVER"] = "1.1.0", 1
    return part


def _fits() -> Any:  # noqa: ANN401
    try:
        from astropy.io import fits
    except ImportError as error:
        raise MissingExtraError.of("reading and writing photon lists", "earnest-mocks", "xray") from error
    return fits
