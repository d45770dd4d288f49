"""worker.py - a peer in a process of its own (peers/host.py), asked by method name."""
import json
import subprocess
import tempfile
from pathlib import Path

BENCH = Path(__file__).resolve().parents[1]


class Worker:
    """Worker(python, "ort", env, model=...) ; w.ask("milliseconds", seconds=0.5)"""

    def __init__(self, python, module, env, **arguments):
        self.module, self.log = module, tempfile.TemporaryFile("w+")
        self.process = subprocess.Popen([str(python), "-m", "peers.host", module], cwd=BENCH, env=env, text=True,
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self.log)
        self.ask("make", **arguments)

    def ask(self, method, **arguments):
        try:
            self.process.stdin.write(json.dumps({"do": method, "with": arguments}) + "\n")
            self.process.stdin.flush()
        except BrokenPipeError:
            pass
        line = self.process.stdout.readline()
        answer = json.loads(line) if line else {"error": self.last_words()}
        if "error" in answer:
            raise RuntimeError(f"{self.module}.{method}: {answer['error']}")
        return answer["result"]

    def last_words(self):
        self.log.seek(0)
        return "it ended: " + self.log.read()[-2000:]

    def close(self):
        self.process.stdin.close()
        self.process.wait()
        self.log.close()
