/* remote_brief.c - what lists in another order, the timeline and the map are made of: of each file nine fields instead of 28,
 * and in answers as large as they may be, since they are put in order here. For 200,000 rows that takes 1.1 s of the server's
 * processor time, where whole rows take 2.8 s. All are held meanwhile, some hundred bytes each, as lists hold them. The first few
 * by time, size or rating take 0.03 s.
 */
#include "store/milvus/remote_internal.h"

#include "base/alloc.h"
#include "base/sha256.h"
#include "base/table.h"
#include "store/pairs.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char ESCAPE[] = "\x1a";   /* stored texts with it are unescaped */

typedef struct entry {
    int64_t time_s, number;   /* number: the rating or the size, if it is wanted */
    double latitude, longitude;
    size_t path;             /* in `text`: as it is stored */
    uint32_t root;           /* in `roots` */
    bool has_time, has_position, is_raw;
    uint8_t content[SCRY_HASH_BYTES];   /* of unique */
} entry;

typedef struct brief {
    scry_remote *s;
    scry_milvus *m;
    const char *filter;      /* as an expression */
    const scry_brief_walk *walk;
    int (*each)(void *, const scry_file *);
    void *arg;
    scry_remote_roots *roots;
    scry_table ids;          /* of roots, as hex */
    size_t *rank;            /* of each of them: those that are known, in order, then the others */
    entry *items;
    size_t count, capacity;
    scry_buf text;
} brief;

/* ---- reading ---- */

typedef struct columns {
    const scry_milvus_column *root, *path, *time, *has_time, *has_position, *latitude, *longitude, *content, *format, *number;
} columns;

static bool find_columns(const brief *b, const scry_milvus_rows *rows, columns *c)
{
    bool rating = b->walk->wanted & SCRY_BRIEF_RATING, number = b->walk->wanted & (SCRY_BRIEF_RATING | SCRY_BRIEF_SIZE);
    *c = (columns){
        .root = scry_milvus_find_column(rows, "root", SCRY_MILVUS_VARCHAR),
        .path = scry_milvus_find_column(rows, "path", SCRY_MILVUS_VARCHAR),
        .time = scry_milvus_find_column(rows, "time", SCRY_MILVUS_INT64),
        .has_time = scry_milvus_find_column(rows, "has_time", SCRY_MILVUS_BOOL),
        .has_position = scry_milvus_find_column(rows, "has_position", SCRY_MILVUS_BOOL),
        .latitude = scry_milvus_find_column(rows, "latitude", SCRY_MILVUS_DOUBLE),
        .longitude = scry_milvus_find_column(rows, "longitude", SCRY_MILVUS_DOUBLE),
        .content = scry_milvus_find_column(rows, "content", SCRY_MILVUS_VARCHAR),
        .format = scry_milvus_find_column(rows, "format", SCRY_MILVUS_VARCHAR),
        .number = scry_milvus_find_column(rows, rating ? "rating" : "size", SCRY_MILVUS_INT64),
    };
    return c->root && c->path && c->time && c->has_time && c->has_position && c->latitude && c->longitude &&
           (!b->walk->unique || (c->content && c->format)) && (!number || c->number);
}

static int add_row(brief *b, const columns *c, size_t i, scry_error *err)
{
    int64_t root = scry_table_add(&b->ids, c->root->strings[i], err);
    if (root < 0)
        return (int)root;
    if (b->count == b->capacity) {
        b->capacity = 2 * b->capacity + 1024;
        b->items = scry_realloc(b->items, b->capacity * sizeof *b->items);
    }
    entry *e = &b->items[b->count++];
    *e = (entry){ .time_s = c->time->longs[i], .number = c->number ? c->number->longs[i] : 0, .latitude = c->latitude->doubles[i],
                  .longitude = c->longitude->doubles[i], .path = b->text.size, .root = (uint32_t)root,
                  .has_time = c->has_time->bools[i], .has_position = c->has_position->bools[i] };
    if (b->walk->unique) {
        e->is_raw = strcmp(c->format->strings[i], "raw") == 0;
        if (scry_unhex(c->content->strings[i], e->content, sizeof e->content) < 0)
            return scry_fail(err, SCRY_EINVALID, "a row of the collection %s at %s was not written by scry", b->s->shown, b->s->where);
    }
    scry_buf_append(&b->text, c->path->strings[i], strlen(c->path->strings[i]) + 1);
    return b->text.failed ? scry_fail(err, SCRY_ENOMEM, "no memory for a list") : 0;
}

