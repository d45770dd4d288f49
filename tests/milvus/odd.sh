#!/bin/bash
# Collections of other programs that look like nobody's (odd.py), on milvus 2.3.5 and milvus-lite 3.2.2: keys that are texts, paths in
# JSON, vectors of other kinds and lengths, partition keys, fields that may be empty. Each of them is searched, listed, shown by the
# page's API and added to, or refused in one line that says why.
cd "$(dirname "$0")/../.." || exit 1
. tests/milvus/lib.sh
. tests/server/lib/serve.sh

tiny_model "$T/model"
P=$T/pics
N=12
pictures "$P/a" $N
pictures "$P/b" 4 30
ls "$P"/a/p*.png >"$T/list"
"$scry" embed --images "$T/list" --out "$T/v.npy" 2>/dev/null
run index "$P/a"
"$scry" search --by look --paths -n $N "@$P/a/p007.png" >"$T/ranked"

has() { case " $made " in *" $1 "*) true ;; *) false ;; esac; }
one_line() { [ "$(grep -c . "$T/err")" = 1 ]; }
sorted() { sort | tr '\n' ' '; }

# A collection with the paths of all pictures: COLLECTION [OPTION]...
whole() {
    name=$1
    has "$name" || return 0
    shift
    here="$kind: $name"
    set -- --store $M --collection "$name" "$@"
    run status "$@"
    is "$here: status" "$status $(grep -c 'another program: key' "$T/out")" "0 1"
    run search "$@" --paths -n $N "@$P/a/p007.png"
    is "$here: search" "$status $(cat "$T/out")" "0 $(cat "$T/ranked")"
    run search "$@" --json -n 1 "@$P/a/p007.png"
    id=$(json 'j["results"][0]["id"]')
    run search "$@" --paths -n 1 "@id:$id"
    is "$here: by the id of a result" "$status $(cat "$T/out")" "0 $P/a/p007.png"
    run list "$@" --paths
    is "$here: list" "$status $(sorted <"$T/out")" "0 $(sorted <"$T/list")"
    ok "$here: serve" start "$@"
    get "$url/api/v1/images?limit=5"
    cursor=$(json 'j["cursor"]') first=$(json '" ".join(r["path"] for r in j["results"])')
    get "$url/api/v1/images?limit=50&cursor=$cursor"
    is "$here: pages of the API" "$(echo "$first" $(json '" ".join(r["path"] for r in j["results"])') | tr ' ' '\n' | sorted)" \
        "$(sorted <"$T/list")"
    get "$url/api/v1/search?q=@id:$id&limit=1"
    is "$here: the API" "$code $(json 'j["results"][0]["path"]')" "200 $P/a/p007.png"
    get "$url/api/v1/images/$id/thumbnail"
    is "$here: and a picture" "$code" 200
    get "$url/api/v1/facets"
    is "$here: facets" "$code" 200
    stop
}

# Four pictures are added, and again: COLLECTION [OPTION]...
added() {
    name=$1
    has "$name" || return 0
    shift
    here="$kind: $name"
    set -- --store $M --collection "$name" "$@"
    run index "$@" "$P/b"
    like "$here: four are added" "$T/err" '^4 added'
    run index "$@" "$P/b"
    like "$here: once" "$T/err" '^0 added.* 4 unchanged'
    is "$here: as pymilvus counts" "$(compare count "$name")" $((N + 4))
    run search "$@" --paths -n 1 "@$P/b/p031.png"
    is "$here: and are found" "$status $(cat "$T/out")" "0 $P/b/p031.png"
    run list "$@" --in "$P/b" --paths
    is "$here: and listed" "$(sorted <"$T/out")" "$(ls "$P"/b/p*.png | sorted)"
}

# What is said in one line: COLLECTION PATTERN COMMAND [OPTION]...
refused() {
    name=$1 pattern=$2 command=$3
    has "$name" || return 0
    shift 3
    run "$command" --store $M --collection "$name" "$@"
    is "$kind: $name: $command: refused" $status 2
    like "$kind: $name: ... and why" "$T/err" "$pattern"
    ok "$kind: $name: ... in one line" one_line
}

