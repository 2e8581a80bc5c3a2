"""Networks for machines without earnest: a graph in a common format, with words and an example beside it."""

import dataclasses
import json
import logging
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from earnest_common.bundle import BundleDescription
from earnest_common.errors import InputError, IntegrityError, MissingExtraError
from earnest_common.plugins import load_estimator
from earnest_common.run.files import atomic_folder, refuse_existing

from earnest_model.bundle.estimator import NetworkEstimator
from earnest_model.bundle.golden import golden_columns
from earnest_model.bundle.serving import COUNTS, OUTPUTS, ServedNetwork, inputs_of
from earnest_model.data.features import LOGARITHMIC
from earnest_model.networks.backend import tf

__all__ = ["FORMATS", "export_bundle"]

_OPSET = 18
_TOLERANCE = 1e-5
Values = Mapping[str, Any]


def export_bundle(model: Path, out: Path, *, kind: str) -> dict[str, Any]:
    """Write a network as a graph from physical columns to sigma8, and return what was written.

    The folder holds the graph, ``signature.json`` (inputs with units, outputs, what the network was trained on) and
    ``example.npz`` (one catalog with its answer). The graph is run on the example before it is kept.

    Parameters
    ----------
    model
        A bundle.
    out
        The folder to make.
    kind
        One of ``FORMATS``.

    Raises
    ------
    OutputExistsError
        If ``out`` is taken.
    InputError
        If the format is unknown or the bundle's estimator is no network.
    MissingExtraError
        If the format needs packages that are not installed.
    IntegrityError
        If the exported graph does not repeat the network's numbers.
    """
    refuse_existing(out)
    if kind not in FORMATS:
        raise InputError(f"format '{kind}' is not known; choose one of {', '.join(FORMATS)}")
    estimator = load_estimator(model)
    if not isinstance(estimator, NetworkEstimator):
        raise InputError(f"bundle {model} holds a '{estimator.description.estimator}', which has no graph to export")
    served = ServedNetwork(estimator.networks, estimator.description)
    inputs = _first_catalog(model, estimator.description)
    expected = {name: value.numpy() for name, value in served.serve(inputs).items()}
    with atomic_folder(out) as folder:
        name, found = FORMATS[kind](served, folder, inputs)
        difference = max(float(np.abs(found[output] - expected[output]).max()) for output in OUTPUTS)
        if not difference <= _TOLERANCE:
            raise IntegrityError(
                f"the exported graph differs from the network by {difference:.2g} (allowed {_TOLERANCE}); other "
                "versions of TensorFlow and tf2onnx may agree"
            )
        np.savez(folder / "example.npz", **inputs, **{f"expected_{key}": value for key, value in expected.items()})
        (folder / "signature.json").write_text(
            json.dumps(_signature(name, estimator.description), indent=1) + "\n", encoding="utf-8"
        )
    return {"path": str(out), "graph": name, "inputs": list(inputs), "outputs": list(OUTPUTS), "difference": difference}


def _saved_model(served: ServedNetwork, folder: Path, inputs: Values) -> tuple[str, Values]:
    tf.saved_model.save(served, str(folder / "saved_model"), signatures={"serving_default": served.serve})
    loaded = tf.saved_model.load(str(folder / "saved_model"))
    answer = loaded.signatures["serving_default"](**{name: tf.constant(value) for name, value in inputs.items()})
    return "saved_model", {name: value.numpy() for name, value in answer.items()}


def _onnx(served: ServedNetwork, folder: Path, inputs: Values) -> tuple[str, Values]:
    try:
        import onnxruntime
        import tf2onnx
    except ImportError as error:
        raise MissingExtraError.of("export to ONNX", "earnest-model", "onnx") from error
    logging.getLogger("tf2onnx").setLevel(logging.ERROR)
    file = folder / "model.onnx"
    tf2onnx.convert.from_function(served.serve, input_signature=[served.signature], opset=_OPSET, output_path=str(file))
    session = onnxruntime.InferenceSession(str(file), providers=["CPUExecutionProvider"])
    return file.name, dict(zip(OUTPUTS, session.run(list(OUTPUTS), dict(inputs)), strict=True))


FORMATS: Mapping[str, Callable[[ServedNetwork, Path, Values], tuple[str, Values]]] = {
    "savedmodel": _saved_model,
    "onnx": _onnx,
}
"""What ``--format`` may name."""


def _first_catalog(model: Path, description: BundleDescription) -> dict[str, Any]:
    """Return the first golden catalog of a bundle as inputs of the graph."""
    columns, counts = golden_columns(model, description)
    return {**{name: values[: int(counts[0])] for name, values in columns.items()}, COUNTS: counts[:1]}


def _signature(graph: str, description: BundleDescription) -> dict[str, Any]:
    ranges = {
        name: {"low": low, "high": low + width, "log10": name in LOGARITHMIC}
        for name, (low, width) in description.scaling.items()
        if name != "sigma8"
    }
    return {
        "graph": graph,
        "inputs": [dataclasses.asdict(port) for port in inputs_of(description)],
        "order": "clusters catalog after catalog, in each by falling l_x",
        "radii_r500c": list(description.radii),
        "outputs": [{"name": name, "dtype": "float64", "description": words} for name, words in OUTPUTS.items()],
        "training": {
            "ranges_of_inputs": ranges,
            "ranges_of_labels": {name: list(ends) for name, ends in description.prior.items()},
            "catalogs": description.synthetic,
            "variant": description.training.get("config", {}).get("variant", "standard"),
            "versions": dict(description.versions),
        },
        "example": "example.npz: inputs by name, answers as expected_NAME",
    }
