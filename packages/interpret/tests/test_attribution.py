"""Laws of attributions: where the answer is a formula, all four methods give it; what is incomplete is said."""

from dataclasses import dataclass, replace

import numpy as np
import pytest
from earnest_common.errors import InputError
from earnest_interpret.analyses.saliency.attribution import Attribution, AttributionConfig, attribute
from earnest_interpret.analyses.saliency.gradients import METHODS
from earnest_interpret.input_space import input_space
from earnest_interpret.responses.questions import encode, gradient
from earnest_interpret.testing import FEATURES, PlainEstimator, SaturatingEstimator

WEIGHTS = {"log10_t_x": 0.8, "log10_m_gas_profile_5": 0.5, "gas_slope_profile_2": -0.3}
LINEAR = SaturatingEstimator(weights=WEIGHTS, saturation=1e9)
CURVED = SaturatingEstimator(weights=WEIGHTS, saturation=0.3, per_terse=0.2)
VECTOR = np.array([WEIGHTS.get(name, 0.0) for name in FEATURES])


@dataclass
class WithSlopes:
    """An estimator whose gradients are replaced."""

    inner: SaturatingEstimator
    factor: float

    def __getattr__(self, name: str):
        return getattr(self.inner, name)

    def gradient(self, batch, *, of):
        return self.factor * self.inner.gradient(batch, of=of)

    feature_names = property(lambda self: self.inner.feature_names)
    description = property(lambda self: self.inner.description)

    def predict(self, batch):
        return self.inner.predict(batch)

    def encode(self, batch):
        return self.inner.encode(batch)

    def leave_one_out(self, batch):
        return self.inner.leave_one_out(batch)


@pytest.fixture(scope="module")
def few(batch):
    return batch.select(np.arange(6))


def test_inputs_are_read_and_written_back(few):
    space = input_space(LINEAR)
    scaled = space.read(few)
    np.testing.assert_allclose(scaled @ VECTOR, encode(LINEAR, few), atol=1e-6)
    moved = scaled + np.random.default_rng(1).normal(0, 0.1, scaled.shape)
    written = space.write(few, moved)
    np.testing.assert_allclose(space.read(written), moved, atol=1e-6)  # profiles are stored in single precision
    assert written.problems() == []
    assert written.clusters.schema == few.clusters.schema
    untouched = [name for name in few.clusters.columns if name not in ("t_x", "m_gas_profile", "gas_slope_profile")]
    assert written.clusters.select(untouched).equals(few.clusters.select(untouched))
    assert space.widths.tolist() == [1.2] + [3.0] * 7 + [3.5] * 7


def test_inputs_that_are_no_scaled_column_are_refused(few):
    class Odd(WithSlopes):
        feature_names = ("log10_colour", *FEATURES[1:])

    with pytest.raises(InputError, match="log10_colour"):
        attribute(Odd(LINEAR, 1.0), few, method="occlusion")


def test_a_linear_encoder_has_one_answer(few):
    """Slopes are the weights, and what an input adds is its weight times its distance from the typical cluster."""
    way = input_space(LINEAR).read(few)
    way -= way.mean(axis=0)
    expected = {"gradient": VECTOR + 0 * way, "smoothgrad": VECTOR + 0 * way}
    expected |= {"integrated": VECTOR * way, "occlusion": VECTOR * way}
    for method in METHODS:
        found = attribute(LINEAR, few, method=method, config=AttributionConfig(n_samples=2))
        np.testing.assert_allclose(found.values, expected[method], atol=1e-6, err_msg=method)
        assert (found.method, found.of, found.warning) == (method, "terse", "")


