"""What looks after a store: duplicates, words in pictures, favourites, roots that moved; names that a model is taught."""
import os
import shutil
import subprocess

import numpy as np
import pytest
from PIL import Image, ImageDraw

import scry
from conftest import TOP, waves

PROGRAM = os.environ.get("SCRY_BUILD", f"{TOP}/build/release") + "/scry"


@pytest.fixture
def home(tmp_path, monkeypatch):
    for name in ("XDG_DATA_HOME", "XDG_CACHE_HOME"):
        monkeypatch.setenv(name, str(tmp_path / name))


def groups_by_hand(store, cosine):
    """By the rule of duplicates.h, over the stored vectors: sets of paths, each with the one to keep first."""
    files, rows = store.vectors()
    contents = {}
    for f, row in zip(files, rows.astype(np.float64)):
        contents.setdefault(f.content, (row / np.linalg.norm(row), []))[1].append(f)
    order = sorted(contents.values(), key=lambda c: (-c[1][0].width * c[1][0].height, c[1][0].taken_at is None, -c[1][0].size))
    found, taken = set(), set()

    def one_shape(i, k):
        ratios = sorted(order[n][1][0].width / order[n][1][0].height for n in (i, k))
        return ratios[0] / ratios[1] >= 0.9
    for i, (row, places) in enumerate(order):
        if i in taken:
            continue
        near = [k for k in range(i + 1, len(order)) if k not in taken and order[k][0] @ row >= cosine and one_shape(i, k)]
        taken.update(near)
        paths = {f.path for k in [i, *near] for f in order[k][1]}
        if len(paths) > 1:
            found.add((min(places, key=lambda f: (f.mtime, len(f.path))).path, frozenset(paths)))
    return found


def test_duplicates_are_those_of_the_rule(store):
    def as_set(groups):
        return {(g.keep.path, frozenset([g.keep.path, *(d.file.path for d in g.others)])) for g in groups}
    seen = []
    same = store.duplicates(exact=True, progress=lambda done, total: seen.append((done, total)))
    assert len(same) == 1 and {os.path.basename(p) for p in as_set(same).pop()[1]} == {"p00.jpg", "copy.jpg"}
    assert same[0].others[0].same_bytes and same[0].others[0].cosine == 1 and seen[-1] == (11, 11)
    for cosine in (0.999, 0.9, 0.5, 0.1):
        assert as_set(store.duplicates(cosine)) == groups_by_hand(store, cosine), cosine
    assert as_set(store.duplicates()) == as_set(store.duplicates(0.95)) and store.duplicates(in_=store.roots()[0].path + "/a", exact=True) == []
    for group in store.duplicates(0.1):
        assert [d.cosine for d in group.others] == sorted((d.cosine for d in group.others), reverse=True)
        for d in group.others:
            assert abs(float(store.vector(d.file) @ store.vector(group.keep)) - d.cosine) < 2e-3

    def stop(*_):
        raise ZeroDivisionError
    with pytest.raises(ZeroDivisionError):
        store.duplicates(progress=stop)
    for bad in (0, -1, 1.5, "near", None):
        with pytest.raises(scry.InvalidError):
            store.duplicates(bad)


def test_favourites(store, pictures):
    first, second = store.search("x", limit=2)
    store.set_favourite(first, second.id)
    assert {f.content for f in store.files(favourites=True)} == {first.file.content, second.file.content}
    assert store.get(first).favourite and all(h.file.favourite for h in store.search("y", favourites=True))
    listed = subprocess.run([PROGRAM, "list", "--store", store.where, "--favourites", "--paths"], capture_output=True, text=True, check=True)
    assert set(listed.stdout.split()) == {f.path for f in store.files(favourites=True)}
    store.set_favourite(second, on=False)
    assert {f.content for f in store.files(favourites=True)} == {first.file.content}
    store.set_favourite()
    with pytest.raises(scry.NotFoundError):
        store.set_favourite("0" * 32)


def test_a_root_that_moved(tmp_path, model, pictures):
    shutil.copytree(pictures, tmp_path / "old")
    with scry.Store(tmp_path / "store", model=model) as store:
        store.index(tmp_path / "old")
        before = {f.id for f in store.files()}
        (tmp_path / "old").rename(tmp_path / "new")
        store.move_root(tmp_path / "old", str(tmp_path / "new"))
        assert [r.path for r in store.roots()] == [str(tmp_path / "new")] and {f.id for f in store.files()} == before
        assert store.index(tmp_path / "new").embedded == 0
        with pytest.raises(scry.Error):
            store.move_root(tmp_path / "nowhere", tmp_path / "new")


def test_words_are_read(tmp_path, model):
    page = Image.new("RGB", (110, 40), "white")
    ImageDraw.Draw(page).text((20, 14), "HELLO WORLD", fill="black")
    (tmp_path / "p").mkdir()
    page.resize((660, 240), Image.BICUBIC).save(tmp_path / "p" / "page.png")
    Image.fromarray(waves(60, 60, 1)).save(tmp_path / "p" / "waves.png")
    with scry.Store(tmp_path / "store", model=model) as store:
        store.index(tmp_path / "p")
        assert store.text(store.search("x")[0]) is None and not store.search("hello world", by="words")
        seen = []
        report = store.read_words(progress=seen.append)
        assert (report.pictures, report.read, report.failed, report.missing) == (2, 2, 0, 0) and seen[-1].read == 2
        hit = store.search("hello world", by="words")[0]
        assert hit.path == str(tmp_path / "p" / "page.png") and hit.found_in == ("picture",) and hit.matched.upper() == "HELLO WORLD"
        assert [line.text.upper() for line in store.text(hit)] == ["HELLO WORLD"]
        assert store.read_words().pictures == 0


def test_a_name_is_taught(home, model_dir, store, pictures):
    for i in range(30):   # a sample of pictures
        folder = pictures.parent / "sample"
        folder.mkdir(exist_ok=True)
        Image.fromarray(waves(40, 40, 100 + i)).save(folder / f"{i}.png")
    store.index(folder)
    paths = [folder / f"{i}.png" for i in range(3)]
    with scry.Model(model_dir, precision="fp32") as m:
        seen = []

        def stop(done, total):
            raise KeyError(done)
        with pytest.raises(KeyError):
            m.teach("Rexo", paths, store=store, progress=stop)
        m.teach("Rexo", [str(paths[0]), paths[1], scry.Query(f"@{paths[2]}")], store=store, progress=lambda *n: seen.append(n))
        assert seen == sorted(seen) and seen[-1][0] == seen[-1][1] > 3
        assert m.taught == ()
    with scry.Model(model_dir, precision="fp32") as m:
        assert m.taught == ("Rexo",)
        assert not np.allclose(m.embed_texts("Rexo"), store.model.embed_texts("Rexo"), atol=1e-3)
        with pytest.raises(scry.InvalidError):
            m.teach("Other", paths[:2], store=store)
        with pytest.raises(scry.InvalidError):
            m.teach("Rexo", paths, store=store)
        m.forget("rexo")
        with pytest.raises(scry.NotFoundError):
            m.forget("Rexo")
    with scry.Model(model_dir, precision="fp32") as m:
        assert m.taught == ()
