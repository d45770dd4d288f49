"""tower - image tower, ViT-B/32

Pictures that are decoded already, batches of 16 and of 1, all processors. scry is given bytes and normalises
them itself, the peers are given floats. int8: OpenVINO's by NNCF (stage `int8`); scry's finds its steps on the fly.
"""
from harness import material

ORDER = 10
SECONDS = 0.4


def workers(b):
    exported = material.exported(b)
    common = dict(kind="image", model=str(material.checkpoint(b)), data=str(material.pixels(b, 0, 64)), batches=[16, 1])
    xml, int8 = str(exported / "image.xml"), str(exported / "image-int8.xml")
    return {
        "scry fp32": b.worker("scry", precision="fp32", **common),
        "OpenVINO fp32": b.worker("ov", exported=xml, precision="fp32", **common),
        "ONNX Runtime fp32": b.worker("ort", exported=str(exported / "image.onnx"), **common),
        "scry bf16": b.worker("scry", precision="bf16", **common),
        "OpenVINO bf16": b.worker("ov", exported=xml, precision="bf16", **common),
        "PyTorch bf16": b.worker("pytorch", precision="bf16", **common),
        "scry int8": b.worker("scry", precision="int8", **common),
        "OpenVINO int8, rest bf16": b.worker("ov", exported=int8, precision="bf16", **common),
        "OpenVINO int8, rest fp32": b.worker("ov", exported=int8, precision="fp32", **common),
    }


def speed(b, ways, batch, floor, aim):
    got = b.alternate(f"batch {batch}", {
        name: lambda w=w: 1e3 * batch / w.ask("milliseconds", seconds=SECONDS, batch=batch)
        for name, w in ways.items()}, "pictures/s")
    for p in ("fp32", "bf16"):
        b.target(f"{p}, batch {batch}: rate to OpenVINO's {p}", got[f"scry {p}"].over(got[f"OpenVINO {p}"]),
                 at_least=floor, aim=aim)
    b.target(f"int8, batch {batch}: rate to OpenVINO's bf16", got["scry int8"].over(got["OpenVINO bf16"]),
             at_least=1.7, aim=2)
    best = max((got[f"OpenVINO int8, rest {p}"] for p in ("bf16", "fp32")), key=lambda s: s.median)
    b.target(f"int8, batch {batch}: rate to OpenVINO's int8 (the faster one)", got["scry int8"].over(best), at_least=1)


def run(b):
    b.versions("openvino", "nncf", "onnxruntime", "torch")
    ways = workers(b)
    speed(b, ways, 16, 1.0, 1.05)
    speed(b, ways, 1, 1.1, 1.25)
