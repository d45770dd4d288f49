"""What a network does to a connection: a proxy in front of a Milvus server that injects faults.

    proxy.py CONTROL PORT...     each PORT of 127.0.0.1 leads to 19530; orders are lines sent to CONTROL, each answered with one

    PORT pass                    forward everything (how each port begins)
    PORT delay MS                each piece in both directions is late by MS
    PORT cut BYTES COUNT         the next COUNT connections are closed when the client has sent BYTES of them, in mid-frame
    PORT rst BYTES COUNT         the same with a TCP reset
    PORT deaf BYTES COUNT        after BYTES the server's answer is thrown away and the connection closed: it did what it was
                                 asked to, and the client cannot know
    PORT half BYTES COUNT        after BYTES nothing passes any more, and the connection stays open
    PORT hold BYTES COUNT        after BYTES nothing passes until the next order to this port
    PORT goaway COUNT            a GOAWAY after the first answer on each of COUNT connections, which is then closed
    PORT refuse COUNT            a GOAWAY that says that nothing was done, after the server's first frame
    PORT reorder COUNT           the first answer on each of COUNT connections begins with its second frame
    PORT count                   the answer is how many connections of the last order were hit

Connections that are open when an order comes keep their fate.
"""
import socket
import struct
import sys
import threading
import time

SERVER = ("127.0.0.1", 19530)
END_STREAM, HEADERS, GOAWAY = 1, 1, 7
COUNTED = "goaway", "refuse", "reorder"     # faults whose number is a COUNT
lock = threading.Lock()


class Port:
    def __init__(self):
        self.fault, self.number, self.left, self.hit = "pass", 0, 0, 0

    def order(self, words):
        if words[0] == "count":
            return str(self.hit)
        numbers = [int(w) for w in words[1:]]
        self.fault = words[0]
        self.number = numbers[0] if self.fault not in COUNTED and numbers else 0
        self.left = numbers[-1] if len(numbers) == 2 or self.fault in COUNTED else 1 << 30
        self.hit = 0
        return "done"


class Link:
    """One connection: two threads, one each way."""

    def __init__(self, client, port):
        self.client, self.port = client, port
        self.fault, self.number = port.fault, port.number
        self.sent, self.broken, self.buffer, self.kept = 0, False, b"", b""
        self.server = socket.create_connection(SERVER)
        for s in client, self.server:
            s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        threading.Thread(target=self.run, args=(client, self.server, self.forth), daemon=True).start()
        threading.Thread(target=self.run, args=(self.server, client, self.back), daemon=True).start()

    def strike(self):
        """Whether the fault happens to this connection, too: it is one of the COUNT."""
        with lock:
            if not self.broken and self.port.left > 0:
                self.port.left -= 1
                self.port.hit += 1
                self.broken = True
        return self.broken

    def close(self, reset=False):
        if reset:
            self.client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        for s in self.client, self.server:
            try:
                s.shutdown(socket.SHUT_RDWR) if s is self.server or not reset else None
            except OSError:
                pass
            s.close()

    def run(self, source, to, pass_on):
        try:
            while data := source.recv(65536):
                if self.fault == "delay":
                    time.sleep(self.number / 1000)
                if not pass_on(data):
                    return
            to.shutdown(socket.SHUT_WR)
        except OSError:
            pass

    def forth(self, data):
        left = self.number - self.sent
        self.sent += len(data)
        late = self.fault in ("cut", "rst", "half", "deaf", "hold") and self.sent >= self.number and (self.broken or self.strike())
        if late and self.fault in ("cut", "rst"):
            self.server.sendall(data[:max(left, 0)])
            self.close(self.fault == "rst")
            return False
        if late and self.fault == "half":
            return True
        while late and self.port.fault == "hold":
            time.sleep(0.01)
        self.server.sendall(data)
        return True

    def back(self, data):
        if self.broken and self.fault == "half":
            return True
        if self.broken and self.fault == "deaf":
            if any(kind == HEADERS and flags & END_STREAM for kind, flags, _ in self.frames(data)):
                self.close()
                return False
            return True
        if self.fault in ("goaway", "refuse"):
            return self.insert_goaway(data)
        if self.fault == "reorder":
            self.client.sendall(b"".join(self.reordered(data)))
            return True
        self.client.sendall(data)
        if self.fault == "deaf":
            self.frames(data)
        return True

    def frames(self, data):
        """Frames that are complete now: kind, flags, bytes."""
        self.buffer += data
        found = []
        while len(self.buffer) >= 9:
            size = 9 + int.from_bytes(self.buffer[:3], "big")
            if len(self.buffer) < size:
                break
            found.append((self.buffer[3], self.buffer[4], self.buffer[:size]))
            self.buffer = self.buffer[size:]
        return found

    def reordered(self, data):
        for kind, flags, frame in self.frames(data):
            if kind == HEADERS and not flags & END_STREAM and not self.broken and self.strike():
                self.kept = frame
                continue
            yield frame
            if self.kept:
                yield self.kept
                self.kept = b""

    def insert_goaway(self, data):
        for kind, flags, frame in self.frames(data):
            answered = kind == HEADERS and flags & END_STREAM
            self.client.sendall(frame)
            if (answered or self.fault == "refuse") and self.strike():
                last = int.from_bytes(frame[5:9], "big") if answered else 0
                self.client.sendall(b"\0\0\x08" + bytes([GOAWAY, 0]) + b"\0\0\0\0" + struct.pack(">II", last, 0))
                time.sleep(0.01)
                self.close()
                return False
        return True


def listen(number, accept):
    s = socket.socket()
    s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    s.bind(("127.0.0.1", number))
    s.listen(64)

    def loop():
        while True:
            accept(s.accept()[0])
    threading.Thread(target=loop, daemon=True).start()


def connect(client, port):
    try:
        Link(client, port)
    except OSError:     # the server is away
        client.close()


def main():
    ports = {number: Port() for number in map(int, sys.argv[2:])}
    for number, port in ports.items():
        listen(number, lambda c, port=port: connect(c, port))
    control = socket.socket()
    control.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    control.bind(("127.0.0.1", int(sys.argv[1])))
    control.listen(8)
    while True:
        c = control.accept()[0]
        with c.makefile("rw") as f:
            words = f.readline().split()
            if len(words) > 1:
                f.write(ports[int(words[0])].order(words[1:]) + "\n")
        c.close()


main()
