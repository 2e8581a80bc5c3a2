"""Prescriptive scaling relations: observables at fixed mass that follow cosmology, the recipe for overspecialisation.

In the paper's appendix B such relations hand a network the answer: it reads sigma8 from the normalisation of the
observables, which no real survey would give away.
"""

from dataclasses import dataclass, field, fields
from typing import final

import numpy as np
from earnest_common.arrays import FloatArray
from earnest_common.survey.cosmology import Cosmology
from earnest_common.survey.evolution import log10_e

__all__ = ["ILLUSTRATIVE", "PRESCRIBED", "Exponents", "Prescription", "log10_shift"]

PRESCRIBED = ("l_x", "t_x", "m_gas", "y_500")
"""What a prescription scales."""


@final
@dataclass(frozen=True, kw_only=True)
class Exponents:
    """Powers of cosmological parameters, relative to the reference cosmology, that multiply an observable.

    Attributes
    ----------
    sigma8, Om0, h
        Powers of these parameters.
    fb
        Power of the baryon fraction Ob0 / Om0.
    E
        Power of E(z) at the survey's redshift.
    """

    sigma8: float = 0.0
    Om0: float = 0.0
    h: float = 0.0
    fb: float = 0.0
    E: float = 0.0


@final
@dataclass(frozen=True, kw_only=True)
class Prescription:
    r"""Scaling relations with cosmology in them.

    .. math:: X = X_{ref}(M) \prod_p (p / p_{ref})^{\gamma_{X,p}}, \quad p \in \{\sigma_8, \Omega_m, h, f_b, E\}

    Attributes
    ----------
    l_x, t_x, m_gas, y_500
        The exponents of each observable.
    origin
        Where they come from; it is written beside every output.

    References
    ----------
    Ntampaka & Vikhlinin (arXiv:2112.05768), appendix B; Singh et al. 2020 (arXiv:1911.05751) for the form.
    """

    l_x: Exponents = field(default_factory=Exponents)
    t_x: Exponents = field(default_factory=Exponents)
    m_gas: Exponents = field(default_factory=Exponents)
    y_500: Exponents = field(default_factory=Exponents)
    origin: str = "given by the user"


ILLUSTRATIVE = Prescription(
    l_x=Exponents(sigma8=0.3, fb=2.0, h=7 / 3),
    t_x=Exponents(sigma8=0.2, h=2 / 3),
    m_gas=Exponents(sigma8=0.1, fb=1.0),
    y_500=Exponents(sigma8=0.3, fb=1.0, h=2 / 3),
    origin="ILLUSTRATIVE: self-similar powers of fb and h, and powers of sigma8 that were made up",
)
"""A stand-in for fitted exponents; those of sigma8 are from no simulation and no publication."""


def log10_shift(
    prescription: Prescription, *, Om0: FloatArray, sigma8: FloatArray, z: float, reference: Cosmology
) -> dict[str, FloatArray]:
    """Return what a prescription adds to log10 of each observable in catalogs of other cosmologies [dex].

    Ob0 and H0 are the reference's, so fb falls as Om0 rises and h stays.

    Parameters
    ----------
    prescription
        The exponents.
    Om0, sigma8
        Cosmology of each catalog, shape (n,).
    z
        Redshift of the survey.
    reference
        Where all factors are 1.

    Returns
    -------
    One array of shape (n,) for each of ``PRESCRIBED``.

    Examples
    --------
    >>> from earnest_common.survey.cosmology import MAGNETICUM
    >>> twice = np.array([2 * MAGNETICUM.sigma8])
    >>> same = np.array([MAGNETICUM.Om0])
    >>> shift = log10_shift(ILLUSTRATIVE, Om0=same, sigma8=twice, z=0.07, reference=MAGNETICUM)["m_gas"]
    >>> (10 ** shift).round(4)  # 2 ** 0.1
    array([1.0718])
    """
    e = 0.5 * np.log10(Om0 * (1 + z) ** 3 + 1 - Om0) - log10_e(z, reference.Om0)
    powers = {
        "sigma8": np.log10(sigma8 / reference.sigma8),
        "Om0": np.log10(Om0 / reference.Om0),
        "h": np.zeros(len(sigma8)),
        "fb": -np.log10(Om0 / reference.Om0),
        "E": e,
    }
    return {
        name: sum((getattr(getattr(prescription, name), f.name) * powers[f.name] for f in fields(Exponents)), 0 * e)
        for name in PRESCRIBED
    }
