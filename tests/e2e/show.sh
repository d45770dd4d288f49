#!/bin/sh
# How results are shown: the page (--html), thumbnails in a terminal, the threshold of --min-score auto.
. "$(dirname "$0")/lib.sh"
command -v python3 >/dev/null || { echo "1..0 # SKIP no python3"; exit 0; }
tiny_model "$T/model"
pictures "$T/img" 30
hostile="$T/img/<b onload=x>&\"'%41.png"
cp "$T/img/p000.png" "$hostile"
printf '\001' >>"$hostile"
run index "$T/img"

# ---- --html ----
run search --html "$T/page.html" --limit 40 "<script>alert(1)</script> a 'dog'"
is "html: status" "$status" 0
like "html: the table is printed, too" "$T/out" 'p001.png'
check_page() { # EXPRESSION over `page`, `tags` (name, attributes), `text`
    python3 - "$T/page.html" "$1" <<'PY'
import base64, html.parser, sys
page = open(sys.argv[1], encoding="utf-8").read()
tags, text = [], []
class P(html.parser.HTMLParser):
    def handle_starttag(self, tag, attrs): tags.append((tag, dict(attrs)))
    def handle_data(self, data): text.append(data)
P().feed(page)
images = [a["src"] for t, a in tags if t == "img"]
print(eval(sys.argv[2]))
PY
}
is "html: a thumbnail a picture" "$(check_page 'len(images)')" "$(stored)"
is "html: they are JPEGs inside the page" "$(check_page 'all(base64.b64decode(i.split(",")[1])[:2] == b"\xff\xd8" for i in images)')" True
is "html: no script, nothing from outside" "$(check_page '[t for t, a in tags if t in ("script", "link", "iframe") or any(k.startswith("on") for k in a)]')" "[]"
is "html: the query as text" "$(check_page '"".join(text).count("<script>alert(1)</script>")')" 2
is "html: a hostile name as text" "$(check_page '"<b onload=x>" in "".join(text)')" True
is "html: its link" "$(check_page '[a["href"] for t, a in tags if t == "a" and "onload" in a["href"]][0].rsplit("/", 1)[1]')" "%3Cb%20onload%3Dx%3E%26%22%27%2541.png"
rm "$T/img/p001.png"
run search --html "$T/page.html" --limit 40 dog
like "html: a file that is gone" "$T/page.html" 'the file does not exist'
run search --html "$T/no/such/page.html" dog
is "html: cannot be written: status" "$status" 2

# ---- --thumbs ----
run search --thumbs dog
is "thumbs without a terminal: status" "$status" 0
like "thumbs without a terminal: said" "$T/err" 'no thumbnails: standard output is not a terminal'
if [ -f "$SCRY_BUILD/scry-thumbs.so" ] && python3 -c 'import pty; pty.openpty()' 2>/dev/null; then
    in_terminal xterm-256color "$scry" search --limit 2 --thumbs dog
    like "thumbs: colours in a terminal" "$T/screen" '\[(38|48);[25];'
    in_terminal dumb "$scry" search --limit 2 --thumbs dog
    like "thumbs: not in a dumb one" "$T/screen" 'shows text only'
    unlike "thumbs: no colours there" "$T/screen" '\[(38|48);'
fi

# ---- --min-score auto ----
run search --json dog
is "line: not known before it was asked for" "$(json 'j["min_score"]')" None
run search --min-score auto --json dog
is "line: auto works without a line of the model's own" "$(json '-1 < j["min_score"] < 1')" True
is "line: nothing below it is shown" "$(json 'all(r["score"] >= j["min_score"] for r in j["results"])')" True
line=$(json 'j["min_score"]')
run search --json dog
is "line: remembered and shown, cutting nothing" "$(json '(round(j["min_score"], 5), len(j["results"]))')" "($(python3 -c "print(round($line, 5))"), 10)"
rm -r "$XDG_CACHE_HOME"
run search --min-score auto --json dog
is "line: the same when worked out again" "$(json 'j["min_score"]')" "$line"
mkdir "$T/few"
cp "$T/img/p002.png" "$T/few"
run index --collection few "$T/few"
run search --collection few --min-score auto dog
is "line: too few pictures: status" "$status" 2
like "line: too few pictures: said" "$T/err" 'too few pictures'
done_testing
