#!/usr/bin/env python3
"""Write src/base/utf8_tables.h: where the tokenizers' references know another edition of
Unicode than unicode_data.h has, 15.0.

Every code point is put to both references (Hugging Face's `tokenizers`; Python's str,
unicodedata and the `regex` package) and to unicodedata2, which implements 15.0; the differences
become ranges. Run with the packages of tools/parity/README.md, and with Unicode's own files:

    python3 tools/parity/unicode_tables.py /usr/share/unicode > src/base/utf8_tables.h
"""
import sys
import unicodedata

import regex
import unicodedata2
from tokenizers import Regex, normalizers, pre_tokenizers

assert unicodedata2.unidata_version == "15.0.0"
RUNES = [c for c in range(1, 0x110000) if not 0xD800 <= c < 0xE000]


def category(c):
    return unicodedata2.category(chr(c))


def ranges(runes):
    out = []
    for c in runes:
        if out and out[-1][1] == c - 1:
            out[-1][1] = c
        else:
            out.append([c, c])
    return out


def emit(name, comment, runes):
    print(f"\n/* {comment} */\nstatic const scry_rune_range {name}[] = {{")
    cells = [f"{{ 0x{a:X}, 0x{b:X} }}," for a, b in ranges(runes)]
    for i in range(0, len(cells), 4):
        print("    " + " ".join(cells[i:i + 4]))
    print("};")


def rust_class():
    split = pre_tokenizers.Split(Regex(r"[\p{L}]+|[\p{N}]|[^\s\p{L}\p{N}]+"), "removed", invert=True)

    def classify(c):
        pieces = len(split.pre_tokenize_str("a" + chr(c) * 2 + "a"))
        return {1: "L", 4: "N", 3: "O", 2: "S"}[pieces]
    return classify


def python_class(c):
    for name, pattern in (("L", r"\p{L}"), ("N", r"\p{N}"), ("S", r"\s")):
        if regex.match(pattern, chr(c)):
            return name
    return "O"


def starters(nfc):
    """Marks of 15.0 that this reference does not reorder yet."""
    def ours(text):
        return unicodedata2.normalize("NFC", text)

    def probe(f, c):   # beside marks of a low and of a high class; q composes with nothing
        return f("q" + chr(c) + "\u0334"), f("q\u0345" + chr(c))
    return [c for c in RUNES if probe(nfc, c) != probe(ours, c)]


def cased():
    """Python's Cased, less what the category says: the sigma behind such a letter is final."""
    found = [c for c in RUNES if (chr(c) + "\u03a3").lower().endswith("\u03c2")]
    return [c for c in found if category(c) not in ("Lu", "Ll", "Lt", "Lm", "Mn", "Me", "Cf", "Sk")]


def word_middles():
    """Python's Case_Ignorable, less what the category says."""
    found = [c for c in RUNES if ("a" + chr(c) + "\u03a3").lower().endswith("\u03c2")
             and not (chr(c) + "\u03a3").lower().endswith("\u03c2")]
    return [c for c in found if category(c) not in ("Lm", "Mn", "Me", "Cf", "Sk")]


def compat_later():
    """What 15.0 decomposes under NFKC and tokenizers does not."""
    theirs = normalizers.NFKC().normalize_str
    return [c for c in RUNES if theirs(chr(c)) != unicodedata2.normalize("NFKC", chr(c))]


def bert():
    """Sets of BertNormalizer and BertPreTokenizer, which know an old Unicode of their own."""
    clean = normalizers.BertNormalizer(clean_text=True, handle_chinese_chars=False, strip_accents=False,
                                       lowercase=False).normalize_str
    strip = normalizers.BertNormalizer(clean_text=False, handle_chinese_chars=False, strip_accents=True,
                                       lowercase=False).normalize_str
    split = pre_tokenizers.BertPreTokenizer().pre_tokenize_str
    dropped = {c for c in RUNES if clean(chr(c)) == ""} - {0xFFFD}
    marks = {c for c in RUNES if strip("q" + chr(c)) == "q"}
    points = {c for c in RUNES if len(split("a" + chr(c) + "a")) == 3}
    return dropped, marks, points


def simple_lower(folder):
    """{code point: simple lower case} of UnicodeData.txt, which unicodedata2 does not have."""
    rows = [line.split(";") for line in open(f"{folder}/UnicodeData.txt", encoding="utf-8")]
    return {int(f[0], 16): int(f[13], 16) for f in rows if f[13]}


def lower_shifts(known):
    lower = normalizers.Lowercase().normalize_str
    out = []
    for c in RUNES:
        new = lower(chr(c))
        if c != 0x130 and len(new) == 1 and ord(new) != known.get(c, c):
            add = ord(new) - c
            if out and out[-1][1] == c - 1 and out[-1][2] == add:
                out[-1][1] = c
            else:
                out.append([c, c, add])
    return out


def main(folder):
    print("""/* utf8_tables.h - code points on which the tokenizers' references and Unicode 15.0 (unicode_data.h) differ.
 *
 * Made by tools/parity/unicode_tables.py; do not edit. Sorted, for bsearch. Included by
 * utf8.c alone.
 */
#ifndef SCRY_BASE_UTF8_TABLES_H
#define SCRY_BASE_UTF8_TABLES_H

#include <stdint.h>

typedef struct scry_rune_range {
    uint32_t first, last;
} scry_rune_range;

typedef struct scry_rune_shift {
    scry_rune_range range;
    int32_t add;
} scry_rune_shift;""")
    classify = rust_class()
    for name, kind, who in (("letters", "L", "\\p{L}"), ("numbers", "N", "\\p{N}")):
        emit("rust_" + name, f"{who} for tokenizers, not assigned in 15.0.",
             [c for c in RUNES if category(c) == "Cn" and classify(c) == kind])
        emit("python_" + name, f"{who} for Python's regex, not assigned in 15.0.",
             [c for c in RUNES if category(c) == "Cn" and python_class(c) == kind])
    emit("rust_starters", "Marks that tokenizers does not reorder.", starters(normalizers.NFC().normalize_str))
    emit("python_starters", "Marks that unicodedata does not reorder.",
         starters(lambda s: unicodedata.normalize("NFC", s)))
    emit("other_cased", "Cased for str.lower though no letter by category.", cased())
    emit("word_middles", "Ignored by str.lower between a letter and a sigma.", word_middles())
    emit("rust_no_compat", "Not decomposed by tokenizers under NFKC and NFKD.", compat_later())
    dropped, marks, points = bert()
    emit("bert_not_control", "Cc, Cf and Co that BertNormalizer keeps.",
         [c for c in RUNES if category(c) in ("Cc", "Cf", "Co") and c not in dropped and c not in (9, 10, 13)])
    emit("bert_not_mark", "Mn that BertNormalizer does not strip.",
         [c for c in RUNES if category(c) == "Mn" and c not in marks])
    emit("bert_mark", "Others that it does.", [c for c in RUNES if category(c) != "Mn" and c in marks])
    emit("bert_not_punctuation", "P* that BertPreTokenizer does not split off.",
         [c for c in RUNES if category(c)[0] == "P" and c not in points])
    emit("bert_punctuation", "Others that it does.",
         [c for c in RUNES if category(c)[0] != "P" and c in points])
    print("\n/* Lower case in tokenizers where 15.0 has none. */")
    print("static const scry_rune_shift rust_lower[] = {")
    for a, b, add in lower_shifts(simple_lower(folder)):
        print(f"    {{ {{ 0x{a:X}, 0x{b:X} }}, {add} }},")
    print("};\n\n#endif")


if __name__ == "__main__":
    main(sys.argv[1])
