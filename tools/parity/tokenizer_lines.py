#!/usr/bin/env python3
"""Write test lines for tokenizers: every script of Unicode's CLDR, and what breaks tokenizers.

    python3 tools/parity/tokenizer_lines.py [--cldr DIR] [--n 24000] > lines.txt

DIR is the `common` folder of Debian's unicode-cldr-core (default
/usr/share/unicode/cldr/common). The same arguments give the same lines. A line is UTF-8
with backslash, newline, carriage return and NUL written as \\\\, \\n, \\r and \\0: read_lines()
undoes that, as tests/tools/tok_dump.c does. Invalid UTF-8 is not among them: no reference
defines it.
"""
import argparse
import glob
import os
import random
import re
import sys
import unicodedata
import xml.etree.ElementTree as ET

ESCAPES = {"\\": "\\\\", "\n": "\\n", "\r": "\\r", "\0": "\\0"}
TEMPLATES = ["a photo of a {}", "{}", "{} and {}", "The {}'s {}!", "2 {}s, 1 {}", "{}: {} ({})"]


def escape(text):
    return "".join(ESCAPES.get(c, c) for c in text)


def unescape(line):
    return re.sub(r"\\(.)", lambda m: {"n": "\n", "r": "\r", "0": "\0"}.get(m[1], m[1]), line)


def read_lines(path):
    with open(path, encoding="utf-8", newline="\n") as f:
        return [unescape(line[:-1]) for line in f]


def annotations(cldr):
    """{locale: words}: the names of emoji and symbols, in every language that has them."""
    out = {}
    for path in sorted(glob.glob(os.path.join(cldr, "annotations", "*.xml"))):
        words = []
        for node in ET.parse(path).getroot().iter("annotation"):
            if node.text and node.text != "↑↑↑":
                words.append(node.get("cp") + " " + node.text if node.get("type") else node.text)
        if words:
            out[os.path.basename(path)[:-4]] = words
    return out


def names(cldr):
    """{locale: words}: names of languages, scripts, months, units, and sample letters."""
    out = {}
    for path in sorted(glob.glob(os.path.join(cldr, "main", "*.xml"))):
        root, words = ET.parse(path).getroot(), []
        for tag in ("exemplarCharacters", "language", "script", "territory", "month", "day", "unitPattern",
                    "displayName", "pattern", "ellipsis", "moreInformation"):
            words += [n.text for n in root.iter(tag) if n.text and n.text != "↑↑↑"][:40]
        if words:
            out[os.path.basename(path)[:-4]] = words
    return out


def script_of(c):
    return unicodedata.name(chr(c), "UNASSIGNED").split(" ")[0]


def script_lines(rng, n):
    """Runs of neighbouring code points of all assigned blocks, mixed with ASCII."""
    blocks = [b for b in range(0, 0x110000, 64)
              if not 0xD800 <= b < 0xE000 and (b < 0x32000 or 0xE0000 <= b < 0xE0200 or b == 0xF0000)]
    out = []
    for i in range(n):
        block = blocks[i % len(blocks)]
        word = "".join(chr(block + rng.randrange(64)) for _ in range(rng.randrange(1, 12)))
        out.append(rng.choice(["{}", "a {} b", "{}1{}", "x{}", "{} {}", "{}'s"]).replace("{}", word))
    return out


MARKS = [c for c in range(0x300, 0x20000) if unicodedata.combining(chr(c))]


def mark_lines(rng, n):
    bases = "aeiouAEIOUncsyzÅéΑαιωЕеגךאابय가각각"
    out = []
    for _ in range(n):
        text = ""
        for _ in range(rng.randrange(1, 8)):
            text += rng.choice(bases) + "".join(chr(rng.choice(MARKS)) for _ in range(rng.randrange(0, 5)))
            text += rng.choice(["", "", " "])
        out.append(unicodedata.normalize(rng.choice(["NFC", "NFD", "NFKD", "NFC"]), text) if rng.random() < .5
                   else text)
    return out


