"""Top reasons: the numbers of an interpretation as a short list of plain sentences, failed checks included."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, final

import numpy as np

from earnest_interpret.analyses.ablation.effect import AblationSummary
from earnest_interpret.analyses.ablation.words import lensing_text, worth_text
from earnest_interpret.analyses.leave_one_out.removal import MASSIVE, LeaveOneOutSummary
from earnest_interpret.analyses.saliency.gradients import SaliencySummary
from earnest_interpret.analyses.terse.correlations import MassProxy, TerseSummary
from earnest_interpret.caution import marked
from earnest_interpret.units import MASS_UNIT
from earnest_interpret.words import enumerate_words, format_number, format_signed, name_of, percent, probability

__all__ = [
    "Reason",
    "ablation_reasons",
    "cluster_reason",
    "input_reasons",
    "proxy_reasons",
    "terse_reasons",
    "top_reasons",
]

Outcome = Literal["finding", "passed", "failed", "impossible"]

SIGNIFICANT = 0.05
"""Largest p-value that counts against a model."""

NOTABLE = 0.3
"""Smallest correlation with an excess at fixed mass that is worth a sentence."""


@final
@dataclass(frozen=True, kw_only=True)
class Reason:
    """One sentence about the model.

    Attributes
    ----------
    key
        What it is about.
    outcome
        ``finding`` states a number, ``passed`` and ``failed`` the result of a check, ``impossible`` why one is missing.
    text
        The sentence.
    numbers
        The same as numbers.
    """

    key: str
    outcome: Outcome
    text: str
    numbers: Mapping[str, float | int | str | None]


def top_reasons(
    *,
    clusters: LeaveOneOutSummary,
    inputs: SaliencySummary | None,
    terse: TerseSummary | None,
    ablation: AblationSummary | None = None,
    beside: tuple[str, ...] = (),
    missing: str = "",
) -> tuple[Reason, ...]:
    """Return which clusters move sigma8, which inputs the encoder uses, and what its number means.

    Parameters
    ----------
    clusters
        Leave-one-out of the sample.
    inputs, terse
        Saliency and terse value; ``None`` for a model that has none.
    ablation
        The scatter of sigma8 with the encoder's inputs exchanged; ``None`` without enough labelled catalogs.
    beside
        Columns that join after the encoder.
    missing
        Why there is no saliency or terse value.
    """
    reasons = [cluster_reason(clusters)]
    if inputs is not None:
        reasons += input_reasons(inputs)
    if ablation is not None:
        reasons += ablation_reasons(ablation)
    if terse is not None:
        reasons += terse_reasons(terse, beside, is_used=ablation is None or ablation.cases[0].is_used)
    if inputs is None or terse is None:
        reasons.append(_reason("terse", "impossible", f"What the encoder passes on cannot be examined: {missing}."))
    return tuple(reasons)


def _reason(key: str, outcome: Outcome, text: str, **numbers: float | int | str | None) -> Reason:
    of_encoder = key != "clusters" and outcome != "impossible"
    return Reason(key=key, outcome=outcome, text=marked(text) if of_encoder else text, numbers=numbers)


def cluster_reason(summary: LeaveOneOutSummary) -> Reason:
    """Return which clusters move sigma8."""
    if summary.n_clusters == 0:
        return _reason("clusters", "impossible", "No catalog holds two clusters, so none can be left out.")
    start = f"Leaving out one cluster moves σ₈ by less than {format_number(summary.stability_68, 4)} in 68 % of cases"
    numbers = {"n_clusters": summary.n_clusters, "stability_68": summary.stability_68}
    if not np.isfinite(summary.massive_share):
        return _reason("clusters", "finding", f"{start}; masses are unknown, so it cannot be given by mass.", **numbers)
    last = summary.benchmarks[-1]
    text = (
        f"{start}. The clusters above 10^{MASSIVE:.2f} M☉, {percent(summary.massive_fraction)} of all, carry "
        f"{percent(summary.massive_share)} of the change"
    )
    if np.isfinite(last.log10_m):
        text += (
            f"; removing one above 10^{last.log10_m:.2f} M☉ lowers σ₈ in {percent(last.lowering)} of {last.n:,} cases "
            f"(median {format_signed(last.median)})"
        )
    more = {"massive_share": summary.massive_share, "massive_fraction": summary.massive_fraction}
    last_numbers: dict[str, float | str] = {f"above_log10_{summary.column}": last.log10_m, "unit_of_masses": MASS_UNIT}
    return _reason(
        "clusters",
        "finding",
        f"{text}.",
        **numbers,
        **more,
        **last_numbers,
        lowering=last.lowering,
        median=last.median,
    )


def input_reasons(summary: SaliencySummary) -> list[Reason]:
    """Return which inputs the encoder is sensitive to."""
    return [_inputs(summary), *_shape(summary)]


def _inputs(summary: SaliencySummary) -> Reason:
    groups = sorted(summary.groups, key=lambda group: -summary.share(group))
    salient = [group for group in groups[:3] if summary.share(group) >= 0.005]
    words = [f"the {name_of(group.name)} ({percent(summary.share(group))})" for group in salient]
    words[:1] = [f"{word[:-1]} of the summed saliency)" for word in words[:1]]
    target = "terse value" if summary.of == "terse" else "inferred σ₈"
    if not salient:
        return _reason("inputs", "finding", f"The {target} does not depend on any input.", most_salient=None)
    text = f"The {target} is most sensitive to {enumerate_words(words)}"
    profiles = [group for group in salient if group.radii]
    if profiles:
        first = profiles[0]
        sizes = summary.mean_abs[list(first.columns)]
        peak, radii = int(np.argmax(sizes)), first.radii or ()
        ratio = sizes[0] / sizes[peak] if sizes[peak] > 0 else np.nan
        text += f", and along the {name_of(first.name)} most at {radii[peak]:.2f} R₅₀₀"
        if peak:
            text += f" (the core at {radii[0]:.2f} has {percent(ratio)} of that)"
    shares = {f"share_{group.name}": summary.share(group) for group in groups}
    return _reason("inputs", "finding", f"{text}.", most_salient=summary.names[summary.ranked[0]], **shares)


def ablation_reasons(summary: AblationSummary) -> list[Reason]:
    """Return what the encoder's inputs are worth, and what stands for weak-lensing masses without them.

    Of a model that never has weak-lensing masses these are one case, and one sentence.
    """
    first, case = summary.cases[0], summary.without_lensing
    found = []
    if case is not first:
        worth = {"scatter": first.as_they_are.scatter, "change_over_all": first.over_all.change}
        found.append(_reason("worth", "finding", worth_text(summary), n_catalogs=summary.n_catalogs, **worth))
    if case is not None:
        numbers = {"scatter": case.as_they_are.scatter, "distribution": case.distribution}
        numbers |= {"distribution_err": case.distribution_err, "n_catalogs": summary.n_catalogs}
        found.append(_reason("without_lensing", "finding", lensing_text(summary), **numbers))
    return found


def _shape(summary: SaliencySummary) -> list[Reason]:
    """Return a sentence for each important profile whose radii cancel."""
    found = []
    for group in summary.groups:
        left = summary.coherence(group)
        if group.radii and summary.share(group) >= 0.2 and left < 0.25:
            text = (
                f"Responses to the {name_of(group.name)} at different radii cancel: scaling the whole profile leaves "
                f"{percent(left)} of the summed response. The encoder uses the profile's shape rather than its "
                "normalisation."
            )
            found.append(_reason("shape", "finding", text, profile=group.name, coherence=left))
    return found


def terse_reasons(summary: TerseSummary, beside: tuple[str, ...] = (), *, is_used: bool = True) -> list[Reason]:
    """Return what the terse value follows, whether it depends on sigma8 at fixed mass, and its mass scatter."""
    found = [_mass(summary, beside), *_excess(summary, is_used=is_used), _fixed_mass(summary)]
    return [*found, *proxy_reasons(summary.proxies)]


def _mass(summary: TerseSummary, beside: tuple[str, ...]) -> Reason:
    found = {name: c for name, c in summary.correlations.items() if name in ("log10_m_500c", "log10_m_wl")}
    if not found:
        return _reason("mass", "impossible", "Masses are unknown, so whether the terse value follows mass is open.")
    name, correlation = next(iter(found.items()))
    follows = abs(correlation.spearman) >= 0.5
    verb = "follows" if follows else "hardly follows"
    text = f"The terse value {verb} the {name_of(name)}: r = {format_number(correlation.pearson)}, rank correlation "
    text += f"{format_number(correlation.spearman)} over {correlation.n:,} clusters"
    if not follows and beside:
        text += (
            f"; {enumerate_words([name_of(column) for column in beside])} join after it and can carry the mass instead"
        )
    numbers = {"pearson": correlation.pearson, "spearman": correlation.spearman, "n_clusters": correlation.n}
    return _reason("mass", "passed" if follows else "failed", f"{text}.", **numbers)


def _excess(summary: TerseSummary, *, is_used: bool) -> list[Reason]:
    """Return a sentence on the observable whose excess at fixed mass the terse value follows, if there is one."""
    found = {name: c for name, c in summary.correlations.items() if name.endswith("_excess")}
    if not found:
        return []
    name, correlation = max(found.items(), key=lambda item: abs(item[1].pearson))
    if abs(correlation.pearson) < NOTABLE:
        return []
    more = "rises" if correlation.pearson > 0 else "falls"
    use = (
        "with that a sum over clusters can correct the observable"
        if is_used
        else "the ablation shows no use of it for σ₈"
    )
    text = (
        f"The terse value {more} with the {name_of(name)} (r = {format_number(correlation.pearson)}), the distance of "
        f"a cluster from its scaling relation; {use}."
    )
    return [_reason("excess", "finding", text, excess=name, pearson=correlation.pearson, n_clusters=correlation.n)]


def _fixed_mass(summary: TerseSummary) -> Reason:
    found = summary.at_fixed_mass
    if found is None:
        return _reason(
            "sigma8_at_fixed_mass",
            "impossible",
            "Whether the terse value depends on σ₈ at fixed mass cannot be tested without true masses and at least 20 "
            "catalogs of different known σ₈.",
        )
    clean = found.p_value > SIGNIFICANT
    size = f"partial r = {format_signed(found.value, 3)}, {probability(found.p_value)} over {found.n_catalogs} catalogs"
    text = f"At fixed mass the terse value shows no dependence on σ₈: {size}."
    if not clean:
        text = (
            f"At fixed mass the terse value depends on σ₈: {size}. Cosmology inferred from a single cluster is a sign "
            "of overspecialisation (the false-alarm rate of this check is 5 %)."
        )
    numbers = {"partial_r": found.value, "p_value": found.p_value, "n_catalogs": found.n_catalogs}
    return _reason("sigma8_at_fixed_mass", "passed" if clean else "failed", text, **numbers)


def proxy_reasons(proxies: tuple[MassProxy, ...]) -> list[Reason]:
    """Return what the terse value is worth as a mass proxy."""
    scatter = {proxy.name: proxy.scatter for proxy in proxies}
    if len(scatter) < 2 or "terse" not in scatter:
        return []
    others = [f"{name_of(n)} {percent(s, 1)}" for n, s in scatter.items() if n != "terse"]
    spread = next(proxy.spread for proxy in proxies if proxy.name == "terse")
    text = (
        f"As a mass proxy the terse value scatters by {percent(scatter['terse'], 1)}, beside "
        f"{enumerate_words(others)}; ln M itself scatters by {percent(spread, 1)}, which a useless proxy would leave."
    )
    return [_reason("mass_proxy", "finding", text, **scatter, spread_of_ln_m=spread)]
