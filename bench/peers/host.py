"""host.py - runs one peer in a process of its own: python -m peers.host MODULE

Reads requests from standard input, one JSON object a line: {"do": METHOD, "with": {...}}; the
first makes the peer ("make"). Answers with one JSON line each on what was standard output.
"""
import importlib
import json
import os
import statistics
import sys
import time
import traceback


def timed(call, seconds, least=2):
    """Median milliseconds of a call that is repeated for about `seconds`."""
    took = []
    start = time.perf_counter()
    while len(took) < least or time.perf_counter() - start < seconds:
        at = time.perf_counter()
        call()
        took.append(time.perf_counter() - at)
    return 1e3 * statistics.median(took)


def main():
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)       # what libraries print is no answer
    module, peer = importlib.import_module(f"peers.{sys.argv[1]}"), None
    for line in sys.stdin:
        request = json.loads(line)
        try:
            if request["do"] == "make":
                peer, result = module.Peer(**request["with"]), None
            else:
                result = getattr(peer, request["do"])(**request["with"])
            answer = {"result": result}
        except Exception:
            answer = {"error": traceback.format_exc()}
        print(json.dumps(answer), file=answers, flush=True)


if __name__ == "__main__":
    main()
