"""The paper's figures 5 to 8, drawn from a bundle: the network, its inputs, its training, its estimates."""

import dataclasses
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from earnest_common.bundle import BundleDescription
from earnest_common.catalogs import CatalogSet
from earnest_common.catalogs.batch import CatalogBatch
from earnest_common.catalogs.variants import view
from earnest_common.errors import InputError
from earnest_common.plugins import load_estimator
from earnest_common.report.drawing import BLUE, GREEN, GREY, INK, OCHRE, RUST, draw, draw_canvas
from earnest_common.report.section import Figure, Section
from earnest_common.run.provenance import synthetic_note

from earnest_model.bundle.estimator import NetworkEstimator
from earnest_model.data.features import FeatureSet, to_arrays
from earnest_model.data.overlap import overlap_with_training
from earnest_model.evaluation.accuracy import accuracy
from earnest_model.evaluation.labelled_predictions import as_trained, predict_labelled
from earnest_model.networks.outline import Stage, outline
from earnest_model.report.accuracy import figure_8
from earnest_model.report.footers import labelled

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure as Canvas

__all__ = ["architecture_figure", "figures_section", "inputs_figure", "read_history", "training_figure"]

_COLORS = {"input": GREY, "encoder": GREEN, "terse": RUST, "supplementary": OCHRE, "decoder": BLUE, "output": INK}
_SHADOWS = 4
_N_SHOWN = 4
_MOST_READ = 500


def architecture_figure(stages: Sequence[Stage]) -> Figure:
    """Return the network as a row of bars, one per layer, as the paper's figure 5."""
    sizes = {part: sum(s.n_parameters for s in stages if s.part in parts) for part, parts in _GROUPS.items()}
    total = sum(stage.n_parameters for stage in stages)
    return Figure(
        name="model-architecture",
        svg=draw(lambda axes: _paint_stages(axes, stages, sizes), size=(7.6, 3.6)),
        alt="Layers of the network from the inputs of one cluster over its terse value to sigma8 of the catalog.",
        caption=(
            f"The network's {total:,} parameters: {sizes['encoder']:,} turn each cluster by itself into its terse "
            f"value, {sizes['decoder']:,} turn the catalog into σ₈. Bars: layers, as high as the logarithm of their "
            "width (the numbers); stacked bars hold a row for each cluster."
        ),
    )


_GROUPS = {"encoder": ("encoder", "terse"), "decoder": ("supplementary", "decoder", "output")}


def _paint_stages(axes: "Axes", stages: Sequence[Stage], sizes: Mapping[str, int]) -> None:
    x = -1.0
    places: dict[str, list[float]] = {"encoder": [], "decoder": []}
    for stage in stages:
        beside = stage.part == "supplementary"
        x += 0 if beside else 1
        half = 0.35 + np.log2(stage.width)
        middle = -(3.2 + half) if beside else 0.0
        for shadow in range(_SHADOWS if stage.per_cluster else 1)[::-1]:
            lift = 0.09 * shadow
            axes.bar(
                x + lift,
                2 * half,
                width=0.42,
                bottom=middle - half + 3 * lift,
                color=_COLORS[stage.part],
                edgecolor="white",
                lw=0.5,
                zorder=3 - 0.1 * shadow,
                alpha=1 if shadow == 0 else 0.45,
            )
        narrow = stage.width == 1  # room above, and none below
        label = f"{stage.name}\n{stage.width:,}" if narrow else f"{stage.width:,}"
        axes.annotate(label, (x, middle + half + 1.2), ha="center", va="bottom", fontsize=8.5)
        if not narrow:
            axes.annotate(stage.name, (x + 0.1, middle - half - 0.5), ha="right", va="top", fontsize=8.5, rotation=40)
        for group, parts in _GROUPS.items():
            if stage.part in parts and not beside:
                places[group].append(x)
    top = max(0.35 + np.log2(stage.width) for stage in stages) + 4.0
    for group, at in places.items():
        color = _COLORS[group]
        axes.annotate(f"{group}: {sizes[group]:,}", (np.mean(at), top), ha="center", color=color, fontsize=10.5)
        axes.plot([at[0] - 0.3, at[-1] + 0.3], [top - 0.4] * 2, color=color, lw=1.2)
    axes.set(xlim=(-1.2, x + 0.8), ylim=(-top - 3.5, top + 2))
    axes.set_axis_off()


