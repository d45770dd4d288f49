/* remote_put.c - files sent as rows, and removed. */
#include "store/milvus/remote_internal.h"

#include "base/alloc.h"
#include "base/log.h"
#include "base/sha256.h"
#include "store/keyword.h"
#include "store/milvus/remote_files.h"
#include "store/predicates.h"
#include "store/words.h"
#include "vector/vector.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- a batch as columns ---- */

typedef struct batch {
    size_t n;
    char (*id)[SCRY_REMOTE_HEX_ID], (*root)[SCRY_REMOTE_HEX_ID], (*content)[SCRY_REMOTE_HEX_HASH];
    scry_milvus_column columns[SCRY_REMOTE_FIELDS];   /* all that they point to is in `owned` and written by set_row */
    const char **paths;             /* of the column of paths */
    float *vectors;                 /* [n, dim], of the last column */
    bool *has_vector, *has_text;     /* [n] */
    const scry_remote_text_cells *cells;   /* [n] of the items; NULL: what is stored */
    void *owned[SCRY_REMOTE_FIELDS + 5];
    size_t owned_count;
} batch;

static void *own(batch *b, size_t size)
{
    return b->owned[b->owned_count++] = scry_alloc(b->n * size + 1);
}

static void batch_init(batch *b, size_t n, size_t dim, bool half)
{
    *b = (batch){ .n = n };
    b->id = own(b, sizeof *b->id);
    b->root = own(b, sizeof *b->root);
    b->content = own(b, sizeof *b->content);
    for (int i = 0; i < SCRY_REMOTE_FIELDS; i++) {
        scry_milvus_column *c = &b->columns[i];
        *c = (scry_milvus_column){ .name = scry_remote_schema[i].name, .type = (scry_milvus_type)scry_remote_schema[i].type };
        switch (c->type) {
        case SCRY_MILVUS_BOOL: c->bools = own(b, sizeof *c->bools); break;
        case SCRY_MILVUS_INT64: c->longs = own(b, sizeof *c->longs); break;
        case SCRY_MILVUS_DOUBLE: c->doubles = own(b, sizeof *c->doubles); break;
        case SCRY_MILVUS_VARCHAR: c->strings = own(b, sizeof *c->strings); break;
        case SCRY_MILVUS_ARRAY: c->lists = own(b, sizeof *c->lists); break;
        case SCRY_MILVUS_FLOAT_VECTOR: c->floats = own(b, dim * sizeof *c->floats); break;
        case SCRY_MILVUS_INT8: case SCRY_MILVUS_INT16: case SCRY_MILVUS_INT32: case SCRY_MILVUS_FLOAT: case SCRY_MILVUS_JSON:
            break;   /* no field has these */
        }
    }
    b->paths = (const char **)b->columns[SCRY_REMOTE_PATH].strings;
    b->columns[SCRY_REMOTE_VECTOR].dim = (int64_t)dim;
    b->columns[SCRY_REMOTE_VECTOR].half = half;
    b->vectors = (float *)b->columns[SCRY_REMOTE_VECTOR].floats;
    b->has_vector = own(b, sizeof *b->has_vector);
    b->has_text = own(b, sizeof *b->has_text);
}

/* ---- the cells of a row ---- */

static void set_long(batch *b, int field, size_t i, int64_t value)
{
    ((int64_t *)b->columns[field].longs)[i] = value;
}

static void set_bool(batch *b, int field, size_t i, bool value)
{
    ((int *)b->columns[field].bools)[i] = value;
}

static void set_double(batch *b, int field, size_t i, double value)
{
    ((double *)b->columns[field].doubles)[i] = value;
}

/* Of the batch's own ids; other texts are in set_text. */
static void set_id(batch *b, int field, size_t i, const char *hex)
{
    ((const char **)b->columns[field].strings)[i] = hex;
}

static bool is_id(int field)
{
    return field == SCRY_REMOTE_ID || field == SCRY_REMOTE_ROOT || field == SCRY_REMOTE_CONTENT;
}

