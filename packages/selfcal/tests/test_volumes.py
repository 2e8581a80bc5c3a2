"""Volumes and figures of appendix A: what must follow from a larger survey, and files that are written."""

from dataclasses import replace

import numpy as np
import pytest
from earnest_common.errors import InputError
from earnest_common.report.section import read_section
from earnest_common.survey.presets import preset
from earnest_common.survey.priors import Priors, Uniform
from earnest_selfcal.cli.survey_answer import figures_answer, volumes_answer
from earnest_selfcal.forward.population import mass_function_for
from earnest_selfcal.forward.resolution import Resolution
from earnest_selfcal.forward.table import forward_table
from earnest_selfcal.report.abundance import abundance, median_curves
from earnest_selfcal.simulation.grid import simulate_grid
from earnest_selfcal.simulation.volumes import at_volume

PAPER = preset("paper")
COARSE = Resolution(n_nuisance=128)


def test_larger_volumes_hold_more_clusters_and_tell_more(tmp_path):
    smooth = at_volume(PAPER, 1.0, smoothing=0.076)
    section = tmp_path / "volumes.json"
    sizes = {"n_surveys": 2000, "n_posteriors": 200, "seed": 1}
    told = volumes_answer(smooth, (0.3, 0.8), section=section, resolution=COARSE, **sizes)
    small, large = told["30_percent"], told["80_percent"]
    assert large["mean_n_clusters"] / small["mean_n_clusters"] == pytest.approx(8 / 3, rel=0.02)
    assert large["n_median_y_x_scatter"] < small["n_median_y_x_scatter"] < small["n_only_scatter"] < 0.0663
    assert read_section(section).summary["80_percent"]["binned_scatter"] == large["binned_scatter"]


def test_figures_are_written_from_a_grid_of_the_same_survey(tmp_path):
    simulate_grid(PAPER, tmp_path / "grid", n_surveys=3000, seed=1)
    out = tmp_path / "figures"
    more = {"grid": tmp_path / "grid", "n_surveys": 2000, "resolution": COARSE, "n_catalogs": 32, "n_posteriors": 30}
    told = figures_answer(PAPER, out=out, section=tmp_path / "figures.json", **more)
    assert told["n_surveys"] == 3000
    assert {file.stem for file in out.glob("*.svg")} == set(told["figures"])
    assert len(read_section(tmp_path / "figures.json").figures) == len(told["figures"]) == 5
    with pytest.raises(InputError, match="another configuration"):
        figures_answer(preset("realistic"), out=tmp_path / "other", section=None, grid=tmp_path / "grid")
    with pytest.raises(InputError, match="nothing to draw"):
        figures_answer(PAPER, out=None, section=None)


@pytest.mark.parametrize("name", ["paper", "realistic"])
def test_abundance_adds_up_to_the_expected_number(name):
    at_reference = {n: Uniform(low=1.0, high=1.0) for n in Priors.names()} | {"sigma8": Uniform(low=0.8, high=0.8)}
    survey = replace(preset(name), priors=Priors(**at_reference))
    table = forward_table(survey, Resolution(n_nuisance=1, n_sigma8=2))
    step = 0.002
    log10_m = np.arange(12.5, 15.7, step) + step / 2
    seen = abundance(survey, log10_m, sigma8=0.8, l_x_normalisation=1.0, mass_function=mass_function_for(survey))
    assert seen.sum() * step == pytest.approx(table.expected_n[0, 0], rel=3e-3)


def test_the_break_moves_y_x_more_than_l_x():
    moved = {}
    for observable in ("y_x", "l_x"):
        faint, bright = median_curves(PAPER, observable, n_catalogs=64)
        moved[observable] = bright.median - faint.median
        for curve in (faint, bright):
            step = curve.log10_x[1] - curve.log10_x[0]
            assert curve.density.sum() * step == pytest.approx(1, abs=1e-3)
    # The break moves by log10(0.8 / 1.3) / 1.74 = -0.12 dex in mass, -0.21 dex in Y_X; medians follow in part.
    assert -0.21 < moved["y_x"] < -0.1 < 0.0 < moved["l_x"] < -moved["y_x"]


def test_too_few_surveys_are_refused_before_any_is_simulated(tmp_path, monkeypatch):
    monkeypatch.setattr("earnest_selfcal.simulation.surveys.simulate", lambda *_, **__: pytest.fail("simulated"))
    with pytest.raises(InputError, match="n_surveys = 49 are too few to be binned; simulate at least 50"):
        figures_answer(preset("paper"), out=tmp_path / "figures", section=None, n_surveys=49)
    with pytest.raises(InputError, match="n_surveys = 2 are too few"):
        volumes_answer(preset("paper"), (0.5,), n_surveys=2, n_posteriors=2, seed=1)
    assert not list(tmp_path.iterdir())
