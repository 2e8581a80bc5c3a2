"""Over how many trainings a statement on terse values, saliency and proxies holds."""

from typing import Final

__all__ = ["ONE_TRAINING", "SECTION_CAUTION", "caution_of", "marked", "section_caution_of"]

ONE_TRAINING: Final = "one training; not confirmed by others"
"""Also in JSON, by the name ``caution``. Other seeds of the same training may find other terse values."""

SECTION_CAUTION: Final = (
    f"Caution: {ONE_TRAINING}. All that follows here holds for the terse value of this one training; another seed of "
    "the same training may give a terse value that follows other quantities."
)
"""First paragraph of a section on such quantities."""


def caution_of(n_trainings: int) -> str:
    """Return over how many trainings numbers hold.

    Examples
    --------
    >>> caution_of(5)
    'mean of 5 trainings; what they do not share is marked'
    """
    return ONE_TRAINING if n_trainings < 2 else f"mean of {n_trainings} trainings; what they do not share is marked"


def section_caution_of(n_trainings: int) -> str:
    """Return the first paragraph of a section on such quantities."""
    if n_trainings < 2:
        return SECTION_CAUTION
    return (
        f"Numbers and figures of this section are of the mean of {n_trainings} trainings; the reasons at the top of "
        "the page give the range over the trainings, and withhold what they do not share."
    )


def marked(text: str) -> str:
    """Return a sentence with the mark behind it.

    Examples
    --------
    >>> marked("The terse value follows the mass.")
    'The terse value follows the mass. [one training; not confirmed by others]'
    """
    return f"{text} [{ONE_TRAINING}]"
