"""Find pictures by describing them.

    import scry
    store = scry.Store("photos")
    store.index("~/Pictures")
    for hit in store.search("a white dog"):
        print(hit.score, hit.path)
"""
from ._library import lib as _lib
from .errors import (BusyError, CancelledError, DamagedError, Error, InvalidError, LimitError, NotFoundError, OutOfMemoryError,
                     ReadWriteError, RemoteError)
from .evaluation import evaluate
from .model import CatalogueEntry, Model, ModelRecord, add_model, catalogue, models, pull, remove_model
from .query import Query
from .results import (CompareReport, CopyReport, Duplicate, DuplicateGroup, EvalReport, Figure, File, Hit, IndexProgress, IndexReport,
                      RebuildEstimate, Results, Root, StoreInfo, TextLine, TextReport, VerifyReport)
from .store import Store

__version__: str = _lib.scry_version().decode()

__all__ = ["BusyError", "CancelledError", "CatalogueEntry", "CompareReport", "CopyReport", "DamagedError", "Duplicate", "DuplicateGroup",
           "Error", "EvalReport", "Figure", "File", "Hit", "IndexProgress", "IndexReport", "InvalidError", "LimitError", "Model",
           "ModelRecord", "NotFoundError", "OutOfMemoryError", "Query", "ReadWriteError", "RebuildEstimate", "RemoteError", "Results",
           "Root", "Store", "StoreInfo", "TextLine", "TextReport", "VerifyReport", "add_model", "catalogue", "evaluate", "models", "pull",
           "remove_model"]
