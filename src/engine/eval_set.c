/* eval_set.c - a table of captions or labels, with the paths of its pictures. */
#include "engine/eval_set.h"

#include "base/alloc.h"
#include "base/file.h"
#include "engine/csv.h"
#include "engine/picture_table.h"

#include <libgen.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

enum { MAX_PICTURES = 10000000, MAX_LABELS = 1000000, MAX_CAPTIONS = 50000000, LOOK_FOR = 16 };
#define NO_LABEL UINT32_MAX

static const char *const caption_names[] = { "caption", "text", "caption_en", "title", "sentence", "description", "query", NULL };
static const char *const label_names[] = { "label", "class", "category", "text", NULL };

typedef struct {
    scry_eval_set *set;
    const scry_eval_set_options *options;
    bool header_read;
    size_t file_at, text_at, where_at;
    char *where_column;
    const char *where_value;
    scry_error *err;
} reader;

/* A column to find: the one called `wanted`, else the first of the usual names. */
typedef struct {
    const char *wanted;
    const char *const *usual;
    const char *option;       /* that sets `wanted` */
} column;

static int find_column(reader *r, char **fields, size_t count, column c, size_t *out)
{
    const char *one[] = { c.wanted, NULL };
    for (const char *const *name = c.wanted ? one : c.usual; *name; name++)
        for (size_t i = 0; i < count; i++)
            if (strcasecmp(fields[i], *name) == 0) {
                *out = i;
                return 0;
            }
    return scry_fail(r->err, SCRY_EINVALID, "%s has no column %s: its first line must name the columns "
                     "(it begins with \"%.40s\"); name another with %s", r->options->table,
                     c.wanted ? c.wanted : c.usual[0], fields[0], c.option);
}

static int read_header(reader *r, char **fields, size_t count)
{
    const scry_eval_set_options *o = r->options;
    const char *const *texts = o->labels ? label_names : caption_names;
    int result = find_column(r, fields, count, (column){ o->file_column, scry_path_columns, "--file-column" }, &r->file_at);
    if (result == 0)
        result = find_column(r, fields, count, (column){ o->text_column, texts, "--column" }, &r->text_at);
    if (result == 0 && r->where_column)
        result = find_column(r, fields, count, (column){ r->where_column, texts, "--where" }, &r->where_at);
    r->header_read = true;
    return result;
}

static int add_label(reader *r, size_t line, size_t picture, const char *label)
{
    scry_eval_set *s = r->set;
    int64_t number = scry_table_add(&s->labels, label, r->err);
    if (number < 0)
        return (int)number;
    if (picture >= s->label_capacity) {
        size_t before = s->label_capacity;
        s->label_capacity = before * 2 + 1024;
        s->label_of = scry_realloc(s->label_of, s->label_capacity * sizeof *s->label_of);
        memset(s->label_of + before, 0xff, (s->label_capacity - before) * sizeof *s->label_of);
    }
    if (s->label_of[picture] == NO_LABEL)
        s->label_of[picture] = (uint32_t)number;
    if (s->label_of[picture] != number)
        return scry_fail(r->err, SCRY_EINVALID, "%s: line %zu gives %s another label (%s) than before (%s): "
                         "one label a picture", r->options->table, line, scry_table_text(&s->files, picture), label,
                         scry_table_text(&s->labels, s->label_of[picture]));
    return 0;
}

static int add_caption(reader *r, size_t picture, const char *caption)
{
    scry_eval_set *s = r->set;
    if (!caption[strspn(caption, " \t")])
        return 0;
    if (s->caption_count == s->caption_capacity) {
        s->caption_capacity = s->caption_capacity * 2 + 1024;
        if (s->caption_capacity > MAX_CAPTIONS)
            return scry_fail(r->err, SCRY_ELIMIT, "%s has more than %d captions", r->options->table, MAX_CAPTIONS);
        s->captions = scry_realloc(s->captions, s->caption_capacity * sizeof *s->captions);
        s->caption_of = scry_realloc(s->caption_of, s->caption_capacity * sizeof *s->caption_of);
    }
    s->captions[s->caption_count] = scry_strdup(caption);
    s->caption_of[s->caption_count++] = (uint32_t)picture;
    return 0;
}