def emoji_lines(rng, n):
    base = [0x1F600, 0x1F468, 0x1F469, 0x1F467, 0x1F44D, 0x2764, 0x1F3F3, 0x1F1E6, 0x1F1FA, 0x1F9D1, 0x23, 0x2A, 0x31]
    glue = ["", "\u200d", "\ufe0f", "\ufe0e", "\u20e3", "\U0001F3FB", "\U0001F3FF", " ", "\u200d\u2642\ufe0f"]
    out = []
    for _ in range(n):
        text = "".join(chr(rng.choice(base) if rng.random() < .6 else rng.randrange(0x1F300, 0x1FB00))
                       + rng.choice(glue) for _ in range(rng.randrange(1, 9)))
        if rng.random() < .2:
            text += "\U0001F3F4" + "".join(chr(0xE0000 + ord(c)) for c in "gbeng") + "\U000E007F"
        out.append(rng.choice(["{}", "so {} happy", "{}!"]).format(text))
    return out


def control_lines(rng, n):
    pool = ([chr(c) for c in range(0x20)] + [chr(c) for c in range(0x7F, 0xA1)]
            + list("\u00ad\u061c\u180e\u200b\u200c\u200d\u200e\u200f\u2028\u2029\u202a\u202e\u2060\u206a\u206f\ufeff")
            + list("\ufff9\ufffb\ufffc\ufffd\u2000\u2003\u2009\u202f\u205f\u3000\u1680\ue000\U000F0000\ufdd0\uffff")
            + ["\x1b[31m", "\x1b[0;1m", "\x1b[", "\r\n", "\n\n", "  ", "\t \t"])
    words = ["cat", "Dog", "naïve", "собака", "犬", "42", "!", "don't", "ΟΔΟΣ"]
    return ["".join(rng.choice(words) + rng.choice(["", " "]) + "".join(rng.choice(pool)
            for _ in range(rng.randrange(0, 3))) for _ in range(rng.randrange(1, 7))) for _ in range(n)]


def symbol_lines(rng, n):
    """Numbers, contractions, quotes, ligatures, widths, entities, case, special tokens."""
    pool = (["'s", "'S", "’s", "'ſ", "'re", "'VE", "'ll", "'d", "'", "\"", "“quoted”", "‘x’", "„low“", "ʼn", "ŉ"]
            + ["ﬁsh", "ﬂat", "oﬃce", "Ǆ", "ǆ", "ĳs", "ﬅ", "ＬＯＵＤ", "ｶﾞｷﾞ", "ﾊﾝ", "￣", "＆ａｍｐ；", "！？", "ﾡﾢ"]
            + ["&amp;", "&lt;b&gt;", "&amp;amp;", "&eacute;", "&EACUTE;", "&#233;", "&#xE9;", "&#x1F600;", "&nbsp;"]
            + ["&copy", "&notit;", "&NotEqualTilde;", "&#0;", "&#128;", "&#55296;", "&#59;", "&#12abc;", "&;", "&#;"]
            + ["&hellip", "&AMP", "&amp", "&szlig;", "&SZLIG;", "&#1114112;", "&#xfffe;", "&#13;", "&zzz;", "&acE;"]
            + ["<b>", "<", "a<b", "<|startoftext|>", "<|endoftext|>", "<|STARTOFTEXT|>", "<|EndOfText|>!!", "<s>"]
            + ["<start_of_text>", "<END_OF_TEXT>", "<ſtart_of_text>", "</s>", "<mask>", "[CLS]", "[SEP]", "<pad>", "[unused1]"]
            + ["3.14", "1,000", "½", "²", "Ⅷ", "①", "٣٤", "१२", "1st", "2022-11-22", "10³", "x²", "№5", "℃", "Å", "Ω"]
            + ["İstanbul", "ISTANBUL", "ıI", "ΣΑΣ", "ΟΔΟΣ.", "Σ", "ΑΣ'Β", "ẞ", "STRASSE", "ǈ", "Ǳ", "ᾈ", "Ⓐ", "K", "ſ"]
            + ["café", "cafe\u0301", "naïve", "Ångström", "Tiếng Việt", "e\u0323\u0302", "ﷺ", "가", "각", "パ", "ハ\u309a"]
            + ["...", "!!!", "?!", "--", "—", "…", "/", "\\", "_", "#tag", "@me", "a.b.c", "http://x.y/z?q=1&r=2", "C++"]
            + ["$5", "€5", "%", "^", "~", "`code`", "{x}", "[y]", "|", "©", "®", "™", "°", "·", "•", "→", "★", "☃️"]
            + ["dog", "DOGS", "Supercalifragilistic", "jeep", "photo", "of", "the", "ƞ", "ʰ", "人", "日本語", "中文字", "한국어"])
    return [rng.choice(["", " "]).join(rng.choice(pool) for _ in range(rng.randrange(1, 9))) for _ in range(n)]


