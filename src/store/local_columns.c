/* local_columns.c - reading a columns file. It is a cache that anybody may have damaged:
 * nothing in it is believed that could lead outside of it. */
#include "store/columns_format.h"

#include "base/alloc.h"

#include <stdlib.h>
#include <string.h>

char *scry_columns_path(const scry_local *s, int64_t file)
{
    return scry_asprintf("%s/columns-%lld.cache", s->folder, (long long)file);
}

/* Whether section `i` lies in the file and holds `count` items of `item` bytes. */
static bool section_fits(const scry_columns_header *h, size_t size, int i, uint64_t count, size_t item)
{
    size_t bytes;
    uint64_t offset = h->section[i].offset;
    return scry_mul_size((size_t)count, item, &bytes) && h->section[i].size == bytes &&
           offset % 64 == 0 && offset <= size && bytes <= size - offset;
}

static bool header_good(const scry_columns_header *h, size_t size)
{
    const struct {
        uint64_t count;
        size_t item;
    } expected[SCRY_COLUMNS_SECTIONS] = {
        [SCRY_COLUMNS_SLOTS] = { h->rows, 4 }, [SCRY_COLUMNS_TIMES] = { h->rows, 8 },
        [SCRY_COLUMNS_LATITUDES] = { h->rows, 8 }, [SCRY_COLUMNS_LONGITUDES] = { h->rows, 8 },
        [SCRY_COLUMNS_NAME_AT] = { h->rows + 1, 8 },
        [SCRY_COLUMNS_NAMES] = { h->section[SCRY_COLUMNS_NAMES].size, 1 },
        [SCRY_COLUMNS_ROOTS] = { h->roots, sizeof(scry_column_root) },
        [SCRY_COLUMNS_TERM_AT] = { h->terms + 1, 8 },
        [SCRY_COLUMNS_TERMS] = { h->section[SCRY_COLUMNS_TERMS].size, 1 },
        [SCRY_COLUMNS_LIST_AT] = { h->terms + 1, 8 },
        [SCRY_COLUMNS_LISTS] = { h->section[SCRY_COLUMNS_LISTS].size / 4, 4 },
    };
    if (memcmp(h->magic, SCRY_COLUMNS_MAGIC, sizeof h->magic) != 0 || h->format != SCRY_COLUMNS_FORMAT ||
        h->sections != SCRY_COLUMNS_SECTIONS || h->rows > UINT32_MAX || h->terms >= UINT64_MAX / 8 ||
        h->crc != scry_crc32c(0, h, offsetof(scry_columns_header, crc)))
        return false;
    for (int i = 0; i < SCRY_COLUMNS_SECTIONS; i++)
        if (!section_fits(h, size, i, expected[i].count, expected[i].item))
            return false;
    return true;
}

bool scry_columns_parse(scry_columns *c, const uint8_t *data, size_t size)
{
    scry_columns_header h;
    if (size < sizeof h)
        return false;
    memcpy(&h, data, sizeof h);
    if (!header_good(&h, size))
        return false;
    const void *at[SCRY_COLUMNS_SECTIONS];
    for (int i = 0; i < SCRY_COLUMNS_SECTIONS; i++)
        at[i] = data + h.section[i].offset;
    c->map = (scry_map){ data, size };
    c->rows = h.rows;
    c->root_count = h.roots;
    c->term_count = h.terms;
    c->names_size = h.section[SCRY_COLUMNS_NAMES].size;
    c->terms_size = h.section[SCRY_COLUMNS_TERMS].size;
    c->list_size = h.section[SCRY_COLUMNS_LISTS].size / 4;
    c->slots = at[SCRY_COLUMNS_SLOTS];
    c->times = at[SCRY_COLUMNS_TIMES];
    c->latitudes = at[SCRY_COLUMNS_LATITUDES];
    c->longitudes = at[SCRY_COLUMNS_LONGITUDES];
    c->name_at = at[SCRY_COLUMNS_NAME_AT];
    c->names = at[SCRY_COLUMNS_NAMES];
    c->roots = at[SCRY_COLUMNS_ROOTS];
    c->term_at = at[SCRY_COLUMNS_TERM_AT];
    c->terms = at[SCRY_COLUMNS_TERMS];
    c->list_at = at[SCRY_COLUMNS_LIST_AT];
    c->lists = at[SCRY_COLUMNS_LISTS];
    return true;
}

bool scry_columns_intact(const scry_columns *c)
{
    scry_columns_header h;
    memcpy(&h, c->map.data, sizeof h);
    for (int i = 0; i < SCRY_COLUMNS_SECTIONS; i++)
        if (scry_crc32c(0, c->map.data + h.section[i].offset, h.section[i].size) != h.section[i].crc)
            return false;
    return true;
}

scry_columns *scry_columns_open(const scry_local *s, int64_t file, int64_t generation)
{
    scry_columns *c = scry_alloc(sizeof *c);
    scry_columns_header h;
    scry_map map;
    char *path = scry_columns_path(s, file);
    int result = scry_map_open(&map, path, NULL);
    free(path);
    c->refs = 1;
    c->file = file;
    if (result == 0 && scry_columns_parse(c, map.data, map.size)) {
        memcpy(&h, map.data, sizeof h);
        if (h.generation == (uint64_t)generation &&
            memcmp(h.collection, s->collection, sizeof h.collection) == 0)
            return c;
    }
    if (result == 0)
        scry_map_close(&map);
    free(c);
    return NULL;
}

void scry_columns_put(scry_columns *c)
{
    if (!c || --c->refs)
        return;
    scry_map_close(&c->map);
    free(c);
}

/* Bytes [at[i], at[i + 1]) of `bytes`, which has `total`. */
static const char *slice(const uint64_t *at, uint64_t i, const char *bytes, uint64_t total, size_t *size)
{
    uint64_t from = at[i], to = at[i + 1];
    bool good = from <= to && to <= total;
    *size = good ? (size_t)(to - from) : 0;
    return bytes + (good ? from : 0);
}

const char *scry_columns_name(const scry_columns *c, uint64_t i, size_t *size)
{
    return slice(c->name_at, i, c->names, c->names_size, size);
}

const char *scry_columns_term(const scry_columns *c, uint64_t i, size_t *size)
{
    return slice(c->term_at, i, c->terms, c->terms_size, size);
}

const uint32_t *scry_columns_list(const scry_columns *c, uint64_t i, size_t *count)
{
    uint64_t from = c->list_at[i], to = c->list_at[i + 1];
    bool good = from <= to && to <= c->list_size;
    *count = good ? (size_t)(to - from) : 0;
    return c->lists + (good ? from : 0);
}

uint64_t scry_columns_find(const scry_columns *c, uint64_t first, uint64_t end, const char *name, size_t size)
{
    while (first < end) {
        uint64_t middle = first + (end - first) / 2;
        size_t n;
        const char *other = scry_columns_name(c, middle, &n);
        int order = memcmp(other, name, n < size ? n : size);
        if (order < 0 || (order == 0 && n < size))
            first = middle + 1;
        else
            end = middle;
    }
    return first;
}
