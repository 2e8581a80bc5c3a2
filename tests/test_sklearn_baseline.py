"""An estimator that knows nothing of earnest's networks is interpreted as far as it can be, and the rest says why."""

import importlib.util
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
from earnest_common.protocols import Estimator, TerseEstimator
from earnest_common.testing import toy_batch
from earnest_interpret.analyses.applicability import apply_to, learn
from earnest_interpret.analyses.leave_one_out.groups import without
from earnest_interpret.page.interpretation import Interpretation, InterpretConfig, interpret
from earnest_interpret.page.report import build_report, write_report
from earnest_interpret.sample import Sample

FILE = Path(__file__).parents[1] / "examples" / "sklearn_baseline.py"
TEST = toy_batch(n_catalogs=30, seed=2)


@pytest.fixture(scope="module")
def example() -> ModuleType:
    pytest.importorskip("sklearn", reason="the baseline needs scikit-learn")
    spec = importlib.util.spec_from_file_location("sklearn_baseline", FILE)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def model(example: ModuleType) -> Estimator:
    return example.fit(toy_batch(n_catalogs=600, seed=1))


@pytest.fixture(scope="module")
def found(model: Estimator) -> Interpretation:
    return interpret(model, Sample(batch=TEST, n_available=30), InterpretConfig(n_permutations=99))


def test_it_is_an_estimator_without_a_terse_layer(model: Estimator):
    assert isinstance(model, Estimator)
    assert not isinstance(model, TerseEstimator)


def test_leave_one_out_is_the_prediction_without_the_cluster(model: Estimator, found: Interpretation):
    last = np.diff(TEST.row_splits)[TEST.segment_ids] - 1 == TEST.column("rank")
    change = model.predict(without(TEST, last))["sigma8"] - model.predict(TEST)["sigma8"]
    np.testing.assert_allclose(found.delta[last], change.to_numpy(), atol=1e-12)


def test_what_can_be_shown_is_shown_and_the_rest_says_why(found: Interpretation, tmp_path: Path):
    assert found.accuracy.skill > 0.5
    assert found.groups
    numbers = found.numbers()
    assert (numbers["terse"], numbers["saliency"]) == (None, None)
    write_report(tmp_path / "page.html", build_report(found, model="A baseline"))
    page = (tmp_path / "page.html").read_text()
    assert page.count("<img") >= 3
    assert page.count("no terse layer") >= 2


def test_it_may_be_asked_where_it_applies(model: Estimator):
    training = learn(model, toy_batch(n_catalogs=120, seed=1), rng=np.random.default_rng(1))
    assert apply_to(model, TEST, training).answer == "yes"
