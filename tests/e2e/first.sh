#!/bin/sh
# First steps: scry alone, scry index without a path, what comes next; --open.
. "$(dirname "$0")/lib.sh"
. "$SCRY_TOP/tests/server/lib/serve.sh"
tiny_model "$T/model"
mkdir -p "$T/bin" "$HOME/Bilder" "$T/config"
pictures "$HOME/Bilder" 3
cat >"$T/bin/xdg-open" <<'E'
#!/bin/sh
[ $# = 1 ] || exit 1
case $1 in
*fail*) exit 4 ;;
esac
printf '%s\n' "$1" >>"$OPENED"
E
chmod +x "$T/bin/xdg-open"
export OPENED=$T/opened
path=$PATH
PATH=$T/bin:$PATH

# ---- scry alone, and without a path ----
run
is "nothing indexed: 0" $status 0
like "and what to do" "$T/out" '^  scry index PATH$'
run index
is "no path, no terminal: 2" $status 2
like "and how to give one" "$T/err" 'say which folder to index: scry index PATH'
echo 'XDG_PICTURES_DIR="$HOME/Bilder"' >"$T/config/user-dirs.dirs"
run
like "the Pictures folder of the desktop" "$T/out" "^  scry index $HOME/Bilder\$"
run index
like "is named without a terminal" "$T/err" "scry index $HOME/Bilder"
is "and not indexed" "$(stored)" 0
in_terminal_with dumb 'n
' "$scry" index
is "no: 1" $? 1
like "asked" "$T/screen" "Index the pictures in $HOME/Bilder\\? \\[Y/n\\]"
is "no is no" "$(stored)" 0
in_terminal_with dumb '
' "$scry" index
is "yes: 0" $? 0
is "yes is yes" "$(stored)" 3
like "then the next command" "$T/screen" '^next: `scry search a white dog'
run index "$HOME/Bilder"
unlike "which is not said elsewhere" "$T/err" 'next:'
pictures "$HOME/Bilder" 1 7
in_terminal_with dumb 'yes
' "$scry" index
like "then its own folders are offered" "$T/screen" "Index the pictures in $HOME/Bilder\\?"
is "and indexed" "$(stored)" 4
run
is "scry alone: 0" $status 0
like "how many" "$T/out" '^4 pictures are indexed, with the model'
like "where" "$T/out" "^  $HOME/Bilder \\(4\\)"
is "nothing on stderr" "$(cat "$T/err")" ''
echo "a list of something" >"$HOME/notes.txt"
mkdir "$T/one"
cp "$HOME/Bilder/p000.png" "$T/one"
default_store=$SCRY_STORE
SCRY_STORE=$T/strays
run index "$HOME/Bilder"
echo "no picture" >"$HOME/Bilder/bad.png"
run index "$HOME/notes.txt" "$T/one/p000.png" "$HOME/Bilder/bad.png"
is "a file that is no picture is skipped: 1" $status 1
like "with the reason" "$T/err" "skipped: $HOME/notes.txt: not a picture of a known format"
is "its folder becomes none of the collection, as a picture's does" "$("$scry" root list | sed 's/.*  //' | sort | tr '\n' ' ')" "$HOME/Bilder $T/one "
is "in a folder of the collection it is remembered" "$("$scry" status --skipped)" "$HOME/Bilder/bad.png: not a picture of a known format"
run index
like "all folders are named without a terminal" "$T/err" "scry index $HOME/Bilder $T/one\$"
rm "$HOME/Bilder/bad.png"
SCRY_STORE=$default_store
printf 'XDG_PICTURES_DIR="$HOME"\nXDG_PICTURES_DIR="$HOME/Bilder\n' >"$T/config/user-dirs.dirs"
SCRY_STORE=$T/none run index
like "a Pictures folder that is the home folder is none" "$T/err" 'scry index PATH'

# ---- --open ----
run search --open --limit 1 red
is "one picture: 0" $status 0
is "is opened itself" "$(cat "$OPENED")" "$("$scry" search --paths --limit 1 red)"
rm "$OPENED"
run list --open --paths
is "several: the output stays" "$status $(wc -l <"$T/out")" '0 4'
is "they are one page" "$(cat "$OPENED")" "$T/cache/scry/results.html"
is "of all of them" "$(grep -o '<img ' "$T/cache/scry/results.html" | wc -l)" 4
is "for its owner only" "$(stat -c %a "$T/cache/scry")" 700
rm "$OPENED"
run search --open --format gif red
is "nothing found, nothing opened" "$status $(ls "$T/opened" 2>/dev/null)" '1 '
mkdir "$T/fail"
cp "$HOME/Bilder/p001.png" "$T/fail"
run index --collection fail "$T/fail"
run search --collection fail --open red
is "xdg-open fails: 2" $status 2
like "and it says what to do" "$T/err" 'xdg-open cannot open .*p001.png: open it yourself'
ok "serve --open" start --open
for _ in $(seq 100); do
    [ -s "$OPENED" ] && break
    sleep 0.1
done
is "opens the page" "$(cat "$OPENED")" "$url/"
stop
PATH=/usr/bin:/bin
if ! command -v xdg-open >/dev/null; then
    run search --open --limit 1 red
    like "without xdg-open" "$T/err" 'there is no xdg-open here'
fi
PATH=$path
done_testing
