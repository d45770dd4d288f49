#!/bin/bash
# What lists are made of, on both servers (tests/milvus/brief.c), as TAP.
cd "$(dirname "$0")/../.." || exit 1
. tests/milvus/servers.sh
in_private_network "$0" "$@"
on_both milvus_brief "brief walks" SCRY_TEST_ROWS 3000 17500
