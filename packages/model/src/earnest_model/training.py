"""Training: a loop over rounds of catalogs with early looks, checkpoints and exact resumption."""

import dataclasses
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, final

import numpy as np
import numpy.typing as npt
from earnest_common.batch import CatalogBatch
from earnest_common.config import as_mapping
from earnest_common.errors import InputError
from earnest_common.progress import AbstractProgress, progress
from earnest_common.variants import view

from earnest_model.arrays import Arrays, refuse_small
from earnest_model.backend import keras, tf
from earnest_model.checkpoint import Checkpoint, Workspace
from earnest_model.config import MAX_ROWS, FastRecipe, TrainingConfig
from earnest_model.features import FeatureSet, Scaling, fit_scaling, to_arrays
from earnest_model.feeds import AbstractFeed, ahead
from earnest_model.networks import architecture
from earnest_model.networks.protocol import Network
from earnest_model.schedule import learning_rate

__all__ = ["RECIPES", "TrainingResult", "compiled_step", "train"]

RECIPES = ("fast",)
"""What ``--recipe`` may name."""

Step = Callable[[Arrays, float], float]


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
    history
        One record per look at the validation catalogs.
    golden
        A few validation catalogs as the network sees them.
    """

    network: Network
    features: FeatureSet
    scaling: Scaling
    calibration: Mapping[str, float]
    prior: Mapping[str, tuple[float, float]]
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
        If architecture, recipe, columns or catalogs cannot be used.
    """
    kind = architecture(config.architecture)
    if config.recipe not in RECIPES:
        raise InputError(f"recipe '{config.recipe}' is not known; choose one of {', '.join(RECIPES)}")
    begun = time.monotonic()
    features = config.features(feed.radii)
    sample = view(feed.sample(), config.variant)
    scaling = fit_scaling(sample, features)
    network = kind.build(config, to_arrays(sample, features, scaling))

    def arrays_of(batch: CatalogBatch) -> Arrays:
        seen = to_arrays(view(batch, config.variant), features, scaling)
        return refuse_small(seen, fewest=network.fewest_clusters)

    validation = arrays_of(feed.validation())
    run = _Run(config, network, validation, Workspace(workspace))
    run.restore({"config": as_mapping(config), "catalogs": feed.identity()}, begun=begun)
    run.loop(feed, arrays_of)
    network.orient(validation)
    return TrainingResult(
        network=network,
        features=features,
        scaling=scaling,
        calibration=network.head.calibrate(run.inference.outputs(validation), validation.sigma8),
        prior=_label_ranges(sample),
        history=run.state.history,
        golden=validation.take(np.arange(min(4, validation.n_catalogs))),
    )


