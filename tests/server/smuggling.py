#!/usr/bin/env python3
"""Requests that two programs could read differently: smuggling.py NAME PORT STRICT; prints TAP lines.

PORT is scry itself (STRICT = 1: each must get 4xx or 5xx and the connection closed) or a proxy before it (0: no second
request may come through). A smuggled request asks for /smuggled, which the proxies refuse themselves: scry's answer to it
shows that one came through.
"""
import socket
import sys

name, port, strict = sys.argv[1], int(sys.argv[2]), sys.argv[3] == "1"
number = 0
INNER = b"GET /smuggled HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"
HOST = b"Host: 127.0.0.1\r\n"


def ok(what, true, seen=""):
    global number
    number += 1
    print("ok" if true else "not ok", number, "-", name + ":", what, flush=True)
    if not true:
        print("# seen:", repr(seen)[:900], flush=True)


def send(text, wait=1.5):
    """What came back, and whether the connection was closed."""
    answer, closed = b"", False
    with socket.create_connection(("127.0.0.1", port), 10) as s:
        s.settimeout(wait)
        try:
            s.sendall(text)
            while part := s.recv(65536):
                answer += part
            closed = True
        except socket.timeout:
            pass
        except OSError:
            closed = True
    return answer, closed


def chunked(body):
    return b"%x\r\n%s\r\n0\r\n\r\n" % (len(body), body)


CL = b"Content-Length: %d\r\n"
TE = b"Transfer-Encoding: chunked\r\n"
end = b"0\r\n\r\n"
post = b"POST /search HTTP/1.1\r\n" + HOST
attacks = {
    "CL.TE": post + CL % (len(end) + len(INNER)) + TE + b"\r\n" + end + INNER,
    "TE.CL": post + TE + CL % 4 + b"\r\n" + chunked(INNER),
    "two lengths": post + CL % 3 + CL % (3 + len(INNER)) + b"\r\nred" + INNER,
    "two equal lengths": post + CL % 3 + CL % 3 + b"\r\nred" + INNER,
    "a list of lengths": post + b"Content-Length: 3, 3\r\n\r\nred" + INNER,
    "a signed length": post + b"Content-Length: +3\r\n\r\nred" + INNER,
    "a length in hex": post + b"Content-Length: 0x3\r\n\r\nred" + INNER,
    "two encodings": post + TE + b"Transfer-Encoding: identity\r\n\r\n" + end + INNER,
    "chunked twice": post + TE + TE + b"\r\n" + end + INNER,
    "xchunked": post + CL % 3 + b"Transfer-Encoding: xchunked\r\n\r\nred" + INNER,
    "a list of encodings": post + b"Transfer-Encoding: identity, chunked\r\n\r\n" + end + INNER,
    "space before the colon": post + CL % 3 + b"Transfer-Encoding : chunked\r\n\r\n" + end + INNER,
    "vertical tab before chunked": post + CL % (5 + len(INNER)) + b"Transfer-Encoding: \x0bchunked\r\n\r\n" + end + INNER,
    "a quoted encoding": post + CL % 3 + b'Transfer-Encoding: "chunked"\r\n\r\nred' + INNER,
    "a folded encoding": post + CL % (5 + len(INNER)) + b"Transfer-Encoding:\r\n chunked\r\n\r\n" + end + INNER,
    "a folded header": post + b"X: a\r\n b\r\nContent-Length: 3\r\n\r\nred" + INNER,
    "a folded first line": b"POST /search HTTP/1.1\r\n X: a\r\n" + HOST + CL % 3 + b"\r\nred" + INNER,
    "bare CR in a header": post + b"X: a\rTransfer-Encoding: chunked\r\n" + CL % 3 + b"\r\nred" + INNER,
    "bare LF": post + b"X: a\nTransfer-Encoding: chunked\r\n" + CL % (5 + len(INNER)) + b"\r\n" + end + INNER,
    "zero byte in a value": post + b"X: a\0b\r\n" + CL % 3 + b"\r\nred" + INNER,
    "zero byte in a name": post + b"Transfer-\0Encoding: chunked\r\n" + CL % 3 + b"\r\nred" + INNER,
    "zero byte in the last line": post + CL % 3 + b"X: a\0b\r\n\r\nred" + INNER,
    "zero byte before the end": post + CL % 3 + b"X: a\0\r\n\r\nred" + INNER,
    "Host twice": b"GET /healthz HTTP/1.1\r\n" + HOST + b"Host: evil.example\r\n\r\n",
    "no Host": b"GET /healthz HTTP/1.1\r\n\r\n",
    "chunks with HTTP/1.0": b"POST /search HTTP/1.0\r\n" + HOST + b"Connection: keep-alive\r\n" + TE + b"\r\n" + end + INNER,
    "a chunk size beyond 64 bits": post + TE + b"\r\n" + b"10000000000000003\r\nred\r\n" + end + INNER,
    "a chunk size with a sign": post + TE + b"\r\n" + b"-3\r\nred\r\n" + end + INNER,
    "a body on GET": b"GET /healthz HTTP/1.1\r\n" + HOST + CL % len(INNER) + b"\r\n" + INNER,
    "a body on a path that is not there": b"DELETE /nothing HTTP/1.1\r\n" + HOST + CL % len(INNER) + b"\r\n" + INNER,
    "chunks on a path that is not there": b"DELETE /nothing HTTP/1.1\r\n" + HOST + TE + b"\r\n" + chunked(INNER),
    "a body for another Host": b"PUT /search HTTP/1.1\r\nHost: evil.example\r\n" + CL % len(INNER) + b"\r\n" + INNER,
    "a space in the address": b"GET /healthz x HTTP/1.1\r\n" + HOST + b"\r\n",
    "a zero byte in the address": b"GET /healthz%00 HTTP/1.1\r\n" + HOST + b"\r\n",
}
for what, text in attacks.items():
    answer, closed = send(text)
    ok(f"{what}: no second request", b"nothing at /smuggled" not in answer, answer)
    if strict:
        ok(f"{what}: refused", answer[9:10] in (b"4", b"5") or (answer == b"" and closed), answer)
        ok(f"{what}: closed", closed, answer)
answer, closed = send(b"GET /healthz HTTP/1.1\r\n" + HOST + b"X:\r\nY:  a b \t c\r\n\r\n" + b"GET /healthz HTTP/1.1\r\n" + HOST + b"\r\n")
ok("two honest requests on one connection", answer.count(b"200 OK") == 2, answer)
answer, closed = send(post + TE + b"\r\n" + chunked(b"red") + b"GET /healthz HTTP/1.1\r\n" + HOST + b"\r\n")
ok("honest chunks, then another request", answer.count(b"200 OK") == 2, answer)
if strict:
    answer, _ = send(b"GET /api/v1/search?q=red" + b"&a" * 12000 + b" HTTP/1.1\r\n" + HOST + b"\r\n")
    ok("more arguments than are read: 414", answer[9:12] == b"414", answer)
print(f"1..{number}")
