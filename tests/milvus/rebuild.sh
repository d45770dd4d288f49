#!/bin/bash
# scry index --rebuild on milvus 2.3.5: another model for a collection, beside the one that is searched meanwhile.
cd "$(dirname "$0")/../.." || exit 1
. tests/milvus/lib.sh
two_models
echo broken >"$P/a/bad.png"
{
    echo id,path,label
    for f in "$P/b"/*.png; do echo "K-$(basename "$f" .png),$f,some"; done
} >"$T/list.csv"
count() { client "print(c.query(sys.argv[1], 'id != \"\"', output_fields=['count(*)'], consistency_level='Strong')[0]['count(*)'])" "$1"; }

ok "the server starts" milvus_start "$T/milvus" common.session.ttl=60
export SCRY_STORE=$M

run index --model "$T/one" --milvus-index hnsw:M=8,efConstruction=100 "$P/a"
is "a collection: a broken file gives status 1" "$status" 1
run index --model "$T/one" "$T/list.csv"
is "and a table of ids and labels" "$status" 0
run search --model "$T/two" dog
like "another model: the command that helps" "$T/err" 'scry index --rebuild --model .*/two'
"$scry" serve --listen 127.0.0.1:0 >"$T/url" 2>"$T/log" &
server=$!
tries=0
until grep -q 'http://' "$T/url" "$T/log" || [ $tries -gt 600 ]; do tries=$((tries + 1)); sleep 0.05; done
url=$(cat "$T/url" "$T/log" | grep -o 'http://127.0.0.1:[0-9]*' | head -n 1)
is "a server searches it" "$(curl -s -m 20 -o /dev/null -w '%{http_code}' "$url/api/v1/search?q=dog")" 200

# Killed, continued.
cp -r "$P/b" "$P/c"
for f in "$P/c"/*.png; do echo x >>"$f"; done
run index --model "$T/one" "$P/c"
before=$(paths dog)
"$scry" index --quiet --jobs 1 --rebuild --model "$T/two" >"$T/ignored" 2>&1 &
pid=$!
kill -STOP $pid   # it runs for 30 ms at a time, so that it cannot end while the rows are counted
made=$(client "
import signal, time
def rows():
    try:
        return c.query('default__rebuild', 'id != \"\"', output_fields=['count(*)'], consistency_level='Strong')[0]['count(*)']
    except Exception:       # not made or not loaded yet
        return 0
for _ in range(1000):
    os.kill(int(sys.argv[1]), signal.SIGSTOP)
    made = rows()
    if made:
        break
    os.kill(int(sys.argv[1]), signal.SIGCONT)
    time.sleep(0.03)
print(made)" $pid)
is "it was stopped in the middle" "$([ "$made" -gt 0 ] && kill -0 $pid && echo yes)" yes
kill -9 $pid 2>/dev/null
wait $pid 2>/dev/null
is "meanwhile and after a kill the old vectors are searched" "$(paths dog)" "$before"
run store list
is "the unfinished one is not listed" "$(grep -c default "$T/out")" 1
run index --rebuild --model "$T/two"
is "rebuild: status" "$status" 0
like "... says what it takes" "$T/err" '^embedding [0-9]+ pictures with model .*/two, about [0-9]+ minutes?; until it is done, the old vectors are searched and the server holds both$'
like "... continues with what was there" "$T/err" '^[0-9]+ added, 0 updated, [1-9][0-9]* unchanged, 0 skipped'
is "rows are as many as before" "$(count default)" 70
is "nothing is left beside it" "$(client "print(sorted(c.list_collections()))")" "['default']"
is "its index is of the same kind" "$(client "print(c.describe_index('default', c.list_indexes('default')[0])['index_type'])")" HNSW
run status --json
is "its model is recorded" "$(json 'j["model"]')" "$(realpath "$T/two")"

# The same vectors, keys and labels as a store that was made with the other model.
local_store=$T/local
"$scry" index --quiet --store "$local_store" --model "$T/two" "$P/a" "$P/c"
"$scry" index --quiet --store "$local_store" --model "$T/two" "$T/list.csv"
is "searches: as a store made with the other model" "$(paths --all-copies dog | sort)" "$(paths --all-copies --store "$local_store" dog | sort)"
is "... in its order" "$(paths red | head -n 10)" "$(paths --store "$local_store" red | head -n 10)"
run search --json --key K-p031 dog
is "ids and labels stayed" "$(json '[(r["key"], r["labels"]) for r in j["results"]]')" "[('K-p031', ['some'])]"
run verify
is "it is sound" "$status" 0
run status --skipped
like "the broken file is remembered" "$T/out" 'bad.png'
run index "$P/a"
like "indexing again finds nothing new" "$T/err" '^0 added, 0 updated, 30 unchanged, 1 skipped'
is "no sidecar of the replacement is left" "$(find "$XDG_DATA_HOME/scry/milvus" -name '*.sqlite' | wc -l)" 1
run index --rebuild
like "a second time there is nothing to do" "$T/err" 'has the vectors of this model already'

# Who has the old collection open.
code=$(curl -s -m 20 -o "$T/out" -w '%{http_code}' "$url/api/v1/search?q=dog")
is "the server does not search the new vectors with the old model" "$code" 503
like "... and says why" "$T/out" 'built with model'
kill $server
wait $server

# A crash between the renames, by the client of others.
run store copy --to-collection default__rebuild "$M" "$M"
client "c.rename_collection('default', 'default__aside'); print('ok')" >"$T/ignored"
run search --paths red
is "a crash between the renames: the next command finishes" "$status" 0
is "... the collection has its name" "$(client "print('default' in c.list_collections())")" True
run store list
is "... and is listed alone" "$(wc -l <"$T/out")" 1
client "c.drop_collection('default__aside'); c.rename_collection('default', 'default__aside'); print('ok')" >"$T/ignored"
run search --paths red
is "a crash before the second one exists: it is undone" "$status" 0

# Collections of other programs.
is "a collection of another program" "$(client "c.create_collection('foreign', dimension=8); print('ok')")" ok
run index --rebuild --collection foreign --model "$T/two"
is "... is not embedded again: status" "$status" 2
like "... and why" "$T/err" 'another program made cannot be embedded again'
done_testing
