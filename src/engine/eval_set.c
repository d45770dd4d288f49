/* eval_set.c - a table of captions or labels, with the places of its pictures. */
#include "engine/eval_set.h"

#include "base/alloc.h"
#include "base/file.h"
#include "engine/csv.h"

#include <libgen.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

enum { MAX_PICTURES = 10000000, MAX_LABELS = 1000000, MAX_CAPTIONS = 50000000, LOOK_FOR = 16 };
#define NO_LABEL UINT32_MAX

static const char *const file_names[] = { "file", "path", "filename", "file_name", "filepath", "image", "image_path", NULL };
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

/* The column called `wanted`, else the first of the usual names; -1 with the error set. */
static int find_column(reader *r, char **fields, size_t count, const char *wanted, const char *const *usual,
                       const char *what, size_t *out)
{
    const char *one[] = { wanted, NULL };
    for (const char *const *name = wanted ? one : usual; *name; name++)
        for (size_t i = 0; i < count; i++)
            if (strcasecmp(fields[i], *name) == 0) {
                *out = i;
                return 0;
            }
    return scry_fail(r->err, SCRY_EINVALID, "%s has no column %s: its first line must name the columns "
                     "(it begins with \"%.40s\"); name another with %s", r->options->table,
                     wanted ? wanted : usual[0], fields[0], what);
}

static int read_header(reader *r, char **fields, size_t count)
{
    const scry_eval_set_options *o = r->options;
    const char *const *texts = o->labels ? label_names : caption_names;
    int result = find_column(r, fields, count, o->file_column, file_names, "--file-column", &r->file_at);
    if (result == 0)
        result = find_column(r, fields, count, o->text_column, texts, "--column", &r->text_at);
    if (result == 0 && r->where_column)
        result = find_column(r, fields, count, r->where_column, texts, "--where", &r->where_at);
    r->header_read = true;
    return result;
}

static int add_label(reader *r, size_t line, size_t picture, const char *label)
{
    scry_eval_set *s = r->set;
    int64_t number = scry_names_add(&s->labels, label, r->err);
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
                         "one label a picture", r->options->table, line, s->files.list[picture], label,
                         s->labels.list[s->label_of[picture]]);
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
    if (r->options->limit && s->files.count == r->options->limit && scry_names_find(&s->files, file) < 0)
        return 0;
    int64_t picture = scry_names_add(&s->files, file, r->err);
    if (picture < 0)
        return (int)picture;
    return s->labelled ? add_label(r, line, (size_t)picture, fields[r->text_at])
                       : add_caption(r, (size_t)picture, fields[r->text_at]);
}

static bool is_file(const char *folder, const char *name)
{
    struct stat st;
    char *path = scry_path_join(folder, name);
    bool is = stat(path, &st) == 0 && S_ISREG(st.st_mode);
    free(path);
    return is;
}

/* The folder that the pictures' names start from, owned. */
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
    char *folder = find_folder(o, s->files.list[0]);
    s->paths = scry_alloc(s->files.count * sizeof *s->paths);
    for (size_t i = 0; i < s->files.count; i++)
        s->paths[i] = scry_path_join(folder, s->files.list[i]);
    bool any = false;   /* one that is missing is skipped later; that all are is a mistake */
    for (size_t i = 0; !any && i < s->files.count && i < LOOK_FOR; i++)
        any = is_file(folder, s->files.list[i]);
    int r = any ? 0 : scry_fail(err, SCRY_ENOTFOUND, "there is no picture %s: name the pictures' folder with --pictures",
                                s->paths[0]);
    free(folder);
    return r;
}

int scry_eval_set_read(scry_eval_set **out, const scry_eval_set_options *options, scry_error *err)
{
    scry_eval_set *s = scry_alloc(sizeof *s);
    reader r = { .set = s, .options = options, .err = err };
    int result = 0;
    s->labelled = options->labels;
    s->files.limit = MAX_PICTURES;
    s->labels.limit = MAX_LABELS;
    if (options->where) {
        const char *equals = strchr(options->where, '=');
        if (!equals || equals == options->where)
            result = scry_fail(err, SCRY_EINVALID, "--where takes COLUMN=VALUE, not \"%s\"", options->where);
        else {
            r.where_column = scry_strndup(options->where, (size_t)(equals - options->where));
            r.where_value = equals + 1;
        }
    }
    if (result == 0)
        result = scry_csv_read(options->table, 0, take_row, &r, err);
    if (result == 0)
        result = find_pictures(s, options, err);
    if (result == 0 && s->labelled && s->labels.count < 2)
        result = scry_fail(err, SCRY_EINVALID, "%s has one label only: nothing to tell apart", options->table);
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
    scry_names_dispose(&s->files);
    scry_names_dispose(&s->labels);
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
