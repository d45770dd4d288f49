#!/bin/bash
# Many machines on one collection of a real milvus 2.3.5: each has a network, a home and a place of its own where the same pictures are mounted.
cd "$(dirname "$0")/../.." || exit 1
. tests/milvus/lib.sh
trap 'for n in $machines; do kill "$(pid_of "$n")" 2>/dev/null; done; servers_stop; chmod -R u+rwx "$T"; rm -rf "$T"' EXIT

tiny_model "$T/model"
S=$T/share
first=0
for folder in a b c d e f; do pictures "$S/$folder" 50 $first; first=$((first + 50)); done
cp "$S/a/p000.png" "$S/f/copy.png"
: >"$S/b/cut.png"
machines=
pid_of() { cat "$T/m$1.pid"; }
milvus_start "$T/milvus" || exit 1

# A machine: `sleep` with a network that leads to the server, and the share at its own place.
start_machine() { # N
    unshare -nm --propagation private sleep 1000 &
    echo $! >"$T/m$1.pid"
    machines="$machines $1"
    sleep 0.2
    ip link add "srv$1" type veth peer name net0 netns "$(pid_of "$1")" && ip addr add "10.9.$1.1/24" dev "srv$1" && ip link set "srv$1" up
    mkdir -p "$T/m$1/data" "$T/m$1/photos"
    nsenter -t "$(pid_of $1)" -n -m sh -c "ip link set lo up; ip addr add 10.9.$1.2/24 dev net0; ip link set net0 up
        mount --bind '$S' '$T/m$1/photos'"
}
# Run a command of scry there: its status in $status, what it prints in $T/m$N/out and err.
on() { # N COMMAND...
    local n=$1
    shift
    XDG_DATA_HOME=$T/m$n/data XDG_CACHE_HOME=$T/m$n/cache HOME=$T/m$n SCRY_STORE=milvus://10.9.$n.1:19530 \
        nsenter -t "$(pid_of $n)" -n -m timeout -s KILL 200 "$scry" "$@" >"$T/m$n/out" 2>"$T/m$n/err" </dev/null
    status=$?
    cp "$T/m$n/err" "$T/err"
    cp "$T/m$n/out" "$T/out"
    return $status
}
for n in 1 2 3 4; do ok "machine $n" start_machine $n; done
nsenter -t "$(pid_of 2)" -n ip addr >"$T/out"
like "they are in networks of their own" "$T/out" 'inet 10\.9\.2\.2'

# ---- a name for a root ----
on 1 index --root-name photos "$T/m1/photos/a" "$T/m1/photos/b"
like "a name is for one folder" "$T/err" 'root-name takes one folder'
on 1 index --root-name 'my photos' "$T/m1/photos"
like "names have no spaces" "$T/err" '"my photos" cannot be the name of a root'
run index --root-name photos "$S/a"
like "a store in a folder has no names" "$T/err" 'roots have names in collections .* on Milvus only'

# ---- four at once, from nothing ----
for n in 2 3 4; do echo "photos=$T/m$n/photos" >"$T/m$n/data/roots.new"; mkdir -p "$T/m$n/data/scry"; mv "$T/m$n/data/roots.new" "$T/m$n/data/scry/roots"; done
indexing() { # N FOLDER...
    n=$1
    shift
    on "$n" index -j 1 "$@"
}
on 1 index --root-name photos -j 1 "$T/m1/photos" & one=$!
indexing 2 "$T/m2/photos/a" "$T/m2/photos/b" "$T/m2/photos/c" & two=$!
indexing 3 "$T/m3/photos/c" "$T/m3/photos/d" & three=$!
indexing 4 "$T/m4/photos/d" "$T/m4/photos/e" "$T/m4/photos/f" & four=$!
of() { ps -eo pid,args | awk -v place="$T/m$1/photos" '$2 ~ /scry$/ && $3 == "index" && index($0, place) { print $1; exit }'; }
for _ in $(seq 200); do [ -n "$(of 3)" ] && [ -n "$(of 4)" ] && break; sleep 0.05; done
sleep 0.5
third=$(of 3) fourth=$(of 4)
kill -STOP "$fourth"
kill -KILL "$third"
wait $three
is "one is killed" $? 137
sleep 5
kill -CONT "$fourth"
wait $one
is "the machine that indexed all of it" "$? $(grep -c 'skipped: .*cut.png: empty' "$T/m1/err")" "1 1"
wait $two
is "the one beside it" $? 1
wait $four
is "the one that was stopped for a while" $? 0
indexing 3 "$T/m3/photos/c" "$T/m3/photos/d"
is "the machine that was killed continues" $status 0
is "nothing is lost, nothing twice" "$(compare count default)" 301
for n in 1 2 3 4; do
    on $n list --paths -n 1000
    is "machine $n lists all, at its own place" "$(sort "$T/out" | cksum)" \
        "$(cd "$S" && find . -name '*.png' ! -name cut.png | sed "s|^\.|$T/m$n/photos|" | LC_ALL=C sort | cksum)"
    on $n index "$T/m$n/photos"
    like "... and has nothing to do" "$T/err" '^0 added, 0 updated, 301 unchanged, 1 skipped'
