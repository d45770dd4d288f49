"""Stores: indexing, searching as brute force in NumPy does, filters, removing, errors."""
import ctypes
import datetime
import json
import os
import pathlib
import subprocess
import sys
import threading

import numpy as np
import pytest
from PIL import Image

import scry
from conftest import TOP, waves
from scry import _c
from scry._library import call


def brute_force(store, vector):
    """(score, path) of each picture once, best first."""
    files, rows = store.vectors()
    rows = rows.astype(np.float64)
    best = {}
    for file, score in zip(files, rows @ vector.astype(np.float64) / np.linalg.norm(rows, axis=1)):
        if file.content not in best or file.path < best[file.content][1]:
            best[file.content] = (score, file.path)
    return sorted(best.values(), key=lambda x: (-x[0], x[1]))


def test_index(tmp_path, model, pictures):
    seen = []
    store = scry.Store(tmp_path / "s", model=model)
    report = store.index(pictures, progress=seen.append, skipped=lambda path, reason: seen.append(path))
    assert (report.found, report.added, report.skipped, report.embedded) == (13, 12, 1, 11)
    assert [os.path.basename(p) for p, _ in report.problems] == ["bad.jpg"] and report.problems[0][1]
    assert str(pictures / "bad.jpg") in seen and seen[-1].added == 12 and not seen[-1].walking
    assert store.skipped() == list(report.problems)
    again = store.index(str(pictures))
    assert (again.added, again.unchanged, again.embedded) == (0, 12, 0)
    assert len(store) == 12 and store.info.contents == 11 and store.info.dim == model.dim
    assert [r.path for r in store.roots()] == [str(pictures)]
    assert len(scry.Store(tmp_path / "s2", model=model).index(pictures, include=["*.png"]).problems) == 0


def test_search_is_brute_force(store, model):
    for text in ("a white dog", "снег", "x"):
        found = store.search(text, limit=100)
        wanted = brute_force(store, model.embed_texts(text))
        assert len(found) == len(wanted) == 11 and not found.has_more
        assert np.allclose([h.score for h in found], [s for s, _ in wanted], atol=2e-6)
        for hit, (score, path) in zip(found, wanted):
            assert hit.path == path or abs(hit.score - score) < 1e-6
    page = store.search("x", limit=4, offset=2)
    assert [h.id for h in page] == [h.id for h in found[2:6]] and page.has_more
    assert sum(h.copies for h in found) == 1 and len(store.search("x", limit=100, all_copies=True)) == 12
    assert len(store.search("x", limit=100, min_score=found[3].score - 1e-7)) == 4
    assert store.search_many([]) == []
    both = store.search_many(["a dog", "a cat"], limit=3)
    assert [[h.id for h in r] for r in both] == [[h.id for h in store.search(q, limit=3)] for q in ("a dog", "a cat")]


def test_many_texts_and_others_together(store, pictures):
    queries = ["a dog", pictures / "copy.jpg", "a cat", ["a dog", ("a cat", -0.5)], "x"]
    for one, many in zip((store.search(q) for q in queries), store.search_many(queries)):
        assert np.allclose(one.vector, many.vector, atol=1e-5) and len(many) == 10