static int add_page(void *arg, const scry_milvus_rows *page, scry_error *err)
{
    brief *b = arg;
    columns c;
    int result = 0;
    if (page->rows && !find_columns(b, page, &c))
        return scry_fail(err, SCRY_EREMOTE, "Milvus answered without the fields that were asked for");
    for (size_t i = 0; i < page->rows && result == 0; i++)
        result = add_row(b, &c, i, err);
    return result;
}

/* ---- the first ones of an order ---- */

/* The field of the order. */
static const char *order_field(const brief *b)
{
    return b->walk->order & SCRY_BRIEF_RATING ? "rating" : b->walk->order & SCRY_BRIEF_SIZE ? "size" : "time";
}

/* Rows that pass the filter and `more`. */
static int query(const brief *b, const char *more, const scry_remote_fields *fields, scry_milvus_rows **out, scry_error *err)
{
    scry_buf both = SCRY_BUF_INIT(2 * SCRY_REMOTE_FILTER_BYTES);
    scry_buf_printf(&both, b->filter[0] ? "(%s) and %s" : "%s%s", b->filter, more);
    scry_milvus_query q = { scry_buf_str(&both), fields->names, fields->count, SCRY_MILVUS_MAX_TOPK,
                            scry_remote_freshness(b->s) };
    int result = scry_remote_query(b->s, b->m, &q, out, err);
    scry_buf_dispose(&both);
    return result;
}

static int largest_first(const void *a, const void *b)
{
    const int64_t *x = a, *y = b;
    return (*x < *y) - (*x > *y);
}

static int smallest_first(const void *a, const void *b)
{
    return largest_first(b, a);
}

/* What rows of a sample of `total` rows have in the field of the order, the first ones first; owned. */
static int sample_order(const brief *b, int64_t total, int64_t **out, size_t *count, scry_error *err)
{
    enum { SAMPLE = 2000 };
    const char *name = order_field(b);
    const scry_remote_fields fields = { .names = &name, .count = 1 };
    char part[64];
    scry_milvus_rows *rows;
    snprintf(part, sizeof part, "id < \"%08x\"", (unsigned)((double)SAMPLE / (double)total * 0x1p32));
    int result = query(b, part, &fields, &rows, err);
    if (result < 0)
        return result;
    const scry_milvus_column *c = scry_milvus_find_column(rows, name, SCRY_MILVUS_INT64);
    *count = c ? rows->rows : 0;
    *out = scry_alloc((*count + 1) * sizeof **out);
    for (size_t i = 0; i < *count; i++)
        (*out)[i] = c->longs[i];
    if (*count)
        qsort(*out, *count, sizeof **out, b->walk->smallest ? smallest_first : largest_first);
    scry_milvus_rows_free(rows);
    return 0;
}

/* The rows up to a value of the order, if they are at least as many as are wanted: 0. Fewer: 2. More than an answer has, since so
 * many have one value: 1. */
static int read_up_to(brief *b, int64_t value, const scry_remote_fields *fields, scry_error *err)
{
    char part[64];
    scry_milvus_rows *rows;
    snprintf(part, sizeof part, "%s %s %lld", order_field(b), b->walk->smallest ? "<=" : ">=", (long long)value);
    int result = query(b, part, fields, &rows, err);
    if (result < 0)
        return result;
    if (rows->rows >= SCRY_MILVUS_MAX_TOPK)
        result = 1;
    else
        result = rows->rows < b->walk->first ? 2 : add_page(b, rows, err);
    scry_milvus_rows_free(rows);
    return result;
}

/* All rows that have at least the first so many by the order: those up to a value of a sample, of which there are few too many. A
 * count, a sample and an answer or two, however many rows there are. 1: all are to be read. */
