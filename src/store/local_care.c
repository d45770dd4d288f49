/* local_care.c - verify: is everything there that was committed, as it was committed? */
#include "store/local_internal.h"

#include "base/alloc.h"
#include "store/filter_internal.h"

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
    void (*tell)(void *arg, const char *text);
    void *arg;
    uint64_t *used;   /* a bit a slot: a content row lies there */
    uint8_t *code;    /* room for one row's codes and signs */
    scry_columns *columns;
    uint64_t columns_seen;
} checkup;

static void problem(checkup *c, const char *fmt, ...) SCRY_PRINTF(2, 3);

static void problem(checkup *c, const char *fmt, ...)
{
    char text[1024];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    c->report->problems++;
    if (c->tell)
        c->tell(c->arg, text);
}

/* SQLite's own check of its pages and indexes. */
static int check_database(checkup *c, scry_error *err)
{
    sqlite3_stmt *st;
    if (sqlite3_prepare_v2(c->r->db.handle, "PRAGMA integrity_check(20)", -1, &st, NULL) != SQLITE_OK)
        return scry_db_fail(&c->r->db, err);
    int result;
    while ((result = scry_db_step(&c->r->db, st, err)) == 1) {
        const char *text = scry_db_text(st, 0);
        if (strcmp(text, "ok") != 0)
            problem(c, "%s: %s", c->s->db_path, text);
    }
    sqlite3_finalize(st);
    return result;
}

/* Codes follow from the vector: encode it again. */
static void check_codes(checkup *c, int64_t slot)
{
    void *block = c->v->codes.blocks[slot / SCRY_BLOCK_ROWS];
    size_t i = (size_t)(slot % SCRY_BLOCK_ROWS), dim = (size_t)c->s->base.dim, stride = scry_code_stride(dim);
    float scale, error;
    uint8_t *signs = c->code + stride;
    scry_code_encode(c->code, signs, &scale, &error, (const uint16_t *)(const void *)scry_view_row(c->s, c->v, slot),
                     dim);
    if (memcmp(&scale, scry_block_scales(block) + i, sizeof scale) == 0 &&
        memcmp(&error, scry_block_errors(block) + i, sizeof error) == 0 &&
        memcmp(c->code, scry_block_codes(block) + i * stride, stride) == 0 &&
        memcmp(signs, scry_block_signs(block, dim) + i * (stride / 8), stride / 8) == 0)
        return;
    char *path = scry_codes_path(c->s, c->v->head.generation);
    problem(c, "%s: the codes of slot %lld are damaged; remove the file, the next scry index makes it anew",
            path, (long long)slot);
    free(path);
}

static void check_content(checkup *c, sqlite3_stmt *st)
{
    int64_t slot = sqlite3_column_int64(st, 0);
    uint32_t vector_crc = (uint32_t)sqlite3_column_int64(st, 2);
    scry_file f = { .width = sqlite3_column_int(st, 3), .height = sqlite3_column_int(st, 4),
                    .format = scry_db_text(st, 5),
                    .has_time = sqlite3_column_type(st, 6) != SQLITE_NULL,
                    .taken_at = sqlite3_column_int64(st, 6),
                    .has_position = sqlite3_column_type(st, 7) != SQLITE_NULL,
                    .latitude = sqlite3_column_double(st, 7),
                    .longitude = sqlite3_column_double(st, 8),
                    .camera = scry_db_text(st, 9) };
    c->report->contents++;
    if (sqlite3_column_bytes(st, 1) == SCRY_HASH_BYTES)
        memcpy(f.content, sqlite3_column_blob(st, 1), SCRY_HASH_BYTES);
    if (scry_content_crc(&f, vector_crc) != (uint32_t)sqlite3_column_int64(st, 10))
        problem(c, "%s: the row of the content in slot %lld is damaged", c->s->db_path, (long long)slot);
    if (slot < 0 || slot >= c->v->head.slots) {
        problem(c, "%s: a content names slot %lld of %lld", c->s->db_path, (long long)slot,
                (long long)c->v->head.slots);
        return;
    }
    c->used[slot / 64] |= 1ull << (slot % 64);
    if (!(c->v->live[slot / 64] >> (slot % 64) & 1))
        problem(c, "%s: slot %lld is marked dead but holds a content", c->s->db_path, (long long)slot);
    if (scry_crc32c(0, scry_view_row(c->s, c->v, slot), c->s->row_bytes) != vector_crc) {
        char *path = scry_segment_path(c->s, c->v->head.generation);
        problem(c, "%s: the vector in slot %lld is damaged", path, (long long)slot);
        free(path);
    } else {
        check_codes(c, slot);
    }
}