def test_smoothgrad_is_the_mean_slope_under_noise(few):
    """tanh's slope averaged over a normal by quadrature."""
    noise = 0.4
    found = attribute(
        CURVED, few, method="smoothgrad", config=AttributionConfig(noise=noise, n_samples=200), seed=5
    ).values
    drive = input_space(CURVED).read(few) @ VECTOR
    nodes, weights = np.polynomial.hermite_e.hermegauss(60)
    spread = noise * np.linalg.norm(VECTOR)
    slope = (1 - np.tanh((drive[:, None] + spread * nodes) / 0.3) ** 2) @ weights / np.sqrt(2 * np.pi)
    # 200 draws of a slope between 0 and 1
    np.testing.assert_allclose(found, slope[:, None] * VECTOR, atol=5 * 0.4 / np.sqrt(200))
    assert np.abs(found - slope[:, None] * VECTOR).mean() < 0.01
    again = attribute(CURVED, few, method="smoothgrad", config=AttributionConfig(noise=noise, n_samples=3), max_rows=70)
    whole = attribute(CURVED, few, method="smoothgrad", config=AttributionConfig(noise=noise, n_samples=3))
    np.testing.assert_allclose(again.values, whole.values, atol=1e-12)  # however little is done at a time


def test_without_noise_smoothgrad_is_the_gradient(few):
    found = attribute(CURVED, few, method="smoothgrad", config=AttributionConfig(noise=0.0, n_samples=1))
    np.testing.assert_allclose(found.values, gradient(CURVED, few), atol=1e-6)


@pytest.mark.parametrize("of", ["terse", "sigma8"])
def test_integrated_gradients_add_up_to_the_change_of_the_output(few, of):
    found = attribute(CURVED, few, of=of, method="integrated")
    space = input_space(CURVED)
    scaled = space.read(few)
    typical = space.write(few, np.tile(scaled.mean(axis=0), (len(scaled), 1)))
    summed = found.values.sum(axis=1)
    if of == "terse":
        change = encode(CURVED, few) - encode(CURVED, typical)
    else:
        change = (CURVED.predict(few)["sigma8"] - CURVED.predict(typical)["sigma8"]).to_numpy()
        summed = np.bincount(few.segment_ids, weights=summed)
    np.testing.assert_allclose(summed, change, atol=0.01 * np.abs(change).mean())
    assert found.missed < 0.01
    assert found.warning == ""


def test_incomplete_gradients_are_told(few):
    found = attribute(
        WithSlopes(CURVED, 0.9), few.select([0]), method="integrated", config=AttributionConfig(n_steps=129)
    )
    assert found.missed == pytest.approx(0.1, rel=1e-3)
    assert "miss 10.0%" in found.warning


def test_steps_are_doubled_until_gradients_are_complete(few):
    """Nearly a step: a few nodes cannot see it, more can."""
    steep = replace(CURVED, saturation=0.02)
    found = attribute(steep, few, method="integrated", config=AttributionConfig(n_steps=1))
    assert found.missed <= 0.01


def test_occlusion_of_sigma8_hides_an_input_in_the_whole_catalog(few):
    found = attribute(CURVED, few, of="sigma8", method="occlusion").values
    space = input_space(CURVED)
    scaled = space.read(few)
    for j in (0, 5, 9):
        hidden = scaled.copy()
        hidden[:, j] = scaled[:, j].mean()
        change = (CURVED.predict(few)["sigma8"] - CURVED.predict(space.write(few, hidden))["sigma8"]).to_numpy()
        np.testing.assert_allclose(np.bincount(few.segment_ids, weights=found[:, j]), change, atol=1e-7)
    assert (found[:, FEATURES.index("log10_m_gas_profile_1")] == 0).all()


def test_the_gradient_is_the_gradient(few):
    for of in ("terse", "sigma8"):
        np.testing.assert_array_equal(attribute(CURVED, few, of=of).values, gradient(CURVED, few, of=of))


@pytest.mark.parametrize("method", METHODS)
def test_a_model_without_terse_layer_is_refused(few, method):
    with pytest.raises(InputError, match="no terse layer"):
        attribute(PlainEstimator(), few, method=method)


def test_lone_clusters_and_bad_settings(lonely):
    for method in METHODS:
        found = attribute(CURVED, lonely, of="sigma8", method=method, config=AttributionConfig(n_samples=2))
        assert np.isfinite(found.values).all()
    with pytest.raises(InputError, match="n_samples"):
        AttributionConfig(n_samples=0)
    with pytest.raises(InputError, match="choose one of gradient"):
        attribute(CURVED, lonely, method="guess")
    assert Attribution(values=np.zeros((1, 1)), method="gradient", of="terse").warning == ""
