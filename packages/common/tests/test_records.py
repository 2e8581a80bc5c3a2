"""Laws of records: one altered digit, a missing checksum or a lowered version is refused; old records still open."""

import contextlib
import json
import re
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from earnest_common.bundle import BundleDescription, read_bundle, write_bundle
from earnest_common.catalogs import CatalogSet, Plan, write_batch
from earnest_common.errors import EarnestError
from earnest_common.report.section import Section, read_section, write_section
from earnest_common.run.files import file_sha256
from earnest_common.run.records import content_sha256
from earnest_common.testing import toy_batch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

OLD = Path(__file__).parent / "data" / "format_1"


def _set(folder: Path) -> Path:
    plan = Plan(kind="mock", preset="toy", seed=1, n_catalogs=3, config={"survey": {"log10_m_break": 14.4}})
    write_batch(folder / "x", toy_batch(n_catalogs=3, seed=1), plan)
    return folder / "x" / "manifest.json"


def _bundle(folder: Path) -> Path:
    description = BundleDescription(
        estimator="nobody",
        features=("t_x",),
        supplementary=(),
        radii=(0.15, 1.4),
        scaling={"t_x": (0.25, 1.5)},
        prior={"sigma8": (0.7, 0.92)},
        calibration={"factor_68": 1.0441},
    )
    write_bundle(folder / "x", description, write_files=lambda f: (f / "m").write_bytes(b"1"), card="# card")
    return folder / "x" / "bundle.json"


def _section(folder: Path) -> Path:
    write_section(folder / "x.json", Section(key="a", title="b", text=("sigma8 0.81",), summary={"rms": 0.0123}))
    return folder / "x.json"


KINDS: dict[str, tuple[Callable[[Path], Path], Callable[[Path], object]]] = {
    "manifest": (_set, lambda file: CatalogSet.open(file.parent)),
    "bundle": (_bundle, lambda file: read_bundle(file.parent)),
    "section": (_section, read_section),
}


@pytest.mark.parametrize("kind", KINDS)
def test_one_altered_digit_is_refused(tmp_path: Path, kind: str):
    make, read = KINDS[kind]
    file = make(tmp_path)
    read(file)
    text = file.read_text()
    for match in re.finditer(r"\d", text):
        changed = str((int(match[0]) + 1) % 10)
        altered = text[: match.start()] + changed + text[match.end() :]
        if json.loads(altered) == json.loads(text):  # a 17th digit may leave the number as it is
            continue
        file.write_text(altered)
        with pytest.raises(EarnestError, match=re.escape(file.name)):
            read(file)


@pytest.mark.parametrize("kind", KINDS)
def test_layout_and_order_do_not_count(tmp_path: Path, kind: str):
    make, read = KINDS[kind]
    file = make(tmp_path)
    before, record = read(file), json.loads(file.read_text())
    file.write_text(json.dumps(dict(reversed(record.items()))))
    assert read(file) == before


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("without", [["sha256"], ["format"], ["sha256", "format_version"], ["format", "sha256"]])
@pytest.mark.parametrize("version", [None, 1])
def test_the_checksum_cannot_be_left_out(tmp_path: Path, kind: str, without: list[str], version: int | None):
    make, read = KINDS[kind]
    file = make(tmp_path)
    record = {name: value for name, value in json.loads(file.read_text()).items() if name not in without}
    if version and without == ["format", "sha256"]:
        pytest.skip("that is the shape of old records of sets and bundles")
    if version and "format_version" in record:
        record["format_version"] = version
    file.write_text(json.dumps(record))
    with pytest.raises(EarnestError, match=re.escape(file.name)):
        read(file)


_VALUES = st.recursive(
    st.none() | st.booleans() | st.floats(allow_nan=False) | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=8,
)


@given(st.dictionaries(st.text(), _VALUES))
@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None, max_examples=50)
def test_the_hash_survives_json(record: dict[str, object]):
    assert content_sha256(json.loads(json.dumps(record, indent=2))) == content_sha256(record)
    assert content_sha256({**record, "sha256": "anything"}) == content_sha256({**record, "sha256": ""})


def test_old_records_still_open():
    opened = CatalogSet.open(OLD / "set")
    assert (opened.manifest.format_version, opened.validate()) == (1, [])
    assert opened.read().n_catalogs == opened.describe()["n_catalogs"] == 3
    assert read_section(OLD / "section.json").summary == {"sigma8": 0.8}


