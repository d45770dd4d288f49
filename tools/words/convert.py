#!/usr/bin/env python3
"""Write models/words, the weights that read words in pictures, from the package rapidocr.

    pip install rapidocr==3.10.0 onnx
    tools/words/convert.py [FOLDER]

The package (Apache-2.0) has PP-OCRv6 small, detection and recognition, and the older classifier of lines that are upside down, all of PaddleOCR, as
ONNX. Written are
    words.safetensors   all weights with the names that src/ocr reads, as half floats, small ones as floats
    characters.txt      what the outputs of the recognition stand for, one a line: output 1 is the first; 0 is "nothing", the last is a space
and nothing else of the models: which operation follows which is in src/ocr/{detect,recognise,classify}.c. This script asserts that the graphs are the ones
that those files compute.

Layouts: a convolution is [outputs, kernel rows * kernel columns * inputs], inputs being next to each other; a depthwise one
[channels, kernel rows * kernel columns]; a transposed one of 2 x 2 is [4 * outputs, inputs], outputs being next to each other.
Batch norms are folded into the convolutions before them, and the first convolutions take RGB, where the package's take BGR.
"""
import hashlib
import json
import os
import sys

import numpy as np
import onnx
import rapidocr
from onnx import numpy_helper

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
SOURCES = {
    "det": ("PP-OCRv6_det_small.onnx", "090f04abcd9d9a7498bc4ebf677e4cb9bdce1fe4197ddb7e529f1ef44e1ff94f"),
    "rec": ("PP-OCRv6_rec_small.onnx", "6f327246b50388f3c176ae304bd95767ea6dc0c9ae92153ef8cbe210b3c14884"),
    "cls": ("ch_ppocr_mobile_v2.0_cls_mobile.onnx", "e47acedf663230f8863ff1ab0e64dd2d82b838fceb5957146dab185a89d6215c"),
}

SMALL = 16384   # numbers of a tensor that is kept as floats: biases and filters of single channels, a quarter of the rounding errors in 3 % of the size


def load(name):
    file, digest = SOURCES[name]
    path = os.path.join(os.path.dirname(rapidocr.__file__), "models", file)
    data = open(path, "rb").read()
    if hashlib.sha256(data).hexdigest() != digest:
        sys.exit(f"{path} is not the file that src/ocr was written for")
    return onnx.load_from_string(data)


class Graph:
    """The weights of a graph, in the order of its operations."""

    def __init__(self, model):
        self.value = {t.name: numpy_helper.to_array(t) for t in model.graph.initializer}
        self.same = {}
        self.nodes = []
        for n in model.graph.node:
            if n.op_type == "Constant":
                self.value[n.output[0]] = numpy_helper.to_array(n.attribute[0].t)
            elif n.op_type == "Identity":
                self.same[n.output[0]] = n.input[0]
            else:
                self.nodes.append(n)
        self.next = 0
        self.ops = [self.parameters(n) for n in self.nodes if n.op_type in ("Conv", "ConvTranspose", "MatMul")]
        self.ops = [x for x in self.ops if x]

    def root(self, name):
        while name in self.same:
            name = self.same[name]
        return name

    def get(self, name):
        return self.value.get(self.root(name))

    def users(self, output):
        return [n for n in self.nodes if output in (self.root(x) for x in n.input)]

    def constant(self, node):
        """The constant among the inputs of a node, perhaps reshaped."""
        for x in node.input:
            if self.get(x) is not None:
                return self.get(x)
            for n in self.nodes:
                if n.op_type == "Reshape" and n.output[0] == self.root(x) and self.get(n.input[0]) is not None:
                    return self.get(n.input[0])
        return None

    def parameters(self, node):
        """(node, weights, bias or None) with a following batch norm or bias applied; None for a product of two activations."""
        w = self.get(node.input[1])
        if w is None:
            return None
        users = self.users(node.output[0])
        bias = None
        if len(users) == 1 and users[0].op_type == "BatchNormalization":
            gain, shift, mean, var = (self.get(x).astype(np.float64) for x in users[0].input[1:5])
            eps = next(a.f for a in users[0].attribute if a.name == "epsilon")
            factor = gain / np.sqrt(var + eps)
            w, bias = w * factor.reshape(-1, 1, 1, 1), shift - mean * factor
        elif len(users) == 1 and users[0].op_type == "Add" and self.constant(users[0]) is not None:
            bias = self.constant(users[0]).reshape(-1)
        return node, w, bias

    def take(self, out, name, shape, bias=True):
        """The next weights, which must have this shape, as the tensors NAME.weight and NAME.bias."""
        node, w, b = self.ops[self.next]
        self.next += 1
        assert w.shape == shape and (b is not None) == bias, (name, w.shape, shape, bias)
        if node.op_type == "MatMul":
            w = w.T
        elif node.op_type == "ConvTranspose":     # [in, out, ky, kx]
            w = w.transpose(2, 3, 1, 0).reshape(-1, shape[0])
            b = np.tile(b, 4)
        else:
            w = w.transpose(0, 2, 3, 1)
            if shape[1] == 3:
                w = w[..., ::-1]
            w = w.reshape(shape[0], -1)
        out[f"{name}.weight"] = w
        if bias:
            out[f"{name}.bias"] = b