static int read_first(brief *b, const scry_remote_fields *fields, scry_error *err)
{
    enum { FEW = 16000, SPARE = 4 };
    int64_t total, *values = NULL;
    size_t count = 0;
    int result = scry_remote_count(b->s, b->m, b->filter, scry_remote_freshness(b->s), &total, err);
    if (result < 0 || total <= FEW || b->walk->first > FEW / 2)
        return result < 0 ? result : 1;
    result = sample_order(b, total, &values, &count, err);
    size_t at = (size_t)((double)b->walk->first / (double)total * (double)count) + SPARE;
    if (result == 0)
        result = 2;
    for (; result == 2; at *= 2)
        result = at < count ? read_up_to(b, values[at], fields, err) : 1;
    free(values);
    if (result == 0)
        *b->walk->total = (uint64_t)total;
    return result;
}

static int read_rows(brief *b, scry_error *err)
{
    const char *names[12] = { "root", "path", "time", "has_time", "has_position", "latitude", "longitude" };
    enum { FIELDS = 7, ROW_BYTES = 600 };
    scry_remote_fields fields = { names, FIELDS, ROW_BYTES, scry_remote_freshness(b->s) };
    if (b->walk->unique) {
        names[fields.count++] = "content";
        names[fields.count++] = "format";
    }
    if (b->walk->wanted & (SCRY_BRIEF_RATING | SCRY_BRIEF_SIZE))
        names[fields.count++] = b->walk->wanted & SCRY_BRIEF_RATING ? "rating" : "size";
    int result = b->walk->first ? read_first(b, &fields, err) : 1;
    return result == 1 ? scry_remote_scan(b->s, b->filter, &fields, add_page, b, err) : result;
}

/* ---- order ---- */

static bool is_known(const brief *b, const char *id)
{
    bool known = false;
    for (size_t i = 0; i < b->roots->count && !known; i++)
        known = strcmp(b->roots->ids[i], id) == 0;
    return known;
}

/* Of the root in the table; as scry_remote_each_file walks them. */
static void set_ranks(brief *b)
{
    b->rank = scry_alloc((b->ids.count + 1) * sizeof *b->rank);
    for (size_t i = 0; i < b->ids.count; i++) {
        const char *id = scry_table_text(&b->ids, i);
        bool known = is_known(b, id);
        for (size_t k = 0; k < b->ids.count; k++) {
            const char *other = scry_table_text(&b->ids, k);
            bool other_known = is_known(b, other);
            b->rank[i] += other_known != known ? other_known : strcmp(other, id) < 0;
        }
    }
}

static int compare_entries(const void *x, const void *y, void *arg)
{
    const entry *a = x, *c = y;
    const brief *b = arg;
    size_t left = b->rank[a->root], right = b->rank[c->root];
    return left != right ? (left > right) - (left < right) : strcmp(b->text.data + a->path, b->text.data + c->path);
}

typedef struct lead_lookup {
    brief *b;
    entry *raw;
} lead_lookup;

