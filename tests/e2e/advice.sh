#!/bin/sh
# What scry verify advises mends what it has found, for damage of every kind (advice.py): TAP.
. "$(dirname "$0")/lib.sh"
tiny_model "$T/model"
pictures "$T/pics" 40
echo x >"$T/pics/bad.png"
export SCRY_STORE=$T/whole
{
    "$scry" index "$T/pics"
    "$scry" remove "$T/pics/p001.png" "$T/pics/p002.png"   # slots that are not used any more
    "$scry" index "$T/pics"
    "$scry" favourite add "$T/pics/p008.png"
    "$scry" index --rebuild-metadata "$T/pics"
} >"$T/out" 2>&1
unset SCRY_STORE
# As many files as there is a cache of columns for.
mkdir "$T/copies"
python3 -c 'import os, sys
for i in range(1100):
    os.link(sys.argv[1] + "/pics/p000.png", f"{sys.argv[1]}/copies/{i}.png")' "$T"
"$scry" index --store "$T/many" "$T/copies" >"$T/out" 2>&1
python3 "$E2E/advice.py" "$scry" "$T"