static void batch_dispose(batch *b)
{
    for (int c = 0; c < SCRY_REMOTE_FIELDS; c++)
        for (size_t i = 0; i < b->n; i++) {
            if (b->columns[c].strings && !is_id(c))
                free((void *)b->columns[c].strings[i]);
            for (size_t k = 0; b->columns[c].lists && k < b->columns[c].lists[i].count; k++)
                free((void *)b->columns[c].lists[i].items[k]);
            if (b->columns[c].lists)
                free((void *)b->columns[c].lists[i].items);
        }
    for (size_t i = 0; i < b->owned_count; i++)
        free(b->owned[i]);
}

/* Escaped copy; an error, not a truncated text, if it does not fit a VARCHAR. */
static const char *escaped(const char *text, const char *what, scry_error *err)
{
    scry_buf b = SCRY_BUF_INIT(SCRY_MILVUS_MAX_VARCHAR);
    scry_milvus_escape(&b, text ? text : "");
    if (b.failed)
        scry_fail(err, SCRY_ELIMIT, "%s \"%.60s...\" is longer than the %d bytes a field of Milvus holds", what, text,
                  SCRY_MILVUS_MAX_VARCHAR);
    char *out = b.failed ? NULL : scry_buf_take(&b);
    scry_buf_dispose(&b);
    return out;
}

static int set_text(batch *b, int field, size_t i, const char *text, scry_error *err)
{
    char what[32];
    snprintf(what, sizeof what, "the %s", scry_remote_schema[field].name);
    const char *copy = escaped(text, what, err);
    ((const char **)b->columns[field].strings)[i] = copy;
    return copy ? 0 : SCRY_ELIMIT;
}

static int add_item(scry_milvus_strings *list, const char *text, const char *what, scry_error *err)
{
    const char *copy = escaped(text, what, err);
    if (!copy)
        return SCRY_ELIMIT;
    ((const char **)list->items)[list->count++] = copy;
    return 0;
}

static int set_labels(batch *b, size_t i, const scry_file *f, scry_error *err)
{
    enum { MOST_LABELS = 4096 };
    if (f->label_count > MOST_LABELS)
        return scry_fail(err, SCRY_ELIMIT, "%s has %zu labels: Milvus holds %d", f->relative, f->label_count, MOST_LABELS);
    scry_milvus_strings *list = (scry_milvus_strings *)&b->columns[SCRY_REMOTE_LABELS].lists[i];
    list->items = scry_alloc((f->label_count + 1) * sizeof *list->items);
    int result = 0;
    for (size_t k = 0; k < f->label_count && result == 0; k++)
        result = add_item(list, f->labels[k], "the label", err);
    return result;
}

/* Each keyword in the form that the filter compares. */
static int set_keyword_terms(batch *b, size_t i, const char *keywords, scry_error *err)
{
    char *terms = scry_keyword_form(keywords ? keywords : "", keywords ? strlen(keywords) : 0);
    size_t n = 1;
    for (const char *at = terms; *at; at++)
        n += *at == '\n';
    scry_milvus_strings *list = (scry_milvus_strings *)&b->columns[SCRY_REMOTE_KEYWORD_TERMS].lists[i];
    list->items = scry_alloc((n + 1) * sizeof *list->items);
    int result = 0;
    for (char *at = terms, *end; *at && result == 0; at = end) {
        end = at + strcspn(at, "\n");
        if (*end)
            *end++ = '\0';
        result = add_item(list, at, "the keyword", err);
    }
    free(terms);
    return result;
}

/* Vectors are rounded to half precision, as in the embedded store, so that both give the same scores. */
static void set_vector(batch *b, size_t i, const float *v, size_t dim)
{
    uint16_t half[256];
    float *to = b->vectors + i * dim;
    for (size_t at = 0; at < dim; at += sizeof half / sizeof *half) {
        size_t n = dim - at < sizeof half / sizeof *half ? dim - at : sizeof half / sizeof *half;
        scry_half_from_float(half, v + at, n);
        scry_half_to_float(to + at, half, n);
    }
    b->has_vector[i] = true;
}

