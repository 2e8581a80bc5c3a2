"""The section about the mock sky."""

import builtins
import re
from dataclasses import replace
from xml.etree import ElementTree

import numpy as np
import polars as pl
import pytest
from earnest_common.catalogs import CatalogSet, Plan, write_batch
from earnest_common.catalogs.batch import CatalogBatch
from earnest_common.errors import InputError, MissingExtraError
from earnest_common.report.section import read_section, write_section
from earnest_common.survey.evolution import log10_e
from earnest_mocks.base_sample.relations import OBSERVABLES
from earnest_mocks.base_sample.sample import default_base_sample, write_base_sample
from earnest_mocks.catalogs.config import resolve_config
from earnest_mocks.catalogs.generate import generate
from earnest_mocks.report.loan import loan_figure
from earnest_mocks.report.mock_sky import mocks_section


@pytest.fixture(scope="module")
def mocks(tmp_path_factory):
    folder = tmp_path_factory.mktemp("sets") / "mocks"
    generate(resolve_config("paper"), folder, seed=1, n_catalogs=400)
    return CatalogSet.open(folder)


@pytest.fixture(scope="module")
def others(tmp_path_factory):
    """The base sample's own clusters at z = 0.4, 0.1 dex too luminous, without gas masses."""
    sample = default_base_sample()
    n, z = sample.n_clusters, 0.4
    growth = log10_e(z, 0.272) - log10_e(0.0663, 0.272)
    l_x, t_x = sample.observables[:, 0] + 0.1 + 7 / 3 * growth, sample.observables[:, 1] + 2 / 3 * growth
    order = np.argsort(-l_x)
    frame = pl.DataFrame(
        {
            "catalog_id": np.zeros(n, dtype=np.int64),
            "cluster_id": np.arange(n),
            "rank": np.arange(n),
            "z": np.full(n, z),
            "m_500c": 10 ** sample.log10_m_500c[order],
            "l_x": 10 ** l_x[order],
            "t_x": 10 ** t_x[order],
        }
    )
    catalogs = pl.DataFrame({"catalog_id": [0], "n_clusters": [n], "survey": ["other"]})
    batch = CatalogBatch.conformed(catalogs, frame, subject="test")
    folder = tmp_path_factory.mktemp("sets") / "others"
    write_batch(folder, batch, Plan(kind="simulation", preset="other", seed=None, n_catalogs=1))
    return CatalogSet.open(folder)


@pytest.fixture(scope="module")
def section(mocks):
    return mocks_section(mocks)


def test_the_section_survives_writing_and_reading(section, tmp_path):
    write_section(tmp_path / "section.json", section)
    found = read_section(tmp_path / "section.json")
    assert found.figures == section.figures
    assert found.summary["n_catalogs"] == 400
    assert any("EMULATED" in paragraph for paragraph in found.text)


def test_figures_are_pictures_without_dates(mocks, section):
    for figure in section.figures:
        assert ElementTree.fromstring(figure.svg).tag.endswith("svg")
        assert figure.alt
        words = re.sub(r"base64,[^\"]*", "", figure.svg)  # pictures spell any four letters
        assert "date" not in words.lower()
    assert section.figures == mocks_section(mocks).figures


def test_the_loan_is_drawn_with_what_the_set_does(section):
    captions = {figure.name: figure.caption for figure in section.figures}
    assert list(captions) == ["counts", "scaling-relations", "loan"]
    assert "within 0.1 dex" in captions["loan"]
    assert "second donor" not in captions["loan"]
    assert "second donor" in loan_figure(default_base_sample(), half_width=0.1, recombined=True).caption


def test_numbers_found_agree_with_numbers_expected(section):
    (table,) = section.tables
    assert len(table.rows) == 4
    for *_, n_catalogs, found, expected in table.rows:
        assert found == pytest.approx(expected, abs=4 * np.sqrt(expected / n_catalogs))


def test_imported_clusters_are_compared_at_one_redshift(mocks, others):
    section = mocks_section(mocks, compare=others)
    rows = {row[0]: dict(zip(section.tables[1].columns, row, strict=True)) for row in section.tables[1].rows}
    assert set(rows) == {"L_X", "T"}
    assert rows["L_X"]["mean offset"] == pytest.approx(0.1, abs=1e-3)
    assert rows["T"]["mean offset"] == pytest.approx(0.0, abs=1e-3)
    assert rows["L_X"]["scatter"] == pytest.approx(0.13, abs=1e-3)
    assert rows["T"]["slope"] == pytest.approx(0.61, abs=1e-3)
    assert section.summary["l_x_offset"] == pytest.approx(0.1, abs=1e-3)
    assert "E(z)" in section.text[2]
    assert len(OBSERVABLES) == 3


def test_a_cut_in_flux_is_drawn_without_closed_form(tmp_path):
    generate(resolve_config("realistic"), tmp_path / "set", seed=1, n_catalogs=60)
    (table,) = mocks_section(CatalogSet.open(tmp_path / "set")).tables
    assert all(row[-1] is None for row in table.rows)


def test_a_set_with_a_base_sample_of_its_own_needs_that_file(tmp_path, mocks):
    mine, other = tmp_path / "mine.parquet", tmp_path / "other.parquet"
    write_base_sample(mine, default_base_sample())
    write_base_sample(other, replace(default_base_sample(), source={}))
    config = resolve_config("paper", options={"base_sample": str(mine)})
    generate(config, tmp_path / "set", seed=1, n_catalogs=3)
    opened = CatalogSet.open(tmp_path / "set")
    for opened_, file in ((opened, None), (opened, other), (mocks, mine)):
        with pytest.raises(InputError, match="--base-sample takes the file it was made with"):
            mocks_section(opened_, base_sample=file)
    assert mocks_section(opened, base_sample=mine).summary["n_catalogs"] == 3


def test_other_sets_are_refused(others):
    with pytest.raises(InputError, match="holds simulation catalogs"):
        mocks_section(others)


def test_a_missing_drawing_library_is_named(mocks, monkeypatch):
    real = builtins.__import__

    def without(name, *args, **options):
        if name.startswith("matplotlib"):
            raise ImportError(name)
        return real(name, *args, **options)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(MissingExtraError, match=r"pip install \"earnest-common\[figures\]\""):
        mocks_section(mocks)
