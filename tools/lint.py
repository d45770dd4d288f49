#!/usr/bin/env python3
"""What the compiler does not check: layers, include cycles, names, limits, forbidden functions, dead ones.

    tools/lint.py [BUILD]

Prints `file:line: what` and exits with status 1 when something is wrong. With BUILD (a build
folder), the archives in it are searched for global names that two objects define. What each
folder may include is in ARCHITECTURE.md, whose table lists a folder below those it stands on.
Functions over the limits are listed, and counted against ALLOWED_COMPLEX and ALLOWED_PARAMETERS.
"""
import importlib.util
import itertools
import json
import os
import re
import shutil
import subprocess
import sys

TOP = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))

# Foreign headers by the names that ARCHITECTURE.md gives their libraries.
LIBRARIES = {
    "jansson.h": "jansson", "openssl/": "OpenSSL", "jpeglib.h": "libjpeg-turbo", "vips/": "libvips",
    "gmodule.h": "GLib", "jxl/": "libjxl", "libraw/": "LibRaw", "zlib.h": "zlib", "brotli/": "Brotli", "seccomp.h": "libseccomp", "sqlite3.h": "SQLite",
    "curl/": "libcurl", "nghttp2/": "nghttp2", "protobuf-c/": "protobuf-c", "microhttpd.h": "libmicrohttpd", "gnutls/": "GnuTLS", "chafa.h": "chafa",
}
BANNED = {
    "gets": "fgets", "strcpy": "memcpy or snprintf", "strcat": "scry_buf_*", "sprintf": "snprintf",
    "vsprintf": "vsnprintf", "strtok": "strcspn", "system": "posix_spawn", "popen": "posix_spawn",
    "tmpnam": "mkstemp", "mktemp": "mkstemp", "alloca": "scry_alloc", "rand": "getrandom",
    "localtime": "localtime_r", "gmtime": "gmtime_r", "ctime": "strftime", "asctime": "strftime",
    "readdir_r": "readdir", "pthread_cond_init": "scry_cond_init", "pthread_cond_timedwait": "scry_cond_wait_ms", "sem_timedwait": "sem_clockwait",
}
BANNED_CALL = re.compile(r"(?<![\w.>])(" + "|".join(BANNED) + r")\s*\(")
OLD_CMOCKA = re.compile(r"\b(assert_(?:not_)?in_(?:range|set))\s*\(")   # deprecated by cmocka 2
INCLUDE = re.compile(r'^\s*#\s*include\s+([<"])([^>"]+)[>"]')
DEFINITION = re.compile(r"^[A-Za-z_][^;{}()=]*\b(\w+)\(((?:[^(){};]|\([^(){};]*\))*)\)\s*\n\{", re.M)
LINE, FILE, FUNCTION, COMPLEXITY, PARAMETERS = 132, 600, 60, 15, 6
ALLOWED_COMPLEX = 18            # parsers and tables of options; the number may only fall
ALLOWED_PARAMETERS = 20         # functions with more than PARAMETERS; the number may only fall
GENERATED = {"src/tokenizer/html_entities.h", "src/base/unicode_data.h"}

problems = []


def wrong(path, line, what):
    problems.append(f"{path}:{line}: {what}")


