"""Laws of leaving clusters out of a convolutional network: the plan against brute force, and the network's answers."""

import numpy as np
import pytest
from earnest_model.config import PaperConfig, TrainingConfig
from earnest_model.data.arrays import Arrays
from earnest_model.networks import architecture
from earnest_model.networks.paper.removal import OWN_ROWS, plan_removals
from hypothesis import given, settings
from hypothesis import strategies as st


def _next(windows: np.ndarray) -> np.ndarray:
    """Return a nonlinear function of five rows that tells their order, shape (n_rows,)."""
    return np.sin(windows @ np.array([1.0, 2.3, 3.1, 4.7, 5.9]) + 1.0)


def _maximum_by_hand(rows: np.ndarray, levels: int) -> float:
    """Return the largest value of the last level of one catalog, -inf if it has no row."""
    for _ in range(levels):
        n = len(rows) // 2
        padded = np.concatenate([[0.0], rows, np.zeros(4)])
        rows = _next(padded[2 * np.arange(n)[:, None] + np.arange(5)])
    return float(rows.max(initial=-np.inf))


def _maximum_by_plan(catalogs: list[np.ndarray], plan) -> np.ndarray:
    rows = np.concatenate([[0.0], *catalogs])
    for windows in plan.windows:
        rows = np.concatenate([[0.0], _next(rows[windows])])
    rows[0] = -np.inf
    ahead = [rows[a : b + 1].max() for a, b in zip(plan.first[plan.before], plan.before, strict=True)]
    behind = [rows[a : b + 1].max() for a, b in zip(plan.behind, plan.last[plan.behind], strict=True)]
    return np.max([ahead, behind, rows[plan.own].max(axis=1)], axis=0)


@given(
    counts=st.lists(st.integers(1, 90), min_size=1, max_size=4),
    levels=st.integers(1, 4),
    seed=st.integers(0, 1000),
)
@settings(max_examples=60, deadline=None)
def test_the_plan_gives_what_brute_force_gives(counts, levels, seed):
    rng = np.random.default_rng(seed)
    catalogs = [rng.normal(size=n) for n in counts]
    catalog = np.repeat(np.arange(len(counts)), counts)
    place = np.concatenate([np.arange(n) for n in counts])
    chosen = rng.permutation(len(catalog))[: 1 + len(catalog) // 2]  # any clusters, in any order
    plan = plan_removals(np.array(counts), catalog[chosen], place[chosen], levels=levels)
    expected = [_maximum_by_hand(np.delete(catalogs[catalog[q]], place[q]), levels) for q in chosen]
    np.testing.assert_allclose(_maximum_by_plan(catalogs, plan), expected, atol=1e-12)


def test_work_does_not_grow_with_the_catalog():
    """Leaving one cluster out costs at most four rows of each level, however large the catalog."""
    n, levels = 4000, 4
    alone = plan_removals(np.array([n]), np.empty(0, int), np.empty(0, int), levels=levels)
    all_of_them = plan_removals(np.array([n]), np.zeros(n, int), np.arange(n), levels=levels)
    for one, other in zip(alone.windows, all_of_them.windows, strict=True):
        assert len(other) - len(one) <= OWN_ROWS * n
    assert (all_of_them.own > 0).sum(axis=1).max() == OWN_ROWS


@pytest.fixture(
    scope="module",
    params=[(1, "mean", "brightest_last"), (2, "max", "brightest_first"), (4, "mean", "brightest_last")],
    ids=str,
)
def inference(request):
    """A small network of the paper's form, with its first weights."""
    levels, pooling, order = request.param
    paper = PaperConfig(encoder=(16, 8), convolutions=(8,) * levels, dense=(16, 8), pooling=pooling, order=order)
    config = TrainingConfig(architecture="paper", paper=paper)
    kind = architecture("paper")
    return kind.ask(kind.build(config, _random([20, 20])), 100_000)  # two, so that sigma8 varies


def _random(counts: list[int]) -> Arrays:
    rng = np.random.default_rng(4)
    return Arrays(
        encoder=rng.random((sum(counts), 15), dtype=np.float32),
        supplementary=rng.random((sum(counts), 2), dtype=np.float32),
        counts=np.array(counts, np.int32),
        labels=np.linspace(0.7, 0.9, len(counts))[:, None],
    )


def test_catalogs_of_any_size(inference):
    """Equal to predictions of the reduced catalogs within 1e-5 of the scaled label; NaN for a lone cluster."""
    sizes = [1, 2, 3, 4, 5, 8, 15, 16, 17, 18, 34, 35, 130, 340]
    found = np.split(inference.leave_one_out(_random(sizes)), np.cumsum(sizes)[:-1])
    for arrays, delta in zip(_random(sizes).batches(1), found, strict=True):
        n = int(arrays.counts[0])
        if n == 1:
            assert np.isnan(delta).all()
            continue
        some = np.unique(np.linspace(0, n - 1, 40).astype(int))
        others = np.concatenate([np.delete(np.arange(n), r) for r in some])
        without = Arrays(
            encoder=arrays.encoder[others],
            supplementary=arrays.supplementary[others],
            counts=np.full(len(some), n - 1, np.int32),
            labels=np.zeros((len(some), 1)),
        )
        expected = inference.sigma8(without) - inference.sigma8(arrays)
        np.testing.assert_allclose(delta[some], expected, atol=1e-5 * inference.network.head.width)
        assert np.abs(expected).max() > 1e-4 * inference.network.head.width  # not all zero


def test_neighbours_in_a_batch_do_not_matter(inference):
    sizes = [40, 33, 71]
    together = inference.leave_one_out(_random(sizes))
    alone = np.concatenate([inference.leave_one_out(one) for one in _random(sizes).batches(1)])
    np.testing.assert_allclose(together, alone, atol=1e-6)  # rounding of single precision, in sigma8
