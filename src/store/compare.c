/* compare.c - the differences between two collections. */
#include "scry/copy.h"

#include "base/alloc.h"
#include "base/sha256.h"
#include "store/side_by_side.h"

#include <stdlib.h>
#include <string.h>

typedef struct compare {
    scry_store *here, *there;
    void (*on_difference)(void *arg, const char *text);   /* may be NULL */
    void *arg;
    const scry_copy_options *options;
    scry_compare_report *report;
    scry_copy_progress progress;
    double reported_ms;
    scry_held held;          /* of `here` */
} compare;

static void report(const compare *c, const char *path, const char *what)
{
    char *text = scry_asprintf("%s: %s", path, what);
    if (c->on_difference)
        c->on_difference(c->arg, text);
    free(text);
}

static void only_here(void *arg, const scry_file *file)
{
    compare *c = arg;
    c->report->only_here++;
    report(c, file->path, "only here");
}

static int compare_file(void *arg, const scry_file *file, const float *vector)
{
    compare *c = arg;
    c->progress.done++;
    const scry_file *here = scry_held_find(&c->held, file->id, only_here, c);
    if (!here) {
        c->report->only_there++;
        report(c, file->path, "only there");
        return 0;
    }
    const char *what = scry_file_difference(here, file);
    if (!what && memcmp(scry_held_vector(&c->held, here), vector, (size_t)c->here->dim * sizeof *vector) != 0)
        what = "vector";
    if (what) {
        char *text = scry_asprintf("different %s", what);
        report(c, here->path, text);
        free(text);
    }
    c->report->different += what != NULL;
    c->report->files += what == NULL;
    return 0;
}

static int compare_range(void *arg, scry_id_range range, scry_error *err)
{
    compare *c = arg;
    int result = scry_check_cancelled(c->options, "stopped before everything was compared", err);
    if (result < 0)
        return result;
    result = scry_held_load(&c->held, c->here, range, true, err);
    if (result == 0 && c->held.full)
        result = 1;
    if (result == 0)
        result = scry_store_each_in_range(c->there, range, true, compare_file, c, err);
    if (result == 0)
        scry_held_find(&c->held, NULL, only_here, c);
    scry_held_dispose(&c->held);
    scry_report_progress(c->options, &c->progress, &c->reported_ms, false);
    return result;
}

/* ---- texts in pictures ---- */

typedef struct {
    compare *c;
    scry_store *other;
    bool only_lacking;   /* of texts that both have nothing is said */
    const char *lacking;
    int result;
    scry_error *err;
} text_walk;

/* Where the other side has the content. */
static void compare_text(text_walk *w, const scry_picture_text *text, const scry_picture_text *others)
{
    bool same = others && (w->only_lacking || scry_same_text(text, others));
    const char *what = same ? NULL : others ? "different text in the picture" : w->lacking;
    if (what) {
        char hash[2 * SCRY_HASH_BYTES + 1], *name;
        scry_hex(text->content, SCRY_HASH_BYTES, hash);
        name = scry_asprintf("content %s", hash);
        report(w->c, name, what);
        free(name);
        w->c->report->texts++;
    }
}

static int compare_some_texts(void *arg, const scry_picture_text *texts, size_t n)
{
    text_walk *w = arg;
    scry_picture_text **others = scry_alloc(n * sizeof *others);
    bool *has = scry_alloc(n * sizeof *has);
    w->result = scry_check_cancelled(w->c->options, "stopped before everything was compared", w->err);
    if (w->result == 0)
        w->result = scry_texts_there(w->other, texts, n, others, has, w->err);
    for (size_t i = 0; i < n; i++) {
        if (has[i] && w->result == 0)
            compare_text(w, &texts[i], others[i]);
        scry_picture_text_free(others[i]);
    }
    free(others);
    free(has);
    return w->result != 0;
}

static int compare_texts(compare *c, scry_error *err)
{
    text_walk here = { c, c->there, false, "text in the picture only here", 0, err };
    text_walk there = { c, c->here, true, "text in the picture only there", 0, err };
    if (!c->here->kind->get_text || !c->there->kind->get_text)
        return 0;
    int result = scry_store_each_text(c->here, compare_some_texts, &here, err);
    result = result < 0 ? result : here.result;
    if (result == 0)
        result = scry_store_each_text(c->there, compare_some_texts, &there, err);
    return result < 0 ? result : there.result;
}

/* ---- roots ---- */

typedef struct {
    scry_root *items;        /* [count], with their own paths */
    size_t count;
} root_set;

static int add_root(void *arg, const scry_root *root)
{
    root_set *set = arg;
    set->items = scry_realloc(set->items, (set->count + 1) * sizeof *set->items);
    set->items[set->count] = *root;
    set->items[set->count++].path = scry_strdup(root->path);
    return 0;
}

static void root_set_dispose(root_set *set)
{
    for (size_t i = 0; i < set->count; i++)
        free((char *)set->items[i].path);
    free(set->items);
}

/* Report the roots of `a` that `b` does not have. */
static void report_roots(const compare *c, const root_set *a, const root_set *b, const char *what)
{
    for (size_t i = 0; i < a->count; i++) {
        bool has = false;
        for (size_t k = 0; k < b->count && !has; k++)
            has = memcmp(a->items[i].id, b->items[k].id, SCRY_ID_BYTES) == 0;
        if (has)
            continue;
        char *name = scry_asprintf("root %s", a->items[i].path);
        report(c, name, what);
        free(name);
        c->report->roots++;
    }
}

/* The roots of both; `most` gets the larger number of files. */
static int compare_roots(compare *c, uint64_t *most, scry_error *err)
{
    root_set here = { 0 }, there = { 0 };
    uint64_t files[2] = { 0 };
    int result = scry_store_roots(c->here, add_root, &here, err);
    if (result == 0)
        result = scry_store_roots(c->there, add_root, &there, err);
    if (result == 0) {
        report_roots(c, &here, &there, "only here");
        report_roots(c, &there, &here, "only there");
    }
    for (size_t i = 0; i < here.count; i++)
        files[0] += here.items[i].files;
    for (size_t i = 0; i < there.count; i++)
        files[1] += there.items[i].files;
    c->progress.total = files[1];
    *most = files[0] > files[1] ? files[0] : files[1];
    root_set_dispose(&here);
    root_set_dispose(&there);
    return result;
}

int scry_store_compare(scry_store *here, scry_store *there, void (*on_difference)(void *arg, const char *text), void *arg,
                       const scry_copy_options *options, scry_compare_report *out, scry_error *err)
{
    static const scry_copy_options silent = SCRY_COPY_OPTIONS_INIT;
    scry_compare_report unwanted;
    out = out ? out : &unwanted;
    compare c = { .here = here, .there = there, .on_difference = on_difference, .arg = arg, .options = options ? options : &silent,
                  .report = out };
    uint64_t most = 0;
    *out = (scry_compare_report){ 0 };
    int result = scry_check_models(here, there, "they have no vectors that can be compared", err);
    if (result == 0)
        result = compare_roots(&c, &most, err);
    scry_id_range range = scry_random_range(most, c.options->sample);
    if (c.options->sample && most > c.options->sample)
        c.progress.total = most = c.options->sample;
    if (result == 0)
        result = scry_each_piece_of(range, most, here->dim, compare_range, &c, err);
    return result < 0 || c.options->sample ? result : compare_texts(&c, err);
}
