"""ort - ONNX Runtime on its CPU provider, with its defaults."""
import onnxruntime
import numpy as np

from peers.host import timed
from peers.inputs import inputs


class Peer:
    """`exported`: the tower's .onnx, with a dynamic batch and, for texts, length."""

    def __init__(self, kind, model, exported, data, batches, positions=None, **_):
        self.batch = max(batches)
        self.session = onnxruntime.InferenceSession(exported, providers=["CPUExecutionProvider"])
        names = [x.name for x in self.session.get_inputs()]
        self.data = dict(zip(names, inputs(kind, data, positions)))
        for batch in batches:
            timed(lambda b=batch: self.embed(0, b), 0)

    def embed(self, at, n):
        return self.session.run(None, {k: v[at:at + n] for k, v in self.data.items()})[0]

    def milliseconds(self, seconds, batch):
        return timed(lambda: self.embed(0, batch), seconds)

    def vectors(self, to):
        n = len(next(iter(self.data.values())))
        np.save(to, np.concatenate([self.embed(i, self.batch) for i in range(0, n, self.batch)]))
