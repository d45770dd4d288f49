#!/usr/bin/env python3
"""Ordinary and hostile traffic for a long time: soak.py PORT PID PICTURE SECONDS; prints figures, then TAP lines.

Memory, descriptors and the 99th percentile of searches (the median of twelve) of the last fifth of the time are compared with
those of the second fifth (the first one fills caches).
"""
import http.client
import json
import os
import random
import socket
import sys
import threading
import time

folder = os.path.dirname(sys.argv[3])
port, pid, picture, seconds = int(sys.argv[1]), sys.argv[2], open(sys.argv[3], "rb").read(), float(sys.argv[4])
HOST = b"Host: 127.0.0.1\r\n"
began = time.monotonic()
lock = threading.Lock()
searches, errors, samples, counts = [], [], [], {}


def over():
    return time.monotonic() - began > seconds


def ask(method, path, body=None, wanted=(200,), headers={}):
    start = time.monotonic()
    c = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    try:
        c.request(method, path, body, headers)
        r = c.getresponse()
        answer = r.read()
        if r.status not in wanted:
            errors.append((method, path[:80], r.status, answer[:200]))
        return answer, time.monotonic() - start
    except OSError as e:
        errors.append((method, path[:80], str(e)))
        return b"", 0
    finally:
        c.close()


def there(hit):
    """The statuses that a request for a hit may get: pictures that changing() adds may be removed before it comes."""
    return (200, 503) if hit["path"].startswith(folder + "/p") else (200, 404, 503)


def ordinary(n):
    r = random.Random(n)
    while not over():
        words = " ".join(r.choice("red green blue dark light wide small noise".split()) for _ in range(r.randint(1, 5)))
        answer, took = ask("GET", "/api/v1/search?limit=20&q=" + words.replace(" ", "+"), wanted=(200, 503))
        with lock:
            searches.append((time.monotonic() - began, took))
        hits = json.loads(answer or b"{}").get("results", [])
        for hit in hits[:3]:
            ask("GET", f"/api/v1/images/{hit['id']}/{r.choice(('thumbnail', 'view', 'file', 'similar'))}", wanted=there(hit))
        if r.random() < 0.1:
            form = b'--b\r\nContent-Disposition: form-data; name="image"; filename="x"\r\n\r\n' + picture + b"\r\n--b--\r\n"
            ask("POST", "/api/v1/search", form, (200, 503), {"Content-Type": "multipart/form-data; boundary=b"})
        if hits and r.random() < 0.1:
            labels = json.dumps({"id": hits[0]["id"], "labels": ["red", "green", words]})
            ask("POST", "/api/v1/classify", labels, there(hits[0]))
            ask("POST", "/api/v1/embeddings", json.dumps({"texts": [words] * 3}), (200, 503))
        time.sleep(r.random() * 0.05)


def changing():
    """One picture is added and removed, and the folder is indexed again: a change that meets another is refused by 409."""
    while not over():
        answer, _ = ask("POST", "/api/v1/images", picture + os.urandom(8), (201, 409, 503))
        added = json.loads(answer or b"{}").get("id")
        if added:
            ask("GET", f"/api/v1/images/{added}/thumbnail", wanted=(200, 503))
            ask("DELETE", f"/api/v1/images/{added}", wanted=(204, 409, 503))
        answer, _ = ask("POST", "/api/v1/index", json.dumps({"paths": [folder]}), (202, 409, 503))
        job = json.loads(answer or b"{}").get("job")
        if job:
            ask("GET", f"/api/v1/index/{job}/events")
        time.sleep(1)


def hostile(n):
    r = random.Random(1000 + n)
    while not over():
        text = r.choice((
            b"POST /login HTTP/1.1\r\n" + HOST + b"Transfer-Encoding: chunked\r\n\r\n" + 40 * (b"4000\r\n" + b"x" * 16384 + b"\r\n"),
            b"POST /api/v1/search HTTP/1.1\r\n" + HOST + b"Content-Length: 99999999999\r\n\r\n" + b"x" * 65536,
            b"POST /search HTTP/1.1\r\n" + HOST + b"Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
            b"GET /api/v1/search?q=x" + b"&a" * 5000 + b" HTTP/1.1\r\n" + HOST + b"\r\n",
            b"POST /api/v1/query-pictures HTTP/1.1\r\n" + HOST + b"Content-Length: %d\r\n\r\n" % len(picture) + picture[: r.randint(0, len(picture))],
            b"POST /api/v1/query-pictures HTTP/1.1\r\n" + HOST + b"Content-Length: 30000\r\nConnection: close\r\n\r\n" + r.randbytes(30000),
            b"GET /" + r.randbytes(200), b"GET / HTTP/1.1\r\nX: \0\r\n\r\n", r.randbytes(2000), b""))
        try:
            with socket.create_connection(("127.0.0.1", port), 5) as s:
                s.settimeout(r.choice((0.01, 0.5)))
                s.sendall(text)
                s.recv(4096)
        except OSError:
            pass
        with lock:
            counts["hostile"] = counts.get("hostile", 0) + 1
        time.sleep(r.random() * 0.05)


def sample():
    with open(f"/proc/{pid}/statm") as f:
        return int(f.read().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6, len(os.listdir(f"/proc/{pid}/fd"))


threads = [threading.Thread(target=f, args=(n,), daemon=True) for f in (ordinary, hostile) for n in range(4)]
threads.append(threading.Thread(target=changing, daemon=True))
for t in threads:
    t.start()
while not over():
    time.sleep(min(1, seconds / 60))
    samples.append((time.monotonic() - began, *sample()))
for t in threads:
    t.join(60)


def highest(n, of, column):
    """Of the samples in part n of `of` of the time."""
    return max(row[column] for row in samples if n <= row[0] / seconds * of < n + 1)


def p99(n, of):
    """Of the searches of each twelfth of a part, the median, in ms: other programs may slow down some of them."""
    twelfths = [sorted(took for at, took in searches if n + i / 12 <= at / seconds * of < n + (i + 1) / 12) for i in range(12)]
    found = sorted(t[int(len(t) * 0.99)] for t in twelfths if t)
    return found[len(found) // 2] * 1000


def figures(n, of):
    return highest(n, of, 1), highest(n, of, 2), p99(n, of)


early, late = figures(1, 5), figures(4, 5)
print(f"# {seconds:.0f} s, {len(searches)} searches, {counts.get('hostile', 0)} hostile connections")
parts = [("second fifth", early), ("last fifth", late)] + [(f"third {n + 1} of 3", figures(n, 3)) for n in range(3)]
for what, value in parts:
    print(f"# {what}: at most {value[0]:.0f} MB resident and {value[1]} descriptors, p99 of a search {value[2]:.1f} ms")
checks = [("every ordinary request was answered", not errors), ("memory is flat", late[0] < early[0] * 1.1 + 16),
          ("descriptors are flat", late[1] <= early[1] + 16), ("the 99th percentile is flat", late[2] < early[2] * 1.5 + 20)]
for i, (name, true) in enumerate(checks):
    print("ok" if true else "not ok", i + 1, "-", name)
if errors:
    print("# seen:", len(errors), errors[:5])
print(f"1..{len(checks)}")
sys.exit(not all(true for _, true in checks))
