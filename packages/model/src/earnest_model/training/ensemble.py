"""Several trainings as one bundle: an ensemble whose distribution is the mean of its members'."""

import dataclasses
import json
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, final

from earnest_common.bundle import BundleDescription, read_bundle, write_bundle
from earnest_common.errors import OutputExistsError
from earnest_common.run.config import as_mapping
from earnest_common.run.files import named, refuse_existing, remove_folder, sweep
from earnest_common.run.parts import claim

from earnest_model.config import MAX_ROWS, TrainingConfig
from earnest_model.data.arrays import join
from earnest_model.data.training_data import AbstractFeed, MemberFeed
from earnest_model.networks import architecture
from earnest_model.training.bundles import bundle_of, headline
from earnest_model.training.checkpoint import HISTORY_NAME
from earnest_model.training.seeds import Training, run_all

__all__ = ["train_ensemble"]


@final
@dataclass(frozen=True, kw_only=True)
class _Member:
    """One member, ready to be sent to another process."""

    training: Training
    number: int
    out: Path

    @property
    def config(self) -> TrainingConfig:
        config = self.training.config
        return dataclasses.replace(config, seed=config.seed + self.number)


def train_ensemble(
    training: Training, n_members: int, *, workers: int = 1, executor: str | None = None
) -> dict[str, Any]:
    """Train several networks with seeds from that of the configuration on, and write them as one bundle.

    Members see other training catalogs, or the same in another order, and begin with other weights; they share scalings
    and validation catalogs, on which the mean of their distributions is calibrated. Finished members wait in the folder
    ``OUT.training``; the same call goes on from them.

    Parameters
    ----------
    training
        The first member; ``out`` is the bundle of all.
    n_members
        Number of networks, at least 2.
    workers, executor
        See :func:`earnest_common.run.executors.open_executor`.

    Returns
    -------
    The headline numbers of the ensemble.

    Raises
    ------
    OutputExistsError
        If ``out`` is taken by something else.
    InputError
        If the configuration or the catalogs cannot be used.
    """
    out, feed = training.out, training.feed()
    workspace = named(out).with_name(f"{out.name}.training")
    plan = {"config": as_mapping(training.config), "catalogs": feed.identity(), "n_members": n_members}
    if out.exists():
        return _existing(out, workspace, plan)
    refuse_existing(out)
    architecture(training.config.architecture)  # a wrong name is refused before TensorFlow is loaded
    sweep(workspace)
    claim(workspace, plan, what="an unfinished ensemble")
    jobs = [_Member(training=training, number=k, out=workspace / f"member-{k}") for k in range(n_members)]
    run_all(_train_member, jobs, workers=workers, executor=executor, tell=_told)
    description = _write(out, training.config, feed, [job.out for job in jobs])
    remove_folder(workspace)
    return headline(out, description)


def _existing(out: Path, workspace: Path, plan: dict[str, Any]) -> dict[str, Any]:
    """Return the headline numbers of an ensemble that this training has written before."""
    description = read_bundle(out)
    training = description.training
    there = {name: training.get(name) for name in ("config", "catalogs")}
    there["n_members"] = len(training.get("seeds", ()))
    if json.loads(json.dumps(plan)) != there:
        raise OutputExistsError(
            f"{out} is a bundle of another training and is not overwritten; choose another --out or remove it"
        )
    remove_folder(workspace)
    return headline(out, description)


def _train_member(member: _Member) -> dict[str, Any]:
    return bundle_of(member.config, MemberFeed(member.training.feed(), member.number), member.out)


def _told(numbers: dict[str, Any]) -> str:
    number = int(Path(numbers["path"]).name.rpartition("-")[2]) + 1
    return f"member {number}: validation scatter {numbers['validation_scatter']:.4f}"


def _write(out: Path, config: TrainingConfig, feed: AbstractFeed, members: Sequence[Path]) -> BundleDescription:
    """Write the bundle of all members, calibrated together."""
    from earnest_model.bundle.estimator import NETWORK_NAME, ask, load, network_names
    from earnest_model.bundle.golden import golden_catalogs, write_golden
    from earnest_model.training.card import model_card
    from earnest_model.training.loop import as_arrays
    from earnest_model.training.validation import validated

    loaded = [load(member) for member in members]
    first, networks = loaded[0].description, [one.network for one in loaded]
    features = config.features(feed.radii)
    arrays_of = as_arrays(config, features, first.scaling)
    arrays = join([arrays_of(part) for part in feed.validation() if part.n_catalogs])
    calibration, metrics = validated(ask(config.architecture, networks, MAX_ROWS), networks[0].head, arrays, features)
    records = [one.description.training["validation"] for one in loaded]
    totals = {name: sum(record[name] for record in records) for name in ("step", "seconds", "catalogs")}
    description = dataclasses.replace(
        first,
        calibration=calibration,
        training={
            **{name: first.training[name] for name in ("architecture", "recipe", "seed")},
            "seeds": [one.description.training["seed"] for one in loaded],
            "n_parameters": sum(one.description.training["n_parameters"] for one in loaded),
            "config": as_mapping(config),
            "catalogs": feed.identity(),
            "validation": {**totals, **metrics},
            "members": records,
        },
    )

    def write_files(folder: Path) -> None:
        for member, name, seed in zip(members, network_names(description), description.training["seeds"], strict=True):
            shutil.copyfile(member / NETWORK_NAME, folder / name)
            history = HISTORY_NAME if seed == config.seed else f"history-{seed}.jsonl"
            shutil.copyfile(member / HISTORY_NAME, folder / history)
        write_golden(folder, golden_catalogs(arrays, features), networks, description)

    write_bundle(out, description, write_files=write_files, card=model_card(description))
    return description
