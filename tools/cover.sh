#!/bin/sh
# cover.sh BUILD - lines that the tests ran, by folder of src/, from gcov's counts.
set -eu
cd "$(dirname "$0")/.."
find "$1/src" -name '*.gcda' | while read -r f; do
    (cd "$1" && gcov -n "${f#"$1"/}" 2>/dev/null)
done | awk '
    /^File / { split($2, part, "/"); folder = ($2 ~ /src\//) ? gensub(/.*src\/([a-z]+)\/.*/, "\\1", 1, $2) : "" }
    /^Lines executed/ && folder { split($2, x, ":"); n = $NF; lines[folder] += n; ran[folder] += n * substr(x[2], 1) / 100; folder = "" }
    END { for (f in lines) { printf "%-10s %5.1f %% of %d lines\n", f, 100 * ran[f] / lines[f], lines[f]; a += ran[f]; b += lines[f] }
          printf "%-10s %5.1f %% of %d lines\n", "all", 100 * a / b, b }' | sort
