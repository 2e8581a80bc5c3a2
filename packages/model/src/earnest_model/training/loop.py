"""Training: a loop over rounds of catalogs with early looks, checkpoints and exact resumption."""

import dataclasses
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, final

import numpy as np
import numpy.typing as npt
from earnest_common.catalogs.batch import CatalogBatch
from earnest_common.catalogs.variants import view
from earnest_common.errors import InputError
from earnest_common.run.config import as_mapping
from earnest_common.run.files import remove_folder
from earnest_common.run.progress import AbstractProgress, progress
from earnest_common.run.seeds import Stage, generator

from earnest_model.bundle.golden import golden_catalogs
from earnest_model.config import MAX_ROWS, TrainingConfig
from earnest_model.data.arrays import Arrays, join
from earnest_model.data.features import FeatureSet, Scaling, fit_scaling, log_mass_of, to_arrays
from earnest_model.data.missing import withhold
from earnest_model.data.training_data import AbstractFeed, ahead
from earnest_model.networks import architecture
from earnest_model.networks.backend import out_of_memory_as, own_defaults
from earnest_model.networks.protocol import Network
from earnest_model.networks.queries import AbstractInference
from earnest_model.training.checkpoint import Checkpoint, Workspace
from earnest_model.training.memory import refuse_too_large
from earnest_model.training.recipes import AbstractRecipe, recipe
from earnest_model.training.steps import compiled_step, open_strategy
from earnest_model.training.validation import quality, validated

__all__ = ["TrainingResult", "as_arrays", "train"]


@final
@dataclass(frozen=True, kw_only=True)
class TrainingResult:
    """A trained network and what is known of it.

    Attributes
    ----------
    network
        The network with the weights of its best look.
    features, scaling
        Its inputs.
    calibration
        Constants with which its intervals cover what they say.
    prior
        Range of each label in the training catalogs.
    validation
        Accuracy on all validation catalogs, see ``validation.validation_metrics``, and after
        how many steps (``kept_step``) it was the best.
    history
        One record per look at some of the validation catalogs.
    golden
        A few validation catalogs as the network sees them.
    """

    network: Network
    features: FeatureSet
    scaling: Scaling
    calibration: Mapping[str, float]
    prior: Mapping[str, tuple[float, float]]
    validation: Mapping[str, float]
    history: tuple[Mapping[str, Any], ...]
    golden: Arrays


def train(config: TrainingConfig, feed: AbstractFeed, *, workspace: Path) -> TrainingResult:
    """Train a network.

    With a budget of steps the result depends on configuration and catalogs alone, also when the training was
    interrupted and taken up again. The folder ``workspace`` holds its checkpoints and is left to the caller.

    Parameters
    ----------
    config
        All choices.
    feed
        Where the catalogs come from.
    workspace
        Folder of the checkpoints; a training of the same plan that was interrupted there goes on.

    Raises
    ------
    InputError
        If architecture, recipe, columns or catalogs cannot be used, or the time is over before the first step.
    """
    kind = architecture(config.architecture)
    begun = time.monotonic()
    features = config.features(feed.radii)
    refuse = partial(
        refuse_too_large, config, feed.load, n_inputs=len(features.names) + len(features.supplementary_names)
    )
    refuse(steps=False)
    way = recipe(config, peak=kind.learning_rate(config), n_training=feed.n_training)
    sample = view(feed.sample(), config.variant)
    scaling = fit_scaling(sample, features)
    strategy = open_strategy(config.devices)
    with strategy.scope():
        network = kind.build(config, to_arrays(sample, features, scaling, labels=config.labels))
    held_in = Workspace(workspace)
    held = held_in.peek()
    refuse(network=network, steps=held is None or way.share(held, held.seconds) < 1)

    arrays_of = as_arrays(config, features, scaling)
    validation = join([arrays_of(part) for part in feed.validation() if part.n_catalogs])
    inference = kind.ask(network, MAX_ROWS)
    run = _Run(way, network, strategy, config=config, inference=inference, validation=validation, workspace=held_in)
    run.restore({"config": as_mapping(config), "catalogs": feed.identity()}, begun=begun)
    run.loop(feed, arrays_of)
    _orient(network, inference, validation.take(np.arange(min(way.n_look, validation.n_catalogs))))
    calibration, metrics = validated(inference, network.head, validation, features)
    return TrainingResult(
        network=network,
        features=features,
        scaling=scaling,
        calibration=calibration,
        prior=_label_ranges(sample),
        validation={"kept_step": run.kept["step"], **metrics},
        history=run.state.history,
        golden=golden_catalogs(validation, features),
    )


