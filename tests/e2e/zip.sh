#!/bin/sh
# POST /api/v1/zip: archives that Python and unzip read, with names kept apart, and what is missing in them.
. "$(dirname "$0")/lib.sh"
. "$SCRY_TOP/tests/server/lib/serve.sh"
command -v curl >/dev/null && command -v unzip >/dev/null || { echo "1..0 # SKIP no curl or unzip"; exit 0; }
tiny_model "$T/model"
P=$T/pics
pictures "$P/a" 6
pictures "$P/b" 6 6
cp "$P/b/p006.png" "$P/b/p001.png"
cp "$P/b/p007.png" "$P/b/P001.PNG"
cp "$P/b/p008.png" "$P/b/p001 (2).png"
cp "$P/b/p009.png" "$P/b/Ünïcode ⛰.png"
cp "$P/b/p010.png" "$P/b/back\\slash.png"
cp "$P/b/p011.png" "$P/b/$(printf 'latin\351.png')"
touch -d '2020-02-29 12:34:56 UTC' "$P/a/p002.png"
touch -d '1975-01-01' "$P/a/p003.png"
ok "index" "$scry" index --quiet "$P"
ok "starts" start
get "$url/api/v1/images?limit=100"
cp "$T/out" "$T/list.json"
ids=$(json 'json.dumps({"ids": [r["id"] for r in j["results"]]})')

zip() { # BODY CURL-ARGUMENT...
    body=$1
    shift
    code=$(printf '%s' "$body" | curl -s -m 120 -o "$T/a.zip" -D "$T/headers" -w '%{http_code}' --data-binary @- "$@" "$url/api/v1/zip")
}
zip "$ids"
is "status" $code 200
like "its type" "$T/headers" '^Content-Type: application/zip'
like "its name" "$T/headers" '^Content-Disposition: attachment; filename="pictures-[0-9-]*\.zip"'
like "no ranges" "$T/headers" '^Accept-Ranges: none'
ok "unzip tests it" unzip -t "$T/a.zip"
ok "Python reads it: every file, its bytes, its time, names of their own" python3 - "$T/a.zip" "$T/list.json" "$P" <<'P'
import json, os, sys, zipfile, datetime, time
z = zipfile.ZipFile(sys.argv[1])
assert z.testzip() is None
files = json.load(open(sys.argv[2]))["results"]
def path_of(r):
    import base64
    return base64.b64decode(r["path_base64"]) if "path_base64" in r else r["path"].encode()
infos = z.infolist()
assert len(infos) == len(files) == 18, (len(infos), len(files))
names = [i.filename for i in infos]
assert len({n.lower() for n in names}) == 18, names
assert not [n for n in names if "/" in n or "\\" in n], names
for i, r in zip(infos, files):
    path = path_of(r)
    assert i.compress_type == zipfile.ZIP_STORED and z.read(i) == open(path, "rb").read(), (i, path)
    wanted = max(time.localtime(os.stat(path).st_mtime)[:6], (1980, 1, 1, 0, 0, 0))
    assert i.date_time[:5] == wanted[:5] and abs(i.date_time[5] - wanted[5]) < 2, (i.date_time, wanted)
    assert i.external_attr >> 16 == 0o100644
print(names)
for n in ("p001.png", "P001 (2).PNG", "p001 (2) (2).png", "p001 (3).png", "Ünïcode ⛰.png", "back_slash.png", "latin\ufffd.png"):
    assert n in names, (n, names)
P
mkdir "$T/x"
ok "unzip extracts it" unzip -q "$T/a.zip" -d "$T/x"
is "as many files" "$(ls "$T/x" | wc -l)" 18
ok "the bytes of one" cmp "$T/x/p004.png" "$P/a/p004.png"
is "its time, in UTC" "$(TZ=UTC stat -c %y "$T/x/p002.png" | cut -c 1-19)" "2020-02-29 12:34:56"

