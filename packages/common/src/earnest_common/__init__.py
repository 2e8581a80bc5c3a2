"""The shared language of earnest: catalog schema and sets, survey physics, model bundles, the command line.

The names at the top are loaded when they are first used. Catalogs come from a set on disk or from a table, and go on
as tables of Polars, NumPy, FITS, VOTable, ECSV or CSV:

>>> from earnest_common import CatalogSet
>>> from earnest_common.testing import toy_set
>>> with toy_set(n_catalogs=20, seed=1) as folder:
...     batch = CatalogSet.open(folder).read(split="test")
>>> batch.column("m_gas_profile").shape
(72, 7)
"""

from importlib.metadata import version

import lazy_loader

from earnest_common.renamed import keep_old_names

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)

__version__ = version("earnest-common")

keep_old_names()
