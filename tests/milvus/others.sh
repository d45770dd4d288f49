#!/bin/bash
# Collections that pymilvus made, on milvus 2.3.5 and milvus-lite 3.2.2: the quick start's and the tutorial's older form, with the paths of
# pictures in a dynamic field or a VARCHAR. Searched by the command line and the API, by @id:, added to where that is possible.
cd "$(dirname "$0")/../.." || exit 1
. tests/milvus/lib.sh
. tests/server/lib/serve.sh

tiny_model "$T/model"
P=$T/pics
pictures "$P/a" 20
pictures "$P/b" 4 30
ls "$P"/a/p*.png >"$T/list"
"$scry" embed --images "$T/list" --out "$T/v.npy" 2>/dev/null
run index "$P/a"

# The picture of a result, by its id.
view() { # OPTION...
    run search --store $M "$@" --json -n 1 "@$P/a/p007.png"
    id=$(json 'j["results"][0]["id"]')
}
searched() { # NAME COLLECTION FIELD
    o="--collection $2 --milvus-path $3 --milvus-search nprobe=512"
    is "$1: searches give paths" "$("$scry" search --store $M $o --paths -n 20 "@$P/a/p007.png")" \
        "$("$scry" search --by look --paths -n 20 "@$P/a/p007.png")"
    view $o
    is "$1: with scores that are cosines" "$(json 'round(float(j["results"][0]["score"]), 4)')" 1.0
    run search --store $M $o --paths -n 1 "@id:$id"
    is "$1: by the id of a result" "$status $(cat "$T/out")" "0 $P/a/p007.png"
    ok "$1: serve" start --store $M $o
    get "$url/api/v1/search?q=@id:$id&limit=1"
    is "$1: the API" "$code $(json 'j["results"][0]["path"]')" "200 $P/a/p007.png"
    get "$url/api/v1/images/$id/thumbnail"
    is "$1: and shows the picture" "$code" 200
    hidden "$1"
    stop
}

# A file that is not a picture, under the path of one.
cp "$P/a/p007.png" "$T/kept.png"
hidden() { # NAME
    echo secret >"$P/a/p007.png"
    get "$url/api/v1/images/$id/file"
    is "$1: a file that is no picture is not shown" "$code" 403
    cp "$T/kept.png" "$P/a/p007.png"
}

for kind in lite milvus; do
    [ $kind = lite ] && begin=lite_start settings='' || { begin=milvus_start settings=common.session.ttl=60; }
    rm -rf "$XDG_DATA_HOME/scry/milvus"   # the other server has the same address
    ok "$kind starts" $begin "$T/$kind" $settings
    is "$kind: pymilvus makes the quick start's collection" "$(compare quick quick "$T/v.npy" "$T/list")" ok
    is "$kind: ... one with ids of the client" "$(compare dynamic dynamic "$T/v.npy" "$T/list")" ok
    is "$kind: ... and the older form" "$(compare older older "$T/v.npy" "$T/list" 1)" ok
    searched "$kind: quick start" quick filepath
    searched "$kind: older form" older path
    run status --store $M --collection older
    like "$kind: status says what is known" "$T/out" 'another program: key id \(INT64\), vectors embedding, metric L2, index IVF_FLAT.*its field path is required'
    run status --store $M --collection older --milvus-path path --json
    is "$kind: ... also as JSON" "$(json '(j["files"], "pictures can be added" in j["external"])')" "(20, True)"
    run index --store $M --collection quick --milvus-path filepath "$P/b"
    like "$kind: to the quick start's nothing can be added" "$T/err" 'the server makes its keys'
    for c in "dynamic filepath" "older path"; do
        set -- $c
        run index --store $M --collection "$1" --milvus-path "$2" "$P/b"
        like "$kind: $1: four are added" "$T/err" '^4 added'
        is "$kind: $1: with their paths, as pymilvus sees them" "$(compare paths "$1" "$2")" "$(ls "$P"/*/p*.png | tr '\n' ' ' | sed 's/ $//')"
        run search --store $M --collection "$1" --milvus-path "$2" --milvus-search nprobe=512 --paths -n 1 "@$P/b/p031.png"
        is "$kind: $1: and are found" "$(cat "$T/out")" "$P/b/p031.png"
    done
    run search --store $M --collection older --milvus-path nothing dog
    like "$kind: a field that is not there" "$T/err" 'no field nothing in the collection older'
    run search --store $M --collection older --milvus-path embedding dog
    like "$kind: a field that is no text" "$T/err" 'not text'
    is "$kind: vectors that are not normalised" "$(compare older long "$T/v.npy" "$T/list" 3)" ok
    run search --store $M --collection long --milvus-path path dog
    like "$kind: ... are said" "$T/err" 'not of unit length \(one has 3\) and are compared by L2'
    servers_stop
done
done_testing
