"""Values, texts and files that a command may be given by mistake or with intent, as Hypothesis strategies."""

import json
from pathlib import Path
from typing import Any

from hypothesis import strategies as st

INTEGERS = st.one_of(
    st.sampled_from(["0", "-1", "1", "2147483648", "9223372036854775807", "9223372036854775808", "1" + "0" * 23]),
    st.integers(-3, 40).map(str),
)
FLOATS = st.one_of(
    st.sampled_from(["inf", "-inf", "nan", "1e400", "1e308", "-1e308", "1e50", "0", "-0.0", "-1", "1e-320", "1e-50"]),
    st.floats().map(repr),
)
NO_NUMBERS = st.sampled_from(["", " ", "abc", "1e3.5", "\u0661", "0x10", "1,5", "--", "True", "1_0", "½"])
TEXTS = st.one_of(
    st.sampled_from(
        [
            "",
            " ",
            "none",
            "null",
            "*",
            "[1]",
            "../../x",
            "/",
            "a" * 300,
            "ü",
            "\u03c3\u2088",
            "\udcff",
            "%s{}",
            "l_x,",
            ",,",
            "=",
            "l_x=",
        ]
    ),
    st.text(st.characters(exclude_characters="\0", codec="utf-8"), max_size=12),
)
JSON_VALUES = st.recursive(
    st.one_of(
        st.none(),
        st.booleans(),
        st.sampled_from([0, -1, 2**63, 10**400, 1e308, float("inf"), float("nan"), -0.0, "", "inf", "../x", "\ud800"]),
        st.integers(),
        st.floats(),
        st.text(max_size=8),
    ),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=5), inner, max_size=3)),
    max_leaves=6,
)
TOML_VALUES = st.one_of(
    st.sampled_from(
        "inf nan -inf 1e308 1e400 -1e308 0 -1 9223372036854775808 0.0 1e-320 true 1979-05-27 1e50 -1e50 1000000000".split()
        + [
            "1" + "0" * 23,
            '""',
            '"none"',
            '"abc"',
            "[]",
            "[[]]",
            "[1, 2]",
            "{}",
            "{ a = 1 }",
            '["a"]',
            '"../x"',
            "[inf]",
        ]
        + ['"\\u0000"', "[-1.0, 1e300]", "-0.0"]
    ),
    st.floats(allow_nan=False, allow_infinity=False).map(repr),
    st.integers().map(str),
)
JUNK = st.one_of(
    st.sampled_from(
        [
            b"",
            b"\0",
            b"\xff\xfe",
            b"PAR1",
            b"PAR1" + b"\0" * 40 + b"PAR1",
            b"PK\x03\x04",
            b"\x1f\x8b\x08\x00junk",
            b"SIMPLE  =                    T" + b" " * 50,
            b"{",
            b"[]",
            b"null",
            b"[" * 5000,
            b"a = " + b"[" * 3000 + b"]" * 3000,
            b"a=1\na=2",
            b"".join(b"[a%d]\n" % i for i in range(3000)),
            b"<?xml version='1.0'?><VOTABLE>",
            "größe,\u03c3\n1,2\n".encode("latin-1", "replace"),
            b"a,b\n1\n1,2,3\n",
            b"x" * 300_000,
        ]
    ),
    st.binary(max_size=200),
)
"""Bytes in the place of a file."""


@st.composite
def altered_bytes(draw: st.DrawFn, data: bytes) -> bytes:
    """Return a file with a flipped bit, cut short, with a part missing or doubled, or with something else in it."""
    kind = draw(st.sampled_from(["flip", "cut", "drop", "junk"]))
    if kind == "junk" or not data:
        return draw(JUNK)
    at = draw(st.integers(0, len(data) - 1))
    if kind == "flip":
        return data[:at] + bytes([data[at] ^ (1 << draw(st.integers(0, 7)))]) + data[at + 1 :]
    if kind == "cut":
        return data[:at]
    return data[:at] + data[at + draw(st.integers(1, 64)) :]


@st.composite
def altered_json(draw: st.DrawFn, data: bytes) -> bytes:
    """Return a JSON file with one value replaced, one key missing, or damaged as any file."""
    if draw(st.integers(0, 4)) == 0:
        return draw(altered_bytes(data))
    record = json.loads(data)
    places = list(_places(record))
    if not places:
        return json.dumps(draw(JSON_VALUES)).encode()
    holder, key = draw(st.sampled_from(places))
    if isinstance(holder, dict) and draw(st.integers(0, 3)) == 0:
        del holder[key]
    else:
        holder[key] = draw(JSON_VALUES)
    return json.dumps(record).encode("utf-8", "surrogatepass")


def _places(record: Any) -> Any:
    items = record.items() if isinstance(record, dict) else enumerate(record) if isinstance(record, list) else ()
    for key, value in items:
        yield record, key
        yield from _places(value)


@st.composite
def toml_text(draw: st.DrawFn, fields: dict[str, Any]) -> bytes:
    """Return a configuration in which one to three of the known fields have odd values, or that is no TOML at all."""
    if draw(st.integers(0, 7)) == 0 or not fields:
        return draw(JUNK)
    lines: dict[tuple[str, ...], list[str]] = {}
    for path in draw(st.lists(st.sampled_from(sorted(fields)), min_size=1, max_size=3, unique=True)):
        *table, name = path.split(".")
        lines.setdefault(tuple(table), []).append(f"{name} = {draw(TOML_VALUES)}")
    text = ""
    for table in sorted(lines):
        text += (f"[{'.'.join(table)}]\n" if table else "") + "\n".join(lines[table]) + "\n"
    return text.encode()


@st.composite
def odd_path(draw: st.DrawFn, folder: Path, real: Path | None) -> str:
    """Return a path that leads nowhere, to a folder for a file, to a file for a folder, or to junk."""
    kind = draw(st.sampled_from(["absent", "folder", "empty", "junk", "loop", "long", "name", "glob"]))
    place = folder / f"odd-{kind}"
    if kind == "folder":
        place.mkdir(exist_ok=True)
    elif kind == "empty":
        place.touch()
    elif kind == "junk":
        place.write_bytes(draw(JUNK))
    elif kind == "loop":
        if not place.is_symlink():
            place.symlink_to(place.name)
    elif kind == "long":
        return str(folder / ("n" * 300))
    elif kind == "name":
        return str(folder / "\udcff\n[x]*?")
    elif kind == "glob":
        return str(real) + "*" if real else "*"
    return str(place)
