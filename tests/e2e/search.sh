#!/bin/sh
# scry search: queries, forms of output, limits, errors.
. "$(dirname "$0")/lib.sh"
run search x
is "no model there: 2" $status 2
tiny_model "$T/model"
run search x
is "no index yet: 2" $status 2
like "no index yet: how to make one" "$T/err" 'scry index'
P=$T/pics
pictures "$P" 30
ok "index" "$scry" index "$P"
cp "$P/p003.png" "$P/zcopy.png"
ok "index a copy" "$scry" index "$P"

run search red
is "found: 0" $status 0
is "ten lines by default" "$(wc -l <"$T/out")" 10
run search --limit 3 --offset 2 --json red
is "JSON: ranks" "$(json '[r["rank"] for r in j["results"]]')" '[3, 4, 5]'
is "JSON: what it tells" "$(json 'all(k in j for k in ("query", "model", "store", "took_ms", "results"))')" True
is "JSON: a result" "$(json 'all(k in j["results"][0] for k in ("rank", "score", "id", "path", "width", "height"))')" True
is "JSON: sizes" "$(json '(j["results"][0]["width"], j["results"][0]["height"])')" '(40, 32)'
is "JSON: no text was cut" "$(json 'j["text_cut"]')" False
run search --json "$(printf 'picture %.0s' $(seq 300))"
is "JSON: a text was cut" "$status $(json 'j["text_cut"]')" "0 True"
run search --limit 100 --json red
is "scores fall" "$(json '(lambda s: s == sorted(s, reverse=True))([r["score"] for r in j["results"]])')" True
is "a content is shown once" "$(json 'len(j["results"])')" 30
is "its copies are counted" "$(json '[r["copies"] for r in j["results"] if r["path"].endswith("p003.png")]')" '[1]'
SCRY_TRACE=1
export SCRY_TRACE
run search red
unset SCRY_TRACE
like "SCRY_TRACE: the text" "$T/err" '^trace: text tower .* ms$'
like "SCRY_TRACE: the scan" "$T/err" '^trace: scan .* ms$'
like "SCRY_TRACE: all of it" "$T/err" '^trace: the whole command .* ms$'
same='[(r["path"], r["score"]) for r in j["results"]]'
run search --limit 100 --json red
exact=$(json "$same")
run search --limit 100 --approximate --json red
is "--approximate is the exact search where there are few" "$(json "$same")" "$exact"   # many: test_store_approximate.c
run search --limit 100 --all-copies --json red
is "--all-copies" "$(json 'len(j["results"])')" 31
run search --paths red
is "--paths: paths only" "$(grep -c "^$P/p[0-9]*\.png$" "$T/out")" 10
run search --words red
is "filters without a query: 2" $status 2
like "... the command that takes them" "$T/err" 'the query is empty: say what to look for, or take .scry list. with these filters$'
run search --min-score 2 red
is "--min-score out of range: 2" $status 2
run search --min-score 1 red
is "nothing that good: 1" $status 1
run search --limit 0 red
is "--limit 0: 2" $status 2

# A picture finds itself; the parts of a query add up.
run search --json --limit 1 "@$P/p007.png"
is "@FILE finds itself" "$(json '(j["results"][0]["path"][-8:], round(j["results"][0]["score"], 2))')" "('p007.png', 1.0)"
run search --json --limit 1 --image "$P/p007.png"
is "--image is the same" "$(json 'j["results"][0]["path"][-8:]')" 'p007.png'
# Against brute force over the vectors that scry embed writes.
ls "$P"/p*.png >"$T/paths"
ok "embed all pictures" "$scry" embed --images "$T/paths" --out "$T/all.npy"
cat >"$T/brute.py" <<'END'
import math, struct, sys
paths = open(sys.argv[1]).read().split("\n")[:-1]
b = open(sys.argv[2], "rb").read()
v = struct.unpack(f"<{len(paths) * 16}f", b[-len(paths) * 64:])
row = {p[-8:]: v[i * 16:i * 16 + 16] for i, p in enumerate(paths)}
q = [2 * x + y - 0.5 * z for x, y, z in zip(row["p007.png"], row["p008.png"], row["p011.png"])]
length = math.sqrt(sum(x * x for x in q))
score = {n: sum(x * y for x, y in zip(r, q)) / length for n, r in row.items()}
print(" ".join(f"{n}={score[n]:.2f}" for n in sorted(score, key=lambda n: -score[n])[:5]))
END
run search --json --limit 5 "2:@$P/p007.png" + "@$P/p008.png" - "0.5:@$P/p011.png"
is "a composed query against brute force" "$(json '" ".join("%s=%.2f" % (r["path"][-8:], r["score"]) for r in j["results"])')" \
    "$(python3 "$T/brute.py" "$T/paths" "$T/all.npy")"
