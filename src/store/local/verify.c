/* verify.c - checks that everything that was committed is there, as it was committed. */
#include "store/local/local.h"

#include "base/alloc.h"
#include "base/crc32c.h"
#include "store/local/damage_mark.h"
#include "store/local/db_reader.h"
#include "store/local/file_row.h"
#include "store/local/watched_db.h"
#include "store/local/mark_table.h"
#include "store/local/sums.h"
#include "store/local/view.h"
#include "store/predicates.h"
#include "store/text_lines.h"
#include "store/words.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

typedef struct {
    scry_local *s;
    scry_reader *r;
    scry_view *v;
    scry_verify_report *report;
    void (*on_problem)(void *arg, const char *text);   /* may be NULL */
    int (*pace)(void *arg, size_t bytes);              /* may be NULL */
    void *arg;
    scry_long_work work;   /* in bytes: the files' twice, for the rows and for the bytes */
    uint64_t bytes;        /* of the files */
    uint64_t rows;         /* that were checked */
    uint64_t *used;   /* one bit for each slot: a content row names it */
    uint8_t *code;    /* one row's codes and signs */
    scry_columns *columns;
    uint64_t columns_seen;
    char first[1024]; /* problem that is in no cache; "" before */
    bool found[3];    /* problems of each remedy */
} verification;

/* What mends a problem that is in no cache: writing the files anew as they are, reading the headers of the pictures again, or
 * embedding the pictures again. */
typedef enum { REMEDY_COMPACT, REMEDY_REREAD, REMEDY_REBUILD } remedy;

static void problem(verification *c, remedy r, const char *fmt, ...) SCRY_PRINTF(3, 4);
static void cache_problem(verification *c, const char *path, const char *fmt, ...) SCRY_PRINTF(3, 4);

static void problem(verification *c, remedy r, const char *fmt, ...)
{
    char text[1024];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    c->report->problems++;
    c->found[r] = true;
    if (!c->first[0])
        memcpy(c->first, text, sizeof c->first);
    if (c->on_problem)
        c->on_problem(c->arg, text);
}

/* One that makes no search wrong. */
static void cache_problem(verification *c, const char *path, const char *fmt, ...)
{
    char text[256];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    c->report->problems++;
    c->report->cache_problems++;
    if (c->on_problem) {
        char *line = scry_asprintf("%s: %s; remove the file, the next scry index writes it again", path, text);
        c->on_problem(c->arg, line);
        free(line);
    }
}

/* SQLite's own check of its pages and indexes. */
static int check_database(verification *c, scry_error *err)
{
    sqlite3_stmt *st;
    int result = scry_db_start(&c->r->db, SCRY_SQL_INTEGRITY, &st, err, "");
    while (result == 0 && (result = scry_db_step(&c->r->db, st, err)) == 1) {
        const char *text = scry_db_text(st, 0);
        if (strcmp(text, "ok") != 0)
            problem(c, REMEDY_REBUILD, "%s: %s", c->s->db_path, text);
        result = 0;
    }
    scry_db_end(st);
    return result;
}

/* Codes are a function of the vector: encode it again and compare. */
static void check_codes(verification *c, int64_t slot)
{
    void *block = c->v->codes.blocks[slot / SCRY_BLOCK_ROWS];
    size_t i = (size_t)(slot % SCRY_BLOCK_ROWS), dim = (size_t)c->s->base.dim, stride = scry_code_stride(dim);
    float scale, error;
    uint8_t *signs = c->code + stride;
    scry_code_encode(c->code, signs, &scale, &error, scry_view_vector(c->s, c->v, slot),
                     dim);
    if (memcmp(&scale, scry_block_scales(block) + i, sizeof scale) == 0 &&
        memcmp(&error, scry_block_errors(block) + i, sizeof error) == 0 &&
        memcmp(c->code, scry_block_codes(block) + i * stride, stride) == 0 &&
        memcmp(signs, scry_block_signs(block, dim) + i * (stride / 8), stride / 8) == 0)
        return;
    char *path = scry_codes_path(c->s, c->v->head.generation);
    cache_problem(c, path, "the codes of slot %lld are damaged", (long long)slot);
    free(path);
}

