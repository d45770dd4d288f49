#!/bin/sh
# "~/" where no shell expands it, and the home folder of the user database without HOME.
. "$(dirname "$0")/lib.sh"
tiny_model "$T/model"
pictures "$HOME/pics" 2
pictures "$HOME/other" 1 2
SCRY_STORE='~/a.scry'
run index "$HOME/pics" "$HOME/other"
is "SCRY_STORE=~/a.scry: 0" "$status" 0
ok "it is in the home folder" test -d "$HOME/a.scry"
run status --store=~/a.scry --json
is "--store=~/a.scry" "$(json 'j["files"]')" 3
run search --in=~/pics --json x
is "--in=~/pics" "$(json 'len(j["results"])')" 2
run search --image=~/pics/p000.png --limit 1 --paths
is "--image=~/FILE" "$(cat "$T/out")" "$HOME/pics/p000.png"
run search '@~/pics/p001.png' --limit 1 --paths
is "@~/FILE" "$(cat "$T/out")" "$HOME/pics/p001.png"
run store copy '~/a.scry' '~/b.scry'
is "store copy ~/A ~/B" "$status $(ls -d "$HOME/b.scry")" "0 $HOME/b.scry"
run verify --against='~/b.scry'
is "verify --against=~/B" "$status" 0
run remove --dry-run '~/other'
is "remove ~/FOLDER" "$(cat "$T/out")" "$HOME/other/p002.png"
mkdir -p "$T/plain/~"
cd "$T/plain" || exit 1
cp "$HOME/pics/p000.png" '~x.png'
cp "$HOME/pics/p000.png" '~/y.png'
for file in '~x.png' './~/y.png'; do
    run search "@$file" --limit 1 --paths
    is "a file that is called $file" "$(cat "$T/out")" "$HOME/pics/p000.png"
done
# Whoever runs the tests may have a store there: a collection is asked for that is in none.
home=$(python3 -c 'import os, pwd; print(pwd.getpwuid(os.getuid()).pw_dir.rstrip("/"))')
for where in '~/none.scry' ''; do
    env -u HOME -u XDG_DATA_HOME SCRY_STORE="$where" "$scry" status --collection none-$$ >"$T/out" 2>"$T/err"
    is "without HOME, SCRY_STORE=\"$where\": nothing of that name" $? 2
    like "the home folder of the user database" "$T/err" "$home/(none\.scry|\.local/share/scry/store)"
done
done_testing
