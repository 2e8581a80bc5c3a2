"""Which of its data the referee gains from: the same catalogs with less and less known of each cluster.

Run with earnest-selfcal installed; the same command goes on after an interruption::

    python benchmarks/selfcal_information.py --out FOLDER                            # model catalogs of paper
    python benchmarks/selfcal_information.py --out FOLDER --set SET --only all y_x   # mocks, with learned residuals

It prints one JSON object: for each kind of knowledge the root mean posterior variance of sigma8, which is the error
that is promised, and the error as it happened. Posteriors see observables and priors alone, the truth is for scoring.
``y_x`` knows T and M_gas by their product only, ``uncorrelated`` is a universe in which their residuals are
independent, ``continuous`` does not use that normalisations lie on a grid.
"""

import argparse
import json
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from earnest_common.catalogs import CatalogSet
from earnest_common.run.parquet import read_parquet
from earnest_common.run.progress import progress
from earnest_common.run.seeds import Stage, generator
from earnest_common.survey.presets import Preset, preset
from earnest_common.survey.scaling import ResidualCorrelation
from earnest_selfcal.cli.answer import survey_of_set
from earnest_selfcal.exact_posterior.learned import learn_residuals
from earnest_selfcal.exact_posterior.likelihood import OBSERVABLES, build_likelihood
from earnest_selfcal.exact_posterior.posterior import RefereeConfig
from earnest_selfcal.exact_posterior.refereed import cases_of
from earnest_selfcal.exact_posterior.residuals import ResidualModel
from earnest_selfcal.exact_posterior.run import ObservedCatalog, run_referee
from earnest_selfcal.exact_posterior.score import score
from earnest_selfcal.information.scatter import model_cases
from earnest_selfcal.information.variants import NORMALISATIONS, Variant
from earnest_selfcal.survey.measurement_errors import MeasurementErrors

SEED = 31
QUICK = RefereeConfig(n_draws=700, target_ess=150)  # a mean over many catalogs asks for few draws of each
DROPPED = {f"no_{name}": (name,) for name in OBSERVABLES[:4]}
KINDS = ("all", "y_x", *DROPPED, "y_x-no_m_wl", "uncorrelated", "continuous")


class OnlyTheProduct:
    """Errors of t_x and m_gas that cancel in their product: beside it nothing is known of either."""

    def dex(self, name: str) -> float:
        """Return the error that is known to be there: none."""
        return 0.0

    offset = dex

    def covariance(self, names: Sequence[str]) -> np.ndarray:
        """Return the covariance: ten dex along t_x / m_gas."""
        along = np.array([{"t_x": 1.0, "m_gas": -1.0}.get(name, 0.0) for name in names])
        return 100.0 * np.outer(along, along)


def judged(
    survey: Preset,
    kind: str,
    cases: list[ObservedCatalog],
    *,
    residuals: ResidualModel | None,
    folder: Path,
    label: str,
) -> dict[str, Any]:
    """Return the scores of one kind of knowledge, computed now or before."""
    file = folder / f"{label}-{kind}-{len(cases)}.parquet"
    if not file.is_file():
        dropped = [name for part in kind.split("-") for name in DROPPED.get(part, ())]
        likelihood = build_likelihood(
            survey,
            observables=[name for name in OBSERVABLES[:4] if name not in dropped],
            spread=NORMALISATIONS if kind == "continuous" else (),
            residuals=residuals,
            noise=OnlyTheProduct() if kind.startswith("y_x") else MeasurementErrors(),
        )
        with progress(len(cases), kind) as bar:
            run_referee(likelihood, cases, seed=1, config=QUICK, out=file, on_done=bar.advance)
    told = score(
        read_parquet(file, what="table", remedy="remove it and run again").frame, prior_scatter=survey.priors.sigma8.std
    )
    names = ("expected_scatter", "expected_scatter_err", "scatter", "scatter_err", "bias", "coverage_68", "n_catalogs")
    return {name: round(told[name], 5) for name in names}


def lognormal_catalogs(kind: str, n: int) -> tuple[Preset, list[ObservedCatalog], None]:
    """Return model catalogs of preset paper; those of all kinds but one are the same."""
    survey = preset("paper")
    if kind == "uncorrelated":
        survey = replace(survey, correlation=ResidualCorrelation(t_x_m_gas=0.0))
    return survey, model_cases(Variant(key=kind, title=kind, preset=survey), n_catalogs=n, seed=SEED), None


def mock_catalogs(path: Path, n: int) -> tuple[Preset, list[ObservedCatalog], ResidualModel]:
    """Return catalogs of a set's test split, and the smoothed distribution of its residuals."""
    opened = CatalogSet.open(path)
    survey, rng = survey_of_set(opened), generator(1, Stage.SELF_CALIBRATION, 2**40)  # as `referee` learns
    residuals = learn_residuals(opened.batches(split="test"), survey, rng=rng)
    return survey, cases_of(opened.read(split="test", limit=n), OBSERVABLES[:4]), residuals


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--out", type=Path, required=True, help="folder of finished tables")
    parser.add_argument("--set", type=Path, metavar="SET", help="mocks of preset paper instead of model catalogs")
    parser.add_argument("--n-catalogs", type=int, default=200)
    parser.add_argument("--only", nargs="*", choices=KINDS, default=KINDS)
    options = parser.parse_args()
    if options.set and "uncorrelated" in options.only:
        parser.error("the residuals of a set are what they are; leave out 'uncorrelated' with --only")
    options.out.mkdir(parents=True, exist_ok=True)
    mocks = mock_catalogs(options.set, options.n_catalogs) if options.set else None
    found = {}
    for kind in options.only:
        survey, cases, residuals = mocks or lognormal_catalogs(kind, options.n_catalogs)
        label = "mocks" if mocks else "lognormal"
        found[kind] = judged(survey, kind, cases, residuals=residuals, folder=options.out, label=label)
    sys.stdout.write(json.dumps(found, indent=1) + "\n")


if __name__ == "__main__":
    main()