def test_by_look_and_by_words_as_the_command_line(store, pictures):
    """Ranks, scores and where the words are: what `scry search --json --by ...` says."""
    program = os.environ.get("SCRY_BUILD", f"{TOP}/build/release") + "/scry"
    for query, parts in (("p03", "p03"), ("a picture of copy", "a picture of copy"), ("red", "red"), (["p03", ("jpg", 0.5)], "p03 + 0.5:jpg"),
                         (["p03", ("red", -1)], "p03 - red")):
        for by in ("auto", "look", "words"):
            done = subprocess.run([program, "search", "--json", "--store", store.where, "--model", store.model.name, "--precision", "fp32",
                                   "--by", by, *parts.split()], capture_output=True, text=True, check=False)
            if done.returncode == 2:
                with pytest.raises(scry.InvalidError, match="a search by words takes texts"):
                    store.search(query, by=by)
                continue
            wanted = json.loads(done.stdout)["results"]
            for found in (store.search(query, by=by), store.search_many([query], by=by)[0], store.search(scry.Query(parts), by=by)):
                assert [h.id for h in found] == [w["id"] for w in wanted], (query, by)
                assert np.allclose([h.score for h in found], [w["score"] for w in wanted], atol=2e-6)
                assert [(h.found_by, list(h.found_in)) for h in found] == [(w.get("found_by", "look"), w.get("found_in", [])) for w in wanted]
    named = store.search("p03", by="words")
    assert [os.path.basename(h.path) for h in named] == ["p03.jpg"] and named[0].found_in == ("name",)
    assert store.search("p03")[0].found_by == "both" and store.search("p03", by="look")[0].found_by == "look"
    assert [h.id for h in store.search("p03", min_score=1.0)] == []
    assert not store.search("p03 nowhere", by="words")
    for bad in (pictures / "copy.jpg", named[0], store.vector(named[0]), ["p03", named[0]]):
        assert store.search(bad)[0].found_by == "look"
        with pytest.raises(scry.InvalidError, match="a search by words takes texts"):
            store.search(bad, by="words")
    for bad in ("sight", None, 1):
        with pytest.raises(scry.InvalidError, match="by is"):
            store.search("p03", by=bad)
    with pytest.raises(scry.InvalidError, match="several queries"):
        store.search_many("p03")


def test_times_that_python_cannot_hold():
    from scry import _c
    from scry.results import make_file
    assert make_file(_c.scry_file(has_time=True, taken_at=2 ** 62)).taken_at is None
    assert make_file(_c.scry_file(has_time=True, taken_at=0, has_taken_offset=True, taken_offset_min=6000)).taken_at is None
    there = make_file(_c.scry_file(has_time=True, taken_at=3600, has_taken_offset=True, taken_offset_min=540)).taken_at
    assert there.isoformat() == "1970-01-01T01:00:00+09:00"


def test_every_kind_of_query(store, pictures):
    path = pictures / "b" / "p10.png"
    hit = store.search(path, limit=1)[0]
    assert hit.path == str(path) and hit.score > 0.999
    for query in (path.read_bytes(), open(path, "rb"), Image.open(path), np.asarray(Image.open(path)), hit, hit.file, store.vector(hit),
                  store.vector(hit) * 3, scry.Query(f"@{path}"), scry.Query("@id:" + hit.id), scry.Query("0.5:@id:" + hit.id), [hit]):
        assert store.search(query, limit=1)[0].id == hit.id, query


def test_weighted_sums(store, model):
    dog, cat = model.embed_texts(["dog", "cat"]).astype(np.float64)
    wanted = dog - 0.5 * cat
    wanted /= np.linalg.norm(wanted)
    for query in (["dog", ("cat", -0.5)], scry.Query("dog - 0.5:cat"), scry.Query("dog", "-", "0.5:cat")):
        assert np.allclose(store.search(query).vector, wanted, atol=1e-5), query
    with pytest.raises(scry.InvalidError, match="cancel each other out"):
        store.search(["dog", ("dog", -1)])


@pytest.mark.parametrize("bad", ["", "  ", [], [("dog", 0)], [("dog", 1000)], [("dog", float("nan"))], None, 5, np.zeros(16), np.zeros(7),
                                 np.full(16, np.inf), b"", b"no picture"])
def test_bad_queries_are_refused(store, bad):
    with pytest.raises(scry.Error):
        store.search(bad)


