"""The catalog of market data: Parquet files that any tool can read, and what keeps them whole."""

from neural_trader.market.catalog.manifest import Origin
from neural_trader.market.catalog.names import Key, catalog_root
from neural_trader.market.catalog.store import Appended, Catalog, Dataset

__all__ = ["Appended", "Catalog", "Dataset", "Key", "Origin", "catalog_root"]
