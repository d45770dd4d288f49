#!/bin/sh
# The Python package: its pytest suite, the wheel in an empty folder and environment, the tutorial's notebook.
. "$(dirname "$0")/lib.sh"
case $SCRY_BUILD in
*/release) ;;
*)
    echo '1..0 # SKIP Python cannot load a library that was built with the sanitizers'
    exit 0
    ;;
esac
for python in python3 /usr/bin/python3; do
    "$python" -c 'import numpy, PIL, pytest, venv, ensurepip' 2>/dev/null && break
done
ok "Python has NumPy, PIL, pytest and venv (tools/deps.sh test)" "$python" -c 'import numpy, PIL, pytest, venv, ensurepip'
export PYTHONDONTWRITEBYTECODE=1
unset SCRY_MODEL SCRY_STORE PYTHONPATH SCRY_LIBRARY SCRY_DATA_DIR

# ---- the suite, with the package of the tree and the library of this build ----
SCRY_LIBRARY=$SCRY_BUILD/libscry.so.0 PYTHONPATH=$SCRY_TOP/python SCRY_TOP=$SCRY_TOP SCRY_BUILD=$SCRY_BUILD \
    timeout 600 "$python" -m pytest -q -p no:cacheprovider "$SCRY_TOP/tests/python" >"$T/out" 2>&1
is "the suite passes" $? 0
like "and is not empty" "$T/out" '[1-9][0-9]+ passed'
unlike "nothing of it is skipped" "$T/out" 'skipped|xfailed|no tests'
grep -E '^(FAILED|ERROR|E  )' "$T/out" | head -40 | note

# ---- a package that names a library that is not there ----
env -i SCRY_LIBRARY="$T/none.so" PYTHONPATH="$SCRY_TOP/python" "$python" -c 'import scry' >"$T/out" 2>&1
like "a library that is missing is said, with what to do" "$T/out" 'ImportError: scry needs libscry.so.0: install scry, or set SCRY_LIBRARY'

# ---- the wheel ----
pictures "$T/pics" 3
ok "the wheel is made" env SCRY_BUILD="$SCRY_BUILD" "$python" "$SCRY_TOP/python/build_wheel.py" "$T/dist"
ok "an environment" "$python" -m venv --system-site-packages "$T/venv"
ok "pip installs the wheel, without a network" "$T/venv/bin/pip" --disable-pip-version-check install -q --no-index --no-deps "$T"/dist/*.whl
mkdir "$T/empty"
cat >"$T/use.py" <<'END'
import os, sys
import scry
store = scry.Store("photos")
report = store.index(sys.argv[1])
hits = store.search("a white dog")
maps = open("/proc/self/maps").read()
used = {line.split()[-1] for line in maps.split("\n") if "libscry.so" in line}
print(report.added, len(hits), store.model.name, [os.path.relpath(u, sys.prefix).split("/")[-3:] for u in used])
END
(cd "$T/empty" && env -i HOME="$T/home" "$T/venv/bin/python" "$T/use.py" "$T/pics") >"$T/out" 2>"$T/err"
is "it indexes and searches in an empty folder, with nothing in the environment, by its own library" "$(cat "$T/out")" \
    "3 3 starter [['scry', 'native', 'libscry.so.0']]"
is "and says nothing" "$(cat "$T/err")" ''
(cd "$T/empty" && env -i HOME="$T/home" "$T/venv/bin/python" -c 'import scry; scry.Store("milvus://127.0.0.1:1").search("x")') >"$T/out" 2>"$T/err"
like "its plugins are found" "$T/err" 'RemoteError: .*127\.0\.0\.1'
ok "pip removes it" "$T/venv/bin/pip" --disable-pip-version-check uninstall -q -y scry
ok "pip installs the tree" env SCRY_BUILD="$SCRY_BUILD" "$T/venv/bin/pip" --disable-pip-version-check install -q --no-index --no-deps "$SCRY_TOP/python"
is "which is the version of the library" "$(cd "$T/empty" && env -i "$T/venv/bin/python" -c 'import scry; print(scry.__version__)')" \
    "$("$scry" --version | sed 's/^scry //; s/ .*//')"
ok "pip links the tree" "$T/venv/bin/pip" --disable-pip-version-check install -q --no-index --no-deps -e "$SCRY_TOP/python"
is "which uses the library that was built there" "$(cd "$T/empty" && env -i "$T/venv/bin/python" -c 'import scry; print(scry.__file__)')" \
    "$SCRY_TOP/python/scry/__init__.py"

# ---- the tutorial, with what was installed last, in a folder where Jupyter would run it ----
(cd "$SCRY_TOP/examples" && env -i HOME="$T/home" TMPDIR="$T" PYTHONDONTWRITEBYTECODE=1 \
    "$T/venv/bin/python" "$SCRY_TOP/tools/notebook.py" tutorial.ipynb) >"$T/out" 2>"$T/err"
is "the notebook runs to its end" "$? $(tail -n 1 "$T/out")" '0 [18] True'
like "and indexes what can be read" "$T/out" '95 added, 2 skipped'
like "and finds animals, the black ones first, for a black dog" "$T/out" '0\.[0-9]+ +[0-9.]+ +[0-9]+  animals/bison.jpg'
like "and leaves out what needs a server" "$T/out" 'skipped: SCRY_MILVUS names no server'
is "the pictures that it shows are in it" "$(grep -o 'data:image/jpeg;base64' "$SCRY_TOP/examples/tutorial.ipynb" | wc -l)" 22
printf '{"cells": [{"cell_type": "code", "source": ["1 / 0"]}]}' >"$T/bad.ipynb"
"$T/venv/bin/python" "$SCRY_TOP/tools/notebook.py" "$T/bad.ipynb" >"$T/out" 2>"$T/err"
is "a cell that fails is named" "$? $(grep -c 'cell 1 failed' "$T/err")" '1 1'
done_testing
