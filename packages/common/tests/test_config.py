"""Laws of configuration: option over file over default, and every mistake is named."""

from dataclasses import dataclass, field, make_dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from earnest_common.arrays import FloatArray, FloatLike
from earnest_common.errors import InputError
from earnest_common.run.config import as_mapping, load_config
from typing_extensions import TypeAliasType


@dataclass(frozen=True, kw_only=True)
class Inner:
    slope: FloatLike = 2.4

    def __post_init__(self) -> None:
        if np.any(np.asarray(self.slope) < 0):
            raise InputError(f"slope = {self.slope} must not be negative")


@dataclass(frozen=True, kw_only=True)
class Other:
    x: int
    y: int


@dataclass(frozen=True, kw_only=True)
class Outer:
    n: int = 1
    name: str = "a"
    inner: Inner = field(default_factory=Inner)
    other: Other | None = None
    many: dict[str, Inner] = field(default_factory=dict)


def test_option_over_file_over_default(tmp_path: Path):
    file = tmp_path / "c.toml"
    file.write_text('n = 2\nname = "file"\n[inner]\nslope = 1.5\n')
    assert load_config(Outer) == Outer()
    assert load_config(Outer, file=file, options={"n": 3, "name": None}) == Outer(
        n=3, name="file", inner=Inner(slope=1.5)
    )


def test_changes_apply_to_a_base_and_leave_its_other_fields():
    base = Outer(name="preset", inner=Inner(slope=np.array([1.0, 2.0])), other=Other(x=1, y=2))
    found = load_config(Outer, options={"n": 4, "other": {"y": 7}}, base=base)
    assert (found.n, found.name, found.other) == (4, "preset", Other(x=1, y=7))
    assert found.inner is base.inner  # arrays pass untouched
    assert load_config(Outer, options={"inner": {"slope": 3}}, base=base).inner.slope == 3.0


@pytest.mark.parametrize(
    "array",
    [np.ndarray, np.ndarray[tuple[int], np.dtype[np.float64]], FloatArray, TypeAliasType("Vector", FloatArray)],
    ids=["class", "generic", "alias", "lazy alias"],
)
def test_a_field_that_may_be_an_array_takes_one_number_whatever_the_array_is_called(array: Any):
    config = make_dataclass("Config", [("slope", float | array | None, 2.4)], frozen=True, kw_only=True)
    assert load_config(config, options={"slope": 3}).slope == 3.0
    assert load_config(config, options={"slope": "none"}).slope is None
    with pytest.raises(InputError, match=r"slope.*valid number.*'steep'"):
        load_config(config, options={"slope": "steep"})


def test_tables_of_tables_and_optional_tables():
    options = {"many": {"a": {"slope": 1}}, "other": {"x": 1, "y": 2}}
    assert load_config(Outer, options=options) == Outer(many={"a": Inner(slope=1.0)}, other=Other(x=1, y=2))
    assert load_config(Outer, options={"other": Other(x=1, y=2)}).other == Other(x=1, y=2)


def test_a_file_can_say_that_there_is_no_value(tmp_path: Path):
    file = tmp_path / "c.toml"
    file.write_text('name = "none"\nother = "none"\n')
    found = load_config(Outer, file=file, base=Outer(other=Other(x=1, y=2)))
    assert (found.name, found.other) == ("none", None)  # a name is never absent, so this one is a name


def test_mistakes_of_file_and_options_are_named_together(tmp_path: Path):
    file = tmp_path / "c.toml"
    file.write_text("m = 1")
    with pytest.raises(InputError, match=r"(?s)c.toml and options: 2 field.*unknown field.s. m.*n: .* found 'x'"):
        load_config(Outer, file=file, options={"n": "x"})


def test_resolved_configuration_is_plain():
    assert as_mapping(Outer()) == {"n": 1, "name": "a", "inner": {"slope": 2.4}, "other": None, "many": {}}


BAD = {
    "unknown field": ("m = 1", "unknown field.s. m; allowed are n, name, inner, other, many"),
    "wrong type": ('n = "many"\nname = 4', r"(?s)2 field\(s\) cannot be used.*n: .*name: "),
    "unknown nested field": ("[inner]\nslop = 1", "table inner: unknown field.s. slop; allowed are slope"),
    "number for a table": ("inner = 3", "inner = 3 must be a table with the fields slope"),
    "several": (
        "m = 1\n[inner]\nslop = 1",
        r"(?s)2 field\(s\).*unknown field.s. m;.*table inner: unknown field.s. slop",
    ),
    "refused value": ("[inner]\nslope = -1", "slope = -1.0 must not be negative"),
    "nothing to start from": ("[other]\nx = 1", r"table other: field.s. y must be given"),
    "unknown in a table of tables": ("[many.a]\nz = 1", r"table many.a: unknown field.s. z; allowed are slope"),
    "not TOML": ("n = = 1", "is not valid TOML"),
}


@pytest.mark.parametrize(("text", "message"), BAD.values(), ids=BAD)
def test_mistakes(tmp_path: Path, text: str, message: str):
    file = tmp_path / "c.toml"
    file.write_text(text)
    with pytest.raises(InputError, match=message):
        load_config(Outer, file=file)


def test_missing_file(tmp_path: Path):
    with pytest.raises(InputError, match="cannot be read"):
        load_config(Outer, file=tmp_path / "none.toml")
