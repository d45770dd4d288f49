#!/bin/bash
# The store on both servers against plain arrays (tests/unit/test_store_random.c), as TAP. SHORT=1: less of it, for sanitizers.
cd "$(dirname "$0")/../.." || exit 1
. tests/milvus/servers.sh
in_private_network "$0" "$@"
[ -n "$SHORT" ] && steps="12 3" || steps="45 8"
on_both test_store_random "random operations" SCRY_TEST_STEPS $steps
