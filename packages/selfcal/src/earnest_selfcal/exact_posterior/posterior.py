"""The referee's posterior of sigma8 for one catalog."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import final

import numpy as np
from earnest_common.arrays import FloatArray
from earnest_common.errors import InputError
from earnest_common.posterior import Posterior

from earnest_selfcal.exact_posterior.likelihood import Likelihood
from earnest_selfcal.exact_posterior.mode import Peak, find_peak
from earnest_selfcal.exact_posterior.proposal import Draws, Proposal, first_proposal

__all__ = ["RefereeConfig", "RefereePosterior", "referee"]

_CELL = 0.0025  # of sigma8, for a continuous prior


@final
@dataclass(frozen=True, kw_only=True)
class RefereeConfig:
    """How hard the referee works.

    Attributes
    ----------
    n_draws
        Importance samples in the first round; each further round has half as many again.
    target_ess
        Effective sample size at which it stops. The error of a posterior mean is its standard deviation divided by
        the root of this number.
    max_rounds
        It stops after so many rounds in any case and reports the effective sample size of all its draws.
    """

    n_draws: int = 3000
    target_ess: float = 1200.0
    max_rounds: int = 6

    def __post_init__(self) -> None:
        if self.n_draws < 100 or self.max_rounds < 1 or not self.target_ess > 0:
            raise InputError(
                f"referee: n_draws = {self.n_draws} must be at least 100, max_rounds = {self.max_rounds} at least 1 "
                f"and target_ess = {self.target_ess} positive"
            )


@final
@dataclass(frozen=True, kw_only=True, eq=False)
class RefereePosterior:
    """What the referee finds.

    Attributes
    ----------
    posterior
        Probabilities of cells of sigma8; its ``ln_evidence`` is the data's.
    means
        Posterior mean of every parameter by name.
    ess
        Effective sample size.
    numerical_error
        Standard error of the posterior mean of sigma8 from the finite number of draws.
    n_draws
        Draws in all rounds.
    """

    posterior: Posterior
    means: dict[str, float]
    ess: float
    numerical_error: float
    n_draws: int


@final
@dataclass(frozen=True, kw_only=True, eq=False)
class _Sample:
    """Weighted draws of all rounds."""

    draws: Draws
    weight: FloatArray
    ess: float
    ln_evidence: float


def referee(
    likelihood: Likelihood, data: FloatArray, *, rng: np.random.Generator, config: RefereeConfig | None = None
) -> RefereePosterior:
    """Return the posterior of sigma8 given every cluster of a catalog, all other parameters marginalised.

    A Gaussian at the peak proposes draws, which are weighted by likelihood times prior; the proposal learns from them
    until the effective sample size suffices, and all draws are used together. Parameters on a grid are drawn from it.

    Parameters
    ----------
    likelihood
        The survey.
    data
        A catalog, as ``likelihood.data`` returns it.
    rng
        Random generator.
    config
        How hard to work; default ``RefereeConfig()``.

    Raises
    ------
    InputError
        If the catalog is impossible everywhere in the prior, or sigma8 is not free.
    """
    config = config or RefereeConfig()
    space = likelihood.space
    if "sigma8" not in space.free:
        raise InputError("the prior of sigma8 is a single value, so there is nothing to infer; widen it")
    peak = find_peak(lambda x: likelihood.ln_likelihood(data, x), space.bounds)
    sample = _rounds(likelihood, data, peak, rng=rng, config=config)
    values = space.values(sample.draws.coordinates)
    posterior = _cells(likelihood, values["sigma8"], sample)
    off = values["sigma8"] - sample.weight @ values["sigma8"]
    return RefereePosterior(
        posterior=posterior,
        means={name: float(sample.weight @ value) for name, value in values.items()},
        ess=sample.ess,
        numerical_error=float(np.sqrt((sample.weight**2) @ off**2)),
        n_draws=len(sample.weight),
    )


def _rounds(
    likelihood: Likelihood, data: FloatArray, peak: Peak, *, rng: np.random.Generator, config: RefereeConfig
) -> _Sample:
    """Draw and learn until all draws together are good enough."""
    proposals = [first_proposal(likelihood.space, peak)]
    parts: list[Draws] = []
    ln_joint: list[FloatArray] = []
    n = config.n_draws
    while True:
        parts.append(proposals[-1].draw(n, rng=rng))
        ln_joint.append(_ln_joint(likelihood, data, parts[-1]))
        sample = _weighed(proposals, parts, np.concatenate(ln_joint))
        if sample.ess >= config.target_ess or len(parts) == config.max_rounds:
            break
        proposals.append(proposals[-1].learn(sample.draws, sample.weight))
        n += n // 2
    if not np.isfinite(sample.ln_evidence):
        raise InputError("the catalog is impossible everywhere in the prior; check the preset and the units")
    return sample


def _ln_joint(likelihood: Likelihood, data: FloatArray, draws: Draws) -> FloatArray:
    """Return ln of likelihood times prior, -inf outside the prior, shape (n,)."""
    ln_joint: FloatArray = likelihood.space.ln_prior(draws.coordinates) - np.log(len(likelihood.space.grid))
    inside = np.isfinite(ln_joint)
    ln_joint[inside] += likelihood.ln_likelihood(data, draws.coordinates[inside])
    return ln_joint


def _weighed(proposals: Sequence[Proposal], parts: Sequence[Draws], ln_joint: FloatArray) -> _Sample:
    """Weight the draws of all rounds as draws from the mixture of all proposals.

    To keep the round that looks best instead would favour rounds that happened to miss a tail.

    References
    ----------
    Cornuet et al. 2012 (arXiv:0907.1254).
    """
    draws = Draws(
        coordinates=np.concatenate([one.coordinates for one in parts]),
        point=np.concatenate([one.point for one in parts]),
    )
    size = np.array([len(one.point) for one in parts])
    ln_mixture = np.logaddexp.reduce(
        [np.log(n / size.sum()) + one.ln_density(draws) for n, one in zip(size, proposals, strict=True)]
    )
    ln_weight = np.full(len(ln_joint), -np.inf)
    inside = np.isfinite(ln_joint)
    ln_weight[inside] = ln_joint[inside] - ln_mixture[inside]
    highest = ln_weight.max()
    if not np.isfinite(highest):
        return _Sample(draws=draws, weight=np.full(len(ln_weight), 1 / len(ln_weight)), ess=0.0, ln_evidence=-np.inf)
    weight = np.exp(ln_weight - highest)
    total = weight.sum()
    weight /= total
    ln_evidence = float(highest + np.log(total / len(weight)))
    return _Sample(draws=draws, weight=weight, ess=float(1 / (weight**2).sum()), ln_evidence=ln_evidence)


def _cells(likelihood: Likelihood, sigma8: FloatArray, sample: _Sample) -> Posterior:
    """Return the weights collected in the values of a gridded prior or in narrow cells of a continuous one."""
    prior = likelihood.preset.priors.sigma8
    if prior.step is not None and "sigma8" not in likelihood.space.spread:
        nodes, step = prior.values, prior.step
    else:
        low, high = likelihood.space.bounds[:, 0]
        n = max(1, round((high - low) / _CELL))
        step = (high - low) / n
        nodes = low + step * (np.arange(n) + 0.5)
    cell = np.clip(np.rint((sigma8 - nodes[0]) / step), 0, len(nodes) - 1).astype(np.int64)
    probability = np.zeros(len(nodes))
    np.add.at(probability, cell, sample.weight)
    return Posterior.of_cells(nodes, float(step), probability, ln_evidence=sample.ln_evidence)
