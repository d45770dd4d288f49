#!/bin/sh
# words.sh - pictures found by their names and texts: against SQLite's full-text index, and the fused ranking against a second computation.
. "$(dirname "$0")/lib.sh"

tiny_model "$T/model"
pictures "$T/pics" 40
python3 - "$T" <<'P'
import os, shutil, sys
T = sys.argv[1]
for i, folder in ((0, "AnnaWedding 2019/Party"), (1, "AnnaWedding 2019"), (2, "Café Zürich"), (3, "Москва/Собаки"), (4, "北京旅行"), (5, "holiday-pics")):
    os.makedirs(f"{T}/pics/{folder}", exist_ok=True)
    shutil.move(f"{T}/pics/p{i:03}.png", f"{T}/pics/{folder}/p{i:03}.png")
with open(f"{T}/list.csv", "w", encoding="utf-8") as f:
    f.write("id,path,label\n")
    for i in range(10, 30):
        f.write(f"K{i}x,{T}/pics/p{i:03}.png,a {'white ' if i % 2 else ''}dog number {i % 5} on the beach\n")
P
echo '{"photoTakenTime": {"timestamp": "1400000000"}, "geoData": {"latitude": 48.137, "longitude": 11.575, "altitude": 0.0}}' >"$T/pics/p006.png.json"
echo '{"photoTakenTime": {"timestamp": "1400000000"}, "geoData": {"latitude": 48.8584, "longitude": 2.2945, "altitude": 0.0}}' >"$T/pics/p007.png.json"
run index "$T/pics"
is "index" "$status" 0
run index "$T/list.csv"
is "index a table" "$status" 0

names() { sed 's,.*/,,' "$T/out" | sort | tr '\n' ' '; }
by_words() { run search --paths --limit 1000 --by words "$@"; names; }
having() { run list --paths "$@"; names; }
is "a folder's words" "$(by_words anna wedding)" 'p000.png p001.png '
is "... with their folder below" "$(by_words wedding party)" 'p000.png '
is "in any order, case and form" "$(by_words 2019 PARTIES Anna)" 'p000.png '
is "accents" "$(by_words zurich cafe)" 'p002.png '
is "Russian forms" "$(by_words собака Москвы)" 'p003.png '
is "a script without spaces" "$(by_words 旅行)" 'p004.png '
is "a key and a label" "$(by_words white dog 3 on the beaches K13x)" 'p013.png '
is "words that say nothing do not count" "$(by_words a photo of the white dogs, 3)" 'p013.png p023.png '
is "a part of a word is not one" "$(by_words holid)" ''
run search --by words holid
is "... and exit status" "$status" 1
is "--words finds parts" "$(having --words holid)" 'p005.png '
is "... of three letters" "$(having --words ho)" ''
is "... all of them" "$(having --words holiday --words p005)$(having --words 'holiday p006')" 'p005.png '
is "... in a search" "$(run search --paths --words wedding --words party red; names)" 'p000.png '
is "... under --by look" "$(run search --paths --by look --words wedding --limit 1 red; names | wc -w)" 1
is "a place's words" "$(by_words photos of Munich, Germany)" 'p006.png '
is "... in other languages" "$(by_words Мюнхен) $(by_words münchen)" 'p006.png  p006.png '
is "--place" "$(having --place munich) $(having --place France) $(having --place paris --place Мюнхен)" 'p006.png  p007.png  p006.png p007.png '
is "... is of places alone" "$(having --place wedding)" ''
is "... a region, a country, in other languages" "$(having --place Bavaria) $(having --place Île-de-France) $(having --place Германия) $(having --place Франции) $(having --place 巴黎)" \
    'p006.png  p007.png  p006.png  p007.png  p007.png '