def without_comments_and_strings(text):
    def blank(m):
        return re.sub(r"[^\n]", " ", m.group(0))
    return re.sub(r'/\*.*?\*/|//[^\n]*|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'', blank, text, flags=re.S)


def read_layers():
    """The table of ARCHITECTURE.md: for each folder of src/ what it stands on, and its libraries."""
    layers, users = {}, {}
    with open(os.path.join(TOP, "ARCHITECTURE.md"), encoding="utf-8") as f:
        for line in f:
            m = re.match(r"\| `src/([\w/]+)/` \|[^|]*\|([^|]*)\|([^|]*)\|$", line)
            if m:
                names = [re.sub(r" *\([^)]*\)", "", x).strip() for x in m.group(3).split(",")]
                layers[m.group(1)] = {x.strip() for x in m.group(2).split(",")} - {""}
                users[m.group(1)] = set(names) - {""}
    return layers, users


LAYERS, USES = read_layers()


def layer_of(path):
    """The folder of the table that a path below src/ belongs to: a folder without a row is a part of the one above it."""
    folder = os.path.dirname(path)
    while folder and folder not in LAYERS:
        folder = os.path.dirname(folder)
    return folder


used = {layer: set() for layer in LAYERS}   # libraries whose headers were met


def check_table():
    """The table names what there is; after all sources were checked."""
    for folder in sorted(set(os.listdir("src")) - set(LAYERS)) + [x for x in LAYERS if not os.path.isdir(f"src/{x}")]:
        wrong("ARCHITECTURE.md", 0, f"src/{folder}/ is in the tree or in the table, not in both")
    above = set()
    for layer in LAYERS:
        for name in sorted(LAYERS[layer] - above):
            wrong("ARCHITECTURE.md", 0, f"{layer} stands on {name}, which is not listed above it")
        above.add(layer)
        for name in sorted(USES[layer] - used[layer]):
            wrong("ARCHITECTURE.md", 0, f"no file of {layer} includes a header of {name}")


def check_include(path, number, layer, kind, name):
    if kind == '"':
        folder = layer_of(name)
        if folder and folder != layer and folder not in LAYERS.get(layer, set()):
            wrong(path, number, f"{layer} does not stand on {folder}: {name}")
        elif not folder and "/" in name and name.split("/")[0] not in ("scry", "milvus.pb-c.h"):
            wrong(path, number, f"no such layer: {name}")
        return
    for header, library in LIBRARIES.items():
        if name == header or not header.endswith(".h") and name.startswith(header):
            used.setdefault(layer, set()).add(library)
            if library not in USES.get(layer, set()):
                wrong(path, number, f"{layer} does not use {library}, as ARCHITECTURE.md has it: <{name}>")


def check_source(path):
    layer = layer_of(path[len("src/"):]) if path.startswith("src/") else None
    text = open(os.path.join(TOP, path), encoding="utf-8").read()
    lines = text.split("\n")
    if path not in GENERATED and len(lines) - 1 > FILE and path.startswith("src/"):
        wrong(path, len(lines), f"more than {FILE} lines")
    if not text.endswith("\n") or text.endswith("\n\n"):
        wrong(path, len(lines), "end the file with one newline")
    if path.endswith(".h") and "#ifndef SCRY_" not in text and path not in GENERATED and layer:
        wrong(path, 1, "no include guard SCRY_...")
    for number, line in enumerate(lines, 1):
        m = INCLUDE.match(line)
        if m and layer:
            check_include(path, number, layer, *m.groups())
        if m and path.startswith("include/") and m.group(1) == '"' and not m.group(2).startswith("scry/"):
            wrong(path, number, "a public header includes public headers only")
        if "\t" in line or line != line.rstrip():
            wrong(path, number, "tab or space at the end")
        if len(line) > LINE + 30 * ('"' in line) and path not in GENERATED:   # texts are not cut
            wrong(path, number, f"longer than {LINE} characters")
    for number, line in enumerate(without_comments_and_strings(text).split("\n"), 1):
        m = BANNED_CALL.search(line)
        if m and path.startswith(("src/", "include/")) and path != "src/base/cond.c":
            wrong(path, number, f"{m.group(1)}: use {BANNED[m.group(1)]}")
        m = OLD_CMOCKA.search(line)
        if m and path.startswith("tests/"):
            wrong(path, number, f"{m.group(1)}: cmocka 2 warns of it, say assert_true()")
    for m in re.finditer(r"\b(TODO|FIXME)\b|\bXXX\b(?!X)", text):
        wrong(path, text.count("\n", 0, m.start()) + 1, f"{m.group(0)}: do it or write an issue")


def check_cycles(paths):
    """No file of src/ includes one that includes it, over however many steps."""
    included = {}
    for path in paths:
        with open(os.path.join(TOP, path), encoding="utf-8") as f:
            names = [m.group(2) for m in map(INCLUDE.match, f) if m and m.group(1) == '"']
        # From src/, or beside the file.
        included[path] = [p for n in names for p in (f"src/{n}", os.path.join(os.path.dirname(path), n)) if p in paths]
    done = set()

    def visit(path, chain):
        if path in chain:
            wrong(path, 0, "includes itself: " + " -> ".join(chain[chain.index(path):] + [path]))
        elif path not in done:
            for other in included[path]:
                visit(other, chain + [path])
            done.add(path)
    for path in paths:
        visit(path, [])


def check_headers(paths):
    """Each header compiles alone; the public ones as C++, too."""
    flags = ["-std=gnu11", "-D_GNU_SOURCE", "-Iinclude", "-Isrc", "-fsyntax-only", "-Wall", "-Werror", "-Wno-unused"]
    packages = subprocess.run(["pkg-config", "--cflags", "jansson", "sqlite3", "vips", "chafa", "libmicrohttpd"],
                              capture_output=True, text=True).stdout.split()
    for path in paths:
        runs = [["gcc", "-x", "c", *flags]]
        if path.startswith("include/") and shutil.which("g++"):
            runs.append(["g++", "-x", "c++", "-Iinclude", "-fsyntax-only", "-Wall", "-Werror"])
        for command in runs:
            unit = f'#include "{os.path.relpath(path, "include" if path.startswith("include/") else "src")}"\n'
            done = subprocess.run([*command, *packages, "-Ibuild/release/gen", "-"], input=unit, cwd=TOP,
                                  capture_output=True, text=True)
            if done.returncode:
                first = next((x for x in done.stderr.split("\n") if "error" in x), done.stderr[:200])
                wrong(path, 1, f"does not compile alone ({command[0]}): {first}")


def check_symbols(build):
    """No two objects define the same global name: the linker would take either."""
    defined = {}
    for name in sorted(os.listdir(build)):
        if not (name.startswith("libscry") and name.endswith(".a")):
            continue
        listing = subprocess.run(["nm", "-A", "--defined-only", "--extern-only", os.path.join(build, name)],
                                 capture_output=True, text=True, check=True).stdout
        for line in listing.split("\n"):
            if not line or line.endswith(":"):
                continue
            where, rest = line.rsplit(":", 1)
            kind, symbol = rest.split()[-2:]
            if kind in "VWu" or ".pb-c.o" in where:
                continue
            if symbol in defined:
                wrong(where, 0, f"{symbol} is defined in {defined[symbol]}, too")
            defined[symbol] = where


def check_complexity(paths):
    if not shutil.which("pmccabe"):
        wrong("tools/lint.py", 0, "pmccabe is not installed, which counts lines and complexity: `make deps-lint` installs it")
        return
    listing = subprocess.run(["pmccabe", *paths], cwd=TOP, capture_output=True, text=True).stdout
    over = []
    for line in listing.split("\n"):
        f = line.split("\t")
        if len(f) >= 6 and (int(f[0]) > COMPLEXITY or int(f[4]) > FUNCTION):
            over.append((int(f[0]), int(f[4]), f[5]))
    for complexity, length, where in sorted(over, reverse=True):
        print(f"note: {where}: complexity {complexity}, {length} lines")
    if len(over) > ALLOWED_COMPLEX:
        wrong("src", 0, f"{len(over)} functions over complexity {COMPLEXITY} or {FUNCTION} lines; at most {ALLOWED_COMPLEX}")


def check_parameters(paths):
    over = []
    for path in paths:
        text = without_comments_and_strings(open(os.path.join(TOP, path), encoding="utf-8").read())
        for m in DEFINITION.finditer(text):
            count = re.sub(r"\([^()]*\)", "", m.group(2)).count(",") + 1
            if count > PARAMETERS:
                over.append((count, f"{path}:{text.count(chr(10), 0, m.start()) + 1}: {m.group(1)}"))
    for count, where in sorted(over, reverse=True):
        print(f"note: {where}: {count} parameters")
    if len(over) > ALLOWED_PARAMETERS:
        wrong("src", 0, f"{len(over)} functions with more than {PARAMETERS} parameters; at most {ALLOWED_PARAMETERS}")


def check_dead(paths):
    """Each function of src/ is called: its name occurs elsewhere than in its definition and declaration. The public
    ones are for other programs; a name that a macro composes (##) is known by its end."""
    words, public, ends, defined = {}, set(), [], []
    for path in paths:
        text = re.sub(r"/\*.*?\*/", "", open(os.path.join(TOP, path), encoding="utf-8").read(), flags=re.S)
        for word in re.findall(r"\w+", text):
            words[word] = words.get(word, 0) + 1
        if path.startswith("include/"):
            public.update(re.findall(r"\w+", text))
        ends += re.findall(r"##(_\w+)", text)
        if path.startswith("src/"):
            defined += [(path, m.group(1)) for m in DEFINITION.finditer(text)
                        if not re.search(r"\b(static|INLINE)\b", m.group(0).split("(")[0])]
    for path, name in defined:
        if words[name] <= 2 and name not in public and name != "main" and not name.endswith(tuple(ends)):
            wrong(path, 0, f"{name}: nothing calls it")


def check_public_names():
    """What the public headers declare is what mk/libscry0.symbols lists, so that no name vanishes unseen."""
    listed = set(re.findall(r"^ (scry_\w+)@SCRY_0 ", open("mk/libscry0.symbols", encoding="utf-8").read(), re.M))
    declared = set()
    for name in os.listdir("include/scry"):
        with open(f"include/scry/{name}", encoding="utf-8") as f:
            text = "".join(re.sub(r"/\*.*\*/", "", x) for x in f if not x.startswith("typedef"))
        declared |= set(re.findall(r"\b(scry_[a-z0-9_]+)\(", text))
    for name in sorted(declared - listed):
        wrong("mk/libscry0.symbols", 0, f"{name} is new in the public headers: add the line \" {name}@SCRY_0 VERSION\"")
    for name in sorted(listed - declared):
        wrong("mk/libscry0.symbols", 0, f"{name} is in no public header any more: programs that are linked with it would not start")


def struct_members(body):
    """The names of the members of a structure in C."""
    for declaration in body.split(";"):
        called = re.search(r"\(\*\s*(\w+)\)", declaration)   # a function, or a pointer to rows
        if called:
            yield called.group(1)
        elif declaration.strip():
            yield from (re.search(r"(\w+)\s*(?:\[[^\]]*\])?\s*$", part).group(1) for part in declaration.split(","))


def check_layout():
    """Structures only grow, constants and functions stay: tools/layout.py."""
    done = subprocess.run([sys.executable, "tools/layout.py"], capture_output=True, text=True)
    problems.extend(done.stdout.splitlines() or ([done.stderr] if done.returncode else []))


def check_python():
    """The structures that python/scry/_c.py repeats have the members of the headers, in their order."""
    spec = importlib.util.spec_from_file_location("_c", "python/scry/_c.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    text = "".join(open(f"include/scry/{name}", encoding="utf-8").read() for name in os.listdir("include/scry"))
    text = re.sub(r"/\*.*?\*/|^\s*#.*?$", " ", text, flags=re.S | re.M)
    for name, structure in module.STRUCTURES.items():
        found = re.search(rf"struct {name} \{{(.*?)\n\}}", text, re.S)
        there = list(struct_members(found.group(1))) if found else []
        here = [x[0] for x in structure._fields_]
        for i, (a, b) in enumerate(itertools.zip_longest(there, here)):
            if a != b:
                wrong("python/scry/_c.py", 0, f"{name}: member {i} is {b or 'missing'}, in the header {a or 'missing'}: repeat it here")
                break
    for path in sorted(f"python/scry/{x}" for x in os.listdir("python/scry") if x.endswith(".py")) + ["python/build_wheel.py"]:
        for number, line in enumerate(open(path, encoding="utf-8"), 1):
            if len(line.rstrip("\n")) > LINE + 10 or line.rstrip() != line.rstrip("\n"):
                wrong(path, number, f"longer than {LINE + 10} characters, or a space at the end")


def check_strings():
    """The languages of the page have the same texts, and what the server names has one: codes of problems and of skipped files."""
    texts = {name: json.load(open(f"web/strings/{name}", encoding="utf-8")) for name in sorted(os.listdir("web/strings"))}
    for name, own in texts.items():
        for key in sorted(set(own) ^ set(texts["en.json"]) - {"direction"}):
            wrong(f"web/strings/{name}", 0, f"{key}: in one of this and en.json only")
    codes = {"skip_" + x for x in re.findall(r'\{ "(\w+)", (?:STARTS|HAS),', open("src/engine/skip_code.c", encoding="utf-8").read())}
    for name in os.listdir("src/server"):
        codes |= {"problem_" + x for x in re.findall(r'respond_named_problem\([^"]*?"(\w+)", "', open(f"src/server/{name}", encoding="utf-8").read())}
    for key in sorted(codes - set(texts["en.json"])):
        wrong("web/strings/en.json", 0, f"{key} is missing: the server says it")


LINUX = re.compile(r'\b(?:inotify_\w+|memfd_create|F_ADD_SEALS|prctl|syscall|SYS_\w+|openat2|renameat2|epoll_\w+|eventfd|signalfd|timerfd_\w+|getauxval|'
                   r'sched_[gs]etaffinity|gettid|copy_file_range|sendfile|splice|O_PATH|O_TMPFILE|seccomp_\w+|dladdr1|fanotify_\w+|statx|pidfd_\w+|'
                   r'pthread_cond_clockwait|posix_spawn_file_actions_addclosefrom_np)\b(?= *\()|\b(?:O_PATH|O_TMPFILE|F_ADD_SEALS)\b|"/(?:proc|sys)/|<linux/')


def check_ports(paths):
    """What other systems lack is in the files that docs/packages.md lists for whoever ports scry."""
    with open("docs/packages.md", encoding="utf-8") as f:
        section = f.read().split("## Ports")[1].split("\n## ")[0]
    listed = {name for row in section.splitlines() if row.startswith("| `") for name in re.findall(r"`(src/[\w/.]+)`", row.split("|")[1])}
    for path in paths:
        with open(path, encoding="utf-8") as f:
            found = LINUX.search(re.sub(r"/\*.*?\*/", "", f.read(), flags=re.S))
        if found and path not in listed:
            wrong(path, 0, f"{found.group(0)} is Linux's own: src/base/system.h has plain ways for others, docs/packages.md the list of ports")
        if path in listed and not found:
            wrong("docs/packages.md", 0, f"{path} has nothing of Linux's own")


def main():
    os.chdir(TOP)
    files = subprocess.run(["git", "ls-files", "-co", "--exclude-standard"], capture_output=True, text=True, check=True).stdout
    files = [f for f in files.split("\n") if f and os.path.exists(f)]
    c = [f for f in files if f.endswith((".c", ".h")) and f.split("/")[0] in ("src", "include", "tests", "examples", "bench")]
    for path in c:
        check_source(path)
    check_table()
    check_cycles([f for f in c if f.startswith("src/")])
    check_headers([f for f in c if f.endswith(".h") and f.startswith(("src/", "include/"))])
    sources = [f for f in c if f.startswith("src/") and f.endswith(".c")]
    check_complexity(sources)
    check_parameters([f for f in files if f.startswith("src/") and f.endswith((".c", ".h", ".inc"))])
    check_dead(c)
    check_ports(sources)
    check_public_names()
    check_layout()
    check_python()
    check_strings()
    if len(sys.argv) > 1:
        check_symbols(sys.argv[1])
    for path in files:
        if path.endswith(".sh") and subprocess.run(["sh", "-n", path], capture_output=True).returncode:
            wrong(path, 1, "sh does not parse it")
    for p in problems:
        print(p)
    print(f"{len(c)} files, {len(problems)} problems")
    return 1 if problems else 0


sys.exit(main())
