"""Laws of configuration: option over file over default, and every mistake is named."""

from dataclasses import dataclass, field
from pathlib import Path

import pytest
from earnest_common.config import as_mapping, load_config
from earnest_common.errors import InputError


@dataclass(frozen=True, kw_only=True)
class Inner:
    slope: float = 2.4


@dataclass(frozen=True, kw_only=True)
class Outer:
    n: int = 1
    name: str = "a"
    inner: Inner = field(default_factory=Inner)


def test_option_over_file_over_default(tmp_path: Path):
    file = tmp_path / "c.toml"
    file.write_text('n = 2\nname = "file"\n[inner]\nslope = 1.5\n')
    assert load_config(Outer) == Outer()
    assert load_config(Outer, file=file, options={"n": 3, "name": None}) == Outer(
        n=3, name="file", inner=Inner(slope=1.5)
    )


def test_resolved_configuration_is_plain():
    assert as_mapping(Outer()) == {"n": 1, "name": "a", "inner": {"slope": 2.4}}


BAD = {
    "unknown field": ("m = 1", "unknown field.s. m; allowed are n, name, inner"),
    "wrong type": ('n = "many"\nname = 4', r"(?s)2 field\(s\) cannot be used.*n: .*name: "),
    "unknown nested field": ("[inner]\nslop = 1", "table inner: unknown field.s. slop; allowed are slope"),
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
