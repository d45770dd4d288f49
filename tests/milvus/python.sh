#!/bin/bash
# The Python package on milvus 2.3.5: the tutorial's notebook with its section for a server; pages, filters, removing.
cd "$(dirname "$0")/../.." || exit 1
. tests/milvus/lib.sh
unset SCRY_MODEL SCRY_STORE
export SCRY_LIBRARY=$SCRY_BUILD/libscry.so.0 PYTHONPATH=$SCRY_TOP/python PYTHONDONTWRITEBYTECODE=1 TMPDIR=$T SCRY_TOP
for python in python3 /usr/bin/python3; do
    "$python" -c 'import numpy, PIL' 2>/dev/null && break
done

ok "the server starts" milvus_start "$T/milvus"
(cd examples && SCRY_MILVUS=milvus://127.0.0.1:19530 "$python" ../tools/notebook.py tutorial.ipynb) >"$T/out" 2>"$T/err"
is "the notebook runs to its end" "$? $(tail -n 1 "$T/out")" '0 [18] True'
like "the server finds what the folder does" "$T/out" "^\[17\] \[.*'two-dogs.jpg'"

tiny_model "$T/model"
pictures "$T/pics" 8
cat >"$T/use.py" <<'END'
import sys
import numpy as np
import scry
import scry.store
scry.store._PAGE = 3
pictures, folder, model = sys.argv[1:]
with scry.Model(model) as m:
    stores = [scry.Store(folder, model=m), scry.Store("milvus://127.0.0.1:19530", "mine", model=m, milvus={"consistency": "strong"})]
    for s in stores:
        s.index(pictures)
    here, there = stores
    assert [f.path for f in here] == [f.path for f in there] and len(there) == 8
    a, b = here.search("a dog", limit=20, format="png"), there.search("a dog", limit=20, format="png")
    assert np.allclose([h.score for h in a], [h.score for h in b], atol=1e-3) and len(b) == 8
    assert there.search(b[3], limit=1)[0].id == b[3].id
    assert there.remove(b[0]) == 1 and b[0].id not in [h.id for h in there.search("a dog", limit=20)]
    assert "mine" in scry.Store.collections("milvus://127.0.0.1:19530")
    there.drop()
    assert "mine" not in scry.Store.collections("milvus://127.0.0.1:19530")
print("fine")
END
"$python" "$T/use.py" "$T/pics" "$T/store" "$T/model" >"$T/out" 2>"$T/err"
is "a store on a server is used as a folder is" "$(cat "$T/out")" fine
done_testing
