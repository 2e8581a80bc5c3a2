"""Predict, evaluate and draw: what the commands of a trained model do with files."""

import warnings
from functools import reduce
from pathlib import Path
from typing import Any

import polars as pl
from earnest_common.catalogs import CatalogSet
from earnest_common.catalogs.batch import CatalogBatch
from earnest_common.errors import InputError
from earnest_common.plugins import load_estimator
from earnest_common.protocols import Estimator
from earnest_common.report.drawing import require_matplotlib
from earnest_common.report.section import section_text, write_section
from earnest_common.run.files import refuse_existing
from earnest_common.run.parts import Content, Outputs
from earnest_common.run.provenance import synthetic_note

from earnest_model.data.features import Range, outside_training_range
from earnest_model.data.missing import NOTHING
from earnest_model.data.overlap import overlap_with_training
from earnest_model.evaluation.evaluate import batches_as_seen, predictions_and_accuracy
from earnest_model.evaluation.predictions import MISSING, refuse_other_kinds, write_predictions

__all__ = ["evaluate_set", "predict_set", "write_figures"]


def predict_set(
    model: Path, catalog_set: Path, out: Path, *, split: str | None = None, variant: str | None = None
) -> list[str]:
    """Infer sigma8 of every catalog, write the predictions as Parquet or CSV, and return notes for their reader.

    Notes say whether training met the catalogs, what is emulated, and what lies outside the training range. Without a
    ``variant`` the catalogs are seen as in training.

    Raises
    ------
    OutputExistsError
        If ``out`` is taken.
    InputError
        If the model cannot use the catalogs, or the file's name promises another format.
    """
    refuse_other_kinds(out)
    refuse_existing(out)
    opened, set_aside = CatalogSet.open(catalog_set).without_empty(split=split)
    estimator = load_estimator(model)
    met = overlap_with_training(estimator.description, opened, split or "all")
    parts, held = [], []
    for batch in batches_as_seen(opened, estimator, split=split, variant=variant):
        parts.append(_predicted(estimator, batch))
        held += _ranges(estimator, batch)
    if not parts:
        raise InputError(f"catalog set {catalog_set} has no clusters" + (f" in split '{split}'" if split else ""))
    synthetic = synthetic_note(catalogs=opened.manifest.plan.synthetic, training=estimator.description.synthetic)
    facts = {"data_hash": opened.manifest.data_hash, **({"synthetic": synthetic} if synthetic else {})}
    table = pl.concat(parts)
    write_predictions(out, table, facts=facts)
    together = {name: reduce(Range.joined, (part[name] for part in held)) for name in (held[0] if held else ())}
    outside = outside_training_range(together, estimator.description.scaling)
    notes = [text for text in (set_aside, met.note, synthetic, _missing_in_words(table)) if text]
    return [*notes, *(f"outside the training range: {text}" for text in outside)]


def _predicted(estimator: Estimator, batch: CatalogBatch) -> pl.DataFrame:
    """Return predictions without Python's warnings; the notes of the whole set take their place."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        return estimator.predict(batch)


def _missing_in_words(table: pl.DataFrame) -> str | None:
    """Return how many catalogs lack columns; ``None`` where all have all, or the model does not say."""
    if MISSING.name not in table.columns:
        return None
    lacking = table.filter(pl.col(MISSING.name) != NOTHING)
    if not lacking.height:
        return None
    names = sorted({part.split(" of ")[0] for words in lacking[MISSING.name] for part in words.split(", ")})
    return (
        f"{lacking.height:,} of {table.height:,} catalogs lack {' or '.join(names)}, for some or all clusters: column "
        f"'{MISSING.name}' of the predictions says which; their errors are calibrated for that"
    )


def _ranges(estimator: object, batch: CatalogBatch) -> list[dict[str, Range]]:
    from earnest_model.bundle.estimator import NetworkEstimator

    return [estimator.ranges(batch)] if isinstance(estimator, NetworkEstimator) else []


def evaluate_set(
    model: Path,
    catalog_set: Path,
    *,
    split: str | None = None,
    variant: str | None = None,
    referee: Path | None = None,
    section: Path | None = None,
) -> dict[str, Any]:
    """Return :func:`earnest_model.evaluate` of a set as plain values, and write it as a report section if asked.

    Raises
    ------
    InputError
        If labels are unknown or the model cannot use the catalogs.
    """
    if section is not None:
        refuse_existing(section)
    opened, estimator = CatalogSet.open(catalog_set), load_estimator(model)
    found, quality = predictions_and_accuracy(estimator, opened, split=split, variant=variant, referee=referee)
    if section is not None:
        from earnest_model.report.accuracy import accuracy_section

        provenance = {
            "model": model.name,
            "data_hash": opened.manifest.data_hash,
            "preset": opened.manifest.plan.preset,
        }
        write_section(section, accuracy_section(found, quality, provenance=provenance))
    return quality.to_dict()


def write_figures(
    model: Path, catalog_set: Path | None, *, out: Path | None = None, section: Path | None = None
) -> list[Path]:
    """Draw a bundle as SVG files, as a report section, or both, and return what was written.

    Raises
    ------
    OutputExistsError
        If ``out`` or ``section`` is taken.
    InputError
        If neither is given, or the bundle or the catalogs cannot be used.
    """
    if out is None and section is None:
        raise InputError("name where the figures should go: --out FOLDER, --section FILE.json, or both")
    description = model / "bundle.json"
    outputs = Outputs.open((out, section), {"command": "figures", "model": description, "catalogs": catalog_set})
    require_matplotlib()
    from earnest_model.report.figures import figures_section

    drawn = figures_section(model, catalog_set)
    contents: dict[Path, Content] = {}
    if section is not None:
        contents[section] = section_text(drawn)
    if out is not None:
        contents[out] = {f"{figure.name}.svg": figure.svg for figure in drawn.figures}
    outputs.write(contents)
    return list(outputs.paths)
