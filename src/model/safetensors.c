#include "model/safetensors.h"

#include "model/folder_faults.h"

#include "base/alloc.h"
#include "base/byte_order.h"
#include "base/file.h"
#include "base/json.h"
#include "base/sha256.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>

enum { STEP_BYTES = 64 << 20, MAX_HEADER_BYTES = 64 << 20, MAX_TENSORS = 100000, MAX_SHARDS = 1000 };

/* Dtypes of the format. Tensors of those that are not in scry_dtype are allowed in a file,
 * but cannot be used. */
static const struct {
    const char *name;
    size_t size;
    int dtype;      /* scry_dtype, or -1 */
} dtypes[] = {
    { "F32", 4, SCRY_DTYPE_F32 }, { "F16", 2, SCRY_DTYPE_F16 }, { "BF16", 2, SCRY_DTYPE_BF16 },
    { "I8", 1, SCRY_DTYPE_I8 }, { "U8", 1, -1 }, { "BOOL", 1, -1 }, { "I16", 2, -1 },
    { "U16", 2, -1 }, { "I32", 4, -1 }, { "U32", 4, -1 }, { "I64", 8, -1 }, { "U64", 8, -1 },
    { "F64", 8, -1 }, { "F8_E4M3", 1, -1 }, { "F8_E5M2", 1, -1 }, { "C64", 8, -1 }
};

enum { DTYPES = sizeof dtypes / sizeof *dtypes };

typedef struct {
    char *name;
    const char *what;        /* the file, for messages; borrowed from the shard */
    const uint8_t *data;
    void *aligned;           /* owned: a copy, if the file's bytes are not aligned */
    size_t begin, end;       /* bytes of its file's data */
    int dtype;               /* index into dtypes */
    int rank;
    size_t shape[SCRY_TENSOR_MAX_RANK];
} entry;

typedef struct {
    char *file, *path;
    scry_map map;
    size_t data_at;          /* where the numbers begin, behind the header */
    bool has_digest;
    uint8_t digest[SCRY_SHA256_BYTES];   /* of the numbers, as the metadata declares it */
} shard;

struct scry_tensors {
    entry *entries;          /* sorted by name */
    size_t count, capacity;
    shard *shards;
    size_t shard_count;
};

/* ---- one file's header ---- */

/* Shape of `v` into e; false when it is not a shape or its product overflows. */
static bool read_shape(const scry_json *v, entry *e, size_t *elements)
{
    size_t rank = scry_json_size(v);
    if (scry_json_type_of(v) != SCRY_JSON_ARRAY || rank > SCRY_TENSOR_MAX_RANK)
        return false;
    e->rank = (int)rank;
    *elements = 1;
    for (size_t i = 0; i < SCRY_TENSOR_MAX_RANK; i++) {
        int64_t n = i < rank ? scry_json_int(scry_json_at(v, i), -1) : 1;
        if (n < 0 || !scry_mul_size(*elements, (size_t)n, elements))
            return false;
        e->shape[i] = (size_t)n;
    }
    return true;
}

