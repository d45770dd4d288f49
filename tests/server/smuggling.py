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
attacks |= {what: line + b"\r\n" + HOST + CL % len(INNER) + b"\r\n" + INNER for what, line in {
    "two spaces before the address": b"POST  /search HTTP/1.1", "two spaces before the version": b"POST /search  HTTP/1.1",
    "a tab before the address": b"POST \t/search HTTP/1.1", "a tab after the method": b"POST\t /search HTTP/1.1",
    "a tab before the version": b"POST /search \tHTTP/1.1", "tabs only": b"POST\t/search\tHTTP/1.1",
    "a blank at the end of the line": b"POST /search HTTP/1.1 ", "a blank before the method": b" POST /search HTTP/1.1",
    "a vertical tab": b"POST /search\x0bHTTP/1.1", "a CR in the line": b"POST /search\rHTTP/1.1", "no version": b"POST /search",
    "HTTP/0.9": b"POST /search HTTP/0.9", "HTTP/1.10": b"POST /search HTTP/1.10", "http/1.1": b"POST /search http/1.1",
    "HTTP/2.0": b"POST /search HTTP/2.0", "the preface of HTTP/2": b"PRI * HTTP/2.0", "another protocol": b"POST /search HTTPS/1.1",
    "a zero byte behind the address": b"POST /search\0 HTTP/1.1", "a zero byte behind the method": b"POST\0 /search HTTP/1.1",
    "a zero byte and a version": b"POST /search\0HTTP/1.1 HTTP/1.1", "a control character": b"POST /search\x01 HTTP/1.1",
    "DEL in the query": b"POST /search?\x7f HTTP/1.1", "a fragment": b"POST /search#x HTTP/1.1", "a method that is no token": b"P@ST /search HTTP/1.1",
    "a method with a colon": b"POST: /search HTTP/1.1", "no slash": b"POST search HTTP/1.1", "an authority": b"POST 127.0.0.1:80 HTTP/1.1",
    "CONNECT": b"CONNECT 127.0.0.1:80 HTTP/1.1", "an asterisk": b"POST * HTTP/1.1", "no address": b"POST HTTP/1.1",
    "another host in the address": b"POST http://evil.example/search HTTP/1.1", "a user in the address": b"POST http://a@127.0.0.1/search HTTP/1.1",
    "no host in the address": b"POST http:///search HTTP/1.1", "an encoded host": b"POST http://127.0.0.1%2fx/search HTTP/1.1",
}.items()}
attacks |= {what: b"POST /search HTTP/1.1\r\nHost: " + host + b"\r\n" + CL % len(INNER) + b"\r\n" + INNER for what, host in {
    "an empty Host": b"", "a port that is no number": b"127.0.0.1:8x", "a port beyond 65535": b"127.0.0.1:65536", "dots": b"....",
    "a name in brackets": b"[evil.example]", "a name behind an address": b"[::1].evil.example", "a user": b"a@127.0.0.1",
    "a list of hosts": b"127.0.0.1, evil.example", "a path": b"127.0.0.1/x",
}.items()}
for what, text in attacks.items():
    answer, closed = send(text)
    ok(f"{what}: no second request", b"nothing at /smuggled" not in answer, answer)
    if strict:
        ok(f"{what}: refused", answer[9:10] in (b"4", b"5") or (answer == b"" and closed), answer)
        ok(f"{what}: closed", closed, answer)
answer, closed = send(b"GET /healthz HTTP/1.1\r\n" + HOST + b"X:\r\nY:  a b \t c\r\n\r\n" + b"GET /healthz HTTP/1.1\r\n" + HOST + b"\r\n")
ok("two honest requests on one connection", answer.count(b"200 OK") == 2, answer)
answer, closed = send(post + TE + b"\r\n" + chunked(b"red") + b"GET /healthz HTTP/1.1\r\n" + HOST + b"\r\n")
if strict:
    ok("honest chunks are answered, and the connection ends", answer.count(b"200 OK") == 1 and closed, answer)
else:
    ok("honest chunks, then another request", answer.count(b"200 OK") == 2, answer)
lenient = {
    "a bare LF behind a chunk's size": b"3\nred\r\n0\r\n\r\n", "a bare LF in an extension": b"3;a\nred\r\n0\r\n\r\n",
    "a bare CR in an extension": b"3;a\rb\r\nred\r\n0\r\n\r\n", "a bare LF behind a chunk": b"3\r\nred\n0\r\n\r\n",
    "a bare LF in a trailer": b"3\r\nred\r\n0\r\nX: y\n\r\n", "a bare LF at the end": b"3\r\nred\r\n0\r\n\n",
    "a zero byte in a trailer": b"3\r\nred\r\n0\r\nX: a\0b\r\n\r\n", "a folded trailer": b"3\r\nred\r\n0\r\nX: a\r\n b\r\n\r\n",
    "Content-Length as a trailer": b"3\r\nred\r\n0\r\nContent-Length: 100\r\n\r\n", "extensions": b'3;a="b c"\r\nred\r\n0;x\r\n\r\n',
    "5000 zeros": b"0" * 5000 + b"3\r\nred\r\n0\r\n\r\n",
}
for what, body in lenient.items():
    answer, closed = send(post + TE + b"\r\n" + body + INNER)
    if strict:
        ok(f"{what}: no second request, and closed", b"nothing at /smuggled" not in answer and closed, answer)
if strict:
    for what, address, wanted in (("of this host", b"http://127.0.0.1/healthz", b"200"), ("with a query", b"HTTP://127.0.0.1/api/v1/search?q=red", b"200"),
                                  ("without a path", b"http://127.0.0.1", b"200"), ("of a path that is not there", b"http://127.0.0.1/x", b"404")):
        answer, _ = send(b"GET " + address + b" HTTP/1.1\r\n" + HOST + b"\r\n")
        ok(f"an address {what}: {wanted.decode()}", answer[9:12] == wanted, answer)
    answer, _ = send(b"OPTIONS * HTTP/1.1\r\n" + HOST + b"\r\n")
    ok("OPTIONS *: the methods", answer[9:12] == b"204" and b"Allow: GET, HEAD" in answer, answer)
    answer, _ = send(b"GET /healthz HTTP/1.2\r\n" + HOST + b"\r\n")
    ok("a later HTTP/1 is answered", answer[9:12] == b"200", answer)
    for host in (b"[::1]:80", b"127.0.0.1:", b"127.0.0.1:65535", b"LOCALHOST:1"):
        answer, _ = send(b"GET /healthz HTTP/1.1\r\nHost: " + host + b"\r\n\r\n")
        ok(f"Host {host.decode()} is allowed", answer[9:12] == b"200", answer)
    answer, _ = send(b"GET /api/v1/search?q=red" + b"&a" * 12000 + b" HTTP/1.1\r\n" + HOST + b"\r\n")
    ok("more arguments than are read: 414", answer[9:12] == b"414", answer)
print(f"1..{number}")
