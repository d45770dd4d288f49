"""tune - training the last two blocks, ViT-B/32

A step of `scry tune --depth 2` with 64 pairs of pictures and texts of 8 to 20 tokens, all processors: from what enters the two blocks
of each tower through them and the projections, back, gradients clipped, AdamW. PyTorch does the same with transformers' layers, in
float32 and by autocast in bfloat16. scry computes the last block's row that is read only, and no padding. The products of a block's
linears, forward and twice back, by processor time against those of inference, whose weights are packed ahead (bench/tune_products). Then
the whole command on 1,000 pictures with five epochs: time and the most memory.
"""
import re

from harness import material

ORDER = 65
SECONDS = 1
PAIRS, DEPTH = 64, 2
PRECISIONS = "fp32", "bf16"
ROUNDS = 3


def step(b, precision):
    """Median milliseconds of bench/tune."""
    got = b.run([str(b.program("tune")), str(material.checkpoint(b)), str(DEPTH), str(PAIRS), precision, "0", "3"])
    return float(re.search(r"median ([0-9.]+) ms", got.stdout).group(1))


def products(b, precision):
    """The rate of training's products to inference's, by bench/tune_products."""
    got = b.run([str(b.program("tune_products")), precision, "4"])
    return float(re.search(r"rate ([0-9.]+)", got.stdout).group(1))


def whole(b):
    """scry tune on 1,000 pictures in eight classes, which random weights hardly learn: --keep 0, every epoch runs."""
    pictures = sorted(material.crops(b, 1000).glob("*.jpg"))
    table, out = b.folder("tune") / "labels.tsv", b.folder("tune") / "out"
    table.write_text("file\tlabel\n" + "".join(f"{p}\tthing {i % 8}\n" for i, p in enumerate(pictures)))
    b.run(["rm", "-rf", str(out), f"{out}.state"])
    got = b.run([str(b.scry), "tune", "--labels", str(table), "--depth", str(DEPTH), "--epochs", "5", "--keep", "0", "--model",
                 str(material.checkpoint(b)), "--out", str(out)], ok=(0, 1))
    b.run(["rm", "-rf", str(out)])
    return got


def run(b):
    b.versions("torch", "transformers")
    model, rounds = str(material.checkpoint(b)), min(b.rounds, ROUNDS)
    ways = {f"scry {p}": lambda p=p: step(b, p) for p in PRECISIONS}
    for p in PRECISIONS:
        w = b.worker("pytorch_tune", model=model, precision=p, depth=DEPTH)
        ways[f"PyTorch {p}"] = lambda w=w: w.ask("milliseconds", seconds=SECONDS)
    got = b.alternate(f"a step of {PAIRS} pairs", ways, "ms", rounds)
    b.drop()
    for p in PRECISIONS:
        b.target(f"a step, {p}: rate to PyTorch's", got[f"PyTorch {p}"].over(got[f"scry {p}"]), at_least=1.2)
    rates = b.alternate("products: rate to inference's", {f"scry {p}": lambda p=p: products(b, p) for p in PRECISIONS}, "x", rounds)
    for p in PRECISIONS:
        b.target(f"products, {p}: rate to inference's", rates[f"scry {p}"], at_least=0.7)
    result = whole(b)
    b.target("1,000 pictures, 5 epochs", result.wall_s / 60, at_most=10, unit="minutes")
    b.target("1,000 pictures, the most memory", result.peak_mib / 1024, at_most=3, unit="GiB")
