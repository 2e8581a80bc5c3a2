"""Laws of a model's answers: each question is asked once, and an ensemble's answers are the means of its members'."""

from collections import Counter
from dataclasses import dataclass, field, replace

import numpy as np
import pytest
from earnest_common.errors import InputError
from earnest_common.testing import toy_batch
from earnest_interpret.answers.verdict import verdict_on
from earnest_interpret.page.interpretation import InterpretConfig, interpret
from earnest_interpret.responses.responses import Responses
from earnest_interpret.sample import Sample
from earnest_interpret.testing import PlainEstimator, SaturatingEnsemble, SaturatingEstimator

TRAININGS = tuple(
    SaturatingEstimator(weights={"log10_t_x": 0.6 + 0.1 * k, "gas_slope_profile_2": 0.2}, saturation=0.4, per_ln_n=0.1)
    for k in range(3)
)
CONFIG = InterpretConfig(n_permutations=99, n_shuffles=2)
SETS = 100_000
"""Clusters handed to a model at a time: more than the samples have, so that each question is one call."""


@dataclass(frozen=True, kw_only=True)
class Counting:
    """A model that counts the questions on whole samples of ``n_clusters`` clusters."""

    inner: SaturatingEstimator
    n_clusters: int
    asked: Counter = field(default_factory=Counter)

    @property
    def description(self):
        return self.inner.description

    @property
    def feature_names(self):
        return self.inner.feature_names

    def predict(self, batch):
        return self._answer("predict", batch)

    def encode(self, batch):
        return self._answer("encode", batch)

    def gradient(self, batch, *, of):
        return self._answer("gradient", batch, of=of)

    def leave_one_out(self, batch):
        return self._answer("leave_one_out", batch)

    def _answer(self, question, batch, **how):
        self.asked[question] += batch.n_clusters == self.n_clusters
        return getattr(self.inner, question)(batch, **how)


@dataclass(frozen=True, kw_only=True)
class CountingEnsemble(Counting):
    members: tuple[Counting, ...]


def counting_ensemble(n_clusters: int) -> CountingEnsemble:
    members = tuple(Counting(inner=one, n_clusters=n_clusters) for one in TRAININGS)
    return CountingEnsemble(inner=SaturatingEnsemble(members=TRAININGS), n_clusters=n_clusters, members=members)


@pytest.fixture(scope="module")
def ensemble() -> SaturatingEnsemble:
    return SaturatingEnsemble(members=TRAININGS)


def test_answers_of_an_ensemble_are_its_own(ensemble, batch):
    responses = Responses(estimator=ensemble, batch=batch, max_rows=SETS)
    np.testing.assert_allclose(responses.terse, ensemble.encode(batch))
    np.testing.assert_allclose(responses.leave_one_out, ensemble.leave_one_out(batch))
    for of in ("terse", "sigma8"):
        np.testing.assert_allclose(responses.gradient(of), ensemble.gradient(batch, of=of))
    np.testing.assert_array_equal(responses.sigma8, ensemble.predict(batch)["sigma8"].to_numpy())


def test_a_model_that_was_trained_once_has_no_members(batch):
    responses = Responses(estimator=TRAININGS[0], batch=batch)
    assert responses.members == ()
    assert replace(responses, estimator=SaturatingEnsemble(members=TRAININGS[:1])).members == ()


def test_slices_change_nothing(ensemble, batch):
    whole, sliced = (Responses(estimator=ensemble, batch=batch, max_rows=rows) for rows in (SETS, 70))
    for answer in ("sigma8", "terse", "leave_one_out", "terse_gradient", "sigma8_gradient"):
        np.testing.assert_array_equal(getattr(whole, answer), getattr(sliced, answer))


def test_without_a_terse_layer(batch):
    responses = Responses(estimator=PlainEstimator(per_ln_n=0.2), batch=batch)
    assert not responses.has_terse
    assert len(responses.leave_one_out) == batch.n_clusters
    with pytest.raises(InputError, match="no terse layer"):
        _ = responses.terse
    with pytest.raises(InputError, match="no terse layer"):
        responses.gradient("terse")


def test_a_page_asks_each_network_once():
    """Interpretation and verdict of one page share answers; of the ensemble itself only predictions are asked."""
    batch = toy_batch(n_catalogs=70, seed=4)
    model, sample = counting_ensemble(batch.n_clusters), Sample(batch=batch, n_available=70)
    responses = Responses(estimator=model, batch=batch, max_rows=SETS)
    interpret(responses, sample, CONFIG)
    verdict_on(responses, sample, None, alpha=0.05, config=CONFIG)
    for member in model.members:
        assert [member.asked[name] for name in ("encode", "leave_one_out", "gradient")] == [1, 1, 1]
    assert model.asked["encode"] == model.asked["gradient"] == model.asked["leave_one_out"] == 0
