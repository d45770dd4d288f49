"""families - SigLIP 2 and MobileCLIP 2

Random weights of open_clip's own configurations, both towers, all processors, against ONNX Runtime and OpenVINO with the same
weights. Pictures are decoded already, in batches of 16 and of 1; texts are read at all their positions (64, MobileCLIP 77), as
these towers are: one, and 16 at once; SigLIP 2's B/32 and B/16 have the same text tower, which is measured once, and of B/16 bf16 and
int8 are. SigLIP 2's vocabulary has 256,000 pieces, as published, but not Gemma's. The memory is the
peak of the largest process of whole commands, pages of the mapped checkpoint included. Starts are whole processes: one that reads
no text, and one that reads a query of six words, beside the same towers with CLIP's tokenizer. Attention and depthwise
convolutions, in float on one thread, stand beside the peak of multiply-adds and a roofline (bench/kernels.c).
"""
import subprocess
import tempfile
from pathlib import Path

from harness import material
from harness.bench import TOP
from harness.measure import Series

ORDER = 25
SECONDS = 0.4
MODELS = {   # name in tools/parity/tower_parity.py: title, dimensions, pieces of the vocabulary (0: CLIP's tokenizer), what is measured
    "siglip2-b32": ("SigLIP 2 B/32-256", 768, 256000, ["image"], ["fp32", "bf16"]),
    "siglip2-b16-256": ("SigLIP 2 B/16-256", 768, 256000, ["image", "text"], ["bf16"]),
    "mobileclip2-s0": ("MobileCLIP2-S0", 512, 0, ["image", "text"], ["fp32", "bf16"]),
}
PICTURES = 160   # of the index run whose memory is measured: several batches for each worker


def made(b, name, ids):
    def make(part):
        subprocess.run([str(b.python("families")), "-m", "peers.export_open_clip", name, str(ids), str(part)],
                       cwd=TOP / "bench", check=True, stdout=subprocess.DEVNULL)
    return material.once(b.folder("exported") / f"open_clip-{name}", make)


def workers(b, folder, kind, dim, batches, floats):
    """{way: worker} for one tower of a model, in int8 and as `floats` says."""
    common = dict(kind=kind, model=str(folder / "model"), batches=batches, dim=dim)
    own = str(folder / ("pixels.npy" if kind == "image" else "texts.txt"))
    theirs = str(folder / ("pixels.npy" if kind == "image" else "texts.npz"))
    peers = dict(common, data=theirs, env="families", positions=None if kind == "image" else 10 ** 6)
    ways = {f"scry {p}": b.worker("scry", precision=p, data=own, **common) for p in [*floats, "int8"]}
    for p in floats:
        ways[f"OpenVINO {p}"] = b.worker("ov", exported=str(folder / f"{kind}.xml"), precision=p, **peers)
    if "fp32" in floats:
        ways["ONNX Runtime fp32"] = b.worker("ort", exported=str(folder / f"{kind}.onnx"), **peers)
    return ways


def speed(b, title, kind, batch, ways, floats):
    what = f"{title}, {kind}s, batch {batch}"
    got = b.alternate(what, {name: lambda w=w: 1e3 * batch / w.ask("milliseconds", seconds=SECONDS, batch=batch)
                             for name, w in ways.items()}, f"{kind}s/s")
    if kind == "image" and batch == 16:
        b.target(f"{what}: bf16, rate to OpenVINO's", got["scry bf16"].over(got["OpenVINO bf16"]), at_least=1.1,
                 reason="the tower runs at 92 % of the processor's peak, and OpenVINO's not far below: engine.md has where the rest goes"
                        if what.startswith("SigLIP 2 B/16") else "")
        b.target(f"{what}: int8, rate to OpenVINO's bf16", got["scry int8"].over(got["OpenVINO bf16"]), at_least=1.7)
    else:
        for p in floats:
            b.figure(f"{what}, ratio", f"scry {p} to OpenVINO's", "x", got[f"scry {p}"].over(got[f"OpenVINO {p}"]))


