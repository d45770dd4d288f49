/* columns_write.c - writing a columns file: one walk over all files in order.
 *
 * Terms are collected in a hash table in the order they are met; each row's terms are
 * noted as pairs (term, row) and sorted by counting, which leaves every list ascending.
 */
#include "store/columns_format.h"

#include "base/alloc.h"
#include "base/buf.h"
#include "store/filter_internal.h"

#include <fcntl.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SECTION_LIMIT ((size_t)1 << 36)

typedef struct {
    uint32_t term, row;
} pair;

typedef struct {
    scry_buf slots, times, latitudes, longitudes, name_at, names, roots;
    scry_buf term_bytes, term_at;   /* terms as met; [terms + 1] */
    scry_buf pairs;
    uint32_t *table;                /* hash table of term numbers + 1 */
    size_t table_size, terms;
    uint64_t rows;
    bool failed;
} builder;

static uint64_t hash_bytes(const char *bytes, size_t n)
{
    uint64_t h = 0xcbf29ce484222325u;   /* FNV-1a */
    for (size_t i = 0; i < n; i++)
        h = (h ^ (uint8_t)bytes[i]) * 0x100000001b3u;
    return h ^ h >> 29;
}

static const char *term_bytes(const builder *b, size_t term, size_t *n)
{
    const uint64_t *at = (const uint64_t *)(const void *)b->term_at.data;
    *n = (size_t)(at[term + 1] - at[term]);
    return b->term_bytes.data + at[term];
}

/* Where the term stands in the table, or the free place where it belongs. */
static size_t find_place(const builder *b, const char *bytes, size_t n)
{
    size_t i = hash_bytes(bytes, n) & (b->table_size - 1), size;
    for (; b->table[i]; i = (i + 1) & (b->table_size - 1)) {
        const char *other = term_bytes(b, b->table[i] - 1, &size);
        if (size == n && memcmp(other, bytes, n) == 0)
            break;
    }
    return i;
}

static bool grow_table(builder *b)
{
    uint32_t *old = b->table;
    size_t old_size = b->table_size;
    b->table_size = old_size ? 2 * old_size : 1024;
    b->table = scry_try_alloc(b->table_size, sizeof *b->table);
    if (!b->table) {
        b->table = old;
        b->table_size = old_size;
        return false;
    }
    for (size_t i = 0; i < old_size; i++)
        if (old[i]) {
            size_t n;
            const char *bytes = term_bytes(b, old[i] - 1, &n);
            b->table[find_place(b, bytes, n)] = old[i];
        }
    free(old);
    return true;
}

static void note_term(builder *b, char kind, const char *text)
{
    if (2 * b->terms >= b->table_size && !grow_table(b)) {
        b->failed = true;
        return;
    }
    size_t n = strlen(text) + 1, begin = b->term_bytes.size;
    scry_buf_append(&b->term_bytes, &kind, 1);
    scry_buf_append(&b->term_bytes, text, n - 1);
    if (b->term_bytes.failed)
        return;
    size_t place = find_place(b, b->term_bytes.data + begin, n);
    if (b->table[place]) {
        b->term_bytes.size = begin;   /* known: take the bytes back */
    } else {
        uint64_t end = b->term_bytes.size;
        scry_buf_append(&b->term_at, &end, sizeof end);
        b->table[place] = (uint32_t)++b->terms;
    }
    pair p = { b->table[place] - 1, (uint32_t)b->rows };
    scry_buf_append(&b->pairs, &p, sizeof p);
}

static void note_root(builder *b, int64_t number)
{
    scry_column_root *roots = (scry_column_root *)(void *)b->roots.data;
    size_t n = b->roots.size / sizeof *roots;
    if (n == 0 || roots[n - 1].number != number) {
        scry_column_root root = { number, b->rows, b->rows };
        scry_buf_append(&b->roots, &root, sizeof root);
        if (b->roots.failed)
            return;
        roots = (scry_column_root *)(void *)b->roots.data;
        n++;
    }
    roots[n - 1].end = b->rows + 1;
}

static void note_row(builder *b, const scry_row *row)
{
    const scry_file *f = &row->file;
    uint32_t slot = (uint32_t)row->slot;
    int64_t time = scry_file_time(f);
    double latitude = f->has_position ? f->latitude : NAN, longitude = f->has_position ? f->longitude : NAN;
    note_root(b, row->root_number);
    scry_buf_append(&b->slots, &slot, sizeof slot);
    scry_buf_append(&b->times, &time, sizeof time);
    scry_buf_append(&b->latitudes, &latitude, sizeof latitude);
    scry_buf_append(&b->longitudes, &longitude, sizeof longitude);
    scry_buf_append(&b->names, f->relative, strlen(f->relative));
    uint64_t end = b->names.size;
    scry_buf_append(&b->name_at, &end, sizeof end);
    note_term(b, SCRY_TERM_CAMERA, f->camera);
    note_term(b, SCRY_TERM_FORMAT, f->format);
    note_term(b, SCRY_TERM_KEY, f->key);
    for (size_t i = 0; i < f->label_count; i++)
        note_term(b, SCRY_TERM_LABEL, f->labels[i]);
    b->rows++;
}

