"""The model bundle: a folder with the model's files, what it expects, checksums and a card for readers."""

import dataclasses
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, final

from earnest_common.errors import InputError, IntegrityError, VersionError
from earnest_common.run.files import atomic_folder, encoded, file_sha256
from earnest_common.run.records import RecordFormat
from earnest_common.schema import SCHEMA_VERSION

__all__ = ["BUNDLE_FORMAT_VERSION", "BundleDescription", "read_bundle", "write_bundle"]

BUNDLE_FORMAT_VERSION = 3
_DESCRIPTION = "bundle.json"
_REMEDY = "copy or train the bundle again"
_RECORD = RecordFormat(
    name="earnest-bundle",
    version=BUNDLE_FORMAT_VERSION,
    what="bundle record",
    remedy=_REMEDY,
    is_old=lambda record: record.get("format_version") == 1 and "format" not in record,
)


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
    optional
        Supplementary columns that catalogs may lack.
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
    optional: tuple[str, ...] = ()
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
        Called with a folder; writes the model's own files into it, without folders in it.
    card
        The model card, Markdown.

    Raises
    ------
    OutputExistsError
        If ``path`` is taken.
    """
    with atomic_folder(path) as folder:
        write_files(folder)
        (folder / "README.md").write_bytes(encoded(card))
        checksums = {file.name: file_sha256(file) for file in sorted(folder.iterdir())}
        record = {**dataclasses.asdict(description), "checksums": checksums}
        (folder / _DESCRIPTION).write_bytes(encoded(_RECORD.text(record)))


def read_bundle(path: Path) -> BundleDescription:
    """Return the description of a bundle after checking its versions and every file's checksum.

    Raises
    ------
    InputError
        If there is no bundle.
    VersionError
        If its format or schema is newer than this release.
    IntegrityError
        If the record or a file is missing, cut short or altered, or a file is there that the record does not list.
    """
    file = path / _DESCRIPTION
    if not file.is_file():
        raise InputError(f"{path} is not a model bundle: it has no {_DESCRIPTION}; make one with: earnest model train")
    record = _RECORD.read(file)
    if not isinstance(version := record.get("schema_version", 0), int):
        raise IntegrityError(f"bundle {path}: schema_version of {_DESCRIPTION} is {version!r}, no number; {_REMEDY}")
    if version > SCHEMA_VERSION:
        raise VersionError.unsupported(file, "schema_version", found=version, supported=SCHEMA_VERSION)
    _check_files(path, record.get("checksums"))
    return _description(path, record)


def _check_files(path: Path, checksums: object) -> None:
    """Raise an error unless the bundle holds exactly the listed files, by plain names, each with its checksum."""
    if not isinstance(checksums, dict) or not checksums:
        raise IntegrityError(f"bundle {path}: {_DESCRIPTION} lists no checksums, so nothing can be trusted; {_REMEDY}")
    if outside := [name for name in checksums if name in {"", ".", ".."} or set(name) & set("/\\\0")]:
        raise IntegrityError(
            f"bundle {path}: {_DESCRIPTION} lists {', '.join(map(repr, outside))}; only plain names of files in the "
            f"bundle are allowed; {_REMEDY}"
        )
    damaged = [name for name, expected in checksums.items() if not _matches(path / name, expected)]
    if damaged:
        raise IntegrityError(f"bundle {path}: {', '.join(damaged)} missing or altered (links do not count); {_REMEDY}")
    there = {file.name for file in path.iterdir() if not file.name.startswith(".")} - {_DESCRIPTION}
    if unlisted := sorted(there - checksums.keys()):
        raise IntegrityError(
            f"bundle {path}: {_DESCRIPTION} does not list {', '.join(unlisted)}; move what is not of the "
            f"model elsewhere, else {_REMEDY}"
        )


def _description(path: Path, record: dict[str, Any]) -> BundleDescription:
    known = {f.name for f in dataclasses.fields(BundleDescription)}
    required = {"estimator", "features", "supplementary", "radii", "scaling", "prior"}
    if missing := required - record.keys():
        raise IntegrityError(
            f"bundle {path}: {_DESCRIPTION} lacks {', '.join(sorted(missing))}; train the bundle again"
        )
    try:
        values = {name: value for name, value in record.items() if name in known}
        for name in ("features", "supplementary", "radii", "optional"):
            values[name] = tuple(values.get(name, ()))
        for name in ("scaling", "prior"):
            values[name] = {key: (float(low), float(high)) for key, (low, high) in values[name].items()}
        values["training"] = dict(values.get("training", {}))
        return BundleDescription(**values)
    except (TypeError, ValueError, AttributeError) as error:
        raise IntegrityError(
            f"bundle {path}: {_DESCRIPTION} holds other kinds of values ({error}); {_REMEDY}"
        ) from error


def _matches(file: Path, expected: object) -> bool:
    return file.is_file() and not file.is_symlink() and file_sha256(file) == expected
