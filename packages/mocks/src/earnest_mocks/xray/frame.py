"""One cluster in the units of one instrument."""

from dataclasses import dataclass, replace
from typing import final

from earnest_common.errors import InputError
from earnest_common.survey.cosmology import Cosmology

from earnest_mocks.gas.geometry import kpc_per_arcmin, r_500c
from earnest_mocks.xray.instrument import Instrument
from earnest_mocks.xray.photon_list import PhotonList

__all__ = ["ClusterFrame", "cluster_frame"]

_USUAL_METALS = 0.3  # solar; of the hot gas of observed clusters
_MOST_METALS = 10.0


@final
@dataclass(frozen=True, kw_only=True)
class ClusterFrame:
    """The cluster and the instrument in one another's units.

    Attributes
    ----------
    subject
        Name of the observation in messages.
    instrument
        The instrument, with the area and exposure of the photons.
    z, m_500c, t_x
        Redshift, mass [solMass] and temperature [keV].
    metallicity
        Metals of the gas in solar units.
    r_500c
        Radius that follows from the mass [kpc].
    kpc_per_pixel
        Width of a pixel at the cluster [kpc].
    """

    subject: str
    instrument: Instrument
    z: float
    m_500c: float
    t_x: float
    metallicity: float
    r_500c: float
    kpc_per_pixel: float

    @property
    def pixels_per_radius(self) -> float:
        """R_500c [pixel]."""
        return self.r_500c / self.kpc_per_pixel

    def in_arcmin(self, centre: tuple[float, float]) -> tuple[float, float]:
        """Return a place of the image [pixel] relative to the middle of the field [arcmin]."""
        half, arcmin = self.instrument.n_pixels / 2, self.instrument.pixel / 60
        return ((centre[0] - half) * arcmin, (centre[1] - half) * arcmin)

    def in_pixels(self, offset: tuple[float, float]) -> tuple[float, float]:
        """Return the place of the image [pixel] at an offset from the middle of the field [arcmin]."""
        half, arcmin = self.instrument.n_pixels / 2, self.instrument.pixel / 60
        return (offset[0] / arcmin + half, offset[1] / arcmin + half)


def cluster_frame(
    photons: PhotonList,
    *,
    m_500c: float | None,
    t_x: float | None,
    metallicity: float | None,
    instrument: Instrument,
    cosmology: Cosmology,
    subject: str,
) -> ClusterFrame:
    """Return the frame of an observation.

    Parameters
    ----------
    photons
        The observation; it states redshift, area and exposure.
    m_500c, t_x
        Mass [solMass] and temperature [keV]; ``None``: what the photon list states.
    metallicity
        Metals of the gas in solar units; ``None``: what the photon list states, or 0.3.
    instrument
        Gives field and pixels.
    cosmology
        What turns angles into lengths.
    subject
        Name of the observation in messages.

    Raises
    ------
    InputError
        If mass or temperature is unknown or not positive, or there are less metals than none.
    """
    given = {"m_500c": (m_500c, "M500C", "solMass"), "t_x": (t_x, "TX", "keV")}
    known = {name: photons.about.get(card) if value is None else value for name, (value, card, _) in given.items()}
    if lacking := [name for name, value in known.items() if value is None]:
        raise InputError(
            f"{subject}: {' and '.join(lacking)} unknown; give a table with the columns file, m_500c and t_x"
        )
    if wrong := [f"{name} = {value} {given[name][2]}" for name, value in known.items() if not float(value or 0) > 0]:
        raise InputError(f"{subject}: {', '.join(wrong)} must be positive")
    mass, temperature = (float(value or 0) for value in known.values())
    metals = float(photons.about.get("METALS", _USUAL_METALS) if metallicity is None else metallicity)
    if not 0 <= metals <= _MOST_METALS:
        raise InputError(f"{subject}: metals = {metals} solar must lie between 0 and {_MOST_METALS:g}")
    return ClusterFrame(
        subject=subject,
        instrument=replace(instrument, area=photons.area, exposure=photons.exposure),
        z=photons.z,
        m_500c=mass,
        t_x=temperature,
        metallicity=metals,
        r_500c=r_500c(mass, photons.z, cosmology),
        kpc_per_pixel=kpc_per_arcmin(photons.z, cosmology) * instrument.pixel / 60,
    )