def bidirectional(b, folder):
    """SigLIP 2's text of 64 positions against CLIP's tower of the same size (L/14's) with a text of as many."""
    line = b.folder("pictures") / "text-of-64-positions.txt"
    line.write_text(" ".join(["a"] * 62) + "\n")
    clip = material.checkpoint(b, "l14")
    ways = {"SigLIP 2": b.worker("scry", kind="text", precision="bf16", model=str(folder / "model"), dim=768, batches=[1],
                                 data=str(folder / "texts.txt")),
            "CLIP": b.worker("scry", kind="text", precision="bf16", model=str(clip), dim=768, batches=[1], data=str(line))}
    got = b.alternate("one text of 64 positions, width 768, bf16",
                      {name: lambda w=w: w.ask("milliseconds", seconds=SECONDS, batch=1) for name, w in ways.items()}, "ms")
    b.target("a text of SigLIP 2 to CLIP's of the same size", got["SigLIP 2"].over(got["CLIP"]), at_most=1.05)


def starts(b, folder):
    """Opening a model of 256,000 pieces, from the tables in the cache, and one query."""
    clip = material.once(b.folder("exported") / f"{folder.name}-clip-tokenizer", lambda part: subprocess.run(
        [str(b.python("families")), "-m", "peers.clip_tokenizer", str(folder / "model"), str(part)], cwd=TOP / "bench", check=True))
    query, nothing, out = (b.folder("pictures") / name for name in ("query.txt", "nothing.txt", "query.npy"))
    query.write_text(material.TEXT + "\n")
    nothing.write_text("")

    def start(model, texts):
        return 1e3 * b.run([b.scry, "embed", "--quiet", "--texts", texts, "--out", out, "--model", model]).wall_s
    for model in (folder / "model", clip):   # caches
        start(model, nothing)
    models = {"256,000 pieces": folder / "model", "CLIP's tokenizer": clip}
    opened = b.alternate("SigLIP 2 B/32-256: a start without a text", {n: lambda m=m: start(m, nothing) for n, m in models.items()}, "ms")
    asked = b.alternate("SigLIP 2 B/32-256: a start with a query", {n: lambda m=m: start(m, query) for n, m in models.items()}, "ms")
    b.target("opening a model of 256,000 pieces", opened["256,000 pieces"], at_most=30, unit="ms")
    b.target("a query of six words: 256,000 pieces to CLIP's tokenizer", asked["256,000 pieces"].over(asked["CLIP's tokenizer"]), at_most=1.5)


def kernels(b):
    rounds = [b.run([b.program("kernels"), SECONDS]).stdout.splitlines() for _ in range(b.rounds)]
    rows = [[line.split("\t") for line in lines] for lines in rounds]
    for i, (name, *_) in enumerate(rows[0]):
        rate, peak, roof = (Series(float(r[i][k]) for r in rows) for k in (1, 2, 3))
        b.figure(name, "products", "GFLOP/s", rate, f"{100 * peak.median:.0f} % of the peak, {100 * roof.median:.0f} % of the roofline")
        if i and not name.startswith("attention, 50"):
            b.target(f"{name}: of the roofline", roof, at_least=0.75,
                     reason="nine multiply-adds a number do not hide that a block's lines are far apart in the cache"
                            if name.startswith("depthwise 3x3") else "")


def memory(b, folder):
    model = folder / "model"
    with tempfile.TemporaryDirectory(dir=b.home) as new:
        store = Path(new) / "store"
        index = b.run([b.scry, "index", "--quiet", "--store", store, "--model", model, material.crops(b, PICTURES)])
        search = b.run([b.scry, "search", "--store", store, "--model", model, material.TEXT], ok=(0, 1))
    b.target(f"SigLIP 2 B/16-256: peak of an index run over {PICTURES} pictures", index.peak_mib, at_most=1229, unit="MiB")
    b.target("SigLIP 2 B/16-256: peak of a search", search.peak_mib, at_most=400, unit="MiB")


def run(b):
    b.versions("openvino", "onnxruntime", "torch", "open_clip_torch", "timm", env="families")
    for name, (title, dim, ids, kinds, floats) in MODELS.items():
        folder = made(b, name, ids)
        for kind in kinds:
            ways = workers(b, folder, kind, dim, [16, 1], floats)
            for batch in (16, 1):
                speed(b, title, kind, batch, ways, floats)
            b.drop()
    kernels(b)
    starts(b, made(b, "siglip2-b32", 256000))
    folder = made(b, "siglip2-b16-256", 256000)
    bidirectional(b, folder)
    b.drop()
    memory(b, folder)
