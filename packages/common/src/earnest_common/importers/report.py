"""What an import did: rows, columns, conversions, checks and what to know of the table."""

import dataclasses
from dataclasses import dataclass
from typing import Any, final

__all__ = ["Check", "ImportReport", "Problem", "SourceColumn"]


@final
@dataclass(frozen=True, kw_only=True)
class Problem:
    """One reason to refuse a table: what is wrong, what was found, what is allowed and how to go on."""

    what: str
    found: str
    allowed: str
    remedy: str

    def __str__(self) -> str:
        return f"{self.what}: found {self.found}; allowed: {self.allowed}; {self.remedy}"


@final
@dataclass(frozen=True, kw_only=True)
class SourceColumn:
    """How one schema column was filled.

    Attributes
    ----------
    name, source
        The schema column and what it was taken from.
    source_unit, unit, factor
        Units before and after, and the number between them (before any logarithm, product or 1 + z).
    n_unknown
        Number of kept rows without a value.
    note
        What else was done or could not be checked.
    """

    name: str
    source: str
    source_unit: str
    unit: str
    factor: float
    n_unknown: int = 0
    note: str = ""


@final
@dataclass(frozen=True, kw_only=True)
class Check:
    """One number that tells whether the units can be right.

    Attributes
    ----------
    name, value, expected
        What was computed, its value and the range that is allowed.
    passed
        Whether the value lies in the range.
    words
        What follows from it.
    """

    name: str
    value: float
    expected: tuple[float, float]
    passed: bool
    words: str = ""


@final
@dataclass(frozen=True, kw_only=True)
class ImportReport:
    """What an import did.

    Attributes
    ----------
    format, path, kind, title
        The mapping, the file, simulation or observed, and what the table is.
    n_read, n_kept, dropped
        Rows of the file, rows of the catalog, and for each reason the number of rows dropped.
    columns, unknown_columns, ignored
        Filled schema columns, schema columns the table has nothing for, and source columns not used.
    l_x, band, aperture, cosmology
        What the luminosity means, also as data where it is known, and the cosmology of the table.
    checks, warnings
        Plausibility of the units, and what to be careful of.
    citation, obtain, notes
        Whom to cite, where the table comes from and what to know of it.
    sha256
        Checksum of the file.
    """

    format: str
    title: str
    path: str
    kind: str
    n_read: int
    n_kept: int
    dropped: dict[str, int]
    columns: tuple[SourceColumn, ...]
    unknown_columns: tuple[str, ...]
    ignored: tuple[str, ...]
    l_x: str
    band: str
    aperture: str
    cosmology: dict[str, float]
    checks: tuple[Check, ...]
    warnings: tuple[str, ...]
    citation: str
    obtain: str
    notes: tuple[str, ...]
    sha256: str

    def to_dict(self) -> dict[str, Any]:
        """Return the report as plain data for JSON."""
        return dataclasses.asdict(self)

    def lines(self) -> list[str]:
        """Return the report as lines for a reader."""
        text = [f"{self.path}: {self.title}", f"kept {self.n_kept} of {self.n_read} rows"]
        text += [f"  dropped {count}: {reason}" for reason, count in self.dropped.items()]
        text += [_column_line(column) for column in self.columns]
        text.append(f"unknown: {', '.join(self.unknown_columns) or 'nothing'}")
        text.append(f"source columns not used: {', '.join(self.ignored) or 'none'}")
        text.append(f"l_x is {self.l_x}")
        text += [
            f"check {c.name} = {c.value:.4g} (expected {c.expected[0]:.4g} to {c.expected[1]:.4g})" for c in self.checks
        ]
        text += [f"note: {note}" for note in self.notes]
        text += [f"warning: {warning}" for warning in self.warnings]
        return [*text, f"please cite: {self.citation}"] if self.citation else text


def _column_line(column: SourceColumn) -> str:
    unit = f" [{column.unit}]" if column.unit else ""
    source_unit = f" [{column.source_unit}]" if column.source_unit else ""
    factor = "" if column.factor == 1 else f" x {column.factor:.6g}"
    unknown = f", {column.n_unknown} unknown" if column.n_unknown else ""
    note = f" ({column.note})" if column.note else ""
    return f"  {column.name}{unit} = {column.source}{source_unit}{factor}{note}{unknown}"
