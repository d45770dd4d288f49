"""Hold scry's message definitions (src/milvus/milvus.proto) and numbers against those that pymilvus was generated from.

    messages.py

Every field that scry writes or reads must have Milvus's name and number, its type on the wire, and be repeated if that is; every
call must be one of Milvus's service, with the message that scry sends. Prints what differs; the last line counts what was compared.
"""
import glob
import re

from pymilvus.grpc_gen import common_pb2, milvus_pb2, schema_pb2

PACKAGES = {p.package: p for p in (m.DESCRIPTOR for m in (milvus_pb2, schema_pb2, common_pb2))}
# Messages that scry calls otherwise, or uses in several places.
OTHERWISE = {
    "KeyValue": ["KeyValuePair"],
    "ArrayRow": ["ScalarField"],
    "CollectionRequest": ["HasCollectionRequest", "DropCollectionRequest", "ReleaseCollectionRequest", "DescribeCollectionRequest"],
    "AliasRequest": ["CreateAliasRequest", "AlterAliasRequest"],
    "MutationRequest": ["UpsertRequest", "InsertRequest"],
    "GetLoadStateRequest": ["GetLoadStateRequest", "GetLoadingProgressRequest"],
    "SegmentsEntry": ["FlushResponse.CollSegIDsEntry"],
    "TimestampEntry": ["FlushResponse.CollFlushTsEntry"],
    "BytesArray": ["BytesArray", "JSONArray"],
}
# Numbers in C, and the enumeration that they are of.
ENUMS = {
    "src/milvus/milvus.h": [(r"SCRY_MILVUS_(%s) = (\d+)", {
        "BOOL": "DataType.Bool", "INT8": "DataType.Int8", "INT16": "DataType.Int16", "INT32": "DataType.Int32", "INT64": "DataType.Int64",
        "FLOAT": "DataType.Float", "DOUBLE": "DataType.Double", "VARCHAR": "DataType.VarChar", "ARRAY": "DataType.Array",
        "JSON": "DataType.JSON", "FLOAT_VECTOR": "DataType.FloatVector", "SPARSE_VECTOR": "DataType.SparseFloatVector",
        "STRONG": "ConsistencyLevel.Strong",
        "SESSION": "ConsistencyLevel.Session", "BOUNDED": "ConsistencyLevel.Bounded", "EVENTUALLY": "ConsistencyLevel.Eventually"})],
    "src/milvus/wire.h": [(r"SCRY_WIRE_(%s) = (\d+)", {"FLOAT16_VECTOR": "DataType.Float16Vector", "TEXT": "PlaceholderType.VarChar",
                                                     "BM25": "FunctionType.BM25"})],
}
TYPES = {"int32": 0, "int64": 0, "uint32": 0, "uint64": 0, "bool": 0, "double": 1, "string": 2, "bytes": 2, "float": 5}
faults = []
counted = {"messages": 0, "fields": 0, "calls": 0, "numbers": 0}


def find(name):
    for package in PACKAGES.values():
        message, *inner = name.split(".")
        if message in package.message_types_by_name:
            found = package.message_types_by_name[message]
            for part in inner:
                found = found.nested_types_by_name[part]
            return found
    return None


def wire_type(field):
    if field.type in (field.TYPE_DOUBLE, field.TYPE_FIXED64, field.TYPE_SFIXED64):
        return 1
    if field.type in (field.TYPE_FLOAT, field.TYPE_FIXED32, field.TYPE_SFIXED32):
        return 5
    return 2 if field.type in (field.TYPE_STRING, field.TYPE_BYTES, field.TYPE_MESSAGE) else 0


def repeats(field):
    return field.is_repeated if hasattr(field, "is_repeated") else field.label == field.LABEL_REPEATED


def messages(text):
    """name -> [(repeated, type, name, number)] of a file without nested messages."""
    text = re.sub(r"//[^\n]*", "", text)
    for found in re.finditer(r"\bmessage (\w+) \{", text):
        depth, end = 1, found.end()
        while depth:
            depth += {"{": 1, "}": -1}.get(text[end], 0)
            end += 1
        body = text[found.end():end - 1]
        yield found[1], re.findall(r"(repeated )?(\w+) (\w+) = (\d+);", body)


def compare(name, fields, theirs_name):
    theirs = find(theirs_name)
    if theirs is None:
        faults.append(f"{name}: Milvus has no message {theirs_name}")
        return
    counted["messages"] += 1
    for repeated, kind, field, number in fields:
        counted["fields"] += 1
        other = theirs.fields_by_number.get(int(number))
        if other is None or other.name != field:
            faults.append(f"{name}.{field} = {number}: {theirs_name} has {other.name if other else 'nothing'} there")
        elif TYPES.get(kind, 2) != wire_type(other):
            faults.append(f"{name}.{field}: {kind} is another type on the wire than that of {theirs_name}")
        elif bool(repeated) != repeats(other):
            faults.append(f"{name}.{field}: repeated or not, unlike in {theirs_name}")


def compare_messages():
    found = dict(messages(open("src/milvus/milvus.proto", encoding="utf-8").read()))
    for name, fields in found.items():
        for theirs in OTHERWISE.get(name, [name]):
            compare(name, fields, theirs)
    return found


def compare_calls(known):
    service = PACKAGES["milvus.proto.milvus"].services_by_name["MilvusService"]
    for path in sorted(glob.glob("src/milvus/*.c")):
        text = open(path, encoding="utf-8").read()
        for rpc in re.findall(r'scry_(?:call|call_status|milvus_call)\(m, "(\w+)"|send_alias\(m, "(\w+)"', text):
            rpc = rpc[0] or rpc[1]
            counted["calls"] += 1
            method = service.methods_by_name.get(rpc)
            if method is None:
                faults.append(f"{path}: Milvus has no call {rpc}")
            elif not any(method.input_type.name in OTHERWISE.get(ours, [ours]) for ours in known):
                faults.append(f"{path}: the call {rpc} takes {method.input_type.name}, which is not among scry's messages")


def compare_numbers():
    values = {}
    for package in PACKAGES.values():
        for enum in package.enum_types_by_name.values():
            values.update((f"{enum.name}.{v.name}", v.number) for v in enum.values)
    for path, tables in ENUMS.items():
        text = open(path, encoding="utf-8").read()
        for pattern, names in tables:
            for ours, theirs in names.items():
                counted["numbers"] += 1
                number = re.search(pattern % ours, text)
                if not number or int(number[2]) != values.get(theirs):
                    faults.append(f"{path}: {ours} is {number[2] if number else 'not there'}, {theirs} is {values.get(theirs)}")


compare_calls(compare_messages())
compare_numbers()
for fault in faults:
    print(fault)
print(f"{len(faults)} differences:", ", ".join(f"{n} {what}" for what, n in counted.items()))