def as_arrays(config: TrainingConfig, features: FeatureSet, scaling: Scaling) -> Callable[[CatalogBatch], Arrays]:
    """Return the function that makes network inputs of catalogs, with the masses to which terse values are anchored.

    Parameters
    ----------
    config
        Variant, labels and anchor.
    features, scaling
        Inputs of the network.
    """

    def arrays_of(batch: CatalogBatch) -> Arrays:
        seen = to_arrays(view(batch, config.variant), features, scaling, labels=config.labels)
        if config.anchor:
            seen = dataclasses.replace(seen, log_mass=log_mass_of(batch))
        return seen

    return arrays_of


def _orient(network: Network, inference: AbstractInference, arrays: Arrays) -> None:
    """Give the terse value the sign with which it grows with the first encoder input; predictions stay."""
    if np.cov(inference.terse(arrays), arrays.encoder[:, 0])[0, 1] < 0:
        network.flip()


@final
class _Run:
    """One training on its way: the network, its optimiser and how far it is."""

    def __init__(
        self,
        way: AbstractRecipe,
        network: Network,
        strategy: Any,  # noqa: ANN401 - TensorFlow has no useful static types
        *,
        config: TrainingConfig,
        inference: AbstractInference,
        validation: Arrays,
        workspace: Workspace,
    ) -> None:
        self._seed, self._missing = config.seed, config.missing
        self.recipe, self.network, self.inference, self.workspace = way, network, inference, workspace
        self._seen = validation.take(np.arange(min(way.n_look, validation.n_catalogs)))
        with strategy.scope(), own_defaults():
            self.optimizer = way.optimizer(strategy.num_replicas_in_sync)
            self.optimizer.build(network.trainable_variables)
        self.state = Checkpoint()
        self._step = compiled_step(network, self.optimizer, strategy, anchor=config.anchor)
        self._clock_start = self._saved_at = time.monotonic()

    def restore(self, plan: Mapping[str, Any], *, begun: float) -> None:
        """Go on from a checkpoint of the same plan, if there is one."""
        self._clock_start = self._saved_at = begun
        if found := self.workspace.open(plan):
            self.state = found
            for variables, values in (
                (self.network.variables, found.weights),
                (self.optimizer.variables, found.optimizer),
            ):
                for variable, value in zip(variables, values, strict=True):
                    variable.assign(value)
            self._clock_start -= found.seconds

    def loop(self, feed: AbstractFeed, arrays_of: Callable[[CatalogBatch], Arrays]) -> None:
        """Train until the budget is used, then keep the weights of the best look."""
        with progress(self.recipe.units, "training", seconds_between_lines=5.0) as bar:
            bar.advance(self._units_done())
            if self._share() < 1:
                for arrays in ahead(feed.rounds(self.state.round, arrays_of)):
                    self._round(arrays, bar)
                    if self._share() >= 1:
                        break
        self._refuse_untrained()
        self._look_if_due()
        self.network.set_weights(list(self.state.best))

    @property
    def kept(self) -> Mapping[str, Any]:
        """The look whose weights are kept."""
        return min(self.state.history, key=self.recipe.score)

    def _refuse_untrained(self) -> None:
        if not self.state.step:
            remove_folder(self.workspace.path)  # there is no checkpoint, and a larger budget is another plan
            raise InputError(
                "the time was over before the first step: making the first catalogs and building the network "
                f"took {time.monotonic() - self._clock_start:.0f} s and count; raise --max-seconds"
            )

    def _round(self, arrays: Arrays, bar: AbstractProgress) -> None:
        for batch in self.recipe.batches(arrays, self.state.round):
            before = self._units_done()
            self._advance(batch)
            bar.advance(self._units_done() - before, self._note())
            self._look_if_due()
            if self._share() >= 1:
                break
        self.state = dataclasses.replace(self.state, round=self.state.round + 1)
        if time.monotonic() - self._saved_at > self.recipe.checkpoint_seconds or self._share() >= 1:
            self.save()

    def _advance(self, batch: Arrays) -> None:
        if self._missing:
            rng = generator(self._seed, Stage.WITHHOLDING, self.state.step)
            batch = withhold(batch, self._missing, rng)
        rate = self.recipe.learning_rate(self._share())
        targets = self.network.head.targets(batch.labels).astype(np.float32)
        with out_of_memory_as(
            f"memory ran out in step {self.state.step} ({batch.n_catalogs} catalogs, {len(batch.encoder):,} clusters); "
            "with more free memory the same command goes on from its last checkpoint, with a smaller batch_catalogs "
            "(--config FILE.toml) another --out begins anew"
        ):
            found = self._step(batch.inputs, targets, batch.log_mass, np.float32(rate))
            loss, squared_error = found.numpy().tolist()
        if not np.isfinite(loss):
            raise InputError(f"training diverged at step {self.state.step}; lower learning_rate ({rate:.2g} there)")
        n, total, squares = self.state.since_look
        m = batch.n_catalogs
        self.state = dataclasses.replace(
            self.state,
            step=self.state.step + 1,
            catalogs=self.state.catalogs + m,
            seconds=time.monotonic() - self._clock_start,
            since_look=(n + m, total + m * loss, squares + m * squared_error),
        )

    def _look_if_due(self) -> None:
        number = self.recipe.looks_due(self._share())
        if number > (self.state.history[-1]["look"] if self.state.history else 0):
            self._look(number)

    def _look(self, number: int) -> None:
        """Measure loss and scatter of validation catalogs, and keep the weights if they are the best so far."""
        record = {
            "look": number,
            "step": self.state.step,
            "seconds": round(self.state.seconds, 2),
            "catalogs": self.state.catalogs,
            **self._training_means(),
            **quality(self.network.head, self.inference.outputs(self._seen), self._seen.labels),
            "learning_rate": self.recipe.learning_rate(self._share()),
        }
        score = self.recipe.score(record)
        better = score < self.state.best_score
        self.state = dataclasses.replace(
            self.state,
            best=tuple(self.network.get_weights()) if better else self.state.best,
            best_score=min(score, self.state.best_score),
            since_look=(0.0, 0.0, 0.0),
            history=(*self.state.history, record),
        )

    def _training_means(self) -> dict[str, float]:
        """Return loss and squared error of the training catalogs since the last look, as they were trained on."""
        n, total, squares = self.state.since_look
        return {"training_loss": round(total / max(n, 1), 6), "training_mse": round(squares / max(n, 1), 6)}

    def save(self) -> None:
        """Write a checkpoint."""
        self.workspace.save(
            dataclasses.replace(
                self.state,
                weights=tuple(np.asarray(variable) for variable in self.network.variables),
                optimizer=tuple(np.asarray(variable) for variable in self.optimizer.variables),
                seconds=time.monotonic() - self._clock_start,
            )
        )
        self._saved_at = time.monotonic()

    def _share(self) -> float:
        return self.recipe.share(self.state, time.monotonic() - self._clock_start)

    def _units_done(self) -> int:
        return min(int(self._share() * self.recipe.units), self.recipe.units)

    def _note(self) -> str:
        rate = self.state.catalogs / max(self.state.seconds, 1e-9)
        scatter = f", scatter {self.state.history[-1]['scatter']:.4f}" if self.state.history else ""
        return f"loss {self._training_means()['training_loss']:.3f}, {rate:.0f} catalogs/s{scatter}"


def _label_ranges(batch: CatalogBatch) -> dict[str, tuple[float, float]]:
    """Return the range of each label that is known for all catalogs."""
    ranges: dict[str, tuple[float, float]] = {}
    for name, dtype in batch.catalogs.schema.items():
        values: npt.NDArray[Any] = batch.label(name)
        if dtype.is_float() and np.isfinite(values).all():
            ranges[name] = (float(values.min()), float(values.max()))
    return ranges
