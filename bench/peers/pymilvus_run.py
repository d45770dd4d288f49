"""pymilvus doing what bench/milvus.c does, with the same figures.

    pymilvus_run.py insert URL COLLECTION FILE ROWS DIM rows|columns
    pymilvus_run.py search URL COLLECTION FILE QUERIES DIM PARAMS CONNECTIONS EACH

`rows` are dictionaries for MilvusClient.upsert, as its documentation shows; `columns` are lists for
Collection.upsert: upsert is what scry sends. Only the calls themselves are measured, not the making of what they are given.
"""
import json
import resource
import sys
import threading
import time

import numpy as np
from pymilvus import Collection, CollectionSchema, DataType, FieldSchema, MilvusClient, connections

BATCH, LIMIT = 2000, 10


def cpu_seconds():
    use = resource.getrusage(resource.RUSAGE_SELF)
    return use.ru_utime + use.ru_stime


def resident_kib():
    with open("/proc/self/statm") as f:
        return int(f.read().split()[1]) * resource.getpagesize() // 1024


def insert(url, name, path, rows, dim, form):
    connections.connect(uri=url)
    client = MilvusClient(url)
    client.drop_collection(name)
    schema = CollectionSchema([
        FieldSchema("id", DataType.VARCHAR, is_primary=True, max_length=32),
        FieldSchema("path", DataType.VARCHAR, max_length=1024),
        FieldSchema("vector", DataType.FLOAT_VECTOR, dim=dim)])
    collection = Collection(name, schema)
    cpu = wall = first = 0
    with open(path, "rb") as f:
        for at in range(0, rows, BATCH):
            n = min(BATCH, rows - at)
            vectors = np.fromfile(f, np.float32, n * dim).reshape(n, dim)
            ids = [f"{at + i:032x}" for i in range(n)]
            paths = [f"photos/{at // BATCH}/picture-{at + i}.jpg" for i in range(n)]
            data = [{"id": a, "path": b, "vector": v} for a, b, v in zip(ids, paths, vectors)]
            cpu_before, before = cpu_seconds(), time.perf_counter()
            if form == "rows":
                client.upsert(name, data)
            else:
                collection.upsert([ids, paths, vectors])
            cpu += cpu_seconds() - cpu_before
            wall += time.perf_counter() - before
            if at == 4 * BATCH:
                first = resident_kib()
    print(json.dumps({"cpu_s": cpu, "wall_s": wall, "first_kib": first, "last_kib": resident_kib()}))


def search(url, name, path, count, dim, params, clients, each):
    queries = np.fromfile(path, np.float32, count * dim).reshape(count, dim)
    asked = {"metric_type": "COSINE", "params": json.loads(params)}

    def ask(client, first):
        for i in range(each):
            client.search(name, data=[queries[(first + i) % count]], limit=LIMIT, output_fields=["path"],
                          search_params=asked, consistency_level="Bounded")

    # Clients of one address share a connection unless they are told apart.
    opened = [MilvusClient(url, alias=f"client{i}") for i in range(clients)]
    threads = [threading.Thread(target=ask, args=(c, i * count // clients)) for i, c in enumerate(opened)]
    first, cpu, start = resident_kib(), cpu_seconds(), time.perf_counter()
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    wall, searches = time.perf_counter() - start, clients * each
    print(json.dumps({"cpu_ms": (cpu_seconds() - cpu) * 1e3 / searches, "qps": searches / wall, "first_kib": first,
                      "last_kib": resident_kib()}))


words = sys.argv[2:]
if sys.argv[1] == "insert":
    insert(*words[:3], int(words[3]), int(words[4]), words[5])
else:
    search(*words[:3], int(words[3]), int(words[4]), words[5], int(words[6]), int(words[7]))
