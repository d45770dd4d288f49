/* remote_row.c - a row of an answer as a file. */
#include "store/remote_internal.h"

#include "base/alloc.h"
#include "base/sha256.h"

#include <stdlib.h>
#include <string.h>

enum { ID, CONTENT, ROOT, PATH, SIZE, MTIME, TIME, HAS_TIME, CAMERA, HAS_POSITION, LATITUDE, LONGITUDE, FORMAT, WIDTH,
       HEIGHT, KEY, LABELS };

const char *const scry_remote_file_fields[SCRY_REMOTE_FILE_FIELDS] = {
    "id", "content", "root", "path", "size", "mtime_ns", "time", "has_time", "camera", "has_position", "latitude",
    "longitude", "format", "width", "height", "key", "labels",
};

static const scry_milvus_type types[SCRY_REMOTE_FILE_FIELDS] = {
    SCRY_MILVUS_VARCHAR, SCRY_MILVUS_VARCHAR, SCRY_MILVUS_VARCHAR, SCRY_MILVUS_VARCHAR, SCRY_MILVUS_INT64,
    SCRY_MILVUS_INT64, SCRY_MILVUS_INT64, SCRY_MILVUS_BOOL, SCRY_MILVUS_VARCHAR, SCRY_MILVUS_BOOL, SCRY_MILVUS_DOUBLE,
    SCRY_MILVUS_DOUBLE, SCRY_MILVUS_VARCHAR, SCRY_MILVUS_INT64, SCRY_MILVUS_INT64, SCRY_MILVUS_VARCHAR, SCRY_MILVUS_ARRAY,
};

/* A row's strings lie in one block that is as large as they can get: unescaping only shrinks. */
static const char *copy_text(char **at, const char *text)
{
    char *to = *at;
    size_t n = strlen(text) + 1;
    memcpy(to, text, n);
    scry_milvus_unescape(to);
    *at += n;
    return to;
}

static size_t text_bytes(const scry_remote_row *row, const char *root, size_t i)
{
    size_t n = strlen(root) + 2 * strlen(row->columns[PATH]->strings[i]) + strlen(row->columns[CAMERA]->strings[i]) +
               strlen(row->columns[FORMAT]->strings[i]) + strlen(row->columns[KEY]->strings[i]) + 8;
    for (size_t k = 0; k < row->columns[LABELS]->lists[i].count; k++)
        n += strlen(row->columns[LABELS]->lists[i].items[k]) + 1;
    return n;
}

static int find_columns(scry_remote *s, scry_remote_row *row, const scry_milvus_rows *rows, scry_error *err)
{
    for (size_t k = 0; k < SCRY_REMOTE_FILE_FIELDS; k++) {
        row->columns[k] = scry_milvus_find_column(rows, scry_remote_file_fields[k], types[k]);
        if (!row->columns[k])
            return scry_fail(err, SCRY_EREMOTE, "Milvus answered without the field %s of the collection %s",
                             scry_remote_file_fields[k], s->name);
    }
    row->rows = rows;
    return 0;
}

static int read_ids(const scry_remote *s, scry_remote_row *row, size_t i, scry_error *err)
{
    scry_file *f = &row->file;
    if (scry_unhex(row->columns[ID]->strings[i], f->id, SCRY_ID_BYTES) == 0 &&
        scry_unhex(row->columns[ROOT]->strings[i], f->root, SCRY_ID_BYTES) == 0 &&
        scry_unhex(row->columns[CONTENT]->strings[i], f->content, SCRY_HASH_BYTES) == 0)
        return 0;
    return scry_fail(err, SCRY_EINVALID, "the row \"%.64s\" of the collection %s at %s was not written by scry",
                     row->columns[ID]->strings[i], s->name, s->where);
}

static const char *root_path(const scry_remote_row *row, const char *id)
{
    for (size_t k = 0; k < row->roots->count; k++)
        if (strcmp(row->roots->ids[k], id) == 0)
            return row->roots->paths[k];
    return "?";
}

/* Strings and labels of row i. */
static void read_text(scry_remote_row *row, size_t i)
{
    const scry_milvus_strings *labels = &row->columns[LABELS]->lists[i];
    const char *root = root_path(row, row->columns[ROOT]->strings[i]);
    scry_file *f = &row->file;
    free(row->text);
    free(row->labels);
    char *at = row->text = scry_alloc(text_bytes(row, root, i));
    f->relative = copy_text(&at, row->columns[PATH]->strings[i]);
    f->camera = copy_text(&at, row->columns[CAMERA]->strings[i]);
    f->format = copy_text(&at, row->columns[FORMAT]->strings[i]);
    f->key = copy_text(&at, row->columns[KEY]->strings[i]);
    row->labels = scry_alloc((labels->count + 1) * sizeof *row->labels);
    for (size_t k = 0; k < labels->count; k++)
        row->labels[k] = copy_text(&at, labels->items[k]);
    f->labels = row->labels;
    f->label_count = labels->count;
    char *path = scry_store_join(root, f->relative);
    f->path = memcpy(at, path, strlen(path) + 1);
    free(path);
}

int scry_remote_row_read(scry_remote *s, scry_remote_row *row, const scry_milvus_rows *rows, size_t i, scry_error *err)
{
    if (!row->roots)
        row->roots = scry_remote_roots_hold(s);
    if (row->rows != rows) {
        int result = find_columns(s, row, rows, err);
        if (result < 0)
            return result;
    }
    scry_file *f = &row->file;
    const scry_milvus_column **c = row->columns;
    int result = read_ids(s, row, i, err);
    if (result < 0)
        return result;
    read_text(row, i);
    f->size = c[SIZE]->longs[i];
    f->mtime_ns = c[MTIME]->longs[i];
    f->has_time = c[HAS_TIME]->bools[i];
    f->taken_at = f->has_time ? c[TIME]->longs[i] : 0;
    f->has_position = c[HAS_POSITION]->bools[i];
    f->latitude = f->has_position ? c[LATITUDE]->doubles[i] : 0;
    f->longitude = f->has_position ? c[LONGITUDE]->doubles[i] : 0;
    f->width = (int)c[WIDTH]->longs[i];
    f->height = (int)c[HEIGHT]->longs[i];
    return 0;
}

void scry_remote_row_dispose(scry_remote *s, scry_remote_row *row)
{
    scry_remote_roots_release(s, row->roots);
    free(row->text);
    free(row->labels);
    *row = (scry_remote_row){ .rows = NULL };
}