static int check_contents(checkup *c, scry_error *err)
{
    sqlite3_stmt *st;
    int result = scry_db_start(&c->r->db, SCRY_SQL_CONTENTS_ALL, &st, err, "");
    while (result == 0 && (result = scry_db_step(&c->r->db, st, err)) == 1) {
        check_content(c, st);
        result = 0;
    }
    scry_db_end(st);
    for (int64_t slot = 0; slot < c->v->head.slots && result == 0; slot++)
        if ((c->v->live[slot / 64] & ~c->used[slot / 64]) >> (slot % 64) & 1)
            problem(c, "%s: slot %lld is live but no content lies there", c->s->db_path, (long long)slot);
    return result;
}

static int count_query(checkup *c, const char *sql, int64_t *out, scry_error *err)
{
    sqlite3_stmt *st;
    if (sqlite3_prepare_v2(c->r->db.handle, sql, -1, &st, NULL) != SQLITE_OK)
        return scry_db_fail(&c->r->db, err);
    int result = scry_db_step(&c->r->db, st, err);
    if (result == 1)
        *out = sqlite3_column_int64(st, 0);
    sqlite3_finalize(st);
    return result < 0 ? result : 0;
}

static void columns_problem(checkup *c, const char *what)
{
    char *path = scry_columns_path(c->s, c->v->head.columns_file);
    problem(c, "%s: %s; remove the file, the next scry index makes it anew", path, what);
    free(path);
}

/* A file that the column cache has, as it has it. */
static void check_column_row(checkup *c, const scry_row *row)
{
    const scry_columns *col = c->columns;
    const scry_file *f = &row->file;
    size_t n = strlen(f->relative), size;
    for (uint64_t i = 0; i < col->root_count; i++) {
        if (col->roots[i].number != row->root_number || col->roots[i].end > col->rows)
            continue;
        uint64_t at = scry_columns_find(col, col->roots[i].first, col->roots[i].end, f->relative, n);
        const char *name = at < col->roots[i].end ? scry_columns_name(col, at, &size) : NULL;
        if (!name || size != n || memcmp(name, f->relative, n) != 0)
            break;
        if (col->slots[at] != row->slot || col->times[at] != scry_file_time(f) ||
            (f->has_position && (col->latitudes[at] != f->latitude || col->longitudes[at] != f->longitude)) ||
            f->has_position == isnan(col->latitudes[at]))
            break;
        c->columns_seen++;
        return;
    }
    columns_problem(c, "it lacks a file or has another state of it");
}

/* The rows of the cache that table gone leaves are exactly the files it should have. */
static int check_columns(checkup *c, scry_error *err)
{
    int64_t gone = 0;
    if (!c->columns)
        return 0;
    int result = count_query(c, "SELECT count(DISTINCT file) FROM gone, head WHERE file <= columns_last", &gone, err);
    if (result == 0 && c->columns_seen + (uint64_t)gone != c->columns->rows)
        columns_problem(c, "it has files that are not in the database");
    return result;
}

static void check_file(checkup *c, sqlite3_stmt *st)
{
    scry_row row = { 0 };
    scry_error err = SCRY_ERROR_INIT;
    c->report->files++;
    if (scry_row_read(&row, st, &c->v->roots, c->s->db_path, &err) < 0) {
        problem(c, "%s", err.message);
    } else {
        uint8_t id[SCRY_ID_BYTES];
        scry_file_id(row.file.root, row.file.relative, id);
        uint32_t crc = scry_file_crc(&row.file, sqlite3_column_blob(st, 8), (size_t)sqlite3_column_bytes(st, 8));
        if (memcmp(id, row.file.id, sizeof id) != 0 || crc != (uint32_t)sqlite3_column_int64(st, 17))
            problem(c, "%s: the row of %s is damaged", c->s->db_path, row.path);
        if (row.slot < 0 || row.slot >= c->v->head.slots || !(c->used[row.slot / 64] >> (row.slot % 64) & 1))
            problem(c, "%s: %s has no content", c->s->db_path, row.path);
        if (c->columns && row.number <= c->v->head.columns_last)
            check_column_row(c, &row);
    }
    scry_row_dispose(&row);
}

