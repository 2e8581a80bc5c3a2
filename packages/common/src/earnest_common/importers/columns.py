"""From source columns to schema columns: numbers, unknown values, units, logarithms, products and comoving lengths."""

from dataclasses import dataclass
from typing import final

import polars as pl

from earnest_common.importers.mapping import FROM_HEADER, IDENTITIES, QUANTITIES, Mapping, Source
from earnest_common.importers.report import Problem, SourceColumn
from earnest_common.importers.source_table import SourceTable
from earnest_common.importers.units import conversion_factor, known_units, parse_unit

__all__ = ["Converted", "convert", "numbers_of"]


@final
@dataclass(frozen=True, kw_only=True)
class Converted:
    """Schema columns for all rows of the source, how each was filled, and what went wrong.

    Attributes
    ----------
    frame, columns, problems
        The columns in schema units, how each was filled, and what went wrong.
    source_values
        The same columns as the source has them, before units and logarithms; unknown where it says so.
    """

    frame: pl.DataFrame
    source_values: dict[str, pl.Series]
    columns: tuple[SourceColumn, ...]
    problems: tuple[Problem, ...]


def convert(
    table: SourceTable, mapping: Mapping, *, h: float | None, units: dict[str, str], constants: dict[str, float]
) -> Converted:
    """Fill the schema columns from a source table.

    Parameters
    ----------
    table, mapping
        The table and what its columns mean.
    h
        Hubble constant in units of 100 km/s/Mpc; ``None`` if unknown.
    units
        Units by schema column that replace the mapping's and the file's.
    constants
        Values by schema column that hold for all rows, such as the redshift of a snapshot.
    """
    plan = {**mapping.columns, **{name: Source(value=value) for name, value in constants.items()}}
    values: dict[str, pl.Series] = {}
    source_values: dict[str, pl.Series] = {}
    columns: list[SourceColumn] = []
    problems: list[Problem] = []
    for name in sorted(plan, key=lambda n: (plan[n].times is not None, plan[n].comoving, n != "z")):
        step = _Column(name=name, source=plan[name], table=table, h=h, unit_option=units.get(name))
        numbers = step.numbers(problems)
        filled = None if numbers is None else step.fill(numbers, values, problems)
        if numbers is not None and filled is not None:
            source_values[name] = numbers
            values[name] = filled
            columns.append(step.described(problems))
    order = [name for name in QUANTITIES if name in values]
    frame = pl.DataFrame([values[name].alias(name) for name in order])
    described = tuple(sorted(columns, key=lambda c: order.index(c.name)))
    return Converted(frame=frame, source_values=source_values, columns=described, problems=tuple(problems))


@final
@dataclass(frozen=True, kw_only=True)
class _Column:
    """One schema column on its way."""

    name: str
    source: Source
    table: SourceTable
    h: float | None
    unit_option: str | None

    def numbers(self, problems: list[Problem]) -> pl.Series | None:
        """Return the source values, unknown where the mapping says so, or ``None`` if the table has nothing for it."""
        if self.source.value is not None:
            return pl.Series([self.source.value] * self.table.frame.height, dtype=pl.Float64)
        numbers = self.raw(problems)
        if numbers is None or isinstance(numbers.dtype, pl.Array):
            return numbers
        for condition in self.source.null_conditions:
            numbers = _unless(numbers, condition.holds(numbers))
        return numbers if self.name in IDENTITIES else numbers.cast(pl.Float64)

    def fill(self, numbers: pl.Series, done: dict[str, pl.Series], problems: list[Problem]) -> pl.Series | None:
        """Return the column in the schema's unit, or ``None`` if a column that it needs is missing."""
        if self.name in IDENTITIES:
            return numbers
        numbers = 10**numbers if self.source.log10 else numbers
        numbers = numbers * self.factor(problems)
        if self.source.times is not None:
            if self.source.times not in done:
                return None
            numbers = numbers * done[self.source.times]
        if not self.source.comoving:
            return numbers
        return numbers / (1 + done["z"]) if "z" in done else None

    def raw(self, problems: list[Problem]) -> pl.Series | None:
        """Return the source values as numbers."""
        column = self.table.find(self.source.source)
        if column is not None:
            return numbers_of(self.table, column, problems)
        parts = [self.table.find((part,)) for part in self.source.parts]
        if not parts or None in parts:
            return None
        width = len(parts)
        frame = pl.DataFrame(
            [
                numbers_of(self.table, part, problems).cast(pl.Float64).alias(str(i))
                for i, part in enumerate(parts)
                if part
            ]
        )
        filled = frame.select(
            pl.when(pl.any_horizontal(pl.all().is_null())).then(None).otherwise(pl.concat_arr(pl.all()))
        )
        return filled.to_series().cast(pl.Array(pl.Float64, width))

    def factor(self, problems: list[Problem]) -> float:
        """Return the factor from the source's unit to the schema's; what cannot be converted is a problem."""
        text = self.unit()
        remedy = f"give the right one with --unit {self.name}=UNIT"
        target = "" if self.source.times is not None else QUANTITIES[self.name]
        allowed = known_units(parse_unit(target).quantity)
        if text is None:
            found = "no unit in its header"
            problems.append(Problem(what=self.words(), found=found, allowed=allowed, remedy=remedy))
            return 1.0
        try:
            if parse_unit(text).needs_h and self.h is None:
                remedy = "give h with --h, for instance --h 0.704"
            return conversion_factor(text, target, self.h)
        except ValueError as error:
            problems.append(
                Problem(
                    what=self.words(),
                    found=str(error).split("\n")[0].split("; known")[0],
                    allowed=allowed,
                    remedy=remedy,
                )
            )
            return 1.0

    def unit(self) -> str | None:
        """Return the unit that holds: the option's, else the mapping's, else the file's."""
        if self.unit_option is not None:
            return self.unit_option
        if self.source.unit != FROM_HEADER:
            return self.source.unit
        return self.stated_unit()

    def stated_unit(self) -> str | None:
        """Return the unit that the file itself states, if it does."""
        column = self.table.find(self.source.source)
        return None if column is None else self.table.unit_of(column)

    def words(self) -> str:
        """Name the column as messages show it."""
        column = self.table.find(self.source.source)
        return f"column '{self.name}' (from '{column}')" if column else f"column '{self.name}'"

    def described(self, problems: list[Problem]) -> SourceColumn:
        """Return how the column was filled, and compare the mapping's unit with the file's."""
        column = self.table.find(self.source.source)
        origin = f"{self.source.value:g}" if self.source.value is not None else column or ", ".join(self.source.parts)
        origin = f"{origin} * {self.source.times}" if self.source.times else origin
        notes = [word for word, holds in (("log10", self.source.log10), ("comoving", self.source.comoving)) if holds]
        unit = self.unit() or ""
        stated = self.stated_unit()
        if stated and stated != unit and self.unit_option is None:
            notes += _compare_units(self, stated, unit, problems)
        return SourceColumn(
            name=self.name,
            source=origin,
            source_unit=unit,
            unit=QUANTITIES[self.name],
            factor=self.factor([]),
            note="; ".join(notes),
        )