is "... one of several" "$(having --place 'Paris, France') $(having --place 'paris, texas')$(having --place 'Munich, Bavaria, Germany')" 'p007.png  p006.png '
is "a region's and a country's words" "$(by_words p006 Bavaria)$(by_words p007 во Франции)$(by_words p007 Bavaria)" 'p006.png p007.png '
run completion places MÜN
is "places as they are typed" "$(cat "$T/out")" "Munich, Germany"
run completion places
is "... all of them" "$(LC_ALL=C sort "$T/out" | tr '\n' ';')" "Bavaria, Germany;France;Germany;Munich, Germany;Paris 16 Passy, France;Paris, France;Île-de-France, France;"
run completion places Bonn
is "... none" "$status" 1
"$scry" completion bash >"$T/completion"
if command -v bash >/dev/null; then
    complete_place() { # TYPED
        PATH=$SCRY_BUILD:$PATH bash -c '. "$0"; COMP_WORDS=(scry search --place "$1"); COMP_CWORD=3; _scry; echo "${COMPREPLY[@]}"' "$T/completion" "$1"
    }
    is "bash: a place" "$(complete_place mün)" 'Munich\,\ Germany'
    is "bash: a quoted one, blanks, and none" "$(complete_place "'passy");$(complete_place 'Île-de-F');$(complete_place bonn)" 'Paris\ 16\ Passy\,\ France;Île-de-France\,\ France;'
fi
mkdir "$T/two"
cp "$T/pics/p007.png" "$T/pics/p007.png.json" "$T/two"
cp "$T/pics/p030.png" "$T/two/texas.png"   # in Paris, TX
echo '{"photoTakenTime": {"timestamp": "1400000000"}, "geoData": {"latitude": 33.6609, "longitude": -95.5555, "altitude": 0.0}}' >"$T/two/texas.png.json"
of_two() { SCRY_STORE=$T/two-store run "$@"; }
of_two index "$T/two"
is "a state's code" "$(of_two list --paths --place 'Paris, TX'; names) $(of_two list --paths --place tx; names) $(of_two list --paths --place 'Paris, FR'; names)" \
    'texas.png  texas.png  p007.png '
in_terminal dumb env SCRY_STORE="$T/two-store" "$scry" list --place Paris
like "several places of one name are named" "$T/screen" 'took several places of that name: Paris, United States \(1\), Paris, France \(1\)'
in_terminal dumb env SCRY_STORE="$T/two-store" "$scry" list --place 'Paris, TX'
unlike "... not where it is one" "$T/screen" 'several places'
meant='no picture has the word "weding": did you mean wedding\?'
in_terminal dumb "$scry" search --limit 3 weding party
like "a misspelled word in a search by look" "$T/screen" "$meant"
for how in 'weddings party' '--by look weding party' '-q weding party' 'wxyzzing party'; do
    in_terminal dumb "$scry" search --limit 3 $how
    unlike "... not with $how" "$T/screen" 'did you mean'
done
for query in weding weddings; do
    echo '{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"search","arguments":{"query":"'$query'"}}}'
done >"$T/calls"
"$scry" mcp <"$T/calls" >"$T/out"
like "... in MCP" "$T/out" 'no picture has the word .*weding.*did you mean wedding'
is "... once" "$(grep -c 'did you mean' "$T/out")" 1
run search --json --limit 3 Weding party
is "... in JSON" "$(json 'j["did_you_mean"]')" "{'word': 'weding', 'meant': 'wedding', 'query': 'wedding party'}"
for how in 'weddings party' '--by look weding party' '--by words weding party' '--offset 3 weding party' 'wxyzzing party'; do
    run search --json --limit 3 $how
    is "... not with $how" "$status $(json '"did_you_mean" in j')" "$(case $how in *words*) echo 1 ;; *) echo 0 ;; esac) False"
done
run list --place monich
is "--place that scry does not know" "$status" 2
like "... what was meant" "$T/err" '^scry: --place takes the name of a city, a region or a country, not "monich": did you mean Munich\?$'
run list --place 'Paris, Japan'
is "... a city that is not in that country" "$status" 2
run list --place Bonn
is "--place where no picture was taken" "$status" 1
like "... what there is" "$T/err" 'passes --place Bonn, Germany: there are Munich, Germany \(1\), Paris, France \(1\)$'
run search --json --by words paris
is "... in JSON" "$(json '[(r["name"], r["place"], r["found_in"]) for r in j["results"]]')" "[('p007.png', 'Paris, France', ['place'])]"
run search --by words @"$T/pics/p010.png"
is "a picture has no words" "$status" 2
like "... says so" "$T/err" 'a search by words takes texts'
run search --by words the picture of
is "nor have words that say nothing" "$status" 2
run search --words '?!' red
is "--words without a word" "$status" 2
like "... says so" "$T/err" '^scry: --words takes a text of 1 to 32 words, not "\?!"'

