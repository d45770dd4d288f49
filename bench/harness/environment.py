"""environment.py - private Python environments, one for each file in bench/requirements.

Kept in $BENCH_HOME (default: $XDG_CACHE_HOME/scry-bench or ~/.cache/scry-bench) beside the
weights, pictures and stores that stages make. Packages come from whatever index pip is
configured for. Only the standard library is used here: it runs before there is anything else.
"""
import fcntl
import hashlib
import os
import subprocess
import sys
from pathlib import Path

REQUIREMENTS = Path(__file__).resolve().parents[1] / "requirements"


def home():
    """Where everything lies that a run makes and the next one uses again."""
    cache = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
    path = Path(os.environ.get("BENCH_HOME") or os.path.join(cache, "scry-bench"))
    path.mkdir(parents=True, exist_ok=True)
    return path.resolve()


def wanted(name):
    lines = (REQUIREMENTS / f"{name}.txt").read_text().splitlines()
    return [line.split("#")[0].strip() for line in lines if line.split("#")[0].strip()]


def python(name):
    """The interpreter of environment `name`, installed first when it is absent or its list changed."""
    folder, packages = home() / "python" / name, wanted(name)
    program, stamp = folder / "bin/python", folder / "installed"
    state = hashlib.sha256("\n".join(packages).encode()).hexdigest()
    with open(home() / "lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)        # two runs would install into each other
        if not stamp.exists() or stamp.read_text() != state:
            install(folder, name, packages)
            stamp.write_text(state)
    return program


def install(folder, name, packages):
    print(f"bench: installing into {folder}, by pip from the index it is configured for:\n"
          f"    {' '.join(packages)}\n"
          "    With what they need about 1.5 GB; torch brings 3 GB of CUDA libraries more unless pip finds a\n"
          "    CPU build (PIP_FIND_LINKS, PIP_EXTRA_INDEX_URL). Once; later runs start at once.", flush=True)
    subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True)
    subprocess.run([str(folder / "bin/python"), "-m", "pip", "install", "--quiet", "-r",
                    str(REQUIREMENTS / f"{name}.txt")], check=True)


def enter(name):
    """Go on in environment `name`: the program is started again by its interpreter."""
    program = python(name)
    if Path(sys.prefix).resolve() != program.parents[1].resolve():
        os.execv(program, [str(program), *sys.argv])


def versions(name):
    """{package: version} of what bench/requirements/NAME.txt asks for."""
    code = ("import sys, importlib.metadata as m\n"
            "for p in sys.argv[1:]: print(p, m.version(p))")
    names = [p.split("=")[0].split("<")[0].split(">")[0] for p in wanted(name)]
    out = subprocess.run([str(python(name)), "-c", code, *names], check=True, text=True,
                         capture_output=True).stdout
    return dict(line.split() for line in out.splitlines())
