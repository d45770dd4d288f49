"""Models: vectors of texts and pictures, the same whatever a picture is given as; PIL is the reference for pixels."""
import ctypes
import io
import os
import shutil
import signal
import subprocess
import sys
import threading
import time

import numpy as np
import pytest
from PIL import Image

import scry
from conftest import TOP, waves
from scry._library import call


def test_texts_are_unit_rows(model):
    rows = model.embed_texts(["a dog", "a cat", "a dog"])
    assert rows.shape == (3, model.dim) and rows.dtype == np.float32
    assert np.allclose(np.linalg.norm(rows, axis=1), 1, atol=1e-5)
    assert (rows[0] == rows[2]).all() and (rows[0] != rows[1]).any()
    assert model.embed_texts("a dog").shape == (model.dim,)
    assert model.embed_texts([]).shape == (0, model.dim)
    assert np.allclose(model.embed_texts("a dog"), rows[0], atol=1e-6)


def test_what_is_no_text_is_refused(model):
    for bad in (b"a dog", [b"a dog"], [1], ["a", None]):
        with pytest.raises(scry.InvalidError, match=r"^(b'a dog'|1|None) is not a text$"):
            model.embed_texts(bad)


def test_a_text_with_a_zero_byte_is_refused(model):
    with pytest.raises(scry.InvalidError, match="zero byte"):
        model.embed_texts("a\0b")


def every_form(path):
    """The same picture in each form that is accepted."""
    data = path.read_bytes()
    pixels = np.asarray(Image.open(path).convert("RGB"))
    wide = np.zeros((pixels.shape[0], pixels.shape[1] + 5, 3), np.uint8)
    wide[:, :-5] = pixels
    return {"path": path, "text": str(path), "bytes": data, "bytearray": bytearray(data), "memoryview": memoryview(data),
            "file": io.BytesIO(data), "PIL": Image.open(path), "pixels": pixels, "rows with gaps": wide[:, :-5],
            "upside down": pixels[::-1].copy()[::-1], "columns first": np.asfortranarray(pixels), "read only": np.frombuffer(
                pixels.tobytes(), np.uint8).reshape(pixels.shape), "four channels": np.dstack([pixels, pixels[:, :, 0]])}


def test_every_form_of_a_picture_has_the_same_vector(model, pictures):
    path = pictures / "b" / "p10.png"   # without loss: decoded to the same pixels by both
    forms = every_form(path)
    one_by_one = {name: model.embed_images(form, exact=True) for name, form in every_form(path).items()}
    together = model.embed_images(list(forms.values()), exact=True)
    for name, row in zip(forms, together):
        assert (one_by_one[name] == one_by_one["path"]).all(), name
        assert np.allclose(row, one_by_one["path"], atol=1e-6), name


def test_pixels_are_resized_as_pil_does(model):
    pixels = waves(301, 200, 3)
    side = model.image_size
    small = Image.fromarray(pixels).resize((int(side * 301 / 200), side), Image.BICUBIC)
    left = (small.width - side) // 2
    wanted = model.embed_images(np.asarray(small)[:, left:left + side])   # of the model's size: not resized again
    assert (model.embed_images(pixels) == wanted).all()


def test_grey_pixels_and_orientation(model, tmp_path):
    grey = waves(80, 60, 1)[:, :, 0]
    assert (model.embed_images(grey) == model.embed_images(np.dstack([grey] * 3))).all()
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.fromarray(waves(80, 60, 2)).save(tmp_path / "turned.png", exif=exif)
    turned = model.embed_images([tmp_path / "turned.png", Image.open(tmp_path / "turned.png")], exact=True)
    assert np.allclose(turned[0], turned[1], atol=1e-6)
    as_stored = model.embed_images(tmp_path / "turned.png", exact=True, keep_orientation=True)
    assert np.allclose(as_stored, model.embed_images(waves(80, 60, 2)), atol=1e-6) and not np.allclose(as_stored, turned[0], atol=1e-3)


@pytest.mark.parametrize("bad", [np.zeros((3, 4), np.float32)[np.newaxis], np.zeros((4, 4, 2), np.uint8), np.zeros((0, 4, 3), np.uint8), 5,
                                 None, {"a": 1}])
