"""search_server - text search as it is usually put together: FastAPI, ONNX Runtime, faiss.

    SEARCH_MODEL=DIR SEARCH_ONNX=text.onnx SEARCH_POSITIONS=77|0 uvicorn peers.search_server:app --workers 2

GET /search?q=TEXT&limit=N: tokens, text tower, IndexFlatIP over ROWS random unit vectors, records of the nearest as JSON.
SEARCH_POSITIONS 0: only the positions that the text needs. One thread a process: with as many processes as
processors this gives the most answers a second; SEARCH_THREADS changes it.
"""
import os

import faiss
import numpy as np
import onnxruntime
from fastapi import FastAPI
from tokenizers import Regex, Tokenizer, models, normalizers, pre_tokenizers

ROWS, DIM, CONTEXT = 100000, 512, 77
POSITIONS, THREADS = int(os.environ["SEARCH_POSITIONS"]), int(os.environ.get("SEARCH_THREADS", "1"))

app = FastAPI()
faiss.omp_set_num_threads(THREADS)
options = onnxruntime.SessionOptions()
options.intra_op_num_threads = THREADS
session = onnxruntime.InferenceSession(os.environ["SEARCH_ONNX"], options, providers=["CPUExecutionProvider"])


def clip_tokenizer(folder):
    """CLIP's byte-level BPE from vocab.json and merges.txt; start and end are added by the caller."""
    t = Tokenizer(models.BPE.from_file(f"{folder}/vocab.json", f"{folder}/merges.txt", end_of_word_suffix="</w>",
                                       unk_token="<|endoftext|>"))
    t.normalizer = normalizers.Sequence([normalizers.NFC(), normalizers.Replace(Regex(r"\s+"), " "), normalizers.Lowercase()])
    words = Regex(r"'s|'t|'re|'ve|'m|'ll|'d|\p{L}+|\p{N}|[^\s\p{L}\p{N}]+")
    t.pre_tokenizer = pre_tokenizers.Sequence([pre_tokenizers.Split(words, "removed", invert=True),
                                               pre_tokenizers.ByteLevel(add_prefix_space=False)])
    return t


tokenizer = clip_tokenizer(os.environ["SEARCH_MODEL"])
START, END = (tokenizer.token_to_id(f"<|{name}oftext|>") for name in ("start", "end"))
vectors = np.random.default_rng(1).standard_normal((ROWS, DIM), dtype=np.float32)
vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
index = faiss.IndexFlatIP(DIM)
index.add(vectors)
del vectors
records = [{"path": f"/pictures/{i // 1000:03}/{i:06}.jpg", "width": 640, "height": 480, "format": "jpeg", "size": 100000 + i}
           for i in range(ROWS)]


@app.get("/ready")
def ready():
    return {"rows": index.ntotal}


@app.get("/search")
def search(q: str, limit: int = 10):
    ids = [START, *tokenizer.encode(q).ids[:CONTEXT - 2], END]
    padded = np.full((1, POSITIONS or len(ids)), END, np.int64)
    padded[0, :len(ids)] = ids
    vector = session.run(None, {"ids": padded, "ends": np.array([len(ids) - 1])})[0]
    vector /= np.linalg.norm(vector)
    scores, rows = index.search(vector, limit)
    return {"query": q, "results": [{"score": float(s), "id": int(r), **records[r]} for s, r in zip(scores[0], rows[0])]}
