"""The outside checker: pymilvus looks at what scry wrote, and writes what scry must find.

    compare.py check COLLECTION FILES    count, schema, properties; search with a stored vector
    compare.py make COLLECTION DIM FILE  a collection as the tutorial makes one, from FILE.npy; 1..n as ids
    compare.py quick COLLECTION NPY LIST   as MilvusClient's quick start makes one: automatic ids, dynamic "filepath", COSINE
    compare.py dynamic COLLECTION NPY LIST          the same with ids of the client
    compare.py older COLLECTION NPY LIST FACTOR     INT64 id, embedding, VARCHAR path; IVF_FLAT, L2; vectors times FACTOR
    compare.py paths COLLECTION FIELD    the paths of all rows, sorted
    compare.py count COLLECTION          rows that are really there
    compare.py index COLLECTION          its index: type, M, efConstruction
    compare.py shards COLLECTION         how many it has
    compare.py release COLLECTION        not loaded any more
    compare.py partitions COLLECTION     rows in each that has some, sorted
    compare.py forget COLLECTION ROOT    take the path of a root away
    compare.py spoil COLLECTION          change a number of one vector
    compare.py limit COLLECTION MB VECTORS      megabytes written and vectors searched a second at most
    compare.py dropped COLLECTION        there is none any more; replaced: there is another one of that name
    compare.py reader COLLECTION         a user "reader" with few rights, whose password is Reading1!
    compare.py old COLLECTION FROM [2|3] a collection as scry 0.1.0 made them (format 1), or a later one (2, 3), with the rows of FROM
    compare.py ranked COLLECTION TEXT    the paths of the rows that the server ranks for a text, by BM25 of its fields
    compare.py rules COLLECTION          its words were made by another scry: other ones, in the rows of half of the ids
"""
import os
import sys

from pymilvus import DataType, FunctionType, MilvusClient

user = os.environ.get("SCRY_MILVUS_USER") and "root:Milvus"
client = MilvusClient("http://127.0.0.1:19530", token=user or "", timeout=120)   # a busy machine
command, collection = sys.argv[1:3]


def rows(fields):
    client.load_collection(collection)
    return client.query(collection, filter='id >= ""', output_fields=fields, consistency_level="Strong")


def sent():
    return [f["name"] for f in client.describe_collection(collection)["fields"] if not f.get("is_function_output")]


def check(files):
    made = client.describe_collection(collection)
    types = {f["name"]: f["type"] for f in made["fields"]}
    assert types["id"] == DataType.VARCHAR and types["vector"] == DataType.FLOAT_VECTOR, types
    found = rows(["id", "path", "content", "root", "vector"])
    assert len(found) == files, len(found)
    assert len({r["id"] for r in found}) == files
    for r in found[:5]:
        near = client.search(collection, data=[r["vector"]], limit=1, output_fields=["content"],
                             consistency_level="Strong")[0][0]
        assert near["entity"]["content"] == r["content"], (near, r["path"])
        assert abs(near["distance"] - 1) < 1e-5, near
    print("ok")


def make(dim, path):
    import numpy as np
    vectors = np.load(path)
    assert vectors.shape[1] == dim
    schema = MilvusClient.create_schema(auto_id=False)
    schema.add_field("id", DataType.INT64, is_primary=True)
    schema.add_field("embedding", DataType.FLOAT_VECTOR, dim=dim)
    client.create_collection(collection, schema=schema)
    index = client.prepare_index_params()
    index.add_index("embedding", index_type="IVF_FLAT", metric_type="L2", params={"nlist": 4})
    client.create_index(collection, index)
    client.insert(collection, [{"id": i + 1, "embedding": v.tolist()} for i, v in enumerate(vectors)])
    client.load_collection(collection)
    client.query(collection, filter="id >= 0", output_fields=["id"], consistency_level="Strong")
    print("ok")


def count(**which):
    return client.query(collection, filter="", output_fields=["count(*)"], consistency_level="Strong", **which)[0]["count(*)"]


def index():
    d = client.describe_index(collection, client.list_indexes(collection)[0])
    d |= d.get("params") or {}
    return f"{d['index_type']} {d.get('M')} {d.get('efConstruction')}"


def partitions():
    rows = [count(partition_names=[p]) for p in client.list_partitions(collection)]
    return " ".join(str(n) for n in sorted(rows) if n)


def old(source, written="1"):
    made = client.describe_collection(source)
    new = {"all_words", "word_ranks"}   # which servers that rank by words have
    if written != "3":
        new |= {"words", "word_parts", "text_reader", "text_reason", "text_lines"}
    if written == "1":
        new |= {"taken_source", "taken_offset", "rating", "damaged", "lens", "title", "description", "keywords", "keyword_terms",
                "companion", "ctime_ns"}
    names = [f["name"] for f in made["fields"] if f["name"] not in new]
    assert len(names) == {"1": 18, "2": 29, "3": 34}[written], names
    schema = MilvusClient.create_schema(auto_id=False)
    for f in made["fields"]:
        if f["name"] not in new:
            schema.add_field(f["name"], f["type"], is_primary=f.get("is_primary", False), element_type=f.get("element_type"),
                             **f.get("params", {}))
    properties = {k: v for k, v in made["properties"].items() if k.startswith("scry.")} | {"scry.format": written}
    client.create_collection(collection, schema=schema, properties=properties)
    index = client.prepare_index_params()
    index.add_index("vector", index_type="FLAT", metric_type="COSINE")
    client.create_index(collection, index)
    lists = ("labels", "keyword_terms", "words", "word_parts", "vector")
    client.insert(collection, [{n: list(r[n]) if n in lists else r[n] for n in names} for r in client.query(
        source, filter='id >= ""', output_fields=names, consistency_level="Strong")])
    client.load_collection(collection)
    client.query(collection, filter='id >= ""', output_fields=["id"], consistency_level="Strong")
    print("ok")


