"""Results as plain numbers by name, ready for JSON."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from earnest_common.arrays import FloatArray

from earnest_interpret.analyses.ablation.effect import AblationSummary, Case
from earnest_interpret.analyses.leave_one_out.groups import GroupRemoval
from earnest_interpret.analyses.leave_one_out.information import Ideal, information_by_mass
from earnest_interpret.analyses.leave_one_out.removal import MASSIVE, LeaveOneOutSummary
from earnest_interpret.analyses.members import MemberFindings, rank_correlations
from earnest_interpret.analyses.saliency.examination import SaliencyContext
from earnest_interpret.analyses.saliency.gradients import SaliencySummary
from earnest_interpret.analyses.terse.correlations import MassProxy, TerseSummary
from earnest_interpret.analyses.terse.formula import ClosedForm, ClosedForms
from earnest_interpret.caution import ONE_TRAINING
from earnest_interpret.sample import MassAxis
from earnest_interpret.units import MASS_UNIT, unit_of

__all__ = [
    "ablation_numbers",
    "beside_numbers",
    "closed_form_numbers",
    "group_numbers",
    "leave_one_out_numbers",
    "proxy_numbers",
    "saliency_numbers",
    "terse_numbers",
]


def leave_one_out_numbers(
    summary: LeaveOneOutSummary, delta: FloatArray, axis: MassAxis | None, ideal: Ideal | None
) -> dict[str, Any]:
    """Return leave-one-out as plain numbers by name, without the changes of single clusters.

    Masses are named after their column, ``log10_m_500c`` (or ``log10_m_wl``), and are in ``unit_of_masses``.
    """
    run, mass = summary.run, f"log10_{summary.column}"
    information = information_by_mass(delta, axis, ideal) if axis else None
    return {
        "n_clusters": summary.n_clusters,
        "stability_68": summary.stability_68,
        "stability_95": summary.stability_95,
        "unit_of_masses": MASS_UNIT,
        f"massive_above_{mass}": MASSIVE,
        "massive_share": summary.massive_share,
        "massive_fraction": summary.massive_fraction,
        "benchmarks": [
            {f"above_{mass}": b.log10_m, "n": b.n, "lowering": b.lowering, "median": b.median}
            for b in summary.benchmarks
        ],
        "light": None
        if summary.light is None
        else {
            f"below_{mass}": summary.light.log10_m,
            "n": summary.light.n,
            "lowering": summary.light.lowering,
            "median": summary.light.median,
        },
        "running": None
        if run is None
        else {
            mass: run.centres.tolist(),
            "n": run.counts.tolist(),
            "levels": list(run.levels),
            "delta_sigma8": run.values.tolist(),
        },
        "information_by_mass": None
        if information is None
        else {
            (f"{mass}_edges" if name == "edges" else name): values.tolist()
            for name, values in vars(information).items()
        },
    }


def group_numbers(groups: Sequence[GroupRemoval], *, column: str = "m_500c") -> list[dict[str, Any]]:
    """Return leave-group-out as plain numbers by name; edges of mass bins are named after the column [solMass]."""
    return [_group(asdict(group), f"log10_{column}") for group in groups]


def _group(group: dict[str, Any], mass: str) -> dict[str, Any]:
    low, high = group.pop("low"), group.pop("high")
    where = {"share": low} if group["kind"] == "random" else {f"{mass}_low": low, f"{mass}_high": high}
    return {"kind": group.pop("kind"), **where, **group}


def saliency_numbers(summary: SaliencySummary) -> dict[str, Any]:
    """Return saliency as plain numbers by name."""
    columns = ("mean_abs", "low", "high", "mean_signed", "per_unit")
    return {
        "caution": ONE_TRAINING,
        "of": summary.of,
        "method": summary.method,
        "inputs": {
            name: {column: float(getattr(summary, column)[j]) for column in columns}
            for j, name in enumerate(summary.names)
        },
        "ranked": [summary.names[j] for j in summary.ranked],
        "shares": {group.name: summary.share(group) for group in summary.groups},
        "coherence": {group.name: summary.coherence(group) for group in summary.groups},
        "unit_of_masses": MASS_UNIT,
        f"log10_{summary.column}_edges": summary.mass_edges.tolist(),
        "mass_counts": summary.mass_counts.tolist(),
        "median_by_mass": summary.by_mass.tolist(),
    }


def beside_numbers(beside: SaliencyContext) -> dict[str, Any]:
    """Return what belongs beside saliency as plain numbers by name."""
    stripes = beside.stripes
    return {
        "warning": beside.warning or None,
        "randomised": asdict(beside.check) if beside.check else None,
        "faint_clusters": None
        if stripes is None
        else {name: getattr(stripes, name) for name in ("faint_at_edge", "with_edge", "with_mass", "with_shape")},
        "also": [saliency_numbers(summary) for summary in beside.also],
        "compare": {"name": beside.compare_name, **saliency_numbers(beside.compare)} if beside.compare else None,
        "bands": {
            name: {"log10_m_500c_low": band.low, "log10_m_500c_high": band.high} for name, band in beside.bands.items()
        },
    }


def ablation_numbers(summary: AblationSummary) -> dict[str, Any]:
    """Return scatters and their changes as plain numbers by name."""
    return {
        "caution": ONE_TRAINING,
        "n_labelled": summary.n_catalogs,
        "columns": list(summary.columns),
        "prior_scatter": summary.prior_scatter,
        "n_shuffles": summary.n_shuffles,
        "cases": [_case(case) for case in summary.cases],
    }


def _case(case: Case) -> dict[str, Any]:
    effects = ("as_they_are", "within", "over_all", "constant")
    return {
        "without": list(case.without),
        "how": dict(case.how),
        **{name: asdict(getattr(case, name)) for name in effects},
        "over_all_less_within": {"change": case.distribution, "change_err": case.distribution_err},
    }


def terse_numbers(summary: TerseSummary) -> dict[str, Any]:
    """Return correlations, the test at fixed mass and mass proxies as plain numbers by name."""
    return {
        "caution": ONE_TRAINING,
        "correlations": {name: asdict(found) for name, found in summary.correlations.items()},
        "dependence": {name: asdict(found) for name, found in summary.dependence.items()},
        "at_fixed_mass": dict(summary.partial),
        "sigma8_at_fixed_mass": asdict(summary.at_fixed_mass) if summary.at_fixed_mass else None,
        "mass_proxies": proxy_numbers(summary.proxies),
        "spread": summary.spread,
    }


def members_numbers(members: Sequence[MemberFindings]) -> list[dict[str, Any]] | None:
    """Return what each training of an ensemble finds, without single clusters; ``None`` for a model trained once."""
    if not members:
        return None
    ranks = rank_correlations([member.terse_values for member in members])
    return [
        {
            "shares": {group.name: member.inputs.share(group) for group in member.inputs.groups},
            "correlations": {name: found.pearson for name, found in member.terse.correlations.items()},
            "mass_proxies": proxy_numbers(member.terse.proxies),
            "stability_68": member.clusters.stability_68,
            "lowest_rank_correlation_of_a_pair": float(ranks.min()),
        }
        for member in members
    ]


def proxy_numbers(proxies: tuple[MassProxy, ...]) -> dict[str, Any]:
    """Return mass scatters as plain numbers by name."""
    return {
        proxy.name: {"scatter": proxy.scatter, "scatter_within": proxy.scatter_within, "spread_of_ln_m": proxy.spread}
        for proxy in proxies
    }


def closed_form_numbers(forms: ClosedForms | None) -> dict[str, Any] | None:
    """Return formulas as plain numbers by name."""
    if forms is None:
        return None

    def numbers(form: ClosedForm) -> dict[str, Any]:
        units = [unit_of(name) for name in form.names]
        return {**asdict(form), "units": units, "gas_per_temperature": form.gas_per_temperature}

    return {
        "caution": ONE_TRAINING,
        "pair": numbers(forms.pair) if forms.pair else None,
        "gas": numbers(forms.gas) if forms.gas else None,
        "best": [numbers(form) for form in forms.best],
        "all_inputs": numbers(forms.all_inputs),
    }
