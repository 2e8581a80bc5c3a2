"""The instrument of the mock observation: what decides which photons are seen."""

from dataclasses import dataclass, fields
from typing import final

from earnest_common.errors import InputError

__all__ = ["Instrument"]


@final
@dataclass(frozen=True, kw_only=True)
class Instrument:
    """A generic X-ray telescope: flat effective area, square field, no background, infinitely sharp.

    Attributes
    ----------
    area
        Effective area at every energy of the band [cm^2].
    exposure
        Exposure time [s].
    e_min, e_max
        Band of observed photon energies [keV].
    field_of_view
        Width of the square field [arcmin].
    pixel
        Width of a pixel of the image [arcsec].

    References
    ----------
    Ntampaka & Vikhlinin (arXiv:2112.05768), section 2.1.2.

    Examples
    --------
    >>> Instrument().n_pixels
    420
    """

    area: float = 600.0
    exposure: float = 1e5
    e_min: float = 0.5
    e_max: float = 2.0
    field_of_view: float = 42.0
    pixel: float = 6.0

    def __post_init__(self) -> None:
        problems = [f"{f.name} = {getattr(self, f.name)}" for f in fields(self) if not getattr(self, f.name) > 0]
        if problems:
            raise InputError(f"instrument: all fields must be positive, found {', '.join(problems)}")
        if not self.e_min < self.e_max:
            raise InputError(f"instrument: e_min = {self.e_min} keV must lie below e_max = {self.e_max} keV")
        if self.n_pixels < 16:
            raise InputError(
                f"instrument: a field of {self.field_of_view} arcmin is {self.n_pixels} pixels of {self.pixel} arcsec "
                "wide; at least 16 are needed"
            )

    @property
    def n_pixels(self) -> int:
        """Pixels along one side of the image."""
        return round(self.field_of_view * 60 / self.pixel)
