#!/bin/sh
# The page with COUNT generated pictures (100000) in Chromium: how soon the first pictures are there, frames while scrolling, memory.
#     [ONLY=first|scrolling|memory] [CHROMIUM_ARGS="--enable-gpu-rasterization"] bench/page.sh [COUNT]
# On a busy machine under `chrt -r 1`, which keeps other programs from the processors. Prints tab-separated lines: what, median, lowest, highest, unit. The store is kept in $BENCH_HOME (~/.cache/scry-bench).
cd "$(dirname "$0")/.." || exit 1
BENCH_HOME=${BENCH_HOME:-${XDG_CACHE_HOME:-$HOME/.cache}/scry-bench}
export BENCH_HOME COUNT="${1:-100000}"
. tests/browser/setup
browser_run ../../bench/page.mjs
