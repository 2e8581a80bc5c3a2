"""Errors of measurement: how far observed temperatures and gas masses are from the true ones."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, final

import numpy as np
from earnest_common.arrays import FloatArray
from earnest_common.errors import InputError
from earnest_common.survey.presets import Preset

__all__ = ["MeasurementErrors", "noise_of", "recorded_noise"]

_LN_10 = math.log(10.0)


@final
@dataclass(frozen=True, kw_only=True)
class MeasurementErrors:
    """Lognormal, unbiased, independent errors of each cluster; luminosities, which are selected on, have none.

    Attributes
    ----------
    t_x, m_gas
        Fractional errors.

    Examples
    --------
    >>> round(MeasurementErrors(t_x=0.03).dex("t_x"), 5)
    0.01303
    """

    t_x: float = 0.0
    m_gas: float = 0.0

    def __post_init__(self) -> None:
        if problems := [f"{name} = {value}" for name, value in vars(self).items() if not 0 <= value < 1]:
            raise InputError(f"noise: {', '.join(problems)} must lie between 0 and 1; 0 is a perfect measurement")

    def dex(self, name: str) -> float:
        """Return the standard deviation of log10 of an observable from the measurement alone."""
        return math.sqrt(self._ln_variance(name)) / _LN_10

    def offset(self, name: str) -> float:
        """Return the mean of log10 measured minus log10 true: below zero where the mean factor is one."""
        return -0.5 * self._ln_variance(name) / _LN_10

    def covariance(self, names: Sequence[str]) -> FloatArray:
        """Return the covariance of log10 of some observables from the measurement alone [dex^2]."""
        return np.diag([self.dex(name) ** 2 for name in names])

    def _ln_variance(self, name: str) -> float:
        return math.log1p(float(vars(self).get(name, 0.0)) ** 2)


_OF_PRESET = {"realistic": MeasurementErrors(t_x=0.03, m_gas=0.025)}
"""The errors with which mock catalogs of the presets are made; none for the others."""


def noise_of(preset: Preset) -> MeasurementErrors:
    """Return the errors of measurement that belong to a preset's name."""
    return _OF_PRESET.get(preset.name, MeasurementErrors())


def recorded_noise(config: Mapping[str, Any]) -> MeasurementErrors | None:
    """Return the errors that the configuration of mock catalogs records, or ``None`` if it does not say.

    Gas masses have the error of the gas profile, of which they are one more radius.
    """
    noise = config.get("noise")
    if not isinstance(noise, Mapping):
        return None
    return MeasurementErrors(t_x=float(noise.get("t_x", 0.0)), m_gas=float(noise.get("m_gas_profile", 0.0)))
