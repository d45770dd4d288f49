#!/bin/sh
# Two writers never both win, although nothing holds the second back: with the file `lock` deleted and with a file
# system whose flock does nothing. And a store that is deleted or replaced under a run: TAP.
. "$(dirname "$0")/lib.sh"
tiny_model "$T/model"
pictures "$T/pics" 40
pictures "$T/more" 40 100
printf '#include <sys/file.h>\nint flock(int fd, int how) { (void)fd; (void)how; return 0; }\n' >"$T/flock.c"
ok "the shim builds" gcc -shared -fPIC -o "$T/flock.so" "$T/flock.c"
store=$SCRY_STORE/collections/default
# The runtime of a sanitizer build comes after the shim, and accepts that.
export ASAN_OPTIONS="${ASAN_OPTIONS:+$ASAN_OPTIONS:}verify_asan_link_order=0"

# A run that writes until its list ends: $T/list is a FIFO, so that the run is held open between two commits.
start_run() {
    rm -f "$T/list"
    mkfifo "$T/list"
    LD_PRELOAD=$shim "$scry" index --jobs 1 --from-file "$T/list" >"$T/run.out" 2>"$T/run.err" &
    run_pid=$!
    exec 7<>"$T/list"   # not only for writing: that would wait for a run that has ended already
    ls "$T"/more/* | head -n 20 >&7
    waited=0   # until the first files are committed
    while [ "$(stored)" -lt "$((before + 20))" ] && [ $waited -lt 300 ]; do
        sleep 0.1
        waited=$((waited + 1))
    done
}

end_run() {
    ls "$T"/more/* | tail -n 20 >&7
    exec 7>&-
    wait "$run_pid"
    run_status=$?
}

fresh_store() {
    rm -rf "$SCRY_STORE"
    "$scry" index "$T/pics" >/dev/null 2>&1
    "$scry" remove "$T/pics/0001.png" "$T/pics"/*2.* >/dev/null 2>&1
    before=$(stored)
}

second() { # COMMAND...: runs while another writes
    LD_PRELOAD=$shim timeout 900 "$scry" "$@" >"$T/out" 2>"$T/err" </dev/null
    status=$?
}

mkdir "$T/elsewhere"
for way in lock-deleted flock-does-nothing; do
    for what in compact remove prune index root-move copy drop; do
        fresh_store
        shim=
        [ $way = lock-deleted ] || shim=$T/flock.so
        start_run
        [ $way != lock-deleted ] || rm -f "$store/lock"
        one=$(ls "$T"/pics/* | tail -n 1)
        case $what in
        compact) second store compact ;;
        remove) second remove "$one" ;;
        prune) mv "$one" "$T/kept"; second index --prune "$T/pics"; mv "$T/kept" "$one" ;;
        index) touch "$one"; second index --retry "$T/pics" ;;
        root-move) second root move "$T/more" "$T/elsewhere" ;;
        copy) second store copy "$SCRY_STORE" "$T/copied-$way" ;;
        drop) second store drop --yes default ;;
        esac
        end_run
        case $what in
        copy) is "$way, $what: reading holds nobody back" "$status $run_status" '0 0' ;;
        drop) is "$way, $what: the run ends with 2" "$status $run_status" '0 2' ;;
        *)
            is "$way, $what: the second wins, the run ends with 2" "$status $run_status" '0 2'
            like "$way, $what: and says why" "$T/run.err" 'another program changed the store'
            ;;
        esac
        [ $what = drop ] || ok "$way, $what: the store is whole" "$scry" verify
    done
done

shim=
fresh_store
start_run
rm -rf "$SCRY_STORE"
end_run
is "a store deleted under a run: 2" "$run_status" 2
like "and says so" "$T/run.err" 'was deleted or replaced'
fresh_store
start_run
mv "$SCRY_STORE" "$T/old"
"$scry" index "$T/pics" >/dev/null 2>&1
end_run
is "a store replaced under a run: 2" "$run_status" 2
like "and says so" "$T/run.err" 'was deleted or replaced'
ok "the new store is whole" "$scry" verify
ok "the old one is, too" "$scry" verify --store "$T/old"
done_testing
