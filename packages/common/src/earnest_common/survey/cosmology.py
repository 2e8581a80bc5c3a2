"""Flat LambdaCDM as plain data; no cosmology library is imported here."""

from dataclasses import dataclass, fields
from typing import final

from earnest_common.errors import InputError

__all__ = ["MAGNETICUM", "Cosmology"]


_LARGEST = {"H0": 1000, "ns": 3, "sigma8": 5}


@final
@dataclass(frozen=True, kw_only=True)
class Cosmology:
    """A flat LambdaCDM cosmology at redshift zero.

    Attributes
    ----------
    Om0, Ob0
        Matter and baryon density in units of the critical density.
    H0
        Hubble constant [km/s/Mpc].
    ns
        Slope of the primordial power spectrum.
    sigma8
        Linear rms density fluctuation in spheres of 8 h^-1 Mpc.

    Examples
    --------
    >>> round(MAGNETICUM.h, 3)
    0.704
    """

    Om0: float
    Ob0: float
    H0: float
    ns: float
    sigma8: float

    def __post_init__(self) -> None:
        problems = [f"{f.name} = {getattr(self, f.name)}" for f in fields(self) if not getattr(self, f.name) > 0]
        if problems:
            raise InputError(f"cosmology: all parameters must be positive, found {', '.join(problems)}")
        if large := [
            f"{name} = {getattr(self, name)}" for name, most in _LARGEST.items() if getattr(self, name) > most
        ]:
            raise InputError(f"cosmology: {', '.join(large)} cannot be; the largest are {_LARGEST}")
        if not self.Ob0 < self.Om0 <= 1:
            raise InputError(f"cosmology: 0 < Ob0 < Om0 <= 1 must hold, found Ob0 = {self.Ob0}, Om0 = {self.Om0}")

    @property
    def h(self) -> float:
        """The Hubble constant in units of 100 km/s/Mpc."""
        return self.H0 / 100


MAGNETICUM = Cosmology(Om0=0.272, Ob0=0.0456, H0=70.4, ns=0.963, sigma8=0.809)
"""The simulation behind the paper (WMAP7 of Komatsu et al. 2011; the paper's printed Omega_m of 0.226 is a slip)."""
