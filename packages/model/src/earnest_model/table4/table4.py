"""Table 4 of the paper, measured anew: sigma8 from everything, and from ever less."""

import dataclasses
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, final

import numpy as np
from earnest_common.catalogs.variants import view
from earnest_common.errors import InputError
from earnest_common.plugins import load_estimator
from earnest_common.run.config import as_mapping
from earnest_common.run.files import write_atomic
from earnest_common.run.parts import claim
from earnest_common.run.records import PART
from earnest_common.schema import RADII_R500C

from earnest_model.data.features import refuse_unusable
from earnest_model.evaluation.accuracy import accuracy
from earnest_model.evaluation.counting import fit_counts
from earnest_model.evaluation.labelled_predictions import LabelledPredictions, Predicts, predict_labelled, true_sigma8
from earnest_model.networks import architecture
from earnest_model.table4.test_catalogs import HeldOut
from earnest_model.training.seeds import Training, run_all, train_or_reuse

__all__ = ["CASES", "Case", "table4"]

_MEDIAN = ("median_y_x",)  # what a package that offers limits calls the number of clusters with their median Y_X
_SHOWN = ("scatter", "scatter_err", "bias", "skill", "coverage_68", "coverage_95")


@final
@dataclass(frozen=True, kw_only=True)
class Case:
    """One row of the table.

    Attributes
    ----------
    title
        Its name in the paper.
    paper
        The paper's scatter and its error, where it has the row.
    variant
        How the network sees the catalogs, one of ``VARIANTS``; ``None``: without a network.
    """

    title: str
    paper: tuple[float, float]
    variant: str | None


CASES: Mapping[str, Case] = {
    "standard": Case(title="Standard", paper=(0.0212, 0.0009), variant="standard"),
    "shuffled": Case(title="Shuffled", paper=(0.0262, 0.0011), variant="shuffled"),
    "no_wl": Case(title="No WL", paper=(0.0297, 0.0013), variant="no-wl"),
    "no_wl_missing": Case(title="No WL, Standard's network", paper=(0.0297, 0.0013), variant="no-wl"),
    "n_only": Case(title="N, binned regression", paper=(0.0650, 0.0030), variant=None),
    "ones": Case(title="Array of ones", paper=(0.0620, 0.0027), variant="ones"),
}
"""The rows, with the numbers of arXiv:2112.05768, table 4."""


@final
@dataclass(frozen=True, kw_only=True)
class _Job:
    """One training, or one regression, and the rows that it answers."""

    training: Training
    cases: tuple[str, ...]
    held_out: HeldOut

    @property
    def record(self) -> Path:
        return self.training.out.with_name(f"{self.training.out.name}.json")


def table4(
    training: Training,
    held_out: HeldOut,
    *,
    n_seeds: int = 3,
    workers: int = 1,
    executor: str | None = None,
) -> dict[str, Any]:
    """Train and evaluate every row with several seeds; called again it goes on, also with more seeds.

    A network for which the order of clusters cannot matter is not trained on shuffled catalogs: the Standard one is
    evaluated on them. One that answers catalogs without M_WL is evaluated on those too.

    Parameters
    ----------
    training
        The Standard training with the first seed; ``out`` is the folder for bundles, records and the table.
    held_out
        Catalogs on which all rows are evaluated.
    n_seeds
        Trainings of each row.
    workers, executor
        See :func:`earnest_common.run.executors.open_executor`.

    Returns
    -------
    The table: its rows by name, and what they have in common.

    Raises
    ------
    OutputExistsError
        If ``out`` is taken by something else.
    InputError
        If the configuration or the catalogs cannot be used, or ``out`` holds another table.
    """
    _begin(training, held_out)
    jobs = [job for seed in range(n_seeds) for job in _jobs(training, held_out, training.config.seed + seed)]
    records = run_all(_run, jobs, workers=workers, executor=executor, tell=_told)
    table = _assembled(training, held_out, records)
    write_atomic(training.out / "table4.json", json.dumps(table, indent=1) + "\n")
    return table


def _begin(training: Training, held_out: HeldOut) -> None:
    """Claim the folder for this table, whatever the number of seeds."""
    architecture(training.config.architecture)  # a wrong name is refused before anything is made
    plan = {
        "config": as_mapping(training.config),
        "catalogs": training.feed().identity(),
        "held_out": held_out.identity(),
    }
    _refuse_unusable(training, held_out)
    claim(training.out, plan, what="a table")


def _refuse_unusable(training: Training, held_out: HeldOut) -> None:
    """Refuse a set that some row could not be evaluated on, before anything is trained."""
    if held_out.catalog_set is None:
        return
    features, n = training.config.features(training.feed().radii), 0
    for batch in held_out.batches():
        if batch.n_catalogs:
            true_sigma8(batch)
            refuse_unusable(batch, features)
        n += batch.n_catalogs
    if not n:
        part = f" of split '{held_out.split}'" if held_out.split else ""
        raise InputError(
            f"catalog set {held_out.catalog_set} has no catalogs{part} to evaluate; name others with --test"
        )


