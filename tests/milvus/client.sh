#!/bin/bash
# The client's calls against both servers, as TAP.
cd "$(dirname "$0")/../.." || exit 1
. tests/milvus/servers.sh
in_private_network "$0" "$@"
work=$(mktemp -d) || exit 1
trap 'servers_stop; rm -rf "$work"' EXIT
export SCRY_TEST_MILVUS=milvus://127.0.0.1:19530 CMOCKA_MESSAGE_OUTPUT=TAP
failed=0
echo 1..2
if milvus_start "$work/milvus"; then
    "$SCRY_BUILD/tests/milvus_client" >"$work/out" 2>&1 || failed=1
    sed 's/^/# /' "$work/out"
fi
[ $failed = 0 ] && [ -s "$work/out" ] && echo "ok 1 - milvus 2.3.5" || echo "not ok 1 - milvus 2.3.5"
milvus_stop
failed=0
lite_start "$work/lite" && SCRY_TEST_LITE=1 "$SCRY_BUILD/tests/milvus_client" >"$work/out" 2>&1 || failed=1
sed 's/^/# /' "$work/out"
[ $failed = 0 ] && echo "ok 2 - milvus-lite 3.2.2" || echo "not ok 2 - milvus-lite 3.2.2"
