"""Why a model may be applied to a catalog, or not, in sentences."""

from collections.abc import Sequence
from typing import Final

import numpy as np

from earnest_interpret.analyses.applicability.answer import Comparison
from earnest_interpret.analyses.applicability.distance import TOGETHER
from earnest_interpret.analyses.applicability.unseen import SIZE, Unseen
from earnest_interpret.words import enumerate_words, format_number, format_signed, name_of, percent, probability

__all__ = ["reasons_for"]

_WHAT: Final = {
    "inputs": "The clusters' observables",
    "summary": "Number, medians, slopes and scatters",
    "terse": "The terse values",
    "prediction": "The inferred σ₈ and its error",
}

_SHORT: Final = {
    "inputs": "the clusters' observables",
    "summary": "number, medians, slopes and scatters",
    "terse": "terse values",
    "prediction": "inferred σ₈",
}


def reasons_for(
    comparisons: Sequence[Comparison],
    *,
    missing: Sequence[str],
    known: Sequence[str],
    redshift: float,
    n_catalogs: int,
    radii: Sequence[float],
    unseen: Unseen | None = None,
) -> tuple[str, ...]:
    """Return one sentence for each comparison, and for what prevents others.

    Parameters
    ----------
    comparisons
        By space.
    missing, known
        Columns that the model reads and the catalog lacks, and those that are compared.
    redshift
        By how much the typical redshift lies outside the range of the training; 0 if it is no matter.
    n_catalogs
        Number of catalogs.
    radii
        Radii of the profiles [R_500c].
    unseen
        What errors that no distance shows would do.
    """
    found = []
    if missing:
        lacking = enumerate_words([name_of(name) for name in missing])
        rest = enumerate_words([name_of(name) for name in known]) or "no column"
        found.append(
            f"The model reads the {lacking}, which the catalog lacks for some or all clusters: it gives no answer "
            f"here. Compared are {rest}."
        )
    if redshift > 0:
        found.append(
            f"The typical redshift lies {format_number(redshift, 3)} outside the range of the training; "
            f"relations evolve, and "
            "the redshift is no input of the model."
        )
    found += [_sentence(one, n_catalogs, radii) for one in comparisons]
    spaces = {one.space for one in comparisons}
    if "summary" not in spaces:
        found.append("The summary cannot be compared: a catalog has too few clusters.")
    if apart := [one for one in comparisons if one.together <= TOGETHER]:
        found.append(_together(apart, n_catalogs))
    found.append(
        "A table does not show how clusters were selected: that it was as in the training must be known from elsewhere."
    )
    return (*found, _unseen(unseen)) if unseen and unseen.columns else tuple(found)


def _together(apart: Sequence[Comparison], n_catalogs: int) -> str:
    what = enumerate_words([_SHORT[one.space] for one in apart])
    return (
        f"All {n_catalogs} catalogs together lie farther out than as many of the training in {what} "
        f"({probability(min(one.together for one in apart))}): they were made or measured otherwise, even where no "
        "single one shows it."
    )


def _unseen(unseen: Unseen) -> str:
    """Return what has to be known from elsewhere, the largest effects first."""
    largest = sorted(unseen.columns.items(), key=lambda item: -abs(item[1]))[:3]
    parts = [f"a {name_of(name)} {percent(SIZE)} too high by {format_signed(shift)}" for name, shift in largest]
    if np.isfinite(unseen.missed):
        parts.append(f"missing one cluster in ten by {format_signed(unseen.missed)}")
    beside = f" beside an error of {format_number(unseen.error, 4)}" if np.isfinite(unseen.error) else ""
    return (
        f"Errors that all clusters share cannot be seen where relations vary in training. They move the inferred σ₈: "
        f"{enumerate_words(parts)}{beside}."
    )


def _sentence(one: Comparison, n_catalogs: int, radii: Sequence[float]) -> str:
    p_value = float(np.median(one.p_values))
    beyond = p_value * (1 + len(one.calibration)) < 1.5
    share = percent(float(np.mean(one.calibration < np.median(one.values))))
    place = "farther out than every one" if beyond else f"farther out than {share}"
    typical = " of the typical catalog" if n_catalogs > 1 else ""
    trained = f"of {len(one.calibration)} catalogs of the training ({probability(p_value)})"
    far = enumerate_words(
        [f"{_name(name, radii)} by {format_signed(size, 1)}" for name, size in one.farthest if abs(size) >= 1]
    )
    tail = f"; in standard deviations of the training, {far}" if far else ""
    return f"{_WHAT[one.space]}{typical} lie {place} {trained}{tail}."


def _name(name: str, radii: Sequence[float] = ()) -> str:
    """Return the words for a column or for a number of the summary.

    Examples
    --------
    >>> _name("median t_x"), _name("slope of m_gas"), _name("m_gas_profile_2", [0.15, 0.22])
    ('median temperature', 'slope of M_gas', 'gas mass profile at 0.22 R₅₀₀')
    """
    for start in ("median ", "slope of ", "scatter of "):
        if name.startswith(start):
            return start + name_of(name.removeprefix(start), radii)
    return name_of(name, radii)
