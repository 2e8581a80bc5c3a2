"""Catalog sets on disk: Parquet shards and a manifest, written whole or not at all, larger than memory."""

from earnest_common.catalogs.manifest import FORMAT_VERSION, Manifest, Plan, Shard
from earnest_common.catalogs.reader import CatalogSet
from earnest_common.catalogs.splitting import split_set
from earnest_common.catalogs.writer import CatalogSetWriter, write_batch

__all__ = [
    "FORMAT_VERSION",
    "CatalogSet",
    "CatalogSetWriter",
    "Manifest",
    "Plan",
    "Shard",
    "split_set",
    "write_batch",
]
