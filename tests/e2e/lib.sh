# lib.sh - what the end-to-end tests share: TAP, a temporary folder, a tiny model, pictures.
#
#     . "$(dirname "$0")/lib.sh"
#     run index "$T/pics"                  # $status, $T/out, $T/err
#     is "index: status" "$status" 0
#     like "index: summary" "$T/err" '3 added'
#     ok "the store is there" test -d "$SCRY_STORE"
#     done_testing
#
# SCRY_BUILD is the folder with scry and scry-decode, SCRY_TOP the top of the tree.

SCRY_TOP=${SCRY_TOP-$(cd "$(dirname "$0")/../.." && pwd)}
SCRY_BUILD=${SCRY_BUILD-$SCRY_TOP/build/release}
SCRY_TEST_UNCONFINED=${SCRY_TEST_UNCONFINED-}
scry=$SCRY_BUILD/scry
E2E=$SCRY_TOP/tests/e2e
T=$(mktemp -d "${TMPDIR:-/tmp}/scry-e2e.XXXXXX") || exit 1
trap 'chmod -R u+rwx "$T" 2>/dev/null; rm -rf "$T"' EXIT
trap 'exit 1' INT TERM HUP
export XDG_DATA_HOME=$T/data XDG_CACHE_HOME=$T/cache XDG_CONFIG_HOME=$T/config HOME=$T/home
export SCRY_STORE=$T/store LC_ALL=C.UTF-8 SCRY_MODEL=$T/model SCRY_WORDS=no
umask 022
mkdir -p "$HOME"
count=0
failed=0

report() { # STATUS NAME
    count=$((count + 1))
    if [ "$1" = 0 ]; then
        echo "ok $count - $2"
    else
        failed=$((failed + 1))
        echo "not ok $count - $2"
    fi
}

note() { sed -e 's/^/# /' -e '$a\'; }   # a last line without an end gets one

# The command succeeds.
ok() { # NAME COMMAND...
    ok_name=$1
    shift
    "$@" >"$T/ok.out" 2>&1
    ok_status=$?
    report $ok_status "$ok_name"
    [ $ok_status = 0 ] || { echo "command: $*"; tail -n 20 "$T/ok.out"; } | note
}

# Two texts are the same.
is() { # NAME GOT WANTED
    if [ "$2" = "$3" ]; then
        report 0 "$1"
    else
        report 1 "$1"
        printf 'got: %s\nwanted: %s\n' "$2" "$3" | note
        [ ! -f "$T/err" ] || tail -n 5 "$T/err" | note
    fi
}

# What a command prints becomes that text, within a minute on any machine.
soon() { # NAME WANTED COMMAND...
    soon_name=$1 soon_wanted=$2
    shift 2
    for _ in $(seq 300); do
        soon_got=$("$@")
        [ "$soon_got" != "$soon_wanted" ] || break
        sleep 0.2
    done
    is "$soon_name" "$soon_got" "$soon_wanted"
}

# Stop a process once a command succeeds. It runs only while nobody looks, so that the moment is not missed on a busy machine.
pause_when() { # PID COMMAND...
    pause_pid=$1
    shift
    for _ in $(seq 3000); do
        kill -STOP "$pause_pid" || return 1
        "$@" >"$T/pause.out" 2>&1 && return 0
        kill -CONT "$pause_pid"
        sleep 0.02
    done
    return 1
}

# A file contains a match of the extended regular expression; unlike: none.
like() { # NAME FILE PATTERN
    if LC_ALL=C grep -aEq -e "$3" "$2"; then
        report 0 "$1"
    else
        report 1 "$1"
        { echo "no match of: $3"; tail -n 10 "$2"; } | note
    fi
}
unlike() { # NAME FILE PATTERN
    if LC_ALL=C grep -aEq -e "$3" "$2"; then
        report 1 "$1"
        { echo "a match of: $3"; tail -n 10 "$2"; } | note
    else
        report 0 "$1"
    fi
}

# Ubuntu's coreutils are others since 26.04, which refuse arguments that are not UTF-8; GNU's are there by this name.
timeout=$(command -v gnutimeout || echo timeout)

# Run scry: $status, standard output in $T/out, errors in $T/err.
run() { # the limit is for what hangs: a machine may be busy
    $timeout 900 "$scry" "$@" >"$T/out" 2>"$T/err" </dev/null
    status=$?
    # Sanitizer builds warn that their decoders are not confined.
    [ -z "$SCRY_TEST_UNCONFINED" ] || sed -i '/^scry: SCRY_TEST_UNCONFINED/d' "$T/err"
}

# Run a command in a terminal of type TERM; what it shows is in $T/screen.
in_terminal() { # TERM COMMAND...
    terminal=$1
    shift
    TERM=$terminal COLORTERM=truecolor LC_ALL=C.UTF-8 $timeout 900 python3 -c '
import os, pty, sys
out = b""
def read(fd):
    global out
    data = os.read(fd, 65536)
    out += data
    return data
os.close(0)
os.open("/dev/null", os.O_RDONLY)
pty.spawn(sys.argv[2:], read, lambda fd: b"")
open(sys.argv[1], "wb").write(out)' "$T/screen" "$@" >/dev/null
}

# The same with TEXT typed into it at the start.
in_terminal_with() { # TERM TEXT COMMAND...
    terminal=$1 typed=$2
    shift 2
    TERM=$terminal LC_ALL=C.UTF-8 $timeout 900 python3 -c '
import os, pty, sys, termios
pid, fd = pty.fork()
if pid == 0:
    os.execvp(sys.argv[3], sys.argv[3:])
mode = termios.tcgetattr(fd)   # no echo: it may come in the middle of what the command writes
mode[3] &= ~termios.ECHO
termios.tcsetattr(fd, termios.TCSANOW, mode)
os.write(fd, sys.argv[2].encode())
out = b""
while True:
    try:
        data = os.read(fd, 65536)
    except OSError:   # EIO: the command has ended
        break
    if not data:
        break
    out += data
open(sys.argv[1], "wb").write(out)
sys.exit(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))' "$T/screen" "$typed" "$@"
}