def take_se(g, out, name, c, reduced):
    g.take(out, f"{name}.se1", (reduced, c, 1, 1))
    g.take(out, f"{name}.se2", (c, reduced, 1, 1))


def take_trunk(g, out, name, stem, widths, layers, squeezed):
    """The part that detection and recognition have in common."""
    g.take(out, f"{name}.stem1", (stem, 3, 3, 3))
    g.take(out, f"{name}.stem2", (stem // 2, stem, 2, 2))
    g.take(out, f"{name}.stem3", (stem, stem // 2, 2, 2))
    g.take(out, f"{name}.stem4", (stem, 2 * stem, 3, 3))
    g.take(out, f"{name}.stem5", (widths[0], stem, 1, 1))
    for i, (w, count) in enumerate(zip(widths, layers)):
        if i:
            v = widths[i - 1]
            g.take(out, f"{name}.{i}.shrink.dw", (v, 1, 3, 3))
            g.take(out, f"{name}.{i}.shrink.up", (w, v, 1, 1))
            g.take(out, f"{name}.{i}.shrink.down", (w, w, 1, 1))
        for k in range(count):
            at = f"{name}.{i}.{k}"
            g.take(out, f"{at}.dw", (w, 1, 3, 3))
            if squeezed(i, k):
                take_se(g, out, at, w, w // 4)
            g.take(out, f"{at}.up", (2 * w, w, 1, 1))
            g.take(out, f"{at}.down", (w, 2 * w, 1, 1))


def detection(out):
    g, widths = Graph(load("det")), (48, 96, 192, 384)
    take_trunk(g, out, "det", 24, widths, (2, 2, 4, 2), lambda i, k: k % 2 == 0)
    for i in reversed(range(4)):
        g.take(out, f"det.neck.{i}.in", (96, widths[i], 1, 1), bias=False)
        take_se(g, out, f"det.neck.{i}.in", 96, 24)
    for i in reversed(range(4)):
        g.take(out, f"det.neck.{i}.dw", (96, 1, 7, 7))
        g.take(out, f"det.neck.{i}.out", (24, 96, 1, 1), bias=False)
        take_se(g, out, f"det.neck.{i}.out", 24, 6)
    g.take(out, "det.head.conv", (24, 96, 3, 3))
    g.take(out, "det.head.up1", (24, 24, 2, 2))
    g.take(out, "det.head.up2", (24, 1, 2, 2))
    assert g.next == len(g.ops)


def recognition(out):
    model = load("rec")
    g, w = Graph(model), 120
    take_trunk(g, out, "rec", 48, (96, 192, 384), (3, 6, 2), lambda i, k: k % 2 == 0 and (i, k) != (0, 2))
    g.take(out, "rec.neck.aside", (w, 384, 1, 1))
    g.take(out, "rec.neck.in", (w, 384, 1, 1))
    g.take(out, "rec.neck.dw", (w, 1, 1, 7))
    for i in range(2):
        for part, n, k in (("qkv", 3 * w, w), ("proj", w, w), ("fc1", 2 * w, w), ("fc2", w, 2 * w)):
            g.take(out, f"rec.{i}.{part}", (k, n))
    norms = [(n, g.constant(n)) for n in g.nodes if n.op_type == "Mul" and g.constant(n) is not None and g.constant(n).shape == (w,)]
    names = ["rec.0.norm1", "rec.0.norm2", "rec.1.norm1", "rec.1.norm2", "rec.norm"]
    assert len(norms) == len(names)
    for name, (node, gain) in zip(names, norms):
        out[f"{name}.weight"], out[f"{name}.bias"] = gain, g.constant(g.users(node.output[0])[0])
    characters = next(p.value for p in model.metadata_props if p.key == "character").split("\n")
    g.take(out, "rec.head", (w, len(characters) + 2))
    assert g.next == len(g.ops)
    return characters


def classification(out):
    g, c = Graph(load("cls")), 8
    g.take(out, "cls.stem", (8, 3, 3, 3))
    blocks = [(8, 3, 1, 8), (24, 3, 0, 8), (32, 3, 0, 8), (32, 5, 1, 16), (88, 5, 1, 16), (88, 5, 1, 16), (40, 5, 1, 16), (48, 5, 1, 16),
              (104, 5, 1, 32), (200, 5, 1, 32), (200, 5, 1, 32)]
    for i, (middle, kernel, squeezed, width) in enumerate(blocks):
        g.take(out, f"cls.{i}.up", (middle, c, 1, 1))
        g.take(out, f"cls.{i}.dw", (middle, 1, kernel, kernel))
        if squeezed:
            take_se(g, out, f"cls.{i}", middle, middle // 4)
        g.take(out, f"cls.{i}.down", (width, middle, 1, 1))
        c = width
    g.take(out, "cls.last", (200, 32, 1, 1))
    g.take(out, "cls.head", (200, 2))
    assert g.next == len(g.ops)


def write(path, tensors, whole=()):
    """As half floats, those named in `whole` as floats."""
    header, at, parts = {}, 0, []
    for name in sorted(tensors, key=lambda n: (n not in whole, n)):   # each dtype is aligned
        a = np.ascontiguousarray(tensors[name]).astype("<f4" if name in whole else "<f2")
        assert np.isfinite(a).all(), name
        header[name] = {"dtype": "F32" if name in whole else "F16", "shape": list(a.shape), "data_offsets": [at, at + a.nbytes]}
        at += a.nbytes
        parts.append(a.tobytes())
    head = json.dumps({"__metadata__": {"source": "rapidocr 3.10.0: " + ", ".join(f for f, _ in SOURCES.values())}, **header}, separators=(",", ":")).encode()
    head += b" " * (-len(head) % 8)
    with open(path, "wb") as f:
        f.write(len(head).to_bytes(8, "little") + head + b"".join(parts))
    return sum(np.asarray(a).size for a in tensors.values())


def main(folder):
    os.makedirs(folder, exist_ok=True)
    tensors = {}
    detection(tensors)
    classification(tensors)
    characters = recognition(tensors)
    assert all(c and "\n" not in c for c in characters)
    with open(os.path.join(folder, "characters.txt"), "w", encoding="utf-8") as f:
        f.writelines(c + "\n" for c in characters)
    count = write(os.path.join(folder, "words.safetensors"), tensors, [n for n, a in tensors.items() if a.size <= SMALL])
    print(f"{len(tensors)} tensors, {count:,} numbers, {len(characters):,} characters")


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else os.path.join(TOP, "models", "words"))