static void set_numbers(batch *b, size_t i, const scry_file *f)
{
    set_long(b, SCRY_REMOTE_SIZE, i, f->size);
    set_long(b, SCRY_REMOTE_MTIME, i, f->mtime_ns);
    set_long(b, SCRY_REMOTE_TIME, i, scry_file_time(f));
    set_bool(b, SCRY_REMOTE_HAS_TIME, i, f->has_time);
    set_bool(b, SCRY_REMOTE_HAS_POSITION, i, f->has_position);
    set_double(b, SCRY_REMOTE_LATITUDE, i, f->has_position ? f->latitude : 0);
    set_double(b, SCRY_REMOTE_LONGITUDE, i, f->has_position ? f->longitude : 0);
    set_long(b, SCRY_REMOTE_WIDTH, i, f->width);
    set_long(b, SCRY_REMOTE_HEIGHT, i, f->height);
    set_long(b, SCRY_REMOTE_TAKEN_SOURCE, i, f->taken_source);
    set_long(b, SCRY_REMOTE_TAKEN_OFFSET, i, f->has_taken_offset ? f->taken_offset_min : SCRY_REMOTE_NO_OFFSET);
    set_long(b, SCRY_REMOTE_RATING, i, f->has_rating ? f->rating : SCRY_REMOTE_NO_RATING);
    set_bool(b, SCRY_REMOTE_DAMAGED, i, f->damaged);
}

static int set_row(batch *b, size_t i, const scry_put *p, size_t dim, scry_error *err)
{
    scry_file merged = p->file, *f = &merged;
    uint8_t id[SCRY_ID_BYTES];
    scry_file_merge_notes(f);
    scry_file_id(f->root, f->relative, id);
    scry_hex(id, sizeof id, b->id[i]);
    scry_hex(f->root, SCRY_ID_BYTES, b->root[i]);
    scry_hex(f->content, SCRY_HASH_BYTES, b->content[i]);
    set_id(b, SCRY_REMOTE_ID, i, b->id[i]);
    set_id(b, SCRY_REMOTE_ROOT, i, b->root[i]);
    set_id(b, SCRY_REMOTE_CONTENT, i, b->content[i]);
    set_numbers(b, i, f);
    set_long(b, SCRY_REMOTE_CTIME, i, p->ctime_ns);
    if (p->vector)
        set_vector(b, i, p->vector, dim);
    const struct { int field; const char *text; } texts[] = {
        { SCRY_REMOTE_PATH, f->relative }, { SCRY_REMOTE_CAMERA, f->camera }, { SCRY_REMOTE_FORMAT, f->format },
        { SCRY_REMOTE_KEY, f->key }, { SCRY_REMOTE_LENS, f->lens }, { SCRY_REMOTE_TITLE, f->title },
        { SCRY_REMOTE_DESCRIPTION, f->description }, { SCRY_REMOTE_KEYWORDS, f->keywords },
        { SCRY_REMOTE_COMPANION, f->notes ? f->notes->companion : NULL },
    };
    int result = 0;
    for (size_t k = 0; k < sizeof texts / sizeof *texts && result == 0; k++)
        result = set_text(b, texts[k].field, i, texts[k].text, err);
    if (result == 0)
        result = set_labels(b, i, f, err);
    return result < 0 ? result : set_keyword_terms(b, i, f->keywords, err);
}

/* ---- texts of pictures, and the words of all ---- */

/* As they are stored. */
static void set_cells(batch *b, size_t i, const scry_remote_text_cells *cells)
{
    const char *const texts[] = { cells->reader, cells->reason, cells->lines };
    for (int k = 0; k < 3; k++) {
        const char **cell = (const char **)&b->columns[SCRY_REMOTE_TEXT_READER + k].strings[i];
        free((void *)*cell);
        *cell = scry_strdup(texts[k]);
    }
    b->has_text[i] = cells->reader[0];
}

