/* rare_words.c - which words of a query some picture has together: the rarest first. */
#include "store/local/local.h"

#include "base/alloc.h"
#include "base/bits.h"
#include "store/local/db_reader.h"
#include "store/local/filter_bitmap.h"
#include "store/local/view.h"
#include "store/words.h"

#include <stdlib.h>
#include <string.h>

/* Files as scry_passing_files has them, only those that are still so. */
typedef struct {
    uint64_t *rows;    /* [row_words] */
    bool *fresh;       /* [fresh_count] */
    size_t row_words, fresh_count;
} file_set;

typedef struct {
    const char *text;  /* of the query's list */
    size_t size;
    file_set files;    /* that have it */
    uint64_t count;
    bool tried, kept;
} query_word;

/* Of one call. */
typedef struct {
    scry_local *s;
    scry_reader *r;
    scry_view *v;
    const scry_filter_state *state;   /* of the first set */
    file_set within;                  /* that pass the filter; without rows and fresh files where there is none */
    bool filtered;
} finder;

static void set_dispose(file_set *a)
{
    free(a->rows);
    free(a->fresh);
}

/* The files that pass. A set of another state than the first one's, as a section of the columns was found damaged meanwhile,
 * counts other files, and is left empty. */
static int find_set(file_set *out, finder *f, const scry_filter_node *filter, scry_error *err)
{
    scry_passing_files p = { .f = NULL };
    int result = scry_filter_files(f->s, f->r, f->v, &(scry_file_filter){ filter, true, false, 0 }, &p, err);
    if (result == 0 && !f->state)
        f->state = p.f;
    if (result == 0 && p.f == f->state) {
        *out = (file_set){ p.rows, p.fresh, p.f->columns ? ((size_t)p.f->columns->rows + 63) / 64 : 0, p.f->fresh.files.count };
        for (size_t i = 0; i < out->row_words; i++)
            out->rows[i] &= p.f->valid[i];
        p.rows = NULL;
        p.fresh = NULL;
    }
    scry_passing_dispose(&p);
    return result;
}

static void intersect(file_set *a, const file_set *b)
{
    for (size_t i = 0; i < a->row_words; i++)
        a->rows[i] &= b->rows[i];
    for (size_t i = 0; i < a->fresh_count; i++)
        a->fresh[i] &= b->fresh[i];
}

static bool have_common(const file_set *a, const file_set *b)
{
    bool any = false;
    for (size_t i = 0; i < a->row_words && !any; i++)
        any = a->rows[i] & b->rows[i];
    for (size_t i = 0; i < a->fresh_count && !any; i++)
        any = a->fresh[i] & b->fresh[i];
    return any;
}

static uint64_t count_of(const file_set *a)
{
    uint64_t n = scry_bits_count(a->rows, a->row_words);
    for (size_t i = 0; i < a->fresh_count; i++)
        n += a->fresh[i];
    return n;
}

static int find_word(query_word *w, finder *f, scry_error *err)
{
    char *text = scry_alloc(w->size + 3);
    text[0] = text[w->size + 1] = '\n';
    memcpy(text + 1, w->text, w->size);
    text[w->size + 2] = '\0';
    scry_filter_node node = { .kind = SCRY_FILTER_WORDS, .text = text, .number = SCRY_WORDS_WHOLE };
    int result = find_set(&w->files, f, &node, err);
    if (result == 0 && f->filtered)
        intersect(&w->files, &f->within);
    if (result == 0)
        w->count = count_of(&w->files);
    free(text);
    return result;
}

static query_word *rarest(query_word *words, size_t n)
{
    query_word *best = NULL;
    for (size_t i = 0; i < n; i++)
        if (!words[i].tried && words[i].count && (!best || words[i].count < best->count))
            best = &words[i];
    return best;
}

static void keep_common(query_word *words, size_t n)
{
    query_word *first = rarest(words, n), *w;
    if (first)
        first->tried = first->kept = true;
    while ((w = rarest(words, n))) {
        w->tried = true;
        w->kept = have_common(&first->files, &w->files);
        if (w->kept)
            intersect(&first->files, &w->files);
    }
}

static int find_rare(finder *f, const scry_filter_node *filter, query_word *words, size_t n, scry_error *err)
{
    f->filtered = filter != NULL;
    int result = filter ? find_set(&f->within, f, filter, err) : 0;
    for (size_t i = 0; i < n && result == 0; i++)
        result = find_word(&words[i], f, err);
    if (result == 0)
        keep_common(words, n);
    for (size_t i = 0; i < n; i++)
        set_dispose(&words[i].files);
    set_dispose(&f->within);
    return result;
}

int scry_local_rare_words(scry_store *base, const scry_filter_node *filter, const char *wanted, scry_buf *kept, scry_error *err)
{
    finder f = { .s = (scry_local *)base };
    query_word *words = scry_alloc((strlen(wanted) / 2 + 1) * sizeof *words);   /* a word and the newline behind it */
    const char *at = wanted, *word;
    size_t n = 0;
    for (size_t size; (word = scry_words_next(&at, &size));)
        words[n++] = (query_word){ .text = word, .size = size };
    int result = scry_reader_view_acquire(f.s, &f.r, &f.v, err);
    if (result == 0)
        result = scry_reader_view_release(f.s, f.r, f.v, find_rare(&f, filter, words, n, err), err);
    for (size_t i = 0; i < n && result == 0; i++)
        if (words[i].kept)
            scry_buf_printf(kept, "%s%.*s\n", kept->size ? "" : "\n", (int)words[i].size, words[i].text);
    free(words);
    return result;
}