done
on 2 verify
is "verify" "$status $(cat "$T/out")" "0 all is well: 301 files, 300 pictures"
on 2 root list
like "one root, with its name" "$T/out" "^[0-9a-f]{32} +301  $T/m2/photos  \(photos\)\$"
is "one line" "$(wc -l <"$T/out")" 1
on 3 search --by look --paths --in "$T/m3/photos/e" dog
is "searched below a folder" "$(grep -c "^$T/m3/photos/e/" "$T/out")" 10

# ---- a queue of folders: examples/index_queue.sh ----
mkdir -p "$S/QUEUE/todo"
for folder in g h i j; do
    pictures "$S/more/$folder" 6 $first
    first=$((first + 6))
    echo "more/$folder" >"$S/QUEUE/todo/more+$folder"
done
echo "more/absent" >"$S/QUEUE/todo/more+absent"
working() { # N
    XDG_DATA_HOME=$T/m$1/data XDG_CACHE_HOME=$T/m$1/cache HOME=$T/m$1 SCRY_STORE=milvus://10.9.$1.1:19530 PATH=$(dirname "$scry"):$PATH \
        nsenter -t "$(pid_of $1)" -n -m unshare -u sh -c "hostname machine$1; exec '$PWD/examples/index_queue.sh' photos '$T/m$1/photos/QUEUE'" \
        >"$T/m$1/out" 2>&1 </dev/null
}
working 2 & two=$!
working 3
wait $two
is "all of the queue is indexed" "$(compare count default)" 325
is "... and it is empty, but for what failed" "$(cd "$S/QUEUE" && find . -type f)" "./failed/more+absent"
on 3 index --prune --recheck "$T/m3/photos"
like "each once" "$T/err" '^0 added, 0 updated, 325 unchanged, 1 skipped, 0 forgotten'
is "both took part" "$(cd "$S/QUEUE/taken" && echo *)" "machine2 machine3"

# ---- a machine that does not know where it is ----
ok "machine 5" start_machine 5
on 5 root list
like "it is named" "$T/out" ' 325  photos:  \(photos\)$'
like "... with what tells it" "$T/err" 'does not know where the root photos is: scry root move photos PATH'
on 5 search --by look --paths dog
like "it can be searched" "$T/out" '^photos:/[a-f]/p'
mkdir -p "$T/m5/other"
pictures "$T/m5/other" 2 9000
on 5 index --root-name photos "$T/m5/other"
like "another folder is not taken for it" "$T/err" "other has none of the pictures that the root photos has"
on 5 index --prune "$T/m5/other"
is "another folder is indexed, and nothing else forgotten" "$status $(compare count default)" "0 327"
on 5 root move photos "$T/m5/photos"
is "it is told" "$status $(cat "$T/m5/data/scry/roots")" "0 photos=$T/m5/photos"
on 5 index "$T/m5/photos/a"
like "... and has it all" "$T/err" '^0 added, 0 updated, 50 unchanged'
on 5 index --root-name photos "$T/m5/other"
like "it is there, and nowhere else" "$T/err" "the root photos is $T/m5/photos on this machine"
on 5 index --root-name holidays "$T/m5/photos/a"
like "a part of it gets no other name" "$T/err" "is in the root .*m5/photos .*already, which has the name photos"
on 5 index "$T/m5"
like "it is no part of a root without a name" "$T/err" 'contains .*m5/photos, the root photos'
echo 'photos' >"$T/m5/data/scry/roots"
on 5 list
like "a line that says nothing is named" "$T/err" 'line 1 of .*/roots is not NAME=/PATH'
rm "$T/m5/data/scry/roots"

# ---- a root that was indexed without a name gets one; copies keep it ----
on 5 index --root-name other "$T/m5/other"
like "its pictures stay" "$T/err" '^0 added, 0 updated, 2 unchanged'
on 1 root list
like "the other machines see it" "$T/out" ' 2  other:  \(other\)$'
on 1 store copy milvus://10.9.1.1:19530 milvus://10.9.1.1:19530 --to-collection second
is "a copy on Milvus" $status 0
on 1 root list --collection second
like "... has the names" "$T/out" ' 325  .*/m1/photos  \(photos\)$'
like "... of roots that are not here, too" "$T/out" ' 2  other:  \(other\)$'
on 1 store copy milvus://10.9.1.1:19530 "$T/embedded"
like "a folder needs to know where they are" "$T/err" '"other:" cannot be a root|root move other'
on 5 root move photos "$T/m5/photos"
on 5 store copy milvus://10.9.5.1:19530 "$T/embedded"
is "a copy into a folder" $status 0
on 5 verify --store "$T/embedded" --against milvus://10.9.5.1:19530
is "... is equal" $status 0

# ---- a restart forgets no name ----
milvus_kill
sleep 1
milvus_start "$T/milvus"
on 2 root list
like "names survive kill -9 of the server" "$T/out" " 325  $T/m2/photos  \(photos\)\$"

milvus_stop
done_testing
