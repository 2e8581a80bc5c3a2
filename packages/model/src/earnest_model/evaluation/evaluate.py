"""A model and catalogs in, predictions and accuracy out: which catalogs are fair, and how the model sees them."""

import dataclasses
import warnings
from collections.abc import Iterator
from os import PathLike
from pathlib import Path

import polars as pl
from earnest_common.catalogs import CatalogSet
from earnest_common.catalogs.batch import CatalogBatch
from earnest_common.catalogs.reader import Catalogs, open_catalogs
from earnest_common.catalogs.variants import view
from earnest_common.errors import InputError
from earnest_common.plugins import Model, as_estimator
from earnest_common.protocols import Estimator
from earnest_common.run.provenance import synthetic_note

from earnest_model.data.overlap import Overlap, overlap_with_training
from earnest_model.evaluation.accuracy import Accuracy, accuracy
from earnest_model.evaluation.labelled_predictions import LabelledPredictions, as_trained, predict_labelled
from earnest_model.evaluation.limits import limit_of_preset, with_limit, with_referee

__all__ = ["batches_as_seen", "evaluate", "predict", "predictions_and_accuracy"]


def predict(model: Model, catalogs: Catalogs, *, split: str | None = None, variant: str | None = None) -> pl.DataFrame:
    """Return sigma8 of every catalog, with its error and the 68 % interval; catalogs without clusters are left out.

    Parameters
    ----------
    model
        An estimator, or the folder of a bundle.
    catalogs
        In memory, on disk, or the folder of a set.
    split
        Only catalogs of this split.
    variant
        How the catalogs are seen, one of ``earnest_common.catalogs.variants.VARIANTS``; default: as in training.

    Returns
    -------
    One row per catalog: catalog_id, sigma8, sigma8_err, sigma8_lo68, sigma8_hi68, and what else the model tells.

    Raises
    ------
    InputError
        If the model cannot use the catalogs, or there are none with clusters.

    Examples
    --------
    >>> from earnest_common.testing import ToyEstimator, toy_set
    >>> with toy_set(n_catalogs=40, seed=1) as folder:
    ...     predict(ToyEstimator(), folder, split="test")["sigma8"].round(2).to_list()
    [0.76, 0.79, 0.85]
    """
    estimator, opened = as_estimator(model), open_catalogs(catalogs)
    parts = [estimator.predict(part) for part in batches_as_seen(opened, estimator, split=split, variant=variant)]
    if not parts:
        raise InputError("there are no clusters to infer from" + (f" in split '{split}'" if split else ""))
    return pl.concat(parts)


def batches_as_seen(
    catalogs: CatalogBatch | CatalogSet, estimator: Estimator, *, split: str | None, variant: str | None
) -> Iterator[CatalogBatch]:
    """Yield catalogs that have clusters, as the given variant or as the one that the model was trained on."""
    if isinstance(catalogs, CatalogSet):
        parts = dataclasses.replace(catalogs, skip_empty=True).batches(split=split)
    else:
        wanted = catalogs.catalogs["n_clusters"] > 0
        if split is not None:
            wanted &= (catalogs.catalogs["split"] == split).fill_null(value=False)
        parts = iter([catalogs if wanted.all() else catalogs.select(wanted.to_numpy())])
    for part in parts:
        if part.n_catalogs:
            yield view(part, variant or as_trained(estimator))


def evaluate(
    model: Model,
    catalogs: Catalogs,
    *,
    split: str | None = None,
    variant: str | None = None,
    referee: str | PathLike[str] | None = None,
) -> Accuracy:
    """Return how well a model infers sigma8 of labelled catalogs.

    Of the set that the model was trained on only split ``test`` is judged, unless a split is asked for; ``note`` says
    what else a reader must know. Beside the scatter stands the best that could be done, where that is known.

    Parameters
    ----------
    model
        An estimator, or the folder of a bundle.
    catalogs
        In memory, on disk, or the folder of a set. Only a set can tell whether training met it.
    split
        Only catalogs of this split, or ``"all"``.
    variant
        How the catalogs are seen, one of ``earnest_common.catalogs.variants.VARIANTS``; default: as in training.
    referee
        Table of ``earnest selfcal referee`` of the same catalogs; default: the limit of the preset where it is known.

    Raises
    ------
    InputError
        If labels are unknown, there are fewer than two catalogs, or the model cannot use them.

    Examples
    --------
    >>> from earnest_common.testing import ToyEstimator, toy_batch
    >>> evaluate(ToyEstimator(), toy_batch(n_catalogs=300, seed=1))
    Accuracy(scatter 0.0257 +- 0.0012 (prior 0.0637), bias -0.0011, 68 % intervals cover 72.0 %, 300 catalogs)
    """
    return predictions_and_accuracy(
        as_estimator(model), open_catalogs(catalogs), split=split, variant=variant, referee=referee
    )[1]


def predictions_and_accuracy(
    estimator: Estimator,
    catalogs: CatalogBatch | CatalogSet,
    *,
    split: str | None,
    variant: str | None,
    referee: str | PathLike[str] | None,
) -> tuple[LabelledPredictions, Accuracy]:
    """Return the estimates behind :func:`evaluate`, and the accuracy."""
    met, set_aside, synthetic = _known_of(catalogs, estimator, split)
    shown = variant or as_trained(estimator)
    with warnings.catch_warnings(record=True) as raised:
        warnings.simplefilter("always", UserWarning)
        found = predict_labelled(estimator, batches_as_seen(catalogs, estimator, split=met.split, variant=shown))
    far = next((f"warning: {each.message}" for each in raised if issubclass(each.category, UserWarning)), None)
    quality = dataclasses.replace(
        accuracy(found),
        catalogs=met.words,
        split=met.split,
        met_in_training=met.met,
        synthetic=synthetic_note(catalogs=synthetic, training=estimator.description.synthetic),
        note="; ".join(text for text in (met.note, set_aside, far) if text) or None,
    )
    if referee is not None:
        return found, with_referee(quality, found, Path(referee), columns=_informative(estimator, shown))
    if isinstance(catalogs, CatalogSet):
        limit = limit_of_preset(catalogs.manifest.plan, columns=_informative(estimator, shown))
        quality = with_limit(quality, limit) if limit else quality
    return found, quality


def _known_of(
    catalogs: CatalogBatch | CatalogSet, estimator: Estimator, split: str | None
) -> tuple[Overlap, str | None, str | None]:
    """Return what training knows of catalogs, which of them are set aside, and what in them is emulated."""
    if isinstance(catalogs, CatalogSet):
        met = overlap_with_training(estimator.description, catalogs, split)
        _, set_aside = catalogs.without_empty(split=met.split)
        return met, set_aside, catalogs.manifest.plan.synthetic
    empty = int((catalogs.catalogs["n_clusters"] == 0).sum())
    words = f"{empty} of {catalogs.n_catalogs} catalogs have no clusters and are set aside" if empty else None
    return Overlap(split=None if split == "all" else split, words="catalogs", met=None), words, None


def _informative(estimator: Estimator, variant: str) -> tuple[str, ...]:
    """Return the columns that the model sees and that say something."""
    description = estimator.description
    return () if variant == "ones" else (*description.features, *description.supplementary)
