"""Rebuilding with another model, copying, comparing, evaluating, filters on places and favourites; other processes."""
import multiprocessing
import os
import pickle
import signal
import subprocess
import sys
import threading

import numpy as np
import pytest
from PIL import Image

import scry
from conftest import TOP, waves


@pytest.fixture(scope="session")
def other_model(tmp_path_factory):
    folder = tmp_path_factory.mktemp("model") / "other"
    subprocess.run([sys.executable, f"{TOP}/tests/e2e/tiny_model.py", str(folder)], check=True)
    weights = folder / "model.safetensors"
    data = bytearray(weights.read_bytes())
    data[-2] ^= 1   # the last weight's lowest bits: another model
    weights.write_bytes(data)
    with scry.Model(str(folder), precision="fp32") as m:
        yield m


def test_rebuild(store, model, other_model):
    ids = [f.id for f in store.files()]
    counted = []
    estimate = store.rebuild_estimate(other_model, progress=lambda *n: counted.append(n))
    assert counted == sorted(counted) and counted[-1][0] == counted[-1][1] > 0
    assert estimate.pictures == 11 and not estimate.current and store.rebuild_estimate(model).current
    seen = []
    report = store.rebuild(other_model, progress=seen.append)
    assert report.embedded == 11 and report.problems == () and seen
    assert store.info.model_identity == other_model.identity != model.identity
    assert [f.id for f in store.files()] == ids and store.model is other_model
    found = store.search("a dog", limit=3)
    files, rows = store.vectors()
    assert np.isclose(found[0].score, np.max(rows @ other_model.embed_texts("a dog")), atol=1e-3)
    with pytest.raises(scry.InvalidError):
        scry.Store(store.where, model=model).search("x")


def test_a_rebuild_that_is_stopped_goes_on(store, model, other_model):
    class Enough(Exception):
        pass

    def stop(_):
        raise Enough
    with pytest.raises(Enough):
        store.rebuild(other_model, progress=stop)
    assert store.info.model_identity == model.identity and len(store.search("x")) == 10
    store.rebuild(other_model)
    assert store.info.model_identity == other_model.identity


def test_copy_and_compare(store, tmp_path):
    other = scry.Store(tmp_path / "other", "copies")
    seen = []
    report = store.copy_to(other, progress=seen.append)
    assert (report.total, report.copied, report.there) == (12, 12, 0) and report.skipped == 1
    assert store.copy_to(other).there == 12
    same = store.compare(other)
    assert same.equal and same.files == 12
    assert [h.id for h in other.search(store.search("x")[0])] == [h.id for h in store.search(store.search("x")[0])]
    gone = store.search("x", limit=1)[0]
    other.remove(gone)
    less = store.compare(other)
    assert not less.equal and less.only_here == 1 and gone.path in "".join(less.differences)


def test_evaluate(tmp_path, model, store):
    rows = []
    for i in range(6):
        Image.fromarray(waves(64, 48, 40 + i)).save(tmp_path / f"{i}.png")
        rows.append(f"{i}.png\ttext number {i}")
    table = tmp_path / "captions.tsv"
    table.write_text("file\tcaption\n" + "\n".join(rows) + "\n")
    seen = []
    report = scry.evaluate(model, table, progress=lambda done, total: seen.append((done, total)))
    assert (report.pictures, report.texts, report.skipped) == (6, 6, 0) and seen
    scores = model.embed_texts([f"text number {i}" for i in range(6)]) @ model.embed_images([tmp_path / f"{i}.png" for i in range(6)]).T
    first = np.mean(np.argmax(scores, axis=1) == np.arange(6))
    assert report.figures["recall_at_1"].title == "R@1" and np.isclose(report.figures["recall_at_1"].value, first)
    with pytest.raises(scry.Error):
        scry.evaluate(model, tmp_path / "none.tsv")
    counted = []
    scry.evaluate(model, table, ranked=lambda done, total: counted.append((done, total)))
    assert counted == [(6, 6)]
    with pytest.raises(ZeroDivisionError):
        scry.evaluate(model, table, ranked=lambda done, total: 1 / 0)


def test_places_and_favourites(tmp_path, model):
    pictures = tmp_path / "p"
    pictures.mkdir()
    for name, latitude, longitude in (("paris", 48.8566, 2.3522), ("berlin", 52.52, 13.405)):
        exif = Image.Exif()
        degrees = [(int(x), int(x % 1 * 60), round(x % 1 * 60 % 1 * 60, 2)) for x in (latitude, longitude)]
        exif[0x8825] = {1: "N", 2: degrees[0], 3: "E", 4: degrees[1]}
        Image.fromarray(waves(64, 48, len(name))).save(pictures / f"{name}.jpg", exif=exif)
    store = scry.Store(tmp_path / "s", model=model)
    store.index(pictures)
    names = lambda **filters: sorted(f.relative for f in store.files(**filters))  # noqa: E731
    assert names(place="Paris") == ["paris.jpg"] and names(place="Germany") == ["berlin.jpg"]
    assert names(place=["Paris", "Berlin"]) == ["berlin.jpg", "paris.jpg"] and names(place="Rome") == []
    assert names(favourites=True) == []
    with pytest.raises(scry.InvalidError):
        names(place="")
    with pytest.raises(scry.InvalidError):
        names(favourites=False)


def _search_elsewhere(arguments):
    store, query = arguments
    return [h.id for h in store.search(query)]


