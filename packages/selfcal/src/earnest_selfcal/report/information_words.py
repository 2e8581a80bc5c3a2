"""What the information map says, in sentences with its numbers."""

from collections.abc import Mapping, Sequence

from earnest_common.survey.presets import Preset

from earnest_selfcal.exact_posterior.gaussians import SHAPE_SCATTER
from earnest_selfcal.information.scatter import InformationPoint
from earnest_selfcal.information.variants import DATA, REAL, Variant, mass_prior

__all__ = ["PointMap", "by_key", "sentences"]

_REAL_GAIN = 0.5  # a scatter of half the prior's is three quarters of its variance explained
_MATTERS = 1.05  # a change of the scatter by less is not worth a strong word

PointMap = Mapping[tuple[str, str], InformationPoint]


def by_key(points: Sequence[InformationPoint]) -> PointMap:
    """Return the points by survey and data."""
    return {(point.survey, point.data): point for point in points}


def sentences(preset: Preset, variants: Sequence[Variant], points: Sequence[InformationPoint]) -> tuple[str, ...]:
    """Return paragraphs: the ladder of data, the mode without weak lensing, and what each assumption is worth."""
    found = by_key(points)
    continuous = "mass_continuous" if ("mass_continuous", "n") in found else "mass"
    paragraphs = [_ladder(preset, found), _mode(preset, found), _profiles(found), _ruler(found, continuous)]
    if continuous != "mass":
        paragraphs.append(_grid(found, continuous))
    paragraphs += [_priors(found, variants), _two_numbers(found, variants), _caveat(points)]
    return tuple(text for text in paragraphs if text)


def _ladder(preset: Preset, found: PointMap) -> str:
    steps = [f"{DATA[name]} {_with_error(found[REAL, name])}" for name in DATA]
    wl, perfect = found[REAL, "all"], found[REAL, "perfect"]
    return (
        "Scatter of the best possible estimate of σ₈ over the priors, for a cut in observed flux, continuous priors "
        f"and errors of measurement: the prior alone gives {preset.priors.sigma8.std:.4f}; {'; '.join(steps)}. With "
        "weak lensing it is the number of clusters that limits: true masses would change the variance by "
        f"{_percent(perfect, wl)}."
    )


def _mode(preset: Preset, found: PointMap) -> str:
    """Answer whether sigma8 can be told without weak lensing, and how much of the paper's answer is its set-up."""
    real, wl, paper = found[REAL, "x_ray"], found[REAL, "all"], found["mass", "x_ray"]
    prior = preset.priors.sigma8.std
    whole, without = wl.scatter**-2 - prior**-2, real.scatter**-2 - prior**-2
    of_paper = paper.scatter**-2 - prior**-2
    verdict = "is real" if real.scatter < _REAL_GAIN * prior else "is an artefact"
    return (
        f"The mode without weak lensing {verdict}: with none of the simplifications it tells σ₈ to "
        f"{_with_error(real)}, {100 * without / whole:.0f} % of what the survey knows with weak lensing (in inverse "
        "variance beyond the prior). Under a sharp cut in true mass it seems to tell "
        f"{_with_error(paper)}: of that information {100 * max(1 - without / of_paper, 0):.0f} % come from the "
        "simplifications and would not be there on the sky."
    )


def _profiles(found: PointMap) -> str:
    """Say what a known relation of profile shapes with mass is worth: a ruler that the sky need not have."""
    sharp, sharp_with = found["mass", "x_ray"], found["mass", "profiles"]
    real, real_with = found[REAL, "x_ray"], found[REAL, "profiles"]
    return (
        "Shapes of gas profiles in units of the true R₅₀₀ measure mass where their mean relation with it is known, in "
        f"EMULATED mocks of preset paper to {100 * SHAPE_SCATTER:.0f} % in ln M of one cluster. Without weak lensing "
        f"they change the scatter from {_with_error(sharp)} to {_with_error(sharp_with)} under a sharp cut in true "
        f"mass, and from {_with_error(real)} to {_with_error(real_with)} with none of the simplifications. "
        "That is knowledge of the base sample: on the sky the relation, and the aperture, would have to be measured."
    )