def rules():
    client.alter_collection_properties(collection, {"scry.words": "1"})
    client.alter_collection_properties(collection, {"scry.words": "1"})
    found = rows(sent())
    lists = ("labels", "keyword_terms", "words", "word_parts", "vector")
    changed = [{k: list(v) if k in lists else v for k, v in r.items()} | {"words": ["=1", "other"], "word_parts": ["oth"]}
               for r in found if r["id"] < "8"]
    client.upsert(collection, changed)
    rows(["id"])
    print(0 < len(changed) < len(found))


def ranked(text):
    function = client.describe_collection(collection)["functions"][0]
    assert function["type"] == FunctionType.BM25 and function["input_field_names"] == ["all_words"], function
    index = client.describe_index(collection, client.list_indexes(collection, field_name="word_ranks")[0])
    assert (index["index_type"], index["metric_type"]) == ("SPARSE_INVERTED_INDEX", "BM25"), index
    client.load_collection(collection)
    found = client.search(collection, [text], anns_field=function["output_field_names"][0], limit=9, output_fields=["path"])[0]
    print(" ".join(r["entity"]["path"] for r in found))


def load_list(npy, paths):
    import numpy as np
    with open(paths) as f:
        return np.load(npy), f.read().split("\n")[:-1]


def quick(npy, paths, automatic):
    vectors, names = load_list(npy, paths)
    client.create_collection(collection, dimension=vectors.shape[1], auto_id=automatic, metric_type="COSINE")
    rows = [{"vector": v.tolist(), "filepath": name} for v, name in zip(vectors, names)]
    if not automatic:
        rows = [row | {"id": i + 1} for i, row in enumerate(rows)]
    client.insert(collection, rows)
    client.query(collection, filter="", output_fields=["count(*)"], consistency_level="Strong")
    print("ok")


def older(npy, paths, factor):
    vectors, names = load_list(npy, paths)
    schema = MilvusClient.create_schema(auto_id=False)
    schema.add_field("id", DataType.INT64, is_primary=True)
    schema.add_field("embedding", DataType.FLOAT_VECTOR, dim=vectors.shape[1])
    schema.add_field("path", DataType.VARCHAR, max_length=1000)
    client.create_collection(collection, schema=schema)
    index = client.prepare_index_params()
    index.add_index("embedding", index_type="IVF_FLAT", metric_type="L2", params={"nlist": 512})
    client.create_index(collection, index)
    client.insert(collection, [{"id": i + 1, "embedding": (v * factor).tolist(), "path": name}
                               for i, (v, name) in enumerate(zip(vectors, names))])
    client.load_collection(collection)
    client.query(collection, filter="", output_fields=["count(*)"], consistency_level="Strong")
    print("ok")


def paths(field):
    found = client.query(collection, filter="id != 0", output_fields=[field], consistency_level="Strong")
    print(" ".join(sorted(r[field] for r in found)))


def forget(root):
    for _ in range(2):   # the last change is lost by a restart
        client.alter_collection_properties(collection, {"scry.root." + root: ""})
    print("ok")


def spoil():
    row = rows(sent())[0]
    row["vector"] = [-row["vector"][0]] + [float(x) for x in row["vector"][1:]]
    row = {k: list(v) if k in ("labels", "keyword_terms") else v for k, v in row.items()}
    client.upsert(collection, [row])
    client.query(collection, filter='id >= ""', output_fields=["id"], consistency_level="Strong")
    print("ok")


def limit(megabytes, vectors):
    for _ in range(2):
        client.alter_collection_properties(collection, {
            "collection.insertRate.max.mb": megabytes, "collection.upsertRate.max.mb": megabytes,
            "collection.searchRate.max.vps": vectors})
    print("ok")


def reader():
    client.create_user("reader", "Reading1!")
    client.create_role("reader")
    for right in "Search", "Query", "IndexDetail":
        client.grant_privilege("reader", "Collection", right, collection)
    client.grant_privilege("reader", "Global", "DescribeCollection", "*")
    client.grant_role("reader", "reader")
    print("ok")


if command == "check":
    check(int(sys.argv[3]))
elif command == "make":
    make(int(sys.argv[3]), sys.argv[4])
elif command == "index":
    print(index())
elif command == "shards":
    print(client.describe_collection(collection)["num_shards"])
elif command == "release":
    client.release_collection(collection)
elif command in ("quick", "dynamic"):
    quick(sys.argv[3], sys.argv[4], command == "quick")
elif command == "older":
    older(sys.argv[3], sys.argv[4], float(sys.argv[5]))
elif command == "paths":
    paths(sys.argv[3])
elif command == "forget":
    forget(sys.argv[3])
elif command == "spoil":
    spoil()
elif command in ("dropped", "replaced"):
    client.drop_collection(collection)
    if command == "replaced":
        client.create_collection(collection, dimension=8)
    print("ok")
elif command == "limit":
    limit(sys.argv[3], sys.argv[4])
elif command == "reader":
    reader()
elif command == "old":
    old(*sys.argv[3:])
elif command == "ranked":
    ranked(sys.argv[3])
elif command == "rules":
    rules()
elif command == "partitions":
    print(partitions())
else:
    print(count())