def test_bad_arguments_are_refused(store):
    for arguments in ({"limit": 2 ** 64 + 1}, {"min_width": 2 ** 64 + 1}, {"min_rating": 6}, {"min_score": float("nan")}, {"min_score": "most"},
                      {"limit": 0}, {"offset": -1}, {"limit": 2.5}, {"fold": 2.0}, {"format": "bitmap"}, {"camera": ""}, {"words": "..."}, {"near": (1, 2)},
                      {"near": (91, 0, 1)}, {"box": (1, 2, 3)}, {"box": (0, 2, 1, 1)}, {"after": "sometime"}, {"after": 5}):
        with pytest.raises(scry.InvalidError):
            store.search("x", **arguments)
    with pytest.raises(TypeError, match="unknown filter 'colour'"):
        store.search("x", colour="red")
    with pytest.raises(scry.InvalidError):
        scry.Query("")
    with pytest.raises(TypeError):
        scry.Store("x", milvus={"indx": "flat"})
    for options in ({"shards": 2 ** 32 + 1}, {"replicas": -1}, {"shards": "2"}, {"half": "no"}, {"mmap": 1}, {"index": 5}, {"search": "a\0b"}):
        with pytest.raises(scry.InvalidError):
            scry.Store("x", milvus=options)
    choice = scry.Store("x", milvus={"shards": np.int64(2), "half": False, "alias": True, "index": "flat", "search": None})._options(0).milvus
    assert (choice.shards, choice.half, choice.alias, choice.index, choice.search) == (2, False, True, b"flat", None)


def test_what_python_would_pass_on_silently(store, model, pictures):
    """One text for a list of texts, None in a list, an empty list of filters, half a character: each is refused before C sees it."""
    for bad in ([None], ["a", None], [b"a", 5]):
        with pytest.raises(scry.InvalidError, match="is not a text"):
            model.embed_texts(bad)
    for arguments in ({"include": "*.jpg"}, {"exclude": "*.jpg"}, {"include": [None]}):
        with pytest.raises(scry.InvalidError):
            store.index(pictures, **arguments)
    with pytest.raises(scry.InvalidError, match="list of texts"):
        model.classify(pictures / "copy.jpg", "dog")
    for name in ("in_", "camera", "format", "label", "key", "words", "place"):
        for bad in (5, [5], [None], []):
            with pytest.raises(scry.InvalidError):
                store.search("x", **{name: bad})
    for bad in ("\ud800", "a\0b", [("a", "b")], [("a", None)], [("a", True), ("b", "1")]):
        with pytest.raises(scry.InvalidError):
            store.search(bad)
    with pytest.raises(scry.InvalidError):
        store.search("x", min_score=True)
    before = len(store)
    for bad in ({"in_": []}, {"camera": None}, {"in_": [], "camera": "Maker"}):
        with pytest.raises(scry.InvalidError):
            store.remove(**bad)
    assert len(store) == before
    first = store.search("x", limit=1)[0]
    assert store.remove(first, camera=None) == 1 and len(store) == before - 1


def test_filters(store, pictures):
    def names(**filters):
        listed = [os.path.basename(f.path) for f in store.files(**filters)]
        found = {os.path.basename(h.path) for h in store.search("x", limit=100, all_copies=True, **filters)}
        assert found == set(listed), filters
        return sorted(listed)
    assert len(names()) == 12
    assert names(in_=pictures / "a") == ["p01.jpg", "p03.jpg", "p05.jpg", "p07.jpg", "p09.png"]
    assert len(names(in_=[pictures / "a", pictures / "b"])) == 11
    assert names(format="png") == ["p08.png", "p09.png", "p10.png"] and len(names(format=["png", "jpg"])) == 12
    assert names(after="2016", before="2020") == ["p06.jpg", "p07.jpg"]
    assert names(after="01.01.2016", until="2019") == names(date="2016-2019") == names(date="2016 to Q4 2019") == ["p06.jpg", "p07.jpg"]
    assert names(date=["2016", datetime.date(2017, 5, 17)], until="2017-05-17") == names(after="2016", before="2017-05-18")
    for wrong in ({"date": "soon"}, {"after": "03/04/2024"}, {"after": "until 2020"}, {"until": "since 2020"}, {"date": 2016}):
        with pytest.raises(scry.InvalidError):
            names(**wrong)
    assert names(after=datetime.date(2016, 1, 1), before=datetime.datetime(2017, 5, 17, 10, 0)) == ["p06.jpg"]
    assert names(camera="camera 1") == ["p01.jpg", "p04.jpg", "p07.jpg"]
    assert names(camera=["Camera 1", "Camera 2"]) == ["p01.jpg", "p02.jpg", "p04.jpg", "p05.jpg", "p07.jpg"]
    assert names(words="p03") == ["p03.jpg"] and names(words=["p03", "p04"]) == [] and names(words="copy") == ["copy.jpg"]
    assert names(min_width=120) == ["p09.png", "p10.png"]
    assert names(near=(0, 0, 1)) == [] and names(box=(170, -10, -170, 10)) == [] and names(min_rating=1) == [] and names(keyword="x") == []


