/* terminal.c - texts from outside (file names, metadata, models) printed to a terminal.
 *
 * None of their characters may act on the terminal or reorder the line: control characters of both sets, and the
 * invisible format characters of Unicode, among them the bidirectional controls. Outside a terminal bytes stay as
 * they are.
 */
#include "cli/cli.h"

#include "base/alloc.h"
#include "base/utf8.h"

#include <langinfo.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { MAX_TEXT_BYTES = 1 << 30 };

static bool is_terminal(FILE *to)
{
    return isatty(fileno(to)) == 1;
}

/* Whether `rune`, decoded from `s`, may be sent to a terminal. */
static bool is_safe(const char *s, uint32_t rune)
{
    enum { NON_JOINER = 0x200C, JOINER = 0x200D };   /* format characters that words and emoji need */
    if (rune < 0x7F)
        return rune >= 0x20;
    if (strcmp(nl_langinfo(CODESET), "UTF-8") != 0)
        return false;
    if (rune == SCRY_RUNE_REPLACEMENT)
        return memcmp(s, "\xEF\xBF\xBD", 3) == 0;   /* else an invalid byte */
    const char *category = scry_rune_category(rune);
    return rune == NON_JOINER || rune == JOINER ||
           !(strcmp(category, "Cc") == 0 || strcmp(category, "Cf") == 0 || strcmp(category, "Zl") == 0 || strcmp(category, "Zp") == 0);
}

/* The bytes of the next character of `s`, not empty. */
static size_t next(const char *s, bool *safe)
{
    uint32_t rune;
    size_t n = scry_utf8_next(s, strlen(s) < 4 ? strlen(s) : 4, &rune);
    *safe = is_safe(s, rune);
    return n;
}

static void append_printable(scry_buf *out, const char *text)
{
    bool safe;
    for (size_t n; *text; text += n) {
        n = next(text, &safe);
        if (safe)
            scry_buf_append(out, text, n);
        for (size_t i = 0; !safe && i < n; i++)
            scry_buf_printf(out, "\\x%02x", (unsigned char)text[i]);
    }
}

char *cli_printable(FILE *to, const char *text)
{
    if (!is_terminal(to))
        return scry_strdup(text);
    scry_buf b = SCRY_BUF_INIT(MAX_TEXT_BYTES);
    append_printable(&b, text);
    return scry_buf_take(&b);
}

void cli_print(const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    char *text = scry_vasprintf(fmt, ap), *rest = text;
    va_end(ap);
    while (*rest) {
        size_t n = strcspn(rest, "\n");
        bool more = rest[n] == '\n';
        rest[n] = '\0';
        char *line = cli_printable(stdout, rest);
        fputs(line, stdout);
        if (more)
            putchar('\n');
        free(line);
        rest += n + more;
    }
    free(text);
}

void cli_print_json(const scry_buf *json)
{
    const char *text = scry_buf_str(json);
    if (!is_terminal(stdout)) {
        puts(text);
        return;
    }
    for (size_t n, left = strlen(text); left; text += n, left -= n) {
        uint32_t rune;
        n = scry_utf8_next(text, left, &rune);
        if (is_safe(text, rune))
            fwrite(text, 1, n, stdout);
        else if (rune < 0x10000)
            printf("\\u%04x", rune);
        else
            printf("\\u%04x\\u%04x", 0xD7C0 + (rune >> 10), 0xDC00 + (rune & 0x3FF));
    }
    putchar('\n');
}

/* ---- file names as GNU ls quotes them for a shell ---- */

/* Whether a name needs quotes; *plain if double quotes serve, which GNU ls uses only for a name with an apostrophe. */
static bool needs_quotes(const char *name, bool *plain)
{
    bool quotes = !name[0], apostrophe = false, safe;
    *plain = true;
    for (const char *p = name; *p; p += next(p, &safe)) {
        next(p, &safe);
        bool brace = (*p == '{' || *p == '}') && !name[1], first = (*p == '#' || *p == '~') && p == name;
        apostrophe |= *p == '\'';
        quotes |= !safe || brace || first || strchr(" '!\"$&()*;<=>?[\\^`|", *p) != NULL;
        *plain &= safe && (first || brace || !strchr("!\"#$&()*;<=>?[\\^`{|}~", *p));
    }
    *plain &= apostrophe;
    return quotes;
}

/* A byte within $'...'. */
static void append_escape(scry_buf *out, unsigned char byte)
{
    static const char from[] = "\a\b\f\n\r\t\v", to[] = "abfnrtv";
    const char *named = byte ? strchr(from, byte) : NULL;
    if (named)
        scry_buf_printf(out, "\\%c", to[named - from]);
    else
        scry_buf_printf(out, "\\%03o", byte);
}

static void append_quoted(scry_buf *out, const char *name)
{
    bool escaping = false, safe;
    scry_buf_putc(out, '\'');
    for (size_t n; *name; name += n) {
        n = next(name, &safe);
        if (safe == escaping && *name != '\'')
            scry_buf_puts(out, safe ? "''" : "'$'");
        escaping = !safe;
        if (*name == '\'')
            scry_buf_puts(out, "'\\''");   /* leaves either kind of quotes */
        else if (safe)
            scry_buf_append(out, name, n);
        for (size_t i = 0; !safe && i < n; i++)
            append_escape(out, (unsigned char)name[i]);
    }
    scry_buf_putc(out, '\'');
}

char *cli_quoted(FILE *to, const char *name)
{
    bool plain;
    if (!is_terminal(to) || !needs_quotes(name, &plain))
        return scry_strdup(name);
    if (plain)
        return scry_asprintf("\"%s\"", name);
    scry_buf b = SCRY_BUF_INIT(MAX_TEXT_BYTES);
    append_quoted(&b, name);
    return scry_buf_take(&b);
}
