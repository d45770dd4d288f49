"""measure.py - series of figures that were taken alternately."""
import ctypes
import os
import resource
import statistics
import subprocess
import time


PR_SET_CHILD_SUBREAPER = 36     # linux/prctl.h


class Series:
    """The figures of one way, a value each round."""

    def __init__(self, values):
        self.values = list(values)

    @property
    def median(self):
        return statistics.median(self.values)

    @property
    def low(self):
        return min(self.values)

    @property
    def high(self):
        return max(self.values)

    def over(self, other):
        """Ratios round by round: both sides of each were taken within seconds of each other."""
        return Series(a / b for a, b in zip(self.values, other.values))


def alternate(ways, rounds, show=lambda text: None):
    """Call every way once a round, in turn (A B C, A B C, ...) -> {name: Series}."""
    got = {name: [] for name in ways}
    for number in range(rounds):
        show(f"round {number + 1} of {rounds}")
        for name, call in ways.items():
            got[name].append(call())
    return {name: Series(values) for name, values in got.items()}


class Run:
    """What a finished command used: wall and processor seconds, peak memory of its largest process."""

    def __init__(self, wall_s, cpu_s, peak_mib, returncode, stdout, stderr):
        self.wall_s, self.cpu_s, self.peak_mib = wall_s, cpu_s, peak_mib
        self.returncode, self.stdout, self.stderr = returncode, stdout, stderr


# The child is started by a small program of its own, so that the peak is the command's: a
# process forked from this one would start with this one's memory in its figure.
STARTER = r"""
import json, os, resource, sys, time
begin = time.perf_counter()
pid = os.posix_spawnp(sys.argv[2], sys.argv[2:], os.environ)
_, status, use = os.wait4(pid, 0)
wall = time.perf_counter() - begin
with open(sys.argv[1], "w") as f:
    json.dump([wall, use.ru_utime + use.ru_stime, use.ru_maxrss / 1024, os.waitstatus_to_exitcode(status)], f)
"""


def command(argv, python, env=None, ok=(0,), cwd=None, folder="/tmp"):
    """Run a command to its end -> Run. Raises when its exit status is not in `ok`."""
    import json
    import tempfile
    with tempfile.NamedTemporaryFile("r", dir=folder) as figures:
        done = subprocess.run([str(python), "-S", "-c", STARTER, figures.name, *map(str, argv)], env=env,
                              cwd=cwd, capture_output=True, text=True)
        if done.returncode != 0:
            raise RuntimeError(f"{argv[0]}: {done.stderr.strip()}")
        wall, cpu, peak, status = json.load(figures)
    if status not in ok:
        raise RuntimeError(f"{' '.join(map(str, argv))}: exit status {status}: {done.stderr.strip()}")
    return Run(wall, cpu, peak, status, done.stdout, done.stderr)


class Others:
    """How much of the processors other processes used meanwhile, in percent of all of them."""

    def __init__(self):
        # What a stage's processes started and left is given to this one, which counts it as its own.
        ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
        self.start = self.now()

    @staticmethod
    def now():
        with open("/proc/stat") as f:
            ticks = [int(x) for x in f.readline().split()[1:9]]
        own = sum(sum(resource.getrusage(who)[:2])
                  for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
        hertz = 100
        busy = (sum(ticks) - ticks[3] - ticks[4]) / hertz
        return busy - own, sum(ticks) / hertz, time.time()

    def percent(self):
        """Call it when the stage's own processes have ended: only then are they counted as own."""
        try:
            while os.waitpid(-1, os.WNOHANG)[0]:
                pass
        except ChildProcessError:
            pass
        busy, total, _ = self.now()
        return max(0.0, 100 * (busy - self.start[0]) / max(total - self.start[1], 1e-9))
