#!/bin/bash
# A real milvus 2.3.5 behind a network that fails (proxy.py), and one that slows its clients down: nothing that was acknowledged is
# lost, nothing is stored twice, each command ends in time and says why.
cd "$(dirname "$0")/../.." || exit 1
. tests/milvus/lib.sh

tiny_model "$T/model"
P=$T/pics
for folder in $(seq 12); do
    pictures "$P/$folder" 8 $((folder * 8))
done
run index "$P"
V=milvus://127.0.0.1:29540 W=milvus://127.0.0.1:29541 # through the proxy
ok "the server starts" milvus_start "$T/milvus" common.session.ttl=60 quotaAndLimits.dml.enabled=true \
    quotaAndLimits.dql.enabled=true quotaAndLimits.quotaCenterCollectInterval=1
proxy_start 29540 29541 29542
run index --store $V "$P/1"
like "through a network without faults" "$T/err" '^8 added'

# ---- in the background, since a PING has to remain without an answer: a connection that is half open ----
order 29541 half 3000 1
"$scry" index --store $W "$P/2" >"$T/half.out" 2>"$T/half.err" </dev/null &
half=$!
order 29542 half 100 1000
(
    before=$(date +%s)
    timeout 120 "$scry" search --store milvus://127.0.0.1:29542 dog >"$T/lost.out" 2>"$T/lost.err" </dev/null
    echo $? $(($(date +%s) - before)) >"$T/lost"
) &
lost=$!

# ---- faults while rows are sent ----
fault() { # FOLDER FAULT...: an index run during it adds 8 rows
    folder=$1
    shift
    order 29540 "$@"
    run index --store $V "$P/$folder"
    like "$*: added" "$T/err" '^8 added'
    order 29540 count
    [ "$1" = delay ] || ok "... in spite of it" test "$reply" -gt 0
    order 29540 pass
}
fault 3 delay 20
fault 4 cut 3000 3
fault 5 rst 6000 3
fault 6 deaf 3000 3
fault 7 deaf 6000 3
fault 8 goaway 30
fault 9 refuse 5
fault 11 reorder 3
fault 12 goaway 1000000 # a storm: no connection carries a second call
kill -STOP "$MILVUS_PID"
(sleep 2; kill -CONT "$MILVUS_PID") &
run index --store $V "$P/10"
like "a server that stops for two seconds" "$T/err" '^8 added'
wait $half
like "half open: added" "$T/half.err" '^8 added'
is "every row once" "$(compare count default)" 96
wait $lost
is "a search of a network that swallows everything is an error" "$(cut -d' ' -f1 "$T/lost")" 2
ok "... after $(cut -d' ' -f2 "$T/lost") s" test "$(cut -d' ' -f2 "$T/lost")" -lt 60
like "... which says so" "$T/lost.err" '127.0.0.1:29542'

# ---- a storm of GOAWAYs that refuse everything; a server that is behind a black hole ----
order 29540 refuse 1000000
before=$(date +%s)
run search --store $V dog
is "every connection is refused: an error" $status 2
order 29540 count
ok "... after $(($(date +%s) - before)) s and $reply connections" test $(($(date +%s) - before)) -lt 100 -a "$reply" -gt 1 -a "$reply" -lt 300
is "... in one line" "$(wc -l <"$T/err")" 1
order 29540 pass
ip link add hole type veth peer name bottom
ip addr add 10.9.9.1/24 dev hole
ip link set hole up
ip link set bottom up
ok "a black hole: nobody answers there, and nobody says so" ip neigh add 10.9.9.2 lladdr 02:00:00:00:00:01 dev hole
before=$(date +%s)
run search --store milvus://10.9.9.2:19530 dog
is "... is an error" $status 2
ok "... after $(($(date +%s) - before)) s" test $(($(date +%s) - before)) -lt 100
like "... that names it" "$T/err" '10.9.9.2:19530'
run index --store milvus://10.9.9.2:19530 "$P/1"
is "... for an index run, too" $status 2

# ---- two at once, in overlapping folders that are no roots before, on bad networks ----
order 29540 cut 4000 3
order 29541 deaf 5000 3
pictures "$P/both" 60 200
"$scry" index --store $V --jobs 1 "$P" >"$T/first.out" 2>"$T/first.err" </dev/null &
first=$!
run index --store $W --jobs 1 "$P/both"
wait $first
is "two indexers at once" "$status $?" "0 0"
is "every row once" "$(compare count default)" 156
run index "$P"
run verify --against $V
is "and as in the embedded store" "$status" 0

# ---- a server that limits rates ----
is "pymilvus limits a collection" "$(compare limit default 0.003 0.5)" ok
order 29540 pass
sleep 2 # until the server has counted its quotas, which it does every second
before=$(date +%s)
all=0
for folder in slow slower slowest; do
    pictures "$P/$folder" 12 $((all * 12 + 300))
    run index --store $V "$P/$folder"
    all=$((all + status + 1))
done
is "rows are sent again until it takes them" "$all $(compare count default)" "3 192"
all=0
for word in dog cat bird; do
    run search --store $V $word
    all=$((all + status))
done
is "searches, too" "$all" 0
ok "which took a while" test $(($(date +%s) - before)) -ge 3

# ---- a collection that changes while it is written to ----
for change in dropped replaced; do
    run index --store $M --collection $change "$P/1"
    order 29540 hold 3000 1
    "$scry" index --store $V --collection $change "$P/2" >"$T/out" 2>"$T/err" </dev/null &
    indexing=$!
    for i in $(seq 600); do
        order 29540 count
        [ "$reply" = 0 ] || break
        sleep 0.1
    done
    is "pymilvus: the collection is $change" "$(compare "$change" "$change")" ok
    order 29540 pass
    wait $indexing
    is "... which is an error" $? 2
    like "... that says so" "$T/err" "Milvus at .*($change|no such collection|field)"
done

kill $proxy
milvus_stop
done_testing