def test_what_is_no_picture_is_refused(model, bad):
    with pytest.raises(scry.InvalidError):
        model.embed_images([bad])


def test_bad_pictures_fail_alone_or_raise(model, pictures):
    given = [pictures / "copy.jpg", pictures / "bad.jpg", b"nothing", pictures / "none.jpg", waves(20, 20, 1)]
    failed = []
    rows = model.embed_images(given, failed=lambda i, reason: failed.append((i, reason)))
    assert [i for i, _ in failed] == [1, 2, 3] and all(reason for _, reason in failed)
    assert np.isnan(rows[[1, 2, 3]]).all() and np.isfinite(rows[[0, 4]]).all()
    with pytest.raises(scry.InvalidError, match="bad.jpg: "):
        model.embed_images(given)
    with pytest.raises(scry.InvalidError, match="picture 0: not a picture"):
        model.embed_images([b"nothing"])


def test_sixteen_bits(model, tmp_path):
    """A PIL image of 16 bits has the pixels of its file, not those of PIL's convert(), which are white."""
    deep = waves(80, 60, 4)[:, :, 0].astype(np.uint16) * 200 + 77
    Image.fromarray(deep).save(tmp_path / "deep.png")
    wanted = model.embed_images(tmp_path / "deep.png", exact=True)
    assert (wanted == model.embed_images((deep >> 8).astype(np.uint8))).all()
    for image in (Image.fromarray(deep), Image.open(tmp_path / "deep.png"), Image.fromarray(deep.astype(np.int32)),
                  Image.fromarray(deep.astype(">u2"))):
        assert (model.embed_images(image) == wanted).all(), image.mode
    bright = Image.fromarray(waves(80, 60, 4)[:, :, 0])
    for mode in "IF":
        assert (model.embed_images(bright.convert(mode)) == model.embed_images(bright)).all()
    for values in (deep.astype(np.float32), -deep.astype(np.int32), deep.astype(np.int32) * 300):
        with pytest.raises(scry.InvalidError, match="^picture 0: values of mode [IF] are from 0 to 255: convert the image to 8 bits$"):
            model.embed_images(Image.fromarray(values))


def test_what_python_cannot_read_fails_alone(model, pictures, tmp_path):
    (tmp_path / "cut.png").write_bytes((pictures / "b" / "p10.png").read_bytes()[:-900])
    closed = Image.open(pictures / "b" / "p10.png")
    closed.close()
    gone = open(pictures / "copy.jpg", "rb")
    gone.close()
    failed, seen = [], []
    given = [Image.open(tmp_path / "cut.png"), pictures / "copy.jpg", closed, io.StringIO("x"), gone]
    rows = model.embed_images(given, failed=lambda i, reason: failed.append((i, reason)), progress=lambda *a: seen.append(a))
    assert [i for i, _ in failed] == [0, 2, 3, 4] and seen[-1] == (5, 5)
    assert np.isnan(rows[[0, 2, 3, 4]]).all() and (rows[1] == model.embed_images(pictures / "copy.jpg")).all()
    with pytest.raises(scry.InvalidError, match="^picture 0: the file is open for text"):
        model.embed_images(io.StringIO("x"))


def test_rows_without_a_stride_and_bytes_with_gaps(model, pictures):
    """NumPy may give an array of one row any stride; a view of every second byte is none that C could read in place."""
    pixels = waves(60, 50, 1)
    row = np.lib.stride_tricks.as_strided(pixels, (1, 60, 3), (5, 3, 1))
    assert np.array_equal(model.embed_images(row), model.embed_images(pixels[:1].copy()))
    data = (pictures / "copy.jpg").read_bytes()
    spread = bytearray(2 * len(data))
    spread[::2] = data
    assert np.array_equal(model.embed_images(memoryview(spread)[::2]), model.embed_images(data))


def test_sides_that_c_cannot_count(model):
    """An array that repeats a row takes no memory of its own: it is refused before it is copied, or its number of rows cut to 32 bits."""
    row = waves(60, 1, 1)
    for shape, strides in (((2 ** 32 + 5, 60, 3), (0, 3, 1)), ((1, 2 ** 32 + 5, 3), (180, 0, 1)), ((2 ** 31, 60), (0, 1)),
                           ((1_000_001, 60, 3), (0, 3, 1))):
        with pytest.raises(scry.InvalidError, match="sides of at most"):
            model.embed_images(np.lib.stride_tricks.as_strided(row, shape, strides))


