"""newer.py PORT [calls|unranked] - a Milvus that has FLOAT16_VECTOR, for what no server that can be installed here has.

A gRPC server before the real one on 19530, made of Milvus's own message definitions as pymilvus has them. It calls itself v2.5.0,
and refuses what 2.4 and 2.5 refuse: FLOAT16_VECTOR with other data than float16_vector, searches of such a field with other queries
than halves. Of functions it knows BM25 where the server behind it does, and calls the analyzer "whitespace" what that calls
"standard"; else it refuses them. To the server behind it a field of halves is a FLOAT_VECTOR, whose description says "half";
BFLOAT16_VECTOR and INT8_VECTOR are only described. Every other call is passed on as it is. Prints who connects, and each Search and
Query with the partitions that it names. With "calls", the name of each call is printed; with "unranked", too, and searches by BM25 are refused.
"""
import json
import sys
from concurrent import futures

import grpc
import numpy as np
from pymilvus.grpc_gen import common_pb2, milvus_pb2, schema_pb2

FLOAT, HALF = schema_pb2.FloatVector, schema_pb2.Float16Vector
DESCRIBED = schema_pb2.BFloat16Vector, schema_pb2.Int8Vector
LIMITS = [("grpc.max_receive_message_length", -1), ("grpc.max_send_message_length", -1)]
server_behind = grpc.insecure_channel("127.0.0.1:19530", LIMITS)
halves = set()      # collection, field
clients = []
ranks = False       # the server behind makes fields by BM25: milvus-lite does


def to_floats(q):
    for f in q.fields_data:
        if (q.collection_name, f.field_name) in halves:
            assert f.type == HALF and f.vectors.WhichOneof("data") == "float16_vector", f.type
            numbers = np.frombuffer(f.vectors.float16_vector, "<f2")
            assert numbers.size == q.num_rows * f.vectors.dim, (numbers.size, q.num_rows)
            f.type = FLOAT
            f.vectors.float_vector.data.extend(numbers.astype("<f4"))
        else:
            assert f.type != HALF, f.field_name


def to_halves(collection, fields):
    for f in fields:
        if (collection, f.field_name) in halves:
            numbers = np.array(f.vectors.float_vector.data, "<f4").astype("<f2")
            f.type = HALF
            f.vectors.float16_vector = numbers.tobytes()


def request(method, q):
    if method == "CreateCollection":
        schema = schema_pb2.CollectionSchema.FromString(q.schema)
        for f in schema.fields:
            for p in f.type_params:
                if p.key == "analyzer_params":
                    assert ranks, "functions are not supported"
                    assert json.loads(p.value) == {"tokenizer": "whitespace"}, p.value
                    p.value = json.dumps({"tokenizer": "standard"})
        for f in schema.fields:
            halves.discard((q.collection_name, f.name))
            if f.data_type == HALF:
                halves.add((q.collection_name, f.name))
                f.data_type, f.description = FLOAT, "half"
            elif f.data_type in DESCRIBED:
                f.data_type, f.description = FLOAT, str(f.data_type)
        q.schema = schema.SerializeToString()
    elif method == "RenameCollection":
        for name, field in list(halves):
            if name == q.oldName:
                halves.discard((name, field))
                halves.add((q.newName, field))
    elif method in ("Upsert", "Insert"):
        to_floats(q)
    elif method == "Search":
        field = next(p.value for p in q.search_params if p.key == "anns_field")
        group = common_pb2.PlaceholderGroup.FromString(q.placeholder_group)
        if [p.type for p in group.placeholders] == [common_pb2.VarChar]:
            assert "unranked" not in sys.argv, "the field has no index"
            return
        for p in group.placeholders:
            assert (p.type == common_pb2.Float16Vector) == ((q.collection_name, field) in halves), p.type
            if p.type == common_pb2.Float16Vector:
                p.type = common_pb2.FloatVector
                p.values[:] = [np.frombuffer(v, "<f2").astype("<f4").tobytes() for v in p.values]
        q.placeholder_group = group.SerializeToString()


def answer(method, q, r):
    global ranks
    if method == "DescribeCollection":
        for f in r.schema.fields:
            if f.description == "half" or (q.collection_name, f.name) in halves:    # milvus-lite keeps no descriptions
                f.data_type, f.description = HALF, ""
                halves.add((q.collection_name, f.name))
            elif f.description.isdigit():
                f.data_type, f.description = int(f.description), ""
    elif method == "Query":
        to_halves(q.collection_name, r.fields_data)
    elif method == "Search":
        to_halves(q.collection_name, r.results.fields_data)
    elif method == "GetVersion":
        r.version = "v2.5.0"
    elif method == "Connect":
        ranks = r.server_info.build_tags == "milvus_lite"
        r.server_info.build_tags = "v2.5.0"
        r.identifier = 4711
        clients.append(f"{q.client_info.sdk_type} {q.client_info.sdk_version}")
        print(clients[-1], flush=True)


REQUESTS = {"DescribeCollection": "DescribeCollectionRequest", "Upsert": "UpsertRequest", "GetVersion": "GetVersionRequest"}
ANSWERS = {"DescribeCollection": "DescribeCollectionResponse", "Query": "QueryResults", "Search": "SearchResults",
           "GetVersion": "GetVersionResponse", "Connect": "ConnectResponse"}


class Everything(grpc.GenericRpcHandler):
    def service(self, details):
        method = details.method.rsplit("/", 1)[1]
        forward = server_behind.unary_unary(details.method)

        def handle(body, context):
            if len(sys.argv) > 2:
                print(method, flush=True)
            message = getattr(milvus_pb2, REQUESTS.get(method, method + "Request"))
            q = message.FromString(body)
            metadata = dict(context.invocation_metadata())
            if method not in ("Connect", "GetVersion") and metadata.get("identifier") != "4711":
                context.abort(grpc.StatusCode.INVALID_ARGUMENT, "no identifier")
            if method in ("Search", "Query"):
                print(method, q.collection_name, *sorted(q.partition_names), flush=True)
            try:
                request(method, q)
            except AssertionError as e:
                context.abort(grpc.StatusCode.INVALID_ARGUMENT, f"{method}: {e!r}")
            try:
                out = forward(q.SerializeToString(), timeout=min(context.time_remaining() or 600, 600))   # none is a number, too
            except grpc.RpcError as e:
                context.abort(e.code(), e.details())
            if method not in ANSWERS:
                return out
            r = getattr(milvus_pb2, ANSWERS[method]).FromString(out)
            answer(method, message.FromString(body), r)
            return r.SerializeToString()
        return grpc.unary_unary_rpc_method_handler(handle)


server = grpc.server(futures.ThreadPoolExecutor(8), options=LIMITS)
server.add_generic_rpc_handlers((Everything(),))
server.add_insecure_port("127.0.0.1:" + sys.argv[1])
server.start()
server.wait_for_termination()