/* After its text was set. */
static void set_words(batch *b, size_t i, const scry_put *p)
{
    scry_file f = p->file;
    scry_buf text = SCRY_BUF_INIT(SCRY_WORDS_LIMIT);
    scry_remote_unpack_words(&text, b->columns[SCRY_REMOTE_TEXT_LINES].strings[i]);
    scry_file_merge_notes(&f);
    f.text = scry_buf_str(&text);
    scry_remote_words_of(&f, (scry_milvus_strings *)&b->columns[SCRY_REMOTE_WORDS].lists[i],
                         (scry_milvus_strings *)&b->columns[SCRY_REMOTE_WORD_PARTS].lists[i],
                         (char **)&b->columns[SCRY_REMOTE_ALL_WORDS].strings[i]);
    scry_buf_dispose(&text);
}

/* Whether a content may have been read: one request for each store that is opened, where it has no such row. */
static int any_texts(scry_remote *s, scry_milvus *m, bool *out, scry_error *err)
{
    static const char *const fields[] = { "id" };
    scry_milvus_query q = { "text_reader != \"\"", fields, 1, 1, scry_remote_freshness(s) };
    scry_milvus_rows *rows;
    if (s->has_texts < 0) {
        int result = scry_remote_query(s, m, &q, &rows, err);
        if (result < 0)
            return result;
        s->has_texts = rows->rows > 0;
        scry_milvus_rows_free(rows);
    }
    *out = s->has_texts;
    return 0;
}

/* ---- what is stored already of contents ---- */

/* The vectors and texts that the rows which pass an expression have. */
static int fetch_stored(scry_remote *s, scry_milvus *m, const char *filter, bool vectors, scry_milvus_rows **out, scry_error *err)
{
    const char *fields[5] = { "content" };
    size_t count = 1;
    if (vectors)
        fields[count++] = "vector";
    for (int f = SCRY_REMOTE_TEXT_READER; s->has_words && f <= SCRY_REMOTE_TEXT_LINES; f++)
        fields[count++] = scry_remote_schema[f].name;
    scry_milvus_query q = { filter, fields, count, 0, scry_remote_freshness(s) };
    return scry_remote_query(s, m, &q, out, err);
}

/* Fill in the vectors that rows of the answer, or other rows of the batch, have. */
static void copy_vectors(batch *b, const scry_milvus_rows *rows, size_t dim)
{
    const scry_milvus_column *c = scry_milvus_find_column(rows, "content", SCRY_MILVUS_VARCHAR);
    const scry_milvus_column *v = scry_milvus_find_column(rows, "vector", SCRY_MILVUS_FLOAT_VECTOR);
    for (size_t i = 0; i < b->n; i++) {
        for (size_t k = 0; k < b->n && !b->has_vector[i]; k++)
            if (b->has_vector[k] && strcmp(b->content[k], b->content[i]) == 0) {
                memcpy(b->vectors + i * dim, b->vectors + k * dim, dim * sizeof(float));
                b->has_vector[i] = true;
            }
        for (size_t k = 0; c && v && v->dim == (int64_t)dim && k < rows->rows && !b->has_vector[i]; k++)
            if (strcmp(c->strings[k], b->content[i]) == 0) {
                memcpy(b->vectors + i * dim, v->floats + k * dim, dim * sizeof(float));
                b->has_vector[i] = true;
            }
    }
}

/* The texts that rows of the answer have, for rows that have none. */
static void copy_texts(batch *b, const scry_milvus_rows *rows)
{
    const scry_milvus_column *c = scry_milvus_find_column(rows, "content", SCRY_MILVUS_VARCHAR), *cells[3];
    for (int k = 0; k < 3; k++)
        cells[k] = scry_milvus_find_column(rows, scry_remote_schema[SCRY_REMOTE_TEXT_READER + k].name, SCRY_MILVUS_VARCHAR);
    for (size_t i = 0; i < b->n && c && cells[0] && cells[1] && cells[2]; i++)
        for (size_t k = 0; k < rows->rows && !b->has_text[i]; k++)
            if (strcmp(c->strings[k], b->content[i]) == 0)
                set_cells(b, i, &(scry_remote_text_cells){ cells[0]->strings[k], cells[1]->strings[k], cells[2]->strings[k] });
}

