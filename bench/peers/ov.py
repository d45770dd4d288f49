"""ov - OpenVINO's CPU plugin, compiled for latency (one request that uses all processors)."""
import numpy as np
import openvino

from peers.host import timed
from peers.inputs import inputs

HINTS = {"fp32": "f32", "bf16": "bf16"}


class Peer:
    """`exported`: the tower's .xml; `precision`: of what its int8 parts, if any, leave over. The shape is
    fixed to each of `batches` (and positions), which is the fastest that OpenVINO offers."""

    def __init__(self, kind, model, exported, precision, data, batches, positions=None, **_):
        self.batch = max(batches)
        self.data = inputs(kind, data, positions)
        self.requests = {batch: self.compiled(exported, precision, batch) for batch in batches}
        for batch in batches:
            timed(lambda b=batch: self.embed(0, b), 0)

    def compiled(self, exported, precision, batch):
        core = openvino.Core()
        network = core.read_model(exported)
        self.data = self.data[:len(network.inputs)]   # a text tower that reads all positions is not told the ends
        network.reshape({port: [batch, *x.shape[1:]] for port, x in zip(network.inputs, self.data)})
        settings = {"PERFORMANCE_HINT": "LATENCY", "INFERENCE_PRECISION_HINT": HINTS[precision]}
        return core.compile_model(network, "CPU", settings).create_infer_request()

    def embed(self, at, n):
        got = self.requests[n].infer([x[at:at + n] for x in self.data], share_inputs=True, share_outputs=True)
        return np.array(next(iter(got.values())))

    def milliseconds(self, seconds, batch):
        return timed(lambda: self.embed(0, batch), seconds)

    def vectors(self, to):
        n = len(self.data[0])
        np.save(to, np.concatenate([self.embed(i, self.batch) for i in range(0, n, self.batch)]))
