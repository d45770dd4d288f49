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
# Another user's home: of a user database that has one more.
cat >"$T/users.c" <<'END'
#define _GNU_SOURCE
#include <dlfcn.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
int getpwnam_r(const char *name, struct passwd *entry, char *buffer, size_t n, struct passwd **found)
{
    if (strcmp(name, "guest-of-tests") == 0) {
        memset(entry, 0, sizeof *entry);
        entry->pw_name = "guest-of-tests";
        entry->pw_dir = getenv("GUEST_HOME");
        *found = entry;
        return 0;
    }
    *found = NULL;
    return 0;
}
END
ok "the shim builds" gcc -shared -fPIC -o "$T/users.so" "$T/users.c"
export ASAN_OPTIONS="${ASAN_OPTIONS:+$ASAN_OPTIONS:}verify_asan_link_order=0" GUEST_HOME=$T/guest
mkdir -p "$T/guest/pics"
cp "$HOME/pics/p000.png" "$T/guest/pics/g.png"
as_guest() {
    LD_PRELOAD=$T/users.so timeout 900 "$scry" "$@" >"$T/out" 2>"$T/err" </dev/null
    status=$?
}
as_guest index --store='~guest-of-tests/s.scry' "$T/guest/pics"
is "~USER/ in --store" "$status $(ls -d "$T/guest/s.scry")" "0 $T/guest/s.scry"
as_guest search --store='~guest-of-tests/s.scry' '--in=~guest-of-tests/pics' '@~guest-of-tests/pics/g.png' --paths
is "in --in and @FILE" "$(cat "$T/out")" "$T/guest/pics/g.png"
SCRY_STORE='~guest-of-tests/s.scry' as_guest status --json
is "in SCRY_STORE" "$(json 'j["files"]')" 1
for place in '~nobody-of-tests/s.scry' '~nobody-of-tests'; do
    as_guest index --store="$place" "$HOME/pics"
    is "--store=$place, whom nobody knows: refused" "$status" 2
    like "with the reason" "$T/err" 'a user whom this machine does not know: write \./~nobody'
    as_guest status --store="$place"
    is "and for reading" "$status" 2
    like "with the reason" "$T/err" 'a user whom this machine does not know'
done
as_guest store copy "$T/guest/s.scry" '~nobody-of-tests/t.scry'
is "store copy there: refused" "$status" 2
is "no folder of that name is made" "$(ls -d '~nobody-of-tests' 2>/dev/null)" ''
as_guest index --store='./~nobody-of-tests/s.scry' "$HOME/pics"
is "./~USER is a folder" "$status $(ls -d '~nobody-of-tests/s.scry')" '0 ~nobody-of-tests/s.scry'
# Whoever runs the tests may have a store there: a collection is asked for that is in none.
home=$(python3 -c 'import os, pwd; print(pwd.getpwuid(os.getuid()).pw_dir.rstrip("/"))')
for where in '~/none.scry' ''; do
    env -u HOME -u XDG_DATA_HOME SCRY_STORE="$where" "$scry" status --collection none-$$ >"$T/out" 2>"$T/err"
    is "without HOME, SCRY_STORE=\"$where\": nothing of that name" $? 2
    like "the home folder of the user database" "$T/err" "$home/(none\.scry|\.local/share/scry/store)"
done
done_testing