/* Of rows without a vector, that of their content; and what was read in it, unless that was given. */
static int complete(scry_remote *s, scry_milvus *m, batch *b, scry_error *err)
{
    const char **wanted = scry_alloc((b->n + 1) * sizeof *wanted);
    size_t n = 0, dim = (size_t)s->base.dim;
    bool vectors = false, texts = false;
    scry_milvus_rows *rows = NULL;
    scry_buf filter = SCRY_BUF_INIT(SCRY_REMOTE_FILTER_BYTES);
    int result = s->has_words && !b->cells && !s->files ? any_texts(s, m, &texts, err) : 0;
    for (size_t i = 0; i < b->n; i++) {
        vectors |= !b->has_vector[i];
        if (!b->has_vector[i] || texts)
            wanted[n++] = b->content[i];
    }
    scry_remote_in_list(&filter, "content", wanted, n);
    if (result == 0 && n)
        result = fetch_stored(s, m, scry_buf_str(&filter), vectors, &rows, err);
    scry_buf_dispose(&filter);
    if (result == 0 && n) {
        copy_vectors(b, rows, dim);
        if (!b->cells)
            copy_texts(b, rows);
    }
    scry_milvus_rows_free(rows);
    free(wanted);
    for (size_t i = 0; i < b->n && result == 0; i++)
        if (!b->has_vector[i])
            result = scry_fail(err, SCRY_EINVALID, "the picture of %s has no vector in %s yet", b->paths[i], s->where);
    return result;
}

/* ---- put ---- */

/* Send rows of one root: `n` of the columns from `first` on. */
static int send_slice(scry_remote *s, scry_milvus *m, const scry_milvus_column *all, size_t first, size_t n, const char *root,
                      scry_error *err)
{
    scry_milvus_column columns[SCRY_REMOTE_FIELDS];
    char partition[SCRY_REMOTE_PARTITION];
    size_t count = 0;
    for (int i = 0; i < SCRY_REMOTE_FIELDS; i++) {
        if (!scry_remote_has_field(s, i))
            continue;
        scry_milvus_column *c = &columns[count++];
        *c = all[i];
        c->bools = c->bools ? c->bools + first : NULL;
        c->longs = c->longs ? c->longs + first : NULL;
        c->doubles = c->doubles ? c->doubles + first : NULL;
        c->strings = c->strings ? c->strings + first : NULL;
        c->lists = c->lists ? c->lists + first : NULL;
        c->floats = c->floats ? c->floats + first * (size_t)c->dim : NULL;
    }
    scry_milvus_table table = { columns, count, n, s->partitions ? scry_remote_partition(root, partition) : NULL };
    return scry_remote_upsert(s, m, s->name, &table, err);
}

static int send_rows(scry_remote *s, scry_milvus *m, const batch *b, scry_error *err)
{
    int result = 0;
    for (size_t from = 0, to; from < b->n && result == 0; from = to) {
        for (to = s->partitions ? from + 1 : b->n; to < b->n && strcmp(b->root[from], b->root[to]) == 0; to++)
            continue;
        result = send_slice(s, m, b->columns, from, to - from, b->root[from], err);
    }
    return result;
}

/* The rows for a bulk import. */
static int write_rows(scry_remote *s, const batch *b, scry_error *err)
{
    scry_milvus_column columns[SCRY_REMOTE_FIELDS];
    size_t count = 0;
    for (int i = 0; i < SCRY_REMOTE_FIELDS; i++)
        if (scry_remote_has_field(s, i))
            columns[count++] = b->columns[i];
    return scry_remote_files_add(s->files, columns, count, b->n, err);
}

