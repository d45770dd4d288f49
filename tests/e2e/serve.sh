#!/bin/sh
# scry serve: the API's answers, what it refuses, and attacks on it.
. "$(dirname "$0")/lib.sh"
. "$SCRY_TOP/tests/server/lib/serve.sh"
command -v curl >/dev/null || { echo "1..0 # SKIP no curl"; exit 0; }
tiny_model "$T/model"
P=$T/pics
pictures "$P" 30
ok "index" "$scry" index "$P"

SCRY_TRACE=1
export SCRY_TRACE
ok "starts" start
unset SCRY_TRACE
is "the text tower is packed before its first pass" "$(grep -o "text tower packed\|text tower  " "$T/serve.err" | head -n 1)" "text tower packed"
get "$url/healthz"
is "healthz" $code 200
get "$url/readyz"
is "readyz" $code 200

# Searching.
get "$url/api/v1/search?q=red&limit=4"
is "search" $code 200
is "search: results" "$(json 'len(j["results"])')" 4
is "search: ranks" "$(json '[r["rank"] for r in j["results"]]')" '[1, 2, 3, 4]'
cursor=$(json 'j["cursor"]')
first=$(json '[r["id"] for r in j["results"]]')
id=$(json 'j["results"][0]["id"]') path0=$(json 'j["results"][0]["path"]')
get "$url/api/v1/search?q=red&limit=4&cursor=$cursor"
is "next page: ranks" "$(json '[r["rank"] for r in j["results"]]')" '[5, 6, 7, 8]'
run search --json --limit 4 red
is "the command line finds the same" "$(json '[r["id"] for r in j["results"]]')" "$first"
get -X POST -H 'Content-Type: application/json' -d '{"parts":[{"text":"red"}],"limit":4}' "$url/api/v1/search"
is "search by JSON finds the same" "$(json '[r["id"] for r in j["results"]]')" "$first"
get "$url/api/v1/search?q=red&format=jpeg"
is "a filter without results" "$(json 'j["results"]')" '[]'
get "$url/api/v1/search"
is "no query: 400" $code 400
like "errors are problem documents" "$T/headers" '^Content-Type: application/problem\+json'
get "$url/api/v1/search?q=red&limit=0"
is "limit out of range: 400" $code 400
get "$url/api/v1/search?q=%40%2Fetc%2Fpasswd"
is "a picture by path: 400" $code 400
get "$url/api/v1/images/$id/similar?limit=1"
is "similar: itself first" "$(json 'j["results"][0]["id"]')" "$id"

# Near-identical pictures folded: every picture is there once, shown or folded, and pages fit together.
get "$url/api/v1/search?q=red&limit=1000"
scores=$(json '[r["id"] for r in j["results"]]')
get "$url/api/v1/search?q=red&limit=1000&fold=0.9"
is "fold: all are accounted for" "$(json 'sorted(i for r in j["results"] for i in [r["id"]] + r["folded_ids"])')" \
    "$(python3 -c "print(sorted($scores))")"
is "fold: some are folded" "$(json '0 < sum(r["folded"] for r in j["results"]) < 29')" True
folded=$(json '[r["id"] for r in j["results"]]')
joined='[]' cursor=0
while [ "$cursor" != None ]; do
    get "$url/api/v1/search?q=red&limit=3&fold=0.9&cursor=$cursor"
    joined="$joined + $(json '[r["id"] for r in j["results"]]')"
    cursor=$(json 'j["cursor"]')
done
is "fold: the pages are the whole" "$(python3 -c "print($joined)")" "$folded"
run search --json --limit 1000 --fold 0.9 red
is "fold: the command line's are the same" "$(json '[r["id"] for r in j["results"]]')" "$folded"
get -X POST -d '{"q":"red","limit":1000,"fold":0.9}' "$url/api/v1/search"
is "fold: so are those by JSON" "$(json '[r["id"] for r in j["results"]]')" "$folded"
get "$url/api/v1/search?q=red&fold=nan"
is "fold: not a number: 400" $code 400
get "$url/api/v1/search?q=red&fold=auto&all_copies=1"
is "fold: not with all copies: 400" $code 400

