#!/usr/bin/env python3
"""Attack `scry serve`: attacks.py SCRY PICTURES BOMBS SCRATCH; prints TAP lines.

Standard library only. SCRY_STORE is an index of PICTURES; BOMBS has hang.jpg, on which the decoder of a
test build hangs (tests/e2e/make_bombs.py).
"""
import http.client
import json
import multiprocessing
import os
import re
import select
import shutil
import signal
import socket
import ssl
import subprocess
import sys
import threading
import time

scry, pictures, bombs, scratch = sys.argv[1:5]
SECRET = b"root:x:0:0: nobody outside may read this"
number = 0


def ok(name, true, seen=""):
    global number
    number += 1
    print("ok" if true else "not ok", number, "-", name, flush=True)
    if not true:
        print("# seen:", str(seen)[:600], flush=True)


class Server:
    def __init__(self, *options, env=None):
        self.log = open(os.path.join(scratch, "serve.err"), "w+b")
        self.process = subprocess.Popen([scry, "serve", "--listen", "127.0.0.1:0", *options], stdin=subprocess.DEVNULL,
                                        stdout=subprocess.DEVNULL, stderr=self.log, env={**os.environ, **(env or {})})
        for _ in range(1200):
            found = re.search(rb" at (https?)://127\.0\.0\.1:(\d+)/", self.said())
            if found or self.process.poll() is not None:
                break
            time.sleep(0.1)
        self.port = int(found.group(2)) if found else 0

    def said(self):
        self.log.seek(0)
        return self.log.read()

    def connect(self, timeout=60):
        return socket.create_connection(("127.0.0.1", self.port), timeout)

    def ask(self, method, path, body=None, headers={}, timeout=120):
        """Status, headers, body; 0 where the connection was cut."""
        c = http.client.HTTPConnection("127.0.0.1", self.port, timeout=timeout)
        try:
            c.request(method, path, body, headers)
            r = c.getresponse()
            return r.status, r.headers, r.read()
        except (OSError, http.client.HTTPException) as e:
            return 0, {}, str(e).encode()
        finally:
            c.close()

    def raw(self, text, wait=60):
        """Send bytes as they are; the first line of the answer, and all of it."""
        with self.connect(wait) as s:
            try:
                s.sendall(text)
                answer = b""
                while part := s.recv(65536):
                    answer += part
                    if len(answer) > 1 << 16 or b"\r\n\r\n" in answer and b"Connection: close" in text:
                        break
            except OSError:
                pass
        return answer.split(b"\r\n")[0], answer

    def healthy(self):
        return self.ask("GET", "/healthz")[0] == 200

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        try:
            status = self.process.wait(60)
        except subprocess.TimeoutExpired:
            self.process.kill()
            status = "had to be killed"
        said = self.said()
        ok("it stops, and no sanitizer spoke", status == 0 and b"Sanitizer" not in said and b"runtime error" not in said, (status, said))


def cut_after(s, limit_s):
    """Seconds until the peer closes, or more than limit_s."""
    began = time.monotonic()
    s.settimeout(limit_s)
    try:
        while s.recv(65536):
            pass
    except socket.timeout:
        return limit_s + 1
    except OSError:
        pass
    return time.monotonic() - began


def send_slowly(server, head, piece, limit_s):
    """Send `head`, then `piece` five times a second until cut off; seconds it took."""
    s = server.connect()
    s.sendall(head)
    began = time.monotonic()
    s.settimeout(0.2)
    while time.monotonic() - began < limit_s:
        try:
            s.sendall(piece)
            if s.recv(65536) == b"":
                break
        except socket.timeout:
            continue
        except OSError:
            break
    s.close()
    return time.monotonic() - began