NAMES = ["../outside", "a/b", "/etc/hostname", "..", ".", "", "a\\b"]


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("version", [1, 2])
def test_a_bundle_lists_plain_names_alone(tmp_path: Path, name: str, version: int):
    file = _bundle(tmp_path)
    (tmp_path / "outside").write_text("x")
    _relist(file, {name: file_sha256(tmp_path / "outside")}, version=version)
    with pytest.raises(EarnestError, match="only plain names"):
        read_bundle(file.parent)


@pytest.mark.parametrize("version", [1, 2])
def test_a_bundle_lists_all_of_its_files_and_no_links(tmp_path: Path, version: int):
    file = _bundle(tmp_path)
    (file.parent / "more").write_text("x")
    with pytest.raises(EarnestError, match="does not list more"):
        read_bundle(file.parent)
    (file.parent / "more").unlink()
    (tmp_path / "outside").write_text("x")
    (file.parent / "more").symlink_to(tmp_path / "outside")
    _relist(file, {"more": file_sha256(tmp_path / "outside")}, version=version)
    with pytest.raises(EarnestError, match="more missing or altered"):
        read_bundle(file.parent)
    _relist(file, None, version=version)
    with pytest.raises(EarnestError, match="lists no checksums"):
        read_bundle(file.parent)


def _relist(file: Path, more: dict[str, str] | None, *, version: int) -> None:
    """Write a bundle's record with other checksums, as a hostile program would: its own checksum is right."""
    record = json.loads(file.read_text())
    record["checksums"] = {**record["checksums"], **more} if more else {}
    if version == 1:
        record = {k: v for k, v in record.items() if k not in {"format", "sha256"}} | {"format_version": 1}
    else:
        record["sha256"] = content_sha256(record)
    file.write_text(json.dumps(record))


@pytest.mark.parametrize("name", ["run[1]", "a*b", "q?", "s3:", "year=2020", "{a,b}", "~", "100%", "[!x]"])
def test_a_name_is_no_pattern(tmp_path: Path, name: str):
    """Neighbours that the name would match as a pattern hold other rows."""
    plan = Plan(kind="mock", preset="toy", seed=1, n_catalogs=2)
    for sibling, seed in (("run1", 1), ("aab", 2), ("qq", 3), ("a", 4), ("b", 5)):
        write_batch(tmp_path / sibling, toy_batch(n_catalogs=2, seed=seed), plan)
    batch = toy_batch(n_catalogs=2, seed=9)
    write_batch(tmp_path / name, batch, plan)
    opened = CatalogSet.open(tmp_path / name)
    assert opened.validate() == []
    for clusters in (opened.read().clusters, opened.scan_clusters().collect(), next(opened.batches()).clusters):
        assert clusters.equals(batch.clusters)
    assert opened.scan_catalogs().collect().equals(batch.catalogs)
    assert opened.describe()["n_clusters"] == batch.n_clusters
    shutil.rmtree(tmp_path / "run1")
    assert CatalogSet.open(tmp_path / name).read().clusters.equals(batch.clusters)


@pytest.mark.parametrize("value", [None, 7, "x", [1], {"a": 1}, [[1]], {"t_x": 3}, {"t_x": ["a", "b"]}])
@pytest.mark.parametrize("name", ["features", "scaling", "prior", "radii", "schema_version", "checksums"])
def test_old_bundles_with_other_kinds_of_values(tmp_path: Path, name: str, value: object):
    """Records of format 1 have no checksum: any value may stand anywhere, and none ends in a traceback."""
    file = _bundle(tmp_path)
    record = {k: v for k, v in json.loads(file.read_text()).items() if k not in {"format", "sha256"}}
    file.write_text(json.dumps({**record, "format_version": 1, name: value}))
    with contextlib.suppress(EarnestError):
        read_bundle(file.parent)


@pytest.mark.parametrize("value", [None, 7, "x", [1], {"a": 1}, [{}], [{"index": 0}], -1, 1e300])
@pytest.mark.parametrize("name", ["shards", "n_catalogs", "radii", "data_hash", "catalogs_per_shard", "config"])
def test_old_manifests_with_other_kinds_of_values(tmp_path: Path, name: str, value: object):
    shutil.copytree(OLD / "set", tmp_path / "set")
    file = tmp_path / "set" / "manifest.json"
    file.write_text(json.dumps({**json.loads(file.read_text()), name: value}))
    with contextlib.suppress(EarnestError):
        CatalogSet.open(file.parent).validate()
