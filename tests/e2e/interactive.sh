#!/bin/sh
# scry search -i in a terminal: results while typing, choosing, marking, leaving.
. "$(dirname "$0")/lib.sh"
tiny_model "$T/model"
P=$T/pics
pictures "$P" 12
ok "index" "$scry" index --quiet "$P"
cat >"$T/drive.py" <<'E'
"""drive.py SCREEN COLUMNS KEYS... -- COMMAND...: each of KEYS is typed once the one before it has been answered by a new screen, and
wait:TEXT waits until the screen has that text; ends with the command's status."""
import fcntl, os, pty, re, select, struct, sys, termios, time
at = sys.argv.index("--")
screen, columns, keys, command = sys.argv[1], int(sys.argv[2]), sys.argv[3:at], sys.argv[at + 1:]
pid, fd = pty.fork()
if pid == 0:
    os.execvp(command[0], command)
fcntl.ioctl(fd, termios.TIOCSWINSZ, struct.pack("4H", 24, columns, 0, 0))
out, end, alive = b"", time.time() + 100, True


def read_until(pattern, start):
    """Until it is there after `start`, or the command has ended."""
    global out, alive
    while alive and time.time() < end and not (pattern and re.search(pattern, out[start:])):
        if select.select([fd], [], [], 0.2)[0]:
            try:
                data = os.read(fd, 65536)
            except OSError:
                data = b""
            alive = bool(data)
            out += data


DRAWN = re.escape(b"\x1b[?25h")
read_until(DRAWN, 0)
for k in keys:
    start = len(out)
    if k.startswith("wait:"):
        read_until(k[5:].encode(), 0)
    elif alive:
        os.write(fd, k.encode().decode("unicode_escape").encode("latin-1"))
        read_until(DRAWN, start)
read_until(None, 0)
open(screen, "wb").write(out)
sys.exit(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
E
drive() { # COLUMNS KEYS... -- ARGUMENT...
    columns=$1
    shift
    TERM=${TERM_TYPE-dumb} python3 "$T/drive.py" "$T/screen" "$columns" "$@" 2>"$T/drive.err"
    status=$?
}
search() { drive 70 "$@" -- sh -c 'exec "$1" search -i >"$2" $3' sh "$scry" "$T/out" "${OPTIONS-}"; }
first=$("$scry" search --paths --limit 1 red)
second=$("$scry" search --paths --limit 2 red | tail -n 1)

search red '\r'
is "typed and chosen: 0" $status 0
is "the best" "$(cat "$T/out")" "$first"
like "it was shown" "$T/screen" "${first##*/}"
search p007 '\r'
is "a name that was typed" "$(cat "$T/out")" "$P/p007.png"
OPTIONS='--by look' search p007 '\r'
is "... by look" "$(cat "$T/out")" "$("$scry" search --paths --limit 1 --by look p007)"
unlike "... which is another" "$T/out" p007
OPTIONS='p003' search '\x7f' 5 '\r'
is "... in place of the words before" "$(cat "$T/out")" "$P/p005.png"
like "on a screen of its own, which is left" "$T/screen" "$(printf '\033\\[[?]1049h')"
is "and left last" "$(tail -c 8 "$T/screen" | od -An -c | tr -d ' \n')" '033[?1049l'
search red '\x1b[B' '\r'
is "down: the second" "$(cat "$T/out")" "$second"
search red '\x1b[B' '\x1b[A' '\r'
is "and up again" "$(cat "$T/out")" "$first"
search red '\t' '\t' '\r'
is "marked: both" "$(cat "$T/out")" "$(printf '%s\n%s' "$first" "$second")"
OPTIONS=-0 search red '\t' '\t' '\r'
is "-0" "$(tr '\0' '\n' <"$T/out")" "$(printf '%s\n%s' "$first" "$second")"
search red '\x1b'
is "Esc: 1, and nothing" "$status $(cat "$T/out")" '1 '
search red '\x03'
is "Ctrl-C: the same" "$status $(cat "$T/out")" '1 '
search blux '\x7f' e '\x15' 'red' '\r'
is "editing" "$(cat "$T/out")" "$first"
search 'red car' '\x17' '\r'
is "a word less" "$(cat "$T/out")" "$first"
search red ' -' '\r'
like "an incomplete query says so" "$T/screen" 'missing after'
is "and keeps the results" "$(cat "$T/out")" "$("$scry" search --paths --limit 1 red)"
search '\r'
is "Enter without a query: 1" "$status" 1
OPTIONS='--format gif' search red '\r'
is "filters: nothing to choose" "$status $(cat "$T/out")" '1 '
OPTIONS='red' search '\r'
is "a query to begin with" "$(cat "$T/out")" "$first"
if [ -f "$SCRY_BUILD/scry-thumbs.so" ]; then
    TERM_TYPE=xterm-256color drive 100 red 'wait:\[(38|48);[25];' '\x1b' -- "$scry" search -i
    like "a preview" "$T/screen" '\[(38|48);[25];'
    TERM_TYPE=xterm-256color drive 60 red '\x1b' -- "$scry" search -i
    unlike "not in a narrow terminal" "$T/screen" '\[(38|48);'
fi
run search -i --json
is "another form: 2" $status 2
setsid "$scry" search -i red >"$T/out" 2>"$T/err" </dev/null
is "no terminal: 2" $? 2
like "and it says so" "$T/err" 'an interactive search needs a terminal'
done_testing