# Search by an uploaded picture; its URL stays valid.
get -X POST --data-binary "@$P/p007.png" "$url/api/v1/query-pictures"
is "upload to search with" $code 201
upload=$(json 'j["picture"]')
get "$url/api/v1/search?q=%40p:$upload&limit=1"
is "it finds itself" "$(json 'j["results"][0]["name"]')" p007.png
get "$url/api/v1/search?q=%40p:$upload%230,0,20,16&limit=1"
is "a part of it" $code 200
kept=$(find "$XDG_CACHE_HOME/scry/queries" -name "$upload" -printf '%i %C@')
get -X POST --data-binary "@$P/p007.png" "$url/api/v1/query-pictures"
is "the same picture again: is not written again, while a search may read it" \
    "$(find "$XDG_CACHE_HOME/scry/queries" -name "$upload" -printf '%i %C@')" "${kept:-kept}"
get "$url/api/v1/query-pictures/$upload/thumbnail"
is "its thumbnail" $code 200
get -F "image=@$P/p009.png" -F limit=1 "$url/api/v1/search"
is "search by form" "$(json 'j["results"][0]["name"]')" p009.png
get -d 'q=red&&limit=4' -d 'format=png&' "$url/api/v1/search"
is "an encoded form, as clients send by default" "$code $(json '[len(j["results"]), j["query"], {r["format"] for r in j["results"]}]')" "200 [4, 'red', {'png'}]"
get --data-urlencode 'q=red + ½:"a&b=c" 100%' -d limit=1 "$url/api/v1/search"
is "an encoded form: signs" "$(json '[p["text"] for p in j["parts"]]')" "['red', '½:\"a&b=c\" 100%']"
get -d 'q=red&Limit=4' "$url/api/v1/search"
like "an encoded form: unknown names are refused" "$T/out" '400.*unknown parameter ..Limit..: did you mean limit'
get -d 'q=red&image=x' "$url/api/v1/search"
like "an encoded form: no files" "$T/out" '400.*send the form as multipart/form-data'
get -d 'q=red%00' "$url/api/v1/search"
like "an encoded form: a zero byte" "$T/out" '400.*q holds a zero byte'
get -d 'q=red' "$url/api/v1/search?limit=4&format=png"
is "the address of a form has parameters, too" "$(json '[len(j["results"]), {r["format"] for r in j["results"]}]')" "[4, {'png'}]"
get -F "image=@$P/p009.png" "$url/api/v1/search?limit=1"
is "of one with a file" "$(json '[r["name"] for r in j["results"]]')" "['p009.png']"
get -d '{"q":"red"}' "$url/api/v1/search?limit=4"
is "of JSON" "$(json 'len(j["results"])')" 4
for address in "q=blue" "xyz=1" "limit=0"; do
    get -d '{"q":"red"}' "$url/api/v1/search?$address"
    is "what cannot be taken there is refused: $address" "$code" 400
done
get "$url/api/v1/search?&q=red&&limit=4&"
is "signs between parameters that are not there" "$code $(json 'len(j["results"])')" '200 4'
get "$url/api/v1/search?q=red&=4"
is "a value without a name: 400" "$code" 400
printf '\357\273\277{"q":"red","limit":4.0}' >"$T/marked"
get -H 'Content-Type: application/json' --data-binary "@$T/marked" "$url/api/v1/search"
is "JSON with a byte order mark; 4.0 is 4" "$code $(json 'len(j["results"])')" '200 4'
get --data-binary "@$T/marked" "$url/api/v1/search"
is "the same, called a form" "$code $(json 'len(j["results"])')" '200 4'
get -X POST -d 'this is no picture' "$url/api/v1/query-pictures"
is "not a picture: 415" $code 415
is "... and why, by names that stay" "$(json '(j["code"], j["cause"])')" "('undecodable', 'not_picture')"

# Pictures.
get "$url/api/v1/images/$id"
is "a record" $code 200
get "$url/api/v1/images/$id/thumbnail?size=160"
is "a thumbnail" $code 200
tag=
for _ in $(seq 100); do   # files are tagged once they are older than the steps of their times
    tag=$(sed -n 's/^ETag: \(.*\)\r$/\1/p' "$T/headers")
    [ -z "$tag" ] || break
    sleep 0.1
    get "$url/api/v1/images/$id/thumbnail?size=160"
done
get -H "If-None-Match: $tag" "$url/api/v1/images/$id/thumbnail?size=160"
is "unchanged: 304" $code 304
get "$url/api/v1/images/$id/thumbnail?size=99999"
is "another size: 400" $code 400
get "$url/api/v1/images/$id/file"
is "the file" $code 200
like "is an attachment" "$T/headers" '^Content-Disposition: attachment'
size=$(stat -c %s "$path0")
for range in 0-9 10-19 -5 "$((size - 3))-" 0-999999999; do
    get -r "$range" "$url/api/v1/images/$id/file"
    is "range $range: 206" $code 206
    is "range $range: those bytes" "$(sha256sum <"$T/out")" \
        "$(python3 -c 'import sys
