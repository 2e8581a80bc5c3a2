"""Configuration: frozen dataclasses filled from defaults or a preset, then a TOML file, then command-line options."""

import contextlib
import dataclasses
import functools
import operator
import tomllib
import types
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeVar, Union, get_args, get_origin, get_type_hints

from earnest_common.errors import InputError
from earnest_common.run.numbers import number_problem

__all__ = ["as_mapping", "load_config", "read_toml"]

C = TypeVar("C")

_MOST_BYTES = 1_000_000


def load_config(
    cls: type[C], *, file: Path | None = None, options: Mapping[str, Any] | None = None, base: C | None = None
) -> C:
    """Return a configuration: an option wins over the file, the file over the base or the defaults.

    A nested table changes the named fields of a nested dataclass and leaves its others as they were. TOML has no word
    for "no value": ``"none"`` is one where a field may be ``None``.

    Parameters
    ----------
    cls
        A frozen dataclass; nested dataclasses are nested tables of the file. A field that may also hold an array takes
        one number.
    file
        A TOML file with some of the fields.
    options
        Fields given on the command line; those that are ``None`` count as not given.
    base
        A preset, the source of all fields that are not named; without one the class's defaults are.

    Raises
    ------
    InputError
        If a field is unknown, missing or of the wrong type, or a value is refused; the message lists all of them.

    Examples
    --------
    >>> @dataclasses.dataclass(frozen=True, kw_only=True)
    ... class Toy:
    ...     n: int = 3
    ...     slope: float = 2.4
    >>> load_config(Toy, options={"n": 5}, base=Toy(slope=1.5))
    Toy(n=5, slope=1.5)
    """
    given = {name: value for name, value in (options or {}).items() if value is not None}
    values = _merged(read_toml(file) if file else {}, given)
    problems: list[str] = []
    result = _built(cls, values, base, place="", problems=problems)
    if problems:
        origin = " and ".join([str(file)] * (file is not None) + ["options"] * (bool(given) or file is None))
        count = f"{len(problems)} field(s) cannot be used"
        raise InputError(
            f"{origin}: {problems[0]}" if len(problems) == 1 else "\n  - ".join([f"{origin}: {count}", *problems])
        )
    return result


def read_toml(file: Path) -> dict[str, Any]:
    """Return the content of a TOML file.

    Raises
    ------
    InputError
        If it cannot be read or is not TOML.
    """
    try:
        with file.open("rb") as stream:
            content = stream.read(_MOST_BYTES + 1)
        if len(content) > _MOST_BYTES:
            raise InputError(
                f"configuration {file} is larger than {_MOST_BYTES:,} bytes; a configuration is a short text"
            )
        return tomllib.loads(content.decode("utf-8"))
    except OSError as error:
        raise InputError(f"configuration {file} cannot be read: {error.strerror}") from error
    except ValueError as error:  # TOMLDecodeError, UnicodeDecodeError, and integers of too many digits
        raise InputError(f"configuration {file} is not valid TOML: {error}") from error
    except RecursionError as error:
        raise InputError(f"configuration {file} is nested too deeply; tables of tables are all it may hold") from error


def as_mapping(config: Any) -> dict[str, Any]:  # noqa: ANN401 - any configuration dataclass
    """Return a configuration as plain nested dictionaries and lists, ready for JSON."""
    plain: dict[str, Any] = dataclasses.asdict(config)
    return plain


