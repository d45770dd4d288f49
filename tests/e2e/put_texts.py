"""Store texts as if a reader had read them: put_texts.py LIBSCRY STORE FILE TEXT [FILE TEXT]...

TEXT has a line of the picture for each line; "" is a picture without text, "!WHY" one that could not be read.
"""
import ctypes
import hashlib
import sys


class Line(ctypes.Structure):
    _fields_ = [("corner", ctypes.c_float * 8), ("text", ctypes.c_char_p), ("confidence", ctypes.c_float)]


class Text(ctypes.Structure):
    _fields_ = [("content", ctypes.c_uint8 * 32), ("reader", ctypes.c_char_p), ("reason", ctypes.c_char_p), ("lines", ctypes.POINTER(Line)),
                ("line_count", ctypes.c_size_t)]


class Milvus(ctypes.Structure):
    _fields_ = [("nothing", ctypes.c_void_p * 12)]


class Options(ctypes.Structure):
    _fields_ = [("collection", ctypes.c_char_p), ("mode", ctypes.c_int), ("model_identity", ctypes.c_char_p), ("model_name", ctypes.c_char_p),
                ("precision", ctypes.c_char_p), ("dim", ctypes.c_int), ("threads", ctypes.c_int), ("milvus", Milvus)]


class Error(ctypes.Structure):
    _fields_ = [("code", ctypes.c_int), ("message", ctypes.c_char * 4096)]


def text_of(file, text):
    t = Text(reader=b"test", reason=text[1:].encode() if text.startswith("!") else b"")
    with open(file, "rb") as f:
        t.content[:] = hashlib.sha256(f.read()).digest()
    words = [] if text.startswith("!") else [line for line in text.split("\n") if line]
    t.lines = (Line * len(words))()
    t.line_count = len(words)
    for i, line in enumerate(words):
        top, bottom = 0.1 * i + 0.1, 0.1 * i + 0.18
        t.lines[i] = Line((ctypes.c_float * 8)(0.1, top, 0.9, top, 0.9, bottom, 0.1, bottom), line.encode(), 0.9)
    return t


library, where, *rest = sys.argv[1:]
scry = ctypes.CDLL(library)
store, error, options = ctypes.c_void_p(), Error(), Options(mode=1)
texts = [text_of(file, text) for file, text in zip(rest[::2], rest[1::2])]


def check(code):
    if code < 0:
        sys.exit(f"put_texts.py: {error.message.decode()}")


check(scry.scry_store_open(ctypes.byref(store), where.encode(), ctypes.byref(options), ctypes.byref(error)))
check(scry.scry_store_put_texts(store, (Text * len(texts))(*texts), ctypes.c_size_t(len(texts)), ctypes.byref(error)))
check(scry.scry_store_close(store, ctypes.byref(error)))
