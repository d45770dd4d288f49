"""Each search parameter x {right, other type, unknown name, out of range, repeated, empty} x {command line, GET, form, JSON, MCP}:
the same input gives the same pictures everywhere, or is refused everywhere with the name, what was given, and what is expected.

    parameters.py SCRY URL PICTURES        prints TAP; the parameters come from `scry completion json`
"""
import json
import os
import pty
import subprocess
import sys
import urllib.error
import urllib.parse
import urllib.request

scry, url, pictures = sys.argv[1:]
rows = json.loads(subprocess.check_output([scry, "completion", "json"]))
number = failed = 0


def ok(name, true, seen=None):
    global number, failed
    number += 1
    failed += not true
    print("ok" if true else "not ok", number, "-", name, flush=True)
    if not true:
        print("# " + str(seen)[:3000].replace("\n", "\n# "), flush=True)


# ---- the interfaces: each takes [(name, value)] and gives ("found", ids) or ("refused", message) ----

def command(given):
    arguments = []
    for name, value in given:
        arguments += ["--" + name] if value is True else ["--" + name + "=" + str(value)]
    r = subprocess.run([scry, "search", "--json", *arguments, "red"], capture_output=True, text=True)
    if r.returncode == 2:
        return "refused", r.stderr
    return "found", [hit["id"] for hit in json.loads(r.stdout)["results"]]


def http(request):
    try:
        with urllib.request.urlopen(request) as answer:
            return "found", [hit["id"] for hit in json.load(answer)["results"]]
    except urllib.error.HTTPError as e:
        return ("refused" if e.code == 400 else f"status {e.code}"), json.load(e)["detail"]


def text_of(value):
    return "1" if value is True else str(value)


def get(given):
    return http(url + "/api/v1/search?" + urllib.parse.urlencode([("q", "red")] + [(n, text_of(v)) for n, v in given]))


def form(given):
    body = "".join(f'--x\r\nContent-Disposition: form-data; name="{n}"\r\n\r\n{text_of(v)}\r\n' for n, v in [("q", "red")] + given)
    return http(urllib.request.Request(url + "/api/v1/search", (body + "--x--\r\n").encode(), {"Content-Type": "multipart/form-data; boundary=x"}))


def members(given):
    values = {}
    for name, value in given:
        values.setdefault(name, []).append(value)
    return {n: v if len(v) > 1 else v[0] for n, v in values.items()}


FILTERS = {r["name"] for r in rows if r["filter"]}


def post(given):
    values = members(given)
    body = {"q": "red", **{n: v for n, v in values.items() if n not in FILTERS}}
    if FILTERS & set(values):
        body["filter"] = {n: v for n, v in values.items() if n in FILTERS}
    return http(urllib.request.Request(url + "/api/v1/search", json.dumps(body).encode(), {"Content-Type": "application/json"}))


