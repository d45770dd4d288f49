#!/usr/bin/env python3
"""layout.py [--write]: what programs are compiled against stays. Compares include/scry/*.h with mk/libscry0.layout.

The file lists the members of each public structure with their types, in order, the number of each constant, and each function with its
parameters, as they were when they were published. A structure may only grow, at its end; constants keep their numbers,
functions and types of callbacks their parameters. What is new is added to the file with --write, which refuses everything else.
`make lint` runs it. Needs no compiler.
"""
import os
import re
import sys

TOP = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
LIST = os.path.join(TOP, "mk/libscry0.layout")
# Constants that count those before them, or that are a union of them: they grow.
COUNTS = ("SCRY_FILTER_KINDS", "SCRY_FIELDS_ALL", "SCRY_TAKEN_COUNT")
HEAD = """# What programs are compiled against, from include/scry/*.h: tools/layout.py compares it and adds what is new. docs/upgrades.md has the rules.
"""


def headers():
    """The text of all public headers, without comments, conditions for C++ and attributes."""
    folder = os.path.join(TOP, "include/scry")
    text = "".join(open(os.path.join(folder, n), encoding="utf-8").read() for n in sorted(os.listdir(folder)))
    text = re.sub(r"/\*.*?\*/", " ", text, flags=re.S)
    text = re.sub(r"^#ifdef __cplusplus.*?^#(else|endif).*?$", " ", text, flags=re.S | re.M)
    text = re.sub(r"^\s*#(.*\\\n)*.*$", " ", text, flags=re.M)
    return re.sub(r"\bSCRY_(NODISCARD|PRINTF\([^)]*\))", "", text)


def plain(text):
    """One spelling of a declaration."""
    text = re.sub(r"\s+", " ", text).strip()
    return re.sub(r"\s*([*(),\[\]])\s*", r"\1", text)


def members(body):
    """Each member of a structure as "type name": `int a, b;` are two."""
    for declaration in filter(None, map(plain, body.split(";"))):
        if "(*" in declaration:
            yield declaration
            continue
        first, *others = declaration.split(",")
        kind, name = re.fullmatch(r"(.*[ *])(\*?\w+(?:\[.*\])?)", first).groups()
        yield kind + name
        yield from (kind.rstrip("*") + other for other in others)


def constants(body):
    """Each constant of an enum with its number, as far as it is a number or plain arithmetic."""
    known, value = {}, -1
    for item in filter(None, map(plain, body.split(","))):
        name, _, given = item.partition("=")
        value = eval(given, {"__builtins__": {}}, known) if given else value + 1   # pylint: disable=eval-used
        known[name.strip()] = value
    return known


def current():
    """The lines of the file, as the headers have it: "struct NAME" -> members, "NAME" -> number, "NAME(" -> prototype."""
    text = headers()
    found = {"struct": {}, "constant": {}, "function": {}}
    for name, body in re.findall(r"struct (scry_\w+) \{(.*?)\n\}", text, re.S):
        found["struct"][name] = list(members(body))
    for body in re.findall(r"\benum \{(.*?)\}", text, re.S):
        found["constant"].update(constants(body))
    rest = re.sub(r"(struct|enum)( \w+)? \{.*?\}", " ", text, flags=re.S)
    for declaration in rest.split(";"):
        made = re.search(r"([A-Za-z_][\w ]*[ *]+)(scry_\w+)\((.*)\)\s*$", declaration, re.S)
        if made and "typedef" not in declaration:
            found["function"][made.group(2)] = plain(f"{made.group(1)}{made.group(2)}({made.group(3)})").replace('extern "C"{', "")
    return found


def published():
    found = {"struct": {}, "constant": {}, "function": {}}
    if os.path.exists(LIST):
        for line in open(LIST, encoding="utf-8"):
            kind, _, rest = line.rstrip("\n").partition(" ")
            name, _, what = rest.partition(" ")
            if kind == "struct":
                found[kind][name] = what.split("; ") if what else []
            elif kind == "constant":
                found[kind][name] = int(what)
            elif kind == "function":
                found[kind][name] = what
    return found


def types(prototype):
    """A prototype without the names of its parameters, which may change."""
    return re.sub(r"\w+(?=[,)\[])", "", prototype)


def compare(then, now):
    """(what is wrong, what is only new), each a list of sentences."""
    wrong, new = [], []
    for name, was in then["struct"].items():
        has = now["struct"].get(name)
        if has is None:
            wrong.append(f"struct {name} is gone")
        elif has[:len(was)] != was:
            i = next(i for i in range(len(was)) if i >= len(has) or has[i] != was[i])
            wrong.append(f"struct {name}: member {i} was \"{was[i]}\", is \"{has[i] if i < len(has) else 'gone'}\": members are added at the end")
        elif len(has) > len(was):
            new.append(f"struct {name}: {'; '.join(has[len(was):])}")
    for name, was in then["constant"].items():
        has = now["constant"].get(name)
        if has != was and not (name in COUNTS and has is not None and has > was):
            wrong.append(f"constant {name} was {was}, is {'gone' if has is None else has}")
    for name, was in then["function"].items():
        has = now["function"].get(name, "gone")
        if types(has) != types(was):
            wrong.append(f"function {name} was \"{was}\", is \"{has}\"")
    for kind, entries in now.items():
        new += [f"{kind} {name}" for name in entries if name not in then[kind]]
    return wrong, new


def write(now):
    with open(LIST, "w", encoding="utf-8") as out:
        out.write(HEAD)
        for name, has in sorted(now["struct"].items()):
            out.write(f"struct {name} {'; '.join(has)}\n")
        for kind in ("constant", "function"):
            out.writelines(f"{kind} {name} {what}\n" for name, what in sorted(now[kind].items()))


def main():
    now = current()
    wrong, new = compare(published(), now)
    for sentence in wrong:
        print(f"mk/libscry0.layout: {sentence}")
    if "--write" in sys.argv[1:]:
        if not wrong:
            write(now)
    elif new:
        print("mk/libscry0.layout: new in the headers, add it with `tools/layout.py --write`, and to NEWS where a structure grows: "
              + ", ".join(new))
    return 1 if wrong or (new and "--write" not in sys.argv[1:]) else 0


if __name__ == "__main__":
    sys.exit(main())
