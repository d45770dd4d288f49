#!/usr/bin/env python3
"""What the compiler does not check: layers, names, limits, forbidden functions.

    tools/lint.py [BUILD]

Prints `file:line: what` and ends with status 1 when something is wrong. With BUILD (a build
folder), the archives in it are looked through for global names that two objects define. What each
folder may include is in ARCHITECTURE.md. Functions over the limits are listed, and counted against
ALLOWED_COMPLEX.
"""
import os
import re
import shutil
import subprocess
import sys

TOP = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))

# Foreign headers by the names that ARCHITECTURE.md gives their libraries.
LIBRARIES = {
    "jansson.h": "jansson", "utf8proc.h": "utf8proc", "openssl/": "OpenSSL", "jpeglib.h": "libjpeg-turbo", "vips/": "libvips",
    "gmodule.h": "GLib", "jxl/": "libjxl", "libraw/": "LibRaw", "seccomp.h": "libseccomp", "sqlite3.h": "SQLite",
    "curl/": "libcurl", "nghttp2/": "nghttp2", "protobuf-c/": "protobuf-c", "microhttpd.h": "libmicrohttpd", "chafa.h": "chafa",
}
BANNED = {
    "gets": "fgets", "strcpy": "memcpy or snprintf", "strcat": "scry_buf_*", "sprintf": "snprintf",
    "vsprintf": "vsnprintf", "strtok": "strcspn", "system": "posix_spawn", "popen": "posix_spawn",
    "tmpnam": "mkstemp", "mktemp": "mkstemp", "alloca": "scry_alloc", "rand": "getrandom",
    "localtime": "localtime_r", "gmtime": "gmtime_r", "ctime": "strftime", "asctime": "strftime",
    "readdir_r": "readdir",
}
BANNED_CALL = re.compile(r"(?<![\w.>])(" + "|".join(BANNED) + r")\s*\(")
INCLUDE = re.compile(r'^\s*#\s*include\s+([<"])([^>"]+)[>"]')
LINE, FILE, FUNCTION, COMPLEXITY = 132, 600, 60, 15
ALLOWED_COMPLEX = 18            # parsers and tables of options; the number may only fall
GENERATED = {"src/model/tok_entities.h"}

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
            m = re.match(r"\| `src/(\w+)/` \|[^|]*\|([^|]*)\|([^|]*)\|$", line)
            if m:
                names = [re.sub(r" *\([^)]*\)", "", x).strip() for x in m.group(3).split(",")]
                layers[m.group(1)] = {x.strip() for x in m.group(2).split(",")} - {""}
                users[m.group(1)] = set(names) - {""}
    return layers, users


LAYERS, USES = read_layers()
used = {layer: set() for layer in LAYERS}   # libraries whose headers were met


def check_table():
    """The table names what there is; after all sources were checked."""
    for folder in sorted(set(os.listdir("src")) ^ set(LAYERS)):
        wrong("ARCHITECTURE.md", 0, f"src/{folder}/ is in the tree or in the table, not in both")
    for layer in LAYERS:
        for name in sorted(LAYERS[layer] - set(LAYERS)):
            wrong("ARCHITECTURE.md", 0, f"{layer} stands on {name}, which is no folder of src/")
        for name in sorted(USES[layer] - used[layer]):
            wrong("ARCHITECTURE.md", 0, f"no file of {layer} includes a header of {name}")


def check_include(path, number, layer, kind, name):
    if kind == '"':
        folder = name.split("/")[0]
        if folder in LAYERS and folder != layer and folder not in LAYERS.get(layer, set()):
            wrong(path, number, f"{layer} does not stand on {folder}: {name}")
        elif folder not in LAYERS and folder not in ("scry", "milvus.pb-c.h") and "/" in name:
            wrong(path, number, f"no such layer: {name}")
        return
    for header, library in LIBRARIES.items():
        if name == header or not header.endswith(".h") and name.startswith(header):
            used.setdefault(layer, set()).add(library)
            if library not in USES.get(layer, set()):
                wrong(path, number, f"{layer} does not use {library}, as ARCHITECTURE.md has it: <{name}>")


def check_source(path):
    layer = path.split("/")[1] if path.startswith("src/") else None
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
        if m and path.startswith(("src/", "include/")):
            wrong(path, number, f"{m.group(1)}: use {BANNED[m.group(1)]}")
    for m in re.finditer(r"\b(TODO|FIXME)\b|\bXXX\b(?!X)", text):
        wrong(path, text.count("\n", 0, m.start()) + 1, f"{m.group(0)}: do it or write an issue")


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


def main():
    os.chdir(TOP)
    files = subprocess.run(["git", "ls-files", "-co", "--exclude-standard"], capture_output=True, text=True, check=True).stdout
    files = [f for f in files.split("\n") if f and os.path.exists(f)]
    c = [f for f in files if f.endswith((".c", ".h")) and f.split("/")[0] in ("src", "include", "tests", "examples", "bench")]
    for path in c:
        check_source(path)
    check_table()
    check_headers([f for f in c if f.endswith(".h") and f.startswith(("src/", "include/"))])
    check_complexity([f for f in c if f.startswith("src/") and f.endswith(".c")])
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
