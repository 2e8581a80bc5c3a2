"""What was found as plain numbers by name, ready for JSON."""

from dataclasses import asdict
from typing import Any

from earnest_common.arrays import FloatArray

from earnest_interpret.closed_form import ClosedForm, ClosedForms
from earnest_interpret.examine import Beside
from earnest_interpret.information import Ideal, information_by_mass
from earnest_interpret.leave_one_out import LeaveOneOutSummary
from earnest_interpret.saliency import SaliencySummary
from earnest_interpret.sample import MassAxis
from earnest_interpret.terse import MassProxy, TerseSummary

__all__ = [
    "beside_numbers",
    "closed_form_numbers",
    "leave_one_out_numbers",
    "proxy_numbers",
    "saliency_numbers",
    "terse_numbers",
]


def leave_one_out_numbers(
    summary: LeaveOneOutSummary, delta: FloatArray, axis: MassAxis | None, ideal: Ideal | None
) -> dict[str, Any]:
    """Return leave-one-out as plain numbers by name, without the changes of single clusters."""
    run = summary.run
    information = information_by_mass(delta, axis, ideal) if axis else None
    return {
        "n_clusters": summary.n_clusters,
        "stability_68": summary.stability_68,
        "stability_95": summary.stability_95,
        "massive_share": summary.massive_share,
        "massive_fraction": summary.massive_fraction,
        "benchmarks": [
            {"above_log10_m": b.log10_m, "n": b.n, "lowering": b.lowering, "median": b.median}
            for b in summary.benchmarks
        ],
        "running": None
        if run is None
        else {
            "log10_m": run.centres.tolist(),
            "n": run.counts.tolist(),
            "levels": list(run.levels),
            "delta_sigma8": run.values.tolist(),
        },
        "information_by_mass": None
        if information is None
        else {name: values.tolist() for name, values in vars(information).items()},
    }


def saliency_numbers(summary: SaliencySummary) -> dict[str, Any]:
    """Return saliency as plain numbers by name."""
    columns = ("mean_abs", "low", "high", "mean_signed", "per_unit")
    return {
        "of": summary.of,
        "method": summary.method,
        "inputs": {
            name: {column: float(getattr(summary, column)[j]) for column in columns}
            for j, name in enumerate(summary.names)
        },
        "ranked": [summary.names[j] for j in summary.ranked],
        "shares": {group.name: summary.share(group) for group in summary.groups},
        "coherence": {group.name: summary.coherence(group) for group in summary.groups},
        "mass_edges": summary.mass_edges.tolist(),
        "mass_counts": summary.mass_counts.tolist(),
        "median_by_mass": summary.by_mass.tolist(),
    }


def beside_numbers(beside: Beside) -> dict[str, Any]:
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
        "bands": {name: asdict(band) for name, band in beside.bands.items()},
    }


def terse_numbers(summary: TerseSummary) -> dict[str, Any]:
    """Return correlations, the test at fixed mass and mass proxies as plain numbers by name."""
    return {
        "correlations": {name: asdict(found) for name, found in summary.correlations.items()},
        "dependence": {name: asdict(found) for name, found in summary.dependence.items()},
        "at_fixed_mass": dict(summary.partial),
        "sigma8_at_fixed_mass": asdict(summary.at_fixed_mass) if summary.at_fixed_mass else None,
        "mass_proxies": proxy_numbers(summary.proxies),
        "spread": summary.spread,
    }


def proxy_numbers(proxies: tuple[MassProxy, ...]) -> dict[str, Any]:
    """Return mass scatters as plain numbers by name."""
    return {proxy.name: {"scatter": proxy.scatter, "scatter_within": proxy.scatter_within} for proxy in proxies}


def closed_form_numbers(forms: ClosedForms | None) -> dict[str, Any] | None:
    """Return formulas as plain numbers by name."""
    if forms is None:
        return None

    def told(form: ClosedForm) -> dict[str, Any]:
        return {**asdict(form), "gas_per_temperature": form.gas_per_temperature}

    return {
        "pair": told(forms.pair) if forms.pair else None,
        "gas": told(forms.gas) if forms.gas else None,
        "best": [told(form) for form in forms.best],
        "all_inputs": told(forms.all_inputs),
    }
