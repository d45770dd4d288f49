/* wrap.h - texts of --help in lines that fit the terminal. */
#ifndef SCRY_CLI_WRAP_H
#define SCRY_CLI_WRAP_H

#include <stddef.h>
#include <stdio.h>

/* How many columns a line written to `out` may have; SIZE_MAX where that is no terminal: each text stays one line, for grep. */
size_t cli_line_width(FILE *out);

/* Write `text` and a line end to a line that has `at` columns, with a space before it if these are more than `indent`: broken at
 * spaces before `width`, further lines indented to column `indent`. A word that is longer than a line has one of its own. */
void cli_put_wrapped(FILE *out, const char *text, size_t at, size_t indent, size_t width);

/* Write lines of paragraphs and examples: those that begin with a space stay as they are, the others are joined to paragraphs
 * and broken anew, if any of them is wider than `width`. */
void cli_put_paragraphs(FILE *out, const char *text, size_t width);

#endif
