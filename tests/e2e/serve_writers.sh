#!/bin/sh
# Requests that change the collection while others do: a change that loses to another one is told so with 409 or 404, and one
# that was held up by nobody succeeds. TAP.
. "$(dirname "$0")/lib.sh"
. "$SCRY_TOP/tests/server/lib/serve.sh"
export ASAN_OPTIONS="${ASAN_OPTIONS:+$ASAN_OPTIONS:}verify_asan_link_order=0"

tiny_model "$T/model"
pictures "$T/pics" 6
pictures "$T/more" 6 100
pictures "$T/sent" 3 200
ok "index" "$scry" index "$T/pics"
first=$T/pics/$(ls "$T/pics" | head -n 1)
sent() { ls "$T"/sent/* | sed -n "$1p"; }
send_file() { get -X POST -F "image=@$1" "$url/api/v1/images"; }
send_path() { # PATH
    get -X POST -H 'Content-Type: application/json' -d "{\"path\": \"$1\"}" "$url/api/v1/images"
}
id_of() { # PATH
    "$scry" list --json 2>"$T/err" | python3 -c 'import json, sys
print("".join(f["id"] for f in json.load(sys.stdin)["results"] if f["path"] == sys.argv[1]))' "$1"
}

# A process that has been made for a decoder but is not yet that program has all descriptors of the server, that of its
# lock too, on a busy machine for a while.
cat >"$T/slow.c" <<'END'
#define _GNU_SOURCE
#include <dlfcn.h>
#include <spawn.h>
#include <time.h>
#include <unistd.h>
int posix_spawn(pid_t *pid, const char *path, const posix_spawn_file_actions_t *a, const posix_spawnattr_t *b, char *const argv[],
                char *const env[])
{
    int (*real)(pid_t *, const char *, const posix_spawn_file_actions_t *, const posix_spawnattr_t *, char *const[],
                char *const[]) = dlsym(RTLD_NEXT, "posix_spawn");
    if (fork() == 0) {
        struct timespec t = { 5, 0 };
        nanosleep(&t, NULL);
        _exit(0);
    }
    return real(pid, path, a, b, argv, env);
}
END
ok "the shim builds" gcc -shared -fPIC -o "$T/slow.so" "$T/slow.c"
LD_PRELOAD=$T/slow.so start --allow-upload --allow-remove --allow-marks
send_file "$(sent 1)"
is "an upload" "$code" 201
send_path "$first"
is "a picture that is there already, while a decoder starts" "$code" 201
send_file "$(sent 2)"
is "another upload" "$code" 201
get -X DELETE "$url/api/v1/images/$(id_of "$first")"
is "and a removal" "$code" 204
stop

# Another program writes.
mkfifo "$T/list"
before=$(stored)
"$scry" index --jobs 1 --from-file "$T/list" >"$T/run.out" 2>"$T/run.err" &
run_pid=$!
exec 7<>"$T/list"
ls "$T"/more/* | head -n 3 >&7
waited=0
while [ "$(stored)" -lt $((before + 3)) ] && [ $waited -lt 300 ]; do
    sleep 0.1
    waited=$((waited + 1))
done
start --allow-upload --allow-remove --allow-marks 7>&-
send_path "$first"
is "while another program writes: an added path is refused with 409" "$code" 409
like "and the reason is told" "$T/out" 'is writing to the collection'
send_file "$(sent 3)"
is "an upload, too" "$code" 409
ok "and is not kept" test ! -e "$SCRY_STORE/media/default/$(sha256sum <"$(sent 3)" | cut -c 1-64).png"
get -X DELETE "$url/api/v1/images/$(id_of "$T/pics/$(ls "$T/pics" | tail -n 1)")"
is "a removal, too" "$code" 409
get -X PUT "$url/api/v1/images/$(id_of "$T/pics/$(ls "$T/pics" | tail -n 1)")/favourite"
is "a favourite, too" "$code" 409
unlike "none of them is a fault of the server" "$T/serve.err" '500'
ls "$T"/more/* | tail -n 3 >&7
exec 7>&-
wait "$run_pid"
is "the other program is not disturbed" $? 0
send_path "$first"
is "when it has ended the path is added" "$code" 201
stop

# Another program removes a picture between its being added and its being looked up for the answer.
cat >"$T/remove.c" <<'END'
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdlib.h>
#include <sys/file.h>
#include <unistd.h>
int flock(int fd, int how)
{
    int r = ((int (*)(int, int))dlsym(RTLD_NEXT, "flock"))(fd, how);
    const char *due = getenv("REMOVE_DUE");
    if (how == LOCK_UN && due && unlink(due) == 0) {
        char *preload = getenv("LD_PRELOAD");
        unsetenv("LD_PRELOAD");
        (void)!system(getenv("REMOVE_COMMAND"));
        setenv("LD_PRELOAD", preload, 1);
    }
    return r;
}
END
ok "the shim builds" gcc -shared -fPIC -o "$T/remove.so" "$T/remove.c"
REMOVE_DUE=$T/due REMOVE_COMMAND="'$scry' remove '$first'" LD_PRELOAD=$T/remove.so start --allow-upload --allow-remove
: >"$T/due"
send_path "$first"
is "a picture that another program removes at once: 409" "$code" 409
like "and the reason is told" "$T/out" 'removed by another program'
send_path "$first"
is "it can be added again" "$code" 201
stop
ok "the store is whole" "$scry" verify
done_testing
