"""The terse value as a mass proxy and as a formula, of one model on one sample."""

from dataclasses import dataclass
from typing import final

import numpy as np
import polars as pl
from earnest_common.arrays import FloatArray
from earnest_common.catalogs.batch import CatalogBatch
from earnest_common.errors import InputError
from earnest_common.protocols import Estimator, TerseEstimator

from earnest_interpret.analyses.terse.correlations import MassProxy, mass_proxies
from earnest_interpret.analyses.terse.formula import ClosedForms, closed_forms
from earnest_interpret.input_space import input_space
from earnest_interpret.sample import MassAxis

__all__ = ["ProxyFindings", "find_proxy", "proxy_table"]


@final
@dataclass(frozen=True, kw_only=True)
class ProxyFindings:
    """What the terse value is worth as a number of a cluster.

    Attributes
    ----------
    proxies
        Mass scatter of the terse value, of m_gas and of y_x; empty without true masses.
    forms
        Formulas; ``None`` where the model does not name its inputs or the terse value does not vary.
    formula_values
        Terse values by the best short formula, shape (n_clusters,); empty without one.
    """

    proxies: tuple[MassProxy, ...]
    forms: ClosedForms | None
    formula_values: FloatArray


def find_proxy(estimator: Estimator, terse: FloatArray, batch: CatalogBatch, axis: MassAxis | None) -> ProxyFindings:
    """Return the proxies and the formulas.

    Parameters
    ----------
    estimator
        The model.
    terse
        Its terse values, shape (n_clusters,).
    batch
        The catalogs.
    axis
        Masses of the clusters, if known.
    """
    proxies = mass_proxies(terse, batch, axis)
    try:
        space = input_space(estimator) if isinstance(estimator, TerseEstimator) else None
    except InputError:
        space = None
    if space is None or not isinstance(estimator, TerseEstimator):
        return ProxyFindings(proxies=proxies, forms=None, formula_values=np.empty(0))
    inputs, names = space.read_unscaled(batch), estimator.feature_names
    forms = closed_forms(terse, inputs, names)
    values = forms.best[-1](inputs, names) if forms else np.empty(0)
    return ProxyFindings(proxies=proxies, forms=forms, formula_values=values)


def proxy_table(batch: CatalogBatch, terse: FloatArray, found: ProxyFindings) -> pl.DataFrame:
    """Return catalog_id, cluster_id, terse, its formula's value, and each proxy's error ``ln_m_error_...``."""
    columns = {"terse": terse}
    if found.forms:
        columns["terse_formula"] = found.formula_values
    columns |= {f"ln_m_error_{proxy.name}": proxy.error for proxy in found.proxies}
    series = [pl.Series(name, values, dtype=pl.Float64).fill_nan(None) for name, values in columns.items()]
    return batch.clusters.select("catalog_id", "cluster_id").with_columns(series)
