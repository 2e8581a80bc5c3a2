"""The memory that a training needs, and its refusal before anything is made where there is less."""

from dataclasses import dataclass
from typing import final

from earnest_common.errors import InputError
from earnest_common.run.memory import available_memory, gigabytes

from earnest_model.config import TrainingConfig
from earnest_model.data.training_data import Load
from earnest_model.networks.protocol import Network

__all__ = ["Need", "needs", "refuse_too_large"]

_FLOAT = 4
_ROW_ON_DISK = 350
"""Bytes of a cluster with all its columns."""
_COPIES_OF_ROUND = 4  # the window of chunks, the shuffled round, and the next one while it is made, joined and shuffled
_COPIES_OF_STEP = 3  # of each layer: before and after its activation, what dropout keeps, and the gradient
_COPIES_OF_WEIGHTS = 10  # gradient, two moments, the best so far, and a checkpoint of all these
_SLICES = 600e6
"""Bytes of catalogs while they are drawn, or of a slice of inference."""


@final
@dataclass(frozen=True, kw_only=True)
class Need:
    """What one part of a training holds.

    Attributes
    ----------
    what
        In words.
    n_bytes
        Its memory, within a factor of about 1.5.
    remedy
        The field of the configuration that makes it smaller.
    """

    what: str
    n_bytes: float
    remedy: str


def needs(
    config: TrainingConfig, load: Load, *, n_inputs: int, network: Network | None = None, steps: bool = True
) -> list[Need]:
    """Return what a training holds in memory at the same time, the largest part first.

    Parameters
    ----------
    config, load
        The training and its numbers of clusters.
    n_inputs
        Inputs of the network for each cluster.
    network
        The network, once it is built; without it steps and weights do not count.
    steps
        Whether there are steps to take, or only the end of the training is left.
    """
    recipe = "paper_recipe" if config.recipe == "paper" else "fast"
    row = _FLOAT * n_inputs
    chunk = "paper_recipe.n_training" if config.recipe == "paper" else "fast.chunk_catalogs"
    found = [
        Need(
            what=f"{load.validation:,} clusters for validation",
            n_bytes=2.0 * row * load.validation,
            remedy=f"{recipe}.n_validation",
        ),
        Need(
            what=f"{load.sample:,} clusters on which scalings are measured",
            n_bytes=(_ROW_ON_DISK + 3.0 * row) * load.sample,
            remedy=f"{chunk}, of a set {recipe}.memory_clusters",
        ),
        Need(what="slices of catalogs", n_bytes=_SLICES, remedy=f"{recipe}.n_validation"),
    ]
    if steps:
        held = _COPIES_OF_ROUND * row * load.round
        found.append(
            Need(
                what=f"rounds of {load.round:,} clusters",
                n_bytes=held,
                remedy=f"{chunk}, of a set {recipe}.memory_clusters",
            )
        )
    if network is not None and steps:
        batch = config.paper_recipe.batch_catalogs if config.recipe == "paper" else config.fast.batch_catalogs
        n_weights = sum(int(weight.shape.num_elements()) for weight in network.trainable_variables)
        found += [
            Need(
                what=f"a step over {batch} catalogs of about {load.per_catalog:,.0f} clusters",
                n_bytes=_COPIES_OF_STEP * _FLOAT * network.row_width * batch * load.per_catalog,
                remedy=f"{recipe}.batch_catalogs",
            ),
            Need(
                what=f"{n_weights:,} weights, their moments and checkpoints",
                n_bytes=_COPIES_OF_WEIGHTS * _FLOAT * n_weights,
                remedy=f"widths of the layers ({config.architecture})",
            ),
        ]
    return sorted(found, key=lambda need: -need.n_bytes)


def refuse_too_large(
    config: TrainingConfig, load: Load, *, n_inputs: int, network: Network | None = None, steps: bool = True
) -> None:
    """Refuse a training that needs more memory than is available; parameters as of :func:`needs`.

    Raises
    ------
    InputError
        With the largest parts and what to lower.
    """
    available = available_memory()
    parts = needs(config, load, n_inputs=n_inputs, network=network, steps=steps)
    total = sum(part.n_bytes for part in parts)
    if available is None or total <= available:
        return
    large = [part for part in parts if part.n_bytes >= 0.1 * total]
    words = "; ".join(f"{gigabytes(part.n_bytes)} for {part.what} (lower {part.remedy})" for part in large)
    raise InputError(
        f"this training needs about {gigabytes(total)} of memory, and {gigabytes(available)} are available: {words}; "
        "set fields with --config FILE.toml, or free memory"
    )