def long_lines(rng, words, n):
    out = []
    for i in range(n):
        kind = i % 6
        size = rng.randrange(100, 4000)
        if kind == 0:
            text = " ".join(rng.choice(words) for _ in range(size // 5))
        elif kind == 1:
            text = "".join(rng.choice("abcdefghijklmnopqrstuvwxyz") for _ in range(size))
        elif kind == 2:
            text = rng.choice(["a", "the", "ha", "аб", "日本", "😀", "!", "1", "é"]) * size
        elif kind == 3:
            text = "".join(chr(rng.randrange(0x4E00, 0x9FA5)) for _ in range(size))
        elif kind == 4:
            text = "a" + "".join(chr(rng.choice(MARKS)) for _ in range(size))
        else:
            text = (" " * size).join(rng.choice(words) for _ in range(5))
        out.append(text)
    return out


def make(cldr, n, seed=1):
    rng = random.Random(seed)
    words_of = annotations(cldr)
    for locale, words in names(cldr).items():
        words_of.setdefault(locale, []).extend(words)
    everything = [w for locale in sorted(words_of) for w in words_of[locale]]
    out = ["", " ", "\n", "\0", "a", "a photo of a cat", "Фото кошки", "猫の写真", "صورة قطة", "תמונה של חתול"]
    locales = sorted(words_of)
    for i in range(n * 40 // 100):      # every locale in turn
        words = words_of[locales[i % len(locales)]]
        template = TEMPLATES[rng.randrange(len(TEMPLATES))]
        out.append(re.sub(r"\{\}", lambda m: rng.choice(words), template))
    out += script_lines(rng, n * 18 // 100)
    out += mark_lines(rng, n * 7 // 100)
    out += emoji_lines(rng, n * 6 // 100)
    out += control_lines(rng, n * 7 // 100)
    out += symbol_lines(rng, n * 14 // 100)
    out += long_lines(rng, everything, n * 2 // 100)
    while len(out) < n:                 # mixed scripts
        out.append(rng.choice([" ", "", ", "]).join(rng.choice(everything) for _ in range(rng.randrange(2, 7))))
    return out


def every_character():
    """Each code point of the planes in use, in a word, doubled, before a digit, under marks."""
    unused = (range(0xD800, 0xE000), range(0x32000, 0xE0000), range(0xE0400, 0xF0000),
              range(0xF0100, 0x110000))
    runes = [c for c in range(0x110000) if not any(c in r for r in unused)]
    return [" ".join(f"a{chr(c)}b{chr(c)}{chr(c)}1 Q{chr(c)}\u0323\u0301" for c in runes[i:i + 12])
            for i in range(0, len(runes), 12)]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--cldr", default="/usr/share/unicode/cldr/common")
    parser.add_argument("--n", type=int, default=24000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--every-character", action="store_true", help="other lines: all code points")
    args = parser.parse_args()
    for text in every_character() if args.every_character else make(args.cldr, args.n, args.seed):
        sys.stdout.buffer.write(escape(text).encode() + b"\n")


if __name__ == "__main__":
    main()
