"""The mark of what is measured on one training: sentences on terse values, saliency and proxies."""

from typing import Final

__all__ = ["ONE_TRAINING", "SECTION_CAUTION", "marked"]

ONE_TRAINING: Final = "one training; not confirmed by others"
"""Also in JSON, by the name ``caution``. Other seeds of the same training find other terse values."""

SECTION_CAUTION: Final = (
    f"Caution: {ONE_TRAINING}. All that follows here holds for the terse value of this one training; another seed of "
    "the same training may give a terse value that follows other quantities."
)
"""First paragraph of a section on such quantities."""


def marked(text: str) -> str:
    """Return a sentence with the mark behind it.

    Examples
    --------
    >>> marked("The terse value follows the mass.")
    'The terse value follows the mass. [one training; not confirmed by others]'
    """
    return f"{text} [{ONE_TRAINING}]"
