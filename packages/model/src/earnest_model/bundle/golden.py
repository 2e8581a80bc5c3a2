"""Golden predictions: a few catalogs of a bundle for which sigma8 must come out as on the day it was stored."""

import dataclasses
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl
from earnest_common.bundle import BundleDescription
from earnest_common.errors import IntegrityError
from earnest_common.schema import PREDICTIONS

from earnest_model.config import MAX_ROWS
from earnest_model.data.arrays import Arrays, FloatArray, join
from earnest_model.data.features import FeatureSet, scaled_arrays, unscaled_columns
from earnest_model.data.missing import combinations, without
from earnest_model.evaluation.predictions import prediction_frame
from earnest_model.networks.calibration import calibration_for
from earnest_model.networks.protocol import Network

__all__ = ["GOLDEN_NAME", "check_golden", "golden_catalogs", "golden_columns", "write_golden"]

GOLDEN_NAME = "golden.npz"
_TOLERANCE = 1e-3
"""Of the network's outputs, in widths of the prior."""
_TOLERANCE_SIGMA8 = 2e-4
_COUNTS, _OUTPUTS, _COLUMN, _DESCRIPTION = "counts", "outputs", "column_", "description"
_OF_THE_FILE = ("format_version", "schema_version")
"""Entries of a description that belong to its file, not to the model."""
IntArray = npt.NDArray[np.int32]
_ANSWERS = tuple(name for name in PREDICTIONS.names if name not in PREDICTIONS.key)


def golden_catalogs(validation: Arrays, features: FeatureSet) -> Arrays:
    """Return the first catalogs, at most four and no more than one slice of work holds.

    Where columns may be missing, all but the first lack some.
    """
    n = int(np.searchsorted(np.cumsum(validation.counts[:4]), MAX_ROWS, side="right"))
    chosen = [validation.take(np.array([i])) for i in range(max(n, 1))]
    patterns = combinations(len(features.optional))
    return join([without(one, patterns[-i % len(patterns)]) for i, one in enumerate(chosen)])


def write_golden(folder: Path, arrays: Arrays, networks: Sequence[Network], description: BundleDescription) -> None:
    """Write catalogs in physical units, the network's outputs, sigma8 with its error and interval, and the description.

    The outputs hardly move with some constants, such as the width of a scaling or a prior, and rounding differs among
    computers; so a copy of the description pins each constant.

    Parameters
    ----------
    folder
        The bundle.
    arrays
        The catalogs as the network sees them.
    networks, description
        What infers sigma8 from them.
    """
    features = FeatureSet.of(description)
    columns = unscaled_columns(arrays, features, description.scaling)
    again = scaled_arrays(columns, arrays.counts, features, description.scaling)
    outputs = _outputs(again, networks)
    content = {
        _COUNTS: arrays.counts,
        _OUTPUTS: outputs,
        _DESCRIPTION: np.frombuffer(json.dumps(_constants(description)).encode(), dtype=np.uint8),
        **{_COLUMN + name: values for name, values in columns.items()},
        **_answers(again, outputs, networks[0], description),
    }
    np.savez(folder / GOLDEN_NAME, **content)  # type: ignore[arg-type]  # the stub takes names for options


def golden_columns(path: Path, description: BundleDescription) -> tuple[dict[str, FloatArray], IntArray]:
    """Return the golden catalogs of a bundle: cluster columns in physical units, and clusters per catalog."""
    features = FeatureSet.of(description)
    with np.load(path / GOLDEN_NAME) as stored:
        if description.format_version > 1:
            return {name: stored[_COLUMN + name] for name in features.columns}, stored[_COUNTS]
        arrays = _scaled(stored["encoder"], stored["supplementary"], stored[_COUNTS])
    return unscaled_columns(arrays, features, description.scaling), arrays.counts


def check_golden(path: Path, networks: Sequence[Network], description: BundleDescription) -> None:
    """Infer sigma8 of the golden catalogs again, from physical units to its error and interval.

    Bundles of format 1 keep scaled inputs and outputs of the network alone; some of format 2 no description.

    Raises
    ------
    IntegrityError
        If the description is another or the network gives other numbers than when they were stored.
    OSError, ValueError, KeyError
        If the file cannot be read.
    """
    with np.load(path / GOLDEN_NAME) as stored:
        expected = {name: stored[name] for name in stored.files}
    if _DESCRIPTION in expected:
        _check_constants(path, json.loads(expected[_DESCRIPTION].tobytes()), _constants(description))
    if description.format_version > 1:
        columns = {name: expected[_COLUMN + name] for name in FeatureSet.of(description).columns}
        arrays = scaled_arrays(columns, expected[_COUNTS], FeatureSet.of(description), description.scaling)
        outputs = _outputs(arrays, networks)
        answers = _answers(arrays, outputs, networks[0], description)
    else:
        arrays = _scaled(expected["encoder"], expected["supplementary"], expected[_COUNTS])
        outputs, answers = _outputs(arrays, networks), {}
    differences = {_OUTPUTS: _largest(outputs - expected[_OUTPUTS]) / _TOLERANCE}
    differences |= {name: _largest(found - expected[name]) / _TOLERANCE_SIGMA8 for name, found in answers.items()}
    if broken := [name for name, difference in differences.items() if not difference <= 1]:
        found = ", ".join(f"{name} by {differences[name]:.2g} times what is allowed" for name in broken)
        raise IntegrityError(
            f"bundle {path}: the network's stored predictions are not repeated (they differ: {found}); its scaling or "
            f"calibration was altered, or other versions compute otherwise: it was trained with "
            f"{dict(description.versions)}; install these versions, or copy or train the bundle again"
        )


def _constants(description: BundleDescription) -> dict[str, Any]:
    """Return what a description says of the model, as JSON gives it back."""
    content: dict[str, Any] = json.loads(json.dumps(dataclasses.asdict(description)))
    return {name: value for name, value in content.items() if name not in _OF_THE_FILE}


def _check_constants(path: Path, stored: Mapping[str, Any], constants: Mapping[str, Any]) -> None:
    """Raise an error that names the entries which are not those that were stored with the predictions."""
    # what an earlier release did not store is empty
    names = {*stored, *constants}
    if altered := sorted(name for name in names if (stored.get(name) or None) != (constants.get(name) or None)):
        raise IntegrityError(
            f"bundle {path}: {', '.join(altered)} of bundle.json are not repeated in {GOLDEN_NAME}, so one of the two "
            "was altered; copy or train the bundle again"
        )


def _outputs(arrays: Arrays, networks: Sequence[Network]) -> FloatArray:
    each = [np.asarray(network(arrays.inputs), dtype=np.float64) for network in networks]
    return each[0] if len(each) == 1 else networks[0].head.combine(each)


def _answers(
    arrays: Arrays, outputs: FloatArray, network: Network, description: BundleDescription
) -> dict[str, FloatArray]:
    features = FeatureSet.of(description)
    found = network.head.infer(outputs, calibration_for(description.calibration, arrays, features.optional))
    frame = prediction_frame(
        pl.Series("catalog_id", range(len(outputs)), dtype=pl.Int64), found, np.zeros(len(outputs), np.int64)
    )
    return {name: frame.get_column(name).to_numpy() for name in _ANSWERS}


def _scaled(encoder: FloatArray, supplementary: FloatArray, counts: IntArray) -> Arrays:
    labels = np.full((len(counts), 1), np.nan)
    return Arrays(
        encoder=encoder.astype(np.float32), supplementary=supplementary.astype(np.float32), counts=counts, labels=labels
    )


def _largest(differences: FloatArray) -> float:
    return float(np.abs(differences).max())
