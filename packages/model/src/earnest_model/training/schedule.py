"""The learning rate over a training's budget."""

import math

from earnest_model.config import FastRecipe

__all__ = ["learning_rate"]


def learning_rate(share: float, recipe: FastRecipe, *, peak: float) -> float:
    r"""Return the learning rate after a share of the budget: a linear rise, then a cosine fall.

    .. math:: \eta(f) = \eta_0 \min\left(f / w, r + (1 - r) [1 + \cos \pi (f - w) / (1 - w)] / 2\right)

    Parameters
    ----------
    share
        Part f of the budget that is used, 0 to 1.
    recipe
        Warm-up w and final rate r.
    peak
        The largest rate :math:`\eta_0`.

    Examples
    --------
    >>> recipe = FastRecipe(warm_up=0.1, final_learning_rate=0.01)
    >>> [round(learning_rate(share, recipe, peak=1.0), 3) for share in (0.05, 0.1, 0.55, 1.0)]
    [0.5, 1.0, 0.505, 0.01]
    """
    warm_up, final = recipe.warm_up, recipe.final_learning_rate
    if share < warm_up:
        return peak * max(share, 1e-3) / warm_up
    along = min((share - warm_up) / (1 - warm_up), 1.0)
    return peak * (final + (1 - final) * 0.5 * (1 + math.cos(math.pi * along)))
