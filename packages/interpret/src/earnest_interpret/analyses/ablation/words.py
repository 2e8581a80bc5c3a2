"""What an ablation shows, in sentences with their numbers."""

from collections.abc import Sequence

from earnest_interpret.analyses.ablation.effect import AblationSummary, Case, Effect
from earnest_interpret.words import enumerate_words, format_number, format_signed, name_of, percent

_SYMBOLS = {"m_wl": "M_WL", "l_x": "L_X"}

__all__ = ["beside_text", "columns_text", "lensing_text", "worth_text"]


def columns_text(columns: Sequence[str]) -> str:
    """Return columns in words.

    Examples
    --------
    >>> columns_text(["m_wl", "l_x"])
    'weak-lensing mass and luminosity'
    """
    return enumerate_words([name_of(column) for column in columns])


def beside_text(case: Case, companions: Sequence[str]) -> str:
    """Return which columns beside the encoder are given, absent or held constant.

    Examples
    --------
    >>> from earnest_common.testing import ToyEstimator, toy_batch
    >>> import numpy as np
    >>> from earnest_interpret.analyses.ablation.effect import ablate
    >>> (found,) = ablate(ToyEstimator(), toy_batch(n_catalogs=20, seed=1), rng=np.random.default_rng(1))
    >>> [beside_text(case, found.companions) for case in found.cases][:2]
    ['M_WL and L_X given', 'M_WL constant, L_X given']
    """
    given = [column for column in companions if column not in case.without]
    absent = [column for column in case.without if case.how[column] == "unknown"]
    constant = [column for column in case.without if case.how[column] == "constant"]
    parts = [(absent, "absent"), (constant, "constant"), (given, "given")]
    words = (f"{enumerate_words([_SYMBOLS[c] for c in columns])} {word}" for columns, word in parts if columns)
    return ", ".join(words) or "nothing else"


def worth_text(summary: AblationSummary) -> str:
    """Return what the encoder's inputs are worth where every column is given."""
    case = summary.cases[0]
    beside = f" beside {columns_text(summary.companions)}" if summary.companions else ""
    verdict = f"The encoder's inputs {'are used' if case.is_used else 'make no significant difference to σ₈'}{beside}"
    return (
        f"{verdict}: the scatter of σ₈, {_scatter(case.as_they_are)}, changes by {_change(case.over_all)} when they "
        f"are shuffled over all catalogs, by {_change(case.within)} within catalogs, and by {_change(case.constant)} "
        f"when they are held constant{_unlike(case)}."
    )


def lensing_text(summary: AblationSummary) -> str:
    """Return what stands for weak-lensing masses where there are none."""
    case, what = summary.without_lensing, "terse values" if summary.has_terse else "these columns"
    if case is None:
        return (
            "What replaces weak-lensing masses where they are missing cannot be measured with this model, which needs "
            "them."
        )
    text = (
        f"Without weak-lensing masses the scatter of σ₈, {_scatter(case.as_they_are)}, changes by "
        f"{_change(case.within)} when the encoder's inputs are shuffled within catalogs, and by "
        f"{_change(case.over_all)} over all catalogs"
    )
    if not case.needs_distribution:
        return f"{text}: no sign that the distribution of {what} in a catalog is used."
    share = case.distribution / case.over_all.change
    grown = f"{format_signed(case.distribution)} ± {format_number(case.distribution_err, 4)}"
    text = f"{text}. The difference, {grown}, is due to the distribution of {what} in a catalog"
    if share < 0.5:
        return f"{text}; the larger part of the growth is due to which cluster has which value."
    return (
        f"{text} ({percent(min(share, 1.0))} of the growth): it carries the mass scale that lensing does not give, "
        "which is self-calibration."
    )


def _unlike(case: Case) -> str:
    """Return why a growth with constant inputs alone does not count as use of them."""
    return ", as in no catalog of the training" if case.constant.is_worse and not case.is_used else ""


def _scatter(effect: Effect) -> str:
    return f"{format_number(effect.scatter, 4)} ± {format_number(effect.scatter_err, 4)}"


def _change(effect: Effect) -> str:
    return f"{format_signed(effect.change)} ± {format_number(effect.change_err, 4)}"
