"""material.py - the weights, pictures and texts that all peers are given, made once and kept.

Everything comes from fixed seeds, from the JPEGs of $SCRY_DATA/jpegs/img (demo/gallery where
SCRY_DATA is not set) and, larger ones, from Debian's packages of wallpapers.
"""
import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

from harness.bench import TOP, Skip

SIZE = 224
MEAN = (0.48145466, 0.4578275, 0.40821073)
STD = (0.26862954, 0.26130258, 0.27577711)


def once(path, make):
    """`path`, made by make(temporary path) when it is not there; never half made."""
    if not path.exists():
        part = path.with_name("part-" + path.name)
        shutil.rmtree(part, ignore_errors=True)
        print(f"   making {path}", flush=True)
        make(part)
        part.rename(path)
    return path


def checkpoint(b, name="b32", outliers=1):
    """A Hugging Face folder with random weights; `outliers`: some channels so many times as large."""
    def make(part):
        sys.path.insert(0, str(TOP / "tools/parity"))
        import clip_models
        clip_models.make(name, part, outliers=outliers)
    return once(b.folder("models") / (name if outliers == 1 else f"{name}-outliers{outliers:g}"), make)


def base_pictures():
    data = os.environ.get("SCRY_DATA")
    folder = Path(data) / "jpegs/img" if data else TOP / "demo/gallery"
    return sorted(p for p in folder.rglob("*.jpg"))


def enlarged(b, count=6):
    """`count` JPEGs of 12 megapixels: photographs enlarged to 4000 x 3000 with noise, quality 92."""
    def make(part):
        import numpy as np
        from PIL import Image
        part.mkdir()
        for i, name in enumerate(base_pictures()[:count]):
            im = Image.open(name).convert("RGB").resize((4000, 3000), Image.Resampling.BICUBIC)
            a = np.asarray(im).astype(np.int16)
            a = (a + np.random.default_rng(i).normal(0, 5, a.shape)).clip(0, 255).astype(np.uint8)
            Image.fromarray(a).save(part / f"large{i}.jpg", quality=92)
    return sorted(once(b.folder("pictures") / f"12mp-{count}", make).iterdir())


def recropped(folder, base, count, seed, pixels, most=float("inf")):
    """`count` JPEGs in a new folder: crops of the pictures `base`, scaled (by `most` at most) to pixels(random)
    pixels and encoded anew, so that no two have the same."""
    import numpy as np
    from PIL import Image
    folder.mkdir()
    for i in range(count):
        random = np.random.default_rng(seed + i)
        im = Image.open(base[i % len(base)]).convert("RGB")
        w, h = (int(x * random.uniform(0.75, 1)) for x in im.size)
        x, y = (int(random.uniform(0, full - side)) for full, side in zip(im.size, (w, h)))
        scale = min(most, (pixels(random) / (w * h)) ** 0.5)
        im = im.crop((x, y, x + w, y + h)).resize((int(w * scale), int(h * scale)), Image.Resampling.BICUBIC)
        im.save(folder / f"{i:05d}.jpg", quality=int(random.integers(82, 94)))


def crops(b, count):
    """A folder of `count` JPEGs of about 0.2 megapixels, made of the base pictures."""
    return once(b.folder("pictures") / f"crops-{count}", lambda part: recropped(
        part, base_pictures(), count, 0, lambda random: 200_000 * random.uniform(0.8, 1.25)))


WALLPAPERS = ("lomiri-wallpapers-16.04", "mate-backgrounds")


def wallpapers(b):
    """The JPEGs of Debian's packages of wallpapers, downloaded by apt-get."""
    def make(part):
        part.mkdir()
        try:
            subprocess.run(["apt-get", "download", *WALLPAPERS], cwd=part, check=True, capture_output=True)
            for package in part.glob("*.deb"):
                subprocess.run(["dpkg-deb", "-x", package, part], check=True)
        except (OSError, subprocess.CalledProcessError) as why:
            raise Skip(f"wallpapers come from Debian's packages {' and '.join(WALLPAPERS)}: {why}") from why
    return sorted(p for p in once(b.folder("pictures") / "wallpapers", make).rglob("*.jpg") if not p.is_symlink())


def larger(b, count):
    """A folder of `count` JPEGs of 0.3 to 12 megapixels, as many small as large ones, made of wallpapers."""
    base = wallpapers(b)
    return once(b.folder("pictures") / f"larger-{count}", lambda part: recropped(
        part, base, count, 1000, lambda random: 0.3e6 * 40 ** random.uniform(0, 1), most=1))


