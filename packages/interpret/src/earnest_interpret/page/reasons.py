"""Top reasons: the numbers of an interpretation as a short list of plain sentences, failed checks included."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, final

import numpy as np

from earnest_interpret.analyses.ablation.effect import AblationSummary
from earnest_interpret.analyses.ablation.words import lensing_text, worth_text
from earnest_interpret.analyses.leave_one_out.removal import MASSIVE, LeaveOneOutSummary
from earnest_interpret.analyses.saliency.gradients import SaliencySummary
from earnest_interpret.analyses.terse.correlations import MassProxy, TerseSummary
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

Outcome = Literal["finding", "passed", "failed", "impossible", "undetermined"]

Numbers = Mapping[str, float | int | str | None]

SIGNIFICANT = 0.05
"""Largest p-value that counts against a model."""

_SALIENT = 0.005
"""Smallest share of the summed saliency that is named."""

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
        ``finding`` states a number, ``passed`` and ``failed`` the result of a check, ``impossible`` why one is missing,
        ``undetermined`` that trainings of the model differ.
    text
        The sentence.
    numbers
        The same as numbers.
    claim
        What another training must share to confirm the sentence: signs, orders, names.
    subject
        What the sentence is about, for the case that trainings differ.
    ranges
        Which numbers are given with their range over trainings, and how they are called; in percent where the name
        ends so.
    by_member
        The numbers of each training of an ensemble.
    """

    key: str
    outcome: Outcome
    text: str
    numbers: Numbers
    claim: tuple[object, ...] = ()
    subject: str = ""
    ranges: Mapping[str, str] = field(default_factory=dict)
    by_member: tuple[Numbers, ...] = ()

    @property
    def is_of_one_training(self) -> bool:
        """Whether another training of the same model may give another sentence."""
        return self.key != "clusters" and self.outcome != "impossible"


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
        text = f"What the encoder passes on cannot be examined: {missing}."
        reasons.append(Reason(key="terse", outcome="impossible", text=text, numbers={}))
    return tuple(reasons)


def cluster_reason(summary: LeaveOneOutSummary) -> Reason:
    """Return which clusters move sigma8."""
    if summary.n_clusters == 0:
        text = "No catalog holds two clusters, so none can be left out."
        return Reason(key="clusters", outcome="impossible", text=text, numbers={})
    start = f"Leaving out one cluster moves σ₈ by less than {format_number(summary.stability_68, 4)} in 68 % of cases"
    numbers: dict[str, float | str] = {"n_clusters": summary.n_clusters, "stability_68": summary.stability_68}
    subject, ranges = "How far single clusters move σ₈", {"stability_68": "|Δσ₈| in 68 % below"}
    if not np.isfinite(summary.massive_share):
        text = f"{start}; masses are unknown, so it cannot be given by mass."
        return Reason(key="clusters", outcome="finding", text=text, numbers=numbers, subject=subject, ranges=ranges)
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
    return Reason(
        key="clusters",
        outcome="finding",
        text=f"{text}.",
        numbers={**numbers, **more, **last_numbers, "lowering": last.lowering, "median": last.median},
        claim=(np.isfinite(last.median), bool(last.median < 0)),
        subject=subject,
        ranges={**ranges, "massive_share": "share of massive clusters %"},
    )


def input_reasons(summary: SaliencySummary) -> list[Reason]:
    """Return which inputs the encoder is sensitive to."""
    return [_inputs(summary), *_peak(summary), *_shape(summary)]


def _inputs(summary: SaliencySummary) -> Reason:
    groups = sorted(summary.groups, key=lambda group: -summary.share(group))
    salient = [group for group in groups[:3] if summary.share(group) >= _SALIENT]
    words = [f"the {name_of(group.name)} ({percent(summary.share(group))})" for group in salient]
    words[:1] = [f"{word[:-1]} of the summed saliency)" for word in words[:1]]
    target = "terse value" if summary.of == "terse" else "inferred σ₈"
    shares = {f"share_{group.name}": summary.share(group) for group in groups}
    subject = f"To which inputs the {target} is most sensitive"
    if not salient:
        text = f"The {target} does not depend on any input."
        return Reason(key="inputs", outcome="finding", text=text, numbers={"most_salient": None}, subject=subject)
    return Reason(
        key="inputs",
        outcome="finding",
        text=f"The {target} is most sensitive to {enumerate_words(words)}.",
        numbers={"most_salient": summary.names[summary.ranked[0]], **shares},
        claim=tuple(group.name for group in salient),
        subject=subject,
        ranges={f"share_{group.name}": f"{name_of(group.name)} %" for group in groups},
    )