def inputs_figure(batch: CatalogBatch, description: BundleDescription, *, synthetic: str | None = None) -> Figure:
    """Return some catalogs as the matrices that the encoder reads, as the paper's figure 6.

    Parameters
    ----------
    batch
        Catalogs; some are chosen from the smallest to the largest.
    description
        The model's inputs and scaling.
    synthetic
        What is emulated in the catalogs or in the model's training, which the scaling comes from.
    """
    features = FeatureSet.of(description)
    counts = np.diff(batch.row_splits)
    order = np.argsort(counts, kind="stable")
    chosen = order[np.linspace(0, len(order) - 1, min(_N_SHOWN, len(order))).round().astype(np.int64)]
    arrays = to_arrays(batch.select(chosen), features, description.scaling)
    matrices = np.split(arrays.encoder, arrays.row_splits[1:-1])
    labels = [rf"$N$ = {len(m)}" + _sigma8(s) for m, s in zip(matrices, arrays.sigma8, strict=True)]
    return Figure(
        name="model-inputs",
        svg=draw_canvas(
            labelled(lambda canvas: _paint_matrices(canvas, matrices, labels, features), synthetic), size=(7.6, 4.4)
        ),
        alt="Matrices of scaled inputs of some catalogs, one row per cluster and one column per input.",
        caption=(
            "What the encoder reads of catalogs from the smallest to the largest: a row for each cluster, the most "
            f"luminous at the bottom, and columns {', '.join(features.names)}, scaled to "
            "the range of training, 0 (dark) to 1 (light)."
        ),
    )


def _sigma8(value: float) -> str:
    return rf", $\sigma_8$ = {value:.2f}" if np.isfinite(value) else ""


def _paint_matrices(canvas: "Canvas", matrices: Sequence[Any], labels: Sequence[str], features: FeatureSet) -> None:
    panels = canvas.subplots(1, len(matrices), squeeze=False, sharey=True)[0]
    widths = [len(FeatureSet(encoder=(name,), supplementary=()).names) for name in features.encoder]
    ends = np.concatenate([[0], np.cumsum(widths)]) - 0.5
    for axes, matrix, label in zip(panels, matrices, labels, strict=True):
        image = axes.imshow(
            matrix, aspect="auto", origin="lower", cmap="cividis", vmin=0, vmax=1, interpolation="nearest"
        )
        axes.vlines(ends[1:-1], -0.5, len(matrix) - 0.5, color="white", lw=1.2)
        axes.set_title(label, fontsize=10.5)
        axes.set_xticks((ends[1:] + ends[:-1]) / 2, features.encoder, rotation=35, ha="right", fontsize=9)
        axes.grid(visible=False)
        axes.set_ylim(-0.5, max(len(m) for m in matrices) - 0.5)
    panels[0].set_ylabel(r"place in falling $L_X$")
    bar = canvas.colorbar(image, ax=panels, label="scaled input", aspect=35, pad=0.02, extend="both")
    bar.set_ticks([0, 0.5, 1], labels=["0: lowest\nin training", "0.5", "1: highest\nin training"], fontsize=9)


def read_history(model: Path) -> list[dict[str, Any]]:
    """Return the looks at the validation catalogs during a bundle's training.

    Raises
    ------
    InputError
        If the bundle holds none.
    """
    file = model / "history.jsonl"
    try:
        history = [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]
    except (OSError, ValueError) as error:
        raise InputError(f"bundle {model} has no readable history.jsonl ({error}); train it again") from error
    if not history:
        raise InputError(f"bundle {model} has an empty history; train it with at least one look")
    return history


def training_figure(
    history: Sequence[Mapping[str, Any]], training: Mapping[str, Any], *, synthetic: str | None = None
) -> Figure:
    """Return errors and learning rate over the training, as the paper's figure 7.

    Parameters
    ----------
    history
        One record per look at the validation catalogs.
    training
        The bundle's record of recipe and configuration.
    synthetic
        What the training catalogs emulate.
    """
    squared = "validation_mse" in history[-1] and "training_mse" in history[-1]
    kind, words = ("mse", "mean squared error of scaled $\\sigma_8$") if squared else ("loss", "loss")
    chosen = _chosen(history, training)
    last = history[-1]
    return Figure(
        name="model-training",
        svg=draw_canvas(
            labelled(lambda canvas: _paint_training(canvas, history, (kind, words), chosen), synthetic), size=(5.6, 4.2)
        ),
        alt="Error of training and validation catalogs and learning rate against the steps of the training.",
        caption=(
            f"Training by recipe {training.get('recipe', 'unknown')}: {last['step']:,} steps with {last['catalogs']:,} "
            f"catalogs in {last['seconds']:,.0f} s. Star: the weights that were kept, after "
            f"{history[chosen]['step']:,} steps (scatter {history[chosen]['scatter']:.4f} on the "
            "validation catalogs of a look)."
        ),
    )


