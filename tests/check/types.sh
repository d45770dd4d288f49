#!/bin/sh
# types.sh - what mypy knows of the Python package: a program that uses it as documented is right, and its mistakes are found.
. "$(dirname "$0")/../e2e/lib.sh"
use=tests/python/typed_use.py
cd "$SCRY_TOP" || exit 1
ok "mypy is installed (tools/deps.sh check)" mypy --version
# Versions before 1.7 call the types of keyword arguments incomplete.
MYPYPATH=python mypy --cache-dir="$T/mypy" --strict --follow-imports=silent --enable-incomplete-feature=Unpack --no-error-summary "$use" >"$T/out" 2>&1
is "it finds the lines that are wrong, and no others" "$(sed -n "s,^$use:\([0-9]*\): error: .*,\1,p" "$T/out" | sort -nu | tr '\n' ' ')" \
    "$(grep -n '# wrong$' "$use" | cut -d: -f1 | tr '\n' ' ')"
unlike "with nothing unknown" "$T/out" 'has type "Any"|Cannot find implementation|is not defined'
grep 'error:' "$T/out" | note
done_testing
