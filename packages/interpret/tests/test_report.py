"""Laws of the report: the page and its JSON say the same, and what is missing is said."""

import json
import re
from pathlib import Path

import pytest
from earnest_common.errors import InputError, IntegrityError, OutputExistsError
from earnest_common.report.section import Section
from earnest_interpret.page.interpretation import InterpretConfig, interpret
from earnest_interpret.page.report import Report, build_report, read_summary, write_report
from earnest_interpret.sample import Sample
from earnest_interpret.testing import PlainEstimator

CONFIG = InterpretConfig(n_permutations=99)


@pytest.fixture(scope="module")
def found(batch, estimator):
    sample = Sample(batch=batch, n_available=500, split="test", synthetic="toy clusters")
    return interpret(estimator, sample, CONFIG)


@pytest.fixture(scope="module")
def report(found) -> Report:
    return build_report(found, model="A model", provenance={"seed": 1})


def test_page_and_json_say_the_same(report: Report):
    numbers = report.numbers
    assert f"{numbers['accuracy']['scatter']:.4f}" in report.html
    assert f"{numbers['summary']['prior_scatter']:.4f}" in report.html
    assert numbers["sample"] == "40 of 500 catalogs of the test split (2,481 clusters)".replace(
        "2,481", f"{numbers['n_clusters']:,}"
    )
    assert "40 of 500 catalogs" in report.html
    assert "Synthetic data" in report.html
    assert [check["text"] for check in numbers["checks"]] == numbers["reasons"]
    assert json.loads(json.dumps(numbers, allow_nan=False)) == numbers


def test_no_mass_is_in_units_of_h_but_the_papers(report: Report):
    words = re.sub(r"<[^>]*>", "", report.html)
    quoted = re.findall(r"the paper's benchmarks, 1014\.0 to 1014\.8\sh.1\sM☉", words.replace("&#39;", "'"))
    assert len(re.findall(r"h.1\sM☉", words)) == len(quoted) == 2
    assert not re.search(r"10[\d.]{5} (here|and|lowers)", words)  # every power of ten is followed by its unit


def test_a_report_is_reproducible(found, report: Report):
    assert build_report(found, model="A model", provenance={"seed": 1}).html == report.html
    assert len(report.html) < 1_500_000 * 4 / 3  # drawings in base64, four characters for three bytes


def test_included_sections_bring_their_headlines(found):
    counts = Section(key="counts", title="Counts", summary={"n_only_scatter": 0.0374, "scatter": 9.0})
    accuracy = Section(key="accuracy", title="All test catalogs", summary={"scatter": 0.0181, "skill": 0.925})
    made = build_report(
        found, model="A model", include=(counts, accuracy), summaries=[{"n_median_y_x_scatter": 0.0312}]
    )
    assert made.numbers["summary"]["scatter"] == 0.0181
    assert all(text in made.html for text in ("0.0374", "0.0312", "0.0181", "0.925"))
    assert "Not part of this page" not in made.html
    assert made.numbers["included"]["counts"]["scatter"] == 9.0
    assert made.html.index("All test catalogs") < made.html.index("Inferred against true")


def test_numbers_of_different_samples_are_not_mixed(found):
    accuracy = Section(key="accuracy.model", title="All test catalogs", summary={"scatter": 0.0181})
    for made in (
        build_report(found, model="A model", include=(accuracy,)),
        build_report(found, model="A model", summaries=[{"scatter": 0.0181}]),
    ):
        assert made.numbers["summary"] == {"scatter": 0.0181}


ACCURACY = {"scatter": 0.0166, "scatter_err": 0.0008, "prior_scatter": 0.0684, "skill": 0.941, "n_catalogs": 300}
ACCURACY |= {"coverage_68": 0.68}
COUNTS = {"n_only_scatter": 0.0258, "n_only_scatter_err": 0.0018, "prior_scatter": 0.0663, "n_catalogs": 30}


def tiles(made: Report) -> list[str]:
    """Return label, value and note of each tile as text."""
    found = re.findall(r"<div><dt>.*?</div>", made.html)
    return [re.sub(r"<[^>]*>|\s", " ", tile).strip() for tile in found]