static void check_content(verification *c, sqlite3_stmt *st)
{
    int64_t slot = sqlite3_column_int64(st, 0);
    uint32_t vector_crc = (uint32_t)sqlite3_column_int64(st, 2);
    scry_file f = { .width = 0 };
    scry_row_read_picture(&f, st, 3);
    c->report->contents++;
    (void)scry_db_bytes(st, 1, f.content, SCRY_HASH_BYTES);
    if (scry_content_crc(&f, vector_crc) != (uint32_t)sqlite3_column_int64(st, 10))
        problem(c, REMEDY_REREAD, "%s: the row of the content in slot %lld is damaged", c->s->db_path, (long long)slot);
    if (slot < 0 || slot >= c->v->head.slots) {
        problem(c, REMEDY_REBUILD, "%s: a content names slot %lld of %lld", c->s->db_path, (long long)slot,
                (long long)c->v->head.slots);
        return;
    }
    c->used[slot / 64] |= 1ull << (slot % 64);
    if (!(c->v->live[slot / 64] >> (slot % 64) & 1))
        problem(c, REMEDY_REBUILD, "%s: slot %lld is marked dead but a content names it", c->s->db_path, (long long)slot);
    if (scry_crc32c(0, scry_view_vector(c->s, c->v, slot), c->s->row_bytes) != vector_crc) {
        char *path = scry_segment_path(c->s, c->v->head.generation);
        problem(c, REMEDY_REBUILD, "%s: the vector in slot %lld is damaged", path, (long long)slot);
        free(path);
    } else {
        check_codes(c, slot);
    }
}

/* One of the contents and files is checked. */
static int row_done(verification *c, scry_error *err)
{
    double rows = (double)(c->v->head.contents + c->v->head.files) + 1;
    return scry_work_reach(&c->work, (uint64_t)((double)++c->rows / rows * (double)c->bytes), err);
}

static int check_contents(verification *c, scry_error *err)
{
    sqlite3_stmt *st;
    int result = scry_db_start(&c->r->db, SCRY_SQL_CONTENTS_ALL, &st, err, "");
    while (result == 0 && (result = scry_db_step(&c->r->db, st, err)) == 1) {
        check_content(c, st);
        result = row_done(c, err);
    }
    scry_db_end(st);
    for (int64_t slot = 0; slot < c->v->head.slots && result == 0; slot++)
        if ((c->v->live[slot / 64] & ~c->used[slot / 64]) >> (slot % 64) & 1)
            problem(c, REMEDY_REBUILD, "%s: slot %lld is live but no content names it", c->s->db_path, (long long)slot);
    return result;
}

static void columns_problem(verification *c, const char *what)
{
    char *path = scry_columns_path(c->s, c->v->head.columns_file);
    cache_problem(c, path, "%s", what);
    free(path);
}

/* Whether the column cache has each word of the file in its row `at`; one that was written before there were words has none. */
static bool has_words(const scry_columns *c, uint64_t at, const scry_file *f)
{
    scry_buf words = SCRY_BUF_INIT(SCRY_WORDS_LIMIT);
    bool good = true;
    if (scry_columns_has_words(c))
        scry_words_of_file(&words, f, SCRY_FIELDS_ALL);
    const char *next = scry_buf_str(&words), *word;
    for (size_t n; good && (word = scry_words_next(&next, &n));) {
        size_t first = 0, end;
        char *text = scry_strndup(word, n);
        const uint32_t *rows = scry_columns_list_of(c, SCRY_TERM_WORD, text, &end);
        size_t count = end;
        while (first < end) {
            size_t middle = first + (end - first) / 2;
            if (rows[middle] < at)
                first = middle + 1;
            else
                end = middle;
        }
        good = first < count && rows[first] == at;
        free(text);
    }
    scry_buf_dispose(&words);
    return good;
}

