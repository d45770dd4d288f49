"""What the tests of the Python package share: a tiny model, pictures, an indexed store. tests/e2e/python.sh runs them."""
import os
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image

TOP = os.environ.get("SCRY_TOP") or os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

import scry  # noqa: E402


def waves(width, height, seed):
    """Pixels that differ everywhere, [height, width, 3]."""
    y, x = np.mgrid[0:height, 0:width]
    rng = np.random.default_rng(seed)
    a, b, c = rng.uniform(0.02, 0.3, (3, 3))
    colours = [127 + 100 * np.sin(a[k] * x + seed) * np.cos(b[k] * y + c[k]) for k in range(3)]
    return (np.stack(colours, axis=2) + rng.uniform(-20, 20, (height, width, 3))).clip(0, 255).astype(np.uint8)


@pytest.fixture(scope="session")
def model_dir(tmp_path_factory):
    folder = tmp_path_factory.mktemp("model") / "tiny"
    subprocess.run([sys.executable, f"{TOP}/tests/e2e/tiny_model.py", str(folder)], check=True)
    return str(folder)


@pytest.fixture(scope="session")
def model(model_dir):
    with scry.Model(model_dir, precision="fp32") as m:
        yield m


@pytest.fixture(scope="session")
def pictures(tmp_path_factory):
    """A folder with twelve pictures of several formats, of which one is a copy, and a file that is none."""
    folder = tmp_path_factory.mktemp("pictures")
    for i in range(11):
        image = Image.fromarray(waves(60 + 7 * i, 50 + 3 * i, i))
        exif = Image.Exif()
        exif[0x010F], exif[0x0110] = "Maker", f"Camera {i % 3}"
        exif[0x0132] = f"20{10 + i}:05:17 10:00:00"
        sub = folder / ("a" if i % 2 else "b")
        sub.mkdir(exist_ok=True)
        image.save(sub / f"p{i:02}.{'jpg' if i < 8 else 'png'}", quality=95, **({"exif": exif} if i < 8 else {}))
    (folder / "copy.jpg").write_bytes((folder / "b" / "p00.jpg").read_bytes())
    (folder / "bad.jpg").write_bytes(b"\xff\xd8\xff\xe0 this ends early")
    return folder


@pytest.fixture
def store(tmp_path, model, pictures):
    with scry.Store(tmp_path / "store", model=model) as s:
        s.index(pictures)
        yield s
