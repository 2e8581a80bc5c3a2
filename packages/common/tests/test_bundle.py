"""Laws of bundles: what is written is read back; damage, newer formats and foreign folders are refused."""

import json
from pathlib import Path

import pytest
from earnest_common.bundle import BundleDescription, read_bundle, write_bundle
from earnest_common.errors import InputError, IntegrityError, OutputExistsError, PluginError, VersionError
from earnest_common.plugins import load_estimator, open_source
from earnest_common.run.records import content_sha256

DESCRIPTION = BundleDescription(
    estimator="nobody",
    features=("t_x", "m_gas_profile"),
    supplementary=("l_x",),
    radii=(0.15, 1.4),
    scaling={"t_x": (0.0, 1.0)},
    prior={"sigma8": (0.7, 0.92)},
    training={"seed": 1},
)


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    def write_files(folder: Path) -> None:
        (folder / "model.bin").write_bytes(b"weights")

    write_bundle(tmp_path / "bundle", DESCRIPTION, write_files=write_files, card="# A model")
    return tmp_path / "bundle"


def test_description_is_read_back(bundle: Path):
    assert read_bundle(bundle) == DESCRIPTION
    assert (bundle / "README.md").read_text() == "# A model"


@pytest.mark.parametrize("damage", [b"weight", b"Weights", None])
def test_damaged_file(bundle: Path, damage: bytes | None):
    file = bundle / "model.bin"
    file.unlink() if damage is None else file.write_bytes(damage)
    with pytest.raises(IntegrityError, match=r"model\.bin missing or altered"):
        read_bundle(bundle)


@pytest.mark.parametrize("text", ["", "[]", '{"estimator": "x"}'])
def test_damaged_description(bundle: Path, text: str):
    (bundle / "bundle.json").write_text(text)
    with pytest.raises(IntegrityError):
        read_bundle(bundle)


def test_a_training_that_is_no_record_in_an_old_bundle(bundle: Path):
    record = json.loads((bundle / "bundle.json").read_text())
    old = {
        key: value
        for key, value in record.items()
        if key in {"schema_version", "checksums"} or key in vars(DESCRIPTION)
    }
    (bundle / "bundle.json").write_text(json.dumps(old | {"format_version": 1, "training": 6.7e16}))
    with pytest.raises(IntegrityError, match="other kinds of values"):
        read_bundle(bundle)


@pytest.mark.parametrize("field", ["format_version", "schema_version"])
def test_newer_bundle(bundle: Path, field: str):
    file = bundle / "bundle.json"
    record = {**json.loads(file.read_text()), field: 99}
    file.write_text(json.dumps({**record, "sha256": content_sha256(record)}))
    with pytest.raises(VersionError, match=f"{field} is 99, this release reads up to"):
        read_bundle(bundle)


def test_not_a_bundle(tmp_path: Path):
    with pytest.raises(InputError, match="is not a model bundle"):
        read_bundle(tmp_path)


def test_output_exists_and_failed_write(bundle: Path, tmp_path: Path):
    with pytest.raises(OutputExistsError):
        write_bundle(bundle, DESCRIPTION, write_files=lambda _: None, card="")

    def full(folder: Path) -> None:
        (folder / "model.bin").write_bytes(b"half")
        raise OSError(28, "No space left on device")

    with pytest.raises(OSError, match="No space left"):
        write_bundle(tmp_path / "other", DESCRIPTION, write_files=full, card="")
    assert [p.name for p in tmp_path.iterdir()] == ["bundle"]


def test_unknown_estimator_and_source(bundle: Path):
    with pytest.raises(PluginError, match=r"no installed package provides 'nobody'.*pip install earnest-model"):
        load_estimator(bundle)
    with pytest.raises(PluginError, match=r"no installed package provides 'nothing'.*pip install earnest-mocks"):
        open_source("nothing", preset="paper", seed=1)