run search --limit 60 wedding
like "marked on the command line" "$T/out" 'p00[01]\.png .*\(by words: folder\)$'
is "... those alone" "$(grep -c 'by words' "$T/out")" 2
run search --json --limit 60 wedding
is "... in JSON" "$(json "sorted((r['name'], r['found_in']) for r in j['results'] if r['found_by'] == 'both')")" "[('p000.png', ['folder']), ('p001.png', ['folder'])]"
is "... at the top" "$(json "sorted(r['name'] for r in j['results'][:2])")" "['p000.png', 'p001.png']"
is "ranks" "$(json "[r['rank'] for r in j['results']] == list(range(1, 41))")" True

# Without matching words the answer is that of a search by look.
plain() { run search --json --limit 30 "$@"; sed 's/"took_ms":[^,]*//' "$T/out" | sha256sum; }
is "no matching words" "$(plain a green field)" "$(plain --by look a green field)"
is "a query with a picture" "$(plain wedding + @"$T/pics/p010.png")" "$(plain --by look wedding + @"$T/pics/p010.png")"
is "a query that subtracts" "$(plain wedding - dog)" "$(plain --by look wedding - dog)"

# Nothing is syntax.
for text in '"' "'" '*' 'wedding OR dog' 'NOT wedding' 'folder:wedding' 'wedding*' '(wedding' 'NEAR(anna wedding)' '-- anna' '\anna; DROP TABLE files' '{a b}:wedding'; do
    run search --json -- "$text"
    is "taken: $text" "$status" 0
done
is "an operator is a word" "$(by_words wedding OR anna)" 'p000.png p001.png '
is "... unless it names something" "$(by_words 'wedding NEAR anna')" ''
python3 -c 'print("wedding " * 8000, end="")' >"$T/long"
run search --by words "$(cat "$T/long")"
is "64 kB of words" "$status" 2
run search --json "$(cat "$T/long")"
is "... have no part in a ranking" "$(json "'found_by' in j['results'][0]")" False

# Brute force: the same texts in SQLite's full-text index, and the fused ranking worked out again.
timeout 900 python3 - "$scry" "$T" >"$T/compared" 2>&1 <<'P'
import json, random, sqlite3, subprocess, sys
scry, T = sys.argv[1:]

def search(*a):
    r = subprocess.run([scry, "search", "--json", *a], capture_output=True, text=True)
    assert r.returncode in (0, 1), (a, r.stderr)
    return json.loads(r.stdout)

db = sqlite3.connect(":memory:")
db.execute("CREATE VIRTUAL TABLE t USING fts5(name UNINDEXED, words, tokenize = 'unicode61 remove_diacritics 2')")
everything = search("--by", "look", "--limit", "1000", "--all-copies", "x")["results"]
root = T + "/pics/"
for r in everything:
    text = r["path"][len(root):].rsplit(".", 1)[0] + " " + r.get("key", "") + " " + " ".join(r.get("labels", []))
    db.execute("INSERT INTO t VALUES(?, ?)", (r["name"], text))
rng = random.Random(5)
compared = matched = 0
vocabulary = ["anna", "party", "zurich", "cafe", "москва", "собаки", "white", "dog", "number", "beach", "holiday", "absent", "zürich", "BEACH"]
for _ in range(40):
    words = rng.sample(vocabulary, rng.choice((1, 1, 2, 3)))
    ours = {r["name"] for r in search("--by", "words", "--limit", "1000", " ".join(words))["results"]}
    theirs = {n for n, in db.execute("SELECT name FROM t WHERE t MATCH ?", (" ".join(f'"{w}"' for w in words),))}
    if "anna" in words:   # SQLite does not split AnnaWedding
        continue
    assert ours == theirs, (words, ours, theirs)
    compared, matched = compared + 1, matched + bool(ours)
assert compared > 20 and matched > 8, (compared, matched)
print("as SQLite finds them")