static int read_entry(entry *e, const char *name, const scry_json *v, const uint8_t *data,
                      size_t data_bytes, const char *what, scry_error *err)
{
    const char *dtype = scry_json_str(scry_json_get(v, "dtype"), "");
    for (e->dtype = 0; e->dtype < DTYPES && strcmp(dtypes[e->dtype].name, dtype) != 0; e->dtype++)
        ;
    if (e->dtype == DTYPES)
        return scry_fail(err, SCRY_EINVALID, "%s: tensor %.100s has the unknown dtype \"%.20s\"",
                         what, name, dtype);
    size_t elements, bytes;
    if (!read_shape(scry_json_get(v, "shape"), e, &elements)
        || !scry_mul_size(elements, dtypes[e->dtype].size, &bytes))
        return scry_fail(err, SCRY_EINVALID, "%s: tensor %.100s has an impossible shape", what, name);
    const scry_json *offsets = scry_json_get(v, "data_offsets");
    int64_t begin = scry_json_int(scry_json_at(offsets, 0), -1);
    int64_t end = scry_json_int(scry_json_at(offsets, 1), -1);
    if (scry_json_size(offsets) != 2 || begin < 0 || end < begin || (uint64_t)end > data_bytes)
        return scry_fail(err, SCRY_EINVALID, "%s: tensor %.100s lies outside the file (bytes %lld "
                         "to %lld of %zu): the file is truncated or damaged, fetch it again",
                         what, name, (long long)begin, (long long)end, data_bytes);
    if ((uint64_t)(end - begin) != bytes)
        return scry_fail(err, SCRY_EINVALID, "%s: tensor %.100s has %lld bytes where its shape "
                         "needs %zu", what, name, (long long)(end - begin), bytes);
    e->begin = (size_t)begin;
    e->end = (size_t)end;
    e->data = data + begin;
    e->what = what;
    if (bytes && (uintptr_t)e->data % dtypes[e->dtype].size != 0) {
        e->aligned = scry_try_alloc_aligned(bytes, 1);
        if (!e->aligned)
            return scry_fail(err, SCRY_ENOMEM, "%s: not enough memory for tensor %.100s", what, name);
        memcpy(e->aligned, e->data, bytes);
        e->data = e->aligned;
    }
    return 0;
}

static int by_offset(const void *a, const void *b)
{
    const entry *x = *(entry *const *)a, *y = *(entry *const *)b;
    return x->begin != y->begin ? (x->begin < y->begin ? -1 : 1)
         : (x->end > y->end) - (x->end < y->end);
}

/* No two tensors of one file may share bytes. */
static int check_overlaps(entry *entries, size_t n, const char *what, scry_error *err)
{
    entry **sorted = scry_try_alloc(n, sizeof *sorted);
    if (!sorted)
        return scry_fail(err, SCRY_ENOMEM, "%s: not enough memory for %zu tensors", what, n);
    for (size_t i = 0; i < n; i++)
        sorted[i] = &entries[i];
    qsort(sorted, n, sizeof *sorted, by_offset);
    int result = 0;
    for (size_t i = 1; i < n && result == 0; i++)
        if (sorted[i]->begin < sorted[i - 1]->end && sorted[i]->begin < sorted[i]->end)
            result = scry_fail(err, SCRY_EINVALID, "%s: tensors %.100s and %.100s overlap: the file "
                               "is damaged", what, sorted[i - 1]->name, sorted[i]->name);
    free(sorted);
    return result;
}

static int add_entries(scry_tensors *ts, const scry_json *header, const uint8_t *data,
                       size_t data_bytes, const char *what, scry_error *err)
{
    size_t n = scry_json_size(header), first = ts->count;
    if (scry_json_type_of(header) != SCRY_JSON_OBJECT)
        return scry_fail(err, SCRY_EINVALID, "%s: its header is not a JSON object", what);
    if (n > MAX_TENSORS || ts->count + n > MAX_TENSORS)
        return scry_fail(err, SCRY_ELIMIT, "%s: more than %d tensors", what, MAX_TENSORS);
    entry *grown = realloc(ts->entries, (ts->count + n + 1) * sizeof *grown);
    if (!grown)
        return scry_fail(err, SCRY_ENOMEM, "%s: not enough memory for %zu tensors", what, n);
    ts->entries = grown;
    void *it = NULL;
    const char *name;
    const scry_json *v;
    while (scry_json_next(header, &it, &name, &v)) {
        if (strcmp(name, "__metadata__") == 0)
            continue;
        entry *e = &ts->entries[ts->count++];
        *e = (entry){ .name = scry_strdup(name) };
        int result = read_entry(e, name, v, data, data_bytes, what, err);
        if (result < 0)
            return result;
    }
    return check_overlaps(ts->entries + first, ts->count - first, what, err);
}

