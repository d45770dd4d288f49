"""Kill `scry index` at 100 random moments: kills.py SCRY MODEL FOLDER [SEED]

After each kill the store opens, verify finds nothing wrong, what was stored before is still
there, and nothing is there twice. When everything is stored, the store is thrown away and
filled anew. Prints TAP.
"""
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time

scry, model, folder = sys.argv[1:4]
seed = int(sys.argv[4]) if len(sys.argv) > 4 else int(time.time())
rng = random.Random(seed)
KILLS = int(os.environ.get("KILLS", "100"))
store = os.environ["SCRY_STORE"]
total = len(os.listdir(folder))


def run(*args):
    return subprocess.run([scry, *args], stdin=subprocess.DEVNULL, capture_output=True, text=True)


def stored():
    """The stored paths, or None where the kill came before there was a store."""
    found = run("search", "--json", "--all-copies", "--limit", "100000", "x")
    if found.returncode == 2:
        return None if "scry index" in found.stderr else found.stderr
    return [r["path"] for r in json.loads(found.stdout)["results"]]


def index(delay=None):
    child = subprocess.Popen([scry, "index", "--model", model, folder], stdin=subprocess.DEVNULL,
                             stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    if delay is None:
        err = child.communicate()[1]
        return child.returncode, err
    time.sleep(delay)
    child.send_signal(signal.SIGKILL)
    child.communicate()
    return None, ""


start = time.time()
assert index()[0] == 0
whole = time.time() - start
shutil.rmtree(store)
wrong, midway, before = [], 0, []
for kill in range(KILLS):
    index(rng.uniform(0, whole))
    now = stored()
    if isinstance(now, str):
        wrong.append(f"kill {kill}: {now.strip()}")
        break
    verified = run("verify") if now is not None else None
    if verified and verified.returncode != 0:
        wrong.append(f"kill {kill}: verify: {verified.stdout}{verified.stderr}")
    now = now or []
    if len(now) != len(set(now)):
        wrong.append(f"kill {kill}: {len(now) - len(set(now))} files twice")
    if not set(before) <= set(now):
        wrong.append(f"kill {kill}: {len(set(before) - set(now))} files lost")
    midway += 0 < len(now) < total
    before = now
    if len(now) == total:
        shutil.rmtree(store)
        before = []
status, err = index()
last = stored() or []
for line in wrong[:10]:
    print("# " + line.replace("\n", "\n# "))
print(f"# seed {seed}: {KILLS} kills, {midway} of them with a part of {total} pictures stored")
print(("not ok" if wrong else "ok") + f" 1 - {KILLS} kills at random moments: nothing lost, doubled or half-written")
print(("ok" if status == 0 and len(last) == len(set(last)) == total else "not ok") + " 2 - the last run ends what is left")
print("1..2")
sys.exit(bool(wrong))
