"""Samples and models without any spread: null where nothing can be said, and nothing absurd anywhere."""

import dataclasses
import json
import math
import warnings
from collections.abc import Iterator
from typing import Any

import numpy as np
import polars as pl
import pytest
from earnest_common.spread import SAME_SIGMA8
from earnest_common.testing import toy_batch
from earnest_interpret.accuracy import summarise_accuracy
from earnest_interpret.page.interpretation import InterpretConfig, interpret
from earnest_interpret.page.report import build_report
from earnest_interpret.sample import Sample
from earnest_interpret.statistics.correlation import correlate
from earnest_interpret.testing import SaturatingEstimator

ESTIMATORS = {
    "alive": SaturatingEstimator(constant=0.5),
    "no input counts": SaturatingEstimator(weights={}, constant=0.809),
    "only rounding": SaturatingEstimator(weights={"log10_t_x": 1e-12}, constant=0.809),
}


def numbers_in(value: Any) -> Iterator[float]:
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, (list, tuple)):
        for item in value:
            yield from numbers_in(item)
    elif isinstance(value, float):
        yield value


@pytest.mark.parametrize(
    ("name", "sigma8", "n_catalogs"),
    [("alive", 0.809, 30), ("only rounding", 0.809, 30), ("no input counts", None, 30), ("alive", None, 1)],
)
def test_a_page_without_spread(name, sigma8, n_catalogs):
    estimator = ESTIMATORS[name]
    batch = toy_batch(n_catalogs=n_catalogs, seed=1)
    if sigma8 is not None:
        batch = dataclasses.replace(batch, catalogs=batch.catalogs.with_columns(sigma8=pl.lit(sigma8)))
    sample = Sample(batch=batch, n_available=n_catalogs)
    with warnings.catch_warnings():
        warnings.simplefilter("error", RuntimeWarning)
        found = interpret(estimator, sample, InterpretConfig(n_permutations=99))
        report = build_report(found, model="A model")
    told = json.loads(json.dumps(report.numbers, allow_nan=False))
    own = {name: told[name] for name in ("summary", "accuracy", "terse", "leave_one_out") if told[name]}
    assert max((abs(x) for x in numbers_in(own)), default=0) < 1e6
    assert "e+" not in report.html.split("<main")[1].replace("e+charset", "").partition("base64")[0]
    assert "nan" not in " ".join(told["reasons"]).split()
    if sigma8 is not None and n_catalogs > 2:
        assert told["accuracy"]["skill"] is None
        assert told["accuracy"]["prior_scatter"] == 0
        assert SAME_SIGMA8 in " ".join(text for section in found.sections() for text in section.text)


def test_rounding_of_one_value_is_no_spread():
    """The standard deviation of many equal numbers is of the order of their last digit, and no prior."""
    truth = np.full(120, 0.809)
    inferred = pl.Series(0.81 + 0.01 * np.sin(np.arange(120)))
    frame = pl.DataFrame({"sigma8": inferred, "sigma8_lo68": inferred - 0.1, "sigma8_hi68": inferred + 0.1})
    found = summarise_accuracy(frame, truth)
    assert found.prior_scatter == 0
    assert math.isnan(found.skill)
    rng = np.random.default_rng(1)
    noise = 0.5 + 1e-12 * rng.normal(size=120)
    assert math.isnan(correlate(noise, inferred.to_numpy(), np.arange(120), rng=rng).pearson)