/* Whether the files have a lead of this name beside the RAW. */
static bool has_lead(void *arg, const char *other)
{
    lead_lookup *l = arg;
    brief *b = l->b;
    size_t before = b->text.size;
    entry wanted = { .root = l->raw->root, .path = before };
    scry_milvus_escape(&b->text, other);
    scry_buf_append(&b->text, "", 1);
    size_t low = 0, high = b->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (compare_entries(&b->items[middle], &wanted, b) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    bool found = low < b->count && compare_entries(&b->items[low], &wanted, b) == 0;
    b->text.size = before;
    return found;
}

/* A copy of the path below the root, as the file has it; owned. */
static char *relative_of(const brief *b, const entry *e)
{
    char *relative = scry_strdup(b->text.data + e->path);
    if (strstr(relative, ESCAPE))
        scry_milvus_unescape(relative);
    return relative;
}

/* A RAW that its JPEG stands for. */
static bool is_hidden(brief *b, entry *e)
{
    size_t stem;
    if (!e->is_raw)
        return false;
    char *relative = relative_of(b, e);
    lead_lookup l = { b, e };
    bool hidden = scry_pair_part_of(relative, strlen(relative), &stem) == SCRY_PAIR_RAW && scry_pair_names(relative, has_lead, &l);
    free(relative);
    return hidden;
}

/* ---- handing out ---- */

static int hand_out(const brief *b, const entry *e)
{
    const char *id = scry_table_text(&b->ids, e->root);
    char *relative = relative_of(b, e), *path = scry_store_join(scry_remote_roots_path(b->roots, id), relative);
    bool rating = b->walk->wanted & SCRY_BRIEF_RATING, size = !rating && b->walk->wanted & SCRY_BRIEF_SIZE;
    scry_file f = { .relative = relative, .path = path, .camera = "", .format = "", .key = "", .lens = "", .title = "", .description = "",
                    .keywords = "", .has_time = e->has_time, .taken_at = e->has_time ? e->time_s : 0, .has_position = e->has_position,
                    .latitude = e->latitude, .longitude = e->longitude, .size = size ? e->number : 0,
                    .has_rating = rating && e->number != SCRY_REMOTE_NO_RATING };
    f.rating = f.has_rating ? (int)e->number : 0;
    bool known = e->time_s < INT64_MAX / 1000000000 && e->time_s > INT64_MIN / 1000000000;
    f.mtime_ns = e->has_time || !known ? 0 : e->time_s * 1000000000;
    int stop = scry_unhex(id, f.root, SCRY_ID_BYTES) == 0 ? b->each(b->arg, &f) : 0;
    free(path);
    free(relative);
    return stop;
}

static int hand_out_all(brief *b, scry_error *err)
{
    scry_table seen = SCRY_TABLE_OF_BYTES(SCRY_HASH_BYTES, SCRY_HASH_BYTES, 1 << 30);
    int result = 0;
    for (size_t i = 0; i < b->count && result == 0; i++) {
        entry *e = &b->items[i];
        size_t before = seen.count;
        if (b->walk->unique && is_hidden(b, e))
            continue;
        int64_t number = b->walk->unique ? scry_table_add(&seen, e->content, err) : 0;
        if (number < 0)
            result = (int)number;
        else if (!b->walk->unique || seen.count > before)
            result = hand_out(b, e) != 0;
    }
    scry_table_dispose(&seen);
    return result < 0 ? result : 0;
}

int scry_remote_each_brief(scry_store *base, const scry_brief_walk *walk, int (*each)(void *, const scry_file *), void *arg,
                           scry_error *err)
{
    scry_remote *s = (scry_remote *)base;
    brief b = { .s = s, .walk = walk, .each = each, .arg = arg, .text = SCRY_BUF_INIT((size_t)1 << 40),
                .ids = SCRY_TABLE_OF_TEXTS(sizeof(char *), 1 << 24) };
    scry_buf filter = SCRY_BUF_INIT(SCRY_REMOTE_FILTER_BYTES);
    scry_milvus_cover cover = SCRY_MILVUS_EXACT;
    unsigned numbers = walk->wanted & (SCRY_BRIEF_RATING | SCRY_BRIEF_SIZE);
    if (walk->wanted & SCRY_BRIEF_NAMES || (numbers & SCRY_BRIEF_RATING && (numbers & SCRY_BRIEF_SIZE || !s->has_details)))
        return 1;
    int result = scry_remote_take(s, &b.m, err);
    if (result < 0)
        return result;
    result = scry_remote_filter(s, b.m, walk->filter, &filter, &cover, err);
    b.roots = scry_remote_roots_hold(s);
    if (result == 0 && cover == SCRY_MILVUS_WIDER)
        result = 1;
    b.filter = scry_buf_str(&filter);
    if (result == 0 && cover == SCRY_MILVUS_EXACT)
        result = read_rows(&b, err);
    scry_remote_give(s, b.m);
    if (result == 0 && b.count) {
        set_ranks(&b);
        qsort_r(b.items, b.count, sizeof *b.items, compare_entries, &b);
        result = hand_out_all(&b, err);
    }
    scry_buf_dispose(&filter);
    scry_buf_dispose(&b.text);
    scry_table_dispose(&b.ids);
    scry_remote_roots_release(s, b.roots);
    free(b.rank);
    free(b.items);
    return result;
}
