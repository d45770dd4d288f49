#!/bin/sh
# The page in Chromium, against the real server, the starter and the demo gallery; prints TAP.
cd "$(dirname "$0")/../.." || exit 1
. tests/browser/setup
browser_run suite.mjs