/* The metadata's sha256, which the starter's files have (tools/starter/publish.py). */
static int read_digest(shard *s, const scry_json *header, scry_error *err)
{
    const char *hex = scry_json_str(scry_json_get(scry_json_get(header, "__metadata__"), "sha256"), NULL);
    s->has_digest = hex;
    if (hex && scry_unhex(hex, s->digest, sizeof s->digest) < 0)
        return scry_fail(err, SCRY_EINVALID, "%s: its metadata's sha256 is not a digest of 64 hexadecimal digits", s->path);
    return 0;
}

/* `s` is NULL for a file in memory. */
static int add_file(scry_tensors *ts, shard *s, const uint8_t *bytes, size_t n, const char *what,
                    scry_error *err)
{
    if (n < 8)
        return scry_fail(err, SCRY_EINVALID, "%s: %zu bytes are not a safetensors file", what, n);
    uint64_t header_bytes = scry_read_little_endian(bytes, 8);
    if (header_bytes > MAX_HEADER_BYTES || header_bytes > n - 8)
        return scry_fail(err, SCRY_EINVALID, "%s: a header of %llu bytes in a file of %zu: it is "
                         "truncated, or not a safetensors file", what,
                         (unsigned long long)header_bytes, n);
    scry_json *header;
    int result = scry_json_parse(&header, (const char *)bytes + 8, (size_t)header_bytes, what, err);
    if (result < 0)
        return result;
    result = add_entries(ts, header, bytes + 8 + header_bytes, n - 8 - (size_t)header_bytes, what,
                         err);
    if (result == 0 && s) {
        s->data_at = 8 + (size_t)header_bytes;
        result = read_digest(s, header, err);
    }
    scry_json_free(header);
    return result;
}

/* ---- files and shards ---- */

static int by_name(const void *a, const void *b)
{
    return strcmp(((const entry *)a)->name, ((const entry *)b)->name);
}

static int sort_entries(scry_tensors *ts, scry_error *err)
{
    if (ts->count)
        qsort(ts->entries, ts->count, sizeof *ts->entries, by_name);
    for (size_t i = 1; i < ts->count; i++)
        if (strcmp(ts->entries[i - 1].name, ts->entries[i].name) == 0)
            return scry_fail(err, SCRY_EINVALID, "%s: tensor %.100s is also in %s",
                             ts->entries[i].what, ts->entries[i].name, ts->entries[i - 1].what);
    return 0;
}

static bool all_begin(const scry_tensors *ts, const char *prefix)
{
    size_t n = strlen(prefix);
    for (size_t i = 0; i < ts->count; i++)
        if (strncmp(ts->entries[i].name, prefix, n) != 0)
            return false;
    return ts->count > 0;
}

/* Names without what PyTorch's wrappers for several processors and for compiling write before all of them. */
static void unwrap(scry_tensors *ts)
{
    static const char *const wrappers[] = { "module.", "_orig_mod." };
    enum { WRAPPERS = sizeof wrappers / sizeof *wrappers };
    for (size_t w = 0; w < WRAPPERS;) {
        size_t n = strlen(wrappers[w]);
        bool wrapped = all_begin(ts, wrappers[w]);
        for (size_t i = 0; wrapped && i < ts->count; i++)
            memmove(ts->entries[i].name, ts->entries[i].name + n, strlen(ts->entries[i].name + n) + 1);
        w = wrapped ? 0 : w + 1;   /* one may be in the other */
    }
}

static int open_shard(scry_tensors *ts, const char *dir, const char *file, scry_error *err)
{
    shard *s = &ts->shards[ts->shard_count++];
    s->file = scry_strdup(file);
    s->path = scry_path_join(dir, file);
    int result = scry_map_open(&s->map, s->path, err);
    return result < 0 ? result : add_file(ts, s, s->map.data, s->map.size, s->path, err);
}

