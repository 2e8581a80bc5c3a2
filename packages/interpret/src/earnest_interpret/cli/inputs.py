"""What every command begins with: a model, a bounded sample of a catalog set, and the record of both."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, final

from earnest_common.catalogs import CatalogSet
from earnest_common.errors import InputError
from earnest_common.plugins import load_estimator
from earnest_common.protocols import Estimator
from earnest_common.run.config import as_mapping, load_config
from earnest_common.run.files import file_sha256
from earnest_common.run.parts import Outputs
from earnest_common.run.provenance import emulated, provenance

from earnest_interpret.page.interpretation import InterpretConfig
from earnest_interpret.sample import ALL, Sample, read_sample
from earnest_interpret.words import joined, plain

__all__ = ["Inputs", "model_in_words", "open_inputs"]


@final
@dataclass(frozen=True, kw_only=True)
class Inputs:
    """A model and the catalogs it is interpreted on.

    Attributes
    ----------
    estimator
        The model.
    sample
        The catalogs.
    config
        The resolved configuration, with the split that was read.
    provenance
        Configuration, seed, versions and hashes of both, for what is written.
    also
        Other trainings of the model.
    compare, compare_name
        Another model, and how it is called.
    outputs
        The files that will be written.
    """

    estimator: Estimator
    sample: Sample
    config: InterpretConfig
    provenance: Mapping[str, Any]
    also: tuple[Estimator, ...] = ()
    compare: Estimator | None = None
    compare_name: str = ""
    outputs: Outputs = field(default_factory=lambda: Outputs((), {}))

    @property
    def synthetic(self) -> str | None:
        """What is emulated in the catalogs and in the training; ``None`` if nothing is."""
        return emulated(catalogs=self.sample.synthetic, training=self.estimator.description.synthetic)


def open_inputs(
    catalog_set: Path,
    model: Path,
    *,
    config: Path | None = None,
    options: Mapping[str, Any] | None = None,
    outputs: Iterable[Path | None] = (),
    asked: Mapping[str, Any] | None = None,
    also: Sequence[Path] = (),
    compare: Path | None = None,
    check: Callable[[Sample], None] = lambda _: None,
) -> Inputs:
    """Return the model and the sample, after making sure that nothing would be overwritten.

    Parameters
    ----------
    catalog_set, model
        Folders of a catalog set and of a model bundle.
    config, options
        A TOML file, and command-line options that win over it, with fields of :class:`InterpretConfig`.
    outputs
        Files that will be written.
    asked
        What else determines them, ready for JSON.
    also
        Bundles of other trainings of the model.
    compare
        Bundle of another model.
    check
        Refuses a sample that would not do, before a model is loaded.

    Raises
    ------
    EarnestError
        If an output exists, or the set, the model or the configuration cannot be used together.
    """
    resolved = load_config(InterpretConfig, file=config, options=options)
    opened = CatalogSet.open(catalog_set)
    paths = {"model": model, **{f"also {n}": path for n, path in enumerate(also, start=2)}}
    paths |= {"compare": compare} if compare else {}
    files = {name: path / "bundle.json" for name, path in paths.items()}
    plan = {
        "config": as_mapping(resolved),
        "catalogs": opened.manifest.data_hash,
        "models": {name: file_sha256(file) for name, file in files.items() if file.is_file()},
        **(asked or {}),
    }
    written = Outputs.open(outputs, plan)
    sample = read_sample(opened, split=resolved.split, max_catalogs=resolved.max_catalogs, seed=resolved.seed)
    check(sample)
    resolved = replace(resolved, split=sample.split or ALL)
    models = {name: load_estimator(path) for name, path in paths.items()}
    for one in models.values():
        if missing := _other_radii(one, opened):
            raise InputError(missing)
    estimator, other = models["model"], models.get("compare")
    return Inputs(
        estimator=estimator,
        sample=sample,
        config=resolved,
        provenance=_record(resolved, opened, estimator, paths),
        also=tuple(one for name, one in models.items() if name.startswith("also")),
        compare=other,
        compare_name=_difference(estimator, other, compare.name) if other and compare else "",
        outputs=written,
    )


def _record(
    config: InterpretConfig, opened: CatalogSet, estimator: Estimator, bundles: Mapping[str, Path]
) -> dict[str, Any]:
    """Return the provenance of all that is found out, and how the catalogs and the model were made."""
    hashes = {name: file_sha256(path / "bundle.json") for name, path in bundles.items()}
    plan, description = opened.manifest.plan, estimator.description
    return {
        **provenance(
            config=as_mapping(config), seed=config.seed, inputs={"catalogs": opened.manifest.data_hash, **hashes}
        ),
        "synthetic": emulated(catalogs=plan.synthetic, training=description.synthetic),
        "catalogs": {"kind": plan.kind, "preset": plan.preset, "seed": plan.seed, "config": dict(plan.config)},
        "model": {
            "estimator": description.estimator,
            "features": list(description.features),
            "supplementary": list(description.supplementary),
            "synthetic": description.synthetic,
            "training": dict(description.training),
        },
    }


def _difference(estimator: Estimator, other: Estimator, name: str) -> str:
    """Return what another model is called: after the columns it lacks, else after its folder."""
    here, there = estimator.description, other.description
    lacking = [c for c in (*here.features, *here.supplementary) if c not in (*there.features, *there.supplementary)]
    return f"the model without {joined([plain(c) for c in lacking])}" if lacking else f"model {name}"


def _other_radii(estimator: Estimator, opened: CatalogSet) -> str:
    wanted, found = tuple(estimator.description.radii), tuple(opened.manifest.plan.radii)
    if len(wanted) == len(found) and all(abs(a - b) < 1e-6 * b for a, b in zip(wanted, found, strict=True)):
        return ""
    return (
        f"the model expects gas profiles at the radii {wanted} R_500c, the set {opened.path} has {found}; "
        "use a set and a model of the same radii"
    )


def model_in_words(estimator: Estimator) -> str:
    """Return what the model is and reads, for the head of a page.

    The architecture is taken from the training record where it is told.
    """
    description = estimator.description
    name = description.training.get("architecture", description.estimator)
    encoded = joined([plain(column) for column in description.features])
    added = joined([plain(column) for column in description.supplementary])
    reads = f"which encodes {encoded} of each cluster" if encoded else "which reads no column of the clusters"
    return f"The {name} model, {reads}{f' and adds {added}' if added else ''}"
