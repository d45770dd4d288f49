"""pytorch - the towers as they are, in float32 or bfloat16."""
import numpy as np
import torch

from peers import clip
from peers.host import timed
from peers.inputs import inputs


class Peer:
    def __init__(self, kind, model, precision, data, batches, positions=None, **_):
        self.batch = max(batches)
        self.tower = clip.tower(kind, model)
        self.data = [torch.from_numpy(x) for x in inputs(kind, data, positions)]
        if precision == "bf16":
            self.tower = self.tower.bfloat16()
            self.data = [x.bfloat16() if x.is_floating_point() else x for x in self.data]
        for batch in batches:
            timed(lambda b=batch: self.embed(0, b), 0)

    def embed(self, at, n):
        with torch.inference_mode():
            return self.tower(*(x[at:at + n] for x in self.data)).float().numpy()

    def milliseconds(self, seconds, batch):
        return timed(lambda: self.embed(0, batch), seconds)

    def vectors(self, to):
        np.save(to, np.concatenate([self.embed(i, self.batch) for i in range(0, len(self.data[0]), self.batch)]))
