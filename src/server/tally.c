#include "server/tally.h"

#include "base/alloc.h"

#include <stdlib.h>
#include <string.h>

typedef struct {
    char *text;       /* NULL: a free slot */
    uint64_t count;
} slot;

/* Open addressing with linear probing, at most half full. */
struct tally {
    slot *slots;
    size_t capacity, used;
};

tally *tally_new(void)
{
    tally *t = scry_alloc(sizeof *t);
    t->capacity = 64;
    t->slots = scry_alloc(t->capacity * sizeof *t->slots);
    return t;
}

static slot *find(tally *t, const char *text)
{
    uint64_t h = 14695981039346656037u;   /* FNV-1a */
    for (const unsigned char *p = (const unsigned char *)text; *p; p++)
        h = (h ^ *p) * 1099511628211u;
    size_t i = h & (t->capacity - 1);
    while (t->slots[i].text && strcmp(t->slots[i].text, text) != 0)
        i = (i + 1) & (t->capacity - 1);
    return &t->slots[i];
}

static void grow(tally *t)
{
    tally old = *t;
    t->capacity *= 2;
    t->slots = scry_alloc(t->capacity * sizeof *t->slots);
    for (size_t i = 0; i < old.capacity; i++)
        if (old.slots[i].text)
            *find(t, old.slots[i].text) = old.slots[i];
    free(old.slots);
}

void tally_add(tally *t, const char *text)
{
    slot *s = find(t, text);
    if (!s->text) {
        if (2 * (t->used + 1) > t->capacity) {
            grow(t);
            s = find(t, text);
        }
        s->text = scry_strdup(text);
        t->used++;
    }
    s->count++;
}

static int by_count(const void *a, const void *b)
{
    const slot *x = a, *y = b;
    return x->count != y->count ? (x->count < y->count) - (x->count > y->count) : strcmp(x->text, y->text);
}

void tally_write(tally *t, size_t max, scry_json_writer *w)
{
    slot *list = scry_alloc((t->used + 1) * sizeof *list);
    size_t n = 0;
    for (size_t i = 0; i < t->capacity; i++)
        if (t->slots[i].text)
            list[n++] = t->slots[i];
    qsort(list, n, sizeof *list, by_count);
    scry_json_begin(w, '[');
    for (size_t i = 0; i < n && i < max; i++) {
        scry_json_begin(w, '{');
        scry_json_key(w, "name");
        scry_json_put_str(w, list[i].text);
        scry_json_key(w, "count");
        scry_json_put_int(w, (int64_t)list[i].count);
        scry_json_end(w, '}');
    }
    scry_json_end(w, ']');
    free(list);
}

void tally_free(tally *t)
{
    for (size_t i = 0; i < t->capacity; i++)
        free(t->slots[i].text);
    free(t->slots);
    free(t);
}
