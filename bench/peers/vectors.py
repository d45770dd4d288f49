"""vectors - exact search over synthetic unit vectors: faiss, usearch or numpy."""
import numpy as np

from peers.host import timed

TOP = 10


def clustered(rows, dim, clusters=1000):
    """Unit vectors, half of each its cluster's centre; float32 [rows, dim]."""
    random = np.random.default_rng(1)
    centres = random.standard_normal((clusters, dim), np.float32)
    out = random.standard_normal((rows, dim), np.float32)
    for i in range(0, rows, 100000):
        part = out[i:i + 100000]
        part += centres[random.integers(0, clusters, len(part))]
        part /= np.linalg.norm(part, axis=1, keepdims=True)
    return out


class Peer:
    def __init__(self, kind, rows, dim):
        data = clustered(rows, dim)
        self.queries = data[::rows // 32][:32].copy() + np.float32(0.02)
        self.search = getattr(self, kind)(data)
        self.turn = 0

    def faiss_flat(self, data):
        import faiss
        index = faiss.IndexFlatIP(data.shape[1])
        return self.faiss(index, data)

    def faiss_sq8(self, data):
        import faiss
        index = faiss.IndexScalarQuantizer(data.shape[1], faiss.ScalarQuantizer.QT_8bit, faiss.METRIC_INNER_PRODUCT)
        index.train(data[:100000])
        return self.faiss(index, data)

    def faiss(self, index, data):
        import faiss
        index.add(data)

        def find(q, threads):
            faiss.omp_set_num_threads(threads)
            return index.search(q, TOP)
        return find

    def usearch_int8(self, data):
        from usearch.index import MetricKind, search
        codes = np.empty(data.shape, np.int8)
        for i in range(0, len(data), 100000):
            codes[i:i + 100000] = np.round(data[i:i + 100000] * 127 / 0.3).clip(-127, 127)
        return lambda q, threads: search(codes, np.round(q * 127 / 0.3).clip(-127, 127).astype(np.int8), TOP,
                                         MetricKind.Cos, exact=True, threads=threads)

    def numpy_fp32(self, data):
        """All the threads that its BLAS takes, whatever is asked for."""
        def find(q, threads):
            scores = q @ data.T
            best = np.argpartition(-scores, TOP, axis=1)[:, :TOP]
            return np.take_along_axis(best, np.argsort(-np.take_along_axis(scores, best, 1), 1), 1)
        return find

    def once(self, threads):
        self.turn = (self.turn + 1) % 32
        self.search(self.queries[self.turn:self.turn + 1], threads)

    def milliseconds(self, seconds, threads):
        self.once(threads)
        return timed(lambda: self.once(threads), seconds)