static int collect(scry_local *s, builder *b)
{
    sqlite3_stmt *st = NULL;
    scry_root_list roots;
    scry_row row = { 0 };
    int result = scry_root_list_load(&s->writer, &roots, NULL);
    if (result == 0)
        result = scry_db_start(&s->writer, SCRY_SQL_FILES_ORDERED, &st, NULL, "");
    while (result == 0 && (result = scry_db_step(&s->writer, st, NULL)) == 1) {
        result = scry_row_read(&row, st, &roots, s->db_path, NULL);
        if (result == 0)
            note_row(b, &row);
        if (b->failed || b->rows > UINT32_MAX - 1)
            result = -1;
    }
    scry_db_end(st);
    scry_row_dispose(&row);
    scry_root_list_dispose(&roots);
    const scry_buf *all[] = { &b->slots, &b->times, &b->latitudes, &b->longitudes, &b->name_at, &b->names,
                              &b->roots, &b->term_bytes, &b->term_at, &b->pairs };
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        result = all[i]->failed ? -1 : result;
    return result;
}

/* ---- from what was met to what is written ---- */

typedef struct {
    scry_buf term_at, terms, list_at, lists;
} sorted_terms;

static int compare_terms(const void *x, const void *y, void *arg)
{
    size_t n, m;
    const char *a = term_bytes(arg, *(const uint32_t *)x, &n), *b = term_bytes(arg, *(const uint32_t *)y, &m);
    int order = memcmp(a, b, n < m ? n : m);
    return order ? order : n < m ? -1 : n > m;
}

/* order[i]: the i-th term by bytes; counts: rows of each term. */
static void write_terms(const builder *b, const uint32_t *order, uint64_t *starts, sorted_terms *t)
{
    const pair *pairs = (const pair *)(const void *)b->pairs.data;
    size_t n = b->pairs.size / sizeof *pairs;
    uint64_t zero = 0, at = 0;
    for (size_t i = 0; i < n; i++)
        starts[pairs[i].term]++;
    scry_buf_append(&t->term_at, &zero, sizeof zero);
    scry_buf_append(&t->list_at, &zero, sizeof zero);
    for (size_t i = 0; i < b->terms; i++) {
        size_t size;
        const char *bytes = term_bytes(b, order[i], &size);
        uint64_t count = starts[order[i]], end = t->terms.size + size;
        starts[order[i]] = at;
        at += count;
        scry_buf_append(&t->terms, bytes, size);
        scry_buf_append(&t->term_at, &end, sizeof end);
        scry_buf_append(&t->list_at, &at, sizeof at);
    }
    uint32_t *lists = scry_buf_extend(&t->lists, n * sizeof *lists);
    for (size_t i = 0; lists && i < n; i++)
        lists[starts[pairs[i].term]++] = pairs[i].row;
}

static bool sort_terms(builder *b, sorted_terms *t)
{
    uint32_t *order = scry_try_alloc(b->terms, sizeof *order);
    uint64_t *starts = scry_try_alloc(b->terms, sizeof *starts);
    if (order && starts) {
        for (size_t i = 0; i < b->terms; i++)
            order[i] = (uint32_t)i;
        if (b->terms)
            qsort_r(order, b->terms, sizeof *order, compare_terms, b);
        write_terms(b, order, starts, t);
    }
    bool good = order && starts && !t->term_at.failed && !t->terms.failed && !t->list_at.failed && !t->lists.failed;
    free(order);
    free(starts);
    return good;
}

