"""The one place that speaks to COLOSSUS: solMass/h inside, h-free solMass outside."""

import contextlib
from collections.abc import Iterator

import numpy as np
from colossus.cosmology import cosmology as colossus_cosmology
from colossus.lss import mass_function as colossus_mass_function

from earnest_common.arrays import FloatArray
from earnest_common.cosmology import Cosmology
from earnest_common.errors import InputError

__all__ = ["MODELS_500C", "dn_dlog10_m_500c"]

MODELS_500C = ("bocquet16", "despali16", "tinker08", "watson13")
"""COLOSSUS mass functions that reach 500 times the critical density (about 1,700 times the mean one)."""


def dn_dlog10_m_500c(log10_m: FloatArray, *, cosmology: Cosmology, z: float, model: str = "bocquet16") -> FloatArray:
    """Return the comoving number density of clusters per decade of m_500c.

    Parameters
    ----------
    log10_m
        log10 of m_500c [solMass], h-free, shape (n,).
    cosmology
        The cosmology, passed to COLOSSUS as an explicit dictionary.
    z
        Redshift.
    model
        One of ``MODELS_500C``; ``bocquet16`` is the hydrodynamical fit, made on the Magneticum simulations.

    Returns
    -------
    dn/dlog10 m [Mpc^-3 dex^-1], comoving and h-free, shape (n,).

    Raises
    ------
    InputError
        If the model is not known for 500c.

    References
    ----------
    Diemer 2018 (arXiv:1712.04512); Bocquet et al. 2016 (arXiv:1502.07357).

    Examples
    --------
    >>> from earnest_common.cosmology import MAGNETICUM
    >>> dn_dlog10_m_500c(np.array([14.0, 15.0]), cosmology=MAGNETICUM, z=0.0663).round(9)
    array([1.5659e-05, 9.2000e-08])
    """
    if model not in MODELS_500C:
        raise InputError(f"mass function '{model}' is not known for 500c; choose one of {', '.join(MODELS_500C)}")
    with _current_cosmology(cosmology):
        dn_dln_m = colossus_mass_function.massFunction(
            10.0**log10_m * cosmology.h, z, q_in="M", q_out="dndlnM", mdef="500c", model=model
        )
    return np.asarray(dn_dln_m * cosmology.h**3 * np.log(10.0), dtype=np.float64)


@contextlib.contextmanager
def _current_cosmology(cosmology: Cosmology) -> Iterator[None]:
    """Make a cosmology COLOSSUS's current one and give the previous one back, also after an error."""
    previous = colossus_cosmology.current_cosmo
    parameters = {"flat": True, "H0": cosmology.H0, "Om0": cosmology.Om0, "Ob0": cosmology.Ob0, "ns": cosmology.ns}
    try:
        # Without persistence COLOSSUS writes no files into the user's home.
        colossus_cosmology.setCosmology("earnest", {**parameters, "sigma8": cosmology.sigma8, "persistence": ""})
        yield
    finally:
        colossus_cosmology.setCurrent(previous)
