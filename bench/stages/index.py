"""index - from a folder of JPEGs to an index

640 JPEGs of about 0.2 megapixels, crops of real ones at other sizes, encoded anew so that every file's pixels
differ, and 96 of 0.3 to 12 megapixels made so of Debian's wallpapers; whole commands, start of the process included, into a new store each. The pipeline is Pillow in threads that
decode ahead, ONNX Runtime in float32 with batches of 16, vectors to a file. rclip is its own command with the same
weights in place of its model (it gives pictures of 256 x 256, of which the middle 224 x 224 are taken) and answers a
query at its end. "Perfect overlap" is 1 / (1 / towers + 1 / decoders), with the rates of each alone on all
processors in the same round.
"""
import gzip
import json
import os
import shutil
import subprocess

from harness import material
from harness.bench import TOP, Skip
from harness.measure import Series

ORDER = 40
COUNT, LARGER = 640, 96
RCLIP_MODEL = "ViT-B-32-256-datacomp_s34b_b86k"


def index(b, precision, folder, processors=None):
    """Pictures a second of `scry index` into a new store, which must then hold them all."""
    count = len(list(folder.iterdir()))
    store = b.home / "stores/index"
    shutil.rmtree(store, ignore_errors=True)
    bound = ["taskset", "-c", processors] if processors else []
    run = b.run([*bound, b.scry, "index", "--quiet", "--store", store, "--model", material.checkpoint(b),
                 "--precision", precision, folder])
    held = json.loads(b.run([b.scry, "status", "--json", "--store", store]).stdout)
    if held["contents"] != count:
        raise RuntimeError(f"scry index: {held['contents']} of {count} pictures embedded")
    return count / run.wall_s


def pipeline(b, folder):
    out = b.folder("vectors") / "pipeline.npy"
    run = b.run([b.python(), "-m", "peers.pipeline", material.exported(b) / "image.onnx", folder, out], cwd=TOP / "bench")
    return len(list(folder.iterdir())) / run.wall_s


def rclip_home(b):
    """rclip's data folder with our weights under its model's name, and CLIP's own vocabulary."""
    def make(part):
        model = part / RCLIP_MODEL
        model.mkdir(parents=True)
        subprocess.run([str(b.python()), "-m", "peers.rclip_model", str(material.checkpoint(b)), str(model)],
                       cwd=TOP / "bench", check=True, stdout=subprocess.DEVNULL)
        (part / "tokenizer").mkdir()
        with gzip.open(part / "tokenizer/bpe_simple_vocab_16e6.txt.gz", "wt", encoding="utf-8") as f:
            f.write((TOP / "models/clip-bpe/merges.txt").read_text("utf-8"))
    return material.once(b.folder("rclip") / "model", make)


def rclip(b, folder):
    home = rclip_home(b)
    (home / "db.sqlite3").unlink(missing_ok=True)
    run = b.run([b.python("rclip").with_name("rclip"), "--filepath-only", "dog"], cwd=folder,
                env={"RCLIP_DATADIR": str(home)})
    return COUNT / run.wall_s


def alone(b, folder):
    """Calls that give the rates of towers and decoders by themselves, all processors."""
    data = str(material.pixels(b, 0, 64))
    towers = {p: b.worker("scry", kind="image", model=str(material.checkpoint(b)), precision=p, data=data, batches=[16])
              for p in ("bf16", "int8")}
    names = [str(p) for p in sorted(folder.iterdir())[:160]]

    def decode():
        run = b.run(["taskset", "-c", str(max(os.sched_getaffinity(0))), b.program("decode"), "--repeat=3", *names])
        return b.cpus * float(run.stdout.rsplit(",", 1)[1].split()[0])
    ways = {f"tower alone, {p}": lambda w=w: 16e3 / w.ask("milliseconds", seconds=0.5, batch=16) for p, w in towers.items()}
    return {**ways, "decoders alone": decode}


def larger(b):
    """The same commands with pictures of which decoding takes its share."""
    folder = material.larger(b, LARGER)
    got = b.alternate(f"{LARGER} JPEGs of 0.3 to 12 megapixels", {
        "scry bf16": lambda: index(b, "bf16", folder),
        "Pillow + ONNX Runtime fp32": lambda: pipeline(b, folder),
        "scry int8": lambda: index(b, "int8", folder),
    }, "pictures/s", min(b.rounds, 3))
    for p, least in (("bf16", 1.8), ("int8", 2.8)):
        b.target(f"0.3 to 12 megapixels, {p} to the pipeline", got[f"scry {p}"].over(got["Pillow + ONNX Runtime fp32"]),
                 at_least=least)


def run(b):
    b.versions("onnxruntime", "pillow")
    b.versions("rclip", env="rclip")
    folder = material.crops(b, COUNT)
    rclip_home(b)
    index(b, "int8", folder)        # the model is checked once in full, as with every new model
    got = b.alternate(f"{COUNT} JPEGs", {
        "scry bf16": lambda: index(b, "bf16", folder),
        "Pillow + ONNX Runtime fp32": lambda: pipeline(b, folder),
        "scry int8": lambda: index(b, "int8", folder),
        **alone(b, folder),
    }, "pictures/s")
    b.drop()
    more = b.alternate(f"{COUNT} JPEGs, two rounds", {
        "scry bf16, one processor": lambda: index(b, "bf16", folder, str(max(os.sched_getaffinity(0)))),
        "rclip fp32": lambda: rclip(b, folder),
    }, "pictures/s", min(b.rounds, 2))
    theirs = got["Pillow + ONNX Runtime fp32"]
    b.target("bf16 to the pipeline", got["scry bf16"].over(theirs), at_least=1.8, aim=2.1)
    b.target("int8 to the pipeline", got["scry int8"].over(theirs), at_least=2.8, aim=3.4)
    for p in ("bf16", "int8"):
        perfect = Series([1 / (1 / t + 1 / d) for t, d in zip(got[f"tower alone, {p}"].values,
                                                                   got["decoders alone"].values)])
        share = got[f"scry {p}"].over(perfect)
        b.target(f"{p}: share of perfect overlap", Series([100 * x for x in share.values]), at_least=85, unit="%")
    b.target("two processors to one, bf16", Series([got["scry bf16"].median / more["scry bf16, one processor"].median]), at_least=1.8)
    b.target("bf16 to rclip", Series([got["scry bf16"].median / more["rclip fp32"].median]), at_least=1)
    try:
        larger(b)
    except Skip as why:
        b.note(f"0.3 to 12 megapixels: {why}")
    b.note("After every run of scry the store held as many contents as there are files.")
