"""Numbers that mean "not measured" are refused one by one, and clusters as they are pass."""

from pathlib import Path

import numpy as np
import pytest
from earnest_common.errors import SchemaError
from earnest_common.importers import ImportOptions, import_table
from hypothesis import example, given, settings
from hypothesis import strategies as st

MAPPING = """
name = "mine"
title = "made up"
kind = "observed"
l_x = "bolometric"
[reader]
kind = "csv"
null = [{null}]
[columns]
z = {{ source = "z" }}
m_500c = {{ source = "m", unit = "Msun", log10 = {log10} }}
l_x = {{ source = "l", unit = "1e44 erg/s" }}
t_x = {{ source = "t", unit = "keV"{null_t} }}
"""
N = 40


def write(folder: Path, *, seed: int = 1, log10: bool = False, null: str = '""', null_t: str = "", **cells: object):
    """Write clusters on the mean relations with some scatter; ``t_7="-99"`` replaces the cell of column t, row 7."""
    rng = np.random.default_rng(seed)
    log10_m = 13.5 + rng.exponential(0.3, N).clip(max=2.0)
    scatter = 10 ** (0.15 * rng.standard_normal((2, N)))
    l_x, t_x = 10 ** (1.74 * (log10_m - 14.4)) * scatter[0], 3.4 * 10 ** (0.61 * (log10_m - 14.4)) * scatter[1]
    columns = {
        "z": [f"{z:.4f}" for z in rng.uniform(0.01, 0.9, N)],
        "m": [f"{m if log10 else 10**m:.6g}" for m in log10_m],
        "l": [f"{l:.5g}" for l in l_x],  # noqa: E741
        "t": [f"{t:.4g}" for t in t_x],
    }
    for place, cell in cells.items():
        name, row = place.split("_")
        columns[name][int(row)] = str(cell)
    rows = zip(*columns.values(), strict=True)
    (folder / "t.csv").write_text("\n".join(["z,m,l,t", *(",".join(row) for row in rows)]) + "\n")
    (folder / "m.toml").write_text(MAPPING.format(log10=str(log10).lower(), null=null, null_t=null_t))
    return folder / "t.csv", folder / "m.toml"


@given(seed=st.integers(0, 2**32), log10=st.booleans())
@example(seed=750401, log10=False)  # one massive cluster among groups, 3 decades more luminous than their median
@settings(max_examples=25, deadline=None)
def test_clusters_as_they_are_pass(seed: int, log10: bool, tmp_path_factory: pytest.TempPathFactory):
    batch, report = import_table(*write(tmp_path_factory.mktemp("t"), seed=seed, log10=log10))
    assert (batch.n_clusters, report.warnings) == (N, ())


@pytest.mark.parametrize(
    ("cells", "log10", "words"),
    [
        ({"t_5": "9999"}, False, r"'t_x' \(from 't'\): found 9999 = 1e\+04 keV in 1 row\(s\) \(first: line 7\)"),
        ({"t_5": "99", "t_9": "99.0"}, False, "99 = 99 keV in 2 row"),
        ({"t_5": "999.9"}, False, "999.9"),
        ({"t_5": "1e30"}, False, r"1e\+30"),
        ({"t_5": "1e-20"}, False, "1e-20"),
        ({"m_3": "-99"}, True, "log10 -99 = 1e-99 solMass"),
        ({"m_3": "-1", "t_5": "9999"}, True, "log10 -1 = 0.1 solMass"),
        ({"m_3": "0"}, True, "log10 0 = 1 solMass"),
        ({"m_3": "99"}, True, r"log10 99 = 1e\+99 solMass"),
        ({"l_3": "9999"}, False, r"9999 = 1e\+04 1e44 erg/s"),
        ({"l_3": "1e-37"}, False, "1e-37"),
        ({"z_3": "9.999"}, False, "9.999"),
    ],
)
def test_one_number_among_many_is_refused_with_its_remedy(
    cells: dict[str, str], log10: bool, words: str, tmp_path: Path
):
    with pytest.raises(SchemaError, match=words) as refused:
        import_table(*write(tmp_path, log10=log10, **cells))
    assert "in [reader]" in str(refused.value)
    assert "values like the others" in str(refused.value)
    trusting = ImportOptions(trust_units=True)
    if str(refused.value).count("in [reader]") == str(refused.value).count("--trust-units"):
        _, report = import_table(tmp_path / "t.csv", tmp_path / "m.toml", options=trusting)
        assert len(report.warnings) >= 1
    else:
        with pytest.raises(SchemaError, match="are above"):
            import_table(tmp_path / "t.csv", tmp_path / "m.toml", options=trusting)


@pytest.mark.parametrize("cell", ["-99", "-999.0", "-1", "0"])
def test_numbers_that_are_not_positive_are_refused(cell: str, tmp_path: Path):
    with pytest.raises(
        SchemaError, match=rf"'t_x': found 1 values that are zero or negative \(first: line 7 = {cell[:2]}"
    ):
        import_table(*write(tmp_path, t_5=cell))


@pytest.mark.parametrize("declared", [{"null": '"9999", "-99"'}, {"null_t": ', null = ["> 9000", "< 0"]'}])
def test_what_is_declared_as_unknown_is_unknown(declared: dict[str, str], tmp_path: Path):
    batch, report = import_table(*write(tmp_path, t_5="9999.0", t_6="-99.", **declared))
    assert batch.clusters["t_x"].null_count() == 2
    assert report.warnings == ()


def test_rows_that_are_dropped_are_not_judged(tmp_path: Path):
    where = ImportOptions(where=("t < 9000",))
    batch, _ = import_table(*write(tmp_path, t_5="9999"), options=where)
    assert batch.n_clusters == N - 1
