"""What every command begins with: a model, a bounded sample of a catalog set, and the record of both."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any, final

from earnest_common.catalogs import CatalogSet
from earnest_common.errors import InputError
from earnest_common.plugins import load_estimator
from earnest_common.protocols import Estimator
from earnest_common.run.config import as_mapping, load_config
from earnest_common.run.files import file_sha256
from earnest_common.run.parts import Outputs
from earnest_common.run.provenance import synthetic_note

from earnest_interpret.answers.report import record_of
from earnest_interpret.page.interpretation import InterpretConfig
from earnest_interpret.responses.responses import Responses
from earnest_interpret.sample import ALL, Sample, read_sample
from earnest_interpret.words import enumerate_words, name_of

__all__ = ["Inputs", "open_inputs"]


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

    @cached_property
    def responses(self) -> Responses:
        """What the model answers to the sample."""
        return Responses(estimator=self.estimator, batch=self.sample.batch, max_rows=self.config.max_rows)

    @property
    def synthetic(self) -> str | None:
        """What is emulated in the catalogs and in the training; ``None`` if nothing is."""
        return synthetic_note(catalogs=self.sample.synthetic, training=self.estimator.description.synthetic)


def open_inputs(
    catalog_set: Path,
    model: Path,
    *,
    config: Path | None = None,
    options: Mapping[str, Any] | None = None,
    outputs: Iterable[Path | None] = (),
    settings: Mapping[str, Any] | None = None,
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
    settings
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
        **(settings or {}),
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
        provenance=record_of(resolved, opened, estimator, paths),
        also=tuple(one for name, one in models.items() if name.startswith("also")),
        compare=other,
        compare_name=_difference(estimator, other, compare.name) if other and compare else "",
        outputs=written,
    )


def _difference(estimator: Estimator, other: Estimator, name: str) -> str:
    """Return what another model is called: after the columns it lacks, else after its folder."""
    here, there = estimator.description, other.description
    lacking = [c for c in (*here.features, *here.supplementary) if c not in (*there.features, *there.supplementary)]
    return f"the model without {enumerate_words([name_of(c) for c in lacking])}" if lacking else f"model {name}"


def _other_radii(estimator: Estimator, opened: CatalogSet) -> str:
    wanted, found = tuple(estimator.description.radii), tuple(opened.manifest.plan.radii)
    if len(wanted) == len(found) and all(abs(a - b) < 1e-6 * b for a, b in zip(wanted, found, strict=True)):
        return ""
    return (
        f"the model expects gas profiles at the radii {wanted} R_500c, the set {opened.path} has {found}; "
        "use a set and a model of the same radii"
    )
