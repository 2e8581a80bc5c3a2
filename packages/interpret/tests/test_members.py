"""Laws of several trainings: what they share is said with its range, what they do not is withheld."""

from dataclasses import replace

import numpy as np
import pytest
from earnest_common.testing import toy_batch
from earnest_interpret import ablation, report, saliency, terse
from earnest_interpret.analyses.ablation.effect import ablate
from earnest_interpret.answers.samples import sample_of
from earnest_interpret.page.agreement import agreed
from earnest_interpret.page.interpretation import InterpretConfig, interpret
from earnest_interpret.page.reasons import Reason
from earnest_interpret.responses.questions import members_of
from earnest_interpret.testing import SaturatingEnsemble, SaturatingEstimator

CONFIG = InterpretConfig(n_permutations=99, n_shuffles=1)
BATCH = toy_batch(n_catalogs=30, seed=1)
ONE = SaturatingEstimator(weights={"log10_t_x": 0.5, "log10_m_gas_profile_7": 0.10})
LIKE_IT = SaturatingEstimator(weights={"log10_t_x": 0.5, "log10_m_gas_profile_7": 0.15})
OPPOSITE = SaturatingEstimator(weights={"log10_t_x": -0.5, "log10_m_gas_profile_7": -0.10})
OF_GAS = SaturatingEstimator(weights={"log10_t_x": 0.1, "log10_m_gas_profile_7": 0.5})


def reasons(*members: SaturatingEstimator) -> dict[str, Reason]:
    found = interpret(SaturatingEnsemble(members=members), sample_of(BATCH, CONFIG), CONFIG)
    assert len(found.members) == len(members)
    return {reason.key: reason for reason in found.reasons}


def test_trainings_that_agree_confirm_and_give_the_range():
    told = reasons(ONE, LIKE_IT)
    assert told["mass"].outcome == "passed"
    assert told["mass"].text.startswith("The terse value follows the mass")
    low, high = sorted(float(numbers["pearson"]) for numbers in told["mass"].by_member)
    assert f"[all 2 trainings: r {low:.3f} to {high:.3f}" in told["mass"].text
    # the shares follow from the planted weights: 0.1 of 0.6 and 0.15 of 0.65
    assert "gas mass profile 16.7 to 23.1 %" in told["inputs"].text
    assert not any("one training" in reason.text for reason in told.values())


def test_a_planted_disagreement_of_sign_is_withheld():
    told = reasons(ONE, OPPOSITE, LIKE_IT)
    assert told["mass"].outcome == "undetermined"
    start = "Whether the terse value follows the mass M_500 is not determined by the training: r "
    assert told["mass"].text.startswith(start)
    assert "over 3 trainings" in told["mass"].text
    assert len(told["mass"].by_member) == 3


def test_a_planted_disagreement_of_order_is_withheld():
    told = reasons(ONE, OF_GAS)
    assert told["inputs"].outcome == "undetermined"
    assert told["inputs"].text == (
        "To which inputs the terse value is most sensitive is not determined by the training: temperature 16.7 to 83.3 "
        "%, gas mass profile 16.7 to 83.3 %, gas density slope 0.0 % over 2 trainings."
    )
    assert told["mass"].outcome == "passed"  # both follow mass: only what differs is withheld


def test_a_sentence_of_some_trainings_alone_is_withheld():
    """One of two trainings gives it, and so does the model as a whole."""
    reason = Reason(
        key="excess",
        outcome="finding",
        text="The terse value rises with the excess.",
        numbers={"pearson": 0.4},
        claim=("l_x_excess", True),
        subject="Which excess the terse value follows",
        ranges={"pearson": "r"},
    )
    (found,) = agreed([reason], [[reason], []])
    assert found.outcome == "undetermined"
    assert found.text == (
        "Which excess the terse value follows is not determined by the training: r 0.400 in the 1 of 2 trainings that "
        "show it."
    )
    (shared,) = agreed([reason], [[reason], [reason]])
    assert shared.text == "The terse value rises with the excess. [all 2 trainings: r 0.400]"
    (alone,) = agreed([reason])
    assert alone.text.endswith("[one training; not confirmed by others]")


@pytest.mark.parametrize("changed", [{"claim": ("l_x_excess", False)}, {"outcome": "failed"}])
def test_another_claim_or_outcome_is_no_confirmation(changed):
    reason = Reason(key="k", outcome="passed", text="It is so.", numbers={}, claim=("l_x_excess", True), subject="It")
    (found,) = agreed([reason], [[reason], [replace(reason, **changed)]])
    assert (found.outcome, found.text) == ("undetermined", "It is not determined by the training.")


def test_the_ablation_of_an_ensemble_is_that_of_its_predictions():
    """Members are asked once; the mean of what they say is what the ensemble says, and each has its own summary."""

    class Whole:
        description = ONE.description

        def predict(self, batch):
            return SaturatingEnsemble(members=(ONE, OF_GAS)).predict(batch)

    def ablated(model):
        return ablate(model, BATCH, rng=np.random.default_rng(3))

    whole, *members = ablated(SaturatingEnsemble(members=(ONE, OF_GAS)))
    (direct,) = ablated(Whole())
    for one, other in ((whole, direct), *zip(members, (ablated(m)[0] for m in (ONE, OF_GAS)), strict=True)):
        np.testing.assert_allclose(one.inferred["sigma8"], other.inferred["sigma8"], atol=1e-12)
        assert one.cases[0].over_all.change == pytest.approx(other.cases[0].over_all.change, abs=1e-12)


def test_single_questions_are_confirmed_or_withheld_too():
    ensemble = SaturatingEnsemble(members=(ONE, OF_GAS))
    assert len(members_of(ensemble)) == 2
    assert any("[all 2 trainings" in text for text in terse(ensemble, BATCH, config=CONFIG).reasons)
    assert "not determined" in saliency(ensemble, BATCH, config=CONFIG).reasons[0]
    found = ablation(ensemble, BATCH, config=CONFIG)
    assert len(found.members) == 2
    assert all("[all 2 trainings" in text or "not determined" in text for text in found.reasons)
    assert found.to_dict()["caution"] == terse(ensemble, BATCH, config=CONFIG).to_dict()["caution"]
    assert all("one training" in text for text in ablation(ONE, BATCH, config=CONFIG).reasons)
    # trainings that are named by hand count as well
    assert "not determined" in saliency(ONE, BATCH, also=[OF_GAS], config=CONFIG).reasons[0]
    assert "one training" in saliency(ONE, BATCH, config=CONFIG).reasons[0]


def test_the_page_has_a_row_for_each_training_and_marks_what_is_withheld():
    built = report(SaturatingEnsemble(members=(ONE, OPPOSITE)), BATCH, config=CONFIG)
    assert '<span class="outcome">withheld</span>' in built.html
    assert "Each training by itself, on the same catalogs." in built.html
    assert "one training; not confirmed" not in built.html
    shares = [member["shares"]["log10_t_x"] for member in built.numbers["members"]]
    np.testing.assert_allclose(shares, 5 / 6, atol=1e-6)
    assert built.numbers["members"][0]["lowest_rank_correlation_of_a_pair"] == pytest.approx(-1, abs=1e-6)