def test_vectors_to_classify_have_one_or_two_dimensions(model):
    rows = model.embed_texts(["a", "b"])
    assert model.classify(rows, ["x", "y", "z"]).shape == (2, 3) and model.classify(rows[0], ["x", "y"]).shape == (2,)
    for bad in (np.zeros((2, 16, 3)), np.zeros((1, 2, 16)), np.zeros((2, 15)), np.zeros(()), np.zeros((0, 3))):
        with pytest.raises(scry.InvalidError, match="vectors of this model have 16 dimensions"):
            model.classify(bad, ["x", "y"])


def test_several_pictures_in_one_array(model):
    several = np.stack([waves(80, 60, i) for i in range(3)])
    assert (model.embed_images(several) == model.embed_images(list(several))).all()
    assert model.embed_images(several[:0]).shape == (0, model.dim)


def test_progress_and_stopping(model, pictures):
    seen = []
    given = [pictures / "copy.jpg", waves(20, 20, 1), (pictures / "copy.jpg").read_bytes()]
    model.embed_images(given, progress=lambda done, total: seen.append((done, total)))
    assert seen[-1] == (3, 3) and sorted(seen) == seen

    class Enough(Exception):
        pass

    def stop(done, total):
        raise Enough
    with pytest.raises(Enough):
        model.embed_images([waves(20, 20, i) for i in range(100)], progress=stop)
    with pytest.raises(Enough):
        model.embed_texts(["a dog"] * 100, progress=stop)


@pytest.fixture
def ctrl_c():
    """As in a terminal: a shell starts what runs in the background with SIGINT ignored."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


def test_ctrl_c_ends_a_long_call(model, ctrl_c):
    asked = []

    def interrupt(done, total):
        if not asked:
            asked.append(done)
            os.kill(os.getpid(), signal.SIGINT)
    with pytest.raises(KeyboardInterrupt):
        model.embed_texts(["a dog"] * 20000, progress=interrupt)
    with pytest.raises(KeyboardInterrupt):
        asked.clear()
        model.embed_images([waves(20, 20, 1)] * 20000, progress=interrupt)
    assert asked


def test_probabilities_of_labels(model, pictures):
    image = pictures / "copy.jpg"
    labels = ["a dog", "a cat", "a castle"]
    got = model.classify(image, labels)
    cosines = model.embed_texts(labels) @ model.embed_images(image)
    wanted = np.exp(model.logit_scale * cosines.astype(np.float64))
    assert np.allclose(model.classify(image, labels, ["{}"]), wanted / wanted.sum(), atol=1e-3)
    assert got.shape == (3,) and abs(got.sum() - 1) < 1e-9
    assert model.classify([image, image], labels).shape == (2, 3)
    assert np.allclose(model.classify(model.embed_images(image), labels), got)
    with pytest.raises(scry.InvalidError, match="dimensions"):
        model.classify(np.zeros(7, np.float32), labels)


def test_threads_share_a_model(model):
    wanted = model.embed_texts([f"text {i}" for i in range(8)])
    got = [None] * 8

    def work(i):
        got[i] = model.embed_texts(f"text {i}")
    threads = [threading.Thread(target=work, args=(i,)) for i in range(8)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert np.allclose(got, wanted, atol=1e-5)


def test_other_threads_run_while_c_computes(model):
    """The lock of the interpreter is released: a callback's thread waits for this one, which could not run otherwise."""
    ready, go = threading.Event(), threading.Event()

    def progress(done, total):
        ready.set()
        assert go.wait(60)
    worker = threading.Thread(target=model.embed_texts, args=(["a dog"] * 4,), kwargs={"progress": progress})
    worker.start()
    assert ready.wait(60)
    go.set()
    worker.join()


def test_closing(model_dir):
    model = scry.Model(model_dir)
    with model:
        assert model.dim == 16 and "tiny" in repr(model)
    model.close()
    with pytest.raises(scry.InvalidError, match="closed"):
        model.embed_texts("a")