def _peak(summary: SaliencySummary) -> list[Reason]:
    """Return where along its most salient profile the encoder is most sensitive, if it uses one."""
    profiles = [group for group in summary.groups if group.radii and summary.share(group) >= _SALIENT]
    if not profiles:
        return []
    first = max(profiles, key=summary.share)
    sizes = summary.mean_abs[list(first.columns)]
    peak, radii = int(np.argmax(sizes)), first.radii or ()
    text = f"Along the {name_of(first.name)} the saliency is largest at {radii[peak]:.2f} R₅₀₀"
    core = float(sizes[0] / sizes[peak]) if sizes[peak] > 0 else float("nan")
    if peak:
        text += f"; the core at {radii[0]:.2f} R₅₀₀ has {percent(core)} of that"
    return [
        Reason(
            key="peak",
            outcome="finding",
            text=f"{text}.",
            numbers={"profile": first.name, "radius": radii[peak], "core": core},
            claim=(first.name, radii[peak]),
            subject=f"At which radius the saliency of the {name_of(first.name)} is largest",
            ranges={"radius": "radius", "core": "core %"},
        )
    ]


def ablation_reasons(summary: AblationSummary) -> list[Reason]:
    """Return what the encoder's inputs are worth, and what stands for weak-lensing masses without them.

    Of a model that never has weak-lensing masses these are one case, and one sentence.
    """
    first, case = summary.cases[0], summary.without_lensing
    found = []
    if case is not first:
        worth = {"scatter": first.as_they_are.scatter, "change_over_all": first.over_all.change}
        worth["n_catalogs"] = summary.n_catalogs
        found.append(
            Reason(
                key="worth",
                outcome="finding",
                text=worth_text(summary),
                numbers=worth,
                claim=(first.is_used,),
                subject="Whether the encoder's inputs are used beside what joins after it",
                ranges={"change_over_all": "change over all catalogs"},
            )
        )
    if case is not None:
        numbers = {"scatter": case.as_they_are.scatter, "distribution": case.distribution}
        numbers |= {"distribution_err": case.distribution_err, "n_catalogs": summary.n_catalogs}
        found.append(
            Reason(
                key="without_lensing",
                outcome="finding",
                text=lensing_text(summary),
                numbers=numbers,
                claim=(case.needs_distribution, case.distribution >= 0.5 * case.over_all.change),
                subject="What replaces weak-lensing masses where they are missing",
                ranges={"distribution": "difference"},
            )
        )
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
            found.append(
                Reason(
                    key=f"shape_{group.name}",
                    outcome="finding",
                    text=text,
                    numbers={"profile": group.name, "coherence": left},
                    subject=f"Whether the encoder uses the shape of the {name_of(group.name)} alone",
                    ranges={"coherence": "what a scaling of the profile leaves %"},
                )
            )
    return found


def terse_reasons(summary: TerseSummary, beside: tuple[str, ...] = (), *, is_used: bool = True) -> list[Reason]:
    """Return what the terse value follows, whether it depends on sigma8 at fixed mass, and its mass scatter."""
    found = [_mass(summary, beside), *_excess(summary, is_used=is_used), _fixed_mass(summary)]
    return [*found, *proxy_reasons(summary.proxies)]


def _mass(summary: TerseSummary, beside: tuple[str, ...]) -> Reason:
    found = {name: c for name, c in summary.correlations.items() if name in ("log10_m_500c", "log10_m_wl")}
    if not found:
        text = "Masses are unknown, so whether the terse value follows mass is open."
        return Reason(key="mass", outcome="impossible", text=text, numbers={})
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
    return Reason(
        key="mass",
        outcome="passed" if follows else "failed",
        text=f"{text}.",
        numbers=numbers,
        claim=(name, correlation.spearman > 0),
        subject=f"Whether the terse value follows the {name_of(name)}",
        ranges={"pearson": "r", "spearman": "rank correlation"},
    )


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
    return [
        Reason(
            key="excess",
            outcome="finding",
            text=text,
            numbers={"excess": name, "pearson": correlation.pearson, "n_clusters": correlation.n},
            claim=(name, correlation.pearson > 0),
            subject="Which excess at fixed mass the terse value follows",
            ranges={"pearson": "r"},
        )
    ]


def _fixed_mass(summary: TerseSummary) -> Reason:
    found = summary.at_fixed_mass
    if found is None:
        return Reason(
            key="sigma8_at_fixed_mass",
            outcome="impossible",
            text="Whether the terse value depends on σ₈ at fixed mass cannot be tested without true masses and at "
            "least 20 catalogs of different known σ₈.",
            numbers={},
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
    return Reason(
        key="sigma8_at_fixed_mass",
        outcome="passed" if clean else "failed",
        text=text,
        numbers=numbers,
        subject="Whether the terse value depends on σ₈ at fixed mass",
        ranges={"partial_r": "partial r"},
    )


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
    return [
        Reason(
            key="mass_proxy",
            outcome="finding",
            text=text,
            numbers={**scatter, "spread_of_ln_m": spread},
            claim=tuple(name for _, name in sorted((value, name) for name, value in scatter.items())),
            subject="How the terse value compares with other mass proxies",
            ranges={"terse": "terse value %"},
        )
    ]
