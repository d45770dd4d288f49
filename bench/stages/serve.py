"""serve - text searches over HTTP

ViT-B/32, 100,000 vectors, the 10 best of six-word queries, one machine for server and load (wrk, one thread): one
connection, and 32. The other server is FastAPI under uvicorn with ONNX Runtime and faiss IndexFlatIP, a process with one
thread for each processor, its text padded to 77 positions or cut to those it needs (bench/peers/search_server.py). Memory is the
server's resident memory, mapped files included, and its decoders'.
"""
import http.client
import os
import re
import shutil
import signal
import socket
import subprocess
import time
from pathlib import Path

from harness import material
from harness.bench import TOP, Skip
from harness.measure import Series
from stages.search import store

ORDER = 60
SEARCHES, UPLOADS = 10000, 1000
LUA = Path(__file__).with_name("serve.lua")


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


class Server:
    """A server of the stage: started, asked until it is ready, stopped with it."""

    def __init__(self, b, argv, path, ready, env=None):
        self.port, self.path = free_port(), path
        self.log = open(b.folder("logs") / "serve.log", "a")
        self.process = subprocess.Popen([str(a).replace("PORT", str(self.port)) for a in argv], cwd=TOP / "bench",
                                        env={**b.env, **(env or {})}, stdout=self.log, stderr=self.log, start_new_session=True)
        for _ in range(1800):
            try:
                if self.get(ready)[0] == 200:
                    return
            except OSError:
                pass
            if self.process.poll() is not None:
                raise RuntimeError(f"{argv[0]} ended: see {self.log.name}")
            time.sleep(0.1)
        raise RuntimeError(f"{argv[0]} does not get ready: see {self.log.name}")

    def get(self, path, method="GET", body=None):
        c = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        try:
            c.request(method, path, body)
            r = c.getresponse()
            return r.status, r.read()
        finally:
            c.close()

    def load(self, b, connections, seconds):
        """wrk's requests a second and median milliseconds."""
        out = subprocess.run(["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "--latency", "--timeout", "30s", "-s", str(LUA),
                              f"http://127.0.0.1:{self.port}", "--", self.path, str(material.texts(b))],
                             capture_output=True, text=True, check=True).stdout
        if "Non-2xx" in out or "Socket errors" in out:
            raise RuntimeError(out)
        value, unit = re.search(r"50%\s+([\d.]+)(us|ms|s)", out).groups()
        rate = float(re.search(r"Requests/sec:\s+([\d.]+)", out).group(1))
        return rate, float(value) * {"us": 1e-3, "ms": 1, "s": 1e3}[unit]

    def memory_mib(self):
        """Of the server and the processes it started."""
        total = 0
        for pid in [str(self.process.pid), *Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text().split()]:
            found = re.search(r"VmRSS:\s+(\d+)", Path(f"/proc/{pid}/status").read_text())
            total += int(found.group(1)) if found else 0
        return total / 1024

    def stop(self):
        os.killpg(self.process.pid, signal.SIGTERM)
        try:
            self.process.wait(30)
        except subprocess.TimeoutExpired:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()
        self.log.close()


def start_scry(b, where):
    return Server(b, [b.scry, "serve", "--listen", "127.0.0.1:PORT", "--store", where, "--model", material.checkpoint(b)],
                  "/api/v1/search?limit=10&q=", "/readyz")


def start_other(b, positions):
    env = {"SEARCH_MODEL": str(material.checkpoint(b)), "SEARCH_ONNX": str(material.exported(b) / "text.onnx"),
           "SEARCH_POSITIONS": str(positions), "OMP_NUM_THREADS": "1"}
    return Server(b, [b.python("serve"), "-m", "uvicorn", "peers.search_server:app", "--port", "PORT", "--workers", b.cpus,
                      "--log-level", "warning", "--no-access-log"], "/search?limit=10&q=", "/ready", env)


def first_search(b, where):
    """Milliseconds of the first search of a server, and the median of the 20 after it."""
    s = start_scry(b, where)
    took = []
    c = http.client.HTTPConnection("127.0.0.1", s.port)
    for _ in range(21):
        at = time.perf_counter()
        c.request("GET", s.path + material.TEXT.replace(" ", "%20"))
        c.getresponse().read()
        took.append(1e3 * (time.perf_counter() - at))
    c.close()
    s.stop()
    return took[0], Series(took[1:]).median


def memory(b, where):
    """Idle, after SEARCHES searches and UPLOADS uploads, and after as many again."""
    s = start_scry(b, where)
    pictures = sorted(material.crops(b, 640).iterdir())
    idle, grown = s.memory_mib(), []
    for turn in range(2):
        done = 0
        while done < SEARCHES:
            done += 5 * s.load(b, 32, 5)[0]
        for i in range(UPLOADS):        # all different: what follows a JPEG's end is nothing to decoders
            body = pictures[i % len(pictures)].read_bytes() + b"%d" % (turn * UPLOADS + i)
            if s.get("/api/v1/query-pictures", "POST", body)[0] != 201:
                raise RuntimeError("an upload was refused")
        grown.append(s.memory_mib())
    s.stop()
    b.figure("resident memory", "idle", "MiB", idle)
    b.figure("resident memory", f"after {SEARCHES} searches, {UPLOADS} uploads", "MiB", grown[0])
    b.figure("resident memory", "after as many again", "MiB", grown[1])
    b.target("memory after twice as much work, to that after once", Series([grown[1] / grown[0]]), at_most=1.05)


def run(b):
    if not shutil.which("wrk"):
        raise Skip("wrk is not installed (Debian: wrk)")
    b.versions("fastapi", "uvicorn", "onnxruntime", "faiss-cpu", env="serve")
    where = store(b, "ViT-B32", material.checkpoint(b))
    servers = {"scry": start_scry(b, where), "FastAPI, 77 positions": start_other(b, 77),
               "FastAPI, as needed": start_other(b, 0)}
    try:
        for s in servers.values():
            s.load(b, 4, 1)
        alone = b.alternate("one connection, median", {n: lambda s=s: s.load(b, 1, 3)[1] for n, s in servers.items()}, "ms")
        rate = b.alternate("32 connections", {n: lambda s=s: s.load(b, 32, 4)[0] for n, s in servers.items()}, "searches/s")
    finally:
        for s in servers.values():
            s.stop()
    firsts = [first_search(b, where) for _ in range(b.rounds)]
    b.figure("first search after the start", "scry", "ms", Series([a for a, _ in firsts]))
    memory(b, where)
    b.target("one connection, median", alone["scry"], at_most=10, unit="ms")
    for name in list(servers)[1:]:
        b.target(f"32 connections: rate to {name}", rate["scry"].over(rate[name]), at_least=3)
    b.target("first search to the median of the next", Series([a / m for a, m in firsts]), at_most=2)
