/* columns_read.c - reading a columns file. It may be damaged in any way: every offset is
 * bounds-checked, here or where it is used. */
#include "store/local/columns_format.h"

#include "base/alloc.h"
#include "base/crc32c.h"
#include "store/words.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

char *scry_columns_path(const scry_local *s, int64_t file)
{
    return scry_asprintf("%s/columns-%lld.cache", s->folder, (long long)file);
}

/* Whether section `i` is inside the file and holds `count` items of `item` bytes. */
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

static bool sections_intact(const scry_columns *c, unsigned sections)
{
    scry_columns_header h;
    memcpy(&h, c->map.data, sizeof h);
    for (int i = 0; i < SCRY_COLUMNS_SECTIONS; i++)
        if (sections >> i & 1 && scry_crc32c(0, c->map.data + h.section[i].offset, h.section[i].size) != h.section[i].crc)
            return false;
    return true;
}

bool scry_columns_intact(const scry_columns *c)
{
    return sections_intact(c, (1u << SCRY_COLUMNS_SECTIONS) - 1);
}

bool scry_columns_trust(scry_columns *c, unsigned sections)
{
    unsigned unknown = sections & ~c->intact;
    if (unknown && scry_crc32c_is_fast() && !sections_intact(c, unknown))
        return false;
    c->intact |= sections;
    return true;
}

scry_columns *scry_columns_open(const scry_local *s, int64_t file, int64_t generation)
{
    scry_columns *c = scry_alloc(sizeof *c);
    scry_columns_header h;
    scry_map map;
    char *path = scry_columns_path(s, file);
    int result = scry_map_open_fd(&map, &c->fd, path, NULL);
    free(path);
    c->refs = 1;
    c->file = file;
    c->guard = result == 0 ? scry_map_guard_new(map.data, map.size) : NULL;
    if (result == 0 && scry_columns_parse(c, map.data, map.size)) {
        memcpy(&h, map.data, sizeof h);
        if (h.generation == (uint64_t)generation &&
            memcmp(h.collection, s->collection, sizeof h.collection) == 0)
            return c;
    }
    scry_map_guard_free(c->guard);
    if (result == 0) {
        scry_map_close(&map);
        close(c->fd);
    }
    free(c);
    return NULL;
}

/* The file that is mapped, not the one that has its name now: a compaction starts the numbers anew. */
bool scry_columns_whole(const scry_columns *c)
{
    struct stat st;
    return !scry_map_guard_lost(c->guard) && fstat(c->fd, &st) == 0 && (uint64_t)st.st_size >= c->map.size;
}

void scry_columns_release(scry_columns *c)
{
    if (!c || --c->refs)
        return;
    scry_map_guard_free(c->guard);
    scry_map_close(&c->map);
    close(c->fd);
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

uint64_t scry_columns_find_term(const scry_columns *c, char kind, const char *text)
{
    uint64_t first = 0, end = c->term_count;
    size_t size = strlen(text) + 1;
    while (first < end) {
        uint64_t middle = first + (end - first) / 2;
        size_t n;
        const char *term = scry_columns_term(c, middle, &n);
        int order = n == 0 ? -1 : term[0] - kind;
        if (order == 0)
            order = memcmp(term + 1, text, (n < size ? n : size) - 1);
        if (order < 0 || (order == 0 && n < size))
            first = middle + 1;
        else
            end = middle;
    }
    return first;
}

const uint32_t *scry_columns_list_of(const scry_columns *c, char kind, const char *text, size_t *count)
{
    uint64_t i = scry_columns_find_term(c, kind, text);
    size_t n = 0, size = strlen(text) + 1;
    const char *term = i < c->term_count ? scry_columns_term(c, i, &n) : "";
    *count = 0;
    return n == size && term[0] == kind && memcmp(term + 1, text, size - 1) == 0 ? scry_columns_list(c, i, count) : NULL;
}

bool scry_columns_has_words(const scry_columns *c)
{
    size_t n;
    return scry_columns_list_of(c, SCRY_TERM_WORD, "\n" SCRY_WORDS_VERSION, &n) != NULL;
}

bool scry_columns_root(const scry_columns *c, int64_t number, uint64_t *first, uint64_t *end)
{
    for (uint64_t i = 0; i < c->root_count; i++) {
        const scry_column_root *r = &c->roots[i];
        if (r->number != number || r->first > r->end || r->end > c->rows)
            continue;
        *first = r->first;
        *end = r->end;
        return true;
    }
    return false;
}

bool scry_columns_has_name(const scry_columns *c, uint64_t i, const char *name, size_t size)
{
    size_t n;
    const char *other = scry_columns_name(c, i, &n);
    return n == size && memcmp(other, name, n) == 0;
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
