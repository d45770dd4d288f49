#!/bin/sh
# container.sh - the image that Containerfile describes, made as a root file system: it starts as the image's user with the image's
# environment, indexes /pictures, serves to who has the token, finds what is added later, says that it is healthy, and ends when told to.
#
# tools/everywhere.sh runs it inside that root, with the tree at /files and a network of its own.
SCRY_TOP=/files SCRY_BUILD=/usr/bin
. /files/tests/e2e/lib.sh
chmod 755 "$T"
of_image() { sed -n "s/^$1 //p" /files/Containerfile | tail -n 1; } # KEYWORD
user=$(of_image USER)
start=$(of_image ENTRYPOINT | tr -d '[]"')
health=$(of_image HEALTHCHECK | sed 's/.*CMD //')
as_image() { # COMMAND...: as a container engine runs it, in the place of this shell
    exec setpriv --reuid "$user" --regid "$user" --clear-groups --no-new-privs env -i PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
        $(of_image ENV) "$@"
}
answers() { (as_image sh -c "$health") >/dev/null 2>&1 && echo yes; }
ask() { curl -s -o "$T/out" -w '%{http_code}' "$@"; }
# The loopback interface is up: SIOCSIFFLAGS with IFF_UP.
perl -e 'my ($s, $request) = (undef, pack("a16sx22", "lo", 1)); socket($s, 2, 2, 0) && ioctl($s, 0x8914, $request) or die $!' || exit 1

cp /files/demo/gallery/animals/bison.jpg /files/demo/gallery/animals/macaw.png /pictures/
chmod 755 /pictures
is "the image's user is not root" "$(as_image id -un) $(as_image id -u | grep -cx 0)" "scry 0"
as_image "$start" >"$T/start.out" 2>"$T/start.err" &
server=$!
tries=0
until [ "$(answers)" = yes ] || [ $tries = 600 ] || ! kill -0 $server 2>/dev/null; do
    tries=$((tries + 1))
    sleep 1
done
is "it becomes healthy" "$(answers)" yes
note <"$T/start.err"
is "no process of it is root" "$(for p in /proc/[0-9]*; do
    tr '\0' ' ' <"$p/cmdline" 2>/dev/null | grep -qE '^(/usr/bin/)?scry |scry-decode' && sed -n 's/^Uid:\t\([0-9]*\).*/\1/p' "$p/status"
done | sort -u)" "$(id -u scry)"
is "without the token nothing is shown" "$(ask 'http://127.0.0.1:8080/api/v1/search?q=a+bison')" 401
token=$(cat /var/lib/scry/token)
is "with it a search" "$(ask -H "Authorization: Bearer $token" 'http://127.0.0.1:8080/api/v1/search?q=a+bison&limit=1')" 200
like "finds the bison" "$T/out" 'bison\.jpg'
is "the token is its owner's alone" "$(stat -c '%a %U' /var/lib/scry/token)" "600 scry"
cp /files/demo/gallery/animals/panda.jpg /pictures/later.jpg
found() {
    ask -H "Authorization: Bearer $token" 'http://127.0.0.1:8080/api/v1/search?q=a+panda&limit=1' >/dev/null
    grep -o 'later\.jpg' "$T/out" | head -n 1
}
soon "what is added is found" later.jpg found
kill $server
wait $server
is "it ends when it is told to" $? 0
# As the engine then does: scry watch may be writing yet, and the next start would find the store in use.
left() {
    for p in /proc/[0-9]*; do
        [ "$(stat -c %U "$p" 2>/dev/null)" != "$user" ] || echo "${p#/proc/}"
    done
}
end_what_is_left() {
    kill -KILL $(left) 2>/dev/null
    left
}
soon "and nothing of it is left" "" end_what_is_left
as_image "$start" >"$T/start.out" 2>"$T/start.err" &
server=$!
soon "started again it is healthy" yes answers
note <"$T/start.err"
is "and has the same token" "$(cat /var/lib/scry/token)" "$token"
kill $server
wait $server
done_testing