static bool write_sections(const scry_local *s, int fd, const builder *b, const sorted_terms *t)
{
    const scry_buf *sections[SCRY_COLUMNS_SECTIONS] = {
        [SCRY_COLUMNS_SLOTS] = &b->slots, [SCRY_COLUMNS_TIMES] = &b->times,
        [SCRY_COLUMNS_LATITUDES] = &b->latitudes, [SCRY_COLUMNS_LONGITUDES] = &b->longitudes,
        [SCRY_COLUMNS_NAME_AT] = &b->name_at, [SCRY_COLUMNS_NAMES] = &b->names,
        [SCRY_COLUMNS_ROOTS] = &b->roots, [SCRY_COLUMNS_TERM_AT] = &t->term_at,
        [SCRY_COLUMNS_TERMS] = &t->terms, [SCRY_COLUMNS_LIST_AT] = &t->list_at,
        [SCRY_COLUMNS_LISTS] = &t->lists,
    };
    scry_columns_header h;
    memset(&h, 0, sizeof h);
    memcpy(h.magic, SCRY_COLUMNS_MAGIC, sizeof h.magic);
    h.format = SCRY_COLUMNS_FORMAT;
    h.sections = SCRY_COLUMNS_SECTIONS;
    memcpy(h.collection, s->collection, sizeof h.collection);
    h.generation = (uint64_t)s->work.generation;
    h.rows = b->rows;
    h.roots = b->roots.size / sizeof(scry_column_root);
    h.terms = b->terms;
    uint64_t at = (sizeof h + 63) / 64 * 64;
    for (int i = 0; i < SCRY_COLUMNS_SECTIONS; i++) {
        h.section[i].offset = at;
        h.section[i].size = sections[i]->size;
        h.section[i].crc = scry_crc32c(0, sections[i]->data, sections[i]->size);
        if (scry_pwrite_all(fd, sections[i]->data, sections[i]->size, (off_t)at) < 0)
            return false;
        at = (at + sections[i]->size + 63) / 64 * 64;
    }
    h.crc = scry_crc32c(0, &h, offsetof(scry_columns_header, crc));
    return ftruncate(fd, (off_t)at) == 0 && scry_pwrite_all(fd, &h, sizeof h, 0) == 0 && fdatasync(fd) == 0;
}

static bool write_file(const scry_local *s, const char *path, builder *b)
{
    sorted_terms t = { SCRY_BUF_INIT(SECTION_LIMIT), SCRY_BUF_INIT(SECTION_LIMIT),
                       SCRY_BUF_INIT(SECTION_LIMIT), SCRY_BUF_INIT(SECTION_LIMIT) };
    bool good = sort_terms(b, &t);
    if (good) {
        unlink(path);
        int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
        good = fd >= 0 && write_sections(s, fd, b, &t);
        if (fd >= 0)
            close(fd);
    }
    scry_buf_dispose(&t.term_at);
    scry_buf_dispose(&t.terms);
    scry_buf_dispose(&t.list_at);
    scry_buf_dispose(&t.lists);
    return good;
}

static void builder_dispose(builder *b)
{
    scry_buf *all[] = { &b->slots, &b->times, &b->latitudes, &b->longitudes, &b->name_at, &b->names,
                        &b->roots, &b->term_bytes, &b->term_at, &b->pairs };
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        scry_buf_dispose(all[i]);
    free(b->table);
}

/* Build and name the new file in one transaction, so that it is of the state that names it. */
static bool replace_file(scry_local *s)
{
    builder b;
    memset(&b, 0, sizeof b);
    scry_buf *all[] = { &b.slots, &b.times, &b.latitudes, &b.longitudes, &b.name_at, &b.names,
                        &b.roots, &b.term_bytes, &b.term_at, &b.pairs };
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        all[i]->limit = SECTION_LIMIT;
    uint64_t zero = 0;
    scry_buf_append(&b.name_at, &zero, sizeof zero);
    scry_buf_append(&b.term_at, &zero, sizeof zero);
    if (scry_local_begin(s, NULL) < 0) {
        builder_dispose(&b);
        return false;
    }
    int64_t file = s->work.columns_file + 1;
    char *path = scry_columns_path(s, file);
    bool good = collect(s, &b) == 0 && write_file(s, path, &b) &&
                scry_db_run(&s->writer, SCRY_SQL_GONE_CLEAR, NULL, "") == 0;
    if (good) {
        s->work.columns_file = file;
        s->work.columns_last = s->work.next_file - 1;
        good = scry_local_commit(s, NULL) == 0;
    } else {
        scry_local_abort(s);
    }
    if (!good)
        unlink(path);
    free(path);
    builder_dispose(&b);
    return good;
}

void scry_columns_keep(scry_local *s, int64_t bearable)
{
    int64_t lacking = s->head.next_file - 1 - s->head.columns_last + s->gone;
    int64_t old = s->head.columns_file;
    if (lacking <= bearable || s->columns_failed || !s->writable)
        return;
    if (!replace_file(s)) {
        s->columns_failed = true;   /* a full disk: do not try again at every commit */
        return;
    }
    s->gone = 0;
    if (old) {
        char *path = scry_columns_path(s, old);
        unlink(path);
        free(path);
    }
}
