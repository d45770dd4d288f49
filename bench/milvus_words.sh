#!/bin/bash
# What it costs to ask a server for words that rows have together, and to store what it ranks them by: milvus-lite 3.2.2 with BM25 and
# without, and milvus 2.3.5, which has none; filled by bench/milvus_rows.
#
#     make all tests bench-programs && bench/milvus_words.sh [ROWS]
#
# A table on stdout: processor time of the server (of all rows, or a request) and time by the clock.
cd "$(dirname "$0")/.." || exit 1
SCRY_TOP=$PWD
. tests/milvus/lib.sh
rows=${1:-20000}
tiny_model "$T/model"
pictures "$T/pics" 2

used() { awk -v tick="$(getconf CLK_TCK)" '{ print ($14 + $15) / tick }' "/proc/$LITE_PID$MILVUS_PID/stat"; }
measured() { # NAME TIMES COMMAND...
    local name=$1 n=$2 before clock
    before=$(used) clock=$(date +%s.%N)
    "${@:3}" >"$T/out" 2>"$T/err" || tail -n 3 "$T/err" >&2
    awk -v name="$name" -v n="$n" -v a="$before" -v b="$(used)" -v c="$clock" -v d="$(date +%s.%N)" \
        'BEGIN { printf "%-64s %9.1f ms %9.1f ms\n", name, (b - a) * 1000 / n, (d - c) * 1000 / n }'
}
requests() { # NAME COLLECTION
    local text
    for text in 'screenshot img 00007777' 'img y000 absent'; do
        set -- "$1" "$2" "$text" "$text" "$text" "$text" "$text" "$text"
        "$SCRY_BUILD/tests/milvus_rare" $M "$2" "$text" >"$T/out"   # the server may prepare itself
        measured "$1: $text" 6 "$SCRY_BUILD/tests/milvus_rare" $M "${@:2}"
    done
}
fill() { measured "$1: $rows rows" 1 "$SCRY_BUILD/bench/milvus_rows" $M "$2" "$T/pics" "$rows"; }

printf '%-64s %12s %12s\n' '' processor clock
lite_start "$T/lite" || exit 1
"$scry" index --store $M --collection ranked "$T/pics" 2>"$T/err"
compare old plain ranked 3 >"$T/out"
fill "milvus-lite, BM25" ranked
fill "milvus-lite, without" plain
requests "milvus-lite, BM25, rows in memory" ranked
requests "milvus-lite, without, rows in memory" plain
client "c.flush('ranked'), c.flush('plain')"
requests "milvus-lite, BM25" ranked
requests "milvus-lite, without" plain
lite_stop
milvus_start "$T/milvus" || exit 1
"$scry" index --store $M --collection plain "$T/pics" 2>"$T/err"
fill "milvus 2.3.5" plain
requests "milvus 2.3.5" plain
