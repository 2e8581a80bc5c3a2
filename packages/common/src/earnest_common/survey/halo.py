"""The one place that speaks to COLOSSUS: solMass/h inside, h-free solMass outside."""

import importlib.util
from contextvars import ContextVar
from types import ModuleType, SimpleNamespace

import numpy as np
from colossus.cosmology.cosmology import Cosmology as ColossusCosmology

from earnest_common.arrays import FloatArray
from earnest_common.errors import InputError
from earnest_common.survey.cosmology import Cosmology

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
        If the model is not known for 500c, or COLOSSUS cannot compute it for this cosmology.

    References
    ----------
    Diemer 2018 (arXiv:1712.04512); Bocquet et al. 2016 (arXiv:1502.07357).

    Examples
    --------
    >>> from earnest_common.survey.cosmology import MAGNETICUM
    >>> dn_dlog10_m_500c(np.array([14.0, 15.0]), cosmology=MAGNETICUM, z=0.0663).round(9)
    array([1.5659e-05, 9.2000e-08])
    """
    if model not in MODELS_500C:
        raise InputError(f"mass function '{model}' is not known for 500c; choose one of {', '.join(MODELS_500C)}")
    parameters = {"flat": True, "H0": cosmology.H0, "Om0": cosmology.Om0, "Ob0": cosmology.Ob0, "ns": cosmology.ns}
    # Without persistence COLOSSUS writes no files into the user's home.
    colossus = ColossusCosmology(name="earnest", **parameters, sigma8=cosmology.sigma8, persistence="")
    previous = _COSMOLOGY.set(colossus)
    try:
        dn_dln_m = _MASS_FUNCTION.massFunction(
            10.0**log10_m * cosmology.h, z, q_in="M", q_out="dndlnM", mdef="500c", model=model
        )
    except Exception as error:  # COLOSSUS has no class of its own for what it refuses
        if type(error) is not Exception:
            raise
        raise InputError(f"the mass function of {cosmology} at z = {z:g} cannot be computed: {error}") from error
    finally:
        _COSMOLOGY.reset(previous)
    return np.asarray(dn_dln_m * cosmology.h**3 * np.log(10.0), dtype=np.float64)


def _own_copy(module: str, **names: object) -> ModuleType:
    """Load a module of COLOSSUS a second time, outside ``sys.modules``, with some of its global names replaced."""
    spec = importlib.util.find_spec(module)
    if spec is None or spec.loader is None:
        raise ModuleNotFoundError(f"{module} is missing from the installed COLOSSUS; reinstall colossus", name=module)
    copy = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(copy)
    vars(copy).update(names)
    return copy


# COLOSSUS's functions ask cosmology.getCurrent() for the one cosmology of the process. Copies of the three modules that
# take part ask for the one of the running thread instead, so that threads do not mix and the user's stays as it is.
_COSMOLOGY: ContextVar[object] = ContextVar("cosmology")
_PER_THREAD = SimpleNamespace(getCurrent=_COSMOLOGY.get)
_MASS_SO = _own_copy("colossus.halo.mass_so", cosmology=_PER_THREAD)
_PEAKS = _own_copy("colossus.lss.peaks", cosmology=_PER_THREAD)
_MASS_FUNCTION = _own_copy("colossus.lss.mass_function", cosmology=_PER_THREAD, peaks=_PEAKS, mass_so=_MASS_SO)