def _compare_units(column: _Column, stated: str, mapped: str, problems: list[Problem]) -> list[str]:
    try:
        meant = parse_unit(mapped)
        said = parse_unit("hourangle" if stated == "h" and meant.quantity == "angle" else stated)
    except ValueError:
        return [f"the file's unit '{stated}' is not understood, the mapping's is used"]
    same_power = (said.h_power, said.h70_power) == (meant.h_power, meant.h70_power)
    if said.quantity == meant.quantity and same_power and abs(said.scale / meant.scale - 1) < 1e-6:
        return []
    problems.append(
        Problem(
            what=column.words(),
            found=f"unit '{stated}' in the file",
            allowed=f"'{mapped}', which the mapping says",
            remedy=f"choose with --unit {column.name}={stated} or --unit {column.name}={mapped}",
        )
    )
    return []


def numbers_of(table: SourceTable, column: str, problems: list[Problem]) -> pl.Series:
    """Return a source column as Int64 if all of it is whole numbers, else as Float64 (or an array of them).

    Null are the texts for "unknown", and the numbers that such a text writes: with ``null = ["-99"]`` also -99.0.
    Whole numbers stay whole because ids of 64 bits do not survive a detour through floating point.
    """
    values = table.frame.get_column(column)
    if isinstance(values.dtype, pl.Array):
        return values
    text = values.dtype == pl.String
    known = _unless(values, values.is_in(list(table.null))) if text else values
    whole = known.cast(pl.Int64, strict=False) if not values.dtype.is_float() else None
    numbers = whole if whole is not None and not _lost(known, whole).any() else known.cast(pl.Float64, strict=False)
    bad = _lost(known, numbers)
    if bad.any():
        row = int(bad.arg_true()[0])
        problems.append(
            Problem(
                what=f"column '{column}'",
                found=f"{int(bad.sum())} values that are no numbers (first: {table.place(row)} = '{known[row]}')",
                allowed=f"numbers, or {', '.join(repr(n) for n in table.null)} for unknown",
                remedy="correct the file, or add the text to reader.null in a mapping of your own",
            )
        )
    return _unless(numbers, numbers.cast(pl.Float64).is_in(_numbers_among(table.null)))


def _lost(before: pl.Series, after: pl.Series) -> pl.Series:
    return before.is_not_null() & after.is_null()


def _numbers_among(texts: tuple[str, ...]) -> list[float]:
    numbers = pl.Series(list(texts), dtype=pl.String).cast(pl.Float64, strict=False)
    return numbers.filter(numbers.is_finite().fill_null(value=False)).to_list()


def _unless(values: pl.Series, condition: pl.Series) -> pl.Series:
    """Return the values, unknown where the condition holds."""
    return pl.select(pl.when(condition).then(None).otherwise(values)).to_series()