static int take_row(void *arg, size_t line, char **fields, size_t count)
{
    reader *r = arg;
    scry_eval_set *s = r->set;
    if (!r->header_read)
        return read_header(r, fields, count);
    if (r->file_at >= count || r->text_at >= count || (r->where_column && r->where_at >= count))
        return scry_fail(r->err, SCRY_EINVALID, "%s: line %zu has only %zu fields", r->options->table, line, count);
    const char *file = fields[r->file_at];
    if (!file[0] || (r->where_column && strcmp(fields[r->where_at], r->where_value) != 0))
        return 0;
    int64_t picture = scry_table_add(&s->files, file, r->err);
    if (picture < 0)
        return (int)picture;
    return s->labelled ? add_label(r, line, (size_t)picture, fields[r->text_at])
                       : add_caption(r, (size_t)picture, fields[r->text_at]);
}

/* ---- a sample ---- */

typedef struct {
    uint64_t hash;
    uint32_t picture;
} draw;

static int compare_draws(const void *a, const void *b)
{
    const draw *x = a, *y = b;
    return x->hash != y->hash ? (x->hash < y->hash ? -1 : 1) : (x->picture > y->picture) - (x->picture < y->picture);
}

/* The captions of pictures that have a new number, with it. */
static void renumber_captions(scry_eval_set *s, const uint32_t *number)
{
    size_t kept = 0;
    for (size_t i = 0; i < s->caption_count; i++) {
        uint32_t to = number[s->caption_of[i]];
        if (to == UINT32_MAX) {
            free(s->captions[i]);
            continue;
        }
        s->captions[kept] = s->captions[i];
        s->caption_of[kept++] = to;
    }
    s->caption_count = kept;
}

/* Keep `n` of the pictures, those whose names have the lowest hashes: a sample of the whole table that is the same everywhere,
 * and part of every larger one. They stay in the order of the table; all its labels stay. */
static int take_sample(scry_eval_set *s, size_t n, scry_error *err)
{
    size_t count = s->files.count;
    if (!n || n >= count)
        return 0;
    draw *draws = scry_alloc(count * sizeof *draws);
    uint32_t *number = scry_alloc(count * sizeof *number);
    for (size_t i = 0; i < count; i++) {
        const char *name = scry_table_text(&s->files, i);
        draws[i] = (draw){ scry_slots_mix(scry_hash_bytes(name, strlen(name))), (uint32_t)i };
        number[i] = UINT32_MAX;
    }
    qsort(draws, count, sizeof *draws, compare_draws);
    for (size_t i = 0; i < n; i++)
        number[draws[i].picture] = 0;
    scry_table kept = SCRY_TABLE_OF_TEXTS(sizeof(char *), MAX_PICTURES);
    int result = 0;
    for (size_t i = 0; i < count && result == 0; i++) {
        if (number[i] == UINT32_MAX)
            continue;
        int64_t to = scry_table_add(&kept, scry_table_text(&s->files, i), err);
        result = to < 0 ? (int)to : 0;
        number[i] = (uint32_t)to;
        if (s->labelled && result == 0)
            s->label_of[to] = s->label_of[i];
    }
    renumber_captions(s, number);
    scry_table_dispose(&s->files);
    s->files = kept;
    free(number);
    free(draws);
    return result;
}

/* ---- the pictures ---- */

static bool is_file(const char *folder, const char *name)
{
    struct stat st;
    char *path = scry_path_join(folder, name);
    bool is = stat(path, &st) == 0 && S_ISREG(st.st_mode);
    free(path);
    return is;
}