def _ruler(found: PointMap, continuous: str) -> str:
    free = "flux_continuous" if ("flux_continuous", "x_ray") in found else REAL
    hard, flux = found[continuous, "x_ray"], found[free, "x_ray"]
    hard_wl, flux_wl = found[continuous, "all"], found[free, "all"]
    sharp, smooth = found["mass", "x_ray"], found["mass_smoothed", "x_ray"]
    verdict = "is a ruler" if flux.scatter > _MATTERS * hard.scatter else "matters little here"
    edge = (
        "it is the sharp edge, whose place is known, that measures mass"
        if smooth.scatter > _MATTERS * sharp.scatter
        else "the sharp edge by itself matters little"
    )
    return (
        f"A sharp cut in true mass {verdict}: without weak lensing it gives {_with_error(hard)}, a cut in observed "
        f"flux {_with_error(flux)} ({_percent(flux, hard)} in variance); with weak lensing {_with_error(hard_wl)} "
        f"and {_with_error(flux_wl)} ({_percent(flux_wl, hard_wl)}). Blurring the cut in true mass by 0.076 dex "
        f"changes the scatter without weak lensing from {_with_error(sharp)} to {_with_error(smooth)}: {edge}."
    )


def _grid(found: PointMap, continuous: str) -> str:
    grid, free = found["mass", "x_ray"], found[continuous, "x_ray"]
    return (
        f"A grid of normalisations is known too: if an estimate uses that they are multiples of 0.1, the scatter "
        f"without weak lensing is {_with_error(grid)} instead of {_with_error(free)} ({_percent(free, grid)} in "
        "variance), a fact about the mocks and not about the sky."
    )


def _priors(found: PointMap, variants: Sequence[Variant]) -> str:
    parts = []
    for one in variants:
        if one.width is not None and one.preset.survey.cut == "flux":
            x_ray, wl = found[one.key, "x_ray"], found[one.key, "all"]
            parts.append(
                f"±{100 * one.width:g} % ({100 * mass_prior(one.preset):.1f} % in mass): {_with_error(x_ray)} without, "
                f"{_with_error(wl)} with weak lensing"
            )
    if not parts:
        return ""
    return (
        "The clusters tie the three relations together, so that their normalisations' priors combine to one of the "
        f"mass scale. Cut in flux with errors of measurement, normalisations known to {'; '.join(parts)}."
    )


def _two_numbers(found: PointMap, variants: Sequence[Variant]) -> str:
    n, both, full = (found[REAL, name] for name in ("n", "n_median_y_x", "x_ray"))
    text = (
        f"Without any ruler, N with the median Y_X gives {_with_error(both)} where N alone gives {_with_error(n)}, and "
        f"every cluster's observables {_with_error(full)}: the two numbers carry {_share(both, full, n)} % of what "
        "X-ray observables add to N (in inverse variance)."
    )
    widths = [one for one in variants if one.width is not None and one.preset.survey.cut == "flux"]
    if len(widths) < 2:
        return text
    tight, loose = (found[one.key, "n_median_y_x"] for one in (widths[0], widths[-1]))
    return (
        f"{text} What they tell hangs on the priors: {_with_error(tight)} with normalisations to "
        f"±{100 * (widths[0].width or 0):g} %, {_with_error(loose)} to ±{100 * (widths[-1].width or 0):g} %."
    )


def _caveat(points: Sequence[InformationPoint]) -> str:
    n = min(point.n_catalogs for point in points)
    worst = max(points, key=lambda point: abs(point.rms - point.scatter) / point.rms_err)
    return (
        f"Each number is the root mean posterior variance of {n} surveys drawn over the priors; it equals the scatter "
        f"of the posterior mean, which in these surveys differs from it by at most "
        f"{abs(worst.rms - worst.scatter) / worst.rms_err:.1f} of its errors. Residuals are lognormal with one "
        "correlation matrix, cosmology but for σ₈ and the redshift are known, and there is no sample variance. "
        "Shapes of gas profiles count in their own row alone, as a lognormal mass of fixed scatter that knows nothing "
        "of the other residuals: a network that sees them may beat the other rows where a simulation's are known."
    )


def _with_error(point: InformationPoint) -> str:
    return f"{point.scatter:.4f} ± {point.scatter_err:.4f}"


def _percent(worse: InformationPoint, better: InformationPoint) -> str:
    return f"{100 * ((worse.scatter / better.scatter) ** 2 - 1):+.0f} %"


def _share(some: InformationPoint, full: InformationPoint, none: InformationPoint) -> str:
    """Return how much of the gain in inverse variance comes with part of the data, in per cent."""
    gain, whole = (one.scatter**-2 - none.scatter**-2 for one in (some, full))
    return f"{100 * gain / whole:.0f}"