static int compare_strings(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* The distinct files of an index's weight_map, in name order. */
static int open_index(scry_tensors *ts, const char *dir, const char *path, scry_error *err)
{
    scry_json *index;
    int result = scry_json_read(&index, path, MAX_HEADER_BYTES, err);
    if (result < 0)
        return result;
    const scry_json *map = scry_json_get(index, "weight_map"), *v;
    size_t n = scry_json_size(map), used = 0;
    const char **files = scry_try_alloc(n + 1, sizeof *files), *name;
    if (!files || n == 0 || scry_json_type_of(map) != SCRY_JSON_OBJECT)
        result = scry_fail(err, SCRY_EINVALID, "%s: no weight_map in it", path);
    for (void *it = NULL; result == 0 && scry_json_next(map, &it, &name, &v);)
        files[used++] = scry_json_str(v, "");
    if (result == 0)
        qsort(files, used, sizeof *files, compare_strings);
    for (size_t i = 0; i < used && result == 0; i++) {
        if (i && strcmp(files[i], files[i - 1]) == 0)
            continue;
        result = files[i][0] == '\0' || strchr(files[i], '/') || strcmp(files[i], "..") == 0
               ? scry_fail(err, SCRY_EINVALID, "%s: the index names the file \"%.100s\" outside the "
                           "folder", dir, files[i])
               : ts->shard_count == MAX_SHARDS - 1
               ? scry_fail(err, SCRY_ELIMIT, "%s: more than %d files", path, MAX_SHARDS - 1)
               : open_shard(ts, dir, files[i], err);
        if (result == SCRY_ENOTFOUND)
            result = scry_folder_no_shard(dir, files[i], strrchr(path, '/') + 1, err);
    }
    free(files);
    scry_json_free(index);
    return result;
}

int scry_tensors_open(scry_tensors **out, const char *dir, const char *file, scry_error *err)
{
    scry_tensors *ts = scry_alloc(sizeof *ts);
    ts->shards = scry_alloc(MAX_SHARDS * sizeof *ts->shards);
    scry_error first = SCRY_ERROR_INIT;
    int result = open_shard(ts, dir, file, &first);
    if (result == SCRY_ENOTFOUND) {
        char *name = scry_asprintf("%s.index.json", file), *path = scry_path_join(dir, name);
        free(ts->shards[0].file);
        free(ts->shards[0].path);
        ts->shard_count = 0;
        result = open_index(ts, dir, path, err);
        if (result == SCRY_ENOTFOUND && ts->shard_count == 0)
            result = scry_fail(err, SCRY_ENOTFOUND, "%s: neither %s nor %s.index.json is in this "
                               "folder", dir, file, file);
        free(path);
        free(name);
    } else if (result < 0) {
        scry_fail(err, result, "%s", first.message);
    }
    if (result == 0)
        unwrap(ts);
    if (result == 0)
        result = sort_entries(ts, err);
    if (result < 0)
        scry_tensors_free(ts);
    else
        *out = ts;
    return result;
}

int scry_tensors_add(scry_tensors *ts, const char *dir, const char *file, scry_error *err)
{
    int result = open_shard(ts, dir, file, err);
    return result < 0 ? result : sort_entries(ts, err);
}

int scry_tensors_parse(scry_tensors **out, const void *bytes, size_t n, const char *what,
                       scry_error *err)
{
    scry_tensors *ts = scry_alloc(sizeof *ts);
    int result = add_file(ts, NULL, bytes, n, what, err);
    if (result == 0)
        result = sort_entries(ts, err);
    if (result < 0)
        scry_tensors_free(ts);
    else
        *out = ts;
    return result;
}

void scry_tensors_free(scry_tensors *ts)
{
    if (!ts)
        return;
    for (size_t i = 0; i < ts->count; i++) {
        free(ts->entries[i].name);
        free(ts->entries[i].aligned);
    }
    for (size_t i = 0; i < ts->shard_count; i++) {
        scry_map_close(&ts->shards[i].map);
        free(ts->shards[i].file);
        free(ts->shards[i].path);
    }
    free(ts->entries);
    free(ts->shards);
    free(ts);
}

void scry_tensors_drop_pages(const scry_tensors *ts)
{
    for (size_t i = 0; i < ts->shard_count; i++)
        if (ts->shards[i].map.data)
            madvise((void *)ts->shards[i].map.data, ts->shards[i].map.size, MADV_DONTNEED);
}

/* ---- looking up ---- */

static const entry *find(const scry_tensors *ts, const char *name)
{
    entry key = { .name = (char *)name };
    return ts->count ? bsearch(&key, ts->entries, ts->count, sizeof key, by_name) : NULL;
}

/* "768 x 512" */
static const char *shape_text(int rank, const size_t *shape, char *buffer, size_t size)
{
    size_t at = 0;
    snprintf(buffer, size, "a single number");
    for (int i = 0; i < rank && at < size; i++) {
        const char *times = i ? " x " : "";
        int n = shape[i] ? snprintf(buffer + at, size - at, "%s%zu", times, shape[i])
                         : snprintf(buffer + at, size - at, "%sN", times);
        at += n > 0 ? (size_t)n : 0;
    }
    return buffer;
}

static int check_shape(const entry *e, int rank, const size_t *shape, scry_error *err)
{
    bool same = e->rank == rank;
    for (int i = 0; same && i < rank; i++)
        same = shape[i] ? e->shape[i] == shape[i] : e->shape[i] > 0;
    char has[100], wants[100];
    return same ? 0 : scry_fail(err, SCRY_EINVALID, "%s: tensor %.100s is %s where the "
                                "configuration needs %s", e->what, e->name,
                                shape_text(e->rank, e->shape, has, sizeof has),
                                shape_text(rank, shape, wants, sizeof wants));
}

static int attach_scale(const scry_tensors *ts, const entry *e, scry_tensor *out, scry_error *err)
{
    char *name = scry_asprintf("%s.scale", e->name);
    const entry *s = find(ts, name);
    free(name);
    if (!s)
        return scry_fail(err, SCRY_EINVALID, "%s: int8 tensor %.100s has no %.100s.scale", e->what,
                         e->name, e->name);
    if (dtypes[s->dtype].dtype != SCRY_DTYPE_F32 || s->rank != 1 || s->shape[0] != e->shape[0])
        return scry_fail(err, SCRY_EINVALID, "%s: %.100s must be F32 and hold one number for each "
                         "of the %zu rows of %.100s", s->what, s->name, e->shape[0], e->name);
    out->scale = (const float *)s->data;
    return 0;
}

/* A tensor whose name ends with `name` behind a dot, or NULL: all may have a prefix. */
static const char *find_behind(const scry_tensors *ts, const char *name)
{
    size_t n = strlen(name);
    for (size_t i = 0; i < ts->count; i++) {
        size_t has = strlen(ts->entries[i].name);
        if (has > n + 1 && ts->entries[i].name[has - n - 1] == '.' && strcmp(ts->entries[i].name + has - n, name) == 0)
            return ts->entries[i].name;
    }
    return NULL;
}

static int missing(const scry_tensors *ts, const char *name, scry_error *err)
{
    const char *what = ts->count ? ts->entries[0].what : "the checkpoint", *other = find_behind(ts, name);
    if (!other)
        return scry_fail(err, SCRY_EINVALID, "%s: tensor %.100s is missing", what, name);
    return scry_fail(err, SCRY_EINVALID, "%s: tensor %.100s is missing: here its name begins with \"%.*s\", as a part of another model; "
                     "save the weights without that", what, name, (int)(strlen(other) - strlen(name)), other);
}

int scry_tensors_get(const scry_tensors *ts, const char *name, int rank, const size_t *shape,
                     scry_tensor *out, scry_error *err)
{
    const entry *e = find(ts, name);
    if (!e)
        return missing(ts, name, err);
    if (dtypes[e->dtype].dtype < 0)
        return scry_fail(err, SCRY_EINVALID, "%s: tensor %.100s is %s, which scry does not compute "
                         "with (F32, F16, BF16 and I8 with a scale it does)", e->what, name,
                         dtypes[e->dtype].name);
    int result = check_shape(e, rank, shape, err);
    if (result < 0)
        return result;
    *out = (scry_tensor){ .data = e->data, .dtype = (scry_dtype)dtypes[e->dtype].dtype,
                          .rank = e->rank };
    memcpy(out->shape, e->shape, sizeof e->shape);
    return out->dtype == SCRY_DTYPE_I8 ? attach_scale(ts, e, out, err) : 0;
}

bool scry_tensors_has(const scry_tensors *ts, const char *name)
{
    return find(ts, name);
}

size_t scry_tensors_count(const scry_tensors *ts)
{
    return ts->count;
}

const char *scry_tensors_name(const scry_tensors *ts, size_t i)
{
    return ts->entries[i].name;
}

const char *scry_tensors_main_dtype(const scry_tensors *ts)
{
    size_t bytes[DTYPES] = { 0 };
    int most = 0;
    for (size_t i = 0; i < ts->count; i++) {
        const entry *e = &ts->entries[i];
        bytes[e->dtype] += e->end - e->begin;
        most = bytes[e->dtype] > bytes[most] ? e->dtype : most;
    }
    return dtypes[most].name;
}

size_t scry_tensors_files(const scry_tensors *ts)
{
    return ts->shard_count;
}

const char *scry_tensors_file(const scry_tensors *ts, size_t i)
{
    return ts->shards[i].file;
}

static int check_digest(const shard *s, scry_long_work *work, scry_error *err)
{
    uint8_t digest[SCRY_SHA256_BYTES];
    if (!s->has_digest)
        return 0;
    scry_sha256 *h = scry_sha256_new();
    int r = 0;
    for (size_t at = s->data_at; at < s->map.size && r == 0; at += STEP_BYTES) {
        size_t bytes = s->map.size - at < STEP_BYTES ? s->map.size - at : STEP_BYTES;
        scry_sha256_update(h, s->map.data + at, bytes);
        r = scry_work_advance(work, bytes, err);
    }
    scry_sha256_final(h, digest);
    scry_sha256_free(h);
    return r < 0 ? r
           : memcmp(digest, s->digest, sizeof digest) == 0 ? 0
           : scry_fail(err, SCRY_EINVALID, "%s: the numbers are not those whose sha256 its metadata has: the file is damaged", s->path);
}

static int check_finite(const scry_tensors *ts, scry_long_work *work, scry_error *err)
{
    size_t read = 0;
    for (size_t i = 0; i < ts->count; i++) {
        const entry *e = &ts->entries[i];
        int r = scry_work_advance(work, e->end - e->begin, err);
        if (r < 0)
            return r;
        read += e->end - e->begin;
        if (read >= STEP_BYTES) {   /* the process does not grow by the files' size */
            scry_tensors_drop_pages(ts);
            read = e->end - e->begin;
        }
        if (dtypes[e->dtype].dtype < 0)
            continue;
        scry_tensor t = { .data = e->data, .dtype = (scry_dtype)dtypes[e->dtype].dtype,
                          .rank = e->rank };
        memcpy(t.shape, e->shape, sizeof e->shape);
        if (!scry_tensor_finite(&t))
            return scry_fail(err, SCRY_EINVALID, "%s: tensor %.100s holds numbers that are not "
                             "finite (NaN or infinity): the file is damaged", e->what, e->name);
    }
    return 0;
}

uint64_t scry_tensors_check_bytes(const scry_tensors *ts)
{
    uint64_t bytes = 0;
    for (size_t i = 0; i < ts->count; i++)
        bytes += ts->entries[i].end - ts->entries[i].begin;
    for (size_t i = 0; i < ts->shard_count; i++)
        bytes += ts->shards[i].has_digest ? ts->shards[i].map.size - ts->shards[i].data_at : 0;
    return bytes;
}

int scry_tensors_check(const scry_tensors *ts, scry_long_work *work, scry_error *err)
{
    int r = check_finite(ts, work, err);
    for (size_t i = 0; i < ts->shard_count && r == 0; i++)
        r = check_digest(&ts->shards[i], work, err);
    return r;
}
