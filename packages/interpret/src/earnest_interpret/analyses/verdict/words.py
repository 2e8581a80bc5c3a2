"""What the tests found, in sentences with their numbers."""

import math
from functools import singledispatch

from earnest_interpret.analyses.verdict.check import Check
from earnest_interpret.analyses.verdict.donors import KnownDonors
from earnest_interpret.analyses.verdict.edge import Edge
from earnest_interpret.analyses.verdict.exchange import Exchange
from earnest_interpret.analyses.verdict.grid import Clumping
from earnest_interpret.statistics.fixed_mass import PartialCorrelation
from earnest_interpret.words import format_number, format_signed, percent, probability

__all__ = ["describe", "findings", "impossible"]

SHARP = 0.6
"""Sharpness from which an edge in true mass is called sharp."""

BRIGHTER = 0.12
"""Excess of the lightest clusters from which a survey is taken to select by flux."""

_QUESTIONS = {
    "terse": "Whether the terse value depends on σ₈ at fixed mass",
    "exchange": "Whether the observables of single clusters reveal the σ₈ of their catalog",
    "donors": "Whether the model has memorised its donors",
    "grid": "Whether inferred values gather on a grid",
}


@singledispatch
def describe(found: object, *, failed: bool) -> Check:
    """Return the answer of one test.

    Parameters
    ----------
    found
        What the test found.
    failed
        Whether it counts against the model.
    """
    raise TypeError(f"no words for {type(found).__name__} (failed: {failed})")


@describe.register
def _(found: PartialCorrelation, *, failed: bool) -> Check:
    size = f"partial r = {format_signed(found.value, 3)}, {probability(found.p_value)} over {found.n_catalogs} catalogs"
    return Check(
        key="terse",
        outcome="failed" if failed else "passed",
        text=f"A single cluster's terse value shows {'a' if failed else 'no'} dependence on σ₈ at fixed mass: {size}.",
        null="the terse value and σ₈ are independent at fixed mass: labels can be shuffled between catalogs",
        p_value=found.p_value,
        numbers={"partial_r": found.value},
    )


@describe.register
def _(found: Exchange, *, failed: bool) -> Check:
    which = f"{percent(found.share)} of the clusters have one at every σ₈"
    share = f"{percent(found.slope, 1)} of the difference ({probability(found.p_value)})"
    text = (
        f"Replacing clusters with equally massive ones from catalogs of another σ₈, at the same nuisances ({which}), "
        f"moves the estimate by {share}"
    )
    verdict = "single clusters reveal σ₈" if failed else "not significant after Holm's correction"
    return Check(
        key="exchange",
        outcome="failed" if failed else "passed",
        text=f"{text}: {verdict}.",
        null="at fixed mass and nuisances observables do not depend on σ₈: the groups of catalogs that the clusters "
        "come from can be shuffled",
        p_value=found.p_value,
        numbers={"slope": found.slope, "share": found.share},
    )


@describe.register
def _(found: KnownDonors, *, failed: bool) -> Check:
    loss = (
        f"{format_number(found.unknown, 4)} with donors that are not in the training and "
        f"{format_number(found.known, 4)} with those that are"
    )
    verdict = "the model has memorised its donors" if failed else "not significant after Holm's correction"
    return Check(
        key="donors",
        outcome="failed" if failed else "passed",
        text=(
            f"σ₈ scatters by {loss} ({format_signed(100 * found.loss, 0)} %, {probability(found.p_value)}): {verdict}."
        ),
        null="errors do not depend on the donors: catalogs can be shuffled between donors of the training and others",
        p_value=found.p_value,
        numbers={
            "known": found.known,
            "unknown": found.unknown,
            "loss": found.loss,
            "bias_known": found.bias_known,
            "bias_unknown": found.bias_unknown,
        },
    )


@describe.register
def _(found: Clumping, *, failed: bool) -> Check:
    size = f"at multiples of {found.step:g} (strength {format_number(found.strength, 3)}, {probability(found.p_value)})"
    return Check(
        key="grid",
        outcome="failed" if failed else "passed",
        text=f"Inferred values {'gather' if failed else 'do not gather'} {size}.",
        null="inferred values are spread evenly between the points of a grid",
        p_value=found.p_value,
        numbers={"step": found.step, "strength": found.strength},
    )


def impossible(key: str, why: str) -> Check:
    """Return the answer of a test that cannot be made."""
    return Check(key=key, outcome="impossible", text=f"{_QUESTIONS[key]} cannot be tested: {why}.")


def findings(edge: Edge | None, clone_share: float) -> tuple[Check, ...]:
    """Return what is reported, not tested: flaws of the catalogs that a model may or may not have used."""
    found = []
    if edge is not None and math.isfinite(edge.sharpness):
        found.append(_of_edge(edge))
    if math.isfinite(clone_share):
        text = f"The gas profile most like a cluster's own comes from the same donor in {percent(clone_share)} of cases"
        ease = "clones can be recognised" if clone_share > 0.5 else "clones are hard to recognise"
        numbers = {"clone_share": clone_share}
        found.append(Check(key="clones", outcome="finding", text=f"{text}: {ease}.", numbers=numbers))
    return tuple(found)


def _of_edge(edge: Edge) -> Check:
    sharp, excess = edge.sharpness >= SHARP, f"{format_signed(edge.excess)} of the scatter"
    text = "The catalogs have no sharp edge in true mass"
    if edge.excess >= BRIGHTER:
        text = f"{text}: they follow a limit in flux, the lightest 5 % are brighter than their relation by {excess}"
    if sharp:
        text = "These catalogs are cut sharply in true mass, which no survey can do"
    elif math.isfinite(edge.excess) and edge.excess < BRIGHTER:
        text = (
            "The catalogs have no sharp edge, yet they select by true mass: the lightest 5 % are no brighter than "
            f"their relation ({excess}; a limit in flux gives +0.3 to +0.8)"
        )
    if math.isfinite(edge.influence):
        text += f"; a cluster at the cut moves σ₈ {format_number(edge.influence)} times as much as one just above it"
    numbers = {"sharpness": edge.sharpness, "excess": edge.excess, "influence": edge.influence if sharp else None}
    return Check(key="edge", outcome="finding", text=f"{text}.", numbers=numbers)