mcp = subprocess.Popen([scry, "mcp"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


def tell(method, params):
    mcp.stdin.write(json.dumps({"jsonrpc": "2.0", "id": 1, "method": method, "params": params}) + "\n")
    mcp.stdin.flush()
    return json.loads(mcp.stdout.readline())["result"]


def tool(given):
    r = tell("tools/call", {"name": "search", "arguments": {"query": "red", **members(given)}})
    text = r["content"][0]["text"]
    return ("refused", text) if r["isError"] else ("found", [hit["id"] for hit in json.loads(text)["results"]])


VIA = {"command": command, "url": get, "form": form, "json": post, "tool": tool}
TYPED = ("json", "tool")


def check(row, case, values, wanted, says=(), only=tuple(VIA), name=None):
    """`values` given to the parameter everywhere; `wanted` is "found" or "refused"; a refusal contains all of `says`."""
    answers = {}
    asked = {via: ask for via, ask in VIA.items() if via in row["interfaces"] and via in only}
    if not asked:
        return None
    for via, ask in asked.items():
        own = row["interfaces"][via]["name"]
        given = [(name or own, v) for v in values]
        if row["name"] != "limit":
            given.append(("limit", 20))
        kind, answer = ask(given)
        answers[via] = kind, answer
        for part in (own if name is None else name, *says) if wanted == "refused" else ():
            if str(part) not in str(answer):
                answers[via] = f"does not say {part!r}", answer
    same = len({json.dumps(a) if a[0] == "found" else a[0] for a in answers.values()}) == 1
    ok(f"{row['name']}: {case}", same and all(a[0] == wanted for a in answers.values()), answers)
    return [a[1] for a in answers.values()][:1] if wanted == "found" else None


# Two right values for each kind, a text of another type, JSON of other types, what is out of range.
RIGHT = {"time": ["2001", "2025"], "place": ["48.1,-11.5,50", "0,0,1"], "box": ["-12,48,-11,48.5", "170,-10,-170,10"], "format": ["png", "jpg"], "folder": [pictures + "/a", pictures + "/b"],
         "whole": [3, 2], "cosine": [0.1, "auto"], "flag": [True, True], "sort": ["date", "size"], "choice": ["look", "auto"]}
NUMBERS = {"min_rating": [3, 0], "min_width": [1000, 2]}   # one picture is wider than the generated ones
TEXTS = {"keyword": ["Shore", "sand"], "camera": ["nikon", "FUJI"], "label": ["sea", "sand"], "key": ["k1", "k2"], "words": ["p00", "sea"], "place": ["Munich", "Sydney"]}
OTHER = {"time": "soon", "place": "Paris", "box": "1,2,3", "format": "picture", "whole": "abc", "cosine": "abc", "flag": "abc", "sort": "abc", "choice": "abc"}
BEYOND = {"time": "2024-13", "place": "91,0,1", "box": "0,2,1,1", "format": "docx", "whole": -1, "cosine": 1.5, "flag": 2, "sort": "colour", "choice": "Words"}
EXPECTED = {"time": "a date such as", "place": "LATITUDE,LONGITUDE,KM", "box": "WEST,SOUTH,EAST,NORTH", "format": "one of jpeg", "whole": "a whole number from",
            "cosine": "to 1, or auto", "flag": "true or false", "sort": "one of date name size added rating", "choice": "one of auto look words", "text": "a text", "folder": "the path of a folder"}

for row in rows:
    name, kind = row["name"], row["kind"]
    if kind not in EXPECTED:
        continue
    right, expected = TEXTS.get(name) or NUMBERS.get(name) or RIGHT[kind], EXPECTED[kind]
    flag_less = ("url", "form", "json", "tool") if kind == "flag" else tuple(VIA)   # the command line's flags have no value
    for value in right:
        check(row, f"right: {value}", [value], "found")
    if kind == "whole":
        check(row, "a number written as a text", [str(right[0])], "found")
    if kind in OTHER:
        check(row, "another type", [OTHER[kind]], "refused", [expected, OTHER[kind]], flag_less)
        beyond = -2 if name == "min_rating" else BEYOND[kind]
        check(row, "out of range", [beyond], "refused", [expected, beyond], flag_less)
    if kind == "whole":
        check(row, "past the largest number", [10 ** 15], "refused", [expected, 10 ** 15])
        check(row, "a fraction", ["2.5"], "refused", [expected, "2.5"])
        check(row, "half a number", ["3x"], "refused", [expected, "3x"])
    wrong = [{"a": 1}, None] + ([5] if kind in ("text", "folder", "format", "place", "box", "sort", "choice") else []) + ([True] if kind != "flag" else []) + (
        [[3]] if row["repeated"] == "none" else [[]]) + ([2.5] if kind in ("whole", "time", "flag") else [])
    for value in wrong:
        said = "a list" if isinstance(value, list) else "an object" if isinstance(value, dict) else json.dumps(value)
        check(row, f"another type: {json.dumps(value)}", [value], "refused", [expected, said], TYPED)
    check(row, "empty", [""], "refused", ["not an empty text", expected], flag_less)
    check(row, "an unknown name", [right[0]], "refused", ["nknown"], name=name + "x")
    if row["repeated"] == "none":
        check(row, "repeated", right[:2], "refused", ["twice"], [v for v in VIA if v not in TYPED])
        check(row, "repeated", right[:2], "refused", ["a list of 2"], TYPED)
    else:
        both = set(check(row, f"repeated: {row['repeated']}", right, "found")[0])
        each = [set(check(row, f"alone: {v}", [v], "found")[0]) for v in right]
        ok(f"{name}: repeated is {row['repeated']} of them", both == (each[0] | each[1] if row["repeated"] == "any" else each[0] & each[1]), (both, each))

# The query itself.
red = get([])
for q in rows:
    if q["kind"] == "query":
        ok("q: MCP and the command line find what GET finds", red == command([("limit", 50)]) == tool([("limit", 50)]) == form([]) == post([]))
        for via, ask in (("url", get), ("form", form)):
            ok(f"q: twice, by {via}", ask([("q", "blue")])[0] == "refused")
        for value in (5, None, True, [], {}, ["red"], ""):
            answers = post([("q", value)]), tool([("query", value)])
            ok(f"q: {json.dumps(value)} is refused", all(a[0] == "refused" and "takes a text" in a[1] for a in answers), answers)

# A date as a number, which is a year; a place and a box as lists.
for n, value, same in (("before", 2001, "2001"), ("box", [-12, 48, "-11", 48.5], "-12,48,-11,48.5"), ("near", [48.1, -11.5, 50], "48.1,-11.5,50"), ("near", ["48.1", -11.5, 50], "48.1,-11.5,50")):
    ok(f"{n}: {value} is {same}", post([(n, value)])[1] == get([(n, same)])[1] == tool([(n, value), ("limit", 50)])[1])

# The answer shows how the query was read: its parts, and q as it was written.
def body(value):
    try:
        with urllib.request.urlopen(urllib.request.Request(url + "/api/v1/search", json.dumps(value).encode(), {"Content-Type": "application/json"})) as f:
            return 200, json.load(f)
    except urllib.error.HTTPError as e:
        return e.code, json.load(e)


hit = red[1][0]
for value, detail in (({"parts": [{"id": hit + " + 50:sunset"}]}, "parts[0].id takes 32 hexadecimal digits"),
                      ({"parts": [{"id": hit, "region": [300.4, 200.2, 100, 100]}]}, "parts[0].region"), ({"parts": [{"id": hit, "region": [1, 2, 3]}]}, "parts[0].region"),
                      ({"parts": [{"id": hit, "region": "1,2,3,4"}]}, "parts[0].region"), ({"parts": [{"text": "a", "weigth": 1}]}, "weigth"),
                      ({"q": "red", "before": 1990}, '"filter"'), ({"q": "red", "filter": "png"}, "filter"), ({"q": "red", "filter": {"formt": "png"}}, "formt")):
    status, answer = body(value)
    ok(f"refused: {json.dumps(value)[:60]}", status == 400 and detail in answer["detail"], answer)
status, answer = body({"parts": [{"text": "@x + y"}, {"text": "sunset", "weight": "-1"}]})
ok("a weight may be a text, and keeps its sign", answer.get("parts") == [{"text": "@x + y", "weight": 1}, {"text": "sunset", "weight": -1}], answer)
ok("the query is shown as it was given", answer.get("query") == "@x + y - sunset", answer)
for line, parts in (("5:30 pm", [{"text": "5:30 pm", "weight": 1}]), ("16:9 monitor", [{"text": "16:9 monitor", "weight": 1}]),
                    ("0.5:sunset", [{"text": "sunset", "weight": 0.5}]), ("\\2:dog", [{"text": "2:dog", "weight": 1}])):
    answers = [body({"q": line})[1]]
    answers.append(json.loads(subprocess.run([scry, "search", "--json", line], capture_output=True, text=True).stdout))
    answers.append(json.loads(tell("tools/call", {"name": "search", "arguments": {"query": line}})["content"][0]["text"]))
    ok(f"{line} is read as {parts[0]['text']}", all(a["query"] == line and a["parts"] == parts for a in answers), [(a["query"], a["parts"]) for a in answers])

# A terminal is told what was read as a weight; a file or a pipe is not. Sanitizer builds warn that decoders are unconfined.
def without_warning(text):
    return "".join(x for x in text.splitlines(True) if "SCRY_TEST_UNCONFINED" not in x)


def on_terminal(*arguments):
    ours, theirs = pty.openpty()
    r = subprocess.run([scry, "search", "--paths", *arguments], stdout=subprocess.DEVNULL, stderr=theirs)
    os.close(theirs)
    try:
        said = os.read(ours, 65536).decode()
    except OSError:   # EIO: nothing was written
        said = ""
    os.close(ours)
    return r.returncode, without_warning(said)


status, said = on_terminal("beach", "-", "0.5:sunset")
ok("a weight is shown on a terminal", status == 0 and '"sunset" is searched for with a weight of -0.5' in said, said)
ok("a time is not", on_terminal("5:30 pm") == (0, ""))
ok("nor a weight with --quiet", on_terminal("--quiet", "0.5:sunset") == (0, ""))
piped = subprocess.run([scry, "search", "--paths", "0.5:sunset"], capture_output=True, text=True)
ok("nor in a pipe", without_warning(piped.stderr) == "", piped.stderr)

# What describes the parameters has them all.
schema = {t["name"]: t["inputSchema"] for t in tell("tools/list", {})["tools"]}["search"]
ok("MCP's schema", set(schema["properties"]) == {r["interfaces"]["tool"]["name"] for r in rows if "tool" in r["interfaces"]}, schema)
shown = subprocess.check_output([scry, "search", "--help"], text=True) + subprocess.check_output([scry, "completion", "bash"], text=True)
ok("--help and completion", all(shown.count("--" + r["interfaces"]["command"]["name"]) >= 2 for r in rows if "command" in r["interfaces"]))
for asked in ("/api/v1/images?formt=png", "/api/v1/images?q=red", f"/api/v1/images/{hit}/similar?formt=png", f"/api/v1/images/{hit}/similar?q=red",
              "/api/v1/search?q=red&camera=a%00b", "/api/v1/search?q"):
    ok(f"refused: {asked[:50]}", http(url + asked)[0] == "refused")
ok("the tutorial's route ignores what it does not know", http(urllib.request.Request(url + "/search?top_k=5", b"red"))[0] == "found")
ok("and refuses a wrong value", http(urllib.request.Request(url + "/search?limit=x", b"red"))[0] == "refused")
for name, arguments in (("get_image", {"id": hit, "size": 5}), ("describe_index", {"x": 1})):
    ok(f"MCP: {name} refuses an unknown argument", tell("tools/call", {"name": name, "arguments": arguments})["isError"])

mcp.stdin.close()
mcp.wait()
print(f"1..{number}")
sys.exit(failed != 0)
