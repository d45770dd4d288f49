#!/bin/bash
# What goes over the wire: searches below a folder name its partitions, a search by the id of a picture takes one request more than one by
# a vector, and collections of vectors that came after 2.3. Before milvus 2.3.5 is newer.py, which prints what it is asked.
cd "$(dirname "$0")/../.." || exit 1
. tests/milvus/lib.sh
tiny_model "$T/model"
P=$T/pics
pictures "$P/a" 6 10
pictures "$P/b" 6 30
pictures "$P/c" 6 60
ls "$P"/a/p*.png >"$T/list"
"$scry" embed --images "$T/list" --out "$T/v.npy" 2>/dev/null
ok "the server starts" milvus_start "$T/milvus" common.session.ttl=60
"$PYMILVUS" tests/milvus/newer.py 29532 >"$T/wire" 2>&1 &
newer=$!
until (exec 3<>/dev/tcp/127.0.0.1/29532) 2>/dev/null; do sleep 0.1; done
N=milvus://127.0.0.1:29532
asked() { grep -E '^(Search|Query) ' "$T/wire" | tail -n +"$((${1:-0} + 1))"; }
now() { asked | wc -l; }

# ---- partitions ----
run index --store $N --collection parts --milvus-partitions "$P/a" "$P/b" "$P/c"
like "three roots" "$T/err" '^18 added'
of() { "$scry" root list --store $N --collection parts 2>/dev/null | sed -n "s|^\([0-9a-f]*\) .*$P/$1\$|root_\1|p"; }
before=$(now)
run search --store $N --collection parts --by look --in "$P/b" --paths dog
is "below a root its partition is searched" "$status $(asked $before | grep ^Search)" "0 Search parts $(of b)"
is "... and found in" "$(grep -vc "^$P/b/" "$T/out") $(wc -l <"$T/out")" "0 6"
before=$(now)
run search --store $N --collection parts --by look --in "$P/a" --in "$P/c" dog
is "below two both are" "$(asked $before | grep ^Search | cut -d' ' -f3- | tr ' ' '\n' | sort)" "$({ of a; of c; } | sort)"
before=$(now)
run search --store $N --collection parts --by look dog
is "else all are: none is named" "$(asked $before | grep ^Search)" "Search parts"

# ---- a picture of the collection ----
run search --store $N --collection parts --by look --json -n 1 dog
id=$(json 'j["results"][0]["id"]')
before=$(now)
run search --store $N --collection parts "@id:$id"
asked $before | cut -d' ' -f1 | tr '\n' ' ' >"$T/asked"
like "by an id: one request for its vector before the search" "$T/asked" '^Query Search '

# ---- vectors that 2.3 does not have ----
made=$("$PYMILVUS" tests/milvus/odd.py "$T/v.npy" "$T/list" 29532 halves brain_halves bytes 2>"$T/absent" | tail -n 1)
for name in halves brain_halves bytes; do
    case " $made " in *" $name "*) made_it=yes ;; *) made_it=no ;; esac
    is "pymilvus makes $name" $made_it yes
done
run search --store $N --collection halves --milvus-path path --paths "@$P/a/p012.png"
is "halves of another program are searched" "$status $(head -n 1 "$T/out")" "0 $P/a/p012.png"
run list --store $N --collection halves --milvus-path path --paths
is "... and listed" "$status $(wc -l <"$T/out")" "0 6"
run index --store $N --collection halves --milvus-path path "$P/b"
like "... and added to" "$T/err" '^6 added'
run search --store $N --collection halves --milvus-path path --paths -n 1 "@$P/b/p031.png"
is "... as pictures that are found" "$status $(cat "$T/out")" "0 $P/b/p031.png"
run search --store $N --collection brain_halves dog
is "BFLOAT16_VECTOR is refused" "$status $(wc -l <"$T/err")" "2 1"
like "... by name" "$T/err" 'v is of the type BFLOAT16_VECTOR, and scry searches FLOAT_VECTOR and FLOAT16_VECTOR'
run search --store $N --collection bytes --milvus-field v dog
like "INT8_VECTOR, too" "$T/err" 'v is of the type INT8_VECTOR'
unlike "all was understood" "$T/wire" 'Error|Traceback'
kill $newer
milvus_stop
done_testing