def slow_clients():
    # The deadlines hold although the system's clock is set back (lib/clock.c).
    server = Server("--client-timeout", "2", "--max-connections", "8",
                    env={"LD_PRELOAD": os.path.join(scratch, "clock.so"), "ASAN_OPTIONS": "verify_asan_link_order=0"})
    ok("slow headers are cut off", send_slowly(server, b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nX: ", b"x", 40) < 30)
    head = b"POST /api/v1/search HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 100000\r\n\r\n"
    ok("a slow body is cut off", send_slowly(server, head, b"x", 40) < 30)
    head = b"POST /api/v1/search HTTP/1.1\r\nHost: 127.0.0.1\r\nTransfer-Encoding: chunked\r\n\r\n"
    ok("a slow chunked body is cut off", send_slowly(server, head, b"1\r\nx\r\n", 40) < 30)
    s = server.connect()
    ok("an idle connection is closed", cut_after(s, 40) < 30)
    s = server.connect()
    s.sendall(b"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
    ok("an idle connection is closed after a response", cut_after(s, 40) < 30)

    s = socket.socket()
    s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    s.connect(("127.0.0.1", server.port))
    s.sendall(b"GET /openapi.json HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n" * 400)   # more than both ends' buffers hold
    time.sleep(15)   # a response of 180 kB may take 5 s
    got, began = 0, time.monotonic()
    s.settimeout(30)
    try:
        while part := s.recv(65536):
            got += len(part)
    except OSError:
        pass
    size = len(server.ask("GET", "/openapi.json")[2])
    ok("a response that is not read is abandoned", got < 400 * size, (got, size))

    idle = [server.connect() for _ in range(8)]
    time.sleep(0.5)
    status = server.ask("GET", "/healthz", timeout=1)[0]
    ok("the limit of connections holds", status == 0, status)
    for s in idle:
        cut_after(s, 40)
    ok("connections past their deadline are closed and make room", server.healthy())
    server.stop()


def resident_bytes(server):
    with open(f"/proc/{server.process.pid}/statm") as f:
        return int(f.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def send_refused(port, requests, opened, sent):
    """Keep one connection for each of `requests` open and go on sending a body on it, until killed."""
    chunk = b"4000\r\n" + b"x" * 16384 + b"\r\n"
    poll, of = select.epoll(), {}

    def connect(request):
        s = socket.socket()
        s.setblocking(False)
        s.connect_ex(("127.0.0.1", port))
        of[s.fileno()] = [s, request, True]
        poll.register(s, select.EPOLLOUT)
        opened.value += 1

    for request in requests:
        connect(request)
    while True:
        for fd, _ in poll.poll():
            s, request, begins = of[fd]
            try:
                sent.value += s.send(request if begins else chunk)
                of[fd][2] = False
            except BlockingIOError:
                pass
            except OSError:
                poll.unregister(fd)
                del of[fd]
                s.close()
                connect(request)


def flood(server, host):
    """256 clients go on sending what was refused: each is cut off soon, and others are answered meanwhile."""
    lengths = (b"Content-Length: 99999999999\r\n", b"Transfer-Encoding: chunked\r\n")
    requests = [b"POST " + path + b" HTTP/1.1\r\n" + host + length + b"\r\n"
                for path in (b"/login", b"/healthz", b"/api/v1/search", b"/nothing") for length in lengths] * 32
    opened, sent = multiprocessing.Value("Q", 0), multiprocessing.Value("Q", 0)
    flooder = multiprocessing.get_context("fork").Process(target=send_refused, args=(server.port, requests, opened, sent), daemon=True)
    flooder.start()
    healthy, until = 0, time.monotonic() + 300
    while (healthy < 100 or opened.value < 4 * len(requests)) and time.monotonic() < until and server.healthy():
        healthy += 1
    flooder.kill()
    flooder.join()
    ok("while 256 clients send refused bodies, /healthz is answered, and they are cut off to come again",
       healthy >= 100 and opened.value >= 4 * len(requests), (healthy, opened.value))
    ok("and they did send, but few bytes each", 1 << 20 < sent.value < opened.value << 24, (sent.value, opened.value))


def bodies():
    # Sanitizers keep freed memory, which this test measures.
    server = Server("--allow-upload", env={"ASAN_OPTIONS": "quarantine_size_mb=1"})
    host = b"Host: 127.0.0.1\r\nConnection: close\r\n"
    for path, limit in (("/search", 1 << 16), ("/api/v1/query-pictures", 64 << 20), ("/api/v1/images", 256 << 20), ("/api/v1/classify", 4 << 20)):
        line, _ = server.raw(f"POST {path} HTTP/1.1\r\n".encode() + host + f"Content-Length: {limit + 1}\r\n\r\n".encode())
        ok(f"{path}: more than {limit} bytes are refused unread", b" 413 " in line, line)
    chunk = b"10000\r\n" + b"x" * 65536 + b"\r\n"
    line, _ = server.raw(b"POST /search HTTP/1.1\r\n" + host + b"Transfer-Encoding: chunked\r\n\r\n" + 3 * chunk + b"0\r\n\r\n")
    ok("chunked bodies too", b" 413 " in line, line)
    held = resident_bytes(server)
    large = [server.connect() for _ in range(3)]
    for s in large:      # up to the limit, and one byte past it
        s.sendall(b"POST /api/v1/query-pictures HTTP/1.1\r\n" + host + b"Transfer-Encoding: chunked\r\n\r\n" + 1024 * chunk)
        s.sendall(b"1\r\nx\r\n")
    for _ in range(100):  # until the loop has read them
        time.sleep(0.1)
        if (now := resident_bytes(server) - held) < 32 << 20:
            break
    ok("a body over the limit is not kept in memory", now < 32 << 20, now)
    for s in large:
        s.settimeout(10)
        line = s.recv(65536).split(b"\r\n")[0]
        ok("and is refused at once", b" 413 " in line, line)
        s.close()
    flood(server, host)
    line, _ = server.raw(b"GET /healthz HTTP/1.1\r\n" + host + b"X: " + b"x" * 200000 + b"\r\n\r\n")
    ok("headers that are too long: 431", b" 431 " in line or b" 413 " in line, line)
    line, _ = server.raw(b"GET /" + b"x" * 200000 + b" HTTP/1.1\r\n" + host + b"\r\n")
    ok("an address that is too long: 414", b" 414 " in line, line)
    for name, text in (
            ("a length that is none", b"POST /search HTTP/1.1\r\n" + host + b"Content-Length: -5\r\n\r\nabc"),
            ("a length beyond 64 bits", b"POST /search HTTP/1.1\r\n" + host + b"Content-Length: 99999999999999999999999\r\n\r\nabc"),
            ("chunks of 2^64", b"POST /search HTTP/1.1\r\n" + host + b"Transfer-Encoding: chunked\r\n\r\nffffffffffffffffff\r\nabc"),
            ("no HTTP at all", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\r\n\r\n"),
            ("a header without end", b"GET / HTTP/1.1\r\nHost\r\n\r\n")):
        line, _ = server.raw(text)
        ok(f"{name}: refused", line == b"" or re.match(rb"HTTP/1\.[01] 4\d\d", line), line)
    for name, body, type in (
            ("JSON nested 100,000 deep", b"[" * 100000, "application/json"),
            ("JSON of another type", b'{"parts":{"text":1},"filter":[1],"limit":"x"}', "application/json"),
            ("JSON that is not UTF-8", b'{"q":"\xff\xfe"}', "application/json"),
            ("a form without end", b"--b\r\nContent-Disposition: form-data; name=image\r\n\r\nxx", "multipart/form-data; boundary=b"),
            ("a form without a boundary", b"xx", "multipart/form-data")):
        status, headers, _ = server.ask("POST", "/api/v1/search", body, {"Content-Type": type})
        ok(f"{name}: a 4xx problem", 400 <= status < 500 and "problem+json" in headers.get("Content-Type", ""), (status, headers))
    ok("and goes on", server.healthy())
    server.stop()


def hosts():
    server = Server("--host", "pictures.example")
    for host, wanted in (("127.0.0.1", 200), ("localhost:1", 200), ("[::1]", 200), ("pictures.example", 200), ("PICTURES.example:80", 200),
                         ("evil.example", 421), ("127.0.0.1.evil.example", 421), ("localhost.evil.example", 421),
                         ("evil.example:127", 421), ("pictures.example.evil.example", 421), ("0x7f.1", 421)):
        line, _ = server.raw(f"GET /api/v1/status HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n".encode())
        ok(f"Host {host}: {wanted}", b" %d " % wanted in line, line)
    line, _ = server.raw(b"GET /api/v1/status HTTP/1.0\r\n\r\n")
    ok("no Host: 421", b" 421 " in line, line)
    ours = f"127.0.0.1:{server.port}"
    for origin, wanted in ((f"http://{ours}", 200), (None, 200), ("http://evil.example", 403), ("null", 403), ("http://127.0.0.1:1", 403),
                           (f"http://{ours}.evil.example", 403), (f"http://{ours}@evil.example", 403), (f"file://{ours}", 403)):
        status = server.ask("POST", "/search", b"red", {"Origin": origin} if origin else {})[0]
        ok(f"Origin {origin}: {wanted}", status == wanted, status)
    server.stop()


def escapes():
    """A file of the index, and the folder above it, change places with links that lead out, while it is asked for."""
    server = Server()
    outside = os.path.join(scratch, "outside")
    os.makedirs(outside, exist_ok=True)
    found = json.loads(server.ask("GET", "/api/v1/search?q=red&limit=1000")[2])["results"]
    victim = next(h for h in found if "/sub/" in h["path"])
    path, folder = victim["path"], os.path.dirname(victim["path"])
    for name in (os.path.basename(path), "secret"):
        with open(os.path.join(outside, name), "wb") as f:
            f.write(SECRET)
    stop = threading.Event()

    def swap(name, target):
        while not stop.is_set():
            os.rename(name, name + ".kept")
            os.symlink(target, name)
            os.unlink(name)
            os.rename(name + ".kept", name)

    for what, name, target in (("the file", path, os.path.join(outside, "secret")), ("its folder", folder, outside)):
        stop.clear()
        thread = threading.Thread(target=swap, args=(name, target))
        thread.start()
        seen = {}
        for i in range(300):
            route = ("file", "view", "thumbnail?size=160")[i % 3]
            status, _, body = server.ask("GET", f"/api/v1/images/{victim['id']}/{route}")
            seen[status] = seen.get(status, 0) + 1
            if SECRET in body:
                seen["leaked"] = True
        stop.set()
        thread.join()
        ok(f"{what} changes places with a link: nothing leaks", "leaked" not in seen and set(seen) <= {200, 403, 404, 422}, seen)
    status, _, body = server.ask("GET", f"/api/v1/images/{victim['id']}/file")
    ok("and is itself afterwards", status == 200 and body == open(path, "rb").read(), status)
    for attack in ("../" * 8 + "etc/passwd", "%2e%2e/" * 8 + "etc/passwd", "..%2f" * 8 + "etc%2fpasswd", "..%5c" * 8, "%c0%ae%c0%ae/etc/passwd",
                   "file:///etc/passwd", "//etc/passwd", "/proc/self/environ", victim["id"] + "%00", victim["id"].upper() + "/../../x"):
        for prefix in ("/api/v1/images/", "/assets/", "/api/v1/query-pictures/"):
            line, answer = server.raw(f"GET {prefix}{attack} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n".encode())
            if not re.match(rb"HTTP/1\.1 4\d\d", line) or b"root:" in answer:
                ok(f"leaves the roots: {prefix}{attack}", False, answer[:200])
    ok("no path leaves the roots", True)
    server.stop()


def load():
    """Full queues, a decoder that hangs, SIGTERM while requests run."""
    bomb = open(os.path.join(bombs, "hang.jpg"), "rb").read()
    server = Server("--workers", "1", "--max-queue", "2", "--time-limit", "2", "--allow-upload", env={"SCRY_TEST_DECODER_FAULTS": "1"})
    answers = []
    crowd = [threading.Thread(target=lambda: answers.append(server.ask("POST", "/api/v1/query-pictures", bomb))) for _ in range(8)]
    for t in crowd:
        t.start()
    for t in crowd:
        t.join()
    statuses = sorted(a[0] for a in answers)
    ok("a hanging decoder is stopped: 415", statuses[0] == 415 and set(statuses) == {415, 503}, statuses)
    ok("requests past the queue's limit get 503", statuses.count(503) >= 4, statuses)
    ok("with Retry-After", all(a[1].get("Retry-After", "").isdigit() for a in answers if a[0] == 503))
    ok("searches are still answered", server.ask("GET", "/api/v1/search?q=red")[0] == 200)
    status, _, body = server.ask("POST", "/api/v1/images", bomb)
    ok("a picture that is added has the same limit", status == 415 and b"longer than 2 s" in body, (status, body))
    late = http.client.HTTPConnection("127.0.0.1", server.port, timeout=120)
    late.request("POST", "/api/v1/query-pictures", bomb)
    time.sleep(1)         # of the two seconds that the decoder is given: it runs by now
    server.stop()
    try:
        status = late.getresponse().status
    except (OSError, http.client.HTTPException) as e:
        status = e
    ok("requests running at SIGTERM are answered", status == 415, status)
    ok("new ones are not", server.ask("GET", "/healthz")[0] == 0)


def watchers():
    """Watching a run costs nothing while there is no news; a stop ends the stream."""
    slow = os.path.join(scratch, "slow")
    os.makedirs(slow, exist_ok=True)
    shutil.copy(os.path.join(bombs, "hang.jpg"), slow)
    bomb = open(os.path.join(bombs, "hang.jpg"), "rb").read()
    server = Server("--allow-index", "--allow-upload", "--allow-remove", "--workers", "2", env={"SCRY_TEST_DECODER_FAULTS": "1"})
    known = json.loads(server.ask("GET", "/api/v1/search?q=red&limit=1")[2])["results"][0]["id"]

    # An upload whose decoder hangs has the store: a run that was begun waits, and its watchers sleep.
    upload = threading.Thread(target=lambda: server.ask("POST", "/api/v1/images", bomb))
    upload.start()
    time.sleep(1)
    job = json.loads(server.ask("POST", "/api/v1/index", json.dumps({"paths": [slow]}))[2])["job"]
    with server.connect() as s:
        s.sendall(f"GET /api/v1/index/{job}/events HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n".encode())
        s.settimeout(2)
        events = b""
        try:
            while len(events) < 1 << 20:
                events += s.recv(65536)
        except socket.timeout:
            pass
    ok("a run that has not begun sends one event", events.count(b"event: progress") == 1, events.count(b"event:"))
    server.ask("DELETE", f"/api/v1/index/{job}")
    upload.join()
    for _ in range(600):
        if b'"running"' not in server.ask("GET", f"/api/v1/index/{job}")[2]:
            break
        time.sleep(0.1)

    status, _, body = server.ask("POST", "/api/v1/index", json.dumps({"paths": [slow]}))
    ok("a run begins", status == 202, body)
    job = json.loads(body)["job"]
    s = server.connect()
    s.sendall(f"GET /api/v1/index/{job}/events HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n".encode())
    first = s.recv(4096)
    ok("events come", b"text/event-stream" in first, first)

    def processor_s():
        fields = open(f"/proc/{server.process.pid}/stat").read().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    time.sleep(1)
    before = processor_s()
    time.sleep(3)
    used = processor_s() - before
    ok("waiting for events takes no processor time", used < 1.5, used)
    ok("a second run has to wait: 409", server.ask("POST", "/api/v1/index", json.dumps({"paths": [slow]}))[0] == 409)
    kept = os.path.join(os.environ["SCRY_STORE"], "media/default")
    files = sorted(os.listdir(kept)) if os.path.isdir(kept) else []
    png = next(os.path.join(pictures, name) for name in os.listdir(pictures) if name.endswith(".png"))
    answers = []
    crowd = [threading.Thread(target=lambda: answers.append(server.ask("DELETE", f"/api/v1/images/{known}", timeout=20)[0])) for _ in range(3)]
    crowd.append(threading.Thread(target=lambda: answers.append(server.ask("POST", "/api/v1/images", open(png, "rb").read(), timeout=20)[0])))
    for t in crowd:
        t.start()
    status = server.ask("GET", f"/api/v1/images/{known}/thumbnail?size=160", timeout=20)[0]
    for t in crowd:
        t.join()
    ok("so have other changes: 409", answers == [409] * 4, answers)
    ok("the workers are free", status == 200, status)
    ok("nothing of the upload is kept", (sorted(os.listdir(kept)) if os.path.isdir(kept) else []) == files)
    server.ask("DELETE", f"/api/v1/index/{job}")
    server.stop()
    ok("the stream ends with the server", cut_after(s, 60) < 60)


def raw_tls(server, context, text):
    """Send bytes as they are while reading, as clients of TLS do; the first line of the answer."""
    answer, until = b"", time.monotonic() + 20
    with context.wrap_socket(server.connect(), server_hostname="localhost") as s:
        s.setblocking(False)
        while b"\r\n" not in answer and time.monotonic() < until:
            try:
                text = text[s.send(text[:16384]):] if text else text
            except (ssl.SSLWantReadError, ssl.SSLWantWriteError):
                pass
            except OSError:
                text = b""   # what was answered before can still be read
            try:
                part = s.recv(65536)
                if not part:
                    break
                answer += part
            except (ssl.SSLWantReadError, ssl.SSLWantWriteError):
                select.select([s], [s] if text else [], [], 1)
            except OSError as e:
                return str(e).encode()
    return answer.split(b"\r\n")[0]


def encryption():
    if not shutil.which("openssl"):
        return ok("TLS # SKIP no openssl to make a certificate with", True)
    cert, key = os.path.join(scratch, "cert.pem"), os.path.join(scratch, "key.pem")
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2", "-subj",
                    "/CN=localhost", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1", "-keyout", key, "-out", cert],
                   check=True, capture_output=True)
    token = os.path.join(scratch, "token")
    with open(os.open(token, os.O_WRONLY | os.O_CREAT, 0o600), "w") as f:
        f.write("0123456789abcdef0123456789abcdef\n")
    server = Server("--cert", cert, "--key", key, "--token-file", token, "--client-timeout", "2")
    context = ssl.create_default_context(cafile=cert)

    def ask(path, headers={}, method="GET", body=None):
        c = http.client.HTTPSConnection("127.0.0.1", server.port, timeout=60, context=context)
        c.request(method, path, body, headers)
        r = c.getresponse()
        r.read()
        return r
    ok("HTTPS with a checked certificate", ask("/healthz").status == 200)
    ok("the token is required", ask("/api/v1/status").status == 401)
    ok("the right token is accepted", ask("/api/v1/status", {"Authorization": "Bearer 0123456789abcdef0123456789abcdef"}).status == 200)
    for wrong in ("0123456789abcdef0123456789abcde", "0123456789abcdef0123456789abcdeF", "0123456789abcdef0123456789abcdef0", "", "x" * 10000):
        status = ask("/api/v1/status", {"Authorization": "Bearer " + wrong}).status
        ok(f"not another one ({wrong[:40]})", status == 401, status)
    cookie = ask("/login", method="POST", body='{"token":"0123456789abcdef0123456789abcdef"}').headers["Set-Cookie"]
    ok("the cookie is for HTTPS, this site and no script", all(x in cookie for x in ("Secure", "HttpOnly", "SameSite=Strict")), cookie)
    ok("the cookie is accepted", ask("/api/v1/status", {"Cookie": cookie.split(";")[0]}).status == 200)
    ok("logging out", ask("/logout", {"Cookie": cookie.split(";")[0]}, "POST").status == 204)
    ok("the cookie is not accepted any more", ask("/api/v1/status", {"Cookie": cookie.split(";")[0]}).status == 401)
    ok("logging out without a session does nothing", ask("/logout", {}, "POST").status == 204)
    ok("another cookie is not", ask("/api/v1/status", {"Cookie": "scry=" + "0" * 64}).status == 401)
    host = b"Host: 127.0.0.1\r\nAuthorization: Bearer 0123456789abcdef0123456789abcdef\r\n"
    chunks = b"".join(b"10000\r\n" + b"x" * 65536 + b"\r\n" for _ in range(64))
    for name, wanted, text in (
            ("more than a body may have, in chunks", 413, b"POST /search HTTP/1.1\r\n" + host + b"Transfer-Encoding: chunked\r\n\r\n" + chunks),
            ("the same on a route without a token", 413, b"POST /login HTTP/1.1\r\n" + host + b"Transfer-Encoding: chunked\r\n\r\n" + chunks),
            ("a length over the limit", 413, b"POST /search HTTP/1.1\r\n" + host + b"Content-Length: 99999999999\r\n\r\n" + chunks),
            ("a length twice", 400, b"POST /search HTTP/1.1\r\n" + host + b"Content-Length: 3\r\nContent-Length: 3\r\n\r\nred"),
            ("too many arguments", 414, b"GET /api/v1/search?q=x" + b"&a" * 600 + b" HTTP/1.1\r\n" + host + b"\r\n"),
            ("an address that is too long", 414, b"GET /" + b"x" * 200000 + b" HTTP/1.1\r\n" + host + b"\r\n"),
            ("chunks that are none", 400, b"POST /search HTTP/1.1\r\n" + host + b"Transfer-Encoding: chunked\r\n\r\nxyz\r\n")):
        line = raw_tls(server, context, text)
        ok(f"over TLS: {name}: {wanted}", b" %d " % wanted in line, line)
    ok("and goes on over TLS", ask("/healthz").status == 200)
    line, _ = server.raw(b"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
    ok("plain HTTP is not answered there", b" 200 " not in line, line)
    s = server.connect()
    ok("a handshake that never comes is cut off", cut_after(s, 40) < 30)
    old = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    old.check_hostname, old.verify_mode = False, ssl.CERT_NONE
    old.minimum_version = old.maximum_version = ssl.TLSVersion.TLSv1_1
    try:
        old.set_ciphers("ALL:@SECLEVEL=0")
        old.wrap_socket(server.connect()).close()
        ok("TLS 1.1 is refused", False)
    except (OSError, ssl.SSLError):
        ok("TLS 1.1 is refused", True)
    server.stop()
    bad = subprocess.run([scry, "serve", "--listen", "127.0.0.1:0", "--cert", key, "--key", key], capture_output=True)
    ok("an invalid certificate: 2", bad.returncode == 2, bad)


def exposure():
    for where in ("0.0.0.0:0", ":0", "[::]:0"):
        done = subprocess.run([scry, "serve", "--listen", where], capture_output=True, timeout=120)
        ok(f"--listen {where} without a token: 2", done.returncode == 2 and (b"token-file" in done.stderr or b"cannot listen" in done.stderr), done)
    short = os.path.join(scratch, "short")
    with open(os.open(short, os.O_WRONLY | os.O_CREAT, 0o600), "w") as f:
        f.write("short\n")
    done = subprocess.run([scry, "serve", "--listen", "0.0.0.0:0", "--token-file", short], capture_output=True, timeout=120)
    ok("a token that is too short: 2", done.returncode == 2 and b"16 to" in done.stderr, done)
    for what, content in (("UTF-16", "0123456789abcdef0123".encode("utf-16")), ("a byte order mark", b"\xef\xbb\xbf0123456789abcdef\n"),
                          ("a zero byte", b"0123456789abcdef\x000123"), ("spaces only", b" " * 40), ("a line break", b"0123456789abcdef\n0123")):
        with open(short, "wb") as f:
            f.write(content)
        done = subprocess.run([scry, "serve", "--listen", "127.0.0.1:0", "--token-file", short], capture_output=True, timeout=120)
        ok(f"a token file with {what}: 2", done.returncode == 2 and b"token" in done.stderr, done)
    for where in ("127.0.0.1:99999", "127.0.0.1:-1", "127.0.0.1:80x", "127.0.0.1"):
        done = subprocess.run([scry, "serve", "--listen", where], capture_output=True, timeout=120)
        ok(f"--listen {where}: 2", done.returncode == 2 and b"port" in done.stderr, done)
    server = Server()
    for options in (("--listen", f"127.0.0.1:{server.port}"), ("--port", str(server.port))):
        done = subprocess.run([scry, "serve", *options], capture_output=True, timeout=120)
        ok(f"{options[0]} with a port in use: 2", done.returncode == 2 and b"in use" in done.stderr, done)
    with open("/proc/net/tcp") as f:
        listening = [line.split()[1] for line in f if line.split()[3] == "0A" and line.split()[1].endswith(f":{server.port:04X}")]
    ok("only loopback listens", listening == [f"0100007F:{server.port:04X}"], listening)
    server.stop()


only = sys.argv[5:]
for attack in (exposure, hosts, bodies, escapes, load, watchers, encryption, slow_clients):
    if not only or attack.__name__ in only:
        attack()
print(f"1..{number}")
