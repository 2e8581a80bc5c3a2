"""Catalogs that obey the referee's model exactly: every halo of the volume drawn, observed and selected."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import final

import numpy as np
import polars as pl
from earnest_common.arrays import FloatArray
from earnest_common.catalogs.batch import CatalogBatch
from earnest_common.survey.presets import Preset
from earnest_common.survey.scaling import FACTORS, with_factors

from earnest_selfcal.exact_posterior.residuals import X_RAY, ResidualModel, lognormal
from earnest_selfcal.forward.population import MassFunction, log10_m_edges, mass_function_for
from earnest_selfcal.survey.measurement_errors import MeasurementErrors, noise_of

__all__ = ["ModelCatalogs", "draw_batch", "draw_catalog"]

_STEP = 0.01


@final
@dataclass(frozen=True, kw_only=True, eq=False)
class ModelCatalogs:
    """A maker of catalogs.

    Attributes
    ----------
    preset
        The survey.
    residuals
        How X-ray observables scatter at fixed mass.
    noise
        Errors of measurement.
    mass_function
        The abundance of halos.
    """

    preset: Preset
    residuals: ResidualModel
    noise: MeasurementErrors
    mass_function: MassFunction

    @classmethod
    def of(
        cls,
        preset: Preset,
        *,
        residuals: ResidualModel | None = None,
        noise: MeasurementErrors | None = None,
        mass_function: MassFunction | None = None,
    ) -> "ModelCatalogs":
        """Return the maker for a preset; by default with its lognormal residuals, its noise and COLOSSUS."""
        return cls(
            preset=preset,
            residuals=residuals or lognormal(preset.relations, preset.correlation),
            noise=noise_of(preset) if noise is None else noise,
            mass_function=mass_function or mass_function_for(preset),
        )


def draw_catalog(
    maker: ModelCatalogs, parameters: Mapping[str, float], *, rng: np.random.Generator
) -> dict[str, FloatArray]:
    """Return one catalog: m_500c, m_wl [solMass], l_x, t_x, m_gas, each of shape (n_clusters,), in falling l_x.

    Parameters
    ----------
    maker
        Survey and residuals.
    parameters
        All parameters by name, as one row of ``Priors.draw``.
    rng
        Random generator.

    Examples
    --------
    >>> from earnest_common.survey.presets import preset
    >>> paper = preset("paper")
    >>> rng = np.random.default_rng(1)
    >>> truth = {name: float(value[0]) for name, value in paper.priors.draw(1, rng=rng).items()}
    >>> catalog = draw_catalog(ModelCatalogs.of(paper), truth, rng=rng)
    >>> bool(catalog["m_500c"].min() > 10**13.6)
    True
    """
    survey = maker.preset.survey
    edges = log10_m_edges(survey, _STEP)
    density = maker.mass_function.dn_dlog10_m((edges[1:] + edges[:-1]) / 2, parameters["sigma8"])
    counts = rng.poisson(survey.volume * _STEP * density)
    log10_m = np.repeat(edges[:-1], counts) + _STEP * rng.random(counts.sum())
    relations = with_factors(maker.preset.relations, {name: parameters[name] for name in FACTORS})
    residual = maker.residuals.draw(log10_m, rng=rng)
    log10_x = {
        name: np.asarray(getattr(relations, name).log10_mean(log10_m)) + parameters[f"{name}_scatter"] * residual[:, i]
        for i, name in enumerate(X_RAY)
    }
    for name in ("t_x", "m_gas"):
        if error := maker.noise.dex(name):
            log10_x[name] = log10_x[name] + maker.noise.offset(name) + error * rng.standard_normal(len(log10_m))
    log10_x["m_500c"] = log10_m
    log10_x["m_wl"] = log10_m + parameters["m_wl_scatter"] / np.log(10) * rng.standard_normal(len(log10_m))
    log10_x["m_wl"] = log10_x["m_wl"] + np.log10(parameters["m_wl_bias"])
    seen = rng.random(len(log10_m)) < survey.detection_probability(log10_m, log10_x["l_x"], relations.l_x)
    order = np.argsort(-log10_x["l_x"][seen])
    return {name: np.asarray(10 ** values[seen][order]) for name, values in log10_x.items()}


def draw_batch(
    maker: ModelCatalogs, parameters: Mapping[str, FloatArray], *, rng: np.random.Generator, split: str | None = "test"
) -> CatalogBatch:
    """Return catalogs with their truth, ids counting from 0.

    Parameters
    ----------
    maker
        Survey and residuals.
    parameters
        All parameters by name, arrays of shape (n_catalogs,).
    rng
        Random generator.
    split
        What the catalogs are for.
    """
    n = len(parameters["sigma8"])
    rows = [{name: float(values[i]) for name, values in parameters.items()} for i in range(n)]
    drawn = [draw_catalog(maker, row, rng=rng) for row in rows]
    counts = np.array([len(one["l_x"]) for one in drawn])
    catalogs = pl.DataFrame(
        {"catalog_id": np.arange(n), "n_clusters": counts, "split": [split] * n, "survey": [maker.preset.name] * n},
        schema_overrides={"split": pl.String},
    ).with_columns(**{name: pl.Series(values) for name, values in parameters.items()})
    rank = np.concatenate([np.arange(count) for count in counts])
    clusters = pl.DataFrame(
        {"catalog_id": np.repeat(np.arange(n), counts), "cluster_id": rank, "rank": rank}
    ).with_columns(
        z=pl.lit(maker.preset.survey.z),
        **{name: pl.Series(np.concatenate([one[name] for one in drawn])) for name in drawn[0]},
    )
    return CatalogBatch.conformed(catalogs, clusters, subject="catalogs of the model")
