#!/bin/sh
# scry embed: NumPy files of texts and pictures.
. "$(dirname "$0")/lib.sh"
tiny_model "$T/model"
P=$T/pics
pictures "$P" 5
cd "$T" || exit 1

# Shape and row lengths of a .npy file, with nothing but Python.
cat >read.py <<'END'
import ast, math, struct, sys
b = open(sys.argv[1], "rb").read()
assert b[:8] == b"\x93NUMPY\x01\x00"
n = struct.unpack("<H", b[8:10])[0]
assert (10 + n) % 64 == 0
h = ast.literal_eval(b[10:10 + n].decode())
assert h["descr"] == "<f4" and not h["fortran_order"]
rows, dim = h["shape"]
v = struct.unpack(f"<{rows * dim}f", b[10 + n:])
length = lambda r: math.sqrt(sum(x * x for x in v[r * dim:(r + 1) * dim]))
print(h["shape"], [round(length(r), 3) for r in range(rows)])
END
printf 'a dog\na cat\n\na dog\n' >texts
run embed --texts texts --out t.npy
is "texts: 0" $status 0
is "texts: unit rows, also of an empty line" "$(python3 read.py t.npy)" '(4, 16) [1.0, 1.0, 1.0, 1.0]'
printf 'a dog' | timeout 900 "$scry" embed --texts - --out u.npy 2>"$T/err"
is "texts from standard input, without a last newline" "$(python3 read.py u.npy)" '(1, 16) [1.0]'
is "the same text, the same vector" "$(tail -c 64 u.npy | cksum)" "$(tail -c 64 t.npy | cksum)"
printf '%s\n' pics/p000.png pics/none.png pics/p001.png >paths
run embed --images paths --out i.npy
is "pictures: 1 when one fails" $status 1
is "pictures: a row of NaN for it" "$(python3 read.py i.npy)" '(3, 16) [1.0, nan, 1.0]'
like "pictures: and a line on stderr" "$T/err" 'none\.png: '
ls pics/*.png >paths
run embed --images paths -o j.npy
is "pictures: 0" $status 0
is "pictures: five rows" "$(python3 read.py j.npy)" '(5, 16) [1.0, 1.0, 1.0, 1.0, 1.0]'
: >none
run embed --texts none --out n.npy
is "no lines: no rows" "$(python3 read.py n.npy)" '(0, 16) []'
run embed --texts texts
is "no --out: 2" $status 2
run embed --texts texts --images paths --out x.npy
is "texts and pictures at once: 2" $status 2
run embed --texts nowhere --out x.npy
is "a list that is not there: 2" $status 2
run embed --texts texts --out /nowhere/x.npy
is "a place that is not there: 2" $status 2
run embed --texts texts --model "$T/none" --out x.npy
is "a model that is not there: 2" $status 2
printf 'bad \377\376\n' >bytes
run embed --texts bytes --out b.npy
is "bytes that are not UTF-8 are embedded or refused, no more" "$([ $status -le 2 ] && echo fine)" fine
done_testing
