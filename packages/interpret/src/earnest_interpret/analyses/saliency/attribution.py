"""Four measures of the effect of an input: its gradient, smoothed and integrated gradients, and occlusion.

All need nothing but ``encode``, ``predict`` and ``gradient`` of catalogs whose columns are changed, so they hold for
any estimator with a terse layer. Gradients are per unit of a scaled input; integrated gradients and occlusion are in
units of the output, and give what the input adds to it compared with a *typical cluster*, the mean of the sample's
inputs.
"""

from dataclasses import dataclass
from typing import final

import numpy as np
from earnest_common.arrays import FloatArray
from earnest_common.catalogs.batch import CatalogBatch
from earnest_common.errors import InputError
from earnest_common.protocols import Estimator, TerseEstimator
from earnest_common.run.seeds import Stage, generator

from earnest_interpret.analyses.saliency.gradients import METHODS, Method
from earnest_interpret.input_space import InputSpace, input_space
from earnest_interpret.responses.questions import Target, encode, gradient, predict
from earnest_interpret.sample import MAX_ROWS

__all__ = ["COMPLETE", "Attribution", "AttributionConfig", "attribute"]

COMPLETE = 0.01
"""Largest share of the output's change that integrated gradients may miss."""

_MOST_STEPS = 256


@final
@dataclass(frozen=True, kw_only=True)
class AttributionConfig:
    """How inputs are changed.

    Attributes
    ----------
    noise
        Standard deviation of SmoothGrad's noise in scaled inputs, whose training range is about [0, 1].
    n_samples
        Noisy copies of each cluster.
    n_steps
        First number of steps of integrated gradients; doubled until they are complete.
    """

    noise: float = 0.05
    n_samples: int = 25
    n_steps: int = 16

    def __post_init__(self) -> None:
        if self.noise < 0 or min(self.n_samples, self.n_steps) < 1:
            raise InputError(
                f"noise {self.noise} must not be negative, n_samples {self.n_samples} and n_steps {self.n_steps} at "
                "least 1"
            )


@final
@dataclass(frozen=True, kw_only=True)
class Attribution:
    """What each input of each cluster does.

    Attributes
    ----------
    values
        Signed, shape (n_clusters, n_features).
    method, of
        How it was found, and of which output.
    missed
        Integrated gradients: summed absolute difference between what they add up to and the change of the output,
        as a share of the summed absolute change; NaN for other methods.
    """

    values: FloatArray
    method: Method
    of: Target
    missed: float = float("nan")

    @property
    def warning(self) -> str:
        """The warning that integrated gradients are not complete; empty if all is well."""
        if not self.missed > COMPLETE:
            return ""
        return (
            f"integrated gradients miss {self.missed:.1%} of the change of the output, more than {COMPLETE:.0%}: the "
            "output jumps or its gradients are wrong; trust occlusion instead"
        )


def attribute(
    estimator: Estimator,
    batch: CatalogBatch,
    *,
    of: Target = "terse",
    method: Method = "gradient",
    config: AttributionConfig | None = None,
    seed: int = 1,
    max_rows: int = MAX_ROWS,
) -> Attribution:
    r"""Return what each input does to the terse value, or to sigma8 of the cluster's catalog.

    With scaled inputs x, the typical cluster x_0 and the output f,

    .. math::

        \text{gradient } \partial_j f(x), \quad \text{smoothgrad } \langle \partial_j f(x + \epsilon) \rangle, \quad
        \text{integrated } (x_j - x_{0j}) \int_0^1 \partial_j f(x_0 + a (x - x_0)) \, da, \quad
        \text{occlusion } f(x) - f(x \text{ with } x_j = x_{0j}) .

    For sigma8 all clusters of a catalog follow the path from x_0 together, so that integrated gradients of a catalog
    add up to its change of sigma8; occlusion hides an input in all clusters of a catalog, each of which gets its share.

    Parameters
    ----------
    estimator
        The model; it needs a terse layer.
    batch
        The catalogs.
    of
        The output.
    method
        One of ``METHODS``.
    config
        How inputs are changed.
    seed
        Seed of SmoothGrad's noise.
    max_rows
        Most clusters handed to the estimator at a time.

    Raises
    ------
    InputError
        If the estimator has no terse layer, or does not record how its inputs are scaled.

    References
    ----------
    Smilkov et al. (arXiv:1706.03825), Sundararajan et al. (arXiv:1703.01365), Zeiler & Fergus (arXiv:1311.2901).

    Examples
    --------
    >>> from earnest_common.testing import toy_batch
    >>> from earnest_interpret.testing import SaturatingEstimator
    >>> found = attribute(SaturatingEstimator(), toy_batch(n_catalogs=2, seed=1), method="integrated")
    >>> found.missed < 1e-6
    True
    """
    if method not in METHODS:
        raise InputError(f"method '{method}' is not known; choose one of {', '.join(METHODS)}")
    if method == "gradient":
        return Attribution(values=gradient(estimator, batch, of=of, max_rows=max_rows), method=method, of=of)
    if not isinstance(estimator, TerseEstimator):
        kind = estimator.description.estimator
        raise InputError(
            f"the model '{kind}' has no terse layer, so its inputs cannot be changed one by one; use one that has"
        )
    question = _Question(estimator=estimator, batch=batch, space=input_space(estimator), of=of, max_rows=max_rows)
    settings = config or AttributionConfig()
    if method == "smoothgrad":
        return Attribution(values=_smoothgrad(question, settings, seed), method=method, of=of)
    if method == "integrated":
        return _integrated(question, settings)
    return Attribution(values=_occlusion(question), method=method, of=of)


