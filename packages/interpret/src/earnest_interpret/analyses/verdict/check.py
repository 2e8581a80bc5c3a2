"""One question about a model and its answer."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, final

__all__ = ["Check"]


@final
@dataclass(frozen=True, kw_only=True)
class Check:
    """One question about the model.

    Attributes
    ----------
    key
        What it is about.
    outcome
        ``passed`` or ``failed`` for a test, ``finding`` for what is reported but not tested, ``impossible`` if it takes
        what the model or the catalogs do not offer.
    text
        The answer in a sentence.
    null
        What a sound model obeys.
    p_value
        Chance of the statistic under the null, before tests are combined; None if nothing was tested.
    numbers
        The statistics by name.
    """

    key: str
    outcome: Literal["passed", "failed", "finding", "impossible"]
    text: str
    null: str = ""
    p_value: float | None = None
    numbers: Mapping[str, float | None] = field(default_factory=dict)
