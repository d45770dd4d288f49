#!/bin/sh
# Kill a writing process 150 times, and let every n-th write of a session fail: TAP.
SCRY_TEST_KILLS=150 "${SCRY_BUILD:?}/tests/test_store_crash" >/dev/null 2>&1
[ $? -eq 0 ] && echo "ok 1 - 150 kills lose nothing" || echo "not ok 1 - 150 kills lose nothing"
SCRY_TEST_FAULTS=all "${SCRY_BUILD:?}/tests/test_store_faults" >/dev/null 2>&1
[ $? -eq 0 ] && echo "ok 2 - every failed write is reported" || echo "not ok 2 - every failed write is reported"
echo 1..2
