#!/usr/bin/env python3
"""Write src/tokenizer/html_entities.h: the HTML entities that open_clip's clean-up decodes.

    python3 tools/parity/entities_table.py > src/tokenizer/html_entities.h

Two users with different rules: html.unescape knows all names of HTML5, ftfy those that end
in a semicolon and, of the all-lower-case ones, an upper-case form too.
"""
import html
import html.entities

FTFY, HTML = 1, 2


def entries():
    table = {}
    for name, text in html.entities.html5.items():
        table[name] = (text, HTML | (FTFY if name.endswith(";") else 0))
        upper = "&" + name.upper()
        if name.endswith(";") and name == name.lower() and html.unescape(upper) == upper:
            table[name.upper()] = (text.upper(), FTFY)
    return sorted(table.items(), key=lambda item: item[0].encode())


def literal(text):
    return '"' + "".join(f"\\{b:03o}" for b in text.encode()) + '"'


def main():
    print("""/* html_entities.h - HTML entities, for ftfy.c alone.
 *
 * Made by tools/parity/entities_table.py from Python's html.entities; do not edit. Sorted
 * by name in bytes.
 */
#ifndef SCRY_TOKENIZER_ENTITIES_H
#define SCRY_TOKENIZER_ENTITIES_H

enum { ENTITY_FTFY = 1, ENTITY_HTML = 2 };   /* who decodes it */

typedef struct html_entity {
    const char *name;   /* behind the ampersand, with its semicolon where it needs one */
    char text[9];       /* UTF-8 */
    unsigned char users;
} html_entity;

static const html_entity html_entities[] = {""")
    line = "   "
    for name, (text, users) in entries():
        cell = f' {{ "{name}", {literal(text)}, {users} }},'
        if len(line) + len(cell) > 160:
            print(line)
            line = "   "
        line += cell
    print(line)
    print("};\n\n#endif")


if __name__ == "__main__":
    main()
