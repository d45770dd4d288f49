#!/bin/sh
# make soak: a server under ordinary and hostile traffic for SOAK_SECONDS (an hour).
top=${SCRY_TOP-$(cd "$(dirname "$0")/../.." && pwd)}
. "$top/tests/e2e/lib.sh"
. "$top/tests/server/lib/serve.sh"
tiny_model "$T/model"
pictures "$T/pics" 40
"$scry" index --quiet "$T/pics" || exit 1
start --allow-upload --allow-remove --allow-index || exit 1
python3 "$top/tests/soak/soak.py" "${url##*:}" "$server" "$T/pics/p000.png" "${SOAK_SECONDS-3600}"
result=$?
stop
[ "$status" = 0 ] || { echo "# the server ended with $status"; exit 1; }
exit $result