def test_places_and_text(tmp_path, model, pictures):
    folder = tmp_path / "taken"
    folder.mkdir()
    for name, latitude, longitude in (("a.jpg", 48.137, 11.575), ("b.jpg", 48.8584, 2.2945), ("c.jpg", 0.0, -30.0)):
        (folder / name).write_bytes((pictures / {"a": "b/p00.jpg", "b": "a/p01.jpg", "c": "b/p02.jpg"}[name[0]]).read_bytes())
        (folder / f"{name}.json").write_text(f'{{"photoTakenTime": {{"timestamp": "1400000000"}}, "geoData": {{"latitude": {latitude}, "longitude": {longitude}, "altitude": 0.0}}}}')
    with scry.Store(tmp_path / "s", model=model) as store:
        store.index(folder)
        files = {os.path.basename(f.path): f for f in store.files()}
        assert [files[n].place for n in ("a.jpg", "b.jpg", "c.jpg")] == ["Munich, Germany", "Paris, France", ""]
        names = lambda *places: sorted(os.path.basename(f.path) for f in store.files(place=list(places)))
        assert names("Bavaria") == ["a.jpg"] and names("Париж", "Deutschland") == ["a.jpg", "b.jpg"] and names("Paris, Texas") == []
        with pytest.raises(scry.InvalidError, match="no city"):
            list(store.files(place="Pariss"))
        assert store.text(files["a.jpg"]) is None
        line = _c.scry_text_line((ctypes.c_float * 8)(0, 0, 0.5, 0, 0.5, 0.25, 0, 0.25), "Straße 5".encode(), 0.75)
        read = (_c.scry_picture_text * 2)()
        for at, (name, lines, reason) in enumerate((("a.jpg", [line], b""), ("b.jpg", [], b"torn"))):
            read[at] = _c.scry_picture_text(_c.HASH(*bytes.fromhex(files[name].content)), b"r", reason, (_c.scry_text_line * 1)(*lines), len(lines))
        with store._writing(_c.STORE_WRITE) as written:
            call("scry_store_put_texts", written, read, 2)
        assert store.text(files["a.jpg"].id) == (scry.TextLine("Straße 5", ((0, 0), (0.5, 0), (0.5, 0.25), (0, 0.25)), 0.75),)
        assert store.text(files["b.jpg"]) is None
        assert [os.path.basename(f.path) for f in store.files(words="straße")] == ["a.jpg"]


def test_what_is_known_of_a_file(store, pictures):
    file = next(store.files(in_=pictures / "a" / "p03.jpg"))
    assert file.relative == "a/p03.jpg" and (file.width, file.height) == (81, 59) and file.format == "jpeg"
    assert file.taken_at == datetime.datetime(2013, 5, 17, 10, 0) and "Camera 0" in file.camera
    assert file.size == os.path.getsize(file.path) and abs(file.mtime - os.path.getmtime(file.path)) < 1e-3
    assert file.position is None and file.rating is None and file.keywords == () and not file.damaged
    assert store.get(file.id) == file and file.image(40).size == (40, 29)
    with pytest.raises(scry.NotFoundError):
        store.get("0" * 32)
    with pytest.raises(scry.InvalidError, match="32 hexadecimal digits"):
        store.get("xyz")