# Whether commands can run without root's permissions: as this user, or, for root, as nobody through setpriv;
# $T (not its contents) is then readable for nobody.
unprivileged=
drop_root() {
    [ "$(id -u)" = 0 ] || return 0
    unprivileged='setpriv --reuid=65534 --regid=65534 --clear-groups'
    chmod a+rx "$T"
    $unprivileged "$scry" --version >/dev/null 2>&1 && $unprivileged ls "$T" >/dev/null 2>&1
}

# Like run, after drop_root.
run_unprivileged() {
    $timeout 900 $unprivileged "$scry" "$@" >"$T/out" 2>"$T/err" </dev/null
    status=$?
    [ -z "$SCRY_TEST_UNCONFINED" ] || sed -i '/^scry: SCRY_TEST_UNCONFINED/d' "$T/err"
}

# Write another picture's bytes into a file in place; its size and mtime stay.
edit_kept() { # FILE OTHER
    python3 -c 'import os, sys
path, other = sys.argv[1:]
st = os.stat(path)
data = open(other, "rb").read()
data = data[:-12] + b"\0" * max(0, st.st_size - len(data)) + data[-12:]
with open(path, "r+b") as f:
    f.write(data[:st.st_size])
os.utime(path, ns=(st.st_atime_ns, st.st_mtime_ns))' "$1" "$2"
}

# An expression of Python over `j`, the JSON that the last run printed.
json() { # EXPRESSION
    python3 -c 'import json, sys
j = json.load(open(sys.argv[1], encoding="utf-8"))
print(eval(sys.argv[2]))' "$T/out" "$1" 2>&1
}

# Number of files in the store.
stored() {
    "$scry" status --json 2>/dev/null </dev/null | python3 -c 'import json, sys
t = sys.stdin.read()
print(json.loads(t)["files"] if t else 0)'
}

tiny_model() { # DIR [SEED]
    python3 "$E2E/tiny_model.py" "$@"
}

pictures() { # DIR COUNT [FIRST]
    python3 "$E2E/make_pictures.py" "$@"
}

done_testing() {
    echo "1..$count"
    [ $failed = 0 ]
    exit $?
}
