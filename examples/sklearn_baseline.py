"""A scikit-learn regressor on hand-made statistics as an estimator of earnest, so that `earnest interpret` explains it.

    python examples/sklearn_baseline.py TRAINING_SET TEST_SET PAGE.html

An estimator needs ``description`` and ``predict``. This one has no terse layer: leave-one-out, leave-group-out,
ablation, accuracy and applicability are computed; saliency and the terse value are not, and the page states why.
"""

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import final

import numpy as np
import polars as pl
from earnest_common.bundle import BundleDescription
from earnest_common.catalogs import CatalogSet
from earnest_common.catalogs.batch import CatalogBatch
from earnest_interpret.page.interpretation import InterpretConfig, interpret
from earnest_interpret.page.report import build_report, write_report
from earnest_interpret.sample import read_sample
from sklearn.ensemble import HistGradientBoostingRegressor

COLUMNS = ("l_x", "t_x", "m_gas", "m_wl")


def statistics(batch: CatalogBatch) -> np.ndarray:
    """Return ln N, and quantiles of the logarithm of each column, per catalog."""
    log10 = [np.log10(batch.column(name)) for name in COLUMNS]
    rows = [slice(a, b) for a, b in zip(batch.row_splits[:-1], batch.row_splits[1:], strict=True)]
    return np.array([[np.log(r.stop - r.start), *np.quantile([x[r] for x in log10], [0.1, 0.5, 0.9], 1).T.ravel()]
                     for r in rows])  # fmt: skip


@final
@dataclass(frozen=True, kw_only=True)
class Baseline:
    """Gradient boosting of the statistics; ``regressor`` is fitted, ``error`` its scatter on other catalogs."""

    regressor: HistGradientBoostingRegressor
    error: float
    description: BundleDescription

    def predict(self, batch: CatalogBatch) -> pl.DataFrame:
        """Return one row per catalog, with an interval of the same width for all."""
        sigma8 = pl.Series(self.regressor.predict(statistics(batch)))
        rows = {"sigma8": sigma8, "sigma8_lo68": sigma8 - self.error, "sigma8_hi68": sigma8 + self.error}
        return batch.catalogs.select("catalog_id").with_columns(**rows, sigma8_err=pl.lit(self.error))


def fit(batch: CatalogBatch, *, seed: int = 1) -> Baseline:
    """Return the baseline, fitted on three quarters of the catalogs; the last quarter gives its error."""
    x, y, n = statistics(batch), batch.label("sigma8").astype(np.float64), 3 * batch.n_catalogs // 4
    regressor = HistGradientBoostingRegressor(max_iter=200, learning_rate=0.05, random_state=seed).fit(x[:n], y[:n])
    prior = {"sigma8": (float(y.min()), float(y.max()))}
    description = BundleDescription(
        estimator="scikit-learn", features=(), supplementary=COLUMNS, radii=batch.radii, scaling={}, prior=prior
    )
    return Baseline(regressor=regressor, error=float(np.std((regressor.predict(x) - y)[n:])), description=description)


def main(training: str, test: str, page: str) -> None:
    """Fit, interpret and write the page."""
    model = fit(CatalogSet.open(Path(training)).read())
    found = interpret(model, read_sample(CatalogSet.open(Path(test)), max_catalogs=50), InterpretConfig())
    write_report(Path(page), build_report(found, model="Gradient boosting of hand-made statistics"))
    sys.stdout.write("\n".join(reason.text for reason in found.reasons) + "\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
