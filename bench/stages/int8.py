"""int8 - what the smaller numbers cost

Image tower, ViT-B/32 with random weights: the lowest cosine over 64 pictures to the vectors in float32, also with
three channels of every norm ten times as large, as trained towers have them. OpenVINO's int8 is NNCF's, calibrated
with 96 other pictures; scry needs no calibration.
"""
import numpy as np

from harness import material

ORDER = 15


def cosines(b, outliers):
    """Lowest and mean cosine of int8 vectors to scry's float32 ones, here and in OpenVINO."""
    model, exported = material.checkpoint(b, outliers=outliers), material.exported(b, outliers)
    common = dict(kind="image", model=str(model), data=str(material.pixels(b, 0, 64)), batches=[16])
    ways = {
        "scry fp32": b.worker("scry", precision="fp32", **common),
        "OpenVINO fp32": b.worker("ov", exported=str(exported / "image.xml"), precision="fp32", **common),
        "scry bf16": b.worker("scry", precision="bf16", **common),
        "scry int8": b.worker("scry", precision="int8", **common),
        "OpenVINO int8": b.worker("ov", exported=str(exported / "image-int8.xml"), precision="bf16", **common),
    }
    vectors = {}
    for name, w in ways.items():
        to = b.folder("vectors") / (name.replace(" ", "-") + ".npy")
        w.ask("vectors", to=str(to))
        v = np.load(to).astype(np.float64)
        vectors[name] = v / np.linalg.norm(v, axis=1, keepdims=True)
    b.drop(*ways.values())
    what = "cosine to fp32" + (", outlying channels" if outliers != 1 else "")
    lowest = {name: float((v * vectors["scry fp32"]).sum(1).min()) for name, v in vectors.items()}
    for name in list(ways)[1:]:
        b.figure(what, name, "lowest", lowest[name])
    b.target(f"int8: lowest {what}", lowest["scry int8"], at_least=0.995, unit="")


def run(b):
    b.versions("openvino", "nncf")
    cosines(b, 1)
    cosines(b, 10)
