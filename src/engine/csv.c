#include "engine/csv.h"

#include "base/alloc.h"
#include "base/descriptor.h"
#include "base/utf8.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

enum { MAX_RECORD_BYTES = 1 << 20, MAX_FIELDS = 4096 };

/* The next character; outside of quotes all line ends are '\n': "\n", "\r\n", and the "\r" of old Macs. */
static int next_char(FILE *f, bool quoted)
{
    int c = getc(f);
    if (c != '\r' || quoted)
        return c;
    int after = getc(f);
    if (after != '\n')
        ungetc(after, f);
    return '\n';
}

/* Why a table that begins with line[0..n) and a zero byte cannot be read. */
static int refuse_zero(const char *line, size_t n, size_t number, const char *path, scry_error *err)
{
    if (scry_is_utf16(line, n))
        return scry_fail(err, SCRY_EINVALID, "%s is UTF-16: save it as CSV in UTF-8, or use iconv -f UTF-16 -t UTF-8", path);
    return scry_fail(err, SCRY_EINVALID, "%s: line %zu contains a zero byte: this is not a table in UTF-8", path, number);
}

/* Read one record into `*line` (quoted fields may hold line ends). Returns its length, 0 at the
 * end, or a negative code; *lines counts the line ends read. */
static ssize_t read_record(FILE *f, char **line, size_t *capacity, size_t *lines, scry_error *err, const char *path)
{
    size_t n = 0;
    bool quoted = false;
    for (int c; (c = next_char(f, quoted)) != EOF;) {
        if (n + 2 > *capacity) {
            *capacity = *capacity ? *capacity * 2 : 256;
            *line = scry_realloc(*line, *capacity);
        }
        if (n + 2 > MAX_RECORD_BYTES)
            return scry_fail(err, SCRY_ELIMIT, "%s: line %zu is longer than %d bytes", path, *lines + 1, MAX_RECORD_BYTES);
        if (c == '\0')
            return refuse_zero(*line, n, *lines + 1, path, err);
        (*line)[n++] = (char)c;
        quoted ^= c == '"';
        *lines += c == '\n';
        if (c == '\n' && !quoted)
            break;
    }
    if (ferror(f))
        return scry_fail_errno(err, errno, "cannot read %s", path);
    if (quoted)
        return scry_fail(err, SCRY_EINVALID, "%s: a quoted field before line %zu has no closing quote", path, *lines + 1);
    if (n)
        (*line)[n] = '\0';
    return (ssize_t)n;
}

/* Split a record in place. */
static size_t split(char *p, char separator, char **fields)
{
    size_t n = strlen(p), count = 0;
    if (n && p[n - 1] == '\n')
        p[n - 1] = '\0';
    for (;;) {
        char *out = p;
        fields[count++] = out;
        if (*p == '"') {
            for (p++; *p && (*p != '"' || p[1] == '"'); p++) {
                p += *p == '"';
                *out++ = *p;
            }
            p += *p == '"';
        }
        while (*p && *p != separator)
            *out++ = *p++;
        bool more = *p == separator && *p;
        p++;
        *out = '\0';
        if (!more || count == MAX_FIELDS)
            return count;
    }
}

/* A first line "sep=;", as spreadsheets write it, which is no row. */
static bool is_separator_line(const char *text)
{
    return strncmp(text, "sep=", 4) == 0 && text[4] && strchr("\n", text[5]);
}

static char separator_of(const char *text)
{
    if (is_separator_line(text))
        return text[4];
    return strchr(text, '\t') ? '\t' : strchr(text, ',') || !strchr(text, ';') ? ',' : ';';
}

int scry_csv_read_stream(FILE *f, const char *path, char separator, scry_csv_row *row, void *arg, scry_error *err)
{
    char *line = NULL, **fields = scry_alloc(MAX_FIELDS * sizeof *fields);
    size_t capacity = 0, lines = 0;
    int r = 0;
    while (r == 0) {
        size_t first = lines + 1;
        ssize_t n = read_record(f, &line, &capacity, &lines, err, path);
        if (n <= 0) {
            r = (int)n;
            break;
        }
        char *text = line + (first == 1 ? scry_utf8_mark_bytes(line, (size_t)n) : 0);
        if (!separator && (separator = separator_of(text)) && is_separator_line(text))
            continue;
        if (text[0] != '\n' && text[0] != '\0')
            r = row(arg, first, fields, split(text, separator, fields));
    }
    free(fields);
    free(line);
    return r;
}

int scry_csv_read(const char *path, char separator, scry_csv_row *row, void *arg, scry_error *err)
{
    bool standard_input = strcmp(path, "-") == 0;
    FILE *f = standard_input ? stdin : scry_open_input_stream(path);
    if (!f)
        return scry_fail_errno(err, errno, "cannot open %s", path);
    int r = scry_csv_read_stream(f, path, separator, row, arg, err);
    if (!standard_input)
        fclose(f);
    return r;
}

bool scry_is_csv(const char *path)
{
    const char *dot = strrchr(path, '.');
    struct stat st;
    return dot && (strcasecmp(dot, ".csv") == 0 || strcasecmp(dot, ".tsv") == 0)
           && !(stat(path, &st) == 0 && S_ISDIR(st.st_mode));
}