K, DEPTH = 60, 100
# The last ones have words that no picture has together: the rarest that some have are looked for, and count in any order.
for query, options, having in (("white dog", (), None), ("beach", ("--min-score", "0.1"), None), ("wedding", ("--all-copies",), None), ("number 3", ("--fold", "0.9"), None),
                               ("dog", ("--after", "2000"), None), ("absent anna", (), "anna"), ("a wedding dinner", (), "wedding"), ("absent white dog, number 3", (), "white dog number 3"),
                               ("party screenshot", ("--fold", "0.9"), "party")):
    look = search("--by", "look", "--limit", "1000", *options, query)["results"]
    named = search("--by", "words", "--limit", "1000", *options, having or query)["results"]
    if having:   # in the order of this query's look
        assert not search("--by", "words", *options, query)["results"], query
        place = {r["id"]: n for n, r in enumerate(search("--by", "look", "--limit", "1000", "--all-copies", query)["results"])}
        named.sort(key=lambda r: place[r["id"]])
    assert named, query
    leader = {i: n for n, r in enumerate(look) for i in [r["id"], *r.get("folded_ids", [])]}
    value, words_at = [1 / (K + n + 1) for n in range(len(look))], [None] * len(look)
    alone = []
    for n, r in enumerate(named):
        at = leader.get(r["id"])
        if at is None:
            alone.append((1 / (K + n + 1), n, r["id"]))
        elif words_at[at] is None:
            words_at[at] = n
    for at, n in enumerate(words_at):
        if n is not None:
            value[at] = (value[at] if at < DEPTH else 0) + 1 / (K + n + 1)
    ranking = [(-v, w is None, at if w is None else w, look[at]["id"] if w is None else named[w]["id"]) for at, (v, w) in enumerate(zip(value, words_at))] + [(-v, False, n, i) for v, n, i in alone]
    wanted = [i for *_, i in sorted(ranking)]
    got = [r["id"] for r in search("--limit", "1000", *options, query)["results"]]
    assert got == wanted, (query, got, wanted)
    paged = [r["id"] for offset in range(0, len(wanted), 7) for r in search("--limit", "7", "--offset", str(offset), *options, query)["results"]]
    assert paged == wanted, (query, paged, wanted)
led = search("--limit", "1000", "dog and cat of a friend in a big red house")   # a word of a long description
assert "found_by" not in led["results"][0] and led["results"] == search("--by", "look", "--limit", "1000", led["query"])["results"], led["results"][0]
print("fused as worked out again")
P
like "found as by SQLite" "$T/compared" '^as SQLite finds them$'
like "fused as by a second computation" "$T/compared" '^fused as worked out again$'
note <"$T/compared"

# Over HTTP: the same ranking, page by page, and searches that wait for one another in a batch.
. "$SCRY_TOP/tests/server/lib/serve.sh"
ok "serve" start
python3 - "$scry" "$url" "$T/pics/holiday-pics" >"$T/compared" 2>&1 <<'P'
import json, subprocess, sys, threading, urllib.parse, urllib.request
scry, url = sys.argv[1:3]
def get(q, **more):
    with urllib.request.urlopen(url + "/api/v1/search?" + urllib.parse.urlencode({"q": q, **more})) as f:
        return json.load(f)
seen, cursor = [], None
while True:
    page = get("white dog", limit=7, **({"cursor": cursor} if cursor else {}))
    seen += [(r["id"], r["found_by"], r["found_in"]) for r in page["results"]]
    cursor = page["cursor"]
    if not cursor:
        break
ours = json.loads(subprocess.check_output([scry, "search", "--json", "--limit", "1000", "white", "dog"]))["results"]
assert seen == [(r["id"], r["found_by"], r["found_in"]) for r in ours], seen
print("pages over HTTP")
queries = ["white dog", "nothing", "wedding", "a green field", "beach", "red"] * 4
alone = {q: [(r["id"], r.get("found_by")) for r in get(q, limit=20)["results"]] for q in set(queries)}
together = [None] * len(queries)
def ask(i):
    together[i] = [(r["id"], r.get("found_by")) for r in get(queries[i], limit=20)["results"]]
threads = [threading.Thread(target=ask, args=(i,)) for i in range(len(queries))]
for t in threads: t.start()
for t in threads: t.join()
assert together == [alone[q] for q in queries]
assert get("nothing", by="words")["results"] == [] and get("wedding", by="words", limit=1)["results"][0]["found_by"] == "words"
print("together as alone")

meant = {"word": "weding", "meant": "wedding"}   # a word of the line alone is put right, and nothing else of it
for asked, line in (("weding", "wedding"), ("a Weding, 2:party + 0.5:red", "a wedding, 2:party + 0.5:red"), ("anna's wédings", "anna's wedding"), ("2019weding", None)):
    assert get(asked, limit=1)["did_you_mean"] == {**meant, **({"query": line} if line else {})}, get(asked, limit=1)
