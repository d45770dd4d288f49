/* remote_files.c - rows as JSON for a bulk import: FOLDER/rows-00001.json and so on, {"rows": [{field: value, ...}, ...]}.
 *
 * The form that servers from 2.2 on take, with all types of fields that a collection has: 2.3's reader of NumPy has no arrays,
 * and no library that writes Parquet is in Debian for C. A vector's numbers are halves, of which there are 65,536: each is
 * formatted once, so that a row costs microseconds. A file has another name until it is whole.
 */
#include "store/milvus/remote_files.h"

#include "base/alloc.h"
#include "base/file.h"
#include "base/json.h"
#include "vector/vector.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { NUMBER = 16, HALVES = 1 << 16, ROW_BYTES = 64 << 20 };
static const uint64_t FILE_BYTES = 512 << 20;   /* what a segment of Milvus has by default; a server takes 16 GiB */

struct scry_remote_files {
    char *folder;
    unsigned number;         /* of the file that is open, or was the last */
    FILE *file;              /* NULL: none is open */
    char *path;              /* of it, when it is whole */
    uint64_t bytes;
    scry_buf row;
    char (*halves)[NUMBER];  /* as text */
};

static char *partial_path(const scry_remote_files *f)
{
    return scry_asprintf("%s.partial", f->path);
}

static int begin_file(scry_remote_files *f, scry_error *err)
{
    free(f->path);
    f->path = scry_asprintf("%s/rows-%05u.json", f->folder, ++f->number);
    char *partial = partial_path(f);
    f->file = fopen(partial, "we");
    f->bytes = 0;
    int result = f->file && fputs("{\"rows\": [\n", f->file) >= 0 ? 0 : scry_fail_errno(err, errno, "%s", partial);
    free(partial);
    return result;
}

int scry_remote_files_finish(scry_remote_files *f, scry_error *err)
{
    if (!f->file)
        return 0;
    char *partial = partial_path(f);
    bool written = fputs("\n]}\n", f->file) >= 0 && fflush(f->file) == 0 && fsync(fileno(f->file)) == 0;
    int result = written ? 0 : scry_fail_errno(err, errno, "%s", partial);
    if (fclose(f->file) != 0 && result == 0)
        result = scry_fail_errno(err, errno, "%s", partial);
    f->file = NULL;
    if (result == 0 && rename(partial, f->path) < 0)
        result = scry_fail_errno(err, errno, "%s", f->path);
    free(partial);
    return result;
}

void scry_remote_files_free(scry_remote_files *f)
{
    if (!f)
        return;
    if (f->file) {
        char *partial = partial_path(f);
        fclose(f->file);
        unlink(partial);
        free(partial);
    }
    scry_buf_dispose(&f->row);
    free(f->folder);
    free(f->path);
    free(f->halves);
    free(f);
}

static void format_halves(char (*to)[NUMBER])
{
    for (unsigned i = 0; i < HALVES; i++) {
        uint16_t half = (uint16_t)i;
        float value;
        scry_half_to_float(&value, &half, 1);
        snprintf(to[i], NUMBER, "%.9g", (double)value);
        for (char *c = to[i]; *c; c++)
            *c = *c == ',' ? '.' : *c;   /* of some locales */
    }
}

/* Values are rounded to halves already. */
static void put_vector(scry_remote_files *f, scry_json_writer *w, const float *v, size_t dim)
{
    uint16_t half[256];
    scry_json_begin(w, '[');
    for (size_t at = 0; at < dim; at += sizeof half / sizeof *half) {
        size_t n = dim - at < sizeof half / sizeof *half ? dim - at : sizeof half / sizeof *half;
        scry_half_from_float(half, v + at, n);
        for (size_t i = 0; i < n; i++)
            scry_json_put_raw(w, f->halves[half[i]]);
    }
    scry_json_end(w, ']');
}

static void put_cell(scry_remote_files *f, scry_json_writer *w, const scry_milvus_column *c, size_t i)
{
    scry_json_key(w, c->name);
    if (c->bools) {
        scry_json_put_bool(w, c->bools[i]);
    } else if (c->longs) {
        scry_json_put_int(w, c->longs[i]);
    } else if (c->doubles) {
        scry_json_put_num(w, c->doubles[i], 17);
    } else if (c->strings) {
        scry_json_put_str(w, c->strings[i]);
    } else if (c->floats) {
        put_vector(f, w, c->floats + i * (size_t)c->dim, (size_t)c->dim);
    } else {
        scry_json_begin(w, '[');
        for (size_t k = 0; k < c->lists[i].count; k++)
            scry_json_put_str(w, c->lists[i].items[k]);
        scry_json_end(w, ']');
    }
}

int scry_remote_files_add(scry_remote_files *f, const scry_milvus_column *columns, size_t count, size_t n, scry_error *err)
{
    int result = 0;
    for (size_t i = 0; i < n && result == 0; i++) {
        if (!f->file && (result = begin_file(f, err)) < 0)
            break;
        scry_json_writer w = SCRY_JSON_WRITER_INIT(&f->row);
        scry_buf_clear(&f->row);
        scry_buf_puts(&f->row, f->bytes ? ",\n" : "");
        scry_json_begin(&w, '{');
        for (size_t k = 0; k < count; k++)
            put_cell(f, &w, &columns[k], i);
        scry_json_end(&w, '}');
        if (f->row.failed)
            result = scry_fail(err, SCRY_ELIMIT, "a row of more than %d bytes", ROW_BYTES);
        else if (fwrite(f->row.data, 1, f->row.size, f->file) != f->row.size)
            result = scry_fail_errno(err, errno, "%s", f->path);
        f->bytes += f->row.size;
        if (result == 0 && f->bytes >= FILE_BYTES)
            result = scry_remote_files_finish(f, err);
    }
    return result;
}

/* A bulk import adds rows: those that are there already would be there twice. */
static int check_empty(scry_remote *s, scry_error *err)
{
    scry_store_info info = { 0 };
    int result = scry_remote_count_files(&s->base, &info, err);
    if (result == 0 && info.files)
        result = scry_fail(err, SCRY_EINVALID, "the collection %s at %s has %llu rows, which a bulk import would double: `scry store copy` "
                           "sends what is missing, or give another --to-collection", s->shown, s->where, (unsigned long long)info.files);
    return result;
}

int scry_remote_put_into_files(scry_store *base, const char *folder, scry_error *err)
{
    scry_remote *s = (scry_remote *)base;
    char *first = scry_asprintf("%s/rows-00001.json", folder);
    int result = scry_remote_check_writable(s, err);
    if (result == 0 && s->partitions)
        result = scry_fail(err, SCRY_EINVALID, "the collection %s at %s has a partition for each root, and a bulk import fills one: copy it, "
                           "or make it without --milvus-partitions", s->shown, s->where);
    if (result == 0)
        result = check_empty(s, err);
    if (result == 0)
        result = scry_make_dirs(folder, err);
    if (result == 0 && access(first, F_OK) == 0)
        result = scry_fail(err, SCRY_EINVALID, "%s is there already: give an empty folder", first);
    free(first);
    if (result < 0)
        return result;
    scry_remote_files *f = scry_alloc(sizeof *f);
    f->folder = scry_strdup(folder);
    f->row = (scry_buf)SCRY_BUF_INIT(ROW_BYTES);
    f->halves = scry_alloc(HALVES * sizeof *f->halves);
    format_halves(f->halves);
    s->files = f;
    return 0;
}
