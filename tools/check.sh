#!/bin/sh
# check.sh [PART]... - the parts of `make check`, each with its time; the last line counts them.
#
# Without names all parts: first those that build or use all processors, one after another, then two lanes side by
# side, since much of the servers' and the browser's tests is waiting. A part is run when its files are here.
# FUZZ_TOTAL is the time for all fuzzing, in seconds.
# Everything a part prints is shown when it fails, and the closing line when it passes.
set -u
cd "$(dirname "$0")/.."
top=$PWD
export SCRY_TOP=$top SCRY_BUILD=$top/build/release
FUZZ_TOTAL=${FUZZ_TOTAL-180}
logs=$top/build/check
results=$logs/results
mkdir -p "$logs"
: >"$results"
make="make --no-print-directory -j$(nproc)"

part() { # NAME COMMAND...
    name=$1
    shift
    began=$(date +%s)
    "$@" >"$logs/$name.log" 2>&1 </dev/null
    status=$?
    took=$(($(date +%s) - began))
    if [ $status = 0 ]; then
        echo "$name passed" >>"$results"
        echo "ok      $name ($took s): $(grep -v '^$' "$logs/$name.log" | tail -n 1)"
    else
        echo "$name failed" >>"$results"
        grep -vE '^(ok |#?$)' "$logs/$name.log" | tail -n 120
        echo "NOT OK  $name ($took s), status $status: build/check/$name.log"
    fi
}

have() { # PATTERN: there is such a file
    ls $1 >/dev/null 2>&1
}

lint() {
    $make lint
}
clang_builds() {
    $make MODE=release O=build/clang CC="${CLANG:-clang}" DEV=1 CFLAGS=-Wno-missing-field-initializers all bench-programs
}
sanitizers() {
    $make MODE=asan all-tests && make --no-print-directory MODE=asan run-tests &&
        SCRY_TEST_UNCONFINED=1 UBSAN_OPTIONS=print_stacktrace=1 SCRY_BUILD=$top/build/asan \
            prove -j2 tests/server/attacks.sh tests/server/smuggling.sh
}
scripts() {
    prove tests/check/*.sh
}
# The store on Milvus and its client under the sanitizers, on both servers: what is not in the suite, which has no servers.
milvus_asan() {
    $make MODE=asan all build/asan/tests/test_store_random build/asan/tests/milvus_client &&
        SHORT=1 SCRY_TEST_UNCONFINED=1 UBSAN_OPTIONS=print_stacktrace=1 SCRY_BUILD=$top/build/asan \
            prove -j2 tests/milvus/store.sh tests/milvus/client.sh
}
milvus() {
    make --no-print-directory check-milvus
}
server() {
    prove -j3 tests/server/*.sh >"$logs/server.out" 2>&1
    status=$?
    cat "$logs/server.out"
    [ $status != 0 ] || echo "$(ls tests/server/*.sh | wc -l) scripts; $(grep -c '^SKIPPED' "$logs/server.out") of them SKIPPED" \
        "$(grep '^SKIPPED' "$logs/server.out" | tr '\n' ' ')"
    return $status
}
browser() {
    prove -v $(ls tests/browser/*.sh tests/web/*.sh 2>/dev/null)
}
fuzz() {
    targets=$(ls tests/fuzz/fuzz_*.c | wc -l)
    $make fuzz FUZZ_SECONDS=$((FUZZ_TOTAL / targets + 1))
}
abi() {
    tools/abi.sh
}
package() {
    rm -f dist/*.deb && $make deb && lintian --allow-root --fail-on error,warning dist/*.deb && echo 'dist/*.deb pass lintian'
}

run_part() {
    case $1 in
    lint) part lint lint ;;
    clang) ! command -v "${CLANG:-clang}" >/dev/null || part clang clang_builds ;;
    asan) part asan sanitizers ;;
    scripts) ! have 'tests/check/*.sh' || part scripts scripts ;;
    abi) ! command -v abidiff >/dev/null || part abi abi ;;
    milvus-asan) ! have 'tests/milvus/*.sh' || part milvus-asan milvus_asan ;;
    milvus) ! have 'tests/milvus/*.sh' || part milvus milvus ;;
    server) part server server ;;
    browser) { ! have 'tests/browser/*.sh' && ! have 'tests/web/*.sh'; } || part browser browser ;;
    fuzz) ! have 'tests/fuzz/fuzz_*.c' || part fuzz fuzz ;;
    package) ! command -v dpkg-deb >/dev/null || part package package ;;
    *) echo "check.sh: there is no part \"$1\"" >&2; exit 2 ;;
    esac
}

run_parts() {
    for one; do
        run_part "$one"
    done
}

if [ $# = 0 ]; then
    run_parts lint clang scripts abi package
    run_parts asan milvus-asan fuzz &
    run_parts milvus server browser
    wait
else
    run_parts "$@"
fi
echo "$(grep -c ' passed$' "$results") passed, $(grep -c ' failed$' "$results") failed"
! grep -q ' failed$' "$results"
