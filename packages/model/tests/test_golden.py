"""Laws of the golden predictions: whatever changes sigma8 or its error is noticed, whatever the checksums say."""

import dataclasses
import json
import shutil
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from earnest_common.bundle import BundleDescription, read_bundle, write_bundle
from earnest_common.errors import InputError, IntegrityError
from earnest_common.plugins import load_estimator
from earnest_common.testing import toy_batch
from earnest_model.data.features import FeatureSet, fit_scaling, scaled_arrays, to_arrays, unscaled_columns

OLD = Path(__file__).parent / "data" / "format_1" / "bundle"


def _rewritten(bundle: Path, out: Path, description: BundleDescription) -> Path:
    """Write a bundle's files with another description, as another program would: all checksums are right."""

    def write_files(folder: Path) -> None:
        for name in ("model.keras", "golden.npz", "history.jsonl"):
            shutil.copy(bundle / name, folder / name)

    write_bundle(out, description, write_files=write_files, card="")
    return out


def _without_description(bundle: Path, out: Path) -> Path:
    """Copy a bundle as it was written before golden predictions kept a copy of the description."""
    shutil.copytree(bundle, out / "files")
    with np.load(bundle / "golden.npz") as stored:
        content = {name: stored[name] for name in stored.files if name != "description"}
    np.savez(out / "files" / "golden.npz", **content)
    return out / "files"


@pytest.mark.parametrize("end", [0, 1])
@pytest.mark.parametrize("column", ["t_x", "m_gas_profile", "gas_slope_profile", "l_x", "m_wl"])
def test_an_altered_scaling_is_noticed(bundle: Path, tmp_path: Path, column: str, end: int):
    description = read_bundle(bundle)
    altered = list(description.scaling[column])
    altered[end] += 0.3
    changed = dataclasses.replace(description, scaling={**description.scaling, column: tuple(altered)})
    with pytest.raises(IntegrityError, match="predictions are not repeated"):
        load_estimator(_rewritten(_without_description(bundle, tmp_path), tmp_path / "copy", changed))


@pytest.mark.parametrize(("end", "size"), [(0, 1 + 1e-9), (1, 0.9)])
@pytest.mark.parametrize(
    "constant",
    [*(f"scaling {name}" for name in (*FeatureSet().columns, "n_clusters", "sigma8")), "prior sigma8"],
)
def test_any_other_constant_is_noticed(bundle: Path, tmp_path: Path, constant: str, end: int, size: float):
    description = read_bundle(bundle)
    entry, name = constant.split()
    constants = dict(getattr(description, entry))
    ends = list(constants[name])
    ends[end] *= size
    constants[name] = tuple(ends)
    changed = dataclasses.replace(description, **{entry: constants})
    with pytest.raises(IntegrityError, match=rf"{entry} of bundle\.json are not repeated"):
        load_estimator(_rewritten(bundle, tmp_path / "copy", changed))


@pytest.mark.parametrize("name", ["factor_68", "factor_95"])
def test_any_other_calibration_is_noticed(bundle: Path, tmp_path: Path, name: str):
    description = read_bundle(bundle)
    calibration = {**description.calibration, name: description.calibration[name] * (1 + 1e-9)}
    changed = dataclasses.replace(description, calibration=calibration)
    with pytest.raises(IntegrityError, match=r"calibration of bundle\.json are not repeated"):
        load_estimator(_rewritten(bundle, tmp_path / "copy", changed))


def test_a_bundle_without_a_copy_of_its_description_still_opens(bundle: Path, tmp_path: Path):
    batch = toy_batch(n_catalogs=3, seed=1)
    older = _rewritten(_without_description(bundle, tmp_path), tmp_path / "older", read_bundle(bundle))
    assert load_estimator(older).predict(batch).equals(load_estimator(bundle).predict(batch))


def test_an_altered_calibration_is_noticed(bundle: Path, tmp_path: Path):
    description = read_bundle(bundle)
    factor = description.calibration["factor_68"]
    changed = dataclasses.replace(description, calibration={**description.calibration, "factor_68": factor + 0.1})
    with pytest.raises(IntegrityError, match="sigma8_lo68"):
        load_estimator(_rewritten(_without_description(bundle, tmp_path), tmp_path / "copy", changed))


def test_an_honest_copy_opens(bundle: Path, tmp_path: Path):
    batch = toy_batch(n_catalogs=3, seed=1)
    copy = load_estimator(_rewritten(bundle, tmp_path / "copy", read_bundle(bundle)))
    assert copy.predict(batch).equals(load_estimator(bundle).predict(batch))


def test_unscaling_inverts_scaling():
    batch = toy_batch(n_catalogs=4, seed=2)
    features = FeatureSet()
    scaling = fit_scaling(batch, features)
    arrays = to_arrays(batch, features, scaling)
    columns = unscaled_columns(arrays, features, scaling)
    for name in features.columns:
        np.testing.assert_allclose(columns[name], batch.column(name), rtol=2e-6)
    again = scaled_arrays(columns, arrays.counts, features, scaling)
    np.testing.assert_allclose(again.encoder, arrays.encoder, atol=1e-6)
    np.testing.assert_allclose(again.supplementary, arrays.supplementary, atol=1e-6)


def test_a_bundle_of_format_1_still_opens():
    estimator = load_estimator(OLD)
    assert estimator.description.format_version == 1
    found = estimator.predict(toy_batch(n_catalogs=3, seed=1))
    assert np.isfinite(found.select("sigma8", "sigma8_err").to_numpy()).all()


def test_a_bundle_of_format_2_still_opens_and_gives_its_numbers():
    """Written before columns could be missing; the numbers are those that its release gave."""
    path = OLD.parents[1] / "format_2" / "bundle"
    estimator = load_estimator(path)
    assert (estimator.description.format_version, estimator.accepts_missing) == (2, ())
    batch = toy_batch(n_catalogs=3, seed=1)
    found = estimator.predict(batch)["sigma8"].to_list()
    assert found == pytest.approx([0.8436017477, 0.8552271387, 0.7837427463], abs=1e-6)
    unknown = batch.clusters.with_columns(m_wl=pl.lit(None, dtype=pl.Float64))
    with pytest.raises(InputError, match="--drop m_wl"):
        estimator.predict(dataclasses.replace(batch, clusters=unknown))


def test_a_new_bundle_does_not_pass_for_an_old_one(bundle: Path, tmp_path: Path):
    copy = tmp_path / "copy"
    shutil.copytree(bundle, copy)
    record = json.loads((copy / "bundle.json").read_text())
    record = {name: value for name, value in record.items() if name not in {"format", "sha256"}}
    (copy / "bundle.json").write_text(json.dumps({**record, "format_version": 1}))
    with pytest.raises(IntegrityError):
        load_estimator(copy)
