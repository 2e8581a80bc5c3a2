"""The recipes of training by name: what each decides of the one loop in :mod:`earnest_model.training.loop`."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping
from typing import Any, final

import numpy as np
from earnest_common.errors import InputError
from earnest_common.run.seeds import Stage, generator

from earnest_model.config import TrainingConfig
from earnest_model.data.arrays import Arrays
from earnest_model.training.checkpoint import Checkpoint
from earnest_model.training.schedule import learning_rate

__all__ = ["RECIPES", "AbstractRecipe", "recipe"]

_FIRST_EPOCH = 2**32
"""Orders of batches have other random numbers than orders of catalogs, which count from 2."""


class AbstractRecipe(ABC):
    """Budget, optimiser, batches, looks at the validation catalogs, and which look is the best.

    Attributes
    ----------
    units
        How the budget is counted on the progress display.
    n_look
        Validation catalogs of a look.
    checkpoint_seconds
        Time between checkpoints.
    """

    units: int
    n_look: int
    checkpoint_seconds: float

    @abstractmethod
    def share(self, state: Checkpoint, seconds: float) -> float:
        """Return the part of the budget that is used, 1 or more at the end."""

    @abstractmethod
    def optimizer(self, n_replicas: int) -> Any:  # noqa: ANN401 - Keras has no useful static types
        """Return the optimiser for gradients that each of so many devices has divided by their number."""

    @abstractmethod
    def learning_rate(self, share: float) -> float:
        """Return the learning rate after a share of the budget."""

    @abstractmethod
    def batches(self, arrays: Arrays, number: int) -> Iterator[Arrays]:
        """Yield the catalogs of round ``number`` in batches."""

    @abstractmethod
    def looks_due(self, share: float) -> int:
        """Return how many looks belong to a share of the budget."""

    @abstractmethod
    def score(self, record: Mapping[str, Any]) -> float:
        """Return by what looks are compared, the best being the lowest; infinite for weights not to be kept."""


@final
class _Fast(AbstractRecipe):
    """See :class:`earnest_model.config.FastRecipe`."""

    def __init__(self, config: TrainingConfig, *, peak: float) -> None:
        self._fields, self._peak = config.fast, peak
        self.n_look, self.checkpoint_seconds = config.fast.n_look, config.fast.checkpoint_seconds
        self.units = max(int(config.fast.max_seconds), 1) if config.fast.max_seconds else config.fast.max_steps

    def share(self, state: Checkpoint, seconds: float) -> float:
        """Return the part of the seconds, or of the steps."""
        if self._fields.max_seconds:
            return seconds / self._fields.max_seconds
        return state.step / self._fields.max_steps

    def optimizer(self, n_replicas: int) -> Any:  # noqa: ANN401
        """Return AdamW with a short memory, which suits a short training."""
        from earnest_model.networks.backend import keras, own_defaults

        with own_defaults():
            return keras.optimizers.AdamW(
                learning_rate=self._peak,
                weight_decay=self._fields.weight_decay,
                beta_2=0.99,
                global_clipnorm=self._fields.clip_norm / n_replicas,
            )

    def learning_rate(self, share: float) -> float:
        """Return the rate of one rise and a cosine fall."""
        return learning_rate(share, self._fields, peak=self._peak)

    def batches(self, arrays: Arrays, number: int) -> Iterator[Arrays]:
        """Yield batches of nearly equal numbers of catalogs."""
        return arrays.batches(self._fields.batch_catalogs)

    def looks_due(self, share: float) -> int:
        """Return looks at even distances."""
        return min(int(share * self._fields.looks), self._fields.looks)

    def score(self, record: Mapping[str, Any]) -> float:
        """Return the validation loss."""
        return float(record["validation_loss"])


@final
class _Paper(AbstractRecipe):
    """See :class:`earnest_model.config.PaperRecipe`."""

    def __init__(self, config: TrainingConfig, *, n_training: int) -> None:
        self._fields, self._seed, self._n_training = config.paper_recipe, config.seed, n_training
        self.n_look, self.checkpoint_seconds = config.paper_recipe.n_validation, config.paper_recipe.checkpoint_seconds
        self.units = config.paper_recipe.epochs * n_training

    def share(self, state: Checkpoint, seconds: float) -> float:
        """Return the part of all epochs' catalogs."""
        return state.catalogs / self.units

    def optimizer(self, n_replicas: int) -> Any:  # noqa: ANN401
        """Return plain stochastic gradient descent."""
        from earnest_model.networks.backend import keras, own_defaults

        with own_defaults():
            return keras.optimizers.SGD(learning_rate=self._fields.learning_rate)

    def learning_rate(self, share: float) -> float:
        """Return the one rate."""
        return self._fields.learning_rate

    def batches(self, arrays: Arrays, number: int) -> Iterator[Arrays]:
        """Yield batches of catalogs with equal numbers of clusters, in an order of each epoch's own."""
        members = [
            part
            for size in np.unique(arrays.counts)
            for part in _parts(np.flatnonzero(arrays.counts == size), self._fields.batch_catalogs)
        ]
        for place in generator(self._seed, Stage.TRAINING, _FIRST_EPOCH + number).permutation(len(members)):
            yield arrays.take(members[place])

    def looks_due(self, share: float) -> int:
        """Return one look after each epoch."""
        return int(share * self._fields.epochs + 1e-9)

    def score(self, record: Mapping[str, Any]) -> float:
        """Return the mean squared error, once the epochs have come from which weights are chosen."""
        chosen = record["look"] >= self._fields.first_epoch
        return float(record["validation_mse"]) if chosen else float("inf")


def _parts(members: Any, most: int) -> list[Any]:  # noqa: ANN401 - arrays of integers
    return np.array_split(members, -(-len(members) // most))


def _fast(config: TrainingConfig, peak: float, n_training: int | None) -> AbstractRecipe:
    return _Fast(config, peak=peak)


def _paper(config: TrainingConfig, peak: float, n_training: int | None) -> AbstractRecipe:
    if n_training is None:
        raise InputError("recipe 'paper' counts epochs over a fixed number of catalogs; give it a feed that ends")
    return _Paper(config, n_training=n_training)


RECIPES: Mapping[str, Callable[[TrainingConfig, float, int | None], AbstractRecipe]] = {"fast": _fast, "paper": _paper}
"""What ``--recipe`` may name; made from the configuration, the peak learning rate of the architecture, and the number
of training catalogs, ``None`` where fresh ones never end."""


def recipe(config: TrainingConfig, *, peak: float, n_training: int | None) -> AbstractRecipe:
    """Return the recipe that a configuration names.

    Raises
    ------
    InputError
        If there is none of that name, or it cannot use the catalogs.
    """
    if config.recipe not in RECIPES:
        raise InputError(f"recipe '{config.recipe}' is not known; choose one of {', '.join(RECIPES)}")
    return RECIPES[config.recipe](config, peak, n_training)