# A form, which a page can send so that the browser saves the answer.
two=$(python3 -c 'import json, sys; print(",".join(r["id"] for r in json.load(open(sys.argv[1]))["results"][:2]))' "$T/list.json")
zip "ids=$two" -H 'Content-Type: application/x-www-form-urlencoded'
is "a form" "$code $(unzip -Z1 "$T/a.zip" | wc -l)" "200 2"
zip "ids=$(echo "$two" | sed 's/,/\&ids=/')" -H 'Content-Type: application/x-www-form-urlencoded'
is "a form with two fields" "$code $(unzip -Z1 "$T/a.zip" | wc -l)" "200 2"
zip "ids=x" -H 'Content-Type: application/x-www-form-urlencoded'
is "a form with something else: 400" $code 400
zip "{\"ids\": [\"$(echo "$two" | cut -c 1-32)\"]}" -H 'Range: bytes=10-20'
is "a range is not a part" "$code $(unzip -Z1 "$T/a.zip" | wc -l)" "200 1"
zip '{"ids": ["00000000000000000000000000000000"]}'
is "an unknown picture: 404" $code 404
zip '{"ids": []}'
is "no picture: 400" $code 400
zip "$(python3 -c 'import json; print(json.dumps({"ids": ["0" * 32] * 10001}))')"
is "too many: 400" $code 400
get "$url/api/v1/zip"
is "GET: 405" $code 405

# Files that have gone, or may not be shown, are named in the archive.
rm "$P/a/p000.png"
mkdir "$T/outside"
mv "$P/a/p001.png" "$T/outside/secret.png"
ln -s "$T/outside/secret.png" "$P/a/p001.png"
zip "$ids"
is "some are missing: status" $code 200
ok "unzip tests it" unzip -t "$T/a.zip"
is "the others, and a list" "$(unzip -Z1 "$T/a.zip" | wc -l)" 17
unzip -p "$T/a.zip" 'missing files.txt' >"$T/missing"
like "what has gone" "$T/missing" "a/p000.png: the file of this picture does not exist any more"
like "what leads elsewhere" "$T/missing" "a/p001.png: the file of this picture is a link out of its folder"
is "nothing else" "$(wc -l <"$T/missing")" 2

# A large archive goes through little memory; several at a time; a client that goes away.
truncate -s 300M "$P/a/p002.png"
large=$(python3 -c 'import json, sys; print(json.dumps({"ids": [r["id"] for r in json.load(open(sys.argv[1]))["results"] if r["name"] == "p002.png"] * 2}))' "$T/list.json")
before=$(sed -n 's/^VmHWM: *\([0-9]*\) kB/\1/p' /proc/$server/status)
zip "$large"
is "two large files: status" $code 200
ok "unzip tests it" unzip -t "$T/a.zip"
after=$(sed -n 's/^VmHWM: *\([0-9]*\) kB/\1/p' /proc/$server/status)
[ -n "$SCRY_TEST_UNCONFINED" ] || ok "the server's memory grew by less than 64 MB ($before to $after kB)" test $((after - before)) -lt 65536
rm "$T/a.zip"
printf '%s' "$large" | curl -s --limit-rate 1M --max-time 2 -o "$T/part" --data-binary @- "$url/api/v1/zip"
get "$url/api/v1/status"
is "a client went away: the server answers" $code 200
for i in 1 2 3; do
    printf '%s' "$ids" | curl -s -m 120 -o "$T/$i.zip" --data-binary @- "$url/api/v1/zip" &
    eval "curl_$i=$!"
done
wait "$curl_1" "$curl_2" "$curl_3"
for i in 1 2 3; do
    ok "one of three at a time" unzip -tq "$T/$i.zip"
done

# A file that becomes shorter ends the download; the server goes on.
printf '%s' "$large" | curl -s -m 120 --limit-rate 20M -o "$T/short.zip" --data-binary @- "$url/api/v1/zip" &
reader=$!
for _ in $(seq 300); do
    [ "$(stat -c %s "$T/short.zip" 2>/dev/null || echo 0)" -gt 1000000 ] && break
    sleep 0.1
done
truncate -s 1000 "$P/a/p002.png"
wait $reader
is "cut short: curl's status" "$([ $? != 0 ] && echo failed)" failed
truncate -s 300M "$P/a/p002.png"
printf '%s' "$large" | curl -s -m 120 --limit-rate 10M -o "$T/part" --data-binary @- "$url/api/v1/zip" &
reader=$!
for _ in $(seq 300); do
    [ "$(stat -c %s "$T/part" 2>/dev/null || echo 0)" -gt 1000000 ] && break
    sleep 0.1
done
stop
is "stopped during a download" $status 0
wait $reader
done_testing
