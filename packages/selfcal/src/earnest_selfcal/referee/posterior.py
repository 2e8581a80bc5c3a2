"""The referee's posterior of sigma8 for one catalog."""

from dataclasses import dataclass
from typing import final

import numpy as np
from earnest_common.arrays import FloatArray
from earnest_common.errors import InputError

from earnest_selfcal.posterior import Posterior
from earnest_selfcal.referee.likelihood import Likelihood
from earnest_selfcal.referee.mode import Peak, find_peak
from earnest_selfcal.referee.proposal import Draws, first_proposal

__all__ = ["RefereeConfig", "Verdict", "referee"]

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
        It stops after so many rounds in any case and reports the effective sample size it reached.
    """

    n_draws: int = 1500
    target_ess: float = 400.0
    max_rounds: int = 6

    def __post_init__(self) -> None:
        if self.n_draws < 100 or self.max_rounds < 1 or not self.target_ess > 0:
            raise InputError(
                f"referee: n_draws = {self.n_draws} must be at least 100, max_rounds = {self.max_rounds} at least 1 "
                f"and target_ess = {self.target_ess} positive"
            )


@final
@dataclass(frozen=True, kw_only=True, eq=False)
class Verdict:
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
class _Round:
    draws: Draws
    weight: FloatArray
    ess: float
    ln_evidence: float


def referee(
    likelihood: Likelihood, data: FloatArray, *, rng: np.random.Generator, config: RefereeConfig | None = None
) -> Verdict:
    """Return the posterior of sigma8 given every cluster of a catalog, all other parameters marginalised.

    A Gaussian at the peak proposes draws, which are weighted by likelihood times prior; the proposal learns from them
    until the effective sample size suffices. Parameters on a grid are drawn from the grid.

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
    best, n_draws = _rounds(likelihood, data, peak, rng=rng, config=config)
    values = space.values(best.draws.coordinates)
    posterior = _cells(likelihood, values["sigma8"], best)
    off = values["sigma8"] - best.weight @ values["sigma8"]
    return Verdict(
        posterior=posterior,
        means={name: float(best.weight @ value) for name, value in values.items()},
        ess=best.ess,
        numerical_error=float(np.sqrt((best.weight**2) @ off**2)),
        n_draws=n_draws,
    )


def _rounds(
    likelihood: Likelihood, data: FloatArray, peak: Peak, *, rng: np.random.Generator, config: RefereeConfig
) -> tuple[_Round, int]:
    """Draw and learn until a round is good enough; return the best round and the number of all draws."""
    proposal = first_proposal(likelihood.space, peak)
    best: _Round | None = None
    n, total = config.n_draws, 0
    for _ in range(config.max_rounds):
        draws = proposal.draw(n, rng=rng)
        ln_prior = likelihood.space.ln_prior(draws.coordinates) - np.log(len(likelihood.space.grid))
        ln_weight = np.full(n, -np.inf)
        inside = np.isfinite(ln_prior)
        ln_weight[inside] = likelihood.ln_likelihood(data, draws.coordinates[inside])
        ln_weight[inside] += ln_prior[inside] - proposal.ln_density(draws)[inside]
        one = _weighed(draws, ln_weight)
        total += n
        if best is None or one.ess > best.ess:
            best = one
        if best.ess >= config.target_ess:
            break
        proposal, n = proposal.learn(one.draws, one.weight), n + n // 2
    if best is None or not np.isfinite(best.ln_evidence):
        raise InputError("the catalog is impossible everywhere in the prior; check the preset and the units")
    return best, total


def _weighed(draws: Draws, ln_weight: FloatArray) -> _Round:
    highest = ln_weight.max()
    if not np.isfinite(highest):
        return _Round(draws=draws, weight=np.full(len(ln_weight), 1 / len(ln_weight)), ess=0.0, ln_evidence=-np.inf)
    weight = np.exp(ln_weight - highest)
    total = weight.sum()
    weight /= total
    ln_evidence = float(highest + np.log(total / len(weight)))
    return _Round(draws=draws, weight=weight, ess=float(1 / (weight**2).sum()), ln_evidence=ln_evidence)


def _cells(likelihood: Likelihood, sigma8: FloatArray, best: _Round) -> Posterior:
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
    np.add.at(probability, cell, best.weight)
    return Posterior(sigma8=nodes, step=float(step), probability=probability, ln_evidence=best.ln_evidence)
