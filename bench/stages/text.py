"""text - text tower, ViT-B/32

A query of six words (eight positions with start and end), warm, and 64 texts at once, all processors; from the string
to the unit vector for scry, from token ids to the vector for the peers. Peers are given 77 positions, as exported models
usually are, and also only the positions that the longest text needs. The 64 are queries of six words each, drawn at
random, and then captions as people wrote them, of 6 to 25 words. scry computes no position past a text's end, and what
texts begin with alike once.
"""
from harness import material
from harness.bench import Skip

ORDER = 20
SECONDS = 0.3


def workers(b, texts, batches):
    """{way: worker} of scry and its peers, given the texts of a file."""
    exported = material.exported(b)
    common = dict(kind="text", model=str(material.checkpoint(b)), batches=batches)
    ids = str(material.ids(b, texts))
    xml, onnx = str(exported / "text.xml"), str(exported / "text.onnx")
    ways = {f"scry {p}": b.worker("scry", precision=p, data=str(texts), **common) for p in ("fp32", "bf16", "int8")}
    for name, positions in (("as needed", None), ("77 positions", 77)):
        for p in ("fp32", "bf16"):
            ways[f"OpenVINO {p}, {name}"] = b.worker("ov", exported=xml, precision=p, positions=positions, data=ids, **common)
        ways[f"ONNX Runtime fp32, {name}"] = b.worker("ort", exported=onnx, positions=positions, data=ids, **common)
        ways[f"PyTorch bf16, {name}"] = b.worker("pytorch", precision="bf16", positions=positions, data=ids, **common)
    return ways


def together(b, what, ways, reason):
    """The rates of 64 texts at once, and their targets."""
    got = b.alternate(what, {name: lambda w=w: 64e3 / w.ask("milliseconds", seconds=SECONDS, batch=64)
                             for name, w in ways.items()}, "texts/s")
    for p in ("fp32", "bf16"):
        padded = got[f"scry {p}"].over(got[f"OpenVINO {p}, 77 positions"])
        b.figure(f"{what}, ratio", f"scry {p} to OpenVINO's 77 positions", "x", padded)
    for p in ("fp32", "bf16"):
        b.target(f"{what}, {p}: rate to OpenVINO's, positions as needed",
                 got[f"scry {p}"].over(got[f"OpenVINO {p}, as needed"]), at_least=2, reason=reason)


def run(b):
    b.versions("openvino", "onnxruntime", "torch")
    ways = workers(b, material.texts(b), [1, 64])
    got = b.alternate("one query", {name: lambda w=w: w.ask("milliseconds", seconds=SECONDS, batch=1)
                                    for name, w in ways.items()}, "ms")
    b.target("one query, bf16", got["scry bf16"], at_most=3, aim=2, unit="ms")
    b.target("one query, fp32", got["scry fp32"], at_most=5, aim=4, unit="ms")
    together(b, "64 queries of six words", ways,
             "all need the same eight positions and share few beginnings, so both do nearly the same sums, and the products of "
             "both run close to what the processor can; what is left is the start token, the few words that several begin "
             "with, and the last layer's rows that nobody reads")
    b.drop()
    try:
        together(b, "64 captions", workers(b, material.captions(b), [64]), "")
    except Skip as why:
        b.note(f"64 captions: {why}")
