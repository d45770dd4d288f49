#!/bin/bash
# What a user of milvus 2.3.5 may do who has few rights: search, list and see what is marked, not mark; and what it takes is said in one
# line. The server lets rights that it was given count late, sometimes not before the next ones: each state is waited for.
cd "$(dirname "$0")/../.." || exit 1
. tests/milvus/lib.sh
unset SCRY_MODEL
tiny_model "$T/one"
P=$T/pics
pictures "$P" 8
login() { export SCRY_MILVUS_USER=$1 SCRY_MILVUS_PASSWORD=$2; }
names() { "$scry" list --collection photos "$@" --json 2>"$T/err" >"$T/out"; json '[r["name"] for r in j["results"]]'; }
export SCRY_STORE=$M

# grant COLLECTION RIGHT...: to the role of eve, once more each time, since a right can get lost.
grant() {
    (
        login root Milvus
        client "
def go(f, *a):
    try: f(*a)
    except Exception as e: pass
for right in sys.argv[2:]:
    kind, name = ('Global', '*') if right == 'DescribeCollection' else ('Collection', sys.argv[1])
    go(c.revoke_privilege, 'few', kind, right, name)
    go(c.grant_privilege, 'few', kind, right, name)
go(c.revoke_role, 'eve', 'few')
go(c.grant_role, 'eve', 'few')
print('ok')" "$@"
    )
}
# grant_until GRANT-ARGUMENTS -- COMMAND...: grants, until the command succeeds.
grant_until() {
    granted=
    while [ "$1" != -- ]; do granted="$granted $1"; shift; done
    shift
    for _ in $(seq 60); do
        grant $granted >"$T/granted"
        for _ in 1 2 3 4 5; do
            if "$@" >"$T/tried" 2>&1; then return 0; fi
            sleep 0.2
        done
    done
    return 1
}
one_line() { [ "$(wc -l <"$T/err")" = 1 ]; }

login root Milvus
ok "a server with passwords starts" milvus_start "$T/milvus" authorization_enabled=true common.session.ttl=60
run index --model "$T/one" --collection photos "$P"
run favourite add --collection photos "$P/p002.png"
run saved add --collection photos red red
is "pymilvus makes a user" "$(client "c.create_user('eve', 'secret-1'); c.create_role('few'); print('ok')")" ok
login eve secret-1
run search --model "$T/one" --collection photos red
is "who may nothing" $status 2
like "... is told so" "$T/err" 'this user may not call (Search|DescribeCollection) '
ok "with Search, Query, DescribeCollection and IndexDetail" grant_until photos Search Query IndexDetail DescribeCollection -- \
    "$scry" search --model "$T/one" --collection photos --by look --limit 3 red
run search --model "$T/one" --collection photos --by look --limit 3 --json red
is "eve searches" "$status $(json 'len(j["results"])')" "0 3"
is "and lists" "$(names --limit 3)" "['p000.png', 'p001.png', 'p002.png']"
run status --collection photos --json
is "and sees what is there" "$status $(json 'j["files"]')" "0 8"
run list --collection photos --favourites
is "favourites are not for her to read" $status 2
like "... it takes Query on them" "$T/err" 'photos__marks at .*, which this user may not read: it takes Query and DescribeCollection'
run favourite add --collection photos "$P/p003.png"
is "nor to set" $status 2
like "... which takes rights that are named" "$T/err" 'may not mark pictures of photos: it takes Upsert, Insert, Delete, .* on the collection photos__marks'
ok "... in one line" one_line
favourites() { [ "$(names --favourites)" = "['p002.png']" ]; }
ok "with Query on the marks" grant_until photos__marks Query -- favourites
run saved --collection photos
like "she sees what is saved, too" "$T/out" '^red'
for change in "favourite add --collection photos $P/p003.png" "favourite remove --collection photos $P/p002.png" \
    "saved add --collection photos blue blue" "saved remove --collection photos red"; do
    run $change
    is "$change: not allowed" $status 2
    like "... the rights are named" "$T/err" 'may not mark pictures of photos: it takes Upsert, Insert, Delete, '
    ok "... in one line" one_line
done
ok "with the rights that were named" grant_until photos__marks Upsert Insert Delete Query GetLoadState Load DescribeCollection IndexDetail -- \
    "$scry" favourite add --collection photos "$P/p003.png"
is "she marks" "$(names --favourites --sort name)" "['p002.png', 'p003.png']"
run favourite remove --collection photos "$P/p002.png"
is "and takes a mark away" "$status $(names --favourites)" "0 ['p003.png']"
run index --model "$T/one" --collection photos "$P"
is "but does not index" $status 2
milvus_stop
done_testing
