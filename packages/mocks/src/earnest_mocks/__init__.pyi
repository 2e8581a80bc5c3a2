from .base_sample.sample import BaseSample, default_base_sample, read_base_sample, write_base_sample
from .catalogs.config import MocksConfig, resolve_config
from .catalogs.generate import generate
from .catalogs.source import MockSource, open_source
from .measured.imported import base_sample_from, imported_base_sample
from .xray.photon_list import PhotonList
from .xray.reduction import Reduction, reduce_photons
from .xray.simput import read_photons

__all__ = [
    "BaseSample",
    "MockSource",
    "MocksConfig",
    "PhotonList",
    "Reduction",
    "base_sample_from",
    "default_base_sample",
    "generate",
    "imported_base_sample",
    "open_source",
    "read_base_sample",
    "read_photons",
    "reduce_photons",
    "resolve_config",
    "write_base_sample",
]

__version__: str
