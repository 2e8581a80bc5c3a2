"""How finely the forward model is computed; what it models is the preset."""

from dataclasses import dataclass
from typing import final

from earnest_common.errors import InputError

__all__ = ["Resolution"]


@final
@dataclass(frozen=True, kw_only=True)
class Resolution:
    """Resolution of the semi-analytic table.

    Attributes
    ----------
    n_nuisance
        Points of the quasi-random design over the factors of the scaling relations, a power of two.
    n_sigma8
        Cells of a continuous sigma8 prior; a gridded prior brings its own values.
    log10_m_step, log10_x_step
        Steps of the integrals over mass and over Y_X or L_X [dex].
    """

    n_nuisance: int = 1024
    n_sigma8: int = 44
    log10_m_step: float = 0.02
    log10_x_step: float = 0.025

    def __post_init__(self) -> None:
        if self.n_nuisance < 1 or self.n_nuisance & (self.n_nuisance - 1):
            raise InputError(f"n_nuisance = {self.n_nuisance} must be a power of two, such as 512 or 1024")
        if self.n_sigma8 < 2:
            raise InputError(f"n_sigma8 = {self.n_sigma8} must be at least 2")
        if not (0 < self.log10_m_step <= 0.1 and 0 < self.log10_x_step <= 0.1):
            raise InputError(
                f"log10_m_step = {self.log10_m_step} and log10_x_step = {self.log10_x_step} "
                "must be positive and at most 0.1 dex"
            )
