#!/bin/bash
# Collections with more rows than an answer of milvus 2.3.5 has: lists in pages, what an index run asks for, --prune.
cd "$(dirname "$0")/../.." || exit 1
. tests/milvus/lib.sh

tiny_model "$T/model"
P=$T/pics
pictures "$P" 2
cp "$P/p000.png" "$P/a \"quote\".png"
cp "$P/p000.png" "$P/$(printf 'caf\351.png')"
pictures "$T/other" 3 20
ok "the server starts" milvus_start "$T/milvus"
run index --store $M "$P" "$T/other"
ok "18,000 more rows" "$SCRY_BUILD/bench/milvus_rows" $M default "$P" 18000

# ---- lists ----
run list --store $M --paths -n 100000
cp "$T/out" "$T/all"
is "all are listed, once" "$(wc -l <"$T/all") $(sort -u "$T/all" | wc -l)" "18007 18007"
is "in order, but for names with quotes or bytes that are no UTF-8" \
    "$(grep -a "^$P" "$T/all" | grep -av 'quote\|caf' | LC_ALL=C sort -c 2>&1)" ""
. tests/server/lib/serve.sh
ok "serve" start --store $M
: >"$T/pages"
pages=0 cursor=
while :; do
    get "$url/api/v1/images?limit=1000${cursor:+&cursor=$cursor}"
    [ "$code" = 200 ] || break
    pages=$((pages + 1))
    json '"\n".join(r["path"] for r in j["results"])' >>"$T/pages"
    cursor=$(json 'j["cursor"] or ""')
    [ -n "$cursor" ] && [ $pages -lt 30 ] || break
done
is "pages of a thousand" "$pages" 19
is "... are the whole list" "$(grep -av caf "$T/pages" | cksum) $(wc -l <"$T/pages")" "$(grep -av caf "$T/all" | cksum) 18007"
# Lists in other orders: made by one walk, each page read with one request.
run list --store $M --paths --sort date -n 100000
is "by date, all of them" "$(sort "$T/out" | cksum)" "$(sort "$T/all" | cksum)"
cp "$T/out" "$T/dated"
get "$url/api/v1/images?limit=200&offset=9000&sort=date"
is "a page of it" "$(json '"\n".join(r["path"] for r in j["results"])' | grep -av caf | cksum)" \
    "$(sed -n '9001,9200p' "$T/dated" | grep -av caf | cksum)"
cursor=$(json 'j["cursor"]')
get "$url/api/v1/images?limit=200&cursor=$cursor&sort=date"
is "... and the next one" "$(json '"\n".join(r["path"] for r in j["results"])' | grep -av caf | cksum)" \
    "$(sed -n '9201,9400p' "$T/dated" | grep -av caf | cksum)"
# The first files of an order are read without the others, and are the same.
for o in "date" "date --reverse" "size" "size --reverse" "date --camera iphone"; do
    run list --store $M --paths --sort $o -n 2000
    head -n 70 "$T/out" | tail -n 50 >"$T/wanted"
    run list --store $M --paths --sort $o -n 50 --offset 20
    is "the first by $o" "$(cksum <"$T/out")" "$(cksum <"$T/wanted")"
done
run list --store $M --json --sort date -n 3
is "... of how many" "$(json '(j["total"], len(j["results"]))')" "(18007, 3)"
run list --store $M --json -n 3 --offset 100   # behind the names that JSON cannot have, wherever their root is
is "... without an order, too" "$(json '(j["total"], [r["path"] for r in j["results"]])')" \
    "(18007, $(sed -n 101,103p "$T/all" | python3 -c 'import sys; print(sys.stdin.read().split("\n")[:3])'))"
get "$url/api/v1/images?limit=200&offset=100&sort=date"
is "a page of the API among the first" "$(json '"\n".join(r["path"] for r in j["results"])' | grep -av caf | cksum) $(json 'j["total"]')" \
    "$(sed -n '101,300p' "$T/dated" | grep -av caf | cksum) 18007"
cursor=$(json 'j["cursor"]')
get "$url/api/v1/images?limit=200&cursor=$cursor&sort=date"
is "... and the next one" "$(json '"\n".join(r["path"] for r in j["results"])' | grep -av caf | cksum)" \
    "$(sed -n '301,500p' "$T/dated" | grep -av caf | cksum)"
get "$url/api/v1/timeline"
is "the timeline has all" "$(json '(j["total"], sum(d["count"] for d in j["days"]))')" "(18007, 18007)"
get "$url/api/v1/facets"
is "facets are estimated from a part" "$(json '(round(j["sample"], 1), 14000 < [f["count"] for f in j["formats"] if f["name"] == "jpeg"][0] < 22000)')" \
    "(0.2, True)"
stop
run list --store $M --paths -n 100000 --in "$P/y000/m0007"
is "below a folder" "$(wc -l <"$T/out") $(head -n 1 "$T/out")" "1000 $P/y000/m0007/IMG_00007000.jpg"
run list --store $M --paths -n 100000 --camera iphone
is "with a filter" "$(wc -l <"$T/out")" "$("$PYMILVUS" -c 'import sys
print(sum((n - (n % 100 == 99)) % 5 == 3 for n in range(18000)))')"

# ---- an index run asks for the files it meets ----
"$PYMILVUS" tests/milvus/tap.py 29531 "$T/sent" &
tap=$!
until (exec 3<>/dev/tcp/127.0.0.1/29531) 2>/dev/null; do sleep 0.1; done
pictures "$T/one" 1 50
cp "$T"/one/*.png "$P/one.png"
: >"$T/sent"
run index --store milvus://127.0.0.1:29531 "$P/one.png"
like "one more file" "$T/err" '^1 added'
like "... is asked for by its id" "$T/sent" 'id in \["[0-9a-f]{32}"\]'
unlike "... and no other" "$T/sent" 'id >= "|, "[0-9a-f]{32}"'
: >"$T/sent"
run index --store milvus://127.0.0.1:29531 "$P/p000.png" "$P/p001.png"
like "two that are there" "$T/err" '^0 added, 0 updated, 2 unchanged'
is "... are asked for together" "$(grep -aoE 'id in \["[0-9a-f]{32}", "[0-9a-f]{32}"\]' "$T/sent" | wc -l)" 1
kill $tap
run verify --store $M
is "verify" "$status" 0
run verify --store $M --sample 1000 --progress
ok "verify --sample: about so many: $(cat "$T/out")" test "$status" = 0 -a \
    "$(sed -n 's/^all is well: \([0-9]*\) files looked at$/\1/p' "$T/out" | awk '{ print ($1 > 700 && $1 < 1300) }')" = 1
run verify --store $M --against $M --sample 1000
like "the same of a comparison" "$T/out" '^([7-9][0-9][0-9]|1[0-2][0-9][0-9]) files looked at are equal in both$'
run verify --store $M --sample 100000
like "a sample of more than there are is all of them" "$T/out" '^all is well: 18008 files looked at'
run index --store "$T/embedded" "$P" "$T/other"
run verify --store "$T/embedded" --sample 10
is "a folder is checked as a whole" "$status" 2
like "... which is said" "$T/err" 'a sample is for stores on Milvus.*omit --sample'

# ---- what is gone ----
run index --store $M "$P"
like "files that are gone are counted" "$T/err" '18000'
run index --store $M --prune "$P"
is "and removed" "$status $(compare count default)" "0 8"
run list --store $M --paths
is "what is left" "$(wc -l <"$T/out")" 8
milvus_stop
done_testing
