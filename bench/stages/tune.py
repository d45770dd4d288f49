"""tune - training the last two blocks, ViT-B/32

A step of `scry tune --depth 2` with 64 pairs of pictures and texts of 8 to 20 tokens, all processors: from what enters the two blocks
of each tower through them and the projections, back, gradients clipped, AdamW. PyTorch does the same with transformers' layers, in
float32 and by autocast in bfloat16. scry computes the last block's row that is read only, and no padding. Then the whole command on
1,000 pictures with five epochs: time and the most memory.
"""
import re

from harness import material

ORDER = 65
SECONDS = 2
PAIRS = 64


def step(b, precision):
    """Median milliseconds of bench/tune."""
    got = b.run([str(b.program("tune")), str(material.checkpoint(b)), "2", str(PAIRS), precision, "0", "5"])
    return float(re.search(r"median ([0-9.]+) ms", got.stdout).group(1))


def whole(b):
    """scry tune on 1,000 pictures in eight classes, which random weights hardly learn: --keep 0, every epoch runs."""
    pictures = sorted(material.crops(b, 1000).glob("*.jpg"))
    table, out = b.folder("tune") / "labels.tsv", b.folder("tune") / "out"
    table.write_text("file\tlabel\n" + "".join(f"{p}\tthing {i % 8}\n" for i, p in enumerate(pictures)))
    got = b.run([str(b.scry), "tune", "--labels", str(table), "--depth", "2", "--epochs", "5", "--keep", "0", "--model",
                 str(material.checkpoint(b)), "--out", str(out)], ok=(0, 1))
    b.run(["rm", "-rf", str(out)])
    return got


def run(b):
    b.versions("torch", "transformers")
    model = str(material.checkpoint(b))
    ways = {f"scry {p}": lambda p=p: step(b, p) for p in ("fp32", "bf16")}
    for p in ("fp32", "bf16"):
        w = b.worker("pytorch_tune", model=model, precision=p, depth=2)
        ways[f"PyTorch {p}"] = lambda w=w: w.ask("milliseconds", seconds=SECONDS)
    got = b.alternate(f"a step of {PAIRS} pairs", ways, "ms")
    b.drop()
    for p in ("fp32", "bf16"):
        b.target(f"a step, {p}: rate to PyTorch's", got[f"PyTorch {p}"].over(got[f"scry {p}"]), at_least=1.2)
    result = whole(b)
    b.target("1,000 pictures, 5 epochs", result.wall_s / 60, at_most=10, unit="minutes")
    b.target("1,000 pictures, the most memory", result.peak_mib / 1024, at_most=3, unit="GiB")