for kind in milvus lite; do
    [ $kind = lite ] && begin=lite_start settings='' || { begin=milvus_start settings=common.session.ttl=60; }
    rm -rf "$XDG_DATA_HOME/scry/milvus"
    ok "$kind starts" $begin "$T/$kind" $settings
    made=$("$PYMILVUS" tests/milvus/odd.py "$T/v.npy" "$T/list" 2>"$T/absent" | tail -n 1)
    grep '^[a-z_]*: "' "$T/absent" | sed 's/^/# not there: /'
    ok "$kind: pymilvus makes $(echo $made | wc -w) collections" test "$(echo $made | wc -w)" -ge 18

    whole path_as_key
    whole text_key --milvus-path path
    whole text_key_auto --milvus-path path
    whole extreme_keys --milvus-path path
    whole json --milvus-path 'info["file"]["path"]'
    whole nested --milvus-path "info['path']"
    whole inner_product --milvus-path path
    whole distance --milvus-path path
    whole by_category --milvus-path path
    whole by_path --milvus-path path
    whole many_types --milvus-path path
    whole defaults --milvus-path path
    whole nullable_note --milvus-path path
    whole two_vectors --milvus-path path --milvus-field v
    whole graph --milvus-path path
    whole released --milvus-path path
    whole langchain --milvus-path source
    whole llama_index --milvus-path 'metadata["file_path"]'
    whole quick_texts --milvus-path image_path
    whole quick_texts --milvus-path '$meta["image_path"]'
    whole nested --milvus-path "\$meta['info']['path']"
    whole beside --milvus-path path
    whole optional_all --milvus-path path
    whole file_urls --milvus-path path
    run list --store $M --collection text_key --milvus-path path -n 1
    like "$kind: text_key: a list without dates, which are not known" "$T/out" '^ +-  /'
    run favourite add --store $M --collection text_key "$P/a/p003.png"
    like "$kind: text_key: no favourites" "$T/err" 'belong to collections that scry made|not a picture of the index'
    ok "$kind: text_key: ... in one line" one_line
    run search --store $M --collection text_key --min-score auto dog
    like "$kind: text_key: no threshold of its own" "$T/err" 'reading it in parts, as copying, comparing and --min-score auto do, is not possible'
    run search --store $M --collection inner_product --milvus-path path "@$P/a/p007.png"
    like "$kind: inner_product: long vectors are said" "$T/err" 'not of unit length \(one has 3\) and are compared by IP'

    # Rows without a path, or whose path is no file.
    run search --store $M --collection no_paths --paths -n 1 "@$P/a/p007.png"
    is "$kind: no_paths: results have their keys" "$status $(cat "$T/out")" "0 id:7"
    run list --store $M --collection no_paths --paths
    is "$kind: no_paths: so has a list" "$(sorted <"$T/out")" "$(seq -f id:%.0f 0 $((N - 1)) | sorted)"
    for name in some_paths nullable_path; do
        has $name || continue
        run search --store $M --collection $name --milvus-path path --paths -n $N "@$P/a/p007.png"
        is "$kind: $name: keys where there is no path" "$status $(sorted <"$T/out")" \
            "0 $({ seq -f id:%.0f 0 2 $((N - 1)); sed -n 'n;p' "$T/list"; } | sorted)"
        run list --store $M --collection $name --milvus-path path --paths
        is "$kind: $name: in a list, too" "$status $(wc -l <"$T/out")" "0 $N"
    done
    run search --store $M --collection addresses --milvus-path path --paths -n 1 "@$P/a/p007.png"
    is "$kind: addresses are shown as they are" "$status $(cat "$T/out")" "0 https://example.org/7.png"
    ok "$kind: addresses: serve" start --store $M --collection addresses --milvus-path path
    get "$url/api/v1/images?limit=1"
    get "$url/api/v1/images/$(json 'j["results"][0]["id"]')/thumbnail"
    is "$kind: addresses: no picture is there" "$code" 404
    stop
    has nullable_vector && {
        run search --store $M --collection nullable_vector --milvus-path path --paths -n $N "@$P/a/p007.png"
        is "$kind: nullable_vector: rows that have one are found" "$status $(head -n 1 "$T/out")" "0 $P/a/p007.png"
    }
    run search --store $M --collection empty --milvus-path path dog
    is "$kind: empty: nothing is found" $status 1
    run list --store $M --collection empty --milvus-path path
    is "$kind: empty: nor listed" $status 1
    run search --store $M --collection no_paths "@id:$(printf '%032x' 99)"
    is "$kind: an id that is not there" $status 2
    like "$kind: ... is said" "$T/err" 'no file of that id'

    added extreme_keys --milvus-path path
    added json --milvus-path 'info["file"]["path"]'
    added nested --milvus-path 'info["path"]'
    added distance --milvus-path path
    added defaults --milvus-path path
    # Which 2.3.5 does not survive when a row that is replaced leaves them out.
    is "$kind: defaults: rows have it" "$(client "print({r['note'] for r in c.query('defaults', filter='id != 0', output_fields=['note'])})")" "{'x'}"
    added nullable_note --milvus-path path
    added optional_all --milvus-path path
    added no_paths
    refused text_key 'its key is text' index --milvus-path path "$P/b"
    refused text_key_auto 'its key is text' index --milvus-path path "$P/b"
    refused many_types 'its field a is required' index --milvus-path path "$P/b"
    refused by_category 'its field category is required' index --milvus-path path "$P/b"
    refused two_vectors 'its field w is required' index --milvus-path path --milvus-field v "$P/b"
    [ $kind = lite ] || refused by_path 'its field path is a partition key, by which Milvus 2.3' index --milvus-path path "$P/b"
    refused two_vectors 'has 2 fields of vectors \(v, w\): name one with --milvus-field' search dog
    refused bits 'v is of the type BINARY_VECTOR' search dog
    refused sparse 'v is of the type SPARSE_FLOAT_VECTOR' search dog
    refused other_size 'vectors of 8 numbers' search dog
    refused list_of_paths 'field paths .*is not text' search --milvus-path paths dog
    refused json "is JSON: say under which key" search --milvus-path info dog
    refused nested 'meta .*is JSON: say under which key' search --milvus-path '$meta' dog
    refused json 'not the name of a field' search --milvus-path 'info[path]' dog
    refused distance 'text without keys' search --milvus-path 'path["x"]' dog
    [ $kind = lite ] || refused no_index 'has no index yet' search --milvus-path path dog
    servers_stop
done
done_testing
