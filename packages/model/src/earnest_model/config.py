"""Configurations: one frozen dataclass per architecture and per recipe, real defaults, no hidden switches."""

from dataclasses import dataclass, field, replace
from typing import Literal, final

from earnest_common.catalogs.variants import VARIANTS
from earnest_common.errors import InputError
from earnest_common.schema import CATALOGS, RADII_R500C

from earnest_model.data.features import ENCODER_COLUMNS, SUPPLEMENTARY_COLUMNS, FeatureSet

__all__ = ["LABELS", "MAX_ROWS", "FastRecipe", "PaperConfig", "PaperRecipe", "PooledConfig", "TrainingConfig"]

LABELS = tuple(column.name for column in CATALOGS.columns if column.dtype.is_float())
"""Columns of the catalogs that can be inferred."""
_LARGEST_ANCHOR = 1e4
_MOST_OPTIONAL = 4  # each set of missing columns has a calibration of its own
MAX_ROWS = 100_000
"""Clusters that inference works on at a time, fewer of a network with wide layers: some 100 MB."""


@final
@dataclass(frozen=True, kw_only=True)
class PooledConfig:
    """Sizes of the permutation-invariant architecture ``pooled``.

    Attributes
    ----------
    encoder
        Widths of the hidden layers that turn one cluster's X-ray columns into its terse value.
    member
        Widths of the hidden layers that turn (terse, supplementary) into what is summed over the catalog.
    pooled
        Number of sums.
    decoder
        Widths of the hidden layers that turn the sums and N into the distribution of sigma8.
    activation
        Activation of all hidden layers; a smooth one gives smooth saliencies.
    n_bins
        Bins of the distribution, unless the labels lie on a grid, which then sets them.
    learning_rate
        Peak of the learning rate.
    anchor
        Weight of the mass anchor in the loss: the mean square of the difference between terse values and ln M_500c,
        each less its catalog's mean. The likelihood of sigma8 leaves the terse value undetermined where supplementary
        columns say as much; with the anchor every training finds the same one. 0: none.
    missing
        Share of training catalogs from which supplementary columns are withheld, every combination of them equally
        often, so that the network infers sigma8 of catalogs that lack some. 0: all columns are needed.
    """

    encoder: tuple[int, ...] = (32, 32)
    member: tuple[int, ...] = (48, 48)
    pooled: int = 64
    decoder: tuple[int, ...] = (128, 128)
    activation: str = "silu"
    n_bins: int = 24
    learning_rate: float = 3e-3
    anchor: float = 3.0
    missing: float = 0.5

    def __post_init__(self) -> None:
        sizes = (*self.encoder, *self.member, self.pooled, *self.decoder)
        if min(sizes) < 1 or self.n_bins < 4:
            raise InputError(f"pooled: widths {sizes} must be at least 1 and n_bins {self.n_bins} at least 4")
        _check_rate("pooled", self.learning_rate)
        if not 0 <= self.anchor <= _LARGEST_ANCHOR or not 0 <= self.missing < 1:
            raise InputError(
                f"pooled: anchor {self.anchor} must lie in [0, {_LARGEST_ANCHOR:g}] and missing {self.missing} "
                "in [0, 1)"
            )


@final
@dataclass(frozen=True, kw_only=True)
class PaperConfig:
    """Sizes of the architecture ``paper``; the defaults are table 3 of arXiv:2112.05768.

    Attributes
    ----------
    encoder
        Widths of the encoder's layers before the terse value; the last is linear.
    convolutions
        Filters of the 4 x 1 convolutions, each followed by pooling over pairs of rows.
    dense
        Widths of the fully connected layers before the output; the last is linear.
    encoder_dropout, dense_dropout
        Shares dropped after the encoder's first layer and after all dense layers but the last.
    pooling
        How pairs of rows become one after each convolution: ``"mean"``, or ``"max"`` as in appendix B.
    order
        Row of the most luminous cluster: ``"brightest_last"`` as in figure 6, or ``"brightest_first"``. Pooling of
        pairs leaves the last row of an odd number out.
    negative_slope
        Slope of the leaky ReLU below zero; not given in the paper, Keras's default.
    initial
        First weights: ``"glorot"``, Keras's default, or ``"whitened"``, see
        :func:`earnest_model.networks.initial.begin_whitened`.
    learning_rate
        Peak of the learning rate of recipe ``fast``.
    """

    encoder: tuple[int, ...] = (2048, 1024, 512, 256, 128, 64, 32)
    convolutions: tuple[int, ...] = (128, 256, 512, 1024)
    dense: tuple[int, ...] = (2048, 1024, 512, 256, 128)
    encoder_dropout: float = 0.25
    dense_dropout: float = 0.30
    pooling: Literal["mean", "max"] = "mean"
    order: Literal["brightest_last", "brightest_first"] = "brightest_last"
    negative_slope: float = 0.3
    initial: Literal["glorot", "whitened"] = "glorot"
    learning_rate: float = 3e-4

    def __post_init__(self) -> None:
        if min((*self.encoder, *self.convolutions, *self.dense), default=0) < 1:
            raise InputError("paper: all widths must be at least 1")
        if not all(0 <= share < 1 for share in (self.encoder_dropout, self.dense_dropout)):
            raise InputError("paper: encoder_dropout and dense_dropout must lie in [0, 1)")
        _check_rate("paper", self.learning_rate)


