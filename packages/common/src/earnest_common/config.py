"""Configuration: frozen dataclasses filled from defaults, then a TOML file, then command-line options."""

import dataclasses
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeVar, get_type_hints

from earnest_common.errors import InputError

__all__ = ["as_mapping", "load_config", "read_toml"]

C = TypeVar("C")


def load_config(cls: type[C], *, file: Path | None = None, options: Mapping[str, Any] | None = None) -> C:
    """Return a configuration: an option wins over the file, the file over the default.

    Parameters
    ----------
    cls
        A frozen dataclass; nested dataclasses are nested tables of the file.
    file
        A TOML file with some of the fields.
    options
        Fields given on the command line; those that are ``None`` count as not given.

    Raises
    ------
    InputError
        If a field is unknown or a value has the wrong type or is refused; the message lists all of them.

    Examples
    --------
    >>> @dataclasses.dataclass(frozen=True, kw_only=True)
    ... class Toy:
    ...     n: int = 3
    >>> load_config(Toy, options={"n": 5})
    Toy(n=5)
    """
    values = read_toml(file) if file else {}
    values = _merged(values, {k: v for k, v in (options or {}).items() if v is not None})
    _refuse_unknown(cls, values, origin=str(file) if file else "options")
    return _build(cls, values, origin=str(file) if file else "options")


def read_toml(file: Path) -> dict[str, Any]:
    """Return the content of a TOML file.

    Raises
    ------
    InputError
        If it cannot be read or is not TOML.
    """
    try:
        return tomllib.loads(file.read_text())
    except OSError as error:
        raise InputError(f"configuration {file} cannot be read: {error.strerror}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise InputError(f"configuration {file} is not valid TOML: {error}") from error


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


def _refuse_unknown(cls: type[Any], values: Mapping[str, Any], *, origin: str) -> None:
    types = get_type_hints(cls)
    if unknown := [name for name in values if name not in types]:
        raise InputError(f"{origin}: unknown field(s) {', '.join(unknown)}; allowed are {', '.join(types)}")
    for name, value in values.items():
        if dataclasses.is_dataclass(types[name]) and isinstance(value, Mapping):
            _refuse_unknown(types[name], value, origin=f"{origin}, table {name}")


def _build(cls: type[C], values: Mapping[str, Any], *, origin: str) -> C:
    # Imported here because pydantic takes a tenth of a second that `earnest --help` need not pay.
    from pydantic import TypeAdapter, ValidationError

    try:
        return TypeAdapter(cls).validate_python(dict(values))
    except ValidationError as error:
        lines = [f"{'.'.join(str(p) for p in e['loc']) or 'value'}: {e['msg']}" for e in error.errors()]
        raise InputError("\n  - ".join([f"{origin}: {len(lines)} field(s) cannot be used", *lines])) from error