assert get("AnnaWeding")["did_you_mean"] == {"word": "annaweding", "meant": "AnnaWedding", "query": "AnnaWedding"}
for asked, more in (("weding", {"offset": 1}), ("weding", {"by": "look"}), ("weding", {"by": "words"}), ("weding - dog", {}), ("wedding", {}), ("wxyzzing", {})):
    assert "did_you_mean" not in get(asked, limit=1, **more), (asked, more)
assert get("weding", **{"in": sys.argv[3]})["did_you_mean"]["meant"] == "wedding"   # a filter that the other pictures pass
print("misspelled")

def places(**asked):
    with urllib.request.urlopen(f"{url}/api/v1/places?" + urllib.parse.urlencode(asked)) as f:
        return [(p["name"], p["kind"], p["count"], p.get("matched")) for p in json.load(f)["places"]]
everywhere = places()
assert len(everywhere) == len(places(limit=1000)) and {(n, k) for n, k, *_ in everywhere} >= {
    ("Munich, Germany", "city"), ("Bavaria, Germany", "region"), ("Germany", "country"), ("Paris, France", "city"), ("France", "country")}, everywhere
assert all(m is None and c == 1 for *_, c, m in everywhere), everywhere
assert ("Munich, Germany", "city", 1, None) in places(q="mun") and ("Munich, Germany", "city", 1, "Мюнхен") in places(q="МЮН"), places(q="МЮН")
assert ("France", "country", 1, "Франция") in places(q="франц") and len(places(limit=1)) == 1
assert places(q="Rome") == places(q="x" * 5000) == places(q="unich") == places(q="\xff%*") == [], places(q="Rome")
in_german = places(language="de")   # the same places, by names that the filter takes
assert [c for _, _, c, _ in in_german] == [c for _, _, c, _ in everywhere] and {("München, Deutschland", "city"), ("Bayern, Deutschland", "region"), ("Deutschland", "country"),
    ("Frankreich", "country")} <= {(n, k) for n, k, *_ in in_german}, in_german
assert ("München, Deutschland", "city", 1, None) in places(q="mün", language="de-AT") and ("慕尼黑, 德国", "city", 1, "Munich") in places(q="mun", language="zh")
for asked in ("places?language=deutsch", "places?language=", "images/" + "0" * 32 + "?language=tlh"):
    try:
        urllib.request.urlopen(f"{url}/api/v1/{asked}")
        raise SystemExit(f"{asked} was answered")
    except urllib.error.HTTPError as e:
        assert e.code == 400 and "language must be one of" in json.load(e)["detail"], asked
with urllib.request.urlopen(f"{url}/api/v1/images?place=Munich") as f:
    munich = json.load(f)["results"][0]
def record(**asked):
    with urllib.request.urlopen(f"{url}/api/v1/images/{munich['id']}?" + urllib.parse.urlencode(asked)) as f:
        return json.load(f)
assert record() == munich == record(language="en") and record(language="ru") == {**munich, "place": "Мюнхен, Германия"}, record(language="ru")
for name, *_ in everywhere + in_german:   # what is suggested is a value of the filter, and finds as many
    with urllib.request.urlopen(f"{url}/api/v1/images?" + urllib.parse.urlencode({"place": name})) as f:
        assert len(json.load(f)["results"]) == 1, name
print("places")
P
like "places" "$T/compared" '^places$'
like "pages over HTTP" "$T/compared" '^pages over HTTP$'
like "a misspelled word over HTTP" "$T/compared" '^misspelled$'
like "searches at once" "$T/compared" '^together as alone$'
note <"$T/compared"
stop
is "the server ends" "$status" 0

# Incremental: files that are renamed, removed and added later; verify; the caches gone.
mv "$T/pics/holiday-pics" "$T/pics/winter"
run index --prune "$T/pics"
is "a renamed folder" "$(by_words holiday)$(by_words winter)" 'p005.png '
run remove "$T/pics/winter/p005.png"
is "a removed file" "$(by_words winter)" ''
run verify
is "verify" "$status" 0
find "$T/store" -name '*.cache' -delete
is "without caches" "$(by_words anna wedding)" 'p000.png p001.png '
done_testing