def _chosen(history: Sequence[Mapping[str, Any]], training: Mapping[str, Any]) -> int:
    """Return the position of the look whose weights were kept."""
    config = training.get("config", {})
    paper = training.get("recipe") == "paper"
    first = config.get("paper_recipe", {}).get("first_epoch", 0) if paper else 0
    name = "validation_mse" if paper else "validation_loss"
    allowed = [i for i, record in enumerate(history) if record["look"] >= first] or list(range(len(history)))
    return min(allowed, key=lambda i: float(history[i].get(name, np.inf)))


def _paint_training(
    canvas: "Canvas", history: Sequence[Mapping[str, Any]], shown: tuple[str, str], chosen: int
) -> None:
    kind, words = shown
    upper, lower = canvas.subplots(2, 1, sharex=True, gridspec_kw={"height_ratios": (3, 1)})
    step = [record["step"] for record in history]
    marker = "o-" if len(history) <= 40 else "-"
    for name, color in (("training", BLUE), ("validation", RUST)):
        upper.plot(step, [record[f"{name}_{kind}"] for record in history], marker, ms=3, color=color, label=name)
    best = history[chosen][f"validation_{kind}"]
    upper.plot(step[chosen], best, "*", ms=13, color=OCHRE, mec=INK, mew=0.6, zorder=5, label="kept")
    upper.axhline(best, color=OCHRE, lw=0.9)
    if kind == "mse":
        upper.set_yscale("log")
    upper.set(ylabel=words)
    upper.legend()
    lower.plot(step, [record["learning_rate"] for record in history], marker, ms=3, color=GREY)
    lower.set_yscale("log")
    lower.set(xlabel="steps", ylabel="learning rate")


def figures_section(model: Path, catalog_set: Path | None) -> Section:
    """Return the paper's figures 5 and 7 of a bundle, and with labelled or unlabelled catalogs 6 and 8 too.

    Parameters
    ----------
    model
        The bundle.
    catalog_set
        Catalogs that the model can use; figure 8 needs their true sigma8.

    Raises
    ------
    InputError
        If the bundle holds no network or no history, or the model cannot use the catalogs.
    """
    estimator = load_estimator(model)
    if not isinstance(estimator, NetworkEstimator):
        raise InputError(f"bundle {model} holds a '{estimator.description.estimator}', which has no layers to draw")
    training = estimator.description.training
    figures = [
        architecture_figure(outline(estimator.network)),
        training_figure(read_history(model), training, synthetic=estimator.description.synthetic),
    ]
    if catalog_set is not None:
        figures += _with_catalogs(estimator, CatalogSet.open(catalog_set))
    return Section(
        key="accuracy.network",
        title="The network and its training",
        figures=tuple(figures),
        summary={"n_parameters": training["n_parameters"], "architecture": training["architecture"]},
        provenance={"model": model.name},
    )


def _with_catalogs(estimator: NetworkEstimator, catalog_set: CatalogSet) -> list[Figure]:
    opened, _ = catalog_set.without_empty()
    seen, description = as_trained(estimator), estimator.description
    synthetic = synthetic_note(catalogs=opened.manifest.plan.synthetic, training=description.synthetic)
    figures = [inputs_figure(view(opened.read(limit=_MOST_READ), seen), description, synthetic=synthetic)]
    labels = opened.scan_catalogs().select("sigma8").collect().get_column("sigma8")
    if labels.null_count() == 0:
        met = overlap_with_training(description, opened, None)
        found = predict_labelled(estimator, (view(batch, seen) for batch in opened.batches(split=met.split)))
        figures.append(figure_8(found, dataclasses.replace(accuracy(found), catalogs=met.words, synthetic=synthetic)))
    return figures