def test_models_that_are_not_there(tmp_path):
    with pytest.raises(scry.NotFoundError, match="no model folder [^(]*$"):
        scry.Model(str(tmp_path / "none"))
    with pytest.raises(scry.NotFoundError, match=r'no model "nothing-like-it".*from Python: .*scry\.pull\(name\)'):
        scry.Model("nothing-like-it")
    with pytest.raises(scry.InvalidError, match="precision"):
        scry.Model(precision="fp17")


def test_models_by_name(model_dir):
    assert any(m.name == "starter" and m.bundled for m in scry.models())
    assert all(e.repository.count("/") == 1 and e.dim > 0 for e in scry.catalogue())
    scry.add_model("mine", model_dir)
    try:
        assert next(m for m in scry.models() if m.name == "mine").dim == 16
        with scry.Model("mine") as mine:
            assert mine.name == "mine"
        with pytest.raises(scry.InvalidError):
            scry.add_model("mine", model_dir)
    finally:
        scry.remove_model("mine")
    assert not any(m.name == "mine" for m in scry.models())
    with pytest.raises(scry.RemoteError, match="HF_HUB_OFFLINE"):
        os.environ["HF_HUB_OFFLINE"] = "1"
        try:
            scry.pull("openai/clip-vit-base-patch32")
        finally:
            del os.environ["HF_HUB_OFFLINE"]


class Enough(Exception):
    """A callback raises it to stop the call."""


def stop(done, total):
    raise Enough


def test_opening_and_adding_are_watched(tmp_path, model_dir, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))   # where nothing is known of the model yet
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    with pytest.raises(Enough):
        scry.Model(model_dir, progress=stop)
    with pytest.raises(Enough):
        scry.add_model("mine", model_dir, copy=True, progress=stop)
    assert not any(m.name == "mine" for m in scry.models())
    seen = []
    scry.add_model("mine", model_dir, copy=True, progress=lambda done, total: seen.append((done, total)))
    assert seen == sorted(seen) and seen[-1][0] == seen[-1][1] > 0
    scry.remove_model("mine")
    again = []
    scry.Model(model_dir, progress=lambda done, total: again.append(done)).close()
    assert again == []   # its weights were read by then


def test_a_download_that_is_stopped_goes_on(tmp_path, model_dir, monkeypatch):
    port_file = tmp_path / "port"
    shutil.copytree(model_dir, tmp_path / "hub")
    hub = subprocess.Popen([sys.executable, os.path.join(TOP, "tests/e2e/hub.py"), str(tmp_path / "hub"), str(port_file)])
    try:
        while not (port_file.exists() and port_file.read_text().strip()):
            assert hub.poll() is None
            time.sleep(0.05)
        monkeypatch.setenv("SCRY_HUB_URL", f"http://127.0.0.1:{port_file.read_text().strip()}")
        monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
        with pytest.raises(Enough):
            scry.pull("owner/ok", progress=lambda file, done, total: stop(done, total))
        assert [m.unfinished for m in scry.models() if m.name == "ok"] == [True]
        seen = []
        assert scry.pull("owner/ok", progress=lambda file, done, total: seen.append((file, done, total))) == "ok"
        assert seen[-1][1] == seen[-1][2] > 0
        assert next(m for m in scry.models() if m.name == "ok").dim == 16
    finally:
        hub.kill()
        hub.wait()


def test_error_kinds():
    assert issubclass(scry.NotFoundError, LookupError) and issubclass(scry.InvalidError, ValueError)
    assert all(issubclass(getattr(scry, name), scry.Error) for name in scry.__all__ if name.endswith("Error"))


def test_null_where_c_takes_a_text(model):
    """Programs in C that pass NULL get an error, too."""
    rows, pointer = np.empty((2, model.dim), np.float32), ctypes.c_void_p()
    both = (ctypes.c_char_p * 2)(b"a", None)
    for name in ("scry_embed_lines", "scry_embed_files"):
        with model._handle.use() as m, pytest.raises(scry.InvalidError, match="number 1 of 2 is none"):
            call(name, m, both, 2, None, rows.ctypes.data, None)
    for name in ("scry_store_open", "scry_model_open"):
        with pytest.raises(scry.InvalidError, match="none was given"):
            call(name, ctypes.byref(pointer), None, None)
