"""What a catalog set is meant to hold (the plan) and what it holds (the manifest)."""

import dataclasses
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, final

from earnest_common.errors import InputError, IntegrityError, VersionError
from earnest_common.run.records import RecordFormat
from earnest_common.schema import RADII_R500C, SCHEMA_VERSION

__all__ = ["FORMAT_VERSION", "MANIFEST_NAME", "PLAN_NAME", "Manifest", "Plan", "Shard", "read_manifest"]

FORMAT_VERSION = 2
_MOST_CATALOGS, _MOST_SHARDS = 1_000_000_000, 1_000_000
MANIFEST_NAME = "manifest.json"
PLAN_NAME = "plan.json"
_REMEDY = "make or copy the set again"
_TABLES = {"catalogs", "clusters"}


def _is_old(record: Mapping[str, Any]) -> bool:
    return record.get("format_version") == 1 and "format" not in record


_MANIFEST = RecordFormat(
    name="earnest-catalog-set", version=FORMAT_VERSION, what="manifest", remedy=_REMEDY, is_old=_is_old
)
_PLAN = RecordFormat(name="earnest-plan", version=FORMAT_VERSION, what="plan", remedy=_REMEDY, is_old=_is_old)


@final
@dataclass(frozen=True, kw_only=True)
class Plan:
    """What a catalog set is made of, fixed before its first shard.

    Attributes
    ----------
    kind
        ``"mock"``, ``"simulation"`` or ``"observed"``.
    preset
        Survey preset, or the name of the source.
    seed
        Seed of all random numbers, ``None`` where none were drawn.
    n_catalogs, catalogs_per_shard
        Size of the set and of a shard; catalog ids count from 0.
    config, cosmology, inputs, versions
        How it was made: resolved configuration, cosmology, hashes of input files, package versions.
    base_sample
        Scaling relations and residuals of the base sample of mocks
        (``earnest_common.catalogs.base_relations``); empty for other sets and for those of release 0.1.0.
    radii
        Radii of the gas profiles in units of R_500c.
    synthetic
        What the data emulate, in words; ``None`` if nothing in them is emulated.
    """

    kind: str
    preset: str
    seed: int | None
    n_catalogs: int
    catalogs_per_shard: int = 512
    config: Mapping[str, Any] = field(default_factory=dict)
    cosmology: Mapping[str, Any] = field(default_factory=dict)
    radii: tuple[float, ...] = RADII_R500C
    synthetic: str | None = None
    inputs: Mapping[str, str] = field(default_factory=dict)
    versions: Mapping[str, str] = field(default_factory=dict)
    base_sample: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.n_catalogs < 1 or self.catalogs_per_shard < 1:
            raise InputError(
                f"a catalog set needs at least one catalog and one per shard; found n_catalogs {self.n_catalogs}, "
                f"catalogs_per_shard {self.catalogs_per_shard}"
            )
        if self.n_catalogs > _MOST_CATALOGS or self.n_shards > _MOST_SHARDS:
            raise InputError(
                f"{self.n_catalogs:,} catalogs in {self.n_shards:,} shards are more than a set holds: at most "
                f"{_MOST_CATALOGS:,} in {_MOST_SHARDS:,}; make several sets of other seeds, or larger shards"
            )

    @property
    def n_shards(self) -> int:
        """The number of shards."""
        return -(-self.n_catalogs // self.catalogs_per_shard)

    def catalog_ids(self, shard: int) -> range:
        """Return the ids of the catalogs in a shard."""
        first = shard * self.catalogs_per_shard
        return range(first, min(first + self.catalogs_per_shard, self.n_catalogs))

    def differences(self, other: "Plan") -> list[str]:
        """Return the fields in which another plan asks for other data; versions do not count."""
        mine, theirs = _plain(self), _plain(other)
        return [
            f"{name} is {_short(mine[name])}, not {_short(theirs[name])}"
            for name in mine
            if name != "versions" and mine[name] != theirs[name]
        ]


@final
@dataclass(frozen=True, kw_only=True)
class Shard:
    """One written shard: sizes and checksums of its two files."""

    index: int
    n_catalogs: int
    n_clusters: int
    sha256: Mapping[str, str]
    n_bytes: Mapping[str, int]


@final
@dataclass(frozen=True, kw_only=True)
class Manifest:
    """A finished catalog set: the plan and its shards."""

    plan: Plan
    shards: tuple[Shard, ...]
    format_version: int = FORMAT_VERSION
    schema_version: int = SCHEMA_VERSION

    @property
    def n_clusters(self) -> int:
        """The number of clusters in the set."""
        return sum(shard.n_clusters for shard in self.shards)

    @property
    def data_hash(self) -> str:
        """SHA-256 over the checksums of all shards: equal for equal data written by equal versions."""
        text = json.dumps([dict(shard.sha256) for shard in self.shards], sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()

    def to_json(self) -> str:
        """Return the text of ``manifest.json``."""
        record = {
            "schema_version": self.schema_version,
            "data_hash": self.data_hash,
            **_plain(self.plan),
            "n_clusters": self.n_clusters,
            "shards": [dataclasses.asdict(shard) for shard in self.shards],
        }
        return _MANIFEST.text(record)


def plan_to_json(plan: Plan) -> str:
    """Return the text of ``plan.json``."""
    return _PLAN.text({"schema_version": SCHEMA_VERSION, **_plain(plan)})


def read_plan(path: Path) -> Plan:
    """Return the plan in a ``plan.json`` after checking its versions and its checksum.

    Raises
    ------
    VersionError
        If it was written in a newer format.
    IntegrityError
        If it cannot be read.
    """
    return _plan(path, _read_record(path, _PLAN))


def read_manifest(folder: Path) -> Manifest:
    """Return the manifest of a finished catalog set.

    Raises
    ------
    InputError
        If the folder is not a catalog set, or an unfinished one.
    VersionError
        If it was written in a newer format or schema.
    IntegrityError
        If the manifest is damaged.
    """
    path = folder / MANIFEST_NAME
    if not path.is_file():
        if (folder / PLAN_NAME).is_file():
            raise InputError(f"catalog set {folder} is unfinished; run the command that makes it again to go on")
        raise InputError(f"{folder} is not a catalog set: it has no {MANIFEST_NAME}")
    record = _read_record(path, _MANIFEST)
    try:
        shards = tuple(Shard(**shard) for shard in record["shards"])
        recorded = record["data_hash"]
        if any({*shard.sha256} != _TABLES or {*shard.n_bytes} != _TABLES for shard in shards):
            raise TypeError(f"a shard has the files {' and '.join(sorted(_TABLES))}")  # noqa: TRY301 - one message
    except (KeyError, TypeError) as error:
        raise IntegrityError(f"{path} is damaged ({error}); {_REMEDY}") from error
    manifest = Manifest(plan=_plan(path, record), shards=shards, format_version=record["format_version"])
    expected = [(index, len(manifest.plan.catalog_ids(index))) for index in range(manifest.plan.n_shards)]
    if [(shard.index, shard.n_catalogs) for shard in shards] != expected:
        raise IntegrityError(f"{path} is damaged (its shards are not those of its plan); {_REMEDY}")
    if manifest.data_hash != recorded:
        raise IntegrityError(f"{path} is damaged (data_hash does not match its shards); {_REMEDY}")
    return manifest


def _read_record(path: Path, kind: RecordFormat) -> dict[str, Any]:
    record = kind.read(path)
    try:
        found = int(record["schema_version"])
    except (ValueError, KeyError, TypeError) as error:
        raise IntegrityError(f"{path} is damaged ({error}); {_REMEDY}") from error
    if found > SCHEMA_VERSION:
        raise VersionError.unsupported(path, "schema_version", found=found, supported=SCHEMA_VERSION)
    return record


def _plan(path: Path, record: dict[str, Any]) -> Plan:
    try:
        since_later: dict[str, Any] = {"base_sample": {}}
        values = {f.name: {**since_later, **record}[f.name] for f in dataclasses.fields(Plan)}
        if not all(isinstance(values[name], int) for name in ("n_catalogs", "catalogs_per_shard")):
            raise TypeError("its sizes are no whole numbers")  # noqa: TRY301 - one message
        return Plan(**{**values, "radii": tuple(values["radii"])})
    except KeyError as error:
        raise IntegrityError(f"{path} is damaged (it lacks {error}); {_REMEDY}") from error
    except TypeError as error:
        raise IntegrityError(f"{path} is damaged ({error}); {_REMEDY}") from error


def _plain(plan: Plan) -> dict[str, Any]:
    """Return the plan as JSON gives it back, so that plans compare equal after a round trip."""
    plain: dict[str, Any] = json.loads(json.dumps(dataclasses.asdict(plan)))
    return plain


def _short(value: object) -> str:
    text = str(value)
    return text if len(text) <= 60 else f"{text[:57]}..."