def pixels(b, first, count):
    """.npy [count, 224, 224, 3] of bytes: crops `first` and on, as every peer's preprocessing cuts them."""
    def make(part):
        import numpy as np
        from PIL import Image
        names = sorted(crops(b, 640).iterdir())[first:first + count]
        out = np.empty((count, SIZE, SIZE, 3), np.uint8)
        for i, name in enumerate(names):
            out[i] = np.asarray(view(Image.open(name)))
        with open(part, "wb") as f:
            np.save(f, out)
    return once(b.folder("pictures") / f"pixels-{first}-{count}.npy", make)


def view(im):
    """Pillow's bicubic to 224 on the shorter side, centre crop: CLIP's own preprocessing."""
    from PIL import Image
    w, h = im.size
    tw, th = (SIZE, SIZE * h // w) if w < h else (SIZE * w // h, SIZE)
    im = im.convert("RGB").resize((tw, th), Image.Resampling.BICUBIC)
    x, y = (tw - SIZE) // 2, (th - SIZE) // 2
    return im.crop((x, y, x + SIZE, y + SIZE))


def normalised(pixels):
    """Bytes [n, 224, 224, 3] to the floats [n, 3, 224, 224] that towers take."""
    import numpy as np
    x = (pixels.astype(np.float32) / 255 - np.float32(MEAN)) / np.float32(STD)
    return np.ascontiguousarray(x.transpose(0, 3, 1, 2))


TEXT = "a white dog on the beach"
WORDS = ("red green old small wooden bright quiet broken paper winter river street market bicycle garden window "
         "child horse mountain lighthouse bridge kitchen violin lemon bread train snow cat boat flower").split()


def texts(b, count=64):
    """A file of `count` queries of six words drawn at random, one a line; the first is TEXT."""
    def make(part):
        import numpy as np
        random = np.random.default_rng(3)
        lines = [TEXT] + [" ".join(random.choice(WORDS, 6)) for _ in range(count - 1)]
        part.write_text("\n".join(lines) + "\n")
    return once(b.folder("pictures") / f"texts-{count}.txt", make)


def captions(b, count=64):
    """A file of `count` sentences as people wrote them: one of each of the first pictures."""
    data = os.environ.get("SCRY_DATA")
    if not data:
        raise Skip("captions come from $SCRY_DATA/jpegs/captions.tsv")

    def make(part):
        rows = [line.split("\t") for line in (Path(data) / "jpegs/captions.tsv").read_text("utf-8").splitlines()[1:]]
        first = {}
        for name, caption in rows:
            first.setdefault(name, caption.removesuffix(" ."))
        part.write_text("\n".join(list(first.values())[:count]) + "\n", "utf-8")
    return once(b.folder("pictures") / f"captions-{count}.txt", make)


def ids(b, texts):
    """.npz with the ids [n, 77] of a file of texts and the places [n] of their ends, by CLIP's tokenizer."""
    def make(part):
        import numpy as np
        from transformers import CLIPTokenizer
        tokenizer = CLIPTokenizer.from_pretrained(checkpoint(b))
        rows = [tokenizer(line)["input_ids"] for line in texts.read_text("utf-8").splitlines()]
        with open(part, "wb") as f:
            np.savez(f, ids=np.array([r + [r[-1]] * (77 - len(r)) for r in rows], np.int64),
                     ends=np.array([len(r) - 1 for r in rows], np.int64))
    return once(b.folder("pictures") / f"ids-{texts.stem}.npz", make)


def exported(b, outliers=1):
    """Folder with the towers of `checkpoint` for ONNX Runtime and OpenVINO; int8 is calibrated with
    pictures that no stage measures or compares."""
    model = checkpoint(b, outliers=outliers)
    calibration = pixels(b, 320, 96)

    def make(part):
        subprocess.run([str(b.python()), "-m", "peers.export", str(model), str(part), str(calibration)],
                       cwd=TOP / "bench", check=True, stdout=subprocess.DEVNULL)
    return once(b.folder("exported") / model.name, make)


def stored(b, name, make):
    """A store, made once for each layout of stores: caches of an older one would be made anew by every search."""
    digest = hashlib.sha256()
    for header in sorted([*(TOP / "src/vector").glob("*.h"), *(TOP / "src/store").glob("*.h")]):
        digest.update(header.read_bytes())
    return once(b.folder("stores") / f"{name}-{digest.hexdigest()[:8]}", make)


def large_store(b, rows=1000000, clusters=1000):
    """A store of synthetic pictures with folders, dates, cameras, labels and places (bench/store.c)."""
    def make(part):
        b.run([b.program("store"), "make", part, rows, 512, clusters])
    return stored(b, f"synthetic-{rows}", make)