@pytest.mark.parametrize("way", ["fork", "spawn"])
def test_other_processes(store, way):
    """A store goes to processes that are forked, whose threads are not there, and pickled to those that are spawned."""
    queries = ["a dog", "a cat", scry.Query("dog - 0.5:cat")]
    wanted = [[h.id for h in store.search(q)] for q in queries]   # opened before the fork
    with multiprocessing.get_context(way).Pool(2) as pool:
        assert pool.map_async(_search_elsewhere, [(store, q) for q in queries]).get(100) == wanted
    if way == "fork":   # the object itself, not a pickled one
        pid = os.fork()
        if pid == 0:
            signal.alarm(60)
            os._exit([[h.id for h in store.search(q)] for q in queries] != wanted or not store.verify().ok)
        assert os.waitpid(pid, 0)[1] == 0
    assert [[h.id for h in store.search(q)] for q in queries] == wanted


def test_pickles(store):
    again = pickle.loads(pickle.dumps(store))
    assert (again.where, again.collection) == (store.where, store.collection) and again.model.identity == store.model.identity
    model = pickle.loads(pickle.dumps(store.model))
    assert (model.identity, model.precision) == (store.model.identity, store.model.precision)
    hit = store.search("x")[0]
    assert pickle.loads(pickle.dumps(hit)) == hit
    for bad in (5, None, b"x", [hit]):
        for use in (store.get, store.vector, store.text, store.remove, store.set_favourite):
            with pytest.raises(scry.InvalidError):
                use(bad)


def test_all_that_is_public_says_what_it_is():
    """A text of its own: dataclasses without one are given their signature."""
    missing = []
    for name, thing in vars(scry).items():
        if name.startswith("_") or not callable(thing):
            continue
        if not thing.__doc__ or thing.__doc__.startswith(f"{name}("):
            missing.append(name)
        if isinstance(thing, type):
            missing += [f"{name}.{m}" for m, member in vars(thing).items() if not m.startswith("_") and not member.__doc__
                        and (callable(member) or isinstance(member, property))]
    assert missing == []


def test_files_that_are_removed_while_they_are_listed(tmp_path, model, pictures, monkeypatch):
    monkeypatch.setattr("scry.store._PAGE", 4)
    for wanted in (lambda i: True, lambda i: i % 4, lambda i: i % 4 == 3, lambda i: i < 5):
        with scry.Store(tmp_path / "s", model=model) as store:
            store.index(pictures)
            ids = [f.id for f in store.files()]
            seen = []
            for i, file in enumerate(store.files()):
                seen.append(file.id)
                if wanted(i):
                    assert store.remove(file) == 1
            assert seen == ids and len(store) == sum(not wanted(i) for i in range(len(ids)))
    listed = store.files()
    next(listed)
    store.drop()
    with pytest.raises(scry.NotFoundError):
        list(listed)


@pytest.mark.parametrize("given", [True, False])
def test_a_store_is_closed_while_others_search_it(tmp_path, model, pictures, given):
    """close() frees what nobody uses, and the next use opens it again: no thread meets a closed store or model."""
    store = scry.Store(tmp_path / "s", model=model if given else model.dir, precision="fp32")
    store.index(pictures)
    wanted = [h.id for h in store.search("x")]
    problems = []
    over = threading.Event()

    def closing():
        while not over.is_set():
            store.close()

    def searching():
        try:
            for _ in range(100):
                assert [h.id for h in store.search("x")] == wanted and len(list(store.files())) == 12
        except BaseException as e:   # pylint: disable=broad-except
            problems.append(e)
    closer, others = threading.Thread(target=closing), [threading.Thread(target=searching) for _ in range(3)]
    for t in (closer, *others):
        t.start()
    for t in others:
        t.join()
    over.set()
    closer.join()
    assert problems == []
    kept = store.model
    store.close()
    assert kept.embed_texts("x").shape == (16,)


def test_arguments_of_the_wrong_kind(store, model, pictures, tmp_path):
    for other in (None, "folder", tmp_path, 5):
        for call in (store.copy_to, store.compare):
            with pytest.raises(scry.InvalidError, match="the other store is a scry.Store"):
                call(other)
        with pytest.raises(scry.InvalidError, match="an evaluation is of a scry.Model"):
            scry.evaluate(other, "captions.tsv")
    with pytest.raises(scry.InvalidError, match="an evaluation is of a scry.Model"):
        scry.evaluate(model, "captions.tsv", store="folder")
    for bad in (5, b"dog", None, ["a dog"]):
        with pytest.raises(scry.InvalidError, match="written as texts"):
            scry.Query(bad)
        with pytest.raises(scry.InvalidError, match="written as texts"):
            scry.Query("a", bad)
        if bad is not None:
            with pytest.raises(scry.InvalidError, match="the model of a store"):
                scry.Store(tmp_path, model=bad)
    for bad in ("a\0b", "\ud800"):
        with pytest.raises(scry.InvalidError):
            store.search("x", in_=bad)
    for bad in (0, -0.5, 1.5, True, "0.9", None, float("nan"), np.bool_(True)):
        with pytest.raises(scry.InvalidError):
            store.duplicates(bad)
    assert store.duplicates(np.float32(0.9)) == store.duplicates(float(np.float32(0.9)))
    least = np.float32(0.0)
    assert [h.id for h in store.search("x", min_score=least)] == [h.id for h in store.search("x", min_score=0.0)]
    assert [h.id for h in store.search("x", min_score=np.int64(-1))] == [h.id for h in store.search("x")]