@final
class _Run:
    """One training on its way: the network, its optimiser and how far it is."""

    def __init__(self, config: TrainingConfig, network: Network, validation: Arrays, workspace: Workspace) -> None:
        self.recipe, self.network, self.validation, self.workspace = config.fast, network, validation, workspace
        kind = architecture(config.architecture)
        self.inference = kind.ask(network, MAX_ROWS)
        self._peak = kind.learning_rate(config)
        self.optimizer = keras.optimizers.AdamW(
            learning_rate=self._peak,
            weight_decay=self.recipe.weight_decay,
            beta_2=0.99,  # a short memory suits a short training
            global_clipnorm=self.recipe.clip_norm,
        )
        self.optimizer.build(network.trainable_variables)
        self.state = Checkpoint()
        self._step = compiled_step(network, self.optimizer)
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
        with progress(_units(self.recipe), "training", seconds_between_lines=5.0) as bar:
            bar.advance(self._units_done())
            if self._share() < 1:
                for arrays in ahead(feed.rounds(self.state.round, arrays_of)):
                    self._round(arrays, bar)
                    if self._share() >= 1:
                        break
        self._look_if_due()
        self.network.set_weights(list(self.state.best))

    def _round(self, arrays: Arrays, bar: AbstractProgress) -> None:
        for batch in arrays.batches(self.recipe.batch_catalogs):
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
        rate = learning_rate(self._share(), self.recipe, peak=self._peak)
        targets = self.network.head.targets(batch.sigma8).astype(np.float32)
        loss = float(self._step(batch.encoder, batch.supplementary, batch.counts, targets, np.float32(rate)))
        if not np.isfinite(loss):
            raise InputError(f"training diverged at step {self.state.step}; lower learning_rate ({rate:.2g} there)")
        self.state = dataclasses.replace(
            self.state,
            step=self.state.step + 1,
            seconds=time.monotonic() - self._clock_start,
            loss=loss if self.state.step == 0 else 0.98 * self.state.loss + 0.02 * loss,
        )

    def _look_if_due(self) -> None:
        number = min(int(self._share() * self.recipe.looks), self.recipe.looks)
        if number > (self.state.history[-1]["look"] if self.state.history else 0):
            self._look(number)

    def _look(self, number: int) -> None:
        """Measure the validation loss and scatter, and keep the weights if they are the best so far."""
        seen = self.validation.take(np.arange(min(self.recipe.n_look, self.validation.n_catalogs)))
        head, outputs = self.network.head, self.inference.outputs(seen)
        residual = np.asarray(head.sigma8(outputs)) - seen.sigma8
        loss = float(head.loss(outputs, head.targets(seen.sigma8)))
        record = {
            "look": number,
            "step": self.state.step,
            "seconds": round(self.state.seconds, 2),
            "catalogs": self.state.step * self.recipe.batch_catalogs,
            "training_loss": round(self.state.loss, 6),
            "validation_loss": round(loss, 6),
            "scatter": round(float(residual.std()), 6),
            "bias": round(float(residual.mean()), 6),
            "learning_rate": learning_rate(self._share(), self.recipe, peak=self._peak),
        }
        best = tuple(self.network.get_weights()) if loss < self.state.best_loss else self.state.best
        self.state = dataclasses.replace(
            self.state, best=best, best_loss=min(loss, self.state.best_loss), history=(*self.state.history, record)
        )

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
        if self.recipe.max_seconds:
            return (time.monotonic() - self._clock_start) / self.recipe.max_seconds
        return self.state.step / self.recipe.max_steps

    def _units_done(self) -> int:
        return min(int(self._share() * _units(self.recipe)), _units(self.recipe))

    def _note(self) -> str:
        rate = self.state.step * self.recipe.batch_catalogs / max(self.state.seconds, 1e-9)
        scatter = f", scatter {self.state.history[-1]['scatter']:.4f}" if self.state.history else ""
        return f"loss {self.state.loss:.3f}, {rate:.0f} catalogs/s{scatter}"


def _units(recipe: FastRecipe) -> int:
    """Return how the budget is counted on the progress display: seconds or steps."""
    return max(int(recipe.max_seconds), 1) if recipe.max_seconds else recipe.max_steps


def compiled_step(network: Network, optimizer: Any) -> Any:  # noqa: ANN401 - no useful static types
    """Return one optimiser step as a graph, traced once for all sizes of catalogs and batches."""
    rows = tf.TensorSpec((None, None), tf.float32)
    counts, targets = tf.TensorSpec((None,), tf.int32), tf.TensorSpec((None,), tf.float32)

    def step(encoder: Any, supplementary: Any, counts: Any, targets: Any, rate: Any) -> Any:  # noqa: ANN401
        with tf.GradientTape() as tape:
            loss = network.head.loss(network((encoder, supplementary, counts), training=True), targets)
        optimizer.learning_rate.assign(rate)
        variables = network.trainable_variables
        optimizer.apply_gradients(zip(tape.gradient(loss, variables), variables, strict=True))
        return loss

    return tf.function(step, input_signature=[rows, rows, counts, targets, tf.TensorSpec((), tf.float32)])


def _label_ranges(batch: CatalogBatch) -> dict[str, tuple[float, float]]:
    """Return the range of each label that is known for all catalogs."""
    ranges: dict[str, tuple[float, float]] = {}
    for name, dtype in batch.catalogs.schema.items():
        values: npt.NDArray[Any] = batch.label(name)
        if dtype.is_float() and np.isfinite(values).all():
            ranges[name] = (float(values.min()), float(values.max()))
    return ranges
