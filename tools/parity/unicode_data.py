#!/usr/bin/env python3
"""Write src/base/unicode_data.h: the properties of Unicode 15.0 that utf8.c uses.

Token ids depend on them, so that they are fixed here and not by a library of the system. Another
version changes ids: tokenizers that use the tables must then count as other ones (docs/tokenizers.md).

    apt-get install unicode-data    # Debian 12 has 15.0.0
    python3 tools/parity/unicode_data.py /usr/share/unicode > src/base/unicode_data.h
"""
import sys

VERSION = "15.0.0"
CATEGORIES = "Cn Lu Ll Lt Lm Lo Mn Mc Me Nd Nl No Pc Pd Ps Pe Pi Pf Po Sm Sc Sk So Zs Zl Zp Cc Cf Cs Co".split()
BREAKS = ["Other", "CR", "LF", "Control", "Extend", "ZWJ", "Regional_Indicator", "Prepend", "SpacingMark", "L", "V", "T",
          "LV", "LVT", "Extended_Pictographic"]
SUPPLEMENT = 0x10000


def rows(path):
    """The fields of a file's lines, less comments."""
    for line in open(path, encoding="utf-8"):
        line = line.split("#")[0].strip()
        if line:
            yield [f.strip() for f in line.split(";")]


def span(text):
    first, _, last = text.partition("..")
    return int(first, 16), int(last or first, 16)


def characters(folder):
    """{code point: fields of UnicodeData.txt}, ranges spelled out."""
    out, first = {}, None
    for f in rows(f"{folder}/UnicodeData.txt"):
        c = int(f[0], 16)
        if f[1].endswith(", First>"):
            first = c
        elif f[1].endswith(", Last>"):
            for k in range(first, c + 1):
                out[k] = f
        else:
            out[c] = f
    return out


def runs(values):
    """[(first, value)] of the maximal runs of equal values over all code points, 0 where there is none."""
    out, last = [], None
    for c in range(0x110000):
        value = values.get(c, 0)
        if value != last:
            out.append((c, value))
            last = value
    return out


def emit(kind, name, comment, cells):
    print(f"\n/* {comment} */\nstatic const {kind} {name}[] = {{")
    line = "   "
    for cell in cells:
        if len(line) + len(cell) > 130:
            print(line)
            line = "   "
        line += f" {cell},"
    print(line + "\n};")


def packed(found):
    return [f"0x{c << 8 | value:X}" for c, value in found]


def utf16(runes):
    for c in runes:
        if c >= SUPPLEMENT:
            yield 0xD800 + (c - SUPPLEMENT >> 10)
            yield 0xDC00 + (c - SUPPLEMENT & 0x3FF)
        else:
            yield c


def decompositions(chars):
    """{code point: (compatible, parts)}: one step, as UnicodeData.txt has them."""
    out = {}
    for c, f in chars.items():
        if f[5]:
            words = f[5].split()
            compatible = words[0].startswith("<")
            out[c] = compatible, [int(w, 16) for w in words[compatible:]]
    return out


def emit_decompositions(steps):
    """Runs of code points with the same flag and number of units, and the units of all."""
    pool, found = [], []
    for c in sorted(steps):
        compatible, parts = steps[c]
        units = list(utf16(parts))
        if found and found[-1][1] == c - 1 and found[-1][2:4] == [len(units), compatible]:
            found[-1][1] = c
        else:
            found.append([c, c, len(units), compatible, len(pool)])
        pool += units
    emit("unicode_form", "decompositions", "Decompositions in one step: code points, units of each, <compatible>, place in the pool.",
         [f"{{ 0x{a:X}, 0x{b:X}, {n}, {int(k)}, {at} }}" for a, b, n, k, at in found])
    emit("uint16_t", "decomposed", "The pool: UTF-16.", [f"0x{u:X}" for u in pool])


def compositions(chars, steps, folder):
    excluded = {int(f[0], 16) for f in rows(f"{folder}/CompositionExclusions.txt")}
    for c, (compatible, parts) in steps.items():
        if compatible or len(parts) != 2 or c in excluded or int(chars[c][3]) or int(chars[parts[0]][3]):
            continue
        yield parts[0], parts[1], c


def lower(chars):
    """[first, last, step, add]: every step-th code point of a range."""
    out = []
    for c in sorted(chars):
        if not chars[c][13]:
            continue
        add = int(chars[c][13], 16) - c
        last = out[-1] if out else None
        if last and last[3] == add and (c - last[1] == last[2] or (last[0] == last[1] and c - last[1] <= 2)):
            last[2] = c - last[1]
            last[1] = c
        else:
            out.append([c, c, 1, add])
    return out


def breaks(folder):
    out = {}
    for f in rows(f"{folder}/emoji/emoji-data.txt"):
        if f[1] == "Extended_Pictographic":
            first, last = span(f[0])
            out.update({c: BREAKS.index(f[1]) for c in range(first, last + 1)})
    for f in rows(f"{folder}/auxiliary/GraphemeBreakProperty.txt"):
        first, last = span(f[0])
        if f[1] not in ("LV", "LVT"):   # which utf8.c computes
            out.update({c: BREAKS.index(f[1]) for c in range(first, last + 1)})
    return out


def main(folder):
    if VERSION not in open(f"{folder}/CompositionExclusions.txt", encoding="utf-8").readline():
        sys.exit(f"{folder} is not Unicode {VERSION}")
    chars = characters(folder)
    steps = decompositions(chars)
    print(f"""/* unicode_data.h - properties of Unicode {VERSION}: categories, combining classes, lower case, decompositions and compositions,
 * grapheme breaks.
 *
 * Made by tools/parity/unicode_data.py of the Unicode Character Database; do not edit. Sorted, for bsearch. Included by
 * unicode.c alone. Copyright of the data: 1991-2022 Unicode, Inc.; https://www.unicode.org/license.txt.
 */
#ifndef SCRY_BASE_UNICODE_DATA_H
#define SCRY_BASE_UNICODE_DATA_H

#include <stdint.h>

typedef struct {{
    uint32_t first, last;
    uint8_t units, compatible;
    uint16_t at;
}} unicode_form;

typedef struct {{
    uint32_t first, second, whole;
}} unicode_pair;

typedef struct {{
    uint32_t first, last;
    int32_t step, add;
}} unicode_shift;""")
    emit("uint32_t", "categories", "Code point << 8 | unicode_category, which lasts until the next one.",
         packed(runs({c: CATEGORIES.index(f[2]) for c, f in chars.items()})))
    emit("uint32_t", "combining_classes", "Code point << 8 | canonical combining class, likewise.",
         packed(runs({c: int(f[3]) for c, f in chars.items()})))
    emit("uint32_t", "grapheme_breaks", "Code point << 8 | unicode_break, likewise, less Hangul syllables.",
         packed(runs(breaks(folder))))
    emit("unicode_shift", "lower_shifts", "Simple lower case: each step-th code point from first to last, and what is added.",
         [f"{{ 0x{a:X}, 0x{b:X}, {s}, {d} }}" for a, b, s, d in lower(chars)])
    emit("unicode_pair", "compositions", "Two code points and their composition.",
         [f"{{ 0x{a:X}, 0x{b:X}, 0x{c:X} }}" for a, b, c in sorted(compositions(chars, steps, folder))])
    emit_decompositions(steps)
    print("\n#endif")


if __name__ == "__main__":
    main(sys.argv[1])
