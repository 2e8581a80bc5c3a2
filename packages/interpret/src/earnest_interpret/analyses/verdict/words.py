"""What the tests found, in sentences with their numbers."""

import math
from functools import singledispatch

from earnest_interpret.analyses.verdict.check import Check
from earnest_interpret.analyses.verdict.donors import KnownDonors
from earnest_interpret.analyses.verdict.edge import Edge
from earnest_interpret.analyses.verdict.exchange import Exchange
from earnest_interpret.analyses.verdict.grid import Clumping
from earnest_interpret.caution import marked
from earnest_interpret.statistics.fixed_mass import PartialCorrelation
from earnest_interpret.words import format_number, format_signed, percent, probability

__all__ = ["findings", "impossible", "tell"]

SHARP = 0.6
"""Sharpness from which an edge in true mass is called sharp."""

BRIGHTER = 0.12
"""Excess of the lightest clusters from which a survey is taken to select by flux."""

_QUESTIONS = {
    "terse": "Whether the terse value of a cluster knows σ₈ at fixed mass",
    "exchange": "Whether the look of clusters betrays the σ₈ of their catalog",
    "donors": "Whether the model knows its donors by sight",
    "grid": "Whether inferred values gather on a grid",
}


@singledispatch
def tell(found: object, *, failed: bool) -> Check:
    """Return the answer of one test.

    Parameters
    ----------
    found
        What the test found.
    failed
        Whether it counts against the model.
    """
    raise TypeError(f"no words for {type(found).__name__} (failed: {failed})")


@tell.register
def _(found: PartialCorrelation, *, failed: bool) -> Check:
    size = f"partial r = {format_signed(found.value, 3)}, {probability(found.p_value)} over {found.n_catalogs} catalogs"
    return Check(
        key="terse",
        outcome="failed" if failed else "passed",
        text=marked(
            f"A single cluster's terse value {'knows' if failed else 'does not know'} σ₈ at fixed mass: {size}."
        ),
        null="the terse value and σ₈ are independent at fixed mass: labels can be shuffled between catalogs",
        p_value=found.p_value,
        numbers={"partial_r": found.value},
    )


@tell.register
def _(found: Exchange, *, failed: bool) -> Check:
    share = f"the estimate follows it by {percent(found.slope, 1)} ({probability(found.p_value)})"
    which = f"clusters ({percent(found.share)} have equals at every σ₈)"
    text = f"When {which} are exchanged for those of another σ₈ at the same mass and nuisances, {share}"
    verdict = "single clusters betray the cosmology" if failed else "no more than chance gives"
    return Check(
        key="exchange",
        outcome="failed" if failed else "passed",
        text=f"{text}: {verdict}.",
        null="at fixed mass and nuisances clusters look alike whatever σ₈: the groups of catalogs that lend the look "
        "of their clusters can be shuffled",
        p_value=found.p_value,
        numbers={"slope": found.slope, "share": found.share},
    )


@tell.register
def _(found: KnownDonors, *, failed: bool) -> Check:
    loss = (
        f"{format_number(found.unknown, 4)} with donors that the model never met and "
        f"{format_number(found.known, 4)} with known ones"
    )
    verdict = "it knows its donors by sight" if failed else "no more than chance gives"
    return Check(
        key="donors",
        outcome="failed" if failed else "passed",
        text=(
            f"σ₈ scatters by {loss} ({format_signed(100 * found.loss, 0)} %, {probability(found.p_value)}): {verdict}."
        ),
        null="errors scatter alike whichever donors: catalogs can be shuffled between known and unknown donors",
        p_value=found.p_value,
        numbers={
            "known": found.known,
            "unknown": found.unknown,
            "loss": found.loss,
            "bias_known": found.bias_known,
            "bias_unknown": found.bias_unknown,
        },
    )


@tell.register
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
    """Return what is told but not judged: flaws of the catalogs that a model may or may not have used."""
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
        text = "The catalogs are cut sharply in true mass, a ruler that no telescope has"
    elif math.isfinite(edge.excess) and edge.excess < BRIGHTER:
        text = (
            "The catalogs have no sharp edge, yet they select by true mass: the lightest 5 % are no brighter than "
            f"their relation ({excess}; a limit in flux gives +0.3 to +0.8)"
        )
    if math.isfinite(edge.influence):
        text += (
            f"; a cluster at the edge moves σ₈ {format_number(edge.influence)} times as much as one a little above it"
        )
    numbers = {"sharpness": edge.sharpness, "excess": edge.excess, "influence": edge.influence if sharp else None}
    return Check(key="edge", outcome="finding", text=f"{text}.", numbers=numbers)
