"""The posterior of sigma8 given the number of clusters and their median Y_X or L_X, nuisances marginalised."""

import numpy as np
from earnest_common.errors import InputError
from earnest_common.posterior import Posterior
from earnest_common.survey.presets import Preset

from earnest_selfcal.forward.counts import ln_poisson, no_number_of_clusters
from earnest_selfcal.forward.median import ln_median_density
from earnest_selfcal.forward.table import ForwardTable, forward_table
from earnest_selfcal.posterior.validity import reason_outside

__all__ = ["infer", "ln_poisson"]


def infer(survey: ForwardTable | Preset | str, n_clusters: int, median_log10_x: float | None = None) -> Posterior:
    """Return the posterior of sigma8.

    p(sigma8 | N, y) ~ mean over nuisance factors of Poisson(N | lambda) p_median(y | N, F).

    Parameters
    ----------
    survey
        The survey's forward model, or the survey, of which one for Y_X is computed first.
    n_clusters
        Observed number of clusters.
    median_log10_x
        Observed median of the table's observable, log10 Y_X [solMass keV], h-free, or log10 L_X [1e44 erg/s]; without
        it the number alone is used.

    Raises
    ------
    InputError
        If the data cannot occur anywhere in the model; the message says why, as ``validity.refusal`` does, which also
        refuses what could occur but is very unlikely everywhere.

    References
    ----------
    Ntampaka & Vikhlinin (arXiv:2112.05768), section 5.2.1.

    Examples
    --------
    >>> infer("paper", 130, 13.75)
    Posterior(sigma8 0.8321 +- 0.0321, 68 % from 0.7984 to 0.8650)
    """
    if reason := no_number_of_clusters(n_clusters, median_log10_x):
        raise InputError(reason)
    table = survey if isinstance(survey, ForwardTable) else forward_table(survey)
    ln_likelihood = ln_poisson(n_clusters, table.expected_n)
    if median_log10_x is not None:
        ln_likelihood = ln_likelihood + ln_median_density(n_clusters, *table.distribution_at(median_log10_x))
    highest = ln_likelihood.max()
    if not np.isfinite(highest):
        raise InputError(
            reason_outside(table, n_clusters, median_log10_x) or "the numbers are impossible for this survey"
        )
    weight = np.exp(ln_likelihood - highest).mean(axis=0)
    ln_evidence = float(highest + np.log(weight.mean()))
    return Posterior.of_cells(table.sigma8, table.sigma8_step, weight / weight.sum(), ln_evidence=ln_evidence)
