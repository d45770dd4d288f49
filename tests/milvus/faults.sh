#!/bin/bash
# What goes wrong on a real milvus 2.3.5 and is made good: restarts that forget a root, searches while it loads, vectors that
# changed, a server that stops answering, readers with few rights; and databases that are not there, on milvus-lite, too.
cd "$(dirname "$0")/../.." || exit 1
. tests/milvus/lib.sh

tiny_model "$T/model"
P=$T/pics
pictures "$P/a" 8
pictures "$P/b" 6 30
pictures "$P/c" 5 60
run index "$P/a" "$P/b" "$P/c"

# ---- a database that is not there ----
ok "milvus-lite starts" lite_start "$T/lite"
run search --store $M/nowhere dog
is "lite: no such database" $status 2
like "... it is named, with what makes it" "$T/err" 'no database nowhere at .*scry index makes it'
run index --store $M/nowhere "$P/a"
like "... and it does" "$T/err" '^8 added'
run search --store $M/nowhere dog
is "... so that it can be searched" $status 0
lite_stop

ok "the server starts" milvus_start "$T/milvus" common.session.ttl=20
run search --store $M/nowhere dog
like "2.3.5: no such database" "$T/err" 'no database nowhere at .*scry index makes it'

# ---- restarts ----
run index --store $M "$P/a" "$P/b" "$P/c"
roots() { "$scry" root list --store "$1" 2>"$T/err"; }
mine=$(roots "$SCRY_STORE")
milvus_stop
ok "it restarts" milvus_start "$T/milvus"
run search --store $M --by look --paths dog
is "a search right after a restart waits until it is loaded" "$status $(cat "$T/out")" "0 $("$scry" search --by look --paths dog)"
is "no root is lost by a restart" "$(roots $M)" "$mine"
pictures "$P/d" 4 70
run index --store $M "$P/d"
run index "$P/d"
mine=$(roots "$SCRY_STORE")
milvus_kill
sleep 1
ok "it is killed and restarts" milvus_start "$T/milvus"
is "nor by kill -9" "$(roots $M)" "$mine"
run search --store $M --by look --paths dog
is "a search right after that" "$status $(cat "$T/out")" "0 $("$scry" search --by look --paths dog)"
compare release default >"$T/released"
run search --store $M --by look --paths dog
is "a search of what was released" "$status $(cat "$T/out")" "0 $("$scry" search --by look --paths dog)"

# ---- a root that an earlier scry lost ----
id=$(roots $M | sed -n "s|^\([0-9a-f]*\) .*$P/b\$|\1|p")
is "pymilvus takes a root's path away" "$(compare forget default "$id")" ok
run verify --store $M
is "verify: one line for the root" "$status $(cat "$T/out")" \
    "2 root $id: its path is not known any more (6 files, such as $(sed -n 's/.*such as \([^)]*\)).*/\1/p' "$T/out")): scry root move $id PATH"
run root list --store $M
like "root list names it" "$T/err" "the path of the root $id is not known any more \(6 files.*scry root move $id PATH"
run verify --against $M
is "verify --against compares roots" "$status $(grep root "$T/out")" "2 root $P/b: only here"
run store copy $M "$T/copy"
like "a copy of it is refused with the way out" "$T/err" "scry root move $id PATH, then copy"
run root move --store $M 00000000000000000000000000000000 "$P/b"
like "no other id" "$T/err" 'no root 0000'
run root move --store $M "$id" "$P/b"
is "the root gets its path again" "$status $(roots $M)" "0 $mine"
run verify --against $M
is "all is equal again" "$status $(cat "$T/out")" "0 both are equal: 23 files"

# ---- vectors that changed ----
is "pymilvus changes a vector" "$(compare spoil default)" ok
run verify --against $M
is "verify --against finds it" "$status $(grep -c 'different vector' "$T/out")" "2 1"
run store copy "$SCRY_STORE" $M
like "store copy sends it again" "$T/err" '^1 copied, 22 there already'
run verify --against $M
is "and both are equal" $status 0

# ---- a server that stops answering ----
pictures "$T/more" 400 100
"$scry" index --store $M --jobs 1 --progress "$T/more" >"$T/out" 2>"$T/err" </dev/null &
indexing=$!
for i in $(seq 1200); do
    rows=$(sed -n 's|^\[.*\] \([0-9]*\)/.*|\1|p' "$T/err" | tail -n 1)
    [ "${rows:-0}" -lt 20 ] || break
    sleep 0.05
done
kill -STOP "$MILVUS_PID"
kill -TERM $indexing
before=$(date +%s)
wait $indexing
status=$?
ok "SIGTERM ends a run that waits for a silent server: $(($(date +%s) - before)) s" test $(($(date +%s) - before)) -lt 100
ok "... as an error, or as stopped" test $status -ne 0
milvus_kill
ok "it is killed, and started again" milvus_start "$T/milvus"
run index --store $M "$T/more"
is "the same command continues" $status 0
is "nothing is twice" "$(compare count default)" 423
milvus_stop

# ---- few rights ----
export SCRY_MILVUS_USER=root SCRY_MILVUS_PASSWORD=Milvus
ok "a server with passwords starts" milvus_start "$T/secure" authorization_enabled=true common.session.ttl=60
run index --store $M "$P/a"
is "pymilvus makes a reader" "$(compare reader default)" ok
export SCRY_MILVUS_USER=reader SCRY_MILVUS_PASSWORD=Reading1!
run search --store $M --by look --paths dog
is "who may only search, can search" "$status $(cat "$T/out")" "0 $("$scry" search --by look --paths --in "$P/a" dog)"
run status --store $M --json
is "and see what is there" "$status $(json 'j["files"], j["contents"]')" "0 (8, 8)"
run index --store $M "$P/b"
is "but not write" $status 2
compare release default >"$T/released"
run search --store $M dog
is "what is not loaded is not for a reader to load" $status 2
like "... which is said" "$T/err" 'default .*is not loaded: this user may not'
milvus_stop
done_testing