d = open(sys.argv[1], "rb").read()
a, b = sys.argv[2].split("-")
sys.stdout.buffer.write(d[-int(b):] if not a else d[int(a):int(b) + 1 if b else None])' "$path0" "$range" | sha256sum)"
done
get -r "$size-" "$url/api/v1/images/$id/file"
is "a range past the end: 416" $code 416
like "416: says the size" "$T/headers" "^Content-Range: bytes \*/$size"
get -H 'If-Range: "other"' -r 0-9 "$url/api/v1/images/$id/file"
is "a range of another file: the whole" "$code $(wc -c <"$T/out")" "200 $size"
get "$url/api/v1/images?limit=7"
is "list: a page" "$(json 'len(j["results"])')" 7
cursor=$(json 'j["cursor"]')
get "$url/api/v1/images?limit=1000&cursor=$cursor"
is "list: the rest" "$(json 'len(j["results"])')" 23
get "$url/api/v1/facets"
is "facets" "$(json '[(f["name"], f["count"]) for f in j["formats"]]')" "[('png', 30)]"
get "$url/api/v1/folders?path=/"
is "folders, without --allow-index: 403" $code 403
get "$url/count"
is "the tutorial's count" "$(cat "$T/out")" 30
get -X POST -d red "$url/search?limit=4"
is "the tutorial's search" "$(json '[r["id"] for r in j["results"]]')" "$first"

# Vectors and labels.
get -X POST -d '{"texts":["red","blue"]}' "$url/api/v1/embeddings"
is "embeddings" "$(json 'len(j["vectors"]) == 2 and len(j["vectors"][0]) == j["dim"]')" True
is "embeddings are unit vectors" "$(json 'abs(sum(x * x for x in j["vectors"][0]) - 1) < 1e-5')" True
red=$(json 'j["vectors"][0]')
get -X POST -d '{"input":"red","encoding_format":"base64"}' "$url/v1/embeddings"
base64=$(json '__import__("array").array("f", __import__("base64").b64decode(j["data"][0]["embedding"])).tolist()')
is "OpenAI's form: the same vector" "$(python3 -c "a, b = $red, $base64
print(len(a) == len(b) > 0 and max(abs(x - y) for x, y in zip(a, b)) < 1e-5)")" True
get -X POST -d "{\"id\":\"$id\",\"labels\":[\"red\",\"blue\"]}" "$url/api/v1/classify"
is "classify: probabilities" "$(json 'abs(sum(l["probability"] for l in j["labels"]) - 1) < 1e-6')" True

# Disabled, missing, too large.
get -X POST --data-binary "@$P/p001.png" "$url/insert"
is "uploads are off: 403" $code 403
get -X DELETE "$url/api/v1/images/$id"
is "removal is off: 403" $code 403
get -X POST -d '{"paths":["/"]}' "$url/api/v1/index"
is "indexing is off: 403" $code 403
get "$url/nothing"
is "nothing there: 404" $code 404
get -X PUT "$url/api/v1/search"
is "wrong method: 405" $code 405
like "Allow lists the methods" "$T/headers" '^Allow: .*GET'
head -c 100000 /dev/zero | tr '\0' a >"$T/long"
get -X POST --data-binary "@$T/long" "$url/search"
is "a body over the limit: 413" $code 413
head -c 4194305 /dev/zero | tr '\0' ' ' >"$T/json"
echo "{\"parts\":[{\"text\":\"$(head -c 70000 "$T/long")\"}]}" >"$T/query"
get -X POST -d "@$T/query" "$url/api/v1/search"
is "a query over 64 KiB in JSON: 413" $code 413
get -F "image=@$P/p009.png" -F "q=<$T/long" "$url/api/v1/search"
is "in a form: 413" $code 413
labels=$(python3 -c 'print(",".join(["\"a\""] * 1024))')
get -X POST -d "{\"q\":\"red\",\"filter\":{\"label\":[$labels]},\"limit\":1}" "$url/api/v1/search"
is "too many filters: 400" $code 400
get -X POST -d '{"parts":[{"text":"red"},{"text":" \n"}]}' "$url/api/v1/search"
is "an empty text: 400" $code 400
for path in search embeddings; do
    get -X POST --data-binary "@$T/json" "$url/api/v1/$path"
    is "JSON over 4 MiB: 413 from $path" $code 413
