"""The answer and what it rests on."""

from dataclasses import dataclass
from typing import Any, Literal, final

import numpy as np
from earnest_common.arrays import FloatArray
from earnest_common.notebook import html_table, plural
from earnest_common.run.numbers import json_ready

from earnest_interpret.analyses.applicability.unseen import Unseen
from earnest_interpret.units import unit_of

__all__ = ["Answer", "Applicability", "Comparison", "Range"]

Answer = Literal["yes", "with care", "no"]


@final
@dataclass(frozen=True, kw_only=True)
class Range:
    """One column in the catalog and in training.

    Attributes
    ----------
    name
        The column, profiles counted from 1; log10 of the column's unit, except for slopes and z.
    quantiles, training
        1, 50 and 99 % quantiles.
    outside
        Share of clusters outside the middle 99.8 % of the training.
    """

    name: str
    quantiles: tuple[float, float, float]
    training: tuple[float, float, float]
    outside: float

    @property
    def is_logarithm(self) -> bool:
        """Whether quantiles are those of log10 of the column."""
        return self.name != "z" and not self.name.startswith("gas_slope_profile")

    def numbers(self) -> dict[str, Any]:
        """Return plain values for JSON; the unit is that of what the logarithm is of."""
        return {
            "log10": self.is_logarithm,
            "unit": unit_of(self.name),
            "quantiles": list(self.quantiles),
            "training": list(self.training),
            "outside": self.outside,
        }


@final
@dataclass(frozen=True, kw_only=True)
class Comparison:
    """Distance in one space.

    Attributes
    ----------
    space
        ``inputs``, ``summary``, ``terse`` or ``prediction``.
    values
        Distance of each catalog, shape (n_catalogs,).
    calibration
        Distances of catalogs of the training.
    p_values
        Chance that a catalog of the training lies as far away, shape (n_catalogs,).
    farthest
        Names of what deviates most, with the deviation in standard deviations.
    together
        Chance that as many catalogs of the training lie as far away as these do; NaN for fewer than
        ``distance.MIN_TOGETHER``.
    """

    space: str
    values: FloatArray
    calibration: FloatArray
    p_values: FloatArray
    farthest: tuple[tuple[str, float], ...] = ()
    together: float = float("nan")


@final
@dataclass(frozen=True, kw_only=True)
class Applicability:
    """The answer for each catalog and for all.

    Attributes
    ----------
    answer
        Of the catalog, or of most of them.
    answers
        Of each catalog.
    reasons
        Sentences.
    comparisons
        By space.
    ranges
        By column.
    missing
        Columns that the model reads and the catalog lacks.
    radii
        Of the profiles [R_500c].
    sigma8
        Inferred values where the model can be applied at all, else empty.
    unseen
        What errors of measurement and selection would do that no distance shows.
    sample
        Which catalogs, in words.
    synthetic
        What is emulated in them or in the training of the model.
    n_training
        Catalogs of the training that they are compared with.
    """

    answer: Answer
    answers: tuple[Answer, ...]
    reasons: tuple[str, ...]
    comparisons: tuple[Comparison, ...]
    ranges: tuple[Range, ...]
    missing: tuple[str, ...]
    radii: tuple[float, ...]
    sigma8: FloatArray
    unseen: Unseen | None = None
    sample: str = ""
    synthetic: str | None = None
    n_training: int = 0

    def __repr__(self) -> str:
        """Return one line: the answer for most catalogs, and how many have which."""
        counts = ", ".join(f"{n} {name}" for name, n in self._counts().items() if n)
        emulated = ", with emulated parts" if self.synthetic else ""
        return f"Applicability({self.answer}: {counts} of {plural(len(self.answers), 'catalog')}{emulated})"

    def _repr_html_(self) -> str:
        rows = {"answer": self.answer, **self._counts(), "reasons": " ".join(self.reasons)}
        return html_table("May the model be applied?", {**rows, "catalogs": self.sample, "synthetic": self.synthetic})

    def _counts(self) -> dict[str, int]:
        return {name: self.answers.count(name) for name in ("yes", "with care", "no")}

    def to_dict(self) -> dict[str, Any]:
        """Return the answer as plain values for JSON."""
        numbers = {
            "answer": self.answer,
            "answers": self._counts(),
            "reasons": list(self.reasons),
            "missing": list(self.missing),
            "spaces": {
                one.space: {
                    "p_value": float(np.median(one.p_values)),
                    "p_value_together": one.together,
                    "distance": float(np.median(one.values)),
                    "training_median": float(np.median(one.calibration)),
                    "training_largest": float(one.calibration.max()),
                    "farthest": {name: size for name, size in one.farthest},
                }
                for one in self.comparisons
            },
            "columns": {r.name: r.numbers() for r in self.ranges},
            "sigma8": [float(value) for value in self.sigma8[:50]],
            "unseen": self.unseen.numbers() if self.unseen else None,
            "sample": self.sample,
            "synthetic": self.synthetic,
        }
        return dict(json_ready(numbers))
