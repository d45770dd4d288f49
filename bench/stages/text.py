"""text - text tower, ViT-B/32

A query of six words (eight positions with start and end), warm, and 64 such queries at once, all processors; from
the string to the unit vector for scry, from token ids to the vector for the peers. Peers are given 77 positions, as
exported models usually are, and also only the positions that the longest text needs, which is what scry computes.
"""
from harness import material

ORDER = 20
SECONDS = 0.3


def workers(b):
    exported = material.exported(b)
    common = dict(kind="text", model=str(material.checkpoint(b)), batches=[1, 64])
    texts, ids = str(material.texts(b)), str(material.ids(b))
    xml, onnx = str(exported / "text.xml"), str(exported / "text.onnx")
    ways = {f"scry {p}": b.worker("scry", precision=p, data=texts, **common) for p in ("fp32", "bf16", "int8")}
    for name, positions in (("as needed", None), ("77 positions", 77)):
        for p in ("fp32", "bf16"):
            ways[f"OpenVINO {p}, {name}"] = b.worker("ov", exported=xml, precision=p, positions=positions, data=ids, **common)
        ways[f"ONNX Runtime fp32, {name}"] = b.worker("ort", exported=onnx, positions=positions, data=ids, **common)
        ways[f"PyTorch bf16, {name}"] = b.worker("pytorch", precision="bf16", positions=positions, data=ids, **common)
    return ways


def run(b):
    b.versions("openvino", "onnxruntime", "torch")
    ways = workers(b)
    got = b.alternate("one query", {name: lambda w=w: w.ask("milliseconds", seconds=SECONDS, batch=1)
                                    for name, w in ways.items()}, "ms")
    b.target("one query, bf16", got["scry bf16"], at_most=3, aim=2, unit="ms")
    b.target("one query, fp32", got["scry fp32"], at_most=5, aim=4, unit="ms")
    got = b.alternate("64 queries", {name: lambda w=w: 64e3 / w.ask("milliseconds", seconds=SECONDS, batch=64)
                                     for name, w in ways.items()}, "queries/s")
    why = ("given the same positions both do the same sums, and the towers of both run close to what the processor can; "
           "what is left is that scry does not compute past a text's end nor the last layer of rows that nobody reads")
    for p in ("fp32", "bf16"):
        b.target(f"64 queries, {p}: rate to OpenVINO's, positions as needed",
                 got[f"scry {p}"].over(got[f"OpenVINO {p}, as needed"]), at_least=2, reason=why)
        padded = got[f"scry {p}"].over(got[f"OpenVINO {p}, 77 positions"])
        b.figure("64 queries, ratio", f"scry {p} to OpenVINO's 77 positions", "x", padded)
