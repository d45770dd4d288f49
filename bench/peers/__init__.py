"""One module for each program that is measured: class Peer, driven by host.py."""
