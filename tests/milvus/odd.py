"""odd.py NPY LIST - collections as other programs make them, of schemas that scry's and the tutorial's have nothing of.

    odd.py NPY LIST [PORT NAME...]   NPY: float32 [n, dim]; LIST: a path a line. Makes all, or those that are named, and prints the names
                                     of those that this server has.
"""
import sys

import numpy as np
from pymilvus import DataType, MilvusClient

vectors = np.load(sys.argv[1])
with open(sys.argv[2]) as f:
    paths = f.read().split("\n")[:-1]
client = MilvusClient(f"http://127.0.0.1:{sys.argv[3] if len(sys.argv) > 3 else 19530}", timeout=120)
N, DIM = vectors.shape
V, I, S, J = DataType.FLOAT_VECTOR, DataType.INT64, DataType.VARCHAR, DataType.JSON
PATH = ("path", S, {"max_length": 1000})
made, refused = [], []
OLD = client.get_server_version().startswith("v2.3")     # which dies of a FLOAT16_VECTOR, and of those that came later


def field(name, kind, how=None):
    return (name, kind, how or {})


def make(name, fields, row, metric="COSINE", index="FLAT", dynamic=False, auto=False, load=True, rows=N, half=0):
    """fields: of the schema, the first one the key; row(i): the values of a row."""
    if sys.argv[4:] and name not in sys.argv[4:]:
        return
    if OLD and any(DataType.FLOAT16_VECTOR <= kind <= DataType.INT8_VECTOR for _, kind, _ in fields):
        return
    try:
        schema = MilvusClient.create_schema(auto_id=auto, enable_dynamic_field=dynamic)
        for k, (what, kind, how) in enumerate(fields):
            schema.add_field(what, kind, is_primary=k == 0, **how)
        if client.has_collection(name):
            client.drop_collection(name)
        client.create_collection(name, schema=schema)
        params = client.prepare_index_params()
        for what, kind, how in fields:
            if kind >= DataType.BINARY_VECTOR and index:
                other = {DataType.BINARY_VECTOR: ("BIN_FLAT", "HAMMING"), DataType.SPARSE_FLOAT_VECTOR: ("SPARSE_INVERTED_INDEX", "IP")}
                kind_of_index, how_near = other.get(kind, (index, metric))
                params.add_index(what, index_type=kind_of_index, metric_type=how_near)
        if index:
            client.create_index(name, params)
        order = np.random.default_rng(1).permutation(rows)
        for part in np.array_split(order, 2):
            if len(part):
                client.insert(name, [row(int(i)) for i in part])
            if half:
                client.flush(name)
                half = 0
        if load and index:
            client.load_collection(name)
            client.query(name, filter="", output_fields=["count(*)"], consistency_level="Strong")
        elif index:
            client.release_collection(name)
        made.append(name)
    except Exception as e:      # what this server does not have
        refused.append(f"{name}: {str(e)[:150]!r}")
        if client.has_collection(name):
            client.drop_collection(name)


def v(i, factor=1):
    return (vectors[i] * factor).tolist()


def strange(i):
    return f'k{i:02}"\\ \u00e9{chr(9)}{chr(10)}\'%_'


vector = field("v", V, {"dim": DIM})
number, text = field("id", I), field("id", S, {"max_length": 1000})
# keys
make("path_as_key", [text, vector], lambda i: {"id": paths[i], "v": v(i)})
make("text_key", [text, vector, PATH], lambda i: {"id": strange(i), "v": v(i), "path": paths[i]}, half=1)
make("text_key_auto", [text, vector, PATH], lambda i: {"v": v(i), "path": paths[i]}, auto=True)
make("extreme_keys", [number, vector, PATH], lambda i: {"id": [-2**63, 2**63 - 2, -1, 0][i] if i < 4 else -i * 10**15, "v": v(i), "path": paths[i]},
     half=1)
make("no_paths", [number, vector], lambda i: {"id": i, "v": v(i)})
# where paths are
make("json", [number, vector, field("info", J)], lambda i: {"id": i, "v": v(i), "info": {"file": {"path": paths[i], "n": i}}})
make("nested", [number, vector], lambda i: {"id": i, "v": v(i), "info": {"path": paths[i]}}, dynamic=True)
make("some_paths", [number, vector, PATH], lambda i: {"id": i, "v": v(i), "path": paths[i] if i % 2 else ""})
make("addresses", [number, vector, PATH], lambda i: {"id": i, "v": v(i), "path": f"https://example.org/{i}.png"})
make("list_of_paths", [number, vector, field("paths", DataType.ARRAY, {"element_type": S, "max_capacity": 4, "max_length": 1000})],
     lambda i: {"id": i, "v": v(i), "paths": [paths[i]]})
make("nullable_path", [number, vector, field("path", S, {"max_length": 1000, "nullable": True})],
     lambda i: {"id": i, "v": v(i), "path": paths[i] if i % 2 else None})
# vectors
make("inner_product", [number, vector, PATH], lambda i: {"id": i, "v": v(i, 3), "path": paths[i]}, metric="IP")
make("distance", [number, vector, PATH], lambda i: {"id": i, "v": v(i), "path": paths[i]}, metric="L2")
make("halves", [number, field("v", DataType.FLOAT16_VECTOR, {"dim": DIM}), PATH],
     lambda i: {"id": i, "v": vectors[i].astype(np.float16), "path": paths[i]})
