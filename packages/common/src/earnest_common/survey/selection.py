"""The share of the survey volume in which a cluster is detected."""

import math
from dataclasses import dataclass, field
from typing import final

import numpy as np
from scipy.special import ndtr

from earnest_common.arrays import FloatArray, FloatLike
from earnest_common.errors import InputError
from earnest_common.survey.scaling import TABLE_2, PowerLaw

__all__ = ["Selection"]

_LN_10 = math.log(10.0)


_MOST_SLOPE, _MOST_SMOOTHING = 100, 0.5  # a wider blur reaches masses of single galaxies and costs minutes
_MASSES = (5, 18)


@final
@dataclass(frozen=True, kw_only=True)
class Selection:
    """S_obs(M) = V_obs(M) / V_tot of a flux-limited survey between two redshifts.

    S = 1 above the break, (M / M_break)^A below it, 0 below M_min.

    Attributes
    ----------
    log10_m_break
        log10 of the mass [solMass], h-free, above which the whole volume is seen. The paper: 14.4, printed in solar
        masses without h (``paper``); read as solMass/h (``paper-h``) it gives half the clusters.
    log10_m_min
        log10 of the lowest mass [solMass], h-free. The paper: 13.6, again without h.
    slope
        A. The paper: 2.4 (its "2.43" is 2.4 with footnote 3).
    smoothing
        Gaussian width [dex in mass] over which break and cut are blurred. The paper: 0 in the main text, 0.076 in
        appendix A, where it stands for the scatter of l_x at fixed mass (0.13 / 1.74). A cut in observed l_x has
        that blur by itself.
    l_x
        The reference relation, which turns the break into a flux limit and luminosities into equivalent masses.
    """

    log10_m_break: float = 14.4
    log10_m_min: float = 13.6
    slope: float = 2.4
    smoothing: float = 0.0
    l_x: PowerLaw = field(default=TABLE_2.l_x)

    def __post_init__(self) -> None:
        if not self.log10_m_min < self.log10_m_break:
            raise InputError(
                f"selection: log10_m_min = {self.log10_m_min} must lie below log10_m_break = {self.log10_m_break}"
            )
        if not 0 <= self.slope <= _MOST_SLOPE or not 0 <= self.smoothing <= _MOST_SMOOTHING:
            raise InputError(
                f"selection: slope = {self.slope} and smoothing = {self.smoothing} must not be negative, nor beyond "
                f"{_MOST_SLOPE} and {_MOST_SMOOTHING} dex"
            )
        if not (_MASSES[0] <= self.log10_m_min and self.log10_m_break <= _MASSES[1]):
            raise InputError(
                f"selection: log10_m_min = {self.log10_m_min} and log10_m_break = {self.log10_m_break} must lie "
                f"between {_MASSES[0]} and {_MASSES[1]}, the masses of dark halos in solMass"
            )

    def probability(
        self, log10_m: FloatLike, *, log10_m_break: FloatLike | None = None, smoothing: FloatLike | None = None
    ) -> FloatArray:
        """Return S_obs for masses and, if given, another break or smoothing; all three broadcast.

        Parameters
        ----------
        log10_m
            log10 of m_500c, or of the mass equivalent to an observed luminosity [solMass], h-free.
        log10_m_break
            Break of each catalog; default the field.
        smoothing
            Blur [dex]; default the field. Zero everywhere or positive everywhere.

        Returns
        -------
        Probabilities from 0 to 1.

        References
        ----------
        Ntampaka & Vikhlinin (arXiv:2112.05768), section 2.1.1, equation 1 and appendix A.

        Examples
        --------
        >>> Selection().probability(np.array([13.5, 14.0, 14.4, 15.0])).round(4)
        array([0.    , 0.1096, 1.    , 1.    ])
        """
        distance = np.asarray(log10_m - (self.log10_m_break if log10_m_break is None else log10_m_break))
        above_cut = np.asarray(log10_m - self.log10_m_min)
        width = np.asarray(self.smoothing if smoothing is None else smoothing)
        if not width.any():
            return np.where(above_cut >= 0, 10.0 ** (self.slope * np.minimum(distance, 0.0)), 0.0)
        return _smoothed(distance, above_cut, self.slope * _LN_10, width)

    def log10_m_break_of(self, l_x: PowerLaw) -> FloatLike:
        """Return the break at which another luminosity relation reaches the same flux limit.

        L_X(M_break) of that relation equals the reference relation's luminosity at ``log10_m_break``.

        Examples
        --------
        >>> from earnest_common.survey.scaling import with_factors
        >>> brighter = with_factors(TABLE_2, {"l_x_normalisation": 1.3}).l_x
        >>> round(float(Selection().log10_m_break_of(brighter)), 4)  # 14.4 - log10(1.3) / 1.74
        14.3345
        """
        return l_x.log10_mass(self.l_x.log10_mean(self.log10_m_break))

    def equivalent_log10_m(self, log10_l_x: FloatLike) -> FloatLike:
        """Return the mass [solMass] to which the reference relation gives a luminosity [1e44 erg/s]."""
        return self.l_x.log10_mass(log10_l_x)


def _smoothed(distance: FloatArray, above_cut: FloatArray, slope: float, width: FloatArray) -> FloatArray:
    """Return E[S(x + width z)], z standard normal, in closed form.

    With d = x - break, c = x - cut and a = slope ln 10 the two branches are
    P(z > -min(d, c) / w) and exp(a d + a^2 w^2 / 2) [Phi(-d/w - a w) - Phi(-c/w - a w)].
    """
    flat = ndtr(np.minimum(distance, above_cut) / width)
    shift = slope * width
    above_break, above_cut = distance / width + shift, above_cut / width + shift
    # Below the cut both tails are close to one: there their complements keep the difference exact.
    side = np.where(above_cut < 0, 1.0, -1.0)
    between = side * (ndtr(side * above_cut) - ndtr(side * above_break))
    return np.asarray(flat + np.exp(slope * distance + shift**2 / 2) * np.maximum(between, 0.0))
