"""Photons of one observation, and what is known about the field they come from."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, final

import numpy as np
from earnest_common.arrays import FloatArray
from earnest_common.errors import InputError

from earnest_mocks.xray.instrument import Instrument

__all__ = ["PhotonList"]


@final
@dataclass(frozen=True, kw_only=True, eq=False)
class PhotonList:
    """Photons on a flat field around one cluster.

    Attributes
    ----------
    energy
        Observed energies [keV], shape (n,).
    x, y
        Offsets from the middle of the field, along right ascension and declination [arcmin], shape (n,).
    z
        Redshift of the cluster.
    area
        Effective area that collected the photons [cm^2].
    exposure
        Exposure time [s].
    about
        Further facts by header keyword, such as where the field lies in a simulation; ``M500C`` [solMass], ``TX`` [keV]
        and ``CLUSTER`` where the list was emulated.
    """

    energy: FloatArray
    x: FloatArray
    y: FloatArray
    z: float
    area: float
    exposure: float
    about: Mapping[str, Any] = field(default_factory=dict)

    def __repr__(self) -> str:
        """Return one line: number of photons, redshift, area and exposure."""
        return f"PhotonList({self.n_photons:,} photons, z {self.z:g}, {self.area:g} cm2, {self.exposure:g} s)"

    @property
    def n_photons(self) -> int:
        """The number of photons."""
        return len(self.energy)

    def within(self, instrument: Instrument, *, subject: str = "photon list") -> "PhotonList":
        """Return the photons inside the instrument's band and field of view.

        Raises
        ------
        InputError
            If none is left; the message says where the photons are.
        """
        half = instrument.field_of_view / 2
        in_band = (self.energy >= instrument.e_min) & (self.energy < instrument.e_max)
        in_field = (np.abs(self.x) < half) & (np.abs(self.y) < half)
        seen = in_band & in_field
        if not seen.any():
            raise InputError(f"{subject}: {_why_none(self, instrument, in_band=in_band, in_field=in_field)}")
        return replace(self, energy=self.energy[seen], x=self.x[seen], y=self.y[seen])


def _why_none(photons: PhotonList, instrument: Instrument, *, in_band: np.ndarray, in_field: np.ndarray) -> str:
    """Say why no photon is left."""
    if photons.n_photons == 0:
        return "it holds no photons; make it again with a longer exposure or look whether the job failed"
    seen = f"none of {photons.n_photons} photons"
    if not in_band.any():
        low, high = photons.energy.min(), photons.energy.max()
        return (
            f"{seen} lies in the band {instrument.e_min:g}-{instrument.e_max:g} keV (found {low:.3g}-{high:.3g} keV); "
            "give the band of the file, or look at the unit of ENERGY"
        )
    if not in_field.any():
        distance = math.hypot(float(np.median(photons.x)), float(np.median(photons.y)))
        return (
            f"{seen} lies in the field of view of {instrument.field_of_view:g} arcmin (their middle is {distance:.3g} "
            "arcmin away); look at REFRA and REFDEC and at the units of RA and DEC"
        )
    return f"{seen} lies both in the band and in the field of view; look at the file"