@final
@dataclass(frozen=True, kw_only=True)
class _Question:
    """An output as a function of the scaled inputs of all clusters."""

    estimator: TerseEstimator
    batch: CatalogBatch
    space: InputSpace
    of: Target
    max_rows: int

    def gradient(self, scaled: FloatArray) -> FloatArray:
        """Return the signed gradients, shape (n_clusters, n_features)."""
        return gradient(self.estimator, self.space.write(self.batch, scaled), of=self.of, max_rows=self.max_rows)

    def output(self, scaled: FloatArray | None = None) -> FloatArray:
        """Return terse values per cluster, or sigma8 per catalog."""
        batch = self.batch if scaled is None else self.space.write(self.batch, scaled)
        if self.of == "terse":
            return encode(self.estimator, batch, max_rows=self.max_rows)
        return predict(self.estimator, batch, max_rows=self.max_rows).get_column("sigma8").to_numpy()


def _smoothgrad(question: _Question, config: AttributionConfig, seed: int) -> FloatArray:
    scaled = question.space.read(question.batch)
    total = np.zeros_like(scaled)
    for sample in range(config.n_samples):
        rng = generator(seed, Stage.RESAMPLING, index=100 + sample)
        total += question.gradient(scaled + config.noise * rng.standard_normal(scaled.shape))
    return total / config.n_samples


def _integrated(question: _Question, config: AttributionConfig) -> Attribution:
    scaled = question.space.read(question.batch)
    typical = np.broadcast_to(scaled.mean(axis=0), scaled.shape)
    change = question.output() - question.output(typical)
    n_steps = config.n_steps
    while True:
        values = _path_integral(question, scaled, typical, n_steps)
        summed = values.sum(axis=1)
        if question.of == "sigma8":
            summed = np.bincount(question.batch.segment_ids, weights=summed, minlength=question.batch.n_catalogs)
        total = float(np.abs(change).sum())
        missed = float(np.abs(summed - change).sum()) / total if total > 0 else 0.0
        if missed <= COMPLETE or 2 * n_steps > _MOST_STEPS:
            return Attribution(values=values, method="integrated", of=question.of, missed=missed)
        n_steps *= 2


def _path_integral(question: _Question, scaled: FloatArray, typical: FloatArray, n_steps: int) -> FloatArray:
    """Return the mean gradient on the path from the typical cluster times the path, by Gauss and Legendre."""
    nodes, weights = np.polynomial.legendre.leggauss(n_steps)
    path = scaled - typical
    mean = np.zeros_like(scaled)
    for node, weight in zip(nodes, weights, strict=True):
        mean += weight / 2 * question.gradient(typical + (1 + node) / 2 * path)
    return np.asarray(path * mean, dtype=np.float64)


def _occlusion(question: _Question) -> FloatArray:
    scaled = question.space.read(question.batch)
    typical, whole = scaled.mean(axis=0), question.output()
    values = np.empty_like(scaled)
    for j, value in enumerate(typical):
        hidden = scaled.copy()
        hidden[:, j] = value
        change = whole - question.output(hidden)
        if question.of == "sigma8":
            segment = question.batch.segment_ids
            change = change[segment] / np.diff(question.batch.row_splits)[segment]
        values[:, j] = change
    return values
