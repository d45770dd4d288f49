#!/bin/sh
# python.sh PYTHON - the Python package where it was just installed, in a system with little else: indexing, searching, arrays, PIL.
#
# tools/everywhere.sh runs it inside a root file system, with the tree at /files.
python=$1
SCRY_TOP=/files SCRY_BUILD=/usr/bin
. /files/tests/e2e/lib.sh
unset SCRY_MODEL SCRY_STORE SCRY_WORDS
mkdir "$T/photos"
cp /files/demo/gallery/animals/*.jpg "$T/photos/"
cat >"$T/use.py" <<'END'
import os, sys, numpy, scry
photos = sys.argv[1]
store = scry.Store("store")
report = store.index(photos)
print("index", report.added, report.skipped, report.problems)
print("names", *[os.path.basename(h.path) for h in store.search("a bison", limit=1)])
print("picture", *[os.path.basename(h.path) for h in store.search(__import__("pathlib").Path(photos, "panda.jpg"), limit=1)])
print("unchanged", store.index(photos).unchanged)
print("verify", store.verify().ok)
with scry.Model() as model:
    rows = model.embed_images([os.path.join(photos, "panda.jpg"), numpy.full((300, 200, 3), 99, numpy.uint8)])
    texts = model.embed_texts(["a panda", "a wall"])
    units = numpy.allclose(numpy.linalg.norm(rows, axis=1), 1, atol=1e-4)
    print("arrays", rows.shape, rows.dtype, units, bool((rows[0] @ texts.T).argmax() == 0))
    try:
        from PIL import Image
        same = model.embed_images([Image.open(os.path.join(photos, "panda.jpg"))])
        print("pil", float(same[0] @ rows[0]) > 0.98)
    except ImportError:
        print("pil none")
END
(cd "$T" && "$python" use.py "$T/photos") >"$T/out" 2>"$T/err"
is "the program ends well" "$?" 0
is "and says nothing else" "$(cat "$T/err")" ''
pictures=$(ls "$T/photos" | wc -l)
is "it indexes" "$(sed -n 's/^index //p' "$T/out")" "$pictures 0 ()"
is "finds by words" "$(sed -n 's/^names //p' "$T/out")" bison.jpg
is "finds by a picture" "$(sed -n 's/^picture //p' "$T/out")" panda.jpg
is "knows again what it has" "$(sed -n 's/^unchanged //p' "$T/out")" "$pictures"
is "verifies" "$(sed -n 's/^verify //p' "$T/out")" True
is "embeds files and arrays" "$(sed -n 's/^arrays //p' "$T/out")" '(2, 640) float32 True True'
wanted=none
"$python" -c 'import PIL' 2>/dev/null && wanted=True
is "and PIL images, where PIL is" "$(sed -n 's/^pil //p' "$T/out")" $wanted

# ---- what needs libraries of the system says which, or works with them ----
cp /files/tests/pictures/grey.png "$T/photos/"
(cd "$T" && "$python" -c 'import scry; r = scry.Store("store").index("photos"); print(r.added, r.problems)') >"$T/out" 2>"$T/err"
if [ -e "$(ldconfig -p | sed -n 's/.*libvips\.so\.42 .*=> //p')" ]; then
    is "with libvips PNG is read" "$(cat "$T/out")" '1 ()'
else
    like "without libvips PNG is skipped, with the reason" "$T/out" "^0 .*grey.png', '.*scry-formats.so needs libvips.so.42, which is not installed'"
fi
(cd "$T" && "$python" -c 'import scry; scry.Store("milvus://127.0.0.1:1").search("x")') >"$T/out" 2>"$T/err"
like "a server needs nghttp2 or cannot be reached" "$T/err" 'scry\.errors\.(NotFoundError: .*scry-milvus\.so needs lib(nghttp2\.so\.14|protobuf-c\.so\.1), which is not installed$|RemoteError: .*127\.0\.0\.1)'
done_testing
