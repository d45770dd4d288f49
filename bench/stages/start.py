"""start - starting: a second index run, opening a large store, what is loaded

`scry index` over 100,000 files that did not change; opening a store of 1,000,000 pictures by the library's call, its files in the
page cache; the size of the program; the libraries that commands load, libc's own
and scry's own not counted.
"""
import re
import tempfile

from harness import material, programs

ORDER = 48
FILES, CLUSTERS = 100000, 1000
LIBC = ("linux-vdso", "libc.so", "libm.so", "libdl.so", "libpthread", "ld-linux", "libgcc_s", "librt.so", "libscry.so")


def unchanged(b):
    """A store that knows 100,000 small files as they lie there."""
    files = b.folder("stores/unchanged-files")

    def make(part):
        b.run([b.scry, "index", "--quiet", "--store", part, material.base_pictures()[0]])
        b.run([b.program("store"), "make", part, FILES, 0, CLUSTERS, files])
    return material.stored(b, "unchanged", make), files


def libraries(b, *words):
    """Names of the shared objects that a command initialises, plugins that it loads later included."""
    run = b.run(["env", "LD_DEBUG=files", b.scry, *words], ok=(0, 1))
    names = set(re.findall(r"calling init: (\S+)", run.stderr))
    return sorted(n.rsplit("/", 1)[-1] for n in names if not any(x in n for x in LIBC))


def stripped_mb(b):
    total = 0
    for file in (b.scry, b.build / "libscry.so.0"):
        with tempfile.NamedTemporaryFile() as out:
            b.run(["strip", "-o", out.name, file])
            total += len(open(out.name, "rb").read())
    return total / 1e6


def run(b):
    store, files = unchanged(b)
    again = [b.scry, "index", "--store", store, files]
    b.run(again)
    got = b.alternate(f"index again, {FILES:,} files", {"scry index": lambda: b.run(again).wall_s}, "s")
    b.target("unchanged files: whole command", got["scry index"], at_most=2, unit="s")

    where = material.large_store(b)

    def opening():
        return programs.store(b.run([b.program("store"), "search", where, CLUSTERS]).stdout)["open"]
    opened = b.alternate("opening a store, 1,000,000 pictures", {"scry_store_open": opening}, "ms")
    b.target("opening", opened["scry_store_open"], at_most=20, unit="ms")

    size = b.figure("program and libscry.so", "stripped", "MB", stripped_mb(b))
    b.target("program and libscry.so, stripped", size, at_most=5, unit="MB")
    commands = {"search": ["search", "--store", store, "dog"], "index": ["index", "--store", store, files],
                "status": ["status", "--store", store], "--help": ["--help"]}
    loaded = {name: libraries(b, *words) for name, words in commands.items()}
    for name, found in loaded.items():
        b.figure("libraries loaded", f"scry {name}", "libraries", len(found), ", ".join(found))
    b.target("libraries that scry --help loads for nothing", len(loaded["--help"]), at_most=0, unit="",
             reason="these four are linked to the program because nearly every other command needs them; together they cost a "
                    "millisecond of a process's start. All larger ones (TLS, HTTP, gRPC, picture formats) are opened when needed")
