#!/bin/sh
# Results copied and linked into folders, and how they look on a terminal.
. "$(dirname "$0")/lib.sh"
tiny_model "$T/model"
P=$T/pics
pictures "$P/a" 3
pictures "$P/b" 3 10
mv "$P/b/p010.png" "$P/b/p000.png"   # a name that is in both folders
printf 'x' >"$P/a/p001.xmp"
touch -d '2020-05-17 12:00 UTC' "$P"/*/*.png
run index "$P"
D=$T/to

# ---- copies ----
run list --copy-to "$D"
is "copies: 0" $status 0
is "the output stays" "$(grep -c "$P/" "$T/out")" 6
like "how many" "$T/err" "^6 copied to $D\$"
is "names kept apart" "$(ls "$D" | tr '\n' ' ')" 'p000 (2).png p000.png p001.png p002.png p011.png p012.png '
ok "the first" cmp "$P/a/p000.png" "$D/p000.png"
ok "and the second of a name" cmp "$P/b/p000.png" "$D/p000 (2).png"
is "with their time" "$(stat -c %Y "$D/p001.png")" "$(stat -c %Y "$P/a/p001.png")"
run list --copy-to "$D"
is "again: 0" $status 0
like "all are there" "$T/err" '^0 copied to .*, 6 were there already$'
is "and no more" "$(ls "$D" | wc -l)" 6
echo mine >"$D/p001.png"
run list --in "$P/a/p001.png" --copy-to "$D"
is "a file of mine stays" "$(cat "$D/p001.png")" mine
ok "the picture is beside it" cmp "$P/a/p001.png" "$D/p001 (2).png"
for form in --json '--paths -0' --paths; do
    rm -rf "$D"
    run search $form --limit 2 --sort name --copy-to "$D" red
    cp "$T/out" "$T/with"
    run search $form --limit 2 --sort name red
    is "search $form: copies as many" "$(ls "$D" | wc -l)" 2
    if [ "$form" = --json ]; then
        is "and prints the same" "$(json 'len(j["results"])')" 2
    else
        ok "and prints the same" cmp "$T/out" "$T/with"
    fi
done
run list -q --copy-to "$D"
is "--quiet" "$(cat "$T/err")" ''
mv "$P/a/p002.png" "$T/away"
rm -rf "$D"
run list --copy-to "$D"
is "one is missing: 1" $status 1
like "which" "$T/err" "^skipped: $P/a/p002.png: No such file"
like "how many" "$T/err" '^5 copied to .*, 1 failed$'
is "nothing half is left" "$(ls -A "$D" | wc -l)" 5
mv "$T/away" "$P/a/p002.png"
run list --copy-to "$T/no/such"
is "no folder above it: 2" $status 2
like "and says so" "$T/err" 'cannot make the folder .*/no/such: No such file'
run list --copy-to "$P/a/p001.png"
is "a file is no folder: 2" $status 2
run list --copy-to "$D" --link-to "$D"
is "both: 2" $status 2
if drop_root; then
    mkdir "$T/locked"
    chmod 555 "$T/locked"
    chmod -R a+rX "$P" "$T/store" "$T/model"
    run_unprivileged list --copy-to "$T/locked"
    is "a folder that cannot be written: 1" $status 1
    like "says why" "$T/err" 'p000.png: Permission denied'
fi

# ---- links ----
L=$T/links
run search --limit 6 --link-to "$L" red
is "links: 0" $status 0
like "how many" "$T/err" "^6 linked in $L\$"
is "they are links" "$(readlink "$L/p011.png")" "$P/b/p011.png"
is "names kept apart" "$(cat "$L/p000.png" "$L/p000 (2).png" | wc -c)" "$(cat "$P/a/p000.png" "$P/b/p000.png" | wc -c)"
run search --limit 6 --link-to "$L" red
like "again: they are there" "$T/err" '6 were there already'
ln -s /nowhere "$T/dangling"
run list --in "$P/a/p001.png" --copy-to "$T/dangling"
is "a link to nowhere is no folder: 2" $status 2
rm "$L/p001.png"
ln -s "$T/mine" "$L/p001.png"
run list --in "$P/a/p001.png" --copy-to "$L"
is "a link that is there is neither followed nor replaced" "$(readlink "$L/p001.png") $(ls "$T/mine" 2>/dev/null)" "$T/mine "

# ---- on a terminal ----
see() { # FOLDER TERM ARGUMENT...
    from=$1 terminal=$2
    shift 2
    in_terminal "$terminal" sh -c 'cd "$1" || exit 1; shift; exec "$@"' sh "$from" "$scry" "$@"
}
see "$P" dumb search --limit 1 --in "$P/a/p001.png" red
like "date, and the path from here" "$T/screen" '^   1  2020-05-17  a/p001.png'
see "$P/b" dumb list --in "$P/a/p001.png"
like "from beside it" "$T/screen" '^2020-05-17  \.\./a/p001.png'
see / dumb list --in "$P/a/p001.png"
like "from far away" "$T/screen" "^2020-05-17  ${P#/}/a/p001.png"
see /usr/share dumb list --in "$P/a/p001.png"
like "absolute where that is shorter" "$T/screen" "^2020-05-17  $P/a/p001.png"
esc=$(printf '\033')
unlike "no colours on a dumb terminal" "$T/screen" "$esc"
see "$P" xterm-256color list --in "$P/a/p001.png"
like "the folder is dimmed" "$T/screen" "^2020-05-17  $esc\\[2ma/$esc\\[0mp001.png"
NO_COLOR=1 see "$P" xterm-256color list
unlike "NO_COLOR" "$T/screen" "$esc"
see "$P" dumb list --paths --in "$P/a/p001.png"
like "--paths stay absolute" "$T/screen" "^$P/a/p001.png"
cd "$P" || exit 1
TERM=xterm-256color run list --in "$P/a/p001.png"
is "in a pipe nothing of it" "$(cat "$T/out")" "2020-05-17  $P/a/p001.png"
TERM=xterm-256color run search --limit 1 --in "$P/a/p001.png" red
like "nor of a search" "$T/out" "^   1  $P/a/p001.png\$"
cp a/p001.png a/-r.png
run index "$P"
see "$P/a" dumb list --in "$P/a/-r.png"
like "no path reads as an option" "$T/screen" ' \./-r.png'
done_testing
