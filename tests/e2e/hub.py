"""hub.py DIR PORTFILE - a model hub on this machine, with its faults on request.

Serves the checkpoint in DIR under the hub's two addresses, as OWNER/NAME for any NAME; the name says what
goes wrong:  ok; cut (every answer breaks off half-way, so that only resuming helps); norange (Range is
ignored); wrong (a byte is changed); more (more bytes than declared); busy (two 503 first); loop (redirects
without end); none (404); private (401); pickle; evil (names that lead elsewhere); huge; twodigests; nodigest;
brokenjson; norevision; cdn and name (weights on another port, and under another name of this machine; small files
by a 307); gated (without the token "good"); limited (429 with Retry-After, then with RateLimit); patient (429 with
an hour); foreign (a model_type that is not known); oddtokens (a tokenizer of a kind that is not known); sentence (in
0_CLIPModel/); lora; diffusers; onnx; gguf; toomany (429 alone, always); dated (429 with a date in two hours); moved (a 307 to the
list of ok); page (an answer that is no list); disabled (403); gone, forbidden (404, 403 for the weights); unsized (no lengths
and no digests of them). All of it is below /mirror/hub/, too. Requests are written to DIR/../hub.log: path,
Range, Authorization, and the port where it is not the hub's. PORTFILE gets the port.
"""
import email.utils
import hashlib
import http.server
import json
import os
import sys
import threading
import time
from urllib.parse import urlsplit

folder, port_file = sys.argv[1:3]
COMMIT = "0123456789abcdef0123456789abcdef01234567"
log = open(os.path.join(os.path.dirname(os.path.abspath(folder)), "hub.log"), "w")
busy = {}


def content(name, kind=""):
    if kind == "foreign" and name == "config.json":
        return b'{"model_type": "blip", "text_config": {}}'
    if kind == "oddtokens" and name == "tokenizer.json":
        return b'{"model": {"type": "WordLevel"}}'
    with open(os.path.join(folder, name), "rb") as f:
        return f.read()


def git_id(data):
    return hashlib.sha1(b"blob %d\0" % len(data) + data).hexdigest()


def sibling(name, kind):
    data = content(name, kind)
    if kind == "nodigest" or (kind == "unsized" and name.endswith(".safetensors")):
        return {"rfilename": name}
    out = {"rfilename": "0_CLIPModel/" + name if kind == "sentence" else name, "size": len(data), "blobId": git_id(data)}
    if name.endswith(".safetensors"):
        out["lfs"] = {"sha256": hashlib.sha256(data).hexdigest(), "size": len(data)}
        if kind == "huge":
            out["size"] = 10 ** 15
    return out


def listing(kind):
    names = [n for n in sorted(os.listdir(folder)) if os.path.isfile(os.path.join(folder, n))]
    files = [sibling(n, kind) for n in names + ["tokenizer.json"] * (kind == "oddtokens")]
    instead = {"lora": "adapter_config.json", "diffusers": "model_index.json", "onnx": "onnx/model.onnx", "gguf": "model.gguf"}
    if kind in instead:
        files = [{"rfilename": "config.json", "size": 5}, {"rfilename": instead[kind], "size": 5}]
    if kind == "pickle":
        files = [f for f in files if not f["rfilename"].endswith("safetensors")]
        files.append({"rfilename": "pytorch_model.bin", "size": 5})
    if kind == "evil":
        files += [{"rfilename": n, "size": 1} for n in ("../evil.json", "/etc/evil", "a/../../vocab.json")]
    return {"sha": "../../x" if kind == "norevision" else COMMIT, "siblings": files}


