#!/bin/sh
# prove_on.sh [-jN] TEST... - prove for a run that may be stopped: what passes is noted in the file PASSED, and not run again.
#
#     make test PROVE=tools/prove_on.sh PASSED=/var/tmp/passed-COMMIT
#
# A line for each test as it ends; the whole output of one that fails. PASSED is for one commit, which the caller has in its name.
set -u
: "${PASSED:?a file}"
export PASSED
jobs=1
case ${1-} in
-j*) jobs=${1#-j}; shift ;;
esac
touch "$PASSED" || exit
printf '%s\n' "$@" | grep -vxFf "$PASSED" | xargs -r -d '\n' -P "$jobs" -n 1 sh -c '
    log=$(mktemp) || exit
    if prove "$1" </dev/null >"$log" 2>&1; then
        echo "$1" >>"$PASSED"
        echo "ok      $1"
    else
        cat "$log"
        echo "NOT OK  $1"
        false
    fi
    result=$?
    rm -f "$log"
    exit $result' sh || exit
echo "$# passed"
