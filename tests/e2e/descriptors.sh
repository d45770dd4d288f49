#!/bin/sh
# Paths such as /dev/fd/3 lead to descriptors that were passed to the program, never to those that it opened itself, some of which are
# files of the store. Standard descriptors may be closed.
. "$(dirname "$0")/lib.sh"
tiny_model "$T/model"
pictures "$T/pics" 4
run index "$T/pics"
cd "$T" || exit 1
printf 'a dog\na cat\n' >texts
printf "image,caption\n$T/pics/p000.png,a dog\n$T/pics/p001.png,a cat\n" >captions.csv
printf "image,label\n$T/pics/p000.png,dog\n$T/pics/p001.png,cat\n" >labels.csv
printf '%s/pics/p000.png\n%s/pics/p001.png\n' "$T" "$T" >list
cp pics/p002.png picture.png
ln -s /proc/self/fd folder

# One way of reading a file; {} stands for its path.
reads() { # WAY PATH
    case $1 in
    list) run index --from-file "$2" ;;
    words) run search "@$2" ;;
    image) run search --image "$2" dog ;;
    texts) run embed --texts "$2" --out x.npy ;;
    images) run embed --images "$2" --out x.npy ;;
    captions) run eval --captions "$2" ;;
    labels) run eval --labels "$2" ;;
    classes) run classify --labels-file "$2" pics/p000.png ;;
    classify) run classify -l dog,cat "$2" ;;
    favourites) run favourite import "$2" ;;
    token) run serve --listen 127.0.0.1:1 --token-file "$2" ;;
    esac
}
file_of() { # WAY: a file that it can read
    case $1 in
    list | images) echo list ;;
    words | image | classify) echo picture.png ;;
    texts | classes) echo texts ;;
    captions) echo captions.csv ;;
    labels) echo labels.csv ;;
    esac
}
for way in list words image texts images captions labels classes classify favourites token; do
    wrong=
    for fd in 3 4 5 6 7 8 9; do
        for path in /dev/fd/$fd /proc/self/fd/$fd /proc/thread-self/fd/$fd folder/$fd; do
            { reads $way $path; } 3>&- 4>&- 5>&- 6>&- 7>&- 8>&- 9>&-
            [ $status != 0 ] && grep -Eq 'Bad file descriptor|No such file' err || wrong="$wrong $path:$status"
        done
    done
    is "$way: descriptors that were not passed: the reason" "$wrong" ''
    file=$(file_of $way)
    [ -n "$file" ] || continue
    for path in /dev/fd/7 /proc/self/fd/7 folder/7; do
        { reads $way $path; } 7<"$file"
        ok "$way: $path that was passed is read" test $status -lt 2
    done
done
ok "the store is whole" "$scry" verify

# Closed standard descriptors: nothing of the store gets their numbers.
for how in '>&-' '2>&-' '>&- 2>&-' '<&- >&- 2>&-'; do
    rm -rf "$SCRY_STORE"
    eval "\"\$scry\" index --quiet pics $how"
    is "index $how" $? 0
    eval "\"\$scry\" index --verbose pics $how" >"$T/out" 2>"$T/err"
    ok "index $how: the store is whole" "$scry" verify
done
"$scry" index --from-file - <&- >"$T/out" 2>"$T/err"
is "a list from a closed standard input: 2" $? 2
like "and says so" "$T/err" 'cannot read -: Bad file descriptor'
"$scry" search dog >&- 2>"$T/err"
is "results to a closed standard output: 2" $? 2
like "and says so" "$T/err" 'cannot write the results'
done_testing
