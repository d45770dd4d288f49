/* columns_write.c - writing a columns file: one walk over all files in order.
 *
 * Terms are collected in a hash table in the order in which they are met; each row's terms are
 * noted as pairs (term, row) and sorted by counting, which leaves every list ascending.
 */
#include "store/local/columns_format.h"

#include "base/alloc.h"
#include "base/buf.h"
#include "base/table.h"
#include "base/crc32c.h"
#include "store/local/file_row.h"
#include "store/local/segment.h"
#include "store/local/transaction.h"
#include "store/predicates.h"
#include "store/words.h"

#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SECTION_LIMIT ((size_t)1 << 36)

typedef struct {
    uint32_t term, row;
} pair;

typedef struct {
    scry_buf slots, times, latitudes, longitudes, name_at, names, roots;
    scry_table terms;               /* kind and text of each, as met: noted_term */
    scry_buf term;                  /* one of them, while it is made */
    scry_buf words;                 /* of one row */
    scry_buf pairs;
    uint64_t rows;
    bool failed;
} builder;

typedef struct {
    char *text;                     /* of the table */
    uint64_t rows;                  /* 1 + the last row with it */
} noted_term;

/* Once for each row. */
static void note_bytes(builder *b, char kind, const char *text, size_t n)
{
    scry_buf_clear(&b->term);
    scry_buf_putc(&b->term, kind);
    scry_buf_append(&b->term, text, n);
    int64_t term = b->term.failed ? -1 : scry_table_add(&b->terms, scry_buf_str(&b->term), NULL);
    noted_term *noted = term < 0 ? NULL : scry_table_at(&b->terms, (size_t)term);
    b->failed |= !noted;
    if (!noted || noted->rows == b->rows + 1)
        return;
    noted->rows = b->rows + 1;
    pair p = { (uint32_t)term, (uint32_t)b->rows };
    scry_buf_append(&b->pairs, &p, sizeof p);
}

static void note_term(builder *b, char kind, const char *text)
{
    note_bytes(b, kind, text, strlen(text));
}

static void note_words(builder *b, const scry_file *f)
{
    scry_words_of_file(&b->words, f, SCRY_FIELDS_ALL);
    const char *at = scry_buf_str(&b->words), *word;
    for (size_t n; (word = scry_words_next(&at, &n));)
        note_bytes(b, SCRY_TERM_WORD, word, n);
    if (b->rows == 0)
        note_term(b, SCRY_TERM_WORD, "\n" SCRY_WORDS_VERSION);
}

/* In lower case. */
static void note_keywords(builder *b, const char *keywords)
{
    char *lower = scry_ascii_lower(keywords ? keywords : "");
    for (const char *at = lower; *at;) {
        size_t n = strcspn(at, "\n");
        note_bytes(b, SCRY_TERM_KEYWORD, at, n);
        at += n + (at[n] == '\n');
    }
    free(lower);
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
    char width[16], rating[16];
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
    snprintf(width, sizeof width, "%d", f->width);
    note_term(b, SCRY_TERM_WIDTH, width);
    if (f->has_rating) {
        snprintf(rating, sizeof rating, "%d", f->rating);
        note_term(b, SCRY_TERM_RATING, rating);
    }
    note_keywords(b, f->keywords);
    if (!f->has_time || b->rows == 0)
        note_term(b, SCRY_TERM_DATED, f->has_time ? "1" : "0");
    for (size_t i = 0; i < f->label_count; i++)
        note_term(b, SCRY_TERM_LABEL, f->labels[i]);
    note_words(b, f);
    b->rows++;
}

static int collect(scry_local *s, builder *b)
{
    sqlite3_stmt *st = NULL;
    scry_root_list roots;
    scry_row row = { .wants_text = true };
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
                              &b->roots, &b->pairs, &b->term, &b->words };
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        result = all[i]->failed ? -1 : result;
    return result;
}

/* ---- terms sorted ---- */

typedef struct {
    scry_buf term_at, terms, list_at, lists;
} sorted_terms;

static int compare_terms(const void *x, const void *y, void *arg)
{
    return strcmp(scry_table_text(arg, *(const uint32_t *)x), scry_table_text(arg, *(const uint32_t *)y));
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
    for (size_t i = 0; i < b->terms.count; i++) {
        uint64_t count = starts[order[i]];
        starts[order[i]] = at;
        at += count;
        scry_buf_puts(&t->terms, scry_table_text(&b->terms, order[i]));
        uint64_t end = t->terms.size;
        scry_buf_append(&t->term_at, &end, sizeof end);
        scry_buf_append(&t->list_at, &at, sizeof at);
    }
    uint32_t *lists = scry_buf_extend(&t->lists, n * sizeof *lists);
    for (size_t i = 0; lists && i < n; i++)
        lists[starts[pairs[i].term]++] = pairs[i].row;
}

static bool sort_terms(builder *b, sorted_terms *t)
{
    uint32_t *order = scry_try_alloc(b->terms.count, sizeof *order);
    uint64_t *starts = scry_try_alloc(b->terms.count, sizeof *starts);
    if (order && starts) {
        for (size_t i = 0; i < b->terms.count; i++)
            order[i] = (uint32_t)i;
        if (b->terms.count)
            qsort_r(order, b->terms.count, sizeof *order, compare_terms, &b->terms);
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
    h.terms = b->terms.count;
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
                        &b->roots, &b->pairs, &b->term, &b->words };
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        scry_buf_dispose(all[i]);
    scry_table_dispose(&b->terms);
}

/* Build the new file and name it in one transaction, so that it holds the state that names it. */
static bool replace_file(scry_local *s)
{
    builder b;
    memset(&b, 0, sizeof b);
    b.terms = (scry_table)SCRY_TABLE_OF_TEXTS(sizeof(noted_term), UINT32_MAX);
    scry_buf *all[] = { &b.slots, &b.times, &b.latitudes, &b.longitudes, &b.name_at, &b.names,
                        &b.roots, &b.pairs, &b.term, &b.words };
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        all[i]->limit = SECTION_LIMIT;
    uint64_t zero = 0;
    scry_buf_append(&b.name_at, &zero, sizeof zero);
    if (scry_local_begin(s, NULL) < 0) {
        builder_dispose(&b);
        return false;
    }
    int64_t file = s->work.columns_file + 1;
    char *path = scry_columns_path(s, file);
    bool good = collect(s, &b) == 0 && write_file(s, path, &b) &&
                scry_db_run(&s->writer, SCRY_SQL_GONE_CLEAR, NULL, "") == 0;
    s->work.columns_file = file;
    s->work.columns_last = s->work.next_file - 1;
    if (!good)
        unlink(path);   /* before the lock is released; one whose commit fails is an orphan */
    good = scry_local_end(s, good ? 0 : SCRY_EIO, NULL) == 0;
    free(path);
    builder_dispose(&b);
    return good;
}

void scry_columns_update(scry_local *s, int64_t max_missing)
{
    int64_t lacking = s->head.next_file - 1 - s->head.columns_last + s->gone;
    int64_t old = s->head.columns_file;
    if (lacking <= max_missing || s->columns_failed || !s->writable)
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

void scry_columns_complete(scry_local *s, int64_t max_missing)
{
    scry_columns *c = s->writable && s->head.columns_file ? scry_columns_open(s, s->head.columns_file, s->head.generation) : NULL;
    bool old = c ? c->rows && !scry_columns_has_words(c) : s->writable && s->head.columns_file;   /* NULL: removed, or of no use */
    scry_columns_release(c);
    scry_columns_update(s, old ? -1 : max_missing);
}
