"""Laws of the report: the page and its JSON say the same, and what is missing is said."""

import json
import re
from pathlib import Path

import pytest
from earnest_common.errors import InputError, OutputExistsError
from earnest_common.section import Section
from earnest_interpret.interpretation import InterpretConfig, interpret
from earnest_interpret.report import Report, build_report, finite, read_summary, write_report
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


def test_a_report_is_reproducible(found, report: Report):
    assert build_report(found, model="A model", provenance={"seed": 1}).html == report.html
    assert len(report.html) < 1_500_000


def test_included_sections_bring_their_headlines(found):
    counts = Section(key="counts", title="Counts", summary={"n_only_scatter": 0.0374, "scatter": 9.0})
    accuracy = Section(key="accuracy", title="All test catalogs", summary={"scatter": 0.0181, "skill": 0.925})
    made = build_report(found, model="A model", include=(counts, accuracy), summary={"n_median_y_x_scatter": 0.0312})
    assert made.numbers["summary"]["scatter"] == 0.0181
    assert all(text in made.html for text in ("0.0374", "0.0312", "0.0181", "0.925"))
    assert "Not part of this page" not in made.html
    assert made.numbers["included"]["counts"]["scatter"] == 9.0
    assert made.html.index("All test catalogs") < made.html.index("Inferred against true")


def test_numbers_of_different_samples_are_not_mixed(found):
    accuracy = Section(key="accuracy.model", title="All test catalogs", summary={"scatter": 0.0181})
    for made in (
        build_report(found, model="A model", include=(accuracy,)),
        build_report(found, model="A model", summary={"scatter": 0.0181}),
    ):
        assert made.numbers["summary"] == {"scatter": 0.0181}


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
    with pytest.raises(InputError, match=r"s\.json"):
        read_summary(tmp_path / "s.json")


def test_numbers_that_are_not_finite_are_null():
    assert finite({"a": (float("inf"), 1, "x", None, {"b": float("nan")})}) == {"a": [None, 1, "x", None, {"b": None}]}