/* Whether the column cache has this file, with the same fields. */
static void check_column_row(verification *c, const scry_row *row)
{
    const scry_columns *col = c->columns;
    const scry_file *f = &row->file;
    size_t n = strlen(f->relative);
    uint64_t at, end;
    if (scry_columns_root(col, row->root_number, &at, &end) &&
        (at = scry_columns_find(col, at, end, f->relative, n)) < end && scry_columns_has_name(col, at, f->relative, n) &&
        col->slots[at] == row->slot && col->times[at] == scry_file_time(f) && f->has_position == !isnan(col->latitudes[at]) &&
        (!f->has_position || (col->latitudes[at] == f->latitude && col->longitudes[at] == f->longitude)) && has_words(col, at, f)) {
        c->columns_seen++;
        return;
    }
    columns_problem(c, "it lacks a file or has another state of it");
}

/* Without those in table gone, the cache's rows are exactly the files it should have. */
static int check_columns(verification *c, scry_error *err)
{
    int64_t gone = 0;
    if (!c->columns)
        return 0;
    int result = scry_db_number(&c->r->db, "SELECT count(DISTINCT file) FROM gone, head WHERE file <= columns_last", &gone, err);
    if (result == 0 && c->columns_seen + (uint64_t)gone != c->columns->rows)
        columns_problem(c, "it has files that are not in the database");
    return result;
}

static void check_file(verification *c, sqlite3_stmt *st)
{
    scry_row row = { .wants_text = true };
    scry_error err = SCRY_ERROR_INIT;
    c->report->files++;
    if (scry_row_read_raw(&row, st, &c->v->roots, c->s->db_path, &err) < 0) {
        problem(c, REMEDY_REBUILD, "%s", err.message);
    } else {
        uint8_t id[SCRY_ID_BYTES];
        scry_file_id(row.file.root, row.file.relative, id);
        bool own = memcmp(id, row.file.id, sizeof id) == 0;
        if (!own || !row.is_whole)
            problem(c, own ? REMEDY_REREAD : REMEDY_REBUILD, "%s: the row of %s is damaged", c->s->db_path, row.path);
        scry_file_merge_notes(&row.file);
        if (row.slot < 0 || row.slot >= c->v->head.slots || !(c->used[row.slot / 64] >> (row.slot % 64) & 1))
            problem(c, REMEDY_REBUILD, "%s: %s has no content", c->s->db_path, row.path);
        if (c->columns && row.number <= c->v->head.columns_last)
            check_column_row(c, &row);
    }
    scry_row_dispose(&row);
}

static int check_files(verification *c, scry_error *err)
{
    sqlite3_stmt *st;
    int result = scry_db_start(&c->r->db, SCRY_SQL_FILES_CHECK, &st, err, "");
    while (result == 0 && (result = scry_db_step(&c->r->db, st, err)) == 1) {
        check_file(c, st);
        result = row_done(c, err);
    }
    scry_db_end(st);
    return result;
}

/* What was read in pictures. */
static int check_texts(verification *c, scry_error *err)
{
    sqlite3_stmt *st;
    scry_buf words = SCRY_BUF_INIT(SCRY_TEXT_PACKED * 4);
    int result = scry_db_start(&c->r->db, SCRY_SQL_TEXTS_AFTER, &st, err, "ii", (int64_t)-1, (int64_t)-1);
    while (result == 0 && (result = scry_db_step(&c->r->db, st, err)) == 1) {
        uint8_t hash[SCRY_HASH_BYTES] = { 0 };
        const void *lines = sqlite3_column_blob(st, 2);
        size_t n = (size_t)sqlite3_column_bytes(st, 2);
        (void)scry_db_bytes(st, 4, hash, sizeof hash);
        if (scry_text_crc(hash, scry_db_text(st, 0), scry_db_text(st, 1), lines, n) != (uint32_t)sqlite3_column_int64(st, 3) ||
            !scry_text_unpack_words(&words, lines, n))
            problem(c, REMEDY_REBUILD, "%s: the text that was read in the content in slot %lld is damaged", c->s->db_path,
                    (long long)sqlite3_column_int64(st, 5));
        result = 0;
    }
    scry_db_end(st);
    scry_buf_dispose(&words);
    return result;
}

