"""Self-similar evolution of cluster observables at fixed mass (Kaiser 1986)."""

from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType

import numpy as np

from earnest_common.arrays import FloatArray, FloatLike
from earnest_common.survey.cosmology import MAGNETICUM
from earnest_common.survey.mass_function import DEFAULT_Z
from earnest_common.survey.presets import Survey
from earnest_common.survey.scaling import TABLE_2, ScalingRelations

__all__ = ["EXPONENTS", "evolution_in_words", "evolved", "log10_e", "with_reference_at_its_redshift"]

EXPONENTS: Mapping[str, float] = MappingProxyType({"l_x": 7 / 3, "t_x": 2 / 3, "m_gas": 0.0})
"""Powers of E(z) at fixed m_500c for bolometric l_x, t_x and m_gas."""

_IN_WORDS = {"l_x": "l_x as E(z)^(7/3)", "t_x": "t_x as E(z)^(2/3)", "m_gas": "m_gas unchanged"}


def log10_e(z: FloatLike, Om0: float) -> FloatArray:
    r"""Compute log10 E(z), with :math:`E^2 = \Omega_m (1+z)^3 + 1 - \Omega_m` (flat).

    Examples
    --------
    >>> float(log10_e(0.0, 0.3))
    0.0
    """
    return np.asarray(0.5 * np.log10(Om0 * (1 + np.asarray(z)) ** 3 + 1 - Om0))


def evolved(relations: ScalingRelations, *, from_z: float, to_z: float, Om0: float) -> ScalingRelations:
    """Move scaling relations to another redshift, at fixed m_500c, with the powers ``EXPONENTS`` of E(z).

    Parameters
    ----------
    relations
        The relations at ``from_z``.
    from_z, to_z
        Redshifts.
    Om0
        Matter density today, of a flat universe.

    Examples
    --------
    >>> from earnest_common.survey.scaling import TABLE_2
    >>> far = evolved(TABLE_2, from_z=0.0663, to_z=0.3, Om0=0.272)
    >>> bool(far.l_x.log10_normalisation > TABLE_2.l_x.log10_normalisation), far.m_gas == TABLE_2.m_gas
    (True, True)
    """
    change = float(log10_e(to_z, Om0) - log10_e(from_z, Om0))
    laws = {name: getattr(relations, name) for name in EXPONENTS}
    return ScalingRelations(
        **{
            name: replace(law, log10_normalisation=law.log10_normalisation + EXPONENTS[name] * change)
            for name, law in laws.items()
        }
    )


def evolution_in_words(*, from_z: float, to_z: float, Om0: float) -> str:
    """Describe the move of observables to another redshift, with its size.

    Examples
    --------
    >>> evolution_in_words(from_z=0.3, to_z=0.0663, Om0=0.272)
    'z = 0.3 to z = 0.0663 at fixed m_500c: l_x as E(z)^(7/3) (x 0.769), t_x as E(z)^(2/3) (x 0.928), m_gas unchanged'
    """
    change = float(log10_e(to_z, Om0) - log10_e(from_z, Om0))
    parts = [
        f"{words} (x {10 ** (EXPONENTS[name] * change):.3f})" if EXPONENTS[name] else words
        for name, words in _IN_WORDS.items()
    ]
    return f"z = {from_z:g} to z = {to_z:g} at fixed m_500c: {', '.join(parts)}"


def with_reference_at_its_redshift(survey: Survey) -> Survey:
    """Return a survey whose flux limit is that of the paper's relation at the survey's redshift.

    Only the default reference relation (table 2, at z = 0.0663) is moved: the break then stays the mass that it is
    stated to be. A relation that a user gives is left alone.

    Examples
    --------
    >>> moved = with_reference_at_its_redshift(Survey(z=0.3)).selection
    >>> far = evolved(TABLE_2, from_z=0.0663, to_z=0.3, Om0=MAGNETICUM.Om0).l_x
    >>> float(moved.log10_m_break_of(far)) == moved.log10_m_break
    True
    """
    if survey.z == DEFAULT_Z or survey.selection.l_x != TABLE_2.l_x:
        return survey
    l_x = evolved(TABLE_2, from_z=DEFAULT_Z, to_z=survey.z, Om0=MAGNETICUM.Om0).l_x
    return replace(survey, selection=replace(survey.selection, l_x=l_x))
