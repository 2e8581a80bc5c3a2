"""What the terse value is worth: the scatter of sigma8 with the encoder's inputs exchanged or held constant."""

from typing import Final

from earnest_common.report.drawing import BLUE, GREY, INK, OCHRE, RUST, draw
from earnest_common.report.section import DataTable, Figure, Section
from matplotlib.axes import Axes

from earnest_interpret.analyses.ablation.effect import N_RESAMPLES, STANDARD_ERRORS, AblationSummary, Case, Effect
from earnest_interpret.analyses.ablation.words import beside_text, columns_text, lensing_text, worth_text
from earnest_interpret.caution import SECTION_CAUTION
from earnest_interpret.sections.palette import SINGLE
from earnest_interpret.words import format_number, format_signed

__all__ = ["ablation_section"]

_INPUTS: Final = {
    "as_they_are": ("as they are", INK),
    "within": ("shuffled within catalogs", BLUE),
    "over_all": ("shuffled over all catalogs", RUST),
    "constant": ("held constant", OCHRE),
}
_CHANGED: Final = ("within catalogs", "over all", "held constant")
_SHORT: Final = {"m_wl": r"$M_\mathrm{WL}$", "l_x": "$L_X$"}


def ablation_section(summary: AblationSummary | None, *, missing: str = "", caution: str = SECTION_CAUTION) -> Section:
    """Return the section.

    Parameters
    ----------
    summary
        What was measured; ``None`` where it cannot be.
    missing
        Why it cannot.
    caution
        Over how many trainings this holds.
    """
    key = "inputs.ablation"
    if summary is None:
        title = "Ablation: what the encoder's inputs are worth"
        return Section(key=key, title=title, text=(f"The ablation is not possible: {missing}.",))
    return Section(
        key=key,
        title=f"Ablation: what {'the terse value is' if summary.has_terse else 'some columns are'} worth",
        text=(*((caution,) if summary.has_terse else ()), *_method(summary), *_findings(summary)),
        figures=(_figure(summary),),
        tables=(_table(summary),),
    )


def _method(summary: AblationSummary) -> tuple[str, ...]:
    value = "terse value" if summary.has_terse else "value"
    return (
        f"Each cluster takes over the {columns_text(summary.columns)} of another cluster, all together, and σ₈ of the "
        f"same {summary.n_catalogs:,} catalogs is inferred again. Shuffled within catalogs, each catalog keeps its "
        f"distribution of {value}s, and what is lost is which cluster has which {value}; shuffled over all catalogs, "
        "a catalog's own distribution is lost too; held constant at the median, nothing is left of them.",
        f"Errors are those of paired differences over resampled catalogs ({N_RESAMPLES} resamples, "
        f"{summary.n_shuffles} shuffles of either kind); a change counts from {STANDARD_ERRORS:.0f} standard errors "
        "on. The changes measure what this trained model does with its inputs: a model trained without them may do "
        "better than this one with changed inputs.",
    )


def _findings(summary: AblationSummary) -> tuple[str, ...]:
    first = summary.cases[0]
    text = [*([worth_text(summary)] if first is not summary.without_lensing else []), lensing_text(summary)]
    if constant := sorted({column for case in summary.cases for column, how in case.how.items() if how == "constant"}):
        text.append(
            f"This model needs a value of {columns_text(constant)} for every cluster. Rows with a column held constant "
            "at its median show what it infers from wrong values, not what can be inferred without them."
        )
    return tuple(text)


def _effects(case: Case) -> dict[str, Effect]:
    return {name: getattr(case, name) for name in _INPUTS}


def _table(summary: AblationSummary) -> DataTable:
    rows = [
        (
            beside_text(case, summary.companions),
            f"{format_number(case.as_they_are.scatter, 4)} ± {format_number(case.as_they_are.scatter_err, 4)}",
            *(
                f"{format_signed(effect.change)} ± {format_number(effect.change_err, 4)}"
                for effect in (case.within, case.over_all, case.constant)
            ),
        )
        for case in summary.cases
    ]
    shift = max((e.bias for case in summary.cases for e in _effects(case).values()), key=abs)
    return DataTable(
        name="ablation",
        columns=("beside the encoder", "scatter of σ₈", *(f"change, {words}" for words in _CHANGED)),
        rows=(*rows, ("prior alone", format_number(summary.prior_scatter, 4), "", "", "")),
        caption=f"Scatter of inferred minus true σ₈ of the same {summary.n_catalogs:,} catalogs, and its change when "
        "the encoder's inputs are shuffled or held constant. A shift common to all catalogs, which reaches "
        f"{format_signed(shift, 3)} here, does not enter it.",
    )


def _figure(summary: AblationSummary) -> Figure:
    cases = summary.cases[::-1]
    n = len(_INPUTS)

    def paint(axes: Axes) -> None:
        axes.axvline(summary.prior_scatter, color=GREY, linewidth=1, dashes=(4, 3), label="prior")
        for row, case in enumerate(cases):
            for place, (name, effect) in enumerate(_effects(case).items()):
                label, colour = _INPUTS[name]
                height = row + 0.15 * ((n - 1) / 2 - place)
                axes.errorbar(
                    effect.scatter,
                    height,
                    xerr=effect.scatter_err,
                    fmt="o",
                    color=colour,
                    markersize=4.5,
                    linewidth=1.4,
                    label=label if row == 0 else None,
                )
        axes.set_yticks(range(len(cases)), [_short(case, summary) for case in cases])
        axes.set(xlabel=r"scatter of $\sigma_8$", ylim=(-0.5, len(cases) - 0.5))
        axes.set_xlim(left=0)
        axes.grid(visible=False, axis="y")
        axes.tick_params(axis="y", length=0, labelsize=10)
        axes.figure.legend(loc="outside lower center", ncols=2, fontsize=9.5, columnspacing=1.1)

    others = f", for each choice of {columns_text(summary.companions)}" if summary.companions else ""
    caption = (
        f"Scatter of σ₈ with the encoder's inputs as they are, shuffled and held constant{others}; dashed: the prior's "
        f"mean for every catalog ({format_number(summary.prior_scatter, 4)})."
    )
    alt = "Scatter of sigma8 for four treatments of the encoder's inputs, one row for each choice of other columns."
    size = (SINGLE[0], 1.7 + 0.62 * len(cases))
    return Figure(name="ablation", svg=draw(paint, size=size), alt=alt, caption=caption)


def _short(case: Case, summary: AblationSummary) -> str:
    given = [_SHORT[column] for column in summary.companions if column not in case.without]
    parts = [f"{_SHORT[c]} {'absent' if how == 'unknown' else 'constant'}" for c, how in case.how.items()]
    parts += [f"{' and '.join(given)} given"] if given else []
    return "\n".join(parts) or "nothing else"
