#!/bin/bash
# The messages that scry sends and reads are Milvus's: every field of src/milvus/milvus.proto against the definitions in pymilvus.
cd "$(dirname "$0")/../.." || exit 1
. tests/milvus/servers.sh
servers_install >&2 || { echo "1..0 # SKIP no package index to install pymilvus from"; exit 0; }
echo 1..2
last=$("$PYMILVUS" tests/milvus/messages.py | tee /dev/stderr | tail -n 1)
echo "$last" | grep -Eq '^0 differences: [6-9][0-9] messages, [0-9]{3} fields, [2-9][0-9] calls, 1[0-9] numbers$' || printf 'not '
echo "ok 1 - $last"
# A definition that is wrong is found.
copy=$(mktemp -d)
cp -r --parents src/milvus "$copy"
sed -i 's/  string dsl = 5;/  string dsl = 6;/; s/  repeated float scores = 4;/  float scores = 4;/' "$copy/src/milvus/milvus.proto"
sed -i 's/"DropIndex"/"DropIndexes"/' "$copy"/src/milvus/*.c
there=$PWD
(cd "$copy" && "$PYMILVUS" "$there/tests/milvus/messages.py") | tail -n 1 | grep -q '^3 differences' || printf 'not '
echo "ok 2 - three that are wrong are found"
rm -rf "$copy"
