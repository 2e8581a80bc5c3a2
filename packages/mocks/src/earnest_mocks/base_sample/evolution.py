"""Base samples at another redshift."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
from earnest_common.arrays import FloatArray
from earnest_common.errors import InputError
from earnest_common.survey.cosmology import MAGNETICUM
from earnest_common.survey.evolution import EXPONENTS, log10_e

from earnest_mocks.base_sample.relations import OBSERVABLES
from earnest_mocks.base_sample.sample import BaseSample

__all__ = ["at_redshift", "om0_of", "refuse_other_bands", "self_similar_shift"]


def self_similar_shift(z: FloatArray, *, to_z: float, Om0: float) -> FloatArray:
    """Return what to add to log10 of l_x, t_x and m_gas to bring clusters of fixed mass to another redshift.

    Self-similar evolution: bolometric l_x grows as E^(7/3), t_x as E^(2/3), m_gas not at all.

    Parameters
    ----------
    z
        Redshifts, shape (n,).
    to_z
        The common redshift.
    Om0
        Matter density today, of a flat universe.

    Returns
    -------
    Shape (n, 3) [dex].
    """
    change = log10_e(to_z, Om0) - log10_e(z, Om0)
    shift: FloatArray = change[:, None] * np.array([EXPONENTS[name] for name in OBSERVABLES])
    return shift


def om0_of(source: Mapping[str, Any]) -> float:
    """Return the matter density that gives a base sample's E(z): its own, or Magneticum's where it is unknown."""
    return float(dict(source.get("cosmology") or {}).get("Om0", MAGNETICUM.Om0))


def refuse_other_bands(source: Mapping[str, Any]) -> None:
    """Refuse to move a luminosity to another redshift that is not bolometric.

    Raises
    ------
    InputError
        If the source says that its luminosity is of another band.
    """
    text = source.get("l_x")
    if text and "bolometric" not in str(text).lower():
        raise InputError(
            f"the base sample's l_x is '{text}', whose evolution with redshift is not known; allowed is a bolometric "
            "one, as E(z)^(7/3): import bolometric luminosities, or clusters at the redshift of the survey"
        )


def at_redshift(sample: BaseSample, z: float) -> BaseSample:
    """Move a base sample to the redshift of a survey with self-similar evolution at fixed m_500c.

    Parameters
    ----------
    sample
        The base sample; its ``source`` gives the cosmology.
    z
        The survey's redshift.

    Returns
    -------
    The sample itself where the redshifts are equal.

    Raises
    ------
    InputError
        If its luminosity is not bolometric.

    Examples
    --------
    >>> from earnest_mocks.base_sample.sample import default_base_sample
    >>> near = default_base_sample()
    >>> far = at_redshift(near, 0.3)
    >>> far.z, round(far.relations.l_x.slope - near.relations.l_x.slope, 9)
    (0.3, 0.0)
    """
    if sample.z == z:
        return sample
    refuse_other_bands(sample.source)
    shift = self_similar_shift(np.full(1, sample.z), to_z=z, Om0=om0_of(sample.source))
    return replace(sample, observables=sample.observables + shift, z=z)
