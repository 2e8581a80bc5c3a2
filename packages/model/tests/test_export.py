"""An exported graph gives the numbers of the estimator, from physical columns, without earnest."""

import json
import subprocess
import sys

import numpy as np
import pytest
from earnest_common.errors import InputError, MissingExtraError, OutputExistsError
from earnest_common.plugins import load_estimator
from earnest_model.bundle.export import FORMATS, export_bundle
from earnest_model.bundle.serving import OUTPUTS, inputs_from

PLAIN_ONNX = """
import sys, numpy as np, onnxruntime
session = onnxruntime.InferenceSession(sys.argv[1] + "/model.onnx")
names = [output.name for output in session.get_outputs()]
np.savez(sys.argv[3], **dict(zip(names, session.run(names, dict(np.load(sys.argv[2]))), strict=True)))
assert not [name for name in sys.modules if name.startswith(("earnest", "tensorflow"))]
"""


@pytest.fixture(scope="module")
def saved_model(bundle, tmp_path_factory):
    out = tmp_path_factory.mktemp("saved") / "GRAPH"
    export_bundle(bundle, out, kind="savedmodel")
    return out


def assert_same(answer, path, batch):
    """The graph's answer for catalogs that are not its example is the estimator's."""
    estimator = load_estimator(path)
    assert set(answer) == set(OUTPUTS)
    table, found = estimator.infer(batch)
    for name in ("sigma8", "sigma8_err", "sigma8_lo68", "sigma8_hi68"):
        np.testing.assert_allclose(answer[name], table.get_column(name).to_numpy(), atol=1e-5, err_msg=name)
    np.testing.assert_allclose(answer["sigma8_lo95"], found.interval_95[0], atol=1e-5)
    np.testing.assert_allclose(answer["sigma8_hi95"], found.interval_95[1], atol=1e-5)
    terse = estimator.encode(batch)
    np.testing.assert_allclose(answer["terse"], terse, atol=1e-5 * np.abs(terse).max())


def test_tensorflow_alone_reads_a_saved_model(saved_model, bundle, batch):
    import tensorflow as tf

    graph = tf.saved_model.load(str(saved_model / "saved_model")).signatures["serving_default"]
    inputs = inputs_from(batch, load_estimator(bundle).description)
    assert_same({name: value.numpy() for name, value in graph(**inputs).items()}, bundle, batch)


@pytest.mark.parametrize("which", ["bundle", "paper_bundle"])
def test_another_machine_gets_the_same_numbers(request, batch, tmp_path, which):
    """A fresh process with ONNX Runtime that knows nothing of earnest or TensorFlow."""
    pytest.importorskip("tf2onnx")
    pytest.importorskip("onnxruntime")
    path, out = request.getfixturevalue(which), tmp_path / "GRAPH"
    assert export_bundle(path, out, kind="onnx")["difference"] < 1e-5
    np.savez(tmp_path / "in.npz", **inputs_from(batch, load_estimator(path).description))
    words = [sys.executable, "-c", PLAIN_ONNX, out, tmp_path / "in.npz", tmp_path / "out.npz"]
    subprocess.run([str(word) for word in words], check=True, capture_output=True)
    assert_same(dict(np.load(tmp_path / "out.npz")), path, batch)


def test_words_and_an_example_are_beside_the_graph(saved_model):
    signature = json.loads((saved_model / "signature.json").read_text())
    assert [port["name"] for port in signature["inputs"]] == [
        *("t_x", "m_gas_profile", "gas_slope_profile", "l_x", "m_wl", "n_clusters")
    ]
    assert [port["unit"] for port in signature["inputs"]][:2] == ["keV", "solMass"]
    assert [output["name"] for output in signature["outputs"]] == list(OUTPUTS)
    assert signature["training"]["catalogs"] == "a toy"
    low, high = (signature["training"]["ranges_of_inputs"]["t_x"][end] for end in ("low", "high"))
    with np.load(saved_model / "example.npz") as example:
        assert (np.log10(example["t_x"]) >= low - 1e-6).all()
        assert (np.log10(example["t_x"]) <= high + 1e-6).all()
        assert example["expected_sigma8"].shape == (1,)


def test_what_cannot_be_exported_is_refused(bundle, tmp_path, monkeypatch):
    with pytest.raises(InputError, match="format 'pickle' is not known; choose one of savedmodel, onnx"):
        export_bundle(bundle, tmp_path / "GRAPH", kind="pickle")
    (tmp_path / "TAKEN").mkdir()
    with pytest.raises(OutputExistsError):
        export_bundle(bundle, tmp_path / "TAKEN", kind="savedmodel")
    monkeypatch.setitem(sys.modules, "tf2onnx", None)
    with pytest.raises(MissingExtraError, match=r'pip install "earnest-model\[onnx\]"'):
        export_bundle(bundle, tmp_path / "GRAPH", kind="onnx")
    assert list(FORMATS) == ["savedmodel", "onnx"]
    assert [path.name for path in tmp_path.iterdir()] == ["TAKEN"]