def test_labels_and_keys(tmp_path, model, pictures):
    (tmp_path / "list.csv").write_text(f"id,path,label\n7,{pictures}/a/p01.jpg,dog\n8,{pictures}/a/p03.jpg,cat\n")
    store = scry.Store(tmp_path / "s", model=model)
    store.index(tmp_path / "list.csv")
    assert [f.key for f in store.files(label="dog")] == ["7"]
    assert sorted(f.labels for f in store.files(key=["7", "8"])) == [("cat",), ("dog",)]


def test_pages_of_files(tmp_path, model, monkeypatch, store):
    monkeypatch.setattr("scry.store._PAGE", 5)
    assert [f.id for f in store] == [f.id for f in store.files()] and len(list(store)) == 12


def test_thresholds(tmp_path, model, pictures):
    for i in range(30):
        os.makedirs(tmp_path / "p", exist_ok=True)
        Image.fromarray(waves(40, 40, 100 + i)).save(tmp_path / "p" / f"{i}.png")
    store = scry.Store(tmp_path / "s", model=model)
    store.index(tmp_path / "p")
    assert store.search("x").threshold is None and len(store.search("x").likely) == 10
    found = store.search("x", min_score="auto", limit=100)
    assert -1 < found.threshold < 1 and all(h.score >= found.threshold for h in found)
    assert store.search("x").threshold == found.threshold
    few = scry.Store(tmp_path / "few", model=model)
    few.index(pictures / "a")
    with pytest.raises(scry.NotFoundError):
        few.search("x", min_score="auto")


def test_removing(store, pictures):
    hits = store.search("x", limit=2)
    assert store.remove(hits[0], hits[1].id) == 2 and len(store) == 10
    assert store.remove(in_=pictures / "a") + len(list(store.files())) == 10
    assert store.remove(hits[0]) == 0
    with pytest.raises(scry.InvalidError):
        store.remove()
    store.compact()
    assert store.verify().ok


