#!/bin/sh
# installed.sh few|all - the program as a package installed it, in a system with little else: with the libraries that it needs (few),
# or with those that are recommended, too (all). Indexes, searches, serves, verifies; as root and with nothing set.
#
# tools/everywhere.sh and tools/cross.sh run it inside a root file system, with the tree at /files.
libraries=$1
SCRY_TOP=/files SCRY_BUILD=/usr/bin
. /files/tests/e2e/lib.sh
unset SCRY_MODEL
[ "$libraries" = few ] || [ "$SCRY_TEST_UNCONFINED" ] || unset SCRY_WORDS   # an emulator takes minutes to read them
mkdir "$T/photos" "$T/more"
cp /files/demo/gallery/animals/bison.jpg /files/demo/gallery/animals/panda.jpg /files/demo/gallery/animals/macaw.png "$T/photos/"
cp /files/demo/gallery/animals/butterfly.webp /files/demo/gallery/*/*.heic /files/demo/gallery/*/*.avif /files/demo/gallery/*/*.gif \
    /files/tests/pictures/grey.tif /files/tests/pictures/deep.jxl /files/tests/pictures/camera.dng "$T/more/"
more=$(ls "$T/more" | wc -l)
run() { # without a limit: an emulator takes half a minute for a picture
    scry "$@" >"$T/out" 2>"$T/err" </dev/null
    status=$?
}

is "the program says its version" "$(scry --version | sed 's/ .*//')" scry
run index "$T/photos"
if [ "$libraries" = few ]; then
    is "JPEG is indexed, PNG is skipped" "$status" 1
    like "with its reason" "$T/err" 'macaw\.png: .*scry-formats\.so needs libvips\.so\.42, which is not installed'
    like "and counted" "$T/err" '^2 added, .*1 skipped'
else
    is "JPEG and PNG are indexed" "$status" 0
    like "all of them" "$T/err" '^3 added'
fi
run search --paths --limit 1 a bison
is "a search finds the bison" "$status $(cat "$T/out")" "0 $T/photos/bison.jpg"
run search --json --limit 1 "@$T/photos/panda.jpg"
like "a search by a picture finds that" "$T/out" '"path": ?".*panda\.jpg"'
run index "$T/more"
if [ "$libraries" = few ]; then
    like "GIF is read without more libraries" "$T/err" '^1 added'
else
    is "every format is read" "$status $(sed -n 's/ added,.*//p' "$T/err")" "0 $more"
fi
run verify
is "the collection verifies" "$status" 0
run list --paths
is "and lists its pictures" "$(wc -l <"$T/out")" "$([ "$libraries" = few ] && echo 3 || echo $((more + 3)))"

if [ "$libraries" = all ]; then
    scry serve --listen 127.0.0.1:0 >"$T/serve.out" 2>"$T/serve.err" &
    server=$!
    # While it lives: under an emulator it takes minutes to read its first texts.
    until port=$(sed -n 's,.*http://127\.0\.0\.1:\([0-9]*\)/.*,\1,p' "$T/serve.err") && [ -n "$port" ] || ! kill -0 "$server"; do
        sleep 0.1
    done
    perl -MIO::Socket::INET -e '
        my $s = IO::Socket::INET->new(PeerAddr => "127.0.0.1:$ARGV[0]") or die $!;
        print $s "GET /api/v1/search?q=a+bison&limit=1 HTTP/1.0\r\nHost: 127.0.0.1\r\n\r\n";
        print while <$s>;' "$port" >"$T/out" 2>"$T/err"
    like "the server searches" "$T/out" 'bison\.jpg'
    kill "$server"
    wait "$server"
    is "and stops when it is told to" $? 0
else
    run serve
    like "the server names the library that it lacks" "$T/err" 'scry-serve\.so needs lib[a-z]+\.so\.[0-9]+, which is not installed'
fi
done_testing
