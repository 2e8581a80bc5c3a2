"""Gas profiles of given concentration: how much a gas mass emits, by the outer slope of its density."""

from dataclasses import replace

import numpy as np
from earnest_common.arrays import FloatArray

from earnest_mocks.gas.profile import GasProfile, density

__all__ = ["CORE", "OuterEmission"]

CORE = 0.15
"""Radius within which observers leave out the core [R_500c] (Pratt et al. 2009; Maughan 2007)."""

_INNERMOST = 1e-5  # R_500c; inside of it a cusp of rho^2 as steep as r^-2 emits 1e-4 of the core
_STEEPEST = (
    0.85  # beta; not far beyond, the core takes over the mass, and the concentration outside of it rises no more
)
_STEPS = 10


class OuterEmission:
    r"""Profiles that differ in the outer slope alone, and their concentrations beyond the core and in the core.

    .. math::
        C_\mathrm{out} = \frac{\langle\rho^2\rangle_{0.15 < r < 1}}{\langle\rho\rangle^2}, \quad
        E = \frac{\langle\rho^2\rangle_{r < 1}}{\langle\rho^2\rangle_{0.15 < r < 1}}

    with averages over the volume of the sphere of radius R_500c. At given gas mass, temperature and radius the
    luminosity beyond the core goes as C_out and the whole luminosity as C_out E. Gas of even density has C_out = 1;
    no gas whose density falls outwards has less than 0.9966.

    Parameters
    ----------
    profile
        The profiles without second component; their ``beta`` does not count.
    tail
        log10 of the main component's emission with its second component over that without, not negative, shape (n,).
    """

    def __init__(self, profile: GasProfile, tail: FloatArray) -> None:
        self._profile, self._tail = profile, tail
        inner, inner_volume = _nodes(_INNERMOST, CORE)
        outer, outer_volume = _nodes(CORE, 1.0)
        r = np.concatenate([inner, outer])
        self._n_inner = len(inner)
        self._volume = np.concatenate([inner_volume, outer_volume])
        flat = replace(profile, beta=np.zeros_like(profile.beta), second_amplitude=np.zeros_like(profile.beta))
        self._ln_flat = 2 * np.log(density(flat, r))
        self._fall = 3 * np.log1p((r / profile.core_radius[:, None]) ** 2)
        self._second = (1 + (r / profile.second_core_radius[:, None]) ** 2) ** (-3 * profile.second_beta[:, None])
        self._second_emission = self._second @ self._volume

    def with_concentration(self, log10_outer: FloatArray, growth: float = 1.0) -> tuple[GasProfile, FloatArray]:
        """Return the profiles whose log10 C_out is given, and the log10 of their C_out E, shape (n,).

        Parameters
        ----------
        log10_outer
            log10 C_out, shape (n,); where no slope from 0 to 3 beta = 2.55 reaches it, the nearest is taken.
        growth
            Factor of the tails.
        """
        n = len(log10_outer)
        low, high = np.zeros(n), np.full(n, _STEEPEST)
        below, above = (self._concentration(beta, growth)[0] - log10_outer for beta in (low, high))
        beta = np.where(below >= 0, low, high)
        # Regula falsi after Illinois: an end that stays twice counts half.
        for _ in range(_STEPS):
            beta = np.where((below < 0) & (above > 0), low - below * (high - low) / (above - below), beta)
            off = self._concentration(beta, growth)[0] - log10_outer
            short = off < 0
            below, above = np.where(short, off, below / 2), np.where(short, above / 2, off)
            low, high = np.where(short, beta, low), np.where(short, high, beta)
        outer, core, amplitude = self._concentration(beta, growth)
        return replace(self._profile, beta=beta, second_amplitude=amplitude), outer + core

    def _concentration(self, beta: FloatArray, growth: float) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Return log10 C_out, log10 E and the amplitudes of the second components, each of shape (n,)."""
        main = np.exp(self._ln_flat - beta[:, None] * self._fall)
        amplitude = (10 ** (growth * self._tail) - 1) * (main @ self._volume) / self._second_emission
        squared = main + amplitude[:, None] * self._second
        mass = np.sqrt(squared) @ self._volume
        inner = squared[:, : self._n_inner] @ self._volume[: self._n_inner]
        outer = squared[:, self._n_inner :] @ self._volume[self._n_inner :]
        return np.log10(outer / mass**2), np.log10(1 + inner / outer), amplitude


def _nodes(a: float, b: float) -> tuple[FloatArray, FloatArray]:
    """Return radii and their shares of the volume of the unit sphere, by Gauss-Legendre quadrature in ln r."""
    pieces = np.linspace(np.log(a), np.log(b), int(np.ceil(np.log(b / a))) + 1)
    nodes, weights = np.polynomial.legendre.leggauss(8)
    half = np.diff(pieces)[:, None] / 2
    r = np.exp((pieces[:-1, None] + half * (1 + nodes)).ravel())
    return r, 3 * r**3 * (half * weights).ravel()
