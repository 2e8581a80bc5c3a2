"""What a command prints without --json: a few rows instead of every number."""

from collections.abc import Mapping
from typing import Any

from earnest_interpret.words import format_number, format_signed, name_of, percent, significant

__all__ = ["ablation_rows", "leave_one_out_rows", "proxy_rows", "saliency_rows", "terse_rows"]

_MOST_SALIENT = 5
_TREATMENTS = {
    "as_they_are": "scatter",
    "within": "shuffled within catalogs",
    "over_all": "shuffled over all",
    "constant": "held constant",
}


def leave_one_out_rows(answer: Mapping[str, Any]) -> dict[str, Any]:
    """Return how far single clusters and whole groups move sigma8."""
    rows = {name: answer[name] for name in ("n_catalogs", "n_clusters", "stability_68", "stability_95")}
    rows["massive share"] = "unknown" if answer["massive_share"] is None else percent(answer["massive_share"])
    unit = answer["unit_of_masses"]
    return rows | {f"Δσ₈ without {_group(group, unit)}": _range(group) for group in answer["groups"]}


def _group(group: Mapping[str, Any], unit: str) -> str:
    """Return a group in words.

    Examples
    --------
    >>> _group({"kind": "mass", "log10_m_500c_low": None, "log10_m_500c_high": 14.15}, "solMass")
    'clusters below 10^14.15 solMass'
    """
    if group["kind"] == "random":
        return f"{percent(group['share'])} at random"
    low, high = (value for name, value in group.items() if name.endswith(("_low", "_high")))
    if low is None or high is None:
        return f"clusters below 10^{high:.2f} {unit}" if low is None else f"clusters above 10^{low:.2f} {unit}"
    return f"clusters from 10^{low:.2f} to 10^{high:.2f} {unit}"


def _range(group: Mapping[str, Any]) -> str:
    return (
        f"{format_signed(group['median'])} ({format_signed(group['low68'])} to {format_signed(group['high68'])} "
        f"in 68 % of catalogs)"
    )


def saliency_rows(answer: Mapping[str, Any]) -> dict[str, Any]:
    """Return shares of the quantities and the most salient inputs."""
    rows = {name: answer[name] for name in ("n_catalogs", "n_clusters", "of", "method")}
    rows |= {f"share of the {name_of(name)}": percent(share, 1) for name, share in answer["shares"].items()}
    first = answer["ranked"][:_MOST_SALIENT]
    return rows | {f"saliency of {name}": significant(answer["inputs"][name]["mean_abs"]) for name in first}


def ablation_rows(answer: Mapping[str, Any]) -> dict[str, Any]:
    """Return the scatter of sigma8 for each treatment of the encoder's inputs."""
    rows = {name: answer[name] for name in ("n_catalogs", "n_clusters", "n_labelled", "n_shuffles")}
    rows["prior scatter"] = format_number(answer["prior_scatter"], 4)
    for case in answer["cases"]:
        beside = ", ".join(f"{name_of(c)} {'absent' if h == 'unknown' else 'constant'}" for c, h in case["how"].items())
        for name, words in _TREATMENTS.items():
            effect = case[name]
            change = "" if name == "as_they_are" else f" ({_with_error(effect['change'], effect['change_err'])})"
            rows[f"{words}, {beside or 'all given'}"] = f"{format_number(effect['scatter'], 4)}{change}"
    return rows


def _with_error(value: float, error: float) -> str:
    return f"{format_signed(value)} ± {format_number(error, 4)}"


def terse_rows(answer: Mapping[str, Any]) -> dict[str, Any]:
    """Return correlations and the test at fixed mass."""
    rows = {name: answer[name] for name in ("n_catalogs", "n_clusters", "spread")}
    rows |= {f"r with {name}": _correlation(found) for name, found in answer["correlations"].items()}
    tested = answer["sigma8_at_fixed_mass"]
    text = f"{format_signed(tested['value'], 3)}, p = {tested['p_value']:.2g}" if tested else "cannot be tested"
    return rows | {"r with sigma8 at fixed mass": text}


def _correlation(found: Mapping[str, Any]) -> str:
    error = "" if found["pearson_err"] is None else f" ± {found['pearson_err']:.3f}"
    rank = "" if found["spearman"] is None else f", ranks {format_signed(found['spearman'], 3)}"
    return f"{format_signed(found['pearson'], 3)}{error}{rank}"


def proxy_rows(answer: Mapping[str, Any]) -> dict[str, Any]:
    """Return mass scatters and what formulas explain."""
    rows = {name: answer[name] for name in ("n_catalogs", "n_clusters")}
    for name, one in answer["mass_proxies"].items():
        text = f"{percent(one['scatter'], 1)} (ln M itself {percent(one['spread_of_ln_m'], 1)})"
        rows[f"mass scatter of {name_of(name)}"] = text
    best = answer["formula"]["best"] if answer["formula"] else []
    return rows | {f"R^2 of the best {len(form['names'])}": form["r_squared"] for form in best}