run search --json --limit 1 5:@"$P/p007.png" - 0.1:red
is "weights" "$(json 'j["results"][0]["path"][-8:]')" 'p007.png'
id=$("$scry" search --json --limit 1 "@$P/p009.png" | python3 -c 'import json, sys; print(json.load(sys.stdin)["results"][0]["id"])')
run search --json --limit 1 "@id:$id"
is "@id: finds itself" "$(json 'j["results"][0]["path"][-8:]')" 'p009.png'
run search "@$P/p007.png#0,0,20,20"
is "a part of a picture" $status 0
run search "@$P/p007.png#0,0,2000,20"
is "a part outside the picture: 2" $status 2
run search '@id:00112233445566778899aabbccddeeff'
is "an id that is not stored: 2" $status 2
run search '\@literal'
is "a backslash keeps a literal @" $status 0
run search red - red
is "parts that cancel each other out: 2" $status 2
run search ''
is "an empty query: 2" $status 2
run search
is "no query: 2" $status 2
run search red +
is "an operator with nothing behind it: 2" $status 2
run search "@$T/none.png"
is "a picture that is not there: 2" $status 2
like "and is named" "$T/err" 'none\.png'
mkdir "$T/$(printf 'Mu\314\210ll')"
cp "$P/p007.png" "$T/$(printf 'Mu\314\210ll/Cafe\314\201.png')"
run search --json --limit 1 "@$T/$(printf 'M\303\274ll/Caf\303\251.png')"
is "a name in another Unicode form" "$status $(json 'j["results"][0]["path"][-8:]')" '0 p007.png'
run search "@$T/$(printf 'M\303\274ll/Caf\303\250.png')"
like "... not another name, which is said as it was given" "$T/err" "$(printf 'M\303\274ll/Caf\303\250.png: .*No such file')"
run search "$(printf 'bad \377\376 bytes')"
is "a query that is not UTF-8: 2" $status 2
like "and what it is" "$T/err" 'not valid UTF-8'
run search "$(head -c 60000 /dev/zero | tr '\0' a)"
is "a very long query is cut" $status 0
like "and says so" "$T/err" 'longer'

# Filters.
mkdir "$P/sub"
cp "$P/p001.png" "$P/sub/one.png"
ok "index a folder below" "$scry" index "$P"
run search --paths --in "$P/sub" red
is "--in" "$(cat "$T/out")" "$P/sub/one.png"
run search --paths --format png --limit 100 red
is "--format png" "$(wc -l <"$T/out")" 30
run search --format jpeg red
is "--format jpeg: nothing" $status 1
touch -d 1999-05-05 "$P/p020.png" "$P/p021.png"
ok "index after the files' dates changed" "$scry" index "$P"
run search --paths --before 2000 red
is "--before: a picture without a date has its file's" "$(sort "$T/out" | tr '\n' ' ')" "$P/p020.png $P/p021.png "
run search --before 2000 --after 1999-06 red
is "--after and --before" $status 1
run search --after yesterdayish red
is "a date that is none: 2" $status 2
run search --near 1,2 red
is "--near wants three numbers: 2" $status 2
run search --near 52,13,10 red
is "--near: no picture has a place" $status 1
run search red --limt 5
like "an unknown option is named, not what comes before it" "$T/err" 'unknown option --limt '
run search -qx red
like "an unknown letter is named" "$T/err" 'unknown option -x '
run search red --limit
like "an option without its value is named" "$T/err" '--limit requires a value'
run search red --json=yes
like "an option with a value that it does not take" "$T/err" '--json accepts no value'
run search red --milvus-i x
like "an ambiguous option" "$T/err" 'is ambiguous'
"$scry" search red >/dev/full 2>"$T/err"
is "a full disk under standard output: 2" $? 2
done_testing
