"""Poisson fit of the projected Vikhlinin (2006) model to surface-brightness annuli."""

from dataclasses import dataclass
from typing import final

import numpy as np
from earnest_common.arrays import FloatArray
from scipy.special import xlogy

from earnest_mocks.gas.profile import GasProfile

__all__ = ["EmissionFit", "fit_emission", "profile_of"]

_NAMES = ("ln_amplitude", "ln_core_radius", "ln_scale_radius", "alpha", "beta", "epsilon")
_SECOND_NAMES = ("ln_second_amplitude", "ln_second_core_radius", "second_beta")

# Radii in R_500c. epsilon <= 5 is the bound of Vikhlinin et al. (2006); the others only keep the fit on the map.
_LOW = np.array([-200.0, np.log(0.002), np.log(0.1), 0.0, 0.1, 0.0, -200.0, np.log(0.002), 0.4])
_HIGH = np.array([200.0, np.log(1.0), np.log(5.0), 3.0, 1.5, 5.0, 200.0, np.log(0.1), 3.0])
_STARTS = ((0.05, 0.6, 0.5, 0.38, 2.2), (0.15, 0.8, 0.1, 0.5, 1.5), (0.02, 0.5, 1.2, 0.35, 2.5))
_SECOND_START = (0.02, 1.0)

_MISFIT = 1.0
"""Standard deviations by which the deviance may exceed its mean before another start is tried."""

_NEEDED_GAIN = 12.0
"""Improvement of C from which a second component is believed: three parameters, each ln(45 annuli)."""


@final
@dataclass(frozen=True, kw_only=True, eq=False)
class EmissionFit:
    """The best model of n_p n_e.

    Attributes
    ----------
    parameters
        ln_amplitude, ln_core_radius, ln_scale_radius, alpha, beta, epsilon and, with two components,
        ln_second_amplitude, ln_second_core_radius, second_beta; amplitudes in the units of the response matrix, radii
        in those of its nodes; shape (6,) or (9,).
    covariance
        Their covariance from the Fisher information, zero for parameters at a bound, shape (p, p).
    expected
        Expected counts of each annulus, shape (n,).
    deviance
        Poisson deviance C = 2 sum(mu - n + n ln(n / mu)).
    degrees_of_freedom
        Annuli less free parameters.
    """

    parameters: FloatArray
    covariance: FloatArray
    expected: FloatArray
    deviance: float
    degrees_of_freedom: int

    @property
    def n_components(self) -> int:
        """One or two."""
        return 1 if len(self.parameters) == len(_NAMES) else 2


@final
@dataclass(frozen=True, kw_only=True, eq=False)
class _Data:
    """What is fitted: counts and background of each annulus, the response matrix, and ln r of its columns."""

    counts: FloatArray
    background: FloatArray
    response: FloatArray
    ln_r: FloatArray


def fit_emission(
    counts: FloatArray, response: FloatArray, r: FloatArray, *, background: FloatArray | None = None
) -> EmissionFit:
    r"""Return the maximum-likelihood model of the counts in annuli.

    .. math:: \ln L = \sum_i n_i \ln\mu_i - \mu_i, \quad \mu = W\, q(r; \theta) + b

    A second component is added where it improves the deviance by 12.

    Parameters
    ----------
    counts
        Photons in each annulus, shape (n,).
    response
        W, from emissivities at the radii to expected counts, shape (n, k).
    r
        The radii, shape (k,).
    background
        b, the counts that are expected of anything else, shape (n,); default none.

    References
    ----------
    Vikhlinin et al. (2006), arXiv:astro-ph/0507092, equation 3.
    """
    nothing = np.zeros(len(counts))
    data = _Data(
        counts=counts, background=nothing if background is None else background, response=response, ln_r=np.log(r)
    )
    best, deviance = _best_single(data)
    both = _climb(data, _with_second(best))
    if both[1] < deviance - _NEEDED_GAIN:
        best, deviance = both
    expected, jacobian = _predict(data, best)
    free = _free(best, np.zeros(len(best)))
    information = (jacobian[:, free] / expected[:, None]).T @ jacobian[:, free]
    covariance = np.zeros((len(best), len(best)))
    covariance[np.ix_(free, free)] = _inverse(information)
    return EmissionFit(
        parameters=best,
        covariance=covariance,
        expected=expected,
        deviance=deviance,
        degrees_of_freedom=len(counts) - int(free.sum()),
    )


def profile_of(parameters: FloatArray) -> tuple[GasProfile, FloatArray]:
    """Return the gas profiles and the ln of the main amplitudes of parameters of shape (m, 6) or (m, 9)."""
    p = np.atleast_2d(parameters)
    m = len(p)
    second = p[:, 6:] if p.shape[1] > len(_NAMES) else np.tile([-np.inf, np.log(_SECOND_START[0]), 1.0], (m, 1))
    shape = GasProfile(
        core_radius=np.exp(p[:, 1]),
        scale_radius=np.exp(p[:, 2]),
        alpha=p[:, 3],
        beta=p[:, 4],
        epsilon=p[:, 5],
        second_amplitude=np.exp(second[:, 0] - p[:, 0]) if p.shape[1] > len(_NAMES) else np.zeros(m),
        second_core_radius=np.exp(second[:, 1]),
        second_beta=second[:, 2],
    )
    return shape, p[:, 0]