done
get "$url/api/v1/search?q=$(head -c 70000 "$T/long")"
is "a long address: 414" "$code $(json 'j["status"]')" "414 414"
# Around the limit and the end of libmicrohttpd's memory: none ends without a status, also where the client sends the last bytes only when
# the answer is there, as a slow one does.
cat >"$T/sizes.py" <<'END'
import select, socket, sys
def status(text):
    s = socket.create_connection(("127.0.0.1", int(sys.argv[1])))
    s.sendall(text[:-500])
    select.select([s], [], [], 0.3)
    s.sendall(text[-500:])
    answer = s.makefile("rb").readline().split()
    return answer[1].decode() if answer else "none"
host = b"Host: 127.0.0.1\r\nConnection: close\r\n"
for size in 60000, 63000, 63990, 64010, 65000, 65300, 70000, 130000, *range(130600, 131200, 30), 140000, 260000:
    seen = [status(b"GET /healthz?" + b"a" * size + b" HTTP/1.1\r\n" + host + b"\r\n"),
            status(b"GET /healthz HTTP/1.1\r\n" + host + b"X: " + b"a" * size + b"\r\n\r\n")]
    if seen != ["200", "200"] if size < 63900 else seen not in (["414", "431"], ["431", "431"]):
        print(size, *seen)
