#!/bin/sh
# What is made of the option tables: help, man pages, completions. And scry store.
. "$(dirname "$0")/lib.sh"
run help --commands
commands=$(cat "$T/out")
is "help --commands: status" "$status" 0
bad=
for c in $commands; do
    run "$c" --help
    [ "$status" = 0 ] && grep -q '^Usage: scry ' "$T/out" || bad="$bad $c"
    run help --man "$c"
    [ "$status" = 0 ] && grep -q '^\.SH OPTIONS' "$T/out" || bad="$bad man-$c"
    if command -v groff >/dev/null; then
        [ -z "$(groff -man -Tutf8 -ww -z "$T/out" 2>&1)" ] || bad="$bad groff-$c"
    fi
done
is "help and man page of every command" "$bad" ""
run help --man
like "man page of the program names search" "$T/out" 'scry\\-search'
run help nonsense
is "help of nothing: status" "$status" 2
run search --nonsense x
is "an unknown option: status" "$status" 2
like "an unknown option: where to look" "$T/err" 'scry search --help'

run completion bash
cp "$T/out" "$T/completion"
if command -v bash >/dev/null; then
    complete_words() { # WORD...
        bash -c '. "$0"; COMP_WORDS=(scry "$@"); COMP_CWORD=$#; _scry; echo "${COMPREPLY[@]}"' "$T/completion" "$@"
    }
    is "bash: commands" "$(complete_words sea)" search
    is "bash: options" "$(complete_words search --pre)" --precision
    is "bash: choices" "$(complete_words search --precision i)" int8
    is "bash: verbs" "$(complete_words model p)" pull
fi
run completion zsh
like "zsh: first line" "$T/out" '^#compdef scry'
if command -v zsh >/dev/null; then
    ok "zsh: reads it" zsh -n "$T/out"
fi
run completion fish
like "fish: commands" "$T/out" "^complete -c scry -n __scry_nothing_yet -a search -d 'Show"
like "fish: options" "$T/out" "^complete -c scry -n '__scry_command search' -l limit -s n -x -d 'show at most"
like "fish: choices" "$T/out" "^complete -c scry -n '__scry_command search' -l precision -x -a 'auto fp32 bf16 int8' -d "
like "fish: verbs" "$T/out" "^complete -c scry -n '__scry_verb_of store' -f -a 'list drop compact copy export'"
if command -v fish >/dev/null; then
    ok "fish: reads it" fish -n "$T/out"
    fish -c 'source $argv[1]; complete -C "scry sea"' "$T/out" >"$T/completed"
    like "fish: completes a command" "$T/completed" '^search'
fi
run completion tcsh
is "another shell: status" "$status" 2
run search --help
unlike "--help has no options for Milvus" "$T/out" 'milvus-index'
run search --help-milvus
is "--help-milvus: 0" "$status" 0
like "and it has" "$T/out" '--milvus-index=SPEC'
unlike "and nothing else" "$T/out" '--limit'

command -v python3 >/dev/null || done_testing
tiny_model "$T/model"
pictures "$T/img" 3
run index "$T/img"
run index --collection other "$T/img"
run store list --json
is "store list: both" "$(json '[(c["name"], c["files"]) for c in j]')" "[('default', 3), ('other', 3)]"
run store list -q
is "store list -q: names alone" "$(tr '\n' ' ' <"$T/out")" "default other "
run store drop other
is "store drop asks for --yes" "$status" 2
run store drop --yes other
is "store drop: status" "$status" 0
run store list -q
is "store drop: it is gone" "$(cat "$T/out")" default
run store drop --yes other
is "store drop twice: status" "$status" 2
run remove "$T/img/p001.png"
size() { find "$SCRY_STORE" -type f -exec cat {} + | wc -c; }
before=$(size)
run store compact
is "store compact: status" "$status" 0
ok "store compact: the store is smaller" test "$(size)" -lt "$before"
before=$(size)
run store compact --progress
like "store compact: its progress" "$T/err" '^\[#{30}\] 100 %$'
ok "store compact: again, it does not grow" test "$(size)" -le "$before"
is "store compact: two pictures are left" "$(stored)" 2
run verify --progress
is "store compact: the store is well" "$status" 0
like "verify: its progress" "$T/err" '^\[#{30}\] 100 %$'
done_testing
