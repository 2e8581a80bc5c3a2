"""Changing some fields of a frozen configuration, nested ones included, by name."""

import dataclasses
from collections.abc import Mapping
from typing import Any, TypeVar, get_type_hints

from earnest_common.errors import InputError

__all__ = ["changed"]

C = TypeVar("C")


def changed(config: C, changes: Mapping[str, Any], *, origin: str = "configuration") -> C:
    """Return a dataclass with some fields replaced; a nested mapping changes fields of a nested dataclass.

    Parameters
    ----------
    config
        An instance of a frozen dataclass; it is the source of all fields that are not named.
    changes
        New values by field name.
    origin
        What the changes come from, for the message.

    Raises
    ------
    InputError
        If a field is unknown or a value has the wrong type or is refused; the message lists all unknown fields and
        wrong types.

    Examples
    --------
    >>> from earnest_common.cosmology import MAGNETICUM
    >>> changed(MAGNETICUM, {"sigma8": 0.9}).sigma8
    0.9
    """
    problems: list[str] = []
    result = _changed(config, changes, place="", problems=problems)
    if problems:
        raise InputError("\n  - ".join([f"{origin}: {len(problems)} field(s) cannot be used", *problems]))
    return result


def _changed(config: C, changes: Mapping[str, Any], *, place: str, problems: list[str]) -> C:
    allowed = [f.name for f in dataclasses.fields(config)]  # type: ignore[arg-type]  # C is a dataclass
    hints = get_type_hints(type(config))
    values: dict[str, Any] = {}
    for name, value in changes.items():
        if name not in allowed:
            problems.append(f"'{place}{name}' is unknown; allowed are {', '.join(allowed)}")
            continue
        current = getattr(config, name)
        if dataclasses.is_dataclass(current) and isinstance(value, Mapping):
            values[name] = _changed(current, value, place=f"{place}{name}.", problems=problems)
        else:
            values[name] = _typed(value, current, hints[name], place=f"{place}{name}", problems=problems)
    if problems:
        return config
    return dataclasses.replace(config, **values)  # type: ignore[type-var]  # C is a dataclass


def _typed(value: object, current: object, hint: Any, *, place: str, problems: list[str]) -> object:  # noqa: ANN401 - a type
    """Return the value as the field's type, or note why it is not one."""
    # Imported here because pydantic takes a tenth of a second that `earnest --help` need not pay.
    from pydantic import TypeAdapter, ValidationError

    if dataclasses.is_dataclass(current):
        problems.append(
            f"'{place}' is a table with the fields {', '.join(f.name for f in dataclasses.fields(current))}"
        )
        return value
    # Fields that may also hold arrays take one number from a file.
    adapter: TypeAdapter[Any] = TypeAdapter(float if "ndarray" in str(hint) else hint)
    try:
        return adapter.validate_python(value)
    except ValidationError as error:
        problems.extend(f"'{place}' = {value!r}: {e['msg']}" for e in error.errors())
        return value