class Hub(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *args):
        pass

    def answer(self, status, body=b"", cut=None, **headers):
        self.send_response(status)
        for k, v in headers.items():
            self.send_header(k.replace("_", "-"), v)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body if cut is None else body[:cut])
        if cut is not None:
            self.close_connection = True

    def do_GET(self):
        path = urlsplit(self.path).path.removeprefix("/mirror/hub")
        host = "" if self.server is server and not self.headers["Host"].startswith("localhost") else self.headers["Host"]
        print(self.path, self.headers.get("Range", ""), self.headers.get("Authorization", ""), host, file=log, flush=True)
        parts = path.strip("/").split("/")
        if parts[:2] == ["api", "models"]:
            return self.list(parts[3])
        if parts[:2] == ["api", "resolve-cache"]:
            data = content(parts[3], parts[2])
            return self.answer(200, data, ETag='"%s"' % git_id(data))
        if parts[0] == "cdn":
            return self.file(parts[1], parts[2])
        if len(parts) == 6 and parts[2] == "resolve" and parts[1] == "sentence" and parts[4] == "0_CLIPModel":
            return self.resolve(parts[1], parts[3], parts[5])
        if len(parts) == 5 and parts[2] == "resolve":
            return self.resolve(parts[1], parts[3], parts[4])
        return self.answer(404)

    def list(self, kind):
        if kind in ("none", "private"):
            return self.answer(404 if kind == "none" else 401)
        if kind == "busy" and busy.setdefault("n", 0) < 2:
            busy["n"] += 1
            return self.answer(503)
        if kind == "limited" and busy.setdefault("limit", 0) < 2:
            busy["limit"] += 1
            wait = {"Retry_After": "1"} if busy["limit"] == 1 else {"RateLimit": '"api";r=0;t=1'}
            return self.answer(429, **wait)
        if kind == "dated":
            return self.answer(429, Retry_After=email.utils.formatdate(time.time() + 7200, usegmt=True))
        if kind == "toomany":
            return self.answer(429)
        if kind == "moved":
            return self.answer(307, Location="/api/models/t/ok/revision/main?blobs=true")
        if kind == "page":
            return self.answer(200, b"<html>Log in to this network</html>")
        if kind == "disabled":
            return self.answer(403, X_Error_Code="DisabledRepo")
        if kind == "patient":
            return self.answer(429, Retry_After="3600")
        if kind == "brokenjson":
            return self.answer(200, b'{"sha": ')
        return self.answer(200, json.dumps(listing(kind)).encode())

    def resolve(self, kind, commit, name):
        if commit != COMMIT:
            return self.answer(404)
        if kind == "loop":
            return self.answer(302, Location=self.path)
        if kind == "gated" and self.headers.get("Authorization") != "Bearer good":
            status = 403 if "Authorization" in self.headers else 401
            return self.answer(status, X_Error_Code="GatedRepo", X_Error_Message="Access to model t/gated is restricted.")
        if kind == "limited" and busy.setdefault("file", 0) < 1:
            busy["file"] += 1
            return self.answer(429, Retry_After="1")
        if kind in ("gone", "forbidden") and name.endswith(".safetensors"):
            return self.answer(404 if kind == "gone" else 403)
        data = content(name, kind)
        if kind == "unsized" and name.endswith(".safetensors"):
            self.send_response(200)
            self.send_header("Transfer-Encoding", "chunked")
            self.end_headers()
            self.wfile.write(b"".join(b"%x\r\n%s\r\n" % (len(part), part) for part in (data[:70000], data[70000:], b"")))
            return None
        if kind in ("cdn", "name") and not name.endswith(".safetensors"):
            return self.answer(307, Location="/api/resolve-cache/%s/%s" % (kind, name), ETag='"%s"' % git_id(data),
                               X_Repo_Commit=COMMIT)
        if not name.endswith(".safetensors"):
            return self.answer(200, data, ETag='"%s"' % git_id(data), X_Repo_Commit=COMMIT)
        digest = hashlib.sha256(data if kind != "twodigests" else b"").hexdigest()
        port = server.server_address[1]
        where = {"cdn": "http://127.0.0.1:%d" % cdn.server_address[1], "name": "http://localhost:%d" % port}.get(kind, "")
        return self.answer(302, Location=where + "/cdn/%s/%s" % (kind, name), X_Repo_Commit=COMMIT, X_Xet_Hash=digest[::-1],
                           Link='<http://127.0.0.1:%d/xet>; rel="xet-auth"' % port, X_Linked_Etag='"%s"' % digest, X_Linked_Size=str(len(data)))

    def file(self, kind, name):
        data = content(name)
        if kind == "wrong":
            data = data[:-1] + bytes([data[-1] ^ 1])
        if kind == "more":
            data += b"more"
        start = 0
        asked = self.headers.get("Range")
        if asked and kind != "norange":
            start = int(asked.split("=")[1].rstrip("-"))
        body = data[start:]
        cut = max(1, len(body) // 2) if kind in ("cut", "norange") and len(body) > 4096 and not busy.get(kind, 0) > 1 else None
        busy[kind] = busy.get(kind, 0) + 1
        if start:
            return self.answer(206, body, cut, Content_Range="bytes %d-%d/%d" % (start, len(data) - 1, len(data)))
        return self.answer(200, body, cut)


class Server(http.server.ThreadingHTTPServer):
    def handle_error(self, request, client_address):
        pass   # a client that goes away is no news


server = Server(("127.0.0.1", 0), Hub)
cdn = Server(("127.0.0.1", 0), Hub)
threading.Thread(target=cdn.serve_forever, daemon=True).start()
with open(port_file + ".tmp", "w") as f:
    f.write(str(server.server_address[1]))
os.rename(port_file + ".tmp", port_file)
server.serve_forever()
