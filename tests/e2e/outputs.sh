#!/bin/sh
# The files that commands write: through links, devices and FIFOs, with the mode that a file had; nothing half.
. "$(dirname "$0")/lib.sh"
tiny_model "$T/model"
pictures "$T/pics" 3
run index "$T/pics"
printf 'a dog\na cat\n' >"$T/texts"
cd "$T" || exit 1
run embed --texts texts --out whole.npy
cp whole.npy want.npy

# A device of our own, so that a mistake does not replace the system's; who cannot make one cannot replace that either.
null=/dev/null
! mknod null c 1 3 2>/dev/null || ! { : >null; } 2>/dev/null || null=$T/null

write() { # COMMAND FILE: write a page or vectors
    if [ "$1" = html ]; then
        run search "--html=$2" dog
    else
        run embed --texts texts --out "$2"
    fi
}
is_right() { # COMMAND FILE
    if [ "$1" = html ]; then
        grep -q '</html>' "$2"
    else
        cmp "$2" want.npy
    fi
}
for command in html npy; do
    rm -rf files
    mkdir files
    write $command files/new
    is "$command: a new file: 0" $status 0
    ok "$command: it is right" is_right $command files/new
    is "$command: with the mode that the umask gives" "$(stat -c %a files/new)" 644
    chmod 600 files/new
    write $command files/new
    is "$command: a file of mode 600 keeps it" "$status $(stat -c %a files/new)" '0 600'
    chmod 664 files/new
    write $command files/new
    is "$command: one of mode 664, too" "$(stat -c %a files/new)" 664

    : >files/target
    ln -s target files/link
    ln -s link files/link2
    write $command files/link2
    is "$command: links stay links" "$(readlink files/link2) $(readlink files/link)" 'link target'
    ok "$command: and their target is written" is_right $command files/target
    ln -s ../files/made files/dangling
    write $command files/dangling
    ok "$command: a link to no file makes the file" is_right $command files/made
    ln files/target files/other
    : >files/target
    write $command files/target
    ok "$command: other hard links see it" is_right $command files/other

    rm -f files/given
    if [ $command = html ]; then
        "$scry" search --html=/dev/fd/8 dog 8>files/given >"$T/out" 2>"$T/err" </dev/null
    else
        "$scry" embed --texts texts --out /proc/self/fd/8 8>files/given >"$T/out" 2>"$T/err" </dev/null
    fi
    is "$command: a descriptor that was passed: 0" $? 0
    ok "$command: it is right" is_right $command files/given
    ln -s /dev/fd/9 files/nine
    for fd in 3 4 5 6 7 8 9 10 11 12 13 14; do   # some of them are the store's files, once it is open
        { write $command /dev/fd/$fd; } 3>&- 4>&- 5>&- 6>&- 7>&- 8>&- 9>&-
        [ $status = 2 ] || break
    done
    is "$command: a descriptor that was not passed: 2" $status 2
    like "$command: and the reason" "$T/err" 'cannot write /dev/fd/14: Bad file descriptor'
    { write $command files/nine; } 9>&-
    is "$command: a link to one: 2" $status 2
    ok "$command: the store is whole" "$scry" verify
    rm -f files/given files/nine
    mkfifo files/fifo
    timeout 900 cat files/fifo >files/read &
    write $command files/fifo
    wait $!
    is "$command: a FIFO: 0, and it stays" "$status $(stat -c %F files/fifo)" '0 fifo'
    ok "$command: the reader has everything" is_right $command files/read
    ln -s "$null" files/null
    for device in "$null" files/null; do
        write $command "$device"
        is "$command: ${device##*/} ($(test -h "$device" && echo link)) stays a device" "$status $(stat -Lc %F "$device")" '0 character special file'
    done
    is "$command: no other file is left" "$(ls files | tr '\n' ' ')" 'dangling fifo link link2 made new null other read target '

    rm -rf files
    mkdir files
    write $command files
    is "$command: a folder: 2" $status 2
    write $command files/none/x
    is "$command: a folder that is not there: 2" $status 2
    like "$command: and says so" err 'cannot write files/none/x: No such file'
    write $command /dev/full
    is "$command: a full device: 2" $status 2
    echo old >files/old
    is "$command: nothing half is left" "$(ls files)" old
done
rm -f ./-
run embed --texts texts --out -
cp "$T/out" files/piped
is "npy: - is standard output, and no file" "$status $(cmp files/piped want.npy && echo same) $(ls ./- 2>/dev/null)" '0 same '
in_terminal dumb "$scry" embed --texts texts --out -
like "npy: - is no terminal" "$T/screen" 'standard output, which is a terminal: send it'
run search --html - dog
is "html: - is refused, as the results go there: 2" "$status $(cat "$T/out") $(ls ./- 2>/dev/null)" '2  '
like "html: and says so" "$T/err" 'give its name \(./- for a file called -\)'
"$scry" favourite add pics/p000.png 2>/dev/null
"$scry" favourite export - | "$scry" favourite import - 2>"$T/err"
like "marks: export - and import -" "$T/err" '^1 favourites, '
is "marks: no file" "$(ls ./- 2>/dev/null)" ''
rm -f files/piped
python3 - "$scry" <<'END'
import resource, subprocess, sys
limit = lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (100, 100))
r = subprocess.run([sys.argv[1], "embed", "--texts", "texts", "--out", "files/old"], preexec_fn=limit, stdin=subprocess.DEVNULL,
                   stderr=subprocess.PIPE)
open("err", "wb").write(r.stderr)
open("status", "w").write(str(r.returncode))
END
is "a file larger than the limit: 2, no signal" "$(cat status)" 2
like "and says why" err 'cannot write files/old: File too large'
is "the old file stays" "$(ls files) $(cat files/old)" 'old old'
if drop_root; then
    chmod 777 files
    echo theirs >files/theirs
    chmod 666 files/theirs
    chmod a+rx "$T/model"
    chmod -R a+r "$T/model" texts
    run_unprivileged embed --texts texts --out files/theirs
    is "a file of another owner is overwritten in place" "$status $(stat -c %u files/theirs)" "0 $(id -u)"
    ok "and is right" is_right npy files/theirs
fi
done_testing
