#!/usr/bin/env python3
"""Write tests/golden/unicode/: what an independent implementation of Unicode 15.0 says of every code point.

properties.sha256: for each 4,096 code points the digest of these lines, one a code point, UTF-8:
    hexadecimal code point, category, combining class, lower case, NFC, NFD, NFKC, NFKD (each as hexadecimal code points joined by +)
breaks.txt: the cases of Unicode's GraphemeBreakTest.txt, without comments: code points, | where a cluster ends.

    pip install unicodedata2==15.0.0; apt-get install unicode-data    # Debian 12 has 15.0.0
    python3 tests/golden/make_unicode.py /usr/share/unicode
"""
import hashlib
import os
import sys

import unicodedata2

PAGE = 4096
HERE = os.path.dirname(os.path.abspath(__file__))


def lower_cases(folder):
    """Simple lower case, which unicodedata2 does not have."""
    for line in open(f"{folder}/UnicodeData.txt", encoding="utf-8"):
        f = line.split(";")
        if f[13]:
            yield int(f[0], 16), int(f[13], 16)


def joined(text):
    return "+".join(f"{ord(c):X}" for c in text)


def main(folder):
    assert unicodedata2.unidata_version == "15.0.0"
    lower = dict(lower_cases(folder))
    with open(f"{HERE}/unicode/properties.sha256", "w", encoding="ascii") as f:
        for first in range(0, 0x110000, PAGE):
            digest = hashlib.sha256()
            for c in range(first, first + PAGE):
                forms = [chr(c)] * 4 if 0xD800 <= c < 0xE000 else [
                    unicodedata2.normalize(form, chr(c)) for form in ("NFC", "NFD", "NFKC", "NFKD")]
                digest.update((f"{c:X} {unicodedata2.category(chr(c))} {unicodedata2.combining(chr(c))} {lower.get(c, c):X} "
                               + " ".join(map(joined, forms)) + "\n").encode())
            f.write(f"{digest.hexdigest()}  {first:06X}\n")
    with open(f"{HERE}/unicode/breaks.txt", "w", encoding="ascii") as f:
        for line in open(f"{folder}/auxiliary/GraphemeBreakTest.txt", encoding="utf-8"):
            case = line.split("#")[0].strip()
            if case and "D800" not in case:   # no scalar value
                f.write(" ".join(case.strip("÷ ").replace("÷", "|").replace("×", "").split()) + "\n")


if __name__ == "__main__":
    main(sys.argv[1])