print(status(b"GET /healthz HTTP/1.1\r\n" + host + b"X: y\r\n" * 198 + b"\r\n"), status(b"GET /healthz HTTP/1.1\r\n" + host + b"X: y\r\n" * 199 + b"\r\n"))
END
is "addresses and headers of any size, many headers" "$(python3 "$T/sizes.py" "${url##*:}" 2>&1)" "200 431"
for attack in /api/v1/images/../../../../etc/passwd/file /assets/../../etc/passwd /assets/%2e%2e/%2e%2e/etc/passwd \
    /assets/..%2f..%2fetc%2fpasswd "/api/v1/images/$id%00/file" /assets/%; do
    get "$url$attack"
    ok "no way out: $attack" test $code = 404 -o $code = 400
done

# Links changed to point outside the root after indexing; files that no longer exist.
get "$url/api/v1/search?q=blue&limit=1"
victim=$(json 'j["results"][0]["id"]') path=$(json 'j["results"][0]["path"]')
mv "$path" "$T/kept.png"
ln -s /etc/passwd "$path"
get "$url/api/v1/images/$victim/file"
is "a link out of the root: 403" $code 403
unlike "the response holds nothing of the file" "$T/out" root:
rm "$path"
get "$url/api/v1/images/$victim/file"
is "a file that is gone: 404" $code 404
unlike "an error is not cached" "$T/headers" '^ETag|max-age'
mkfifo "$path"
get "$url/api/v1/images/$victim/view"
is "a FIFO in its place: 404" $code 404
rm "$path"
mv "$T/kept.png" "$path"
get "$url/api/v1/images/$victim/file"
is "back again" $code 200

# Other hosts and origins.
get -H 'Host: evil.example' "$url/api/v1/status"
is "another Host (DNS rebinding): 421" $code 421
get -H 'Origin: http://evil.example' -X POST -d red "$url/search"
is "another Origin (CSRF): 403" $code 403
get -H "Origin: $url" -X POST -d red "$url/search"
is "our own Origin" $code 200
get "$url/"
like "a strict Content-Security-Policy" "$T/headers" "^Content-Security-Policy: default-src 'none'"

# Requests in progress at that time are answered: tests/server/attacks.py.
stop
is "SIGTERM: 0" $status 0

# A token.
printf 'a-token-of-24-characters\n' >"$T/token"
chmod 600 "$T/token"
ok "starts with a token" start --token-file "$T/token" --allow-upload --allow-remove --allow-index
get "$url/api/v1/status"
is "no token: 401" $code 401
get -H 'Authorization: Bearer wrong' "$url/api/v1/status"
is "a wrong token: 401" $code 401
get -H 'Authorization: Bearer a-token-of-24-characters' "$url/api/v1/status"
is "the token" $code 200
get -X POST -c "$T/jar" -d '{"token":"wrong"}' "$url/login"
is "login with a wrong token: 401" $code 401
get -X POST -c "$T/jar" -d '{"token":"a-token-of-24-characters"}' "$url/login"
is "login" $code 204
get -b "$T/jar" "$url/api/v1/status"
is "the cookie" $code 200
get "$url/"
is "the page needs none" $code 200

# Changes.
A='Authorization: Bearer a-token-of-24-characters'
mkdir -p "$T/folders/Ab" "$T/folders/abc/d" "$T/folders/.abd" "$T/folders/x"
ln -s Ab "$T/folders/abl" && touch "$T/folders/abfile"
get -H "$A" "$url/api/v1/folders?path=$T/folders/aB"
is "folders: by the beginning, links to folders, no files, none that are hidden" "$(json '[p.rsplit("/", 1)[1] for p in j["folders"]]')" "['Ab', 'abc', 'abl']"
get -H "$A" "$url/api/v1/folders?path=$T/folders/."
is "... hidden ones where a dot is typed" "$(json '[p.rsplit("/", 1)[1] for p in j["folders"]]')" "['.abd']"
get -H "$A" "$url/api/v1/folders?path=$T/folders/abc/"
is "... below one" "$(json 'j["folders"]')" "['$T/folders/abc/d']"
get -H "$A" "$url/api/v1/folders?path=$T/nowhere/"
is "... of none" "$code $(json 'j["folders"]')" "200 []"
get -H "$A" "$url/api/v1/folders?path=folders"
is "... no absolute path: 400" "$code $(json 'j["code"]')" "400 not_absolute"
mkdir -p "$HOME/Trips/Rome"
get -H "$A" "$url/api/v1/folders?path=~/Tr"
is "... of the home folder, by ~" "$code $(json 'j["folders"]')" "200 ['$HOME/Trips']"
get -H "$A" "$url/api/v1/folders"
is "... without a path: those at home, and no Pictures folder" "$code $(json 'j["pictures"]')" "200 None"
mkdir -p "$HOME/Pictures"
get -H "$A" "$url/api/v1/folders?path="
is "... the Pictures folder" "$(json 'j["pictures"]')" "$HOME/Pictures"
rmdir "$HOME/Pictures"
get "$url/api/v1/folders?path=/"
is "... without the token: 401" $code 401
(cd "$T/folders" && for i in $(seq 120); do echo "x/$(printf %03d "$i")"; done | xargs mkdir)
get -H "$A" "$url/api/v1/folders?path=$T/folders/x/"
is "... the first hundred" "$(json '(len(j["folders"]), j["folders"][-1][-3:], j["folders"] == sorted(j["folders"]))')" "(100, '100', True)"
pictures "$T/more" 3 90
get -H "$A" -X POST --data-binary "@$T/more/p090.png" "$url/insert"
is "insert" $code 201
new=$(json 'j["id"]')
kept=$(json 'j["path"]')
get -H "$A" -F "image=@$T/more/p091.png" -F label=sea -F label=sand -F key=k91 "$url/api/v1/images"
is "add by form" $code 201
is "its labels and key" "$(json 'j["labels"], j["key"]')" "(['sea', 'sand'], 'k91')"
get -H "$A" "$url/api/v1/images?label=sea&key=k91"
is "found by them" "$(json 'len(j["results"])')" 1
get -H "$A" -F "image=@$T/more/p091.png" -F label= "$url/api/v1/images"
is "an empty label: 400" $code 400
media=$(find "$SCRY_STORE/media" -type f | wc -l)
pictures "$T/unseen" 1 95
get -H "$A" -F "image=@$T/unseen/p095.png" -F label= "$url/api/v1/images"
is "a new picture that is refused for its label" $code 400
is "leaves no file" "$(find "$SCRY_STORE/media" -type f | wc -l)" "$media"
get -H "$A" -F "image=@$T/unseen/p095.png" -F labels=sea "$url/api/v1/images"
like "a field that is not known is refused" "$T/out" '400.*unknown parameter ..labels..: did you mean label'
is "and leaves no file either" "$(find "$SCRY_STORE/media" -type f | wc -l)" "$media"
get -H "$A" -F "file=@$T/unseen/p095.png" "$url/api/v1/images"
like "a picture in another field" "$T/out" '400.*unknown parameter ..file..: expected one of image label key'
get -H "$A" -F "file=@$T/unseen/p095.png" "$url/api/v1/search"
like "of a search, too" "$T/out" '400.*unknown parameter ..file..'
for body in '"label":"x"' '"labels":"x"' '"kye":1'; do
    get -H "$A" -H 'Content-Type: application/json' -d "{\"path\":\"$T/pics/p000.png\",$body}" "$url/api/v1/images"
    is "JSON that is not understood is refused: $body" "$code" 400
done
for body in '"prune":"true"' '"retry":1' '"rechek":true'; do
    get -H "$A" -d "{\"paths\":[\"$T/more\"],$body}" "$url/api/v1/index"
    is "so it is by an index run: $body" "$code" 400
done
get -H "$A" -d '["paths"]' "$url/api/v1/index"
is "and what is no object" "$code" 400
get -H "$A" -d "{\"paths\":[\"$T/more\",\"pictures of 2020\"]}" "$url/api/v1/index"
is "and a path that is not absolute, by its name" "$code $(json 'j["code"], "pictures of 2020" in j["detail"]')" "400 ('not_absolute', True)"
get -H "$A" -F "image=@$T/more/p090.png" -F "image=@$T/more/p091.png" "$url/api/v1/images"
is "two at once, both known already" "$code $(json 'len(j["results"])')" '201 2'
get -H "$A" "$url/count"
is "both are there" "$(cat "$T/out")" 32
get -H "$A" -X POST -d 'this is no picture' "$url/insert"
is "not a picture: 415" $code 415
{ head -c 60 "$T/more/p090.png"; head -c 200 /dev/zero; } >"$T/broken.png"
get -H "$A" -X POST --data-binary "@$T/broken.png" "$url/insert"
is "a broken picture: 415" $code 415
is "and its file is not kept" "$(ls "$(dirname "$kept")" | wc -l)" 2
get -H "$A" "$url/api/v1/skipped"
is "nor its record" "$(json 'j["results"]')" '[]'
get -H "$A" -H 'Content-Type: application/json' --data-binary "@$T/json" "$url/api/v1/images"
is "JSON over 4 MiB: 413 from images" $code 413
get -H "$A" -H 'Content-Type: application/json' -d '{"path":"/etc/passwd"}' "$url/api/v1/images"
is "a path outside the roots: 403" $code 403
echo "1,$T/more/p092.png" >"$P/table.csv"
mkdir "$P/folder"
cp "$T/more/p092.png" "$P/folder"
for path in "$P/table.csv" "$P/folder"; do
    get -H "$A" -H 'Content-Type: application/json' -d "{\"path\":\"$path\"}" "$url/api/v1/images"
    is "no picture but ${path##*/}: 415" $code 415
done
get -H "$A" "$url/count"
is "nothing was added" "$(cat "$T/out")" 32
rm -r "$P/table.csv" "$P/folder"
get -H "$A" -H 'Content-Type: application/json' -d "{\"path\":\"$P/p001.png\"}" "$url/api/v1/images"
is "a path below a root" $code 201
get -H "$A" -X DELETE "$url/api/v1/images/$new"
is "remove" $code 204
get -H "$A" "$url/api/v1/images/$new"
is "it is gone" $code 404
ok "so is the upload" test ! -e "$kept"
get -H "$A" -d "{\"paths\":[\"$T/more\"]}" "$url/api/v1/index"
is "index run" $code 202
job=$(json 'j["job"]')
get -H "$A" "$url/api/v1/index/$job/events"
like "events to the end" "$T/out" '^event: done'
get -H "$A" "$url/count"
is "its pictures are there" "$(cat "$T/out")" 34
cp "$T/broken.png" "$P"
: >"$P/empty.png"
get -H "$A" -d "{\"paths\":[\"$P\",\"$T/nowhere\"]}" "$url/api/v1/index"
get -H "$A" "$url/api/v1/index/$(json 'j["job"]')/events"
is "files that are skipped: each event has the name of its reason" \
    "$(grep -A1 '^event: skipped' "$T/out" | sed -n 's/.*"code":"\([a-z_]*\)".*/\1/p' | sort | tr '\n' ' ')" "empty gone truncated "
get -H "$A" "$url/api/v1/skipped"
is "... and so have those that are remembered" "$(json '[(r["path"].split("/")[-1], r["code"]) for r in j["results"]]')" \
    "[('broken.png', 'truncated'), ('empty.png', 'empty')]"
stop

run serve --listen 0.0.0.0:0
is "off loopback without a token: 2" $status 2
like "says how" "$T/err" 'token-file'
run serve --listen 127.0.0.1
is "no port: 2" $status 2
run serve --token-file "$T/nothing"
is "no token file: 2" $status 2
done_testing
