#!/bin/sh
# turned.sh - HEIC and AVIF whose transformations stand in front of the size: libheif alone takes the turned size for the stored one.
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
ls "$T"/turned/a-* >"$T/first"
ls "$T"/turned/b-* >"$T/last"
ok "pictures that turn" [ "$(wc -l <"$T/last")" -ge 2 ]
tiny_model "$T/turning"
run embed --images "$T/first" --out "$T/first.npy" --model "$T/turning"
is "transformations behind the size: status" "$status" 0
run embed --images "$T/last" --out "$T/last.npy" --model "$T/turning"
is "transformations in front of the size: status" "$status" 0
ok "the same pictures" cmp "$T/first.npy" "$T/last.npy"
done_testing
