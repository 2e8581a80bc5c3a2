"""The model bundle: a folder with the model's files, what it expects, checksums and a card for readers."""

import dataclasses
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, final

from earnest_common.errors import InputError, IntegrityError, VersionError
from earnest_common.files import atomic_folder, file_sha256
from earnest_common.schema import SCHEMA_VERSION

__all__ = ["BUNDLE_FORMAT_VERSION", "BundleDescription", "read_bundle", "write_bundle"]

BUNDLE_FORMAT_VERSION = 1
_DESCRIPTION = "bundle.json"


@final
@dataclass(frozen=True, kw_only=True)
class BundleDescription:
    """What must be known of a trained model before it is used.

    Attributes
    ----------
    estimator
        Name of the ``earnest.estimators`` entry point that loads the bundle.
    features, supplementary
        Cluster columns that feed the encoder and that join after it.
    radii
        Radii of the gas profiles in units of R_500c.
    scaling
        For each column the offset and width that map it to about [0, 1].
    prior
        Range of each label in the training catalogs.
    calibration
        Constants fitted on validation catalogs so that intervals cover what they say.
    training
        Recipe, seed, data hash or source, and the history's summary.
    versions
        Versions of the packages that made it.
    synthetic
        What the training data emulate; ``None`` if they are real or unknown.
    """

    estimator: str
    features: tuple[str, ...]
    supplementary: tuple[str, ...]
    radii: tuple[float, ...]
    scaling: Mapping[str, tuple[float, float]]
    prior: Mapping[str, tuple[float, float]]
    calibration: Mapping[str, Any] = field(default_factory=dict)
    training: Mapping[str, Any] = field(default_factory=dict)
    versions: Mapping[str, str] = field(default_factory=dict)
    synthetic: str | None = None
    schema_version: int = SCHEMA_VERSION
    format_version: int = BUNDLE_FORMAT_VERSION


def write_bundle(path: Path, description: BundleDescription, *, write_files: Callable[[Path], None], card: str) -> None:
    """Write a bundle folder that is whole or absent.

    Parameters
    ----------
    path
        The folder to make.
    description
        What the model expects.
    write_files
        Called with a folder; writes the model's own files into it.
    card
        The model card, Markdown.

    Raises
    ------
    OutputExistsError
        If ``path`` is taken.
    """
    with atomic_folder(path) as folder:
        write_files(folder)
        (folder / "README.md").write_text(card, encoding="utf-8")
        checksums = {str(p.relative_to(folder)): file_sha256(p) for p in sorted(folder.rglob("*")) if p.is_file()}
        record = {**dataclasses.asdict(description), "checksums": checksums}
        (folder / _DESCRIPTION).write_text(json.dumps(record, indent=2, sort_keys=True) + "\n", encoding="utf-8")


def read_bundle(path: Path) -> BundleDescription:
    """Return the description of a bundle after checking its versions and every file's checksum.

    Raises
    ------
    InputError
        If there is no bundle.
    VersionError
        If its format or schema is newer than this release.
    IntegrityError
        If a file is missing, cut short or altered.
    """
    record = _read_record(path)
    for name, supported in (("format_version", BUNDLE_FORMAT_VERSION), ("schema_version", SCHEMA_VERSION)):
        if record.get(name, 0) > supported:
            raise VersionError.unsupported(path / _DESCRIPTION, name, found=record[name], supported=supported)
    damaged = [name for name, expected in record.pop("checksums", {}).items() if not _matches(path / name, expected)]
    if damaged:
        raise IntegrityError(f"bundle {path}: {', '.join(damaged)} missing or altered; copy or train the bundle again")
    return _description(path, record)


def _description(path: Path, record: dict[str, Any]) -> BundleDescription:
    known = {f.name for f in dataclasses.fields(BundleDescription)}
    required = {"estimator", "features", "supplementary", "radii", "scaling", "prior"}
    if missing := required - record.keys():
        raise IntegrityError(
            f"bundle {path}: {_DESCRIPTION} lacks {', '.join(sorted(missing))}; train the bundle again"
        )
    values = {name: value for name, value in record.items() if name in known}
    for name in ("features", "supplementary", "radii"):
        values[name] = tuple(values[name])
    for name in ("scaling", "prior"):
        values[name] = {key: (float(low), float(high)) for key, (low, high) in values[name].items()}
    return BundleDescription(**values)


def _read_record(path: Path) -> dict[str, Any]:
    file = path / _DESCRIPTION
    if not file.is_file():
        raise InputError(f"{path} is not a model bundle: it has no {_DESCRIPTION}; make one with: earnest model train")
    try:
        record = json.loads(file.read_text(encoding="utf-8"))
    except (ValueError, OSError) as error:
        raise IntegrityError(
            f"bundle {path}: {_DESCRIPTION} cannot be read ({error}); copy the bundle again"
        ) from error
    if not isinstance(record, dict):
        raise IntegrityError(f"bundle {path}: {_DESCRIPTION} is not a JSON object; copy the bundle again")
    return record


def _matches(file: Path, expected: str) -> bool:
    return file.is_file() and file_sha256(file) == expected