@final
@dataclass(frozen=True, kw_only=True)
class FastRecipe:
    """Recipe ``fast``: AdamW on a one-cycle schedule, fresh catalogs or those of a set.

    Attributes
    ----------
    max_steps
        Budget in optimiser steps: the same seed gives the same network. Ignored if ``max_seconds`` is given.
    max_seconds
        Budget in seconds of training (0: by steps). Results then depend on the machine.
    batch_catalogs
        Catalogs per step.
    warm_up, final_learning_rate
        Share of the budget in which the architecture's learning rate is reached, and the end relative to it.
    weight_decay, clip_norm
        Decoupled weight decay per step and the largest norm of a step's gradient.
    chunk_catalogs, passes
        Fresh catalogs are drawn in chunks, and each is used in this many passes: a second look is cheaper than a
        second catalog and teaches almost as much.
    n_validation
        Validation catalogs drawn from a live source; 8,192 fix the coverage of 95 % intervals to 0.24 %.
    looks
        Number of looks at the validation catalogs; the weights of the best one are kept.
    n_look
        Validation catalogs of a look; all serve for the calibration at the end.
    memory_clusters
        Clusters of a catalog set that are held in memory; a larger set is read in chunks of this size.
    checkpoint_seconds
        Time between checkpoints.
    """

    max_steps: int = 1500
    max_seconds: float = 0.0
    batch_catalogs: int = 64
    warm_up: float = 0.05
    final_learning_rate: float = 0.01
    weight_decay: float = 1e-4
    clip_norm: float = 1.0
    chunk_catalogs: int = 1024
    passes: int = 2
    n_validation: int = 8192
    looks: int = 8
    n_look: int = 512
    memory_clusters: int = 4_000_000
    checkpoint_seconds: float = 20.0

    def __post_init__(self) -> None:
        counts = (
            "max_steps",
            "batch_catalogs",
            "chunk_catalogs",
            "passes",
            "n_validation",
            "looks",
            "n_look",
            "memory_clusters",
        )
        if low := [name for name in counts if getattr(self, name) < 1]:
            raise InputError(f"fast: {', '.join(low)} must be at least 1")
        if not 0 <= self.warm_up < 1 or self.max_seconds < 0:
            raise InputError(
                f"fast: warm_up {self.warm_up} must lie in [0, 1) and max_seconds {self.max_seconds} not be negative"
            )


@final
@dataclass(frozen=True, kw_only=True)
class PaperRecipe:
    """Recipe ``paper``, section 3.3 of arXiv:2112.05768: plain gradient descent over a fixed number of catalogs.

    The loss is the network's own, for architecture ``paper`` the mean absolute error.

    Attributes
    ----------
    epochs, first_epoch
        Passes over all training catalogs, and the one from which on weights are chosen: those with the lowest mean
        squared error of the validation catalogs after an epoch.
    learning_rate
        Constant learning rate.
    batch_catalogs
        Most catalogs of a step; all of them have the same number of clusters.
    n_training, n_validation
        Catalogs drawn once from a live source: 80 and 10 % of the paper's 4,968. A catalog set has its own splits.
    memory_clusters
        Clusters of a catalog set that may be held in memory.
    checkpoint_seconds
        Time between checkpoints.
    """

    epochs: int = 5000
    first_epoch: int = 2000
    learning_rate: float = 1e-3
    batch_catalogs: int = 64
    n_training: int = 3974
    n_validation: int = 497
    memory_clusters: int = 4_000_000
    checkpoint_seconds: float = 120.0

    def __post_init__(self) -> None:
        counts = ("epochs", "batch_catalogs", "n_training", "n_validation", "memory_clusters")
        if low := [name for name in counts if getattr(self, name) < 1]:
            raise InputError(f"paper_recipe: {', '.join(low)} must be at least 1")
        if not 1 <= self.first_epoch <= self.epochs:
            raise InputError(
                f"paper_recipe: first_epoch {self.first_epoch} must lie between 1 and epochs = {self.epochs}"
            )
        _check_rate("paper_recipe", self.learning_rate)

    @property
    def chunk_catalogs(self) -> int:
        """Catalogs of a round: all."""
        return self.n_training

    @property
    def passes(self) -> int:
        """Passes over a chunk: as many as epochs, there is only one."""
        return 1


