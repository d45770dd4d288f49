#!/bin/bash
# What lists are made of, on both servers (tests/milvus/brief.c), as TAP.
cd "$(dirname "$0")/../.." || exit 1
. tests/milvus/servers.sh
in_private_network "$0" "$@"
work=$(mktemp -d) || exit 1
trap 'servers_stop; rm -rf "$work"' EXIT
export CMOCKA_MESSAGE_OUTPUT=TAP XDG_DATA_HOME=$work/data SCRY_TEST_STORE=milvus://127.0.0.1:19530
echo 1..2
run() {  # number, name, rows
    SCRY_TEST_ROWS=$3 "$SCRY_BUILD/tests/milvus_brief" >"$work/out" 2>&1
    status=$?
    sed 's/^/# /' "$work/out"
    [ $status = 0 ] && echo "ok $1 - brief walks on $2" || echo "not ok $1 - brief walks on $2"
}
lite_start "$work/lite" && run 1 "milvus-lite 3.2.2" 3000
lite_stop
rm -rf "$XDG_DATA_HOME"
milvus_start "$work/milvus" && run 2 "milvus 2.3.5" 17500
