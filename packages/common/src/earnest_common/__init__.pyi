from .catalogs import CatalogSet, Plan, split_set, write_batch
from .catalogs.batch import CatalogBatch
from .catalogs.variants import view
from .errors import EarnestError
from .exporters import export, to_astropy, to_pandas
from .importers import ImportOptions, import_table
from .plugins import load_estimator, open_source
from .posterior import Posterior
from .protocols import CatalogSource, Estimator
from .report.section import Section

__all__ = [
    "CatalogBatch",
    "CatalogSet",
    "CatalogSource",
    "EarnestError",
    "Estimator",
    "ImportOptions",
    "Plan",
    "Posterior",
    "Section",
    "export",
    "import_table",
    "load_estimator",
    "open_source",
    "split_set",
    "to_astropy",
    "to_pandas",
    "view",
    "write_batch",
]

__version__: str
