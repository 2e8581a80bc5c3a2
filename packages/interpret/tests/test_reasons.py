"""Reasons are the numbers in words: they follow planted truth, and say what failed or could not be done."""

import re

import numpy as np
import pytest
from earnest_interpret.analyses.terse.correlations import summarise_terse
from earnest_interpret.analyses.terse.excess import excesses
from earnest_interpret.caution import ONE_TRAINING
from earnest_interpret.page.interpretation import InterpretConfig, interpret
from earnest_interpret.page.reasons import terse_reasons
from earnest_interpret.sample import Sample, mass_axis
from earnest_interpret.testing import PlainEstimator, SaturatingEstimator

CONFIG = InterpretConfig(n_permutations=499)


def reasons(estimator, batch) -> dict[str, tuple[str, str]]:
    found = interpret(estimator, Sample(batch=batch, n_available=batch.n_catalogs), CONFIG)
    assert all(reason.text.removesuffix(f" [{ONE_TRAINING}]").endswith(".") for reason in found.reasons)
    assert not any("nan" in reason.text for reason in found.reasons)
    return {reason.key: (reason.outcome, reason.text) for reason in found.reasons}


def test_a_sound_model(batch, estimator):
    told = reasons(estimator, batch)
    assert list(told) == [
        *("clusters", "inputs", "peak", "without_lensing", "mass", "sigma8_at_fixed_mass", "mass_proxy")
    ]
    assert told["mass"][0] == told["sigma8_at_fixed_mass"][0] == "passed"
    found = re.search(
        r"temperature \((\d+) % of .*\), the gas mass profile \((\d+) %\) and the .* slope \((\d+) %\)",
        told["inputs"][1],
    )
    # the planted weights; halves may be rounded either way
    np.testing.assert_allclose([float(share) for share in found.groups()], [50, 37.5, 12.5], atol=0.6)
    assert "at 0.66 R₅₀₀" in told["peak"][1]
    assert "above 10^14.55 M☉" in told["clusters"][1]


def test_a_leaking_encoder_fails(batch, monkeypatch):
    """The encoder of appendix B: its number is sigma8 in every cluster and independent of mass."""

    def leak(self, chosen):
        return chosen.label("sigma8")[chosen.segment_ids] + 1e-3 * np.sin(np.arange(chosen.n_clusters))

    monkeypatch.setattr(SaturatingEstimator, "encode", leak)
    told = reasons(SaturatingEstimator(), batch)
    assert told["mass"][0] == told["sigma8_at_fixed_mass"][0] == "failed"
    assert "hardly follows" in told["mass"][1]
    assert "overspecialisation" in told["sigma8_at_fixed_mass"][1]
    assert "p = 0.002" in told["sigma8_at_fixed_mass"][1]


def test_an_encoder_of_shapes_differs_from_one_of_amounts(batch):
    """Weights that cancel along the profile measure its shape: the mark of a cloned cluster, not its gas mass."""
    shape = {f"log10_m_gas_profile_{k}": (-1.0) ** k for k in range(1, 7)}
    told = reasons(SaturatingEstimator(weights=shape), batch)
    assert "at different radii cancel" in told["shape_log10_m_gas_profile"][1]
    amount = {name: 1.0 for name in shape}
    assert "shape_log10_m_gas_profile" not in reasons(SaturatingEstimator(weights=amount, saturation=9.0), batch)


def test_an_encoder_of_excesses_is_named(batch, monkeypatch):
    """A terse value that measures how over-luminous a cluster is follows no mass; the reason names what it follows.

    Its columns are none of those that the ablation exchanges, so that no use of it is claimed.
    """
    monkeypatch.setattr(SaturatingEstimator, "encode", lambda self, chosen: excesses(chosen)["l_x_excess"])
    told = reasons(SaturatingEstimator(), batch)
    assert told["mass"][0] == "failed"
    assert "rises with the luminosity excess at fixed mass (r = 1.00)" in told["excess"][1]
    assert "the ablation shows no use of it" in told["excess"][1]
    values = excesses(batch)["l_x_excess"]
    alone = terse_reasons(summarise_terse(values, batch, mass_axis(batch), n_permutations=99))
    assert "can correct the observable" in {reason.key: reason.text for reason in alone}["excess"]


def test_an_observed_catalog(observed, estimator):
    told = reasons(estimator, observed)
    assert told["mass"][0] == told["sigma8_at_fixed_mass"][0] == "impossible"
    assert "masses are unknown" in told["clusters"][1]
    assert told["inputs"][0] == "finding"


def test_a_model_without_terse_layer(batch):
    told = reasons(PlainEstimator(), batch)
    assert list(told) == ["clusters", "without_lensing", "terse"]
    assert told["terse"] == (
        "impossible",
        "What the encoder passes on cannot be examined: the model 'plain' has no terse layer.",
    )


def test_lone_clusters(lonely, estimator):
    assert reasons(estimator, lonely)["clusters"][0] == "impossible"


@pytest.mark.parametrize("name", ["max_catalogs", "max_rows", "n_permutations"])
def test_sizes_must_be_positive(name):
    from earnest_common.errors import InputError

    with pytest.raises(InputError, match=name):
        InterpretConfig(**{name: 0})