@final
@dataclass(frozen=True, kw_only=True)
class TrainingConfig:
    """All choices of one training.

    Attributes
    ----------
    architecture, recipe
        Names; see :data:`earnest_model.networks.ARCHITECTURES` and :data:`earnest_model.training.recipes.RECIPES`.
    seed
        Seed of the initial weights, the catalogs and their order.
    encoder, supplementary
        Cluster columns that the encoder summarises, and that join after the terse value.
    drop
        Columns of these that the network does not see; ``("m_wl",)`` is the paper's No WL.
    variant
        What the network sees of the catalogs, see :data:`earnest_common.catalogs.variants.VARIANTS`.
    labels
        Columns of the catalogs that are inferred: sigma8, and others whose marginal distributions stand beside it.
    pooled, paper
        The architectures of these names.
    fast, paper_recipe
        The recipes ``fast`` and ``paper``.
    devices
        Devices that share each step, such as ``("GPU:0", "GPU:1")``; none leaves the choice to TensorFlow.
    """

    architecture: str = "pooled"
    recipe: str = "fast"
    seed: int = 1
    encoder: tuple[str, ...] = ENCODER_COLUMNS
    supplementary: tuple[str, ...] = SUPPLEMENTARY_COLUMNS
    drop: tuple[str, ...] = ()
    variant: str = "standard"
    labels: tuple[str, ...] = ("sigma8",)
    pooled: PooledConfig = field(default_factory=PooledConfig)
    paper: PaperConfig = field(default_factory=PaperConfig)
    fast: FastRecipe = field(default_factory=FastRecipe)
    paper_recipe: PaperRecipe = field(default_factory=PaperRecipe)
    devices: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.variant not in VARIANTS:
            raise InputError(f"variant '{self.variant}' is not known; choose one of {', '.join(VARIANTS)}")
        if unknown := [name for name in self.labels if name not in LABELS]:
            raise InputError(f"labels {', '.join(unknown)} cannot be inferred; choose among {', '.join(LABELS)}")
        if self.labels[:1] != ("sigma8",) or len(set(self.labels)) < len(self.labels):
            raise InputError(f"labels {', '.join(self.labels)}: begin with sigma8 and name each once")
        self.features(RADII_R500C)

    @property
    def anchor(self) -> float:
        """Weight of the mass anchor, 0 for architectures without it."""
        return self.pooled.anchor if self.architecture == "pooled" else 0.0

    @property
    def missing(self) -> float:
        """Share of training catalogs from which columns are withheld, 0 for architectures that need all."""
        return self.pooled.missing if self.architecture == "pooled" else 0.0

    def features(self, radii: tuple[float, ...]) -> FeatureSet:
        """Return the columns that the network sees of catalogs with profiles at these radii.

        Raises
        ------
        InputError
            If a column is unknown, named twice or not there to drop, or the encoder has none.

        Examples
        --------
        >>> TrainingConfig(variant="no-wl").features(RADII_R500C).supplementary
        ('l_x',)
        """
        chosen = FeatureSet(encoder=self.encoder, supplementary=self.supplementary, radii=radii)
        seen = chosen.drop(self.drop).known_in(self.variant)
        if not self.missing:
            return seen
        if len(seen.supplementary) > _MOST_OPTIONAL:
            raise InputError(
                f"{len(seen.supplementary)} supplementary columns are too many to be missing in all combinations; name "
                f"at most {_MOST_OPTIONAL}, or set pooled.missing = 0"
            )
        return replace(seen, optional=seen.supplementary)


def _check_rate(name: str, rate: float) -> None:
    if not rate > 0:
        raise InputError(f"{name}: learning_rate {rate} must be positive")