@pytest.mark.parametrize("how", ["sections", "files"])
def test_each_tile_has_the_error_catalogs_and_prior_of_its_own_sample(found, how: str):
    """Skill of counts by hand: 1 - (0.0258 / 0.0663)^2 = 0.849, as the table of their section says."""
    sections = (Section(key="accuracy", title="A", summary=ACCURACY), Section(key="counts", title="C", summary=COUNTS))
    told = {"include": sections} if how == "sections" else {"summaries": [ACCURACY, COUNTS]}
    made = build_report(found, model="A model", **told)
    scatter, bias, covered, alone, _ = tiles(made)
    assert "0.0166 ± 0.0008; prior alone 0.0684; skill 0.941; 300 catalogs" in re.sub(" +", " ", scatter)
    assert "± 0.0010; 300 catalogs" in re.sub(" +", " ", bias)  # 0.0166 / sqrt(300)
    assert "± 2.7 % of the true values; 300 catalogs" in re.sub(" +", " ", covered)  # sqrt(0.68 * 0.32 / 300)
    assert "0.0258 ± 0.0018; prior alone 0.0663; skill 0.849; 30 catalogs" in re.sub(" +", " ", alone)
    assert "the model's from 300 catalogs and those of counts from 30" in made.html.replace("&#39;", "'")


def test_equal_samples_need_no_remark(found):
    same = [ACCURACY, {**COUNTS, "n_catalogs": 300}]
    assert "different samples" not in build_report(found, model="A model", summaries=same).html


def test_a_section_of_interpret_is_not_shown_twice(found):
    other = Section(key="inputs.saliency", title="Saliency of more catalogs")
    made = build_report(found, model="A model", include=(other,))
    assert "Saliency of more catalogs" in made.html
    assert "Saliency: the answer to a small change" not in made.html


def test_without_counts_the_page_says_so(report: Report):
    assert "Not part of this page" in report.html
    assert report.html.count("not included") == 2


def test_an_observed_catalog_without_masses(observed, estimator):
    found = interpret(estimator, Sample(batch=observed, n_available=1), CONFIG)
    made = build_report(found, model="A model")
    assert made.numbers["accuracy"] is None
    assert "<sub>8</sub> of these catalogs is unknown" in made.html
    assert "cannot be tested here" in made.html
    assert "Masses are unknown" in made.html
    words = re.sub(r"base64,[^\"')]+", "", made.html.lower())  # an embedded picture may spell anything
    assert not re.search(r"\bnan\b", words)
    assert "of catalog" in made.html  # the inferred value stands at the top


def test_a_model_without_terse_layer(batch):
    found = interpret(PlainEstimator(), Sample(batch=batch, n_available=40), CONFIG)
    made = build_report(found, model="A model")
    assert made.html.count("has no terse layer") >= 3
    assert made.numbers["terse"] is None
    assert "Which clusters matter?" in made.html


def test_lone_clusters(lonely, estimator):
    found = interpret(estimator, Sample(batch=lonely, n_available=40), CONFIG)
    assert "no cluster can be left out" in build_report(found, model="A model").html


def test_nothing_is_overwritten_or_half_written(report: Report, tmp_path: Path):
    (tmp_path / "page.json").write_text("mine")
    with pytest.raises(OutputExistsError):
        write_report(tmp_path / "page.html", report)
    assert [path.name for path in tmp_path.iterdir()] == ["page.json"]
    with pytest.raises(InputError, match="suffix"):
        write_report(tmp_path / "other.json", report)
    assert write_report(tmp_path / "new.html", report) == tmp_path / "new.json"
    assert json.loads((tmp_path / "new.json").read_text()) == report.numbers


@pytest.mark.parametrize("text", ["", "[]", "3", "{"])
def test_a_summary_is_a_json_object(tmp_path: Path, text: str):
    (tmp_path / "s.json").write_text(text)
    with pytest.raises(IntegrityError, match=r"s\.json is not a summary"):
        read_summary(tmp_path / "s.json")