def _merged(base: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    merged = dict(base)
    for name, value in over.items():
        known = merged.get(name)
        merged[name] = _merged(known, value) if isinstance(known, dict) and isinstance(value, Mapping) else value
    return merged


def _built(cls: type[C], values: Mapping[str, Any], base: C | None, *, place: str, problems: list[str]) -> C:
    """Return an instance; what cannot be used is added to ``problems``, and the result is then meaningless."""
    before = len(problems)
    every = get_type_hints(cls)
    hints = {field.name: every[field.name] for field in dataclasses.fields(cls)}  # type: ignore[arg-type]  # a dataclass
    defaults = _defaults(cls) if base is None else {name: getattr(base, name) for name in hints}
    table = f"table {place[:-1]}: " if place else ""
    if unknown := [name for name in values if name not in hints]:
        problems.append(f"{table}unknown field(s) {', '.join(unknown)}; allowed are {', '.join(hints)}")
    fields = dict(defaults)
    for name in hints:
        if name in values:
            fields[name] = _value(hints[name], values[name], defaults.get(name), place=place + name, problems=problems)
    if missing := [name for name in hints if name not in fields]:
        problems.append(f"{table}field(s) {', '.join(missing)} must be given")
    if len(problems) > before:
        return base  # type: ignore[return-value]  # never used
    try:
        return cls(**fields)
    except InputError as error:
        problems.append(str(error))
        return base  # type: ignore[return-value]  # never used


def _defaults(cls: type[Any]) -> dict[str, Any]:
    """Return the defaults of a dataclass; fields that must be given are absent."""
    found = {}
    for field in dataclasses.fields(cls):
        if field.default is not dataclasses.MISSING:
            found[field.name] = field.default
        elif field.default_factory is not dataclasses.MISSING:
            found[field.name] = field.default_factory()
    return found


def _value(hint: Any, value: object, default: object, *, place: str, problems: list[str]) -> object:  # noqa: ANN401 - a type
    """Return a value as the field's type, or note why it is not one."""
    if value == "none" and type(None) in _parts(hint):
        return None
    nested: Any = next((part for part in _parts(hint) if dataclasses.is_dataclass(part)), None)
    if nested is not None:
        if isinstance(value, Mapping):
            base = default if isinstance(default, nested) else None
            return _built(nested, value, base, place=f"{place}.", problems=problems)
        if not isinstance(value, nested) and not (value is None and type(None) in _parts(hint)):
            names = ", ".join(f.name for f in dataclasses.fields(nested))
            problems.append(f"{place} = {value!r} must be a table with the fields {names}")
        return value
    if get_origin(hint) is dict and dataclasses.is_dataclass(get_args(hint)[1]) and isinstance(value, Mapping):
        known = default if isinstance(default, Mapping) else {}
        inner = get_args(hint)[1]
        return {
            key: _value(inner, item, known.get(key), place=f"{place}.{key}", problems=problems)
            for key, item in value.items()
        }
    return _typed(hint, value, place=place, problems=problems)


def _typed(hint: Any, value: object, *, place: str, problems: list[str]) -> object:  # noqa: ANN401 - a type
    # Imported here because pydantic takes a tenth of a second that `earnest --help` need not pay.
    from pydantic import TypeAdapter, ValidationError

    if (problem := number_problem(value)) is not None:
        problems.append(f"{place}: {problem}")
        return value
    try:
        return TypeAdapter(_from_plain_data(hint)).validate_python(value)
    except ValidationError as error:
        problems.extend(
            f"{'.'.join([place, *(str(p) for p in e['loc'])])}: {e['msg']}, found {e['input']!r}"
            for e in error.errors()
        )
        return value


def _parts(hint: Any) -> tuple[Any, ...]:  # noqa: ANN401 - a type
    """Return the members of a union, or the type itself."""
    return get_args(hint) if get_origin(hint) in (Union, types.UnionType) else (hint,)


def _from_plain_data(hint: Any) -> Any:  # noqa: ANN401 - a type
    """Return the members of a union that files and options can hold, which is all that pydantic has a schema for.

    Arrays are not among them. They are known by that and not by their type: what an alias of an array looks like from
    inside changes between releases of NumPy.
    """
    from pydantic import PydanticSchemaGenerationError, TypeAdapter

    kept = []
    for part in _parts(hint):
        with contextlib.suppress(PydanticSchemaGenerationError):
            TypeAdapter(part)
            kept.append(part)
    return functools.reduce(operator.or_, kept) if kept else hint