def _best_single(data: _Data) -> tuple[FloatArray, float]:
    """Return the best single component; another start is tried only where the last one ended in a misfit."""
    ends = []
    for shape in _STARTS:
        ends.append(_climb(data, _start(data, shape)))
        n_free = len(data.counts) - len(_NAMES)
        if ends[-1][1] < n_free + _MISFIT * np.sqrt(2 * max(n_free, 0)):
            break
    return min(ends, key=lambda end: end[1])


def _start(data: _Data, shape: tuple[float, ...]) -> FloatArray:
    """Return a start whose amplitude reproduces the total counts."""
    core, scale, alpha, beta, epsilon = shape
    start = np.array([0.0, np.log(core), np.log(scale), alpha, beta, epsilon])
    expected, _ = _predict(data, start)
    others = data.background.sum()
    start[0] = np.log(max(data.counts.sum() - others, 1.0) / (expected.sum() - others))
    return start


def _with_second(parameters: FloatArray) -> FloatArray:
    """Return a start with a second component of the same central brightness as the main one."""
    core, beta = _SECOND_START
    x = core / np.exp(parameters[1])
    height = parameters[0] - parameters[3] * np.log(x) + (parameters[3] / 2 - 3 * parameters[4]) * np.log1p(x**2)
    return np.concatenate([parameters, [height, np.log(core), beta]])


def _climb(data: _Data, start: FloatArray, *, n_steps: int = 200) -> tuple[FloatArray, float]:
    """Return the parameters of least deviance, by damped Fisher scoring within the bounds, and the deviance."""
    here, damping = start, 1e-2
    low, high = _LOW[: len(start)], _HIGH[: len(start)]
    expected, jacobian = _predict(data, here)
    deviance = _deviance(data.counts, expected)
    for _ in range(n_steps):
        gradient = jacobian.T @ (1 - data.counts / expected)
        free = _free(here, gradient)
        weighted = jacobian[:, free] / np.sqrt(expected)[:, None]
        information = weighted.T @ weighted
        scale = np.diag(information) + 1e-12 * np.trace(information)
        step = np.zeros(len(here))
        step[free] = -np.linalg.solve(information + damping * np.diag(scale), gradient[free])
        there = np.clip(here + step, low, high)
        expected_there, jacobian_there = _predict(data, there)
        deviance_there = _deviance(data.counts, expected_there)
        if deviance_there <= deviance:
            gain = deviance - deviance_there
            here, deviance, expected, jacobian = there, deviance_there, expected_there, jacobian_there
            damping = max(damping / 5, 1e-9)
            if gain < 1e-4:
                break
        else:
            damping *= 4
            if damping > 1e8:
                break
    return here, deviance


def _free(parameters: FloatArray, gradient: FloatArray) -> np.ndarray:
    """Return which parameters are not held at a bound (against which the deviance still falls)."""
    low, high = _LOW[: len(parameters)], _HIGH[: len(parameters)]
    return ~(((parameters <= low) & (gradient >= 0)) | ((parameters >= high) & (gradient <= 0)))


def _predict(data: _Data, parameters: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return the expected counts, shape (n,), and their derivatives, shape (n, p)."""
    emission, slopes = _emission(parameters, data.ln_r)
    expected = data.response @ emission.sum(axis=1) + data.background
    columns = [emission[:, :1] * slopes[:, : len(_NAMES)]]
    if len(parameters) > len(_NAMES):
        columns.append(emission[:, 1:] * slopes[:, len(_NAMES) :])
    return np.maximum(expected, 1e-300), data.response @ np.concatenate(columns, axis=1)


def _emission(parameters: FloatArray, ln_r: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return n_p n_e of each component, shape (k, 1 or 2), and d ln of it by its parameters, shape (k, p)."""
    amplitude, ln_core, ln_scale, alpha, beta, epsilon = parameters[:6]
    ln_x = ln_r - ln_core
    u, w = np.exp(2 * ln_x), np.exp(3 * (ln_r - ln_scale))
    ln_u, ln_w = np.log1p(u), np.log1p(w)
    inner, outer = u / (1 + u), w / (1 + w)
    main = amplitude - alpha * ln_x + (alpha / 2 - 3 * beta) * ln_u - epsilon / 3 * ln_w
    slopes = [
        np.ones_like(ln_r),
        alpha + (6 * beta - alpha) * inner,
        epsilon * outer,
        ln_u / 2 - ln_x,
        -3 * ln_u,
        -ln_w / 3,
    ]
    emission = [main]
    if len(parameters) > len(_NAMES):
        second_amplitude, ln_second, second_beta = parameters[6:]
        v = np.exp(2 * (ln_r - ln_second))
        emission.append(second_amplitude - 3 * second_beta * np.log1p(v))
        slopes += [np.ones_like(ln_r), 6 * second_beta * v / (1 + v), -3 * np.log1p(v)]
    return np.exp(np.stack(emission, axis=1)), np.stack(slopes, axis=1)


def _deviance(counts: FloatArray, expected: FloatArray) -> float:
    return float(2 * np.sum(expected - counts + xlogy(counts, counts / expected)))


def _inverse(information: FloatArray) -> FloatArray:
    """Return the inverse of an information matrix; directions of which the data say nothing are left out."""
    scale = 1 / np.sqrt(np.maximum(np.diag(information), 1e-300))
    return np.asarray(
        np.linalg.pinv(information * scale[:, None] * scale, rcond=1e-9, hermitian=True) * scale[:, None] * scale
    )
