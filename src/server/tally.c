#include "server/tally.h"

#include "base/alloc.h"
#include "base/sha256.h"
#include "base/table.h"
#include "engine/listing.h"

#include <stdlib.h>
#include <string.h>

typedef struct {
    char *text;       /* of the table */
    uint64_t count;
    int64_t time_s;   /* of the newest picture */
    uint8_t id[SCRY_ID_BYTES];
} entry;

struct tally {
    scry_table table;
    bool failed;
};

tally *tally_new(void)
{
    tally *t = scry_alloc(sizeof *t);
    t->table = (scry_table)SCRY_TABLE_OF_TEXTS(sizeof(entry), SIZE_MAX);
    return t;
}

void tally_add(tally *t, const char *text, const scry_file *f)
{
    int64_t n = scry_table_add(&t->table, text, NULL), time_s = scry_sort_time(f);
    t->failed |= n < 0;
    if (n < 0)
        return;
    entry *e = scry_table_at(&t->table, (size_t)n);
    if (e->count++ == 0 || time_s > e->time_s) {
        e->time_s = time_s;
        memcpy(e->id, f->id, sizeof e->id);
    }
}

static int by_count(const void *a, const void *b)
{
    const entry *x = a, *y = b;
    return x->count != y->count ? (x->count < y->count) - (x->count > y->count) : strcmp(x->text, y->text);
}

bool tally_write(const tally *t, size_t max, double share, scry_json_writer *w)
{
    size_t n = t->table.count;
    entry *list = scry_alloc((n + 1) * sizeof *list);
    if (n)
        memcpy(list, scry_table_at(&t->table, 0), n * sizeof *list);
    qsort(list, n, sizeof *list, by_count);
    scry_json_begin(w, '[');
    for (size_t i = 0; i < n && i < max; i++) {
        char id[2 * SCRY_ID_BYTES + 1];
        scry_hex(list[i].id, SCRY_ID_BYTES, id);
        scry_json_begin(w, '{');
        scry_json_add_str(w, "name", list[i].text);
        scry_json_add_int(w, "count", (int64_t)((double)list[i].count / share + 0.5));
        scry_json_add_str(w, "id", id);
        scry_json_end(w, '}');
    }
    scry_json_end(w, ']');
    free(list);
    return !t->failed;
}

void tally_free(tally *t)
{
    scry_table_dispose(&t->table);
    free(t);
}
