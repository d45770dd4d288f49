#include "cli/wrap.h"

#include "base/utf8.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

enum { LEAST_WIDTH = 40 };

size_t cli_line_width(FILE *out)
{
    struct winsize w;
    if (!isatty(fileno(out)) || ioctl(fileno(out), TIOCGWINSZ, &w) != 0 || w.ws_col == 0)
        return SIZE_MAX;
    return w.ws_col < LEAST_WIDTH ? LEAST_WIDTH : w.ws_col;
}

/* Write the words of text[0..n) that begin at column `at`; returns the column behind them. Each character that --help has is one
 * column wide. */
static size_t put_words(FILE *out, const char *text, size_t n, size_t at, size_t indent, size_t width)
{
    bool first = at <= indent;
    for (size_t i = 0; i < n;) {
        size_t length = 0;
        while (i + length < n && text[i + length] != ' ' && text[i + length] != '\n')
            length++;
        size_t columns = scry_utf8_count(text + i, length);
        if (columns && !first && columns < width && at + 1 > width - columns) {
            fprintf(out, "\n%*s", (int)indent, "");
            at = indent;
            first = true;
        }
        if (columns) {
            fprintf(out, "%s%.*s", first ? "" : " ", (int)length, text + i);
            at += columns + !first;
            first = false;
        }
        i += length + 1;
    }
    return at;
}

void cli_put_wrapped(FILE *out, const char *text, size_t at, size_t indent, size_t width)
{
    put_words(out, text, strlen(text), at, indent, width);
    putc('\n', out);
}

static bool fits(const char *text, size_t width)
{
    for (size_t n; *text; text += n + (text[n] == '\n')) {
        n = strcspn(text, "\n");
        if (scry_utf8_count(text, n) > width)
            return false;
    }
    return true;
}

void cli_put_paragraphs(FILE *out, const char *text, size_t width)
{
    if (fits(text, width)) {
        fputs(text, out);
        return;
    }
    while (*text) {
        size_t n = strcspn(text, "\n");
        if (*text == '\n' || *text == ' ') {
            fprintf(out, "%.*s\n", (int)n, text);
        } else {   /* up to a line that is empty or begins with a space */
            while (text[n] == '\n' && text[n + 1] && text[n + 1] != '\n' && text[n + 1] != ' ')
                n += 1 + strcspn(text + n + 1, "\n");
            put_words(out, text, n, 0, 0, width);
            putc('\n', out);
        }
        text += n + (text[n] == '\n');
    }
}
