#!/bin/bash
# Aliases, partition keys, mmap and resource groups on milvus 2.3.5; aliases on milvus-lite, too.
cd "$(dirname "$0")/../.." || exit 1
. tests/milvus/lib.sh
two_models
collections() { client "print(*sorted(c.list_collections()))"; }
export SCRY_STORE=$M
"$scry" index --quiet --store "$T/embedded" --model "$T/two" "$P"

for server in lite milvus; do
    ok "$server: the server starts" ${server}_start "$T/$server"
    run index --model "$T/one" --milvus-alias --collection photos "$P"
    is "$server: a name that is an alias" "$status $(collections)" "0 photos__a"
    run store list --quiet
    is "$server: ... is listed by it" "$(cat "$T/out")" photos
    run status --collection photos --json
    is "$server: ... and called by it" "$(json '(j["collection"], j["files"])')" "('photos', 50)"
    before=$(paths --collection photos dog)
    run index --rebuild --collection photos --model "$T/two"
    is "$server: a rebuild switches it" "$status $(collections)" "0 photos__b"
    is "$server: ... to the new vectors" "$(paths --collection photos dog)" "$(paths --store "$T/embedded" dog)"
    run index --collection photos "$P"
    like "$server: ... which go on" "$T/err" '^0 added, 0 updated, 50 unchanged'
    [ "$before" != "$(paths --collection photos dog)" ] || is "$server: other vectors" same other
    run index --rebuild --collection photos --model "$T/one"
    is "$server: and back" "$status $(collections) $(paths --collection photos dog | cksum)" "0 photos__a $(echo "$before" | cksum)"
    [ $server = milvus ] || {
        run store drop --yes photos
        is "$server: dropped by its alias" "$status $(collections)" "0 "
        run index --model "$T/two" --collection keyed --milvus-partition-key "$P/a" "$P/b"
        is "a root as the partition key" "$status $(client "print([f['name'] for f in c.describe_collection('keyed')['fields'] if f.get('is_partition_key')])")" "0 ['root']"
        is "... searched" "$(paths --collection keyed dog)" "$(paths --store "$T/embedded" dog)"
        is "... below a folder" "$(paths --collection keyed --in "$P/b" dog)" "$(paths --store "$T/embedded" --in "$P/b" dog)"
        run remove --collection keyed "$P/b/p030.png"
        is "... removed" "$status $(client "print(c.query('keyed', 'id != \"\"', output_fields=['count(*)'])[0]['count(*)'])")" "0 49"
        lite_stop
    }
done

# ---- searched all the time, killed in the middle ----
searching() {
    while [ ! -e "$T/enough" ] && kill -0 $$; do
        "$scry" search --by look --paths --collection photos --model "$1" dog >"$T/found" 2>"$T/lost.err" || {
            grep -q 'built with model' "$T/lost.err" || cat "$T/lost.err" >>"$T/lost"; }
        client "c.load_collection('photos'); print(len(c.search('photos', [[1.0] + [0.0] * (int(sys.argv[1]) - 1)], limit=3)[0]))" "$dim" >>"$T/theirs"
    done
}
run status --collection photos --json
dim=$(json 'j["dim"]')
"$scry" index --quiet --jobs 1 --rebuild --collection photos --model "$T/two" >"$T/ignored" 2>&1 &
pid=$!
for _ in $(seq 30); do client "print(c.has_collection('photos__b'))" | grep -q True && break; done
kill -9 $pid
wait $pid 2>/dev/null
run store list --quiet
is "an unfinished rebuild is not listed" "$(cat "$T/out")" photos
is "the old vectors are searched" "$(paths --collection photos dog | cksum)" "$(echo "$before" | cksum)"
searching "$T/one" &
first=$!
searching "$T/two" &
second=$!
run index --rebuild --collection photos --model "$T/two"
is "the same command continues" "$status $(collections)" "0 photos__b"
touch "$T/enough"
wait $first $second
is "no search of scry ever failed" "$(cat "$T/lost" 2>/dev/null)" ""
is "none of pymilvus by the alias" "$(sort -u "$T/theirs")" 3

# ---- aliases that others made ----
run index --model "$T/one" --collection pictures_v1 "$P"
client "c.create_alias('pictures_v1', 'live'); c.create_alias('pictures_v1', 'also'); print('ok')" >"$T/ignored"
is "an alias of pymilvus is searched" "$(paths --collection live dog | cksum)" "$(echo "$before" | cksum)"
run index --rebuild --collection live --model "$T/two"
is "a rebuild switches it" "$status $(client "print(c.describe_collection('live')['collection_name'])")" "0 live__a"
like "what has another alias stays" "$T/err" 'the collection pictures_v1 stays: it has the alias also, too'
is "... with its vectors" "$(paths --collection also dog | cksum)" "$(echo "$before" | cksum)"
run index --model "$T/one" --collection pictures_v1 --milvus-alias "$P"
like "a collection is no alias" "$T/err" 'pictures_v1 at .* is a collection, not an alias: scry store copy it'
run store drop --yes live
is "dropped by its alias" "$status $(client "print(c.has_collection('live__a'), c.has_collection('pictures_v1'))")" "0 False True"

# ---- mmap, resource groups ----
run index --model "$T/two" --collection mapped --milvus-mmap "$P/a" "$P/b"
is "mmap" "$status $(client "print([v for k, v in c.describe_collection('mapped')['properties'].items() if 'mmap' in k])")" "0 ['true']"
is "searched" "$(paths --collection mapped dog)" "$(paths --store "$T/embedded" dog)"
run index --rebuild --collection mapped --model "$T/one"
is "a rebuild keeps it" "$(client "print(c.describe_collection('mapped')['properties'].get('mmap.enabled'))")" "true"
run index --model "$T/one" --collection grouped --milvus-resource-group nowhere "$P/a"
like "no such resource group" "$T/err" 'resource group|nowhere'
run index --model "$T/one" --collection grouped2 --milvus-resource-group __default_resource_group "$P/a"
is "the default one" $status 0
run index --model "$T/one" --collection keyed --milvus-partition-key "$P/a"
like "no partition keys on 2.3, which loses rows that are replaced" "$T/err" 'wrong partitions.*use --milvus-partitions, or Milvus 2.4'
run index --model "$T/one" --collection wrong --milvus-partition-key --milvus-partitions "$P/a"
like "not both kinds of partitions" "$T/err" 'milvus-partition-key both say'
run index --model "$T/one" --collection pictures_v1 --milvus-partition-key "$P"
like "not added later" "$T/err" 'made without a partition key: scry store copy'
milvus_stop
done_testing
