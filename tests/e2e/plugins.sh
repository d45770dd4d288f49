#!/bin/sh
# Program, library, plugins and decoder: one copy of the library in a process, files found beside
# the library that asks, and another build's files refused, each pair, in one line.
. "$(dirname "$0")/lib.sh"
. "$SCRY_TOP/tests/server/lib/serve.sh"
tiny_model "$T/model"
pictures "$T/pics" 2
ok "index" "$scry" index "$T/pics"

# ---- one log level: a warning of the library in a command that a plugin runs ----
was=$SCRY_TEST_UNCONFINED   # of a sanitizer build
SCRY_TEST_UNCONFINED=1
export SCRY_TEST_UNCONFINED
ok "the server starts" start
curl -sf -o "$T/out" "$url/api/v1/search?q=red"
stop
like "the library's warning is seen from a plugin" "$T/serve.err" '^scry: SCRY_TEST_UNCONFINED is set'
SCRY_TEST_UNCONFINED=$was

# ---- one copy of the library, and files beside it, whatever the host is ----
cat >"$T/host.py" <<'END'
import ctypes, sys
library = ctypes.CDLL(sys.argv[1])   # RTLD_LOCAL: its names are not global
error, store = ctypes.create_string_buffer(1024), ctypes.c_void_p()
code = library.scry_store_open(ctypes.byref(store), b"milvus://127.0.0.1:1", None, error)
maps = open("/proc/self/maps").read()
print(code < 0, "scry-milvus.so" in maps, len({x.split()[-1] for x in maps.split("\n") if "libscry" in x}))
END
# Python cannot load a library that was built with the sanitizers.
case $SCRY_BUILD in
*/release) is "a host in Python: the plugin is found and brings no second library" \
    "$(python3 "$T/host.py" "$SCRY_BUILD/libscry.so.0")" 'True True 1' ;;
esac
mkdir "$T/host"
printf '#!/bin/sh\ntouch "%s"\n' "$T/wrong" >"$T/host/scry-decode"
chmod +x "$T/host/scry-decode"
case $SCRY_BUILD in
*/release)
    ok "a host in C builds" gcc -o "$T/host/find" "$SCRY_TOP/examples/find.c" -I "$SCRY_TOP/include" "$SCRY_BUILD/libscry.so.0"
    (cd "$T/host" && LD_LIBRARY_PATH=$SCRY_BUILD ./find "$T/pics" red) >"$T/out" 2>"$T/err"
    is "it indexes and searches" "$? $(wc -l <"$T/out")" '0 2'
    ok "and starts no decoder that lies beside it" test ! -e "$T/wrong"
    ;;
esac

# ---- each pair of builds ----
id=$(sed -n 's/.*"\(.*\)";/\1/p' "$SCRY_BUILD/gen/build.c")
is "the build id" "$(printf %s "$id" | tr -d 0-9a-f | wc -c) ${#id}" '0 16'
fresh() { # every file of this build in $T/app
    rm -rf "$T/app"
    mkdir "$T/app"
    cp "$SCRY_BUILD/scry" "$SCRY_BUILD/scry-decode" "$SCRY_BUILD/libscry.so.0" "$SCRY_BUILD"/scry-*.so "$T/app/"
}
refused() { # FILE NAMED COMMAND...: with FILE of another build; the error names NAMED
    file=$1 named=$2
    shift 2
    fresh
    LC_ALL=C sed -i "s/$id/0123456789abcdef/" "$T/app/$file"
    rm -rf "$T/new"
    timeout 900 "$T/app/scry" "$@" >"$T/out" 2>"$T/err" </dev/null
    is "$file of another build: status" $? 2
    like "$file of another build: said" "$T/err" "$named.* (is of another build|different builds).*install all files of one build"
    is "$file of another build: in one line" "$(grep -c build "$T/err")" 1
}
fresh
is "the copy works" "$("$T/app/scry" --version)" "$("$scry" --version)"
refused scry 'scry: ' --version
refused libscry.so.0 'scry: ' --version
refused scry-serve.so scry-serve.so serve --listen 127.0.0.1:0
refused scry-milvus.so scry-milvus.so status --store milvus://127.0.0.1:1
refused scry-fetch.so scry-fetch.so model pull owner/name
refused scry-decode scry-decode search "@$T/pics/p000.png"
refused scry-formats.so scry-formats.so search "@$T/pics/p000.png"
# A library of the plugin for formats that is not installed: its pictures are skipped, in this run only, the others are indexed.
fresh
mkdir "$T/mixed"
cp "$SCRY_TOP/tests/pictures/photo.jpg" "$T/pics/p000.png" "$T/mixed"
vips=$(readelf -d "$T/app/scry-formats.so" | sed -n 's/.*\[\(libvips[^]]*\)\].*/\1/p')
LC_ALL=C sed -i "s/$vips/$(echo "$vips" | sed 's/vips/vipz/')/" "$T/app/scry-formats.so"
timeout 900 "$T/app/scry" index --model "$T/model" --store "$T/without" "$T/mixed" >"$T/out" 2>"$T/err" </dev/null
is "without libvips: a PNG is skipped" $? 1
like "... with the reason" "$T/err" 'skipped: .*p000.png: .*scry-formats.so needs libvipz.so[0-9.]*, which is not installed$'
like "... and a JPEG read" "$T/err" '^1 added'
timeout 900 "$scry" index --model "$T/model" --store "$T/without" "$T/mixed" >"$T/out" 2>"$T/err" </dev/null
like "with libvips, the PNG is added" "$T/err" '^1 added, 0 updated, 1 unchanged, 0 skipped'
# libheif's decoder of HEVC, where that is a file of its own (not in Debian 12), is not installed: skipped, in this run only.
mkdir "$T/heic"
cp "$SCRY_TOP/tests/pictures/picture.heic" "$T/heic"
SCRY_TEST_UNCONFINED=1 LIBHEIF_PLUGIN_PATH=$T timeout 900 "$scry" index --model "$T/model" --store "$T/bare" "$T/heic" >"$T/out" 2>"$T/err" </dev/null
if ls /usr/lib/*/libheif/plugins/libheif-libde265.so >"$T/plugins" 2>&1; then
    like "without libheif's plugin: a HEIC is skipped" "$T/err" "skipped: .*picture.heic: HEIC needs libheif's decoder of HEVC \(package libheif-plugin-libde265\), which is not installed\$"
    timeout 900 "$scry" index --model "$T/model" --store "$T/bare" "$T/heic" >"$T/out" 2>"$T/err" </dev/null
fi
like "with libheif's decoder, the HEIC is added" "$T/err" '^1 added, 0 updated, 0 unchanged, 0 skipped'
# Without the starter, another model is found.
timeout 900 env -u SCRY_MODEL "$T/app/scry" index --store "$T/none" "$T/mixed" >"$T/out" 2>"$T/err" </dev/null
is "without the starter: 2" $? 2
like "... and how to get a model" "$T/err" 'starter model is not installed.*scry model pull NAME'
# Thumbnails are not worth an error: a warning, and the results without them. They need a terminal.
fresh
LC_ALL=C sed -i "s/$id/0123456789abcdef/" "$T/app/scry-thumbs.so"
TERM=xterm timeout 900 python3 -c 'import pty, sys; pty.spawn(sys.argv[1:])' "$T/app/scry" search --thumbs red >"$T/out" 2>&1 </dev/null
like "scry-thumbs.so of another build: said" "$T/out" 'no thumbnails: .*scry-thumbs.so is of another build'
like "and the results are shown" "$T/out" 'p000.png'
done_testing
