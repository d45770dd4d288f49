#!/bin/bash
# The store on both servers against plain arrays (tests/unit/test_store_random.c), as TAP.
cd "$(dirname "$0")/../.." || exit 1
. tests/milvus/servers.sh
in_private_network "$0" "$@"
on_both test_store_random "random operations" SCRY_TEST_STEPS 45 8