/* The counts of the head row, and rows that no join reaches. */
static int check_counts(verification *c, scry_error *err)
{
    const scry_head *h = &c->v->head;
    const struct {
        const char *sql, *text;
        int64_t expected;
    } counts[] = {
        { "SELECT count(*) FROM files", "files", h->files },
        { "SELECT count(*) FROM contents", "contents", h->contents },
        { "SELECT count(*) FROM bad", "remembered bad files", h->bad },
        { "SELECT count(*) FROM files f WHERE NOT EXISTS (SELECT 1 FROM contents c WHERE c.slot = f.slot)",
          "files without a content", 0 },
        { "SELECT count(*) FROM contents c WHERE NOT EXISTS (SELECT 1 FROM files f WHERE f.slot = c.slot)",
          "contents without a file", 0 },
        { "SELECT count(*) FROM files f WHERE NOT EXISTS (SELECT 1 FROM roots r WHERE r.number = f.root)",
          "files without a root", 0 },
        { "SELECT count(*) FROM details d WHERE NOT EXISTS (SELECT 1 FROM contents c WHERE c.slot = d.slot)",
          "details without a content", 0 },
        { "SELECT count(*) FROM notes n WHERE NOT EXISTS (SELECT 1 FROM files f WHERE f.id = n.id)",
          "notes without a file", 0 },
        { "SELECT count(*) FROM texts t WHERE NOT EXISTS (SELECT 1 FROM contents c WHERE c.slot = t.slot)",
          "texts of pictures without a content", 0 },
    };
    for (size_t i = 0; i < sizeof counts / sizeof *counts; i++) {
        int64_t found = 0;
        int result = scry_db_number(&c->r->db, counts[i].sql, &found, err);
        if (result < 0)
            return result;
        if (found != counts[i].expected)
            problem(c, REMEDY_REBUILD, "%s: %lld %s, expected %lld", c->s->db_path, (long long)found, counts[i].text,
                    (long long)counts[i].expected);
    }
    return 0;
}

static int check_small_rows(verification *c, scry_error *err)
{
    sqlite3_stmt *st;
    int result = scry_db_start(&c->r->db, SCRY_SQL_ROOTS_ALL, &st, err, "");
    while (result == 0 && (result = scry_db_step(&c->r->db, st, err)) == 1) {
        const char *path = scry_db_text(st, 2);
        if (scry_root_crc(sqlite3_column_blob(st, 1), path) != (uint32_t)sqlite3_column_int64(st, 3))
            problem(c, REMEDY_REBUILD, "%s: the row of the root %s is damaged", c->s->db_path, path);
        result = 0;
    }
    scry_db_end(st);
    if (result == 0)
        result = scry_db_start(&c->r->db, SCRY_SQL_BAD_CHECK, &st, err, "");
    while (result == 0 && (result = scry_db_step(&c->r->db, st, err)) == 1) {
        uint8_t id[SCRY_ID_BYTES] = { 0 };
        const char *relative = scry_db_text(st, 2);
        (void)scry_db_bytes(st, 0, id, SCRY_ID_BYTES);
        const char *reason = scry_db_text(st, 5);
        uint32_t crc = scry_bad_crc(id, sqlite3_column_int64(st, 3), sqlite3_column_int64(st, 4), reason);
        const scry_root_entry *root = scry_root_by_number(&c->v->roots, sqlite3_column_int64(st, 1));
        uint8_t expected[SCRY_ID_BYTES] = { 0 };
        if (root)
            scry_file_id(root->id, relative, expected);
        if (memcmp(id, expected, sizeof id) != 0 || crc != (uint32_t)sqlite3_column_int64(st, 6))
            problem(c, REMEDY_REBUILD, "%s: the row of the bad file %s is damaged", c->s->db_path, relative);
        result = 0;
    }
    scry_db_end(st);
    return result;
}

