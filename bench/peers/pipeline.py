"""pipeline.py - what many write themselves: Pillow, threads that decode ahead, ONNX Runtime, a .npy.

    python -m peers.pipeline IMAGE.onnx FOLDER OUT.npy
"""
import collections
import os
import sys
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import onnxruntime
from PIL import Image

from harness.material import normalised, view

BATCH = 16


def load(name):
    with Image.open(name) as im:
        return np.asarray(view(im))


def main():
    session = onnxruntime.InferenceSession(sys.argv[1], providers=["CPUExecutionProvider"])
    names = [os.path.join(sys.argv[2], n) for n in sorted(os.listdir(sys.argv[2]))]
    out, waiting, ahead = [], collections.deque(), iter(names)
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        for _ in names[:3 * BATCH]:
            waiting.append(pool.submit(load, next(ahead)))
        while waiting:
            part = [waiting.popleft().result() for _ in range(min(BATCH, len(waiting)))]
            for _, name in zip(range(len(part)), ahead):
                waiting.append(pool.submit(load, name))
            v = session.run(None, {"pixels": normalised(np.stack(part))})[0]
            out.append(v / np.linalg.norm(v, axis=1, keepdims=True))
    np.save(sys.argv[3], np.concatenate(out))


if __name__ == "__main__":
    main()