static int check_files(checkup *c, scry_error *err)
{
    sqlite3_stmt *st;
    int result = scry_db_start(&c->r->db, SCRY_SQL_FILES_CHECK, &st, err, "");
    while (result == 0 && (result = scry_db_step(&c->r->db, st, err)) == 1) {
        check_file(c, st);
        result = 0;
    }
    scry_db_end(st);
    return result;
}

/* What the head row counts, and rows that no join reaches. */
static int check_counts(checkup *c, scry_error *err)
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
    };
    for (size_t i = 0; i < sizeof counts / sizeof *counts; i++) {
        int64_t found = 0;
        int result = count_query(c, counts[i].sql, &found, err);
        if (result < 0)
            return result;
        if (found != counts[i].expected)
            problem(c, "%s: %lld %s, expected %lld", c->s->db_path, (long long)found, counts[i].text,
                    (long long)counts[i].expected);
    }
    return 0;
}

static int check_small_rows(checkup *c, scry_error *err)
{
    sqlite3_stmt *st;
    int result = scry_db_start(&c->r->db, SCRY_SQL_ROOTS_ALL, &st, err, "");
    while (result == 0 && (result = scry_db_step(&c->r->db, st, err)) == 1) {
        const char *path = scry_db_text(st, 2);
        if (scry_root_crc(sqlite3_column_blob(st, 1), path) != (uint32_t)sqlite3_column_int64(st, 3))
            problem(c, "%s: the row of the root %s is damaged", c->s->db_path, path);
        result = 0;
    }
    scry_db_end(st);
    if (result == 0)
        result = scry_db_start(&c->r->db, SCRY_SQL_BAD_CHECK, &st, err, "");
    while (result == 0 && (result = scry_db_step(&c->r->db, st, err)) == 1) {
        uint8_t id[SCRY_ID_BYTES] = { 0 };
        const char *relative = scry_db_text(st, 2);
        if (sqlite3_column_bytes(st, 0) == SCRY_ID_BYTES)
            memcpy(id, sqlite3_column_blob(st, 0), SCRY_ID_BYTES);
        const char *reason = scry_db_text(st, 5);
        uint32_t crc = scry_bad_crc(id, sqlite3_column_int64(st, 3), sqlite3_column_int64(st, 4), reason);
        const scry_root_entry *root = scry_root_by_number(&c->v->roots, sqlite3_column_int64(st, 1));
        uint8_t expected[SCRY_ID_BYTES] = { 0 };
        if (root)
            scry_file_id(root->id, relative, expected);
        if (memcmp(id, expected, sizeof id) != 0 || crc != (uint32_t)sqlite3_column_int64(st, 6))
            problem(c, "%s: the row of the bad file %s is damaged", c->s->db_path, relative);
        result = 0;
    }
    scry_db_end(st);
    return result;
}

static int prepare(checkup *c, scry_error *err)
{
    const scry_head *h = &c->v->head;
    c->used = scry_try_alloc((size_t)h->slots / 64 + 1, sizeof *c->used);
    c->code = scry_try_alloc(scry_code_stride((size_t)c->s->base.dim) / 8 * 9, 1);
    if (!c->used || !c->code)
        return scry_fail(err, SCRY_ENOMEM, "no memory to verify %s", c->s->where);
    char *path = scry_columns_path(c->s, h->columns_file);
    if (h->columns_file && access(path, F_OK) == 0) {   /* without it filters ask the database */
        c->columns = scry_columns_open(c->s, h->columns_file, h->generation);
        if (!c->columns || !scry_columns_intact(c->columns))
            columns_problem(c, "it is damaged");
    }
    free(path);
    return 0;
}

int scry_local_verify(scry_store *base, scry_verify_report *out, void (*tell)(void *, const char *),
                      void *arg, scry_error *err)
{
    scry_local *s = (scry_local *)base;
    checkup c = { .s = s, .report = out, .tell = tell, .arg = arg };
    int result = scry_reader_view_take(s, &c.r, &c.v, err);
    if (result < 0)
        return result;
    result = prepare(&c, err);
    if (result == 0 && (result = check_database(&c, err)) == 0 &&
        (result = check_small_rows(&c, err)) == 0 && (result = check_contents(&c, err)) == 0 &&
        (result = check_files(&c, err)) == 0 && (result = check_columns(&c, err)) == 0)
        result = check_counts(&c, err);
    free(c.used);
    free(c.code);
    scry_columns_put(c.columns);
    scry_view_give(s, c.v);
    scry_reader_give(s, c.r);
    return result;
}