/* The folder that the names of the pictures are relative to, owned. */
static char *find_folder(const scry_eval_set_options *o, const char *first)
{
    static const char *const inside[] = { "", "img", "images" };
    if (o->pictures)
        return scry_strdup(o->pictures);
    char *copy = scry_strdup(o->table), *base = scry_strdup(strcmp(o->table, "-") == 0 ? "." : dirname(copy));
    free(copy);
    for (size_t i = 0; i < sizeof inside / sizeof *inside; i++) {
        char *folder = inside[i][0] ? scry_path_join(base, inside[i]) : scry_strdup(base);
        if (is_file(folder, first)) {
            free(base);
            return folder;
        }
        free(folder);
    }
    return base;
}

static int find_pictures(scry_eval_set *s, const scry_eval_set_options *o, scry_error *err)
{
    if (s->files.count == 0)
        return scry_fail(err, SCRY_EINVALID, "%s names no pictures%s%s", o->table, o->where ? " with " : "",
                         o->where ? o->where : "");
    char *folder = find_folder(o, scry_table_text(&s->files, 0));
    s->paths = scry_alloc(s->files.count * sizeof *s->paths);
    for (size_t i = 0; i < s->files.count; i++)
        s->paths[i] = scry_path_join(folder, scry_table_text(&s->files, i));
    bool any = false;   /* a missing one is skipped later; when all are missing, the folder is wrong */
    for (size_t i = 0; !any && i < s->files.count && i < LOOK_FOR; i++)
        any = is_file(folder, scry_table_text(&s->files, i));
    int r = any ? 0 : scry_fail(err, SCRY_ENOTFOUND, "there is no picture %s: name the pictures' folder with --pictures",
                                s->paths[0]);
    free(folder);
    return r;
}

static int read_where(reader *r)
{
    const char *where = r->options->where, *equals = where ? strchr(where, '=') : NULL;
    if (!where)
        return 0;
    if (!equals || equals == where)
        return scry_fail(r->err, SCRY_EINVALID, "--where takes COLUMN=VALUE, not \"%s\"", where);
    r->where_column = scry_strndup(where, (size_t)(equals - where));
    r->where_value = equals + 1;
    return 0;
}

int scry_eval_set_read(scry_eval_set **out, const scry_eval_set_options *options, scry_error *err)
{
    if (!options || !options->table)
        return scry_fail(err, SCRY_EINVALID, "no table of captions or labels was given");
    scry_eval_set *s = scry_alloc(sizeof *s);
    reader r = { .set = s, .options = options, .err = err };
    s->labelled = options->labels;
    s->files = (scry_table)SCRY_TABLE_OF_TEXTS(sizeof(char *), MAX_PICTURES);
    s->labels = (scry_table)SCRY_TABLE_OF_TEXTS(sizeof(char *), MAX_LABELS);
    int result = read_where(&r);
    if (result == 0)
        result = scry_csv_read(options->table, 0, take_row, &r, err);
    if (result == 0)
        result = take_sample(s, options->limit, err);
    if (result == 0)
        result = find_pictures(s, options, err);
    if (result == 0 && s->labelled && s->labels.count < 2)
        result = scry_fail(err, SCRY_EINVALID, "%s has one label only: there is nothing to distinguish", options->table);
    if (result == 0 && !s->labelled && s->caption_count == 0)
        result = scry_fail(err, SCRY_EINVALID, "%s has no captions", options->table);
    free(r.where_column);
    if (result < 0)
        scry_eval_set_free(s);
    else
        *out = s;
    return result;
}

void scry_eval_set_free(scry_eval_set *s)
{
    if (!s)
        return;
    for (size_t i = 0; s->paths && i < s->files.count; i++)
        free(s->paths[i]);
    for (size_t i = 0; s->captions && i < s->caption_count; i++)
        free(s->captions[i]);
    free(s->paths);
    free(s->captions);
    free(s->caption_of);
    free(s->label_of);
    scry_table_dispose(&s->files);
    scry_table_dispose(&s->labels);
    free(s);
}

size_t scry_eval_set_pictures(const scry_eval_set *s)
{
    return s->files.count;
}

size_t scry_eval_set_texts(const scry_eval_set *s)
{
    return s->labelled ? s->labels.count : s->caption_count;
}
