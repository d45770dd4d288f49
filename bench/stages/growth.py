"""growth - from 1,000,000 to 10,000,000 vectors

512 dimensions around 100,000 centres of very different size, top 10, all processors. Codes (1 byte a number, and a bit for
the approximate scan) and vectors (16 bits a number) are files, mapped as a store's are: codes are read whole, of the
vectors those that have to be scored exactly. The approximate scan reads the bits first and keeps the given part of all
rows, at least 1,000; its recall is that of the exact scan's ten best. "From disk" is the first search of a new process
after the system was told to forget the files.
"""
import os

from harness import plot, programs

ORDER = 52
DIM, CLUSTERS = 512, 100000
SIZES = (1000000, 2000000, 5000000, 10000000)
SHOWN = {"top 10": "exact", "approximate, 0.1 %": "approximate, 0.1 %", "approximate, 1 %": "approximate, 1 %",
         "approximate, 5 %": "approximate, 5 %", "batch of 32": "batch of 32"}


def forget(folder):
    """Drop the files from the system's memory."""
    for path in folder.iterdir():
        with open(path, "rb") as f:
            os.fsync(f.fileno())
            os.posix_fadvise(f.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


def scan(b, rows, folder):
    """One run of bench/scan: what it found at the start, and {what: {column: figure}} with all threads."""
    starts, table = programs.scan(b.run([b.program("scan"), rows, DIM, CLUSTERS, folder]).stdout)
    return starts, {what: figures for (what, threads), figures in table.items() if threads == b.cpus}


def run(b):
    folder = b.folder("stores/growth")
    scan(b, max(SIZES), folder)          # makes the files
    forget(folder)
    for what, value, unit in scan(b, max(SIZES), folder)[0]:
        b.figure("10,000,000, from disk", what, unit, value)
    times, recalls = {}, {}
    for rows in SIZES:
        starts, table = scan(b, rows, folder)
        for what, value, unit in starts[:1]:
            b.figure(f"{rows:,}", what, unit, value)
        for what, name in SHOWN.items():
            times.setdefault(name, []).append((rows, table[what]["median ms"]))
            recalls[name] = table[what]["recall"]
            note = f"recall@10 {table[what]['recall']:.3f}" if "approximate" in name else ""
            b.figure(f"{rows:,}", name, "ms", table[what]["median ms"], note)
    del times["batch of 32"]
    plot.lines(b.top / "docs/growth.svg", "A search of n vectors of 512 numbers", "vectors", "ms", times)
    b.row("plot", what="Milliseconds a search against the number of vectors", note="growth.svg")
    b.target("10,000,000, approximate, 1 %: a search", times["approximate, 1 %"][-1][1], at_most=50, unit="ms")
    b.target("10,000,000, approximate, 1 %: recall@10", recalls["approximate, 1 %"], at_least=0.99, unit="")
    exact = times["exact"]
    b.target("exact, 10,000,000: time to 10 times that of 1,000,000", exact[-1][1] / exact[0][1] / 10, at_most=1.2)
