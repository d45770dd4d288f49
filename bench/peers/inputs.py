"""inputs.py - what the peers' towers take, without the libraries that made it."""
import numpy as np

from harness.material import normalised


def inputs(kind, data, positions=None):
    """Image: the floats of the pixels in `data` (.npy). Text: the ids in `data` (.npz) with the places of
    the texts' ends, as far as the longest text goes or, with `positions`, padded."""
    if kind == "image":
        return [normalised(np.load(data))]
    stored = np.load(data)
    ids, ends = stored["ids"], stored["ends"]
    return [np.ascontiguousarray(ids[:, :positions or ends.max() + 1]), ends]
