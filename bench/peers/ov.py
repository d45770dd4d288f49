"""ov - OpenVINO's CPU plugin, compiled for latency (one request that uses all processors)."""
import numpy as np
import openvino

from peers.host import timed
from peers.inputs import inputs

HINTS = {"fp32": "f32", "bf16": "bf16"}


class Peer:
    """`exported`: the tower's .xml; `precision`: of what its int8 parts, if any, leave over. The shape is
    fixed to the batch (and positions), which is the fastest that OpenVINO offers."""

    def __init__(self, kind, model, exported, precision, data, batch, positions=None, **_):
        self.batch = batch
        self.data = inputs(kind, data, positions)
        core = openvino.Core()
        network = core.read_model(exported)
        network.reshape({port: [batch, *x.shape[1:]] for port, x in zip(network.inputs, self.data)})
        compiled = core.compile_model(network, "CPU", {"PERFORMANCE_HINT": "LATENCY",
                                                       "INFERENCE_PRECISION_HINT": HINTS[precision]})
        self.request = compiled.create_infer_request()
        for _ in range(3):
            self.once()

    def embed(self, at, n):
        got = self.request.infer([x[at:at + n] for x in self.data], share_inputs=True, share_outputs=True)
        return np.array(next(iter(got.values())))

    def once(self):
        self.embed(0, self.batch)

    def milliseconds(self, seconds):
        return timed(self.once, seconds)

    def vectors(self, to):
        n = len(self.data[0])
        np.save(to, np.concatenate([self.embed(i, self.batch) for i in range(0, n, self.batch)]))