def _jobs(training: Training, held_out: HeldOut, seed: int) -> list[_Job]:
    ordered = architecture(training.config.architecture).ordered
    networks: list[tuple[str, ...]] = [("standard",), ("shuffled",)] if ordered else [("standard", "shuffled")]
    if training.config.features(RADII_R500C).optional:  # the same network answers catalogs without a column
        networks[0] = (*networks[0], "no_wl_missing")
    return [
        _Job(training=_seen(training, names[0], seed), cases=names, held_out=held_out)
        for names in [*networks, ("no_wl",), ("n_only",), ("ones",)]
    ]


def _seen(training: Training, case: str, seed: int) -> Training:
    """Return the training of one row and seed; a regression takes the fixed catalogs of recipe ``paper``."""
    variant, recipe = CASES[case].variant, training.config.recipe
    config = dataclasses.replace(
        training.config, seed=seed, variant=variant or "standard", recipe=recipe if variant else "paper"
    )
    return dataclasses.replace(training, config=config, out=training.out / f"{case}-{seed}")


def _run(job: _Job) -> dict[str, Any]:
    """Return what one job found, now or before."""
    if not job.record.is_file():
        write_atomic(job.record, PART.text(_measured(job)))
    return PART.content(job.record)


def _measured(job: _Job) -> dict[str, Any]:
    model = _model(job)
    found = {case: _estimated(model, job.held_out, CASES[case].variant) for case in job.cases}
    record: dict[str, Any] = {case: accuracy(one).to_dict() for case, one in found.items()}
    record["seed"] = job.training.config.seed
    if "shuffled" in found and "standard" in found:
        record["largest_change"] = float(np.abs(found["shuffled"].sigma8 - found["standard"].sigma8).max())
    return record


def _model(job: _Job) -> Predicts:
    if CASES[job.cases[0]].variant is not None:
        train_or_reuse(job.training)
        return load_estimator(job.training.out)
    sample = job.training.feed().sample()
    return fit_counts(np.diff(sample.row_splits), sample.label("sigma8").astype(np.float64))


def _estimated(model: Predicts, held_out: HeldOut, variant: str | None) -> LabelledPredictions:
    return predict_labelled(model, (view(batch, variant or "standard") for batch in held_out.batches()))


def _told(record: Mapping[str, Any]) -> str:
    rows = [f"{CASES[case].title} {record[case]['scatter']:.4f}" for case in CASES if case in record]
    prior = next(record[case]["prior_scatter"] for case in CASES if case in record)
    return f"seed {record['seed']}: scatter {', '.join(rows)} (prior {prior:.4f})"


def _assembled(training: Training, held_out: HeldOut, records: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    answered = [case for case in CASES if any(case in one for one in records)]
    rows = {case: _row(case, training, held_out, records) for case in answered}
    if median := held_out.limit(_MEDIAN):
        rows["n_median_y_x"] = {
            "title": "N and median Y_X",
            "n_catalogs": median.n_catalogs,
            "scatter": median.scatter,
            "scatter_err": median.scatter_err,
        }
    common = records[0]["standard"]
    first = {name: [one[name]["scatter"] for one in records if name in one] for name in ("standard", "shuffled")}
    changes = [one["largest_change"] for one in records if "largest_change" in one]
    return {
        "architecture": training.config.architecture,
        "recipe": training.config.recipe,
        "preset": held_out.preset,
        "synthetic": held_out.synthetic,
        "n_seeds": len(first["standard"]),
        "n_catalogs": common["n_catalogs"],
        "prior_scatter": common["prior_scatter"],
        "shuffled_over_standard": _ratio(float(np.mean(first["shuffled"])), float(np.mean(first["standard"]))),
        "largest_change_by_shuffling": max(changes) if changes else None,
        "rows": rows,
    }


def _ratio(one: float, other: float) -> float | None:
    return one / other if other > 0 else None


def _mean_of(values: Sequence[float | None]) -> float | None:
    """Return the mean, ``None`` where a value is undefined."""
    known = [value for value in values if value is not None]
    return float(np.mean(known)) if len(known) == len(values) else None


def _row(case: str, training: Training, held_out: HeldOut, records: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Return one row: means over seeds, and the limit for what is known in it."""
    found = [one[case] for one in records if case in one]
    scatters = [one["scatter"] for one in found]
    row: dict[str, Any] = {
        "title": CASES[case].title,
        **dict(zip(("paper", "paper_err"), CASES[case].paper, strict=True)),
    }
    row |= {name: _mean_of([one[name] for one in found]) for name in _SHOWN}
    row |= {"by_seed": scatters, "spread": float(np.std(scatters, ddof=1)) if len(scatters) > 1 else None}
    if limit := held_out.limit(_known(case, training)):
        row |= {"limit": limit.scatter, "limit_err": limit.scatter_err, "efficiency": limit.efficiency(row["scatter"])}
        row["limit_without_grid"] = limit.without_grid
    return row


def _known(case: str, training: Training) -> tuple[str, ...]:
    """Return the columns that a row's estimates see and that say something."""
    if CASES[case].variant in (None, "ones"):
        return ()
    config = _seen(training, case, training.config.seed).config
    return config.features(RADII_R500C).columns
