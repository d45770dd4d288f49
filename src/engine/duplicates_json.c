/* duplicates_json.c - groups of duplicates as JSON, with why the one that is kept is the best. */
#include "engine/duplicates_json.h"

#include "engine/file_json.h"
#include "store/results.h"

#include <string.h>

typedef enum { BY_PIXELS, BY_DATE, BY_SIZE, BY_AGE, BY_PATH, REASONS } reason;

static bool has_date(const scry_file *f)
{
    return f->has_time && f->taken_source < SCRY_TAKEN_SIDECAR;
}

/* What told the one that is kept from another: the order of duplicates.h. REASONS: nothing. */
static reason why_better(const scry_file *keep, const scry_file *other, bool same_bytes)
{
    int64_t pixels = (int64_t)keep->width * keep->height, others = (int64_t)other->width * other->height;
    if (!same_bytes)
        return pixels != others ? BY_PIXELS : has_date(keep) != has_date(other) ? BY_DATE
               : keep->size != other->size ? BY_SIZE : REASONS;
    return keep->mtime_ns != other->mtime_ns ? BY_AGE : strlen(keep->path) != strlen(other->path) ? BY_PATH : REASONS;
}

static void put_reasons(scry_json_writer *w, unsigned reasons)
{
    static const char *const names[REASONS] = { "pixels", "date", "size", "age", "path" };
    scry_json_key(w, "why");
    scry_json_begin(w, '[');
    for (int r = 0; r < REASONS; r++)
        if (reasons >> r & 1)
            scry_json_put_str(w, names[r]);
    scry_json_end(w, ']');
}

static void put_other(scry_json_writer *w, const scry_file *f, const scry_duplicate *m)
{
    scry_json_begin(w, '{');
    scry_json_add_bool(w, "same_bytes", m->same_bytes);
    scry_json_add_num(w, "cosine", m->cosine, 4);
    scry_json_put_file(w, f);
    scry_json_end(w, '}');
}

typedef struct {
    scry_json_writer *w;
    scry_store *store;
    const scry_duplicates_page *page;
    scry_error *err;
} output;

/* The record of a member: 0, SCRY_ENOTFOUND when it has left the store, or another error, which is in `o->err`. */
static int get(scry_results **out, const output *o, const scry_duplicate *m)
{
    scry_error why = SCRY_ERROR_INIT;
    int result = scry_store_get(o->store, m->id, out, &why);
    if (result == 0 && o->page->is_away && o->page->is_away(o->page->arg, &(*out)->hits[0].file))
        scry_results_set_away(*out, 0);
    return result < 0 && result != SCRY_ENOTFOUND ? scry_fail(o->err, result, "%s", why.message) : result;
}

static int put_others(output *o, const scry_results *keep, const scry_duplicate *m, size_t n, unsigned *reasons)
{
    int result = 0;
    for (size_t i = 0; i < n && (result == 0 || result == SCRY_ENOTFOUND); i++) {
        scry_results *one = NULL;
        result = get(&one, o, &m[i]);
        if (result == 0) {
            put_other(o->w, &one->hits[0].file, &m[i]);
            *reasons |= 1u << why_better(&keep->hits[0].file, &one->hits[0].file, m[i].same_bytes);
        }
        scry_results_free(one);
    }
    return result == SCRY_ENOTFOUND ? 0 : result;
}

static int put_group(output *o, const scry_duplicate *m, size_t n)
{
    scry_json_writer *w = o->w;
    scry_results *keep = NULL;
    unsigned reasons = 0;
    size_t shown = n - 1 < o->page->others ? n - 1 : o->page->others;
    int result = get(&keep, o, m);
    if (result < 0)
        return result == SCRY_ENOTFOUND ? 0 : result;
    scry_json_begin(w, '{');
    scry_json_key(w, "keep");
    scry_json_begin(w, '{');
    scry_json_put_file(w, &keep->hits[0].file);
    scry_json_end(w, '}');
    scry_json_key(w, "others");
    scry_json_begin(w, '[');
    result = put_others(o, keep, m + 1, shown, &reasons);
    scry_json_end(w, ']');
    put_reasons(w, reasons);
    scry_json_add_int(w, "left_out", (int64_t)(n - 1 - shown));
    scry_json_end(w, '}');
    scry_results_free(keep);
    return result;
}

int scry_duplicates_put_json(scry_json_writer *w, scry_store *s, const scry_duplicates *d, const scry_duplicates_page *page,
                             scry_error *err)
{
    output o = { w, s, page, err };
    int result = 0;
    scry_json_begin(w, '[');
    for (size_t i = page->from; i < page->from + page->count && result == 0; i++) {
        const scry_duplicate *m;
        size_t count = scry_duplicates_group(d, i, &m);
        result = put_group(&o, m, count);
    }
    scry_json_end(w, ']');
    return result;
}
