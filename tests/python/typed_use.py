"""What a type checker knows of the package: tests/check/types.sh. A line that ends with `# wrong` is an error, and no other is."""
from __future__ import annotations

import datetime
import pathlib

import numpy as np
from numpy.typing import NDArray

import scry


def shown(p: scry.IndexProgress) -> None:
    print(p.found, p.added)


def use(store: scry.Store, model: scry.Model) -> None:
    report = store.index("~/Pictures", prune=True, progress=shown)
    added: int = report.added
    results = store.search("a white dog", limit=5, after="2020", before=datetime.date(2024, 1, 1), in_=pathlib.Path("holidays"),
                           near=(48.1, 11.6, 25), format=["jpeg", "png"], favourites=True, camera=None)
    for hit in results:
        score: float = hit.score
        path: str = hit.path
        print(score, path, added)
    store.search(["beach", ("people", -1.0), (results[0], 0.5)], min_score="auto", fold=True)
    store.search(pathlib.Path("dog.jpg"))
    store.search(np.zeros(640, np.float32))
    rows: NDArray[np.float32] = model.embed_images(["a.jpg", b"bytes", np.zeros((3, 3, 3), np.uint8)])
    row: NDArray[np.float32] = model.embed_texts("a dog")
    minutes: float = store.rebuild_estimate("laion-b32").minutes
    model.teach("Rex", ["a.jpg", pathlib.Path("b.jpg"), scry.Query("@c.jpg")], progress=lambda done, total: print(done / total))
    files, vectors = store.vectors()
    first: scry.File = files[0]
    print(rows @ row, minutes, first.path, vectors.shape, store.remove(place="Paris"), [f.id for f in store.files(label="x")])
    store.search("a dog", limit="5")                 # wrong
    store.search("a dog", colour="red")              # wrong
    store.search("a dog", near="Paris")              # wrong
    store.index(5)                                   # wrong
    model.embed_texts([1, 2])                        # wrong
    results[0].score = "high"                        # wrong


with scry.Store("photos") as a_store, scry.Model(precision="fp32") as a_model:
    use(a_store, a_model)