/* Rows of a root that is a part of another one by now, which another machine has made. */
static int settle_rows(scry_remote *s, scry_milvus *m, const batch *b, scry_error *err)
{
    int result = 0;
    for (size_t i = 0; i < b->n && result == 0; i++) {
        size_t before = 0;
        while (before < i && strcmp(b->root[before], b->root[i]) != 0)
            before++;
        if (before == i)
            result = scry_remote_settle_rows(s, m, b->root[i], err);
    }
    return result;
}

/* Whether a later item of the batch is the same file: the last one counts, and Milvus would store both rows of one
 * upsert. */
static bool is_repeated(const scry_put *items, size_t n, size_t i)
{
    for (size_t k = i + 1; k < n; k++)
        if (memcmp(items[k].file.root, items[i].file.root, SCRY_ID_BYTES) == 0 &&
            strcmp(items[k].file.relative, items[i].file.relative) == 0)
            return true;
    return false;
}

/* Update the comparison's state; the files are not bad any more. */
static int remember(scry_remote *s, scry_milvus *m, const batch *b, const scry_put *const *items, scry_error *err)
{
    int result = 0;
    for (size_t i = 0; i < b->n && result >= 0; i++) {
        uint8_t id[SCRY_ID_BYTES];
        if (scry_unhex(b->id[i], id, sizeof id) < 0)
            continue;
        result = scry_remote_state_put(s, m, id, items[i], err);
        if (result == 0)
            result = scry_remote_side_drop(s, id, err);
    }
    return result < 0 ? result : 0;
}

static int compare_roots(const void *a, const void *b)
{
    const scry_put *x = *(const scry_put *const *)a, *y = *(const scry_put *const *)b;
    return memcmp(x->file.root, y->file.root, SCRY_ID_BYTES);
}

/* The rows of some of the items from `first` on. */
static int fill(scry_remote *s, scry_milvus *m, batch *b, const scry_put *const *items, const scry_put *first, scry_error *err)
{
    static const scry_remote_text_cells unread = { "", "", "" };
    int result = 0;
    for (size_t i = 0; i < b->n && result == 0; i++) {
        result = set_row(b, i, items[i], (size_t)s->base.dim, err);
        set_cells(b, i, b->cells ? &b->cells[items[i] - first] : &unread);
    }
    if (result == 0)
        result = complete(s, m, b, err);
    for (size_t i = 0; i < b->n && result == 0 && s->has_words; i++)
        set_words(b, i, items[i]);
    return result;
}

/* `cells` may be NULL: the texts that are stored are kept. */
static int put_some(scry_remote *s, scry_milvus *m, const scry_put *items, const scry_remote_text_cells *cells, size_t n,
                    scry_error *err)
{
    const scry_put **kept = scry_alloc((n + 1) * sizeof *kept);
    batch b;
    size_t count = 0;
    for (size_t i = 0; i < n; i++)
        if (!is_repeated(items, n, i))
            kept[count++] = &items[i];
    if (s->partitions && count)
        qsort(kept, count, sizeof *kept, compare_roots);
    batch_init(&b, count, (size_t)s->base.dim, s->half);
    b.cells = cells;
    int result = fill(s, m, &b, kept, items, err);
    if (result == 0)
        result = s->files ? write_rows(s, &b, err) : send_rows(s, m, &b, err);
    if (result == 0 && !s->files) {
        pthread_mutex_lock(&s->lock);
        s->raws = -1;
        pthread_mutex_unlock(&s->lock);
        s->unflushed += count;
        result = remember(s, m, &b, kept, err);
        if (result == 0)
            result = settle_rows(s, m, &b, err);
    }
    batch_dispose(&b);
    free(kept);
    return result;
}

int scry_remote_put(scry_store *base, const scry_put *items, size_t n, scry_error *err)
{
    enum { MOST_ROWS = 2048 };   /* bounds the memory in addition to the caller's, and the quadratic search for repetitions */
    scry_remote *s = (scry_remote *)base;
    scry_milvus *m;
    int result = scry_remote_check_writable(s, err);
    if (result < 0 || (result = scry_remote_take(s, &m, err)) < 0)
        return result;
    for (size_t at = 0; at < n && result == 0; at += MOST_ROWS)
        result = put_some(s, m, items + at, NULL, n - at < MOST_ROWS ? n - at : MOST_ROWS, err);
    scry_remote_give(s, m);
    return result;
}