def test_verify_finds_damage(tmp_path, store):
    report = store.verify()
    assert report.ok and report.files == 12 and report.contents == 11
    store.close()
    segment = max((tmp_path / "store").rglob("*"), key=lambda p: p.stat().st_size if "seg" in p.name else -1)
    data = bytearray(segment.read_bytes())
    data[len(data) // 3] ^= 1
    segment.write_bytes(data)
    seen = []
    report = store.verify(seen.append)
    assert not report.ok and list(report.problems) == seen and "scry store compact" in report.advice


def test_long_calls_show_progress_and_are_stopped(tmp_path, store):
    def stop(*_):
        raise ZeroDivisionError
    seen = []
    assert store.verify(progress=lambda done, total: seen.append((done, total))).ok
    assert len(seen) > 1 and seen == sorted(seen) and seen[-1][0] == seen[-1][1] > 0
    with pytest.raises(ZeroDivisionError):
        store.verify(progress=stop)
    with pytest.raises(scry.InvalidError, match="sample"):
        store.verify(sample=5)
    seen.clear()
    before = [(h.id, h.score) for h in store.search("x", limit=100)]
    store.remove(*[h.id for h in store.search("x", limit=3)])
    with pytest.raises(ZeroDivisionError):
        store.compact(progress=stop)
    assert [(h.id, h.score) for h in store.search("x", limit=100)] == before[3:]
    store.compact(progress=lambda done, total: seen.append((done, total)))
    assert seen and seen == sorted(seen) and seen[-1][0] == seen[-1][1] > 0
    assert [(h.id, h.score) for h in store.search("x", limit=100)] == before[3:] and store.verify().ok
    other = scry.Store(tmp_path / "other", model=store.model)
    store.copy_to(other)
    seen.clear()
    assert store.compare(other, progress=seen.append).equal and seen[-1].done == len(store)
    with pytest.raises(ZeroDivisionError):
        store.compare(other, progress=stop)


def test_a_store_that_is_not_there(tmp_path, model):
    store = scry.Store(tmp_path / "none", model=model)
    for use in (lambda: store.search("x"), lambda: len(store), lambda: list(store.files()), store.verify, lambda: store.remove("0" * 32)):
        with pytest.raises(scry.NotFoundError, match=r"no store at .*from Python: scry\.Store\(.*\.index\(FOLDER\)"):
            use()
    with pytest.raises(scry.InvalidError):
        store.index()
    assert not (tmp_path / "none").exists()


def test_another_model_is_refused(tmp_path, store, pictures):
    other = str(tmp_path / "other")
    subprocess.run([sys.executable, os.path.join(os.path.dirname(__file__), "../e2e/tiny_model.py"), other, "2"], check=True)
    with pytest.raises(scry.InvalidError, match="model"):
        scry.Store(store.where, model=other).search("x")
    with pytest.raises(scry.InvalidError, match="model"):
        scry.Store(store.where, model=other).index(pictures)


def test_the_collection_names_its_model(store, model):
    with scry.Store(store.where) as again:
        assert again.model.identity == model.identity
        assert [h.id for h in again.search("x")] == [h.id for h in store.search("x")]


def test_others_writes_are_seen(store, model, tmp_path):
    Image.fromarray(waves(40, 40, 77)).save(tmp_path / "new.png")
    before = len(store.search("x", limit=100))
    scry.Store(store.where, model=model).index(tmp_path / "new.png")
    assert len(store.search("x", limit=100)) == before + 1


def test_collections(tmp_path, model, pictures):
    for name in ("one", "two"):
        scry.Store(tmp_path / "s", name, model=model).index(pictures / "a")
    assert scry.Store.collections(tmp_path / "s") == ["one", "two"]
    scry.Store(tmp_path / "s", "one").drop()
    assert scry.Store.collections(tmp_path / "s") == ["two"]


def test_an_exception_stops_the_run(tmp_path, model, pictures):
    class Enough(Exception):
        pass

    def stop(*_):
        raise Enough
    store = scry.Store(tmp_path / "s", model=model)
    with pytest.raises(Enough):
        store.index(pictures, progress=stop)
    with pytest.raises(Enough):
        store.index(pictures, skipped=stop)
    store.index(pictures)   # goes on
    assert len(store) == 12


def test_threads_search_one_store(store):
    wanted = [h.id for h in store.search("a dog")]
    got = []
    threads = [threading.Thread(target=lambda: got.append([h.id for h in store.search("a dog")])) for _ in range(8)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert got == [wanted] * 8


def test_the_command_line_finds_the_same(store, model_dir):
    build = os.environ.get("SCRY_BUILD")
    out = subprocess.run([f"{build}/scry", "search", "--paths", "--store", store.where, "--model", model_dir, "--precision", "fp32", "a dog"],
                         capture_output=True, text=True, check=True).stdout
    assert out.split("\n")[:-1] == [h.path for h in store.search("a dog")]


def test_results_in_a_notebook(store):
    html = store.search("x", limit=3)._repr_html_()
    assert html.count("<img ") == 3 and html.count("data:image/jpeg;base64,") == 3


def test_the_environment(monkeypatch, tmp_path, store, model_dir):
    monkeypatch.setenv("SCRY_STORE", store.where)
    monkeypatch.setenv("SCRY_MODEL", model_dir)
    assert len(scry.Store()) == 12
    monkeypatch.delenv("SCRY_STORE")
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    assert scry.Store().where == str(tmp_path / "scry" / "store")


def test_places_and_names_that_are_bytes(tmp_path, model, pictures):
    """As functions of files take them; a name need not be UTF-8."""
    folder = os.fsencode(tmp_path) + b"/caf\xe9 \xff"
    os.mkdir(folder)
    with open(folder + b"/\xe9.jpg", "wb") as f:
        f.write((pictures / "copy.jpg").read_bytes())
    with scry.Store(os.fsencode(tmp_path) + b"/\xe9", model=model) as s:
        assert s.index(folder).added == 1
        hit, = s.search(pathlib.Path(os.fsdecode(folder), "\udce9.jpg"), in_=os.fsdecode(folder))
        assert os.fsencode(hit.path) == os.path.realpath(folder) + b"/\xe9.jpg" and hit.image(16).width > 0
        with pytest.raises(scry.InvalidError, match=r"a vector of this model is float \["):
            s.search(s.vector(hit)[np.newaxis])
