"""An estimator whose reasons are known exactly, for tests and as an example of what an estimator must offer."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Literal, final

import numpy as np
import polars as pl
from earnest_common.arrays import FloatArray
from earnest_common.bundle import BundleDescription
from earnest_common.catalogs.batch import CatalogBatch
from earnest_common.schema import RADII_R500C

__all__ = ["FEATURES", "PlainEstimator", "SaturatingEnsemble", "SaturatingEstimator"]

_PROFILES = ("log10_m_gas_profile", "gas_slope_profile")
FEATURES = ("log10_t_x", *(f"{name}_{place}" for name in _PROFILES for place in range(1, len(RADII_R500C) + 1)))

_SCALING = {"t_x": (0.0, 1.2), "m_gas_profile": (11.5, 3.0), "gas_slope_profile": (-3.5, 3.5)}


def _sums(values: FloatArray, batch: CatalogBatch) -> FloatArray:
    sums = np.bincount(batch.segment_ids, weights=values, minlength=batch.n_catalogs)
    return np.asarray(sums, dtype=np.float64)


def _description(name: str) -> BundleDescription:
    return BundleDescription(
        estimator=name,
        features=("t_x", "m_gas_profile", "gas_slope_profile"),
        supplementary=(),
        radii=RADII_R500C,
        scaling=_SCALING,
        prior={"sigma8": (0.70, 0.92)},
    )


@final
@dataclass(frozen=True, kw_only=True)
class SaturatingEstimator:
    r"""Terse value and sigma8 as closed forms of the scaled inputs x.

    .. math:: t_i = s \tanh(w \cdot x_i / s) , \qquad
              \hat\sigma_8 = a + b \, \overline{t} + c \ln N

    Attributes
    ----------
    weights
        w by input name; those not named are 0.
    saturation
        s; large values make the terse value linear.
    constant, per_terse, per_ln_n
        a, b and c.
    error
        Half-width of the 68 % interval.

    Examples
    --------
    >>> from earnest_common.testing import toy_batch
    >>> batch = toy_batch(n_catalogs=2, seed=1)
    >>> estimator = SaturatingEstimator(weights={"log10_t_x": 0.5}, saturation=1e6)
    >>> estimator.gradient(batch, of="terse")[0, :2].round(6)
    array([0.5, 0. ])
    """

    weights: Mapping[str, float] = field(default_factory=lambda: {"log10_t_x": 1.0})
    saturation: float = 1.0
    constant: float = 0.81
    per_terse: float = 1.0
    per_ln_n: float = 0.0
    error: float = 0.02

    @property
    def description(self) -> BundleDescription:
        """What the estimator expects."""
        return _description("saturating")

    @property
    def feature_names(self) -> tuple[str, ...]:
        """The inputs, profiles counted from 1."""
        return FEATURES

    def encode(self, batch: CatalogBatch) -> FloatArray:
        """Return the terse value of each cluster."""
        return np.asarray(self.saturation * np.tanh(self._drive(batch) / self.saturation), dtype=np.float64)

    def predict(self, batch: CatalogBatch) -> pl.DataFrame:
        """Return one row per catalog."""
        counts = np.diff(batch.row_splits).astype(np.float64)
        sigma8 = self._sigma8(_sums(self.encode(batch), batch), counts)
        return batch.catalogs.select("catalog_id").with_columns(
            sigma8=pl.Series(sigma8),
            sigma8_err=pl.Series(np.full_like(sigma8, self.error)),
            sigma8_lo68=pl.Series(sigma8 - self.error),
            sigma8_hi68=pl.Series(sigma8 + self.error),
        )

    def gradient(self, batch: CatalogBatch, *, of: Literal["terse", "sigma8"]) -> FloatArray:
        """Return the derivatives with respect to the scaled inputs."""
        terse = (1 - np.tanh(self._drive(batch) / self.saturation) ** 2)[:, None] * self._w
        if of == "terse":
            return np.asarray(terse, dtype=np.float64)
        counts = np.diff(batch.row_splits)[batch.segment_ids]
        return np.asarray(self.per_terse * terse / counts[:, None], dtype=np.float64)

    def leave_one_out(self, batch: CatalogBatch) -> FloatArray:
        """Return sigma8 without each cluster minus sigma8 with all."""
        terse, segment = self.encode(batch), batch.segment_ids
        counts = np.diff(batch.row_splits)[segment].astype(np.float64)
        sums = _sums(terse, batch)[segment]
        with np.errstate(divide="ignore", invalid="ignore"):  # a lone cluster leaves nothing, hence NaN
            without = self._sigma8(sums - terse, counts - 1)
        return np.where(counts > 1, without - self._sigma8(sums, counts), np.nan)

    def randomised(self, seed: int) -> "SaturatingEstimator":
        """Return the estimator with its weights on other inputs, in random order."""
        order = np.random.default_rng(seed).permutation(len(FEATURES))
        return replace(self, weights={FEATURES[j]: float(w) for j, w in zip(order, self._w, strict=True)})

    @property
    def _w(self) -> FloatArray:
        return np.array([self.weights.get(name, 0.0) for name in FEATURES])

    def _drive(self, batch: CatalogBatch) -> FloatArray:
        columns = {
            "t_x": np.log10(batch.column("t_x"))[:, None],
            "m_gas_profile": np.log10(batch.column("m_gas_profile")),
            "gas_slope_profile": batch.column("gas_slope_profile"),
        }
        scaled = [(columns[name] - offset) / width for name, (offset, width) in _SCALING.items()]
        return np.asarray(np.hstack(scaled) @ self._w, dtype=np.float64)

    def _sigma8(self, sums: FloatArray, counts: FloatArray) -> FloatArray:
        value = self.constant + self.per_terse * sums / counts + self.per_ln_n * np.log(counts)
        return np.asarray(value, dtype=np.float64)


@final
@dataclass(frozen=True, kw_only=True)
class SaturatingEnsemble:
    """Several :class:`SaturatingEstimator` as trainings of one model, which answers with their mean.

    Examples
    --------
    >>> from earnest_common.testing import toy_batch
    >>> batch = toy_batch(n_catalogs=2, seed=1)
    >>> one, two = SaturatingEstimator(constant=0.8), SaturatingEstimator(constant=0.9)
    >>> ensemble = SaturatingEnsemble(members=(one, two))
    >>> np.allclose(ensemble.predict(batch)["sigma8"] - one.predict(batch)["sigma8"], 0.05)
    True
    """

    members: tuple[SaturatingEstimator, ...]

    @property
    def description(self) -> BundleDescription:
        """What the estimator expects."""
        return self.members[0].description

    @property
    def feature_names(self) -> tuple[str, ...]:
        """Names of the encoder's inputs."""
        return FEATURES

    def encode(self, batch: CatalogBatch) -> FloatArray:
        """Return the mean terse value of each cluster, shape (n_clusters,)."""
        return np.asarray(np.mean([member.encode(batch) for member in self.members], axis=0))

    def predict(self, batch: CatalogBatch) -> pl.DataFrame:
        """Return one row per catalog."""
        tables = [member.predict(batch) for member in self.members]
        names = [name for name in tables[0].columns if name != "catalog_id"]
        means = {name: np.mean([table[name].to_numpy() for table in tables], axis=0) for name in names}
        return tables[0].select("catalog_id").with_columns(**{name: pl.Series(mean) for name, mean in means.items()})

    def gradient(self, batch: CatalogBatch, *, of: Literal["terse", "sigma8"]) -> FloatArray:
        """Return the mean derivative, shape (n_clusters, n_features)."""
        return np.asarray(np.mean([member.gradient(batch, of=of) for member in self.members], axis=0))

    def leave_one_out(self, batch: CatalogBatch) -> FloatArray:
        """Return the mean change of sigma8 without each cluster, shape (n_clusters,)."""
        return np.asarray(np.mean([member.leave_one_out(batch) for member in self.members], axis=0))


@final
@dataclass(frozen=True, kw_only=True)
class PlainEstimator:
    r"""An estimator without terse layer: :math:`\hat\sigma_8 = a + c \ln N`, no interval."""

    constant: float = 0.0
    per_ln_n: float = 0.2

    @property
    def description(self) -> BundleDescription:
        """What the estimator expects."""
        return _description("plain")

    def predict(self, batch: CatalogBatch) -> pl.DataFrame:
        """Return one row per catalog."""
        sigma8 = self.constant + self.per_ln_n * np.log(np.diff(batch.row_splits))
        unknown = pl.Series(np.full_like(sigma8, np.nan))
        return batch.catalogs.select("catalog_id").with_columns(
            sigma8=pl.Series(sigma8), sigma8_err=unknown, sigma8_lo68=unknown, sigma8_hi68=unknown
        )