int scry_remote_put_with_texts(scry_remote *s, scry_milvus *m, const scry_put *items, const scry_remote_text_cells *cells, size_t n,
                               scry_error *err)
{
    s->has_texts = 1;
    return put_some(s, m, items, cells, n, err);
}

/* ---- remove ---- */

/* How many of these rows exist; the count that a deletion returns is that of the keys in the request. */
static int count_rows(scry_remote *s, scry_milvus *m, const char *filter, uint64_t *out, scry_error *err)
{
    static const char *const fields[] = { "id" };
    scry_milvus_query q = { filter, fields, 1, 0, SCRY_MILVUS_STRONG };
    scry_milvus_rows *rows;
    int result = scry_remote_query(s, m, &q, &rows, err);
    if (result < 0)
        return result;
    *out = rows->rows;
    scry_milvus_rows_free(rows);
    return 0;
}

static int remove_some(scry_remote *s, scry_milvus *m, const uint8_t (*ids)[SCRY_ID_BYTES], size_t n, uint64_t *removed,
                       scry_error *err)
{
    char (*hex)[SCRY_REMOTE_HEX_ID] = scry_alloc(n * sizeof *hex);
    const char **texts = scry_alloc(n * sizeof *texts);
    for (size_t i = 0; i < n; i++) {
        scry_hex(ids[i], SCRY_ID_BYTES, hex[i]);
        texts[i] = hex[i];
    }
    scry_buf filter = SCRY_BUF_INIT(SCRY_REMOTE_FILTER_BYTES);
    scry_remote_in_list(&filter, "id", texts, n);
    uint64_t rows = 0;
    int result = count_rows(s, m, scry_buf_str(&filter), &rows, err);
    double deadline = scry_remote_deadline(s);
    if (result == 0 && rows)
        do
            result = scry_milvus_delete(m, s->name, scry_buf_str(&filter), NULL, err);
        while (result < 0 && scry_remote_revived(s, m, deadline, err));
    for (size_t i = 0; i < n && result == 0; i++) {
        int bad = scry_remote_side_drop(s, ids[i], err);
        result = bad < 0 ? bad : scry_remote_state_drop(s, m, ids[i], err);
        rows += bad > 0;
    }
    *removed += rows;
    scry_buf_dispose(&filter);
    free(texts);
    free(hex);
    return result;
}

int scry_remote_remove(scry_store *base, const uint8_t (*ids)[SCRY_ID_BYTES], size_t n, uint64_t *removed, scry_error *err)
{
    enum { MOST_IDS = 1000 };
    scry_remote *s = (scry_remote *)base;
    scry_milvus *m;
    int result = scry_remote_check_writable(s, err);
    *removed = 0;
    if (result < 0 || (result = scry_remote_take(s, &m, err)) < 0)
        return result;
    for (size_t at = 0; at < n && result == 0; at += MOST_IDS)
        result = remove_some(s, m, ids + at, n - at < MOST_IDS ? n - at : MOST_IDS, removed, err);
    /* Milvus 2.3 does not return the timestamp of a deletion, so later reads could not wait for it. */
    if (result == 0 && *removed)
        result = scry_remote_catch_up(s, m, err);
    scry_remote_give(s, m);
    return result;
}

int scry_remote_put_bad(scry_store *base, const scry_bad_file *bad, scry_error *err)
{
    scry_remote *s = (scry_remote *)base;
    uint64_t removed;
    bool known = false;
    int result = scry_remote_check_writable(s, err);
    if (result < 0)
        return result;
    /* A new bad file, the common case, has no row: no need to ask the server to delete it. */
    result = scry_remote_has_row(s, bad->id, &known, err);
    if (result == 0 && known)
        result = scry_remote_remove(base, &bad->id, 1, &removed, err);
    return result < 0 ? result : scry_remote_side_put(s, bad, err);
}
