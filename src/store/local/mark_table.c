#include "store/local/mark_table.h"

#include "base/crc32c.h"
#include "store/local/damage_mark.h"
#include "store/local/db_reader.h"
#include "store/local/statements.h"
#include "store/local/transaction.h"

#include <string.h>

const char scry_mark_schema[] =
    "CREATE TABLE IF NOT EXISTS main.marks(kind INTEGER NOT NULL, key BLOB NOT NULL, value TEXT NOT NULL, set_at INTEGER NOT NULL,"
    " row_crc INTEGER NOT NULL, PRIMARY KEY(kind, key)) STRICT, WITHOUT ROWID;";

uint32_t scry_mark_crc(const scry_mark *m)
{
    const int64_t numbers[] = { m->kind, m->set_at, (int64_t)m->key_size };
    const char *value = m->value ? m->value : "";
    uint32_t crc = scry_crc32c(0, numbers, sizeof numbers);
    crc = scry_crc32c(crc, m->key, m->key_size);
    return scry_crc32c(crc, value, strlen(value) + 1);
}

bool scry_mark_read(scry_mark *out, sqlite3_stmt *st)
{
    *out = (scry_mark){ .kind = (scry_mark_kind)sqlite3_column_int(st, 0), .key = sqlite3_column_blob(st, 1),
                        .key_size = (size_t)sqlite3_column_bytes(st, 1), .value = scry_db_text(st, 2),
                        .set_at = sqlite3_column_int64(st, 3) };
    return out->key_size && scry_mark_crc(out) == (uint32_t)sqlite3_column_int64(st, 4);
}

static int put_one(scry_local *s, const scry_mark *m, scry_error *err)
{
    return scry_db_run(&s->writer, SCRY_SQL_MARK_PUT, err, "ibtii", (int64_t)m->kind, m->key, (int)m->key_size,
                       m->value ? m->value : "", m->set_at, (int64_t)scry_mark_crc(m));
}

int scry_local_put_marks(scry_store *base, const scry_mark *marks, size_t n, scry_error *err)
{
    scry_local *s = (scry_local *)base;
    int result = scry_local_check_writable(s, err);
    if (result < 0 || (result = scry_local_begin(s, err)) < 0)
        return result;
    for (size_t i = 0; i < n && result == 0; i++)
        result = put_one(s, &marks[i], err);
    return scry_local_end(s, result, err);
}

int scry_local_remove_marks(scry_store *base, const scry_mark *marks, size_t n, uint64_t *removed, scry_error *err)
{
    scry_local *s = (scry_local *)base;
    uint64_t count = 0;
    int result = scry_local_check_writable(s, err);
    if (result < 0 || (result = scry_local_begin(s, err)) < 0)
        return result;
    for (size_t i = 0; i < n && result == 0; i++) {
        result = scry_db_run(&s->writer, SCRY_SQL_MARK_DROP, err, "ib", (int64_t)marks[i].kind, marks[i].key, (int)marks[i].key_size);
        count += result == 0 ? (uint64_t)scry_db_changes(&s->writer) : 0;
    }
    result = scry_local_end(s, result, err);
    *removed = result == 0 ? count : 0;
    return result;
}

/* A mark that is not as it was written is left out, as files are by scry_local_each_file. */
static void note_damage(scry_local *s)
{
    scry_error damage = SCRY_ERROR_INIT;
    scry_fail(&damage, SCRY_EDAMAGED, "a row of table marks in %s is damaged: run scry verify", s->db_path);
    scry_damage_found(s, damage.message);
}

int scry_local_each_mark(scry_store *base, scry_mark_kind kind, int (*each)(void *, const scry_mark *), void *arg, scry_error *err)
{
    scry_local *s = (scry_local *)base;
    scry_reader *r;
    scry_mark mark;
    sqlite3_stmt *st = NULL;
    bool stop = false;
    int result = scry_reader_acquire(s, &r, err);
    if (result < 0)
        return result;
    result = scry_db_start(&r->db, SCRY_SQL_MARKS_OF_KIND, &st, err, "i", (int64_t)kind);
    while (result == 0 && !stop && (result = scry_db_step(&r->db, st, err)) == 1) {
        result = 0;
        if (scry_mark_read(&mark, st))
            stop = each(arg, &mark) != 0;
        else
            note_damage(s);
    }
    scry_db_end(st);
    scry_reader_release(s, r);
    return result;
}
