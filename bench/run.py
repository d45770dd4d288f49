#!/usr/bin/env python3
"""run.py - scry and its public peers on the same work in the same run.

    make bench                       every stage; writes docs/benchmarks.md and .tsv
    make bench STAGE="tower scan"    only these; their sections are replaced
    bench/run.py --list              the stages
    bench/run.py --rounds 2 --dry    a trial: prints, writes nothing

How a stage is added, what is downloaded and where it is kept: bench/README.md.
"""
import argparse
import importlib
import os
import sys
import time
from pathlib import Path

BENCH = Path(__file__).resolve().parent
sys.path.insert(0, str(BENCH))

from harness import environment, report  # noqa: E402  (needs the path above)


def stage_names():
    """Every bench/stages/NAME.py, by its ORDER line, which is read without importing it."""
    found = []
    for path in (BENCH / "stages").glob("[a-z]*.py"):
        order = next((line.split("=")[1] for line in path.read_text().splitlines()
                      if line.startswith("ORDER =")), "500")
        found.append((int(order), path.stem))
    return [name for _, name in sorted(found)]


def needs_peers(name):
    """Whether the stage uses other programs, which pip installs."""
    lines = (BENCH / "stages" / f"{name}.py").read_text().splitlines()
    return not any(line.startswith("PEERS = False") for line in lines)


def arguments():
    p = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    p.add_argument("--stage", default=os.environ.get("STAGE", ""), help="names, by space or comma")
    p.add_argument("--rounds", type=int, default=5, help="of everything that is compared (5)")
    p.add_argument("--add", action="store_true", help="add the rounds to those of the last run of the same commit")
    p.add_argument("--list", action="store_true", help="name the stages and end")
    p.add_argument("--dry", action="store_true", help="write no document")
    p.add_argument("--documents", default=str(BENCH.parent / "docs"), help="where to write")
    a = p.parse_args()
    a.stage = a.stage.replace(",", " ").split() or stage_names()
    unknown = set(a.stage) - set(stage_names())
    if unknown:
        sys.exit(f"no stage {' '.join(sorted(unknown))}; there are: {' '.join(stage_names())}")
    return a


def run_stage(name, a):
    """One stage's rows; a stage that cannot run here says why in its section."""
    from harness.bench import Bench, Skip
    bench = Bench(name, a.rounds, a.add)
    module = importlib.import_module(f"stages.{name}")
    bench.describe(module.__doc__)
    print(f"== {name}: {bench.title}", flush=True)
    started = time.time()
    try:
        module.run(bench)
    except Skip as why:
        bench.note(f"Not run: {why}")
    finally:
        bench.close()
    print(f"== {name}: {time.time() - started:.0f} s", flush=True)
    return bench.rows


def main():
    a = arguments()
    if a.list:
        print("\n".join(stage_names()))
        return
    if any(map(needs_peers, a.stage)):
        environment.enter("main")    # goes on in the private Python, made when absent
    tsv = Path(a.documents) / "benchmarks.tsv"
    started = time.time()
    for name in a.stage:
        rows = run_stage(name, a)
        if not a.dry:
            kept = report.read(tsv)
            kept[name] = rows
            report.write(tsv, kept, stage_names())
    print(f"bench: {(time.time() - started) / 60:.1f} minutes"
          + ("" if a.dry else f"; written: {tsv.with_suffix('.md')} and .tsv"))


if __name__ == "__main__":
    main()