static int check_marks(verification *c, scry_error *err)
{
    sqlite3_stmt *st;
    scry_mark mark;
    int result = scry_db_start(&c->r->db, SCRY_SQL_MARKS_CHECK, &st, err, "");
    while (result == 0 && (result = scry_db_step(&c->r->db, st, err)) == 1) {
        if (!scry_mark_read(&mark, st))
            problem(c, REMEDY_REBUILD, "%s: a row of the marks of kind %d is damaged", c->s->db_path, (int)mark.kind);
        result = 0;
    }
    scry_db_end(st);
    return result;
}

/* The pages of the headers; a segment whose fields are damaged cannot be opened at all. */
static void check_header_pages(verification *c)
{
    enum { SEGMENT_FIELDS = 48 };
    const uint8_t *page = c->v->segment->data;
    size_t i = SEGMENT_FIELDS;
    while (i < SCRY_SEGMENT_HEADER && !page[i])
        i++;
    char *segment = scry_segment_path(c->s, c->v->head.generation), *codes = scry_codes_path(c->s, c->v->head.generation);
    if (i < SCRY_SEGMENT_HEADER)
        problem(c, REMEDY_COMPACT, "%s: byte %zu should be zero", segment, i);
    if (!scry_codes_header_intact(c->s, c->v->head.generation))
        cache_problem(c, codes, "its header is damaged");
    free(segment);
    free(codes);
}

static int prepare(verification *c, scry_error *err)
{
    const scry_head *h = &c->v->head;
    c->used = scry_try_alloc((size_t)h->slots / 64 + 1, sizeof *c->used);
    c->code = scry_try_alloc(scry_code_stride((size_t)c->s->base.dim) / 8 * 9, 1);
    if (!c->used || !c->code)
        return scry_fail(err, SCRY_ENOMEM, "no memory to verify %s", c->s->where);
    char *path = scry_columns_path(c->s, h->columns_file);
    if (h->columns_file && access(path, F_OK) == 0) {   /* without it filters read the database */
        c->columns = scry_columns_open(c->s, h->columns_file, h->generation);
        if (!c->columns || !scry_columns_intact(c->columns))
            columns_problem(c, "it is damaged");
    }
    free(path);
    return 0;
}

/* Whatever nothing else reads: free pages, slots that are not used, padding. */
static void changed_bytes(void *arg, const char *name, uint64_t from, uint64_t to)
{
    verification *c = arg;
    char *path = scry_path_join(c->s->folder, name);
    size_t n = strlen(name);
    if (strcmp(name, "sums") == 0)
        cache_problem(c, path, "the checksums of the files are damaged");
    else if (n > 6 && strcmp(name + n - 6, ".cache") == 0)
        cache_problem(c, path, "bytes %llu to %llu have changed since they were written", (unsigned long long)from,
                      (unsigned long long)to);
    else
        problem(c, REMEDY_COMPACT, "%s: bytes %llu to %llu have changed since they were written", path, (unsigned long long)from,
                (unsigned long long)to);
    free(path);
}

