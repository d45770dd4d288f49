"""scry - libscry through its C interface, in this process."""
import ctypes
import os

import numpy as np

from peers.host import timed

PRECISIONS = ["auto", "fp32", "bf16", "int8"]


class Options(ctypes.Structure):
    _fields_ = [("precision", ctypes.c_int), ("portable", ctypes.c_bool), ("raw", ctypes.c_bool)]


class Error(ctypes.Structure):
    _fields_ = [("code", ctypes.c_int), ("message", ctypes.c_char * 512)]


class Peer:
    """kind "image": `data` is an .npy of pixels [n, 224, 224, 3]; "text": a file of lines."""

    def __init__(self, kind, model, precision, data, batches, dim=512, threads=0, **_):
        self.lib, self.err = ctypes.CDLL(os.environ["SCRY_LIBRARY"]), Error()
        self.kind, self.batch, self.dim = kind, max(batches), dim
        model_p, self.session = ctypes.c_void_p(), ctypes.c_void_p()
        options = Options(PRECISIONS.index(precision), False, False)
        self.check(self.lib.scry_model_open(ctypes.byref(model_p), model.encode(), ctypes.byref(options),
                                            ctypes.byref(self.err)))
        self.check(self.lib.scry_session_new(ctypes.byref(self.session), model_p, threads, ctypes.byref(self.err)))
        if kind == "image":
            self.data = np.ascontiguousarray(np.load(data))
        else:
            self.data = [line.encode() for line in open(data).read().splitlines()]
        for batch in batches:
            timed(lambda b=batch: self.embed(self.data[:b]), 0, least=6)    # weights are laid out after some passes

    def check(self, rc):
        if rc < 0:
            raise RuntimeError(self.err.message.decode())

    def embed(self, part):
        out = np.empty((len(part), self.dim), np.float32)
        to = out.ctypes.data_as(ctypes.c_void_p)
        if self.kind == "image":
            rc = self.lib.scry_embed_pixels(self.session, part.ctypes.data_as(ctypes.c_void_p),
                                            ctypes.c_size_t(len(part)), to, ctypes.byref(self.err))
        else:
            texts = (ctypes.c_char_p * len(part))(*part)
            rc = self.lib.scry_embed_texts(self.session, texts, ctypes.c_size_t(len(part)), to, None,
                                           ctypes.byref(self.err))
        self.check(rc)
        return out

    def milliseconds(self, seconds, batch):
        part = self.data[:batch]
        return timed(lambda: self.embed(part), seconds)

    def vectors(self, to):
        np.save(to, np.concatenate([self.embed(self.data[i:i + self.batch])
                                    for i in range(0, len(self.data), self.batch)]))
