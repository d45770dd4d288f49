#!/bin/sh
# turned.sh - HEIC and AVIF that libheif alone refuses: transformations in front of the size, a primary picture that is the thumbnail of
# another, a `meta` that goes to the end of the file.
. "$(dirname "$0")/lib.sh"
command -v python3 >/dev/null || { echo "1..0 # SKIP no python3"; exit 0; }

mkdir "$T/turned"
for name in oriented.avif ios18.heic ios18-grid.heic grid-turned.avif; do
    cp "$SCRY_TOP/tests/pictures/$name" "$T/turned/a-$name"
    python3 -c 'import struct, sys
data = bytearray(open(sys.argv[1], "rb").read())
at, moved = data.find(b"ipma") + 4, 0
ipco, kinds = data.find(b"ipco") - 4, [""]
end, p = ipco + struct.unpack_from(">I", data, ipco)[0], ipco + 8
while p < end:
    kinds.append(bytes(data[p + 4:p + 8]))
    p += struct.unpack_from(">I", data, p)[0]
wide = 2 if data[at + 3] & 1 else 1
p = at + 8
for entry in range(struct.unpack_from(">I", data, at + 4)[0]):
    count = data[p + 2 + 2 * (data[at] > 0)]
    p += 3 + 2 * (data[at] > 0)
    of = [bytes(data[p + i * wide:p + (i + 1) * wide]) for i in range(count)]
    turns = [a for a in of if kinds[int.from_bytes(a, "big") & (0x7fff if wide == 2 else 0x7f)] in (b"irot", b"imir", b"clap")]
    data[p:p + count * wide] = b"".join(turns + [a for a in of if a not in turns])
    moved += len(turns)
    p += count * wide
assert moved, "nothing turns it"
open(sys.argv[2], "wb").write(data)' "$T/turned/a-$name" "$T/turned/b-$name" || rm "$T/turned/a-$name"
done
for kind in thumbnail to-the-end; do
    cp "$SCRY_TOP/tests/pictures/oriented.avif" "$T/turned/a-$kind.avif"
    python3 -c 'import struct, sys
def box(kind, data):
    return struct.pack(">I", 8 + len(data)) + kind + data
def parts(data):
    while data:
        n = struct.unpack_from(">I", data)[0]
        yield data[4:8], data[8:n]
        data = data[n:]
file = open(sys.argv[1], "rb").read()
ftyp, meta = (dict(parts(file))[k] for k in (b"ftyp", b"meta"))
of = dict(parts(meta[4:]))
# One item with one extent, of which offset and length are last.
offset, length = struct.unpack(">II", of[b"iloc"][8 + 2 + (2 if of[b"iloc"][0] else 0) + 2 + (of[b"iloc"][5] >> 4) + 2:][:8])
item = lambda i: box(b"infe", b"\2\0\0\0" + struct.pack(">HH", i, 0) + b"av01\0")
thumbnail = sys.argv[3] == "thumbnail"
iinf = box(b"iinf", struct.pack(">IH", 0, 1 + thumbnail) + item(1) + (item(2) if thumbnail else b""))
iref = box(b"iref", b"\0\0\0\0" + box(b"thmb", struct.pack(">HHH", 1, 1, 2))) if thumbnail else b""
rest = b"".join(box(k, of[k]) for k in (b"hdlr", b"pitm", b"iprp")) + iinf + iref
def iloc(start):
    entry = lambda i, n: struct.pack(">HHHHII", i, 0 if thumbnail else 1, 0, 1, start, n)
    return box(b"iloc", b"\1\0\0\0\x44\0" + struct.pack(">H", 1 + thumbnail) + entry(1, length) + (entry(2, 1) if thumbnail else b""))
data, front = file[offset:offset + length], box(b"ftyp", ftyp)
if thumbnail:
    start = len(front) + 12 + len(rest) + len(iloc(0)) + 8
    out = front + box(b"meta", b"\0" * 4 + rest + iloc(start)) + box(b"mdat", data)
else:
    out = front + b"\0\0\0\0meta" + b"\0" * 4 + rest + iloc(0) + box(b"idat", data)
open(sys.argv[2], "wb").write(out)' "$T/turned/a-$kind.avif" "$T/turned/b-$kind.avif" "$kind"
done
ls "$T"/turned/a-* >"$T/first"
ls "$T"/turned/b-* >"$T/last"
ok "pictures of each kind" [ "$(wc -l <"$T/last")" -ge 4 ]
tiny_model "$T/turning"
run embed --images "$T/first" --out "$T/first.npy" --model "$T/turning"
is "as they are: status" "$status" 0
run embed --images "$T/last" --out "$T/last.npy" --model "$T/turning"
is "as libheif alone refuses them: status" "$status" 0
ok "the same pictures" cmp "$T/first.npy" "$T/last.npy"
done_testing
