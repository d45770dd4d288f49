"""bench.py - what a stage is given: programs, material, measuring, rows of the report."""
import datetime
import json
import os
import platform
import subprocess
import sys
from pathlib import Path

from harness import environment, measure
from harness.worker import Worker

TOP = Path(__file__).resolve().parents[2]
FIELDS = ["stage", "kind", "what", "way", "unit", "median", "low", "high", "rounds", "wanted", "verdict", "note"]


class Skip(Exception):
    """The stage cannot run on this machine; the text says why."""


def cpu_name():
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    name = next((x.split(":")[1].strip() for x in lines if x.startswith("model name")), platform.machine())
    flags = next((x.split(":")[1].split() for x in lines if x.startswith("flags")), [])
    family = next((x.split(":")[1].strip() for x in lines if x.startswith("cpu family")), "?")
    known = [f for f in ("avx2", "avx512f", "avx512_bf16", "avx512_vnni", "amx_tile") if f in flags]
    return f"{name} (family {family}), {' '.join(known)}"


def memory_gib():
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30


def commit():
    def git(*words):
        return subprocess.run(["git", "-C", str(TOP), *words], capture_output=True, text=True).stdout.strip()
    changed = " with uncommitted changes" if git("status", "--porcelain", "-uno", "--", "src", "include") else ""
    return git("rev-parse", "--short=12", "HEAD") + changed


class Bench:
    def __init__(self, stage, rounds, add=False):
        self.stage, self.rounds, self.title, self.rows = stage, rounds, stage, []
        self.home, self.top = environment.home(), TOP
        self.build = Path(os.environ.get("SCRY_BUILD") or TOP / "build/release")
        self.scry = self.build / "scry"
        self.cpus = len(os.sched_getaffinity(0))
        self.workers = []
        self.results = self.folder("results") / f"{stage}.json"
        self.values, self.before = {}, self.earlier() if add else {}
        self.others = measure.Others()
        # Nothing of the user's own configuration, stores or caches takes part.
        self.env = {k: v for k, v in os.environ.items() if not k.startswith("SCRY_")}
        for name in ("CACHE", "DATA", "CONFIG"):
            self.env[f"XDG_{name}_HOME"] = str(self.home / "xdg" / name.lower())
        self.env["HF_HUB_OFFLINE"] = "1"

    def earlier(self):
        """The rounds of the run before, to which this one adds its own: only for the same commit."""
        stored = json.loads(self.results.read_text()) if self.results.exists() else {"commit": "none"}
        if stored["commit"] != commit():
            raise SystemExit(f"bench: {self.stage} was measured at {stored['commit']}, this is {commit()}: run it without --add")
        return stored["values"]

    # ---- material ----

    def python(self, name="main"):
        """Interpreter of the environment of bench/requirements/NAME.txt; its versions are reported."""
        program = environment.python(name)
        return program

    def folder(self, name):
        path = self.home / name
        path.mkdir(parents=True, exist_ok=True)
        return path

    def program(self, name):
        """A program that make builds of bench/NAME.c."""
        path = self.build / "bench" / name
        if not path.exists():
            raise Skip(f"{path} is not built: make bench builds it")
        return path

    def worker(self, module, env="main", **arguments):
        """bench/peers/MODULE.py in a process of its own, ended with the stage."""
        extra = {**self.env, "SCRY_LIBRARY": str(self.build / "libscry.so.0")}
        w = Worker(self.python(env), module, extra, **arguments)
        self.workers.append(w)
        return w

    def drop(self, *workers):
        for w in workers or list(self.workers):
            w.close()
            self.workers.remove(w)

    def run(self, argv, env=None, ok=(0,), cwd=None):
        """A command to its end -> measure.Run (wall, processor time, peak memory)."""
        return measure.command(argv, sys.executable, {**self.env, **(env or {})}, ok, cwd)

    # ---- rows ----

    def row(self, kind, **fields):
        short = {k: f"{v:.6g}" if isinstance(v, float) else v for k, v in fields.items()}
        self.rows.append({**dict.fromkeys(FIELDS, ""), "stage": self.stage, "kind": kind, **short})

    def describe(self, doc):
        """The stage's docstring: its title, then what is done."""
        head, _, text = doc.strip().partition("\n")
        self.title = head.partition(" - ")[2] or head
        self.row("title", what=self.title, note=" ".join(text.split()))
        now = datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%d %H:%M UTC")
        for what, value in {"machine": f"{self.cpus} processors, {memory_gib():.0f} GiB, {platform.system()} "
                                       f"{platform.release()}",
                            "processor": cpu_name(), "commit": commit(), "date": now}.items():
            self.row("run", what=what, note=value)

    def versions(self, *packages, env="main"):
        """Name the versions of the peers that take part."""
        installed = environment.versions(env)
        for p in packages:
            self.row("version", what=p, note=installed[p])

    def figure(self, what, way, unit, series, note=""):
        """One line of the stage's table; `series` may be a single number."""
        if not isinstance(series, measure.Series):
            series = measure.Series([series])
        self.row("figure", what=what, way=way, unit=unit, median=series.median, low=series.low,
                 high=series.high, rounds=len(series.values), note=note)
        print(f"   {what:34} {way:34} {series.median:10.4g} ({series.low:.4g} - {series.high:.4g}) {unit} {note}",
              flush=True)
        return series

    def series(self, name, values):
        """The values as a series, after those of the run that this one adds to."""
        self.values[name] = self.before.get(name, []) + list(values)
        return measure.Series(self.values[name])

    def alternate(self, what, ways, unit, rounds=None):
        """Measure {way: call giving one figure} in turn, `rounds` times, and put them in the table."""
        got = measure.alternate(ways, rounds or self.rounds)
        got = {way: self.series(f"{what}: {way}", series.values) for way, series in got.items()}
        for way, series in got.items():
            self.figure(what, way, unit, series)
        return got

    def target(self, text, series, at_least=None, at_most=None, aim=None, unit="x", reason=""):
        """A floor (or ceiling) from the issue and, in brackets, what was aimed at. `reason` is printed
        where it is missed."""
        if not isinstance(series, measure.Series):
            series = measure.Series([series])
        limit = at_least if at_most is None else at_most
        ok = series.median >= limit if at_most is None else series.median <= limit
        sign = "at least" if at_most is None else "at most"
        wanted = f"{sign} {limit:g} {unit}" + (f" (aim {aim:g})" if aim is not None else "")
        self.row("target", what=text, unit=unit, median=series.median, low=series.low, high=series.high,
                 rounds=len(series.values), wanted=wanted, verdict="met" if ok else "MISSED", note="" if ok else reason)
        print(f"   {'met   ' if ok else 'MISSED'} {text}: {series.median:.4g} {unit}, {wanted}", flush=True)
        return ok

    def note(self, text):
        self.row("note", note=" ".join(text.split()))
        print(f"   {text}", flush=True)

    def close(self):
        self.drop()
        self.results.write_text(json.dumps({"commit": commit(), "values": self.values}))
        self.row("run", what="others", note=f"{self.others.percent():.0f} %")