/* The remedy of the worst problem mends the others, too. */
static const char *advice(const verification *c)
{
    if (c->found[REMEDY_REBUILD])
        return "`scry index --rebuild` makes the collection anew from its pictures, then `scry index` on its folders adds what it lacks; "
               "or restore a copy";
    if (c->found[REMEDY_REREAD])
        return "`scry index --rebuild-metadata` on its folders writes the rows anew; or restore a copy";
    if (c->found[REMEDY_COMPACT])
        return "`scry store compact` writes the files anew; no picture is concerned";
    return c->report->problems ? "no search is wrong because of caches: remove the files that are named, `scry index` on any folder writes "
                                 "them again" : NULL;
}

static int keep_pace(void *arg, size_t bytes)
{
    verification *c = arg;
    return c->pace ? c->pace(c->arg, bytes) : scry_work_reach(&c->work, c->work.done + bytes, NULL);
}

/* Without a transaction, for which a writer that closes would have to wait: this takes minutes in a large store. */
static int check_all_bytes(verification *c, scry_error *err)
{
    scry_sums_visitor visitor = { changed_bytes, keep_pace, c };
    bool sealed = false;
    scry_head head = { 0 };
    scry_reader *r;
    int result = scry_reader_acquire(c->s, &r, err);
    if (result < 0)
        return result;
    result = scry_head_load(&r->db, &head, err);
    if (result == 0 && (result = scry_db_run(&r->db, SCRY_SQL_COMMIT, err, "")) == 0)
        result = scry_sums_check(c->s, &r->db, head.change, &visitor, &sealed, err);
    c->report->partial = !sealed;
    scry_head_dispose(&head);
    scry_reader_release(c->s, r);
    return result;
}

/* Whether the database and the rows in it are whole, and the vectors and caches that belong to them. */
static int check_rows(verification *c, scry_error *err)
{
    int result = prepare(c, err);
    check_header_pages(c);
    scry_work_watch(&c->work, &c->r->db);
    if (result == 0 && (result = check_database(c, err)) == 0 &&
        (result = check_small_rows(c, err)) == 0 && (result = check_marks(c, err)) == 0 &&
        (result = check_contents(c, err)) == 0 && (result = check_files(c, err)) == 0 &&
        (result = check_columns(c, err)) == 0 && (result = check_texts(c, err)) == 0)
        result = check_counts(c, err);
    scry_work_unwatch(&c->r->db);
    free(c->used);
    free(c->code);
    scry_columns_release(c->columns);
    return scry_work_reason(&c->work, result, err);
}

int scry_local_verify(scry_store *base, const scry_verify_options *o, scry_verify_report *out, scry_error *err)
{
    scry_local *s = (scry_local *)base;
    scry_store_info info = { 0 };
    verification c = { .s = s, .report = out, .on_problem = o->problem, .arg = o->arg,
                       .work = { .progress = o->progress, .arg = o->arg, .cancel = o->cancel } };
    if (o->progress && scry_local_get_info(base, &info, NULL) == 0)   /* a damaged one is said below */
        c.bytes = info.bytes;
    c.work.total = 2 * c.bytes;
    int result = scry_reader_view_acquire(s, &c.r, &c.v, err);
    if (result < 0)
        return result;
    result = check_rows(&c, err);
    result = scry_reader_view_release(s, c.r, c.v, result, err);
    c.work.done = c.bytes;
    if (result == 0)
        result = check_all_bytes(&c, err);
    if (result == 0) {
        scry_damage_mark(s, c.first);
        scry_work_finish(&c.work);
    }
    out->advice = advice(&c);
    return result;
}

int scry_local_check_files(scry_store *base, scry_verify_report *out, int (*pace)(void *, size_t),
                           void (*on_problem)(void *, const char *), void *arg, scry_error *err)
{
    scry_local *s = (scry_local *)base;
    verification c = { .s = s, .report = out, .on_problem = on_problem, .pace = pace, .arg = arg };
    int result = check_all_bytes(&c, err);
    if (result == 0 && c.first[0])   /* what scry verify found in rows is not looked for here: its mark stays */
        scry_damage_mark(s, c.first);
    return result;
}
