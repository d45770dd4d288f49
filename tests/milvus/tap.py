"""tap.py PORT FILE - a TCP proxy from 127.0.0.1:PORT to the server on 19530; what clients send is appended to FILE."""
import socket
import sys
import threading

server = socket.create_server(("127.0.0.1", int(sys.argv[1])))
out = open(sys.argv[2], "ab", buffering=0)


def copy(source, sink, sent):
    try:
        while data := source.recv(1 << 16):
            if sent:
                out.write(data)
            sink.sendall(data)
    except OSError:
        pass
    for s in (source, sink):
        try:
            s.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass


while True:
    client, _ = server.accept()
    upstream = socket.create_connection(("127.0.0.1", 19530))
    for args in ((client, upstream, True), (upstream, client, False)):
        threading.Thread(target=copy, args=args, daemon=True).start()