make("brain_halves", [number, field("v", DataType.BFLOAT16_VECTOR, {"dim": DIM}), PATH], lambda i: {}, rows=0)
make("bytes", [number, field("v", DataType.INT8_VECTOR, {"dim": DIM}), PATH], lambda i: {}, rows=0)
make("bits", [number, field("v", DataType.BINARY_VECTOR, {"dim": 64}), PATH], lambda i: {"id": i, "v": bytes(8), "path": paths[i]})
make("sparse", [number, field("v", DataType.SPARSE_FLOAT_VECTOR), PATH], lambda i: {"id": i, "v": {i: 0.5}, "path": paths[i]})
make("two_vectors", [number, vector, field("w", V, {"dim": 8}), PATH], lambda i: {"id": i, "v": v(i), "w": [1] + [0] * 7, "path": paths[i]})
make("nullable_vector", [number, field("v", V, {"dim": DIM, "nullable": True}), PATH],
     lambda i: {"id": i, "v": v(i) if i % 2 else None, "path": paths[i]})
make("other_size", [number, field("v", V, {"dim": 8}), PATH], lambda i: {"id": i, "v": [1] + [0] * 7, "path": paths[i]})
# the rest of a schema
make("by_category", [number, vector, PATH, field("category", S, {"max_length": 20, "is_partition_key": True})],
     lambda i: {"id": i, "v": v(i), "path": paths[i], "category": "ab"[i % 2]})
make("by_path", [number, vector, field("path", S, {"max_length": 1000, "is_partition_key": True})],
     lambda i: {"id": i, "v": v(i), "path": paths[i]})
make("many_types", [number, vector, PATH, field("a", DataType.INT8), field("b", DataType.FLOAT), field("c", DataType.BOOL),
                    field("d", DataType.ARRAY, {"element_type": I, "max_capacity": 4}), field("e", J)],
     lambda i: {"id": i, "v": v(i), "path": paths[i], "a": 1, "b": 0.5, "c": True, "d": [1, 2], "e": {"k": [1]}})
make("defaults", [number, vector, PATH, field("note", S, {"max_length": 9, "default_value": "x"})],
     lambda i: {"id": i, "v": v(i), "path": paths[i]})
make("nullable_note", [number, vector, PATH, field("note", S, {"max_length": 9, "nullable": True})],
     lambda i: {"id": i, "v": v(i), "path": paths[i]})
# as other programs make them: LangChain, LlamaIndex, MilvusClient's quick setup with texts as ids, vectors of other kinds beside
make("langchain", [field("pk", S, {"max_length": 65535}), field("vector", V, {"dim": DIM}), field("text", S, {"max_length": 65535})],
     lambda i: {"vector": v(i), "text": f"page {i}", "source": paths[i], "page": i}, metric="L2", index="HNSW", dynamic=True, auto=True)
make("llama_index", [field("id", S, {"max_length": 65535}), field("embedding", V, {"dim": DIM}), field("doc_id", S, {"max_length": 65535})],
     lambda i: {"id": f"{i:08x}-0000-4000-8000-{i * 77:012x}", "embedding": v(i), "doc_id": f"d{i}", "_node_type": "ImageNode",
                "_node_content": '{"metadata": {"file_path": "x"}}', "metadata": {"file_path": paths[i], "tags": ["a", i]}},
     metric="IP", dynamic=True)
make("quick_texts", [field("id", S, {"max_length": 64}), field("vector", V, {"dim": DIM})],
     lambda i: {"id": f"k{i}", "vector": v(i), "image_path": paths[i]}, index="AUTOINDEX", dynamic=True)
make("beside", [number, vector, PATH, field("s", DataType.SPARSE_FLOAT_VECTOR)],
     lambda i: {"id": i, "v": v(i), "path": paths[i], "s": {i: 0.5}})
if not OLD:     # which drops "nullable" and refuses the rows
    make("optional_all", [number, vector, field("path", S, {"max_length": 1000, "nullable": True}), field("n", I, {"nullable": True}),
                          field("j", J, {"nullable": True}), field("f", DataType.DOUBLE, {"nullable": True, "default_value": 0.5}),
                          field("t", DataType.ARRAY, {"element_type": I, "max_capacity": 4, "nullable": True})],
         lambda i: {"id": i, "v": v(i), "path": paths[i], "n": None, "j": None, "f": None, "t": None})
make("file_urls", [number, vector, PATH], lambda i: {"id": i, "v": v(i), "path": f"file://localhost{paths[i].replace('/p', '/%70')}" if i % 2 else f"file://{paths[i]}"})
make("no_index", [number, vector, PATH], lambda i: {"id": i, "v": v(i), "path": paths[i]}, index=None)
make("released", [number, vector, PATH], lambda i: {"id": i, "v": v(i), "path": paths[i]}, load=False)
make("empty", [number, vector, PATH], lambda i: {}, rows=0)
make("graph", [number, vector, PATH], lambda i: {"id": i, "v": v(i), "path": paths[i]}, index="AUTOINDEX")
for line in refused:
    print(line, file=sys.stderr)
print(" ".join(made))
