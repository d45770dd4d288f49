#!/bin/sh
# A file system that fills up under each command that writes, with room for a little more each time: the command ends with 0 or with an
# error that says so, what the store held it still holds, and once there is room the same command succeeds. Needs a tmpfs of its own,
# so root.
. "$(dirname "$0")/../e2e/lib.sh"
. "$SCRY_TOP/tests/server/lib/serve.sh"
S=$T/small
mkdir "$S"
if ! mount -t tmpfs -o size=4m none "$S" 2>/dev/null; then
    echo "1..0 # SKIP no tmpfs may be mounted here (root may): full disks are not tested"
    exit 0
fi
trap 'umount -l "$S" 2>/dev/null; chmod -R u+rwx "$T" 2>/dev/null; rm -rf "$T"' EXIT
tiny_model "$T/model"
pictures "$T/pics" 60
pictures "$T/more" 20 100
run index --store "$T/base" "$T/pics"
run remove --store "$T/base" "$T/pics/p000.png" "$T/pics/p001.png"
export SCRY_STORE=$S/store

fill() { # KIB: a file takes all but so much
    dd if=/dev/zero of="$S/filler" bs=1k 2>/dev/null
    truncate -s "-${1}k" "$S/filler" 2>/dev/null
}

trial() { # NAME KIB LEAST-FILES COMMAND...
    name=$1 room=$2 least=$3
    shift 3
    rm -rf "$S"/*
    cp -a --sparse=never "$T/base" "$SCRY_STORE"   # in a full tmpfs holes cannot be read through a mapping
    fill "$room"
    run "$@"
    first=$status
    wrong=
    case $first in
    0) ;;
    2 | "$some") grep -aqiE 'no space|full|cannot write|room' "$T/err" || wrong="says: $(tail -n 1 "$T/err")" ;;
    *) wrong="status $first: $(tail -n 1 "$T/err")" ;;
    esac
    [ $first != 0 ] || passed=$((passed + 1))
    [ $first = 0 ] || failed_here=$((failed_here + 1))
    "$scry" verify >"$T/verify" 2>&1 || wrong="$wrong; verify: $(tail -n 2 "$T/verify" | tr '\n' ' ')"
    [ "$(stored)" -ge "$least" ] || wrong="$wrong; $(stored) files left"
    [ -z "$(find "$S" -path "$SCRY_STORE" -prune -o -type f ! -name filler -print | grep -v "$S/out")" ] || wrong="$wrong; something is left behind"
    rm -f "$S/filler"
    run "$@"
    [ $status = 0 ] || [ "$first $status" = '0 1' ] || wrong="$wrong; with room: $status $(tail -n 1 "$T/err")"   # 1: done already
    "$scry" verify >"$T/verify" 2>&1 || wrong="$wrong; verify with room: $(tail -n 1 "$T/verify")"
    [ -z "$wrong" ] || { bad=$((bad + 1)); echo "# $name, room for $room KiB: $wrong"; }
}

steps() { # NAME LEAST-FILES COMMAND...
    what=$1 files=$2
    shift 2
    bad=0 passed=0 failed_here=0
    for kib in 0 4 8 16 24 32 40 48 64 80 96 128 160 224 320 1500; do
        trial "$what" $kib "$files" "$@"
    done
    is "$what on a full disk" $bad 0
    ok "$what: it was full at times, and at times not" test $passed -gt 0 -a $failed_here -gt 0
}

some=2
steps index 58 index "$T/more"
steps remove 48 remove "$T"/pics/p002.png "$T"/pics/p003.png "$T"/pics/p004.png "$T"/pics/p00[5-9].png "$T"/pics/p01[01].png
steps compact 58 store compact
steps rebuild 58 index --rebuild
steps copy 58 store copy "$T/base" "$S/out"
steps "search --html" 58 search --html="$S/out.html" x
yes 'a text' | head -n 300 >"$T/texts"
steps embed 58 embed --texts "$T/texts" --out "$S/out.npy"
some=1   # of the pictures were copied
steps "list --copy-to" 58 list --copy-to "$S/out"

# Holes of files cannot be read through a mapping there: no file is damaged.
rm -rf "$S"/*
cp -a --sparse=always "$T/base" "$SCRY_STORE"
fill 0
run search x
is "holes of files on a full disk: 2" $status 2
like "the disk is full" "$T/err" 'the disk of the store .* is full'
run verify
cat "$T/err" >>"$T/out"
unlike "nothing is called damaged" "$T/out" 'damaged|cut short'
rm -f "$S/filler"
run search --limit 3 --paths x
is "with room the search finds pictures" "$status $(wc -l <"$T/out")" '0 3'
ok "and the store is whole" "$scry" verify

# Pictures that are sent to a server whose disk is full: refused with the reason, nothing of them stays, and the next is taken.
rm -rf "$S"/*
cp -a --sparse=never "$T/base" "$SCRY_STORE"
ok "a server starts" start --allow-upload
bad=0 taken=0 refused=0 next=100
for kib in 0 4 8 16 32 64 128 1500; do
    before=$(stored)
    rm -f "$S/filler"
    fill $kib
    get -F "image=@$T/more/p$next.png" "$url/api/v1/images"
    next=$((next + 1))
    case $code in
    2*) taken=$((taken + 1)) ;;
    5*) refused=$((refused + 1)) ;;
    *) bad=$((bad + 1)); echo "# room for $kib KiB: $code"; note <"$T/out" ;;
    esac
    rm -f "$S/filler"
    after=$(stored)
    [ "$after" -ge "$before" ] || { bad=$((bad + 1)); echo "# room for $kib KiB: $before files, then $after"; }
done
is "pictures are taken or refused" $bad 0
ok "refused at times, taken at times" test $refused -gt 0 -a $taken -gt 0
get -F "image=@$T/more/p115.png" "$url/api/v1/images"
like "then one is taken" "$T/headers" '^HTTP/[0-9.]+ 20'
stop
run verify
is "and all is whole" $status 0
is "nothing is left of what was refused" "$(find "$SCRY_STORE/media" -type f | wc -l)" $(($(stored) - 58))
done_testing
