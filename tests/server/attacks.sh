#!/bin/sh
# Attacks on the server: hosts and origins, bodies, escapes and races, load, TLS, slow clients.
#   attacks.sh [NAME]...     only these, of: exposure hosts bodies escapes load watchers encryption slow_clients
top=${SCRY_TOP-$(cd "$(dirname "$0")/../.." && pwd)}
. "$top/tests/e2e/lib.sh"
tiny_model "$T/model"
pictures "$T/pics" 6
pictures "$T/pics/sub" 3 50
python3 "$E2E/make_bombs.py" "$T/bombs" "$top/tests/pictures/photo.jpg" "$top/tests/pictures/progressive.jpg"
"$scry" index --quiet "$T/pics" || exit 1
gcc -D_GNU_SOURCE -shared -fPIC -o "$T/clock.so" "$top/tests/server/lib/clock.c" || exit 1
python3 -W ignore::DeprecationWarning "$top/tests/server/attacks.py" "$scry" "$T/pics" "$T/bombs" "$T" "$@"
