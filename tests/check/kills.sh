#!/bin/sh
# kill -9 at 100 random moments of scry index.
. "$(dirname "$0")/../e2e/lib.sh"
tiny_model "$T/model"
pictures "$T/pics" 300
python3 "$SCRY_TOP/tests/check/kills.py" "$scry" "$T/model" "$T/pics"
