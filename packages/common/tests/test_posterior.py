"""The posterior of one parameter: SciPy's histogram, limits with known answers, and laws for any histogram."""

import sys
from types import ModuleType, SimpleNamespace

import numpy as np
import pytest
from earnest_common.errors import InputError, MissingExtraError
from earnest_common.posterior import Posterior
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.stats import kstest, norm, rv_histogram


@st.composite
def posteriors(draw) -> Posterior:
    n = draw(st.integers(1, 20))
    widths = draw(arrays(float, n, elements=st.floats(1e-3, 10)))
    weights = draw(arrays(float, n, elements=st.floats(0, 1)).filter(lambda w: w.sum() > 1e-3))
    edges = draw(st.floats(-5, 5)) + np.append(0.0, np.cumsum(widths))
    return Posterior(edges=edges, probability=weights / weights.sum())


@given(posteriors(), st.floats(0.01, 0.99))
def test_against_scipy(one, p):
    """SciPy's own histogram, given counts and edges."""
    scipy = rv_histogram((one.probability, one.edges), density=False)
    x = np.linspace(one.edges[0] - 1, one.edges[-1] + 1, 301)
    np.testing.assert_allclose(one.pdf(x), scipy.pdf(x), rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(one.cdf(x), scipy.cdf(x), atol=1e-12)
    assert one.mean == pytest.approx(scipy.mean(), rel=1e-9, abs=1e-9)
    assert one.std == pytest.approx(scipy.std(), rel=1e-6, abs=1e-6)
    assert one.cdf(one.quantile(p)) == pytest.approx(p, abs=1e-9)


@given(posteriors())
def test_laws(one):
    """Distributions rise from 0 to 1, quantiles rise, intervals are nested, the density adds up to one."""
    assert one.cdf(one.edges[0]) == 0
    assert one.cdf(one.edges[-1]) == pytest.approx(1)
    x = np.sort(np.concatenate((one.edges, np.linspace(one.edges[0], one.edges[-1], 97))))
    assert (np.diff(one.cdf(x)) >= -1e-15).all()  # interpolation rounds
    quantiles = [one.quantile(p) for p in np.linspace(0, 1, 41)]
    assert (np.diff(quantiles) >= 0).all()
    (lo95, hi95), (lo68, hi68) = one.interval(0.95), one.interval(0.68)
    assert one.edges[0] <= lo95 <= lo68 <= hi68 <= hi95 <= one.edges[-1]
    assert one.pdf(one.middles) @ one.widths == pytest.approx(1)


def test_one_bin_is_the_uniform_distribution():
    one = Posterior(edges=np.array([2.0, 5.0]), probability=np.array([1.0]))
    assert (one.mean, one.std) == (3.5, pytest.approx(3 / np.sqrt(12)))
    assert one.interval(0.5) == (2.75, 4.25)
    assert one.pdf(np.array([1.9, 2.0, 4.9, 5.1])).tolist() == pytest.approx([0, 1 / 3, 1 / 3, 0])


def test_many_bins_are_the_gaussian():
    edges = np.linspace(-8, 8, 3201)
    one = Posterior(edges=edges, probability=np.diff(norm.cdf(edges)) / np.ptp(norm.cdf(edges[[0, -1]])))
    assert one.mean == pytest.approx(0, abs=1e-12)
    assert one.std == pytest.approx(1, rel=1e-5)
    assert one.interval(0.6827) == pytest.approx((-1, 1), abs=2e-4)
    assert one.interval(0.9545) == pytest.approx((-2, 2), abs=2e-3)


def test_values_on_a_grid_have_no_width():
    """A gridded parameter: moments of its values, and only these are drawn."""
    nodes, share = np.array([0.70, 0.71, 0.72]), np.array([0.2, 0.5, 0.3])
    one = Posterior.of_cells(nodes, 0.01, share, ln_evidence=-3.0)
    np.testing.assert_allclose(one.middles, nodes)
    assert one.mean == pytest.approx(share @ nodes)
    assert one.std == pytest.approx(np.sqrt(share @ nodes**2 - (share @ nodes) ** 2))
    drawn = one.sample(2000, np.random.default_rng(1))
    np.testing.assert_allclose(np.unique(drawn), nodes)
    assert one.interval(0.5)[1] == pytest.approx(0.715 + 0.01 * 0.05 / 0.3)


def test_draws_follow_the_distribution():
    one = Posterior(edges=np.array([0.0, 1.0, 1.5, 4.0]), probability=np.array([0.5, 0.2, 0.3]))
    drawn = one.sample(4000, np.random.default_rng(7))
    assert kstest(drawn, one.cdf).pvalue > 1e-3
    assert drawn.mean() == pytest.approx(one.mean, abs=4 * one.std / np.sqrt(4000))


@pytest.mark.parametrize(
    ("edges", "probability", "words"),
    [
        ([0, 1, 2], [1.0], "one probability for each bin"),
        ([0, 2, 1], [0.5, 0.5], "rise"),
        ([0, 1, np.inf], [0.5, 0.5], "finite"),
        ([0, 1, 2], [0.5, 0.6], "add up to 1"),
        ([0, 1, 2], [1.5, -0.5], "not be negative"),
        ([0, 1, 2], [np.nan, 1.0], "add up to 1"),
    ],
)
def test_what_is_no_distribution_is_refused(edges, probability, words):
    with pytest.raises(InputError, match=words):
        Posterior(edges=np.array(edges, dtype=float), probability=np.array(probability))


ONE = Posterior(edges=np.array([0.7, 0.8, 0.9]), probability=np.array([0.25, 0.75]), name="Om0")


def test_pandas_gets_the_bins():
    frame = ONE.to_pandas()
    assert frame.columns.tolist() == ["low", "high", "probability", "density"]
    assert ((frame["high"] - frame["low"]) * frame["density"]).sum() == pytest.approx(1)


@pytest.mark.filterwarnings("ignore")
def test_arviz_gets_chains_of_draws():
    pytest.importorskip("arviz")
    found = ONE.to_arviz(500, np.random.default_rng(1))["posterior"]["Om0"]
    assert found.shape == (4, 500)
    assert float(found.mean()) == pytest.approx(ONE.mean, abs=4 * ONE.std / np.sqrt(2000))


@pytest.mark.parametrize("version", ["0.23.4", "1.0.0"])
def test_both_kinds_of_arviz_are_asked_in_their_way(monkeypatch, version):
    """Release 1 takes all groups in one argument; before, each group had its own."""

    def old(*, posterior):
        return {"posterior": posterior}

    def new(data):
        return data

    arviz = SimpleNamespace(__version__=version, from_dict=old if version[0] == "0" else new)
    monkeypatch.setitem(sys.modules, "arviz", arviz)
    assert ONE.to_arviz(5, np.random.default_rng(1), n_chains=2)["posterior"]["Om0"].shape == (2, 5)


def test_getdist_gets_draws_and_bounds(monkeypatch):
    getdist = ModuleType("getdist")
    getdist.MCSamples = SimpleNamespace
    monkeypatch.setitem(sys.modules, "getdist", getdist)
    found = ONE.to_getdist(100, np.random.default_rng(1))
    assert (found.names, found.ranges, found.samples.shape) == (["Om0"], {"Om0": [0.7, 0.9]}, (100, 1))


@pytest.mark.parametrize(
    ("module", "remedy"), [("pandas", "pandas"), ("arviz", r"common\[arviz\]"), ("getdist", "getdist")]
)
def test_a_missing_package_is_named(monkeypatch, module, remedy):
    monkeypatch.setitem(sys.modules, module, None)
    rng = np.random.default_rng(1)
    asked = {"pandas": ONE.to_pandas, "arviz": lambda: ONE.to_arviz(5, rng), "getdist": lambda: ONE.to_getdist(5, rng)}
    with pytest.raises(MissingExtraError, match=f"pip install .*{remedy}"):
        asked[module]()
