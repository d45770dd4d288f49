#!/bin/bash
# Two `scry serve` behind one address on one collection of milvus 2.3.5, each request to the other one than before: pages go on at the
# other server, and what a third machine adds, changes or removes is soon seen by both, in searches, lists, counts and facets.
cd "$(dirname "$0")/../.." || exit 1
. tests/milvus/lib.sh
. tests/server/lib/serve.sh
tiny_model "$T/model"
P=$T/pics
pictures "$P/a" 30
ok "the server starts" milvus_start "$T/milvus" common.session.ttl=60
run index --store $M "$P/a"
like "thirty are added" "$T/err" '^30 added'
ok "a server" start --store $M
first=$server one=$url
ok "another one" start --store $M
two=$url

# turn PATH: to the server whose turn it is.
turn() {
    if [ "$at" = "$one" ]; then at=$two; else at=$one; fi
    get "$at$1"
}
# pages PATH: all results of a list or a search, each page from the other server.
pages() {
    cursor=''
    for _ in $(seq 20); do
        turn "$1${cursor:+&cursor=$cursor}"
        [ "$code" = 200 ] || { echo "$code"; return; }
        json '"\n".join(r["path"] for r in j["results"])'
        cursor=$(json 'j["cursor"] or ""')
        [ "$cursor" ] || return
    done
}
whole() { get "$one$1"; json '"\n".join(r["path"] for r in j["results"])'; }
is "pages of a list, from both in turn" "$(pages '/api/v1/images?limit=7')" "$(whole '/api/v1/images?limit=100')"
is "... of a sorted one" "$(pages '/api/v1/images?limit=7&sort=name')" "$(whole '/api/v1/images?limit=100&sort=name')"
is "... of a search" "$(pages '/api/v1/search?q=dog&by=look&limit=7' | sort)" "$(ls "$P"/a/*.png)"

# What both say, by one function of a server's address each.
files() { get "$1/api/v1/status"; json 'j["files"]'; }
named() { get "$1/api/v1/images?sort=name&limit=100"; json 'len(j["results"])'; }
found() { get "$1/api/v1/search?q=dog&by=look&limit=100"; json 'len(j["results"])'; }
formats() { get "$1/api/v1/facets"; json 'sum(f["count"] for f in j["formats"])'; }
days() { get "$1/api/v1/timeline"; json 'sum(d["count"] for d in j["days"])'; }
agree() { # WHAT COUNT
    for what in files named found formats days; do
        soon "$1: $what of the first" "$2" $what "$one"
        soon "$1: $what of the other" "$2" $what "$two"
    done
}
agree "at first" 30
pictures "$P/b" 12 50
run index --store $M "$P/b"
agree "twelve more" 42
rm "$P"/a/p00[0-4].png
run index --store $M --prune "$P/a"
agree "five less" 37
mv "$P/b/p050.png" "$P/b/moved.png"
run index --store $M --prune "$P/b"
there() { get "$1/api/v1/images?sort=name&limit=100"; json '[r["name"] for r in j["results"] if r["name"] in ("moved.png", "p050.png")]'; }
soon "one is moved: the first" "['moved.png']" there "$one"
soon "... the other" "['moved.png']" there "$two"
agree "then" 37
run index --store $M --rebuild
is "embedded again" $status 0
agree "the collection in its place" 37
stop
server=$first
stop
milvus_stop
done_testing
