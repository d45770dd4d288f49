#include "store/local/head_row.h"

#include "base/alloc.h"
#include "base/crc32c.h"

#include <stdlib.h>
#include <string.h>

void scry_head_dispose(scry_head *h)
{
    free(h->model_identity);
    free(h->model_name);
    free(h->precision);
    memset(h, 0, sizeof *h);
}

void scry_head_copy(scry_head *to, const scry_head *from)
{
    scry_head_dispose(to);
    *to = *from;
    to->model_identity = scry_strdup(from->model_identity);
    to->model_name = scry_strdup(from->model_name);
    to->precision = scry_strdup(from->precision);
}

static uint32_t head_crc(const scry_head *h)
{
    const int64_t numbers[] = { h->dim, h->generation, h->slots, h->change, h->files, h->contents,
                                h->bad, h->next_file, h->columns_file, h->columns_last };
    uint32_t crc = scry_crc32c(0, h->collection, sizeof h->collection);
    crc = scry_crc32c(crc, h->model_identity, strlen(h->model_identity) + 1);
    crc = scry_crc32c(crc, h->model_name, strlen(h->model_name) + 1);
    crc = scry_crc32c(crc, h->precision, strlen(h->precision) + 1);
    return scry_crc32c(crc, numbers, sizeof numbers);
}

static bool plausible(const scry_head *h)
{
    const int64_t counts[] = { h->slots, h->change, h->files, h->contents, h->bad, h->next_file,
                               h->columns_file, h->columns_last };
    for (size_t i = 0; i < sizeof counts / sizeof *counts; i++)
        if (counts[i] < 0)
            return false;
    return h->dim >= 1 && h->dim <= SCRY_DIM_MAX && h->generation >= 1 && h->slots <= UINT32_MAX;
}

int scry_head_load(scry_db *db, scry_head *h, scry_error *err)
{
    sqlite3_stmt *st;
    int result = scry_db_start(db, SCRY_SQL_HEAD_GET, &st, err, "");
    if (result < 0 || (result = scry_db_step(db, st, err)) < 0)
        goto out;
    scry_head_dispose(h);
    if (result == 1 && scry_db_bytes(st, 0, h->collection, SCRY_COLLECTION_BYTES)) {
        h->model_identity = scry_strdup(scry_db_text(st, 1));
        h->model_name = scry_strdup(scry_db_text(st, 2));
        h->precision = scry_strdup(scry_db_text(st, 3));
        int64_t *numbers[] = { &h->dim, &h->generation, &h->slots, &h->change, &h->files, &h->contents,
                               &h->bad, &h->next_file, &h->columns_file, &h->columns_last };
        for (int i = 0; i < 10; i++)
            *numbers[i] = sqlite3_column_int64(st, 4 + i);
    }
    result = 0;
    if (!h->model_identity || !plausible(h) || head_crc(h) != (uint32_t)sqlite3_column_int64(st, 14))
        result = scry_fail(err, SCRY_EDAMAGED, "the head row of %s is damaged: restore the file from a "
                           "backup, or remove the collection's folder and index again", db->path);
out:
    scry_db_end(st);
    return result;
}

int scry_head_save(scry_db *db, const scry_head *h, scry_error *err)
{
    return scry_db_run(db, SCRY_SQL_HEAD_PUT, err, "btttiiiiiiiiiii", h->collection,
                       SCRY_COLLECTION_BYTES, h->model_identity, h->model_name, h->precision, h->dim,
                       h->generation, h->slots, h->change, h->files, h->contents, h->bad, h->next_file,
                       h->columns_file, h->columns_last, (int64_t)head_crc(h));
}
