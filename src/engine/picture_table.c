#include "engine/picture_table.h"

#include "base/alloc.h"
#include "base/descriptor.h"
#include "base/file.h"
#include "base/sha256.h"
#include "engine/csv.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

#define NO_COLUMN SIZE_MAX

/* ---- streams ---- */

static bool copy_stream(FILE *from, FILE *to)
{
    char block[1 << 14];
    size_t n;
    while ((n = fread(block, 1, sizeof block, from)) > 0)
        if (fwrite(block, 1, n, to) != n)
            return false;
    return !ferror(from) && fflush(to) == 0;
}

int scry_picture_table_open(FILE **out, const char *path, scry_error *err)
{
    struct stat st;
    FILE *f = scry_open_input_stream(path);
    if (!f)
        return scry_fail_errno(err, errno, "cannot open %s", path);
    if (fstat(fileno(f), &st) == 0 && S_ISREG(st.st_mode)) {
        *out = f;
        return 0;
    }
    FILE *copy = tmpfile();
    int r = copy && copy_stream(f, copy) ? 0 : scry_fail_errno(err, errno, "cannot copy %s to a temporary file", path);
    fclose(f);
    if (r < 0 && copy)
        fclose(copy);
    *out = copy;
    return r;
}

/* ---- rows ---- */

typedef struct {
    const char *path;
    char *folder;              /* of the table; its relative paths are relative to it */
    size_t id_at, path_at;     /* columns; NO_COLUMN: none */
    bool begun;                /* the first row was read */
    scry_picture_row_fn *each;
    void *arg;
    scry_error *err;
} reading;

const char *const scry_path_columns[] = { "file", "path", "filename", "file_name", "filepath", "image", "image_path", NULL };

static bool is_path(const char *name)
{
    size_t i = 0;
    while (scry_path_columns[i] && strcasecmp(name, scry_path_columns[i]) != 0)
        i++;
    return scry_path_columns[i] != NULL;
}

/* The column of the paths: "path", or another name for it; NO_COLUMN: this is no header. */
static size_t path_column(char **fields, size_t n)
{
    size_t other = NO_COLUMN;
    for (size_t i = 0; i < n; i++)
        if (strcasecmp(fields[i], "path") == 0)
            return i;
        else if (other == NO_COLUMN && is_path(fields[i]))
            other = i;
    return other;
}

static bool is_label(const char *name)
{
    return strncasecmp(name, "label", 5) == 0;
}

/* "X,path,...", or another name of the paths: X is the id and the others are labels, whatever their names, unless these say something else. */
static bool is_usual(char **fields, size_t n)
{
    bool usual = n >= 2 && path_column(fields, n) == 1 && !is_label(fields[0]);
    for (size_t i = 2; i < n; i++)
        usual &= strcasecmp(fields[i], "id") != 0;
    return usual;
}

/* Columns by name, in any order: path, id, and labels, whose names begin with "label". */
static int read_header(reading *t, char **fields, size_t n)
{
    bool usual = is_usual(fields, n);
    t->path_at = path_column(fields, n);
    t->id_at = NO_COLUMN;
    for (size_t i = 0; i < n; i++) {
        bool id = usual ? i == 0 : strcasecmp(fields[i], "id") == 0;
        if (i == t->path_at)
            continue;
        if (id && t->id_at == NO_COLUMN)
            t->id_at = i;
        else if (!usual && !is_label(fields[i]))
            return scry_fail(t->err, SCRY_EINVALID, "%s: the column \"%.40s\" is neither path, id nor label: rename or "
                             "remove it", t->path, fields[i]);
    }
    return 0;
}

/* One row; fields that are neither path nor id are labels. */
static int read_row(void *arg, size_t line, char **fields, size_t n)
{
    reading *t = arg;
    bool first = !t->begun;
    t->begun = true;
    if (first && path_column(fields, n) != NO_COLUMN)
        return read_header(t, fields, n);
    size_t labels = 0;
    const char **label = scry_alloc(n * sizeof *label);
    for (size_t i = 0; i < n; i++)
        if (i != t->path_at && i != t->id_at && fields[i][0])
            label[labels++] = fields[i];
    char *path = t->path_at < n && fields[t->path_at][0] ? scry_path_join(t->folder, fields[t->path_at]) : NULL;
    int r = t->each(t->arg, &(scry_picture_row){ .line = line, .path = path, .first = fields[0],
                                                 .key = t->id_at < n ? fields[t->id_at] : "", .labels = label, .label_count = labels });
    free(path);
    free(label);
    return r;
}

int scry_picture_table_read(FILE *f, const char *path, scry_picture_row_fn *each, void *arg, scry_error *err)
{
    const char *slash = strrchr(path, '/');
    reading t = { .path = path, .folder = slash ? scry_strndup(path, (size_t)(slash - path) + 1) : scry_strdup("."), .id_at = 0,
                  .path_at = 1, .each = each, .arg = arg, .err = err };   /* without a header: id,path[,label...] */
    rewind(f);
    int r = scry_csv_read_stream(f, path, 0, read_row, &t, err);
    free(t.folder);
    return r;
}

/* ---- the row that counts ---- */

typedef struct {
    uint8_t id[16];            /* of the path */
    uint64_t number, content;  /* content: a hash of the id and the labels */
    uint32_t line;
} noted;

_Static_assert(sizeof(noted) == 40, "SCRY_ROW_CHOICE_INIT has the size");

static void id_of(const char *path, size_t n, uint8_t id[16])
{
    uint8_t digest[SCRY_SHA256_BYTES];
    scry_sha256_of(path, n, digest);
    memcpy(id, digest, 16);
}

static uint64_t content_of(const scry_picture_row *row)
{
    uint64_t h = scry_hash_bytes(row->key, strlen(row->key) + 1);
    for (size_t i = 0; i < row->label_count; i++)
        for (const char *p = row->labels[i];; p++) {
            h = scry_hash_step(h, *p);
            if (!*p)
                break;
        }
    return h;
}

int scry_row_choice_note(scry_row_choice *c, const char *path, uint64_t number, const char *table, const scry_picture_row *row,
                         scry_error *err)
{
    uint8_t id[16];
    id_of(path, strlen(path), id);
    int64_t at = scry_table_add(&c->rows, id, err);
    if (at < 0)
        return (int)at;
    noted *n = scry_table_at(&c->rows, (size_t)at);
    uint64_t content = content_of(row);
    if (n->number && n->content != content && c->overruled++ == 0)
        snprintf(c->example, sizeof c->example, "line %zu of %.60s is for %.100s, which line %u has otherwise", row->line, table, row->path,
                 n->line);
    n->number = number;
    n->content = content;
    n->line = (uint32_t)row->line;
    return 0;
}

static uint64_t number_at(const scry_row_choice *c, const char *path, size_t n)
{
    uint8_t id[16];
    id_of(path, n, id);
    int64_t at = scry_table_find(&c->rows, id);
    return at < 0 ? 0 : ((const noted *)scry_table_at(&c->rows, (size_t)at))->number;
}

uint64_t scry_row_choice_of(const scry_row_choice *c, const char *path)
{
    size_t n = strlen(path);
    uint64_t number = number_at(c, path, n);
    while (number == 0 && n > 1) {
        do
            n--;
        while (n > 0 && path[n] != '/');
        n = n ? n : 1;
        number = number_at(c, path, n);
    }
    return number;
}

void scry_row_choice_dispose(scry_row_choice *c)
{
    scry_table_dispose(&c->rows);
}
