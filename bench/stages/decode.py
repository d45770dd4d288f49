"""decode - decode and resize

From files to 224 x 224 bytes on one processor: scry with its decoder process and the hand-over from it, Pillow
within its process and without turning bytes into floats. Both give the same bytes for small pictures; for large ones
scry lets the JPEG library shrink to no less than twice the target, as Pillow's draft mode is told to; "every pixel"
does not. 12 megapixels are small photographs enlarged, with noise; 0.3 to 12 megapixels are crops of the photographs and
drawings in Debian's packages of wallpapers.
"""
import os

from PIL import Image

from harness import material
from harness.bench import Skip

ORDER = 30


def rate(b, names, repeat, processor, *options):
    run = b.run(["taskset", "-c", str(processor), b.program("decode"), *options, f"--repeat={repeat}", *names])
    return float(run.stdout.rsplit(",", 1)[1].split()[0])


def compare(b, what, names, repeat):
    processor = max(os.sched_getaffinity(0))
    names = [str(n) for n in names]
    pillow, draft = (b.worker("pillow", names=names, draft=d, processor=processor) for d in (False, True))
    got = b.alternate(what, {
        "scry": lambda: rate(b, names, repeat, processor),
        "scry, every pixel": lambda: rate(b, names, repeat, processor, "--exact"),
        "Pillow": lambda: 1e3 * len(names) / pillow.ask("milliseconds", seconds=0.8),
        "Pillow, draft": lambda: 1e3 * len(names) / draft.ask("milliseconds", seconds=0.8),
    }, "pictures/s")
    b.drop(pillow, draft)
    return got


def megapixels(names):
    sizes = [Image.open(n).size for n in names]
    return sum(w * h for w, h in sizes) / len(sizes) / 1e6


def run(b):
    b.versions("pillow")
    names = material.base_pictures()
    small = compare(b, f"small JPEGs, {megapixels(names):.1f} megapixels", names, 4)
    b.target("small JPEGs: rate to Pillow's", small["scry"].over(small["Pillow"]), at_least=1.4, aim=1.5)
    large = compare(b, "12 megapixels", material.enlarged(b), 4)
    b.target("12 megapixels: rate to Pillow's", large["scry"].over(large["Pillow"]), at_least=3)
    b.target("12 megapixels: rate to Pillow's draft mode", large["scry"].over(large["Pillow, draft"]), at_least=1)
    try:
        names = sorted(material.larger(b, 48).iterdir())
        mixed = compare(b, "0.3 to 12 megapixels", names, 2)
        b.target("0.3 to 12 megapixels: rate to Pillow's", mixed["scry"].over(mixed["Pillow"]), at_least=3)
        b.target("0.3 to 12 megapixels: rate to Pillow's draft mode", mixed["scry"].over(mixed["Pillow, draft"]), at_least=1)
    except Skip as why:
        b.note(f"0.3 to 12 megapixels: {why}")
