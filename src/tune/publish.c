#include "tune/publish.h"

#include "base/alloc.h"
#include "base/byte_order.h"
#include "base/file.h"
#include "base/json.h"
#include "base/sha256.h"
#include "engine/registry_record.h"
#include "model/text_map.h"
#include "model/tower.h"
#include "tune/tune.h"
#include "vector/vector.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { HEADER_BYTES = 100 << 20, NAME_BYTES = 256, MAX_WIDTH = 4096 };

/* The matrix that ends a branch: [out, in], or stored [in, out]. */
typedef struct {
    char weight[NAME_BYTES], bias[NAME_BYTES];   /* bias: "" when there is none */
    bool transposed;
} last_layer;

/* ---- where the matrices are ---- */

static int find_last(last_layer *l, const scry_checkpoint *c, size_t branch, scry_error *err)
{
    const scry_text_config *t = &c->config.text;
    *l = (last_layer){ "", "", false };
    if (t->new_tower == scry_clip_text_new && t->clip_names->projection) {
        snprintf(l->weight, NAME_BYTES, "%s", t->clip_names->projection);
        snprintf(l->bias, NAME_BYTES, "%s", t->clip_names->projection_bias ? t->clip_names->projection_bias : "");
        l->transposed = t->clip_names->transposed;
        return 0;
    }
    if (t->new_tower == scry_bert_new && t->bert.head.branch[branch].layers > 0) {
        const scry_head_branch *b = &t->bert.head.branch[branch];
        const scry_head_layer *last = &b->layer[b->layers - 1];
        char name[NAME_BYTES / 2];
        snprintf(name, sizeof name, "text_head.branches.%zu.%zu", branch, b->layers - 1);
        snprintf(l->weight, NAME_BYTES, "%s.weight", last->name ? last->name : name);
        snprintf(l->bias, NAME_BYTES, "%s%s", last->bias ? last->name ? last->name : name : "", last->bias ? ".bias" : "");
        if (last->kind == SCRY_HEAD_LINEAR)
            return 0;
    }
    return scry_fail(err, SCRY_EINVALID, "%s: the texts of this model do not end in a matrix that could be trained", c->dir);
}

static int check_dim(size_t dim, const scry_checkpoint *c, scry_error *err)
{
    return dim <= MAX_WIDTH ? 0 : scry_fail(err, SCRY_ELIMIT, "%s: vectors of %zu numbers are too long to be trained: at most %d", c->dir, dim,
                                            MAX_WIDTH);
}

int tune_shape_of(tune_shape *out, const scry_checkpoint *c, scry_error *err)
{
    const scry_text_config *t = &c->config.text;
    last_layer l;
    scry_text_map *map;
    int r = scry_text_map_open(&map, c->dir, c->config.dim, err);
    *out = (tune_shape){ .dim = c->config.dim, .branches = 1, .width = { c->config.dim }, .mapped = r == 0 && map };
    if (r < 0 || map) {
        scry_text_map_free(r < 0 ? NULL : map);
        return r < 0 ? r : check_dim(out->dim, c, err);
    }
    if (t->new_tower == scry_bert_new && t->bert.head.branches >= 1) {
        out->branches = t->bert.head.branches;
        for (size_t i = 0; i < out->branches; i++) {
            const scry_head_branch *b = &t->bert.head.branch[i];
            out->width[i] = b->layers ? b->layer[b->layers - 1].out : 0;
            out->weight[i] = (double)b->weight;
        }
    }
    for (size_t i = 0; i < out->branches && r == 0; i++)
        r = find_last(&l, c, i, err);
    return r < 0 ? r : check_dim(out->dim, c, err);
}

/* ---- one file ---- */

/* Where a tensor's bytes are. */
typedef struct {
    char *path;      /* owned */
    uint64_t at, bytes;
} place;

static int read_header(scry_json **out, uint64_t *begin, const char *path, scry_error *err)
{
    scry_map map;
    int r = scry_map_open(&map, path, err);
    if (r < 0)
        return r;
    uint64_t n = map.size >= 8 ? scry_read_little_endian(map.data, 8) : 0;
    if (n == 0 || n > HEADER_BYTES || n > map.size - 8)
        r = scry_fail(err, SCRY_EINVALID, "%s is no safetensors file", path);
    else
        r = scry_json_parse(out, (const char *)map.data + 8, (size_t)n, path, err);
    *begin = 8 + n;
    scry_map_close(&map);
    return r;
}

/* The tensor `name` in the copy `folder` of a checkpoint; SCRY_ENOTFOUND without a message when it has none. */
static int find_tensor(place *out, const scry_checkpoint *c, const char *folder, const char *name, scry_error *err)
{
    int r = 0;
    *out = (place){ NULL, 0, 0 };
    for (size_t i = 0; i < scry_tensors_files(c->tensors) && r == 0 && !out->path; i++) {
        scry_json *header = NULL;
        uint64_t begin = 0;
        char *path = scry_path_join(folder, scry_tensors_file(c->tensors, i));
        size_t n = strlen(path);
        bool weights = n > 12 && strcmp(path + n - 12, ".safetensors") == 0;
        r = weights ? read_header(&header, &begin, path, err) : 0;
        const scry_json *offsets = scry_json_get(scry_json_get(header, name), "data_offsets");
        if (r == 0 && scry_json_size(offsets) == 2) {
            int64_t from = scry_json_int(scry_json_at(offsets, 0), -1), to = scry_json_int(scry_json_at(offsets, 1), -1);
            if (from >= 0 && to >= from)
                *out = (place){ scry_strdup(path), begin + (uint64_t)from, (uint64_t)(to - from) };
        }
        scry_json_free(header);
        free(path);
    }
    return r < 0 ? r : out->path ? 0 : SCRY_ENOTFOUND;
}

/* Bytes in place of those at `at` of a file that is there. */
static int patch(const char *path, uint64_t at, const void *bytes, size_t n, scry_error *err)
{
    int fd = open(path, O_WRONLY | O_CLOEXEC), r = 0;
    if (fd < 0)
        return scry_fail_errno(err, errno, "cannot open %s", path);
    for (size_t done = 0; r == 0 && done < n;) {
        ssize_t w = pwrite(fd, (const char *)bytes + done, n - done, (off_t)(at + done));
        if (w < 0 && errno != EINTR)
            r = scry_fail_errno(err, errno, "cannot write %s", path);
        done += w > 0 ? (size_t)w : 0;
    }
    if (r == 0 && fsync(fd) < 0)
        r = scry_fail_errno(err, errno, "cannot write %s", path);
    close(fd);
    return r;
}

static int overwrite(const scry_checkpoint *c, const char *folder, const char *name, const void *bytes, size_t n, scry_error *err)
{
    place p;
    int r = find_tensor(&p, c, folder, name, err);
    if (r < 0)
        return r == SCRY_ENOTFOUND ? scry_fail(err, SCRY_EINVALID, "%s has no tensor %s", folder, name) : r;
    r = p.bytes == n ? patch(p.path, p.at, bytes, n, err)
                     : scry_fail(err, SCRY_EINVALID, "%s: %s has not the size that it should have", p.path, name);
    free(p.path);
    return r;
}

/* ---- formats ---- */

/* Rows of int8 with a factor each. */
static int write_int8(const scry_checkpoint *c, const char *folder, const char *name, const scry_tensor *t, const float *values,
                      scry_error *err)
{
    size_t rows = t->shape[0], row = scry_tensor_row_size(t);
    int8_t *bytes = scry_alloc(rows * row);
    float *scale = scry_alloc(rows * sizeof *scale);
    char scale_name[NAME_BYTES + 8];
    for (size_t i = 0; i < rows; i++) {
        float most = 0;
        for (size_t k = 0; k < row; k++)
            most = fmaxf(most, fabsf(values[i * row + k]));
        scale[i] = most > 0 ? most / 127 : 1;
        for (size_t k = 0; k < row; k++)
            bytes[i * row + k] = (int8_t)lrintf(values[i * row + k] / scale[i]);
    }
    snprintf(scale_name, sizeof scale_name, "%s.scale", name);
    int r = overwrite(c, folder, name, bytes, rows * row, err);
    if (r == 0)
        r = overwrite(c, folder, scale_name, scale, rows * sizeof *scale, err);
    free(scale);
    free(bytes);
    return r;
}

/* Values [count] in place of those of `t`, in its format. */
static int write_values(const scry_checkpoint *c, const char *folder, const char *name, const scry_tensor *t, const float *values,
                        scry_error *err)
{
    size_t n = scry_tensor_count(t);
    if (t->dtype == SCRY_DTYPE_I8)
        return write_int8(c, folder, name, t, values, err);
    if (t->dtype == SCRY_DTYPE_F32)
        return overwrite(c, folder, name, values, n * sizeof *values, err);
    uint16_t *halves = scry_alloc(n * sizeof *halves);
    if (t->dtype == SCRY_DTYPE_F16)
        scry_half_from_float(halves, values, n);
    for (size_t i = 0; t->dtype != SCRY_DTYPE_F16 && i < n; i++)
        halves[i] = scry_to_bf16(values[i]);
    int r = overwrite(c, folder, name, halves, n * sizeof *halves, err);
    free(halves);
    return r;
}

/* ---- multiplying in ---- */

/* out = B x for the columns of x; both may be stored transposed. */
static void multiply(const float *b, size_t width, const float *x, size_t columns, bool transposed, float *out)
{
    size_t row = transposed ? 1 : columns, column = transposed ? width : 1;   /* from one to the next */
    for (size_t i = 0; i < width; i++)
        for (size_t j = 0; j < columns; j++) {
            double sum = 0;
            for (size_t k = 0; k < width; k++)
                sum += (double)b[i * width + k] * (double)x[k * row + j * column];
            out[i * row + j * column] = (float)sum;
        }
}

typedef struct {
    const scry_checkpoint *c;
    const char *folder;    /* the copy */
} copied;

static int multiply_into(const copied *to, const char *name, const float *b, size_t width, bool transposed, scry_error *err)
{
    const scry_checkpoint *c = to->c;
    scry_tensor t;
    int r = scry_tensors_get(c->tensors, name, 2, transposed ? (size_t[]){ 0, width } : (size_t[]){ width, 0 }, &t, NULL);
    if (r < 0)
        r = scry_tensors_get(c->tensors, name, 1, (size_t[]){ width }, &t, err);
    if (r < 0)
        return r;
    size_t n = scry_tensor_count(&t), columns = n / width;
    float *old = scry_alloc(n * sizeof *old), *now = scry_alloc(n * sizeof *now);
    scry_tensor_floats(&t, old);
    multiply(b, width, old, columns, transposed, now);
    r = write_values(c, to->folder, name, &t, now, err);
    free(now);
    free(old);
    return r;
}

static int multiply_all(const scry_checkpoint *c, const tune_shape *s, const float *b, const char *folder, scry_error *err)
{
    const copied to = { c, folder };
    int r = 0;
    for (size_t i = 0; i < s->branches && r == 0; i++) {
        last_layer l;
        r = find_last(&l, c, i, err);
        if (r == 0)
            r = multiply_into(&to, l.weight, b, s->width[i], l.transposed, err);
        if (r == 0 && l.bias[0])
            r = multiply_into(&to, l.bias, b, s->width[i], false, err);
        b += s->width[i] * s->width[i];
    }
    return r;
}

/* The folder's text map, B times what it was. */
static int multiply_map(const scry_checkpoint *c, const float *b, const char *folder, scry_error *err)
{
    scry_text_map *map;
    int r = scry_text_map_open(&map, c->dir, c->config.dim, err);
    if (r < 0)
        return r;
    size_t dim = map->dim, bytes = dim * dim * sizeof(float);
    float *now = scry_alloc(bytes);
    char *path = scry_path_join(folder, SCRY_TEXT_MAP_FILE), *header;
    uint8_t digest[SCRY_SHA256_BYTES], length[8];
    char hex[2 * SCRY_SHA256_BYTES + 1];
    multiply(b, dim, map->weight, dim, false, now);
    scry_sha256_of(now, bytes, digest);
    scry_hex(digest, sizeof digest, hex);
    header = scry_asprintf("{\"__metadata__\":{\"sha256\":\"%s\"},\"weight\":{\"dtype\":\"F32\",\"shape\":[%zu,%zu],\"data_offsets\":[0,%zu]}}", hex,
                           dim, dim, bytes);
    for (int i = 0; i < 8; i++)
        length[i] = (uint8_t)((uint64_t)strlen(header) >> 8 * i);
    scry_buf file = SCRY_BUF_INIT(SIZE_MAX);
    scry_buf_append(&file, length, sizeof length);
    scry_buf_puts(&file, header);
    scry_buf_append(&file, now, bytes);
    r = file.failed ? scry_fail(err, SCRY_ENOMEM, "not enough memory for %s", path) : scry_write_file(path, file.data, file.size, err);
    scry_buf_dispose(&file);
    free(header);
    free(path);
    free(now);
    scry_text_map_free(map);
    return r;
}

/* The digest of its numbers that a file's metadata has, after they changed. */
static int renew_digest(const char *path, scry_error *err)
{
    scry_json *header = NULL;
    uint64_t begin;
    int r = read_header(&header, &begin, path, err);
    char *old = scry_strdup(scry_json_str(scry_json_get(scry_json_get(header, "__metadata__"), "sha256"), ""));
    scry_json_free(header);
    scry_map map;
    if (r == 0 && strlen(old) == 2 * SCRY_SHA256_BYTES && (r = scry_map_open(&map, path, err)) == 0) {
        uint8_t digest[SCRY_SHA256_BYTES];
        char hex[2 * SCRY_SHA256_BYTES + 1];
        const uint8_t *at = memmem(map.data, begin, old, strlen(old));
        uint64_t offset = at ? (uint64_t)(at - (const uint8_t *)map.data) : 0;
        scry_sha256_of((const uint8_t *)map.data + begin, map.size - begin, digest);
        scry_hex(digest, sizeof digest, hex);
        scry_map_close(&map);
        r = offset ? patch(path, offset, hex, strlen(hex), err) : 0;
    }
    free(old);
    return r;
}

static int renew_digests(const scry_checkpoint *c, const char *folder, scry_error *err)
{
    int r = 0;
    for (size_t i = 0; i < scry_tensors_files(c->tensors) && r == 0; i++) {
        char *path = scry_path_join(folder, scry_tensors_file(c->tensors, i));
        r = renew_digest(path, err);
        free(path);
    }
    return r;
}

static int build(const scry_checkpoint *c, const tune_shape *s, const float *b, const char *record, const char *folder,
                 scry_error *err)
{
    char *path = scry_path_join(folder, SCRY_TUNE_RECORD);
    int r = scry_registry_copy_files(c->dir, folder, err);
    if (r == 0)
        r = s->mapped ? multiply_map(c, b, folder, err) : multiply_all(c, s, b, folder, err);
    if (r == 0 && !s->mapped)
        r = renew_digests(c, folder, err);
    if (r == 0)
        r = scry_write_file(path, record, strlen(record), err);
    if (r == 0 && scry_sync_folder(folder) < 0)
        r = scry_fail_errno(err, errno, "cannot write %s", folder);
    free(path);
    return r;
}

int tune_publish(const scry_checkpoint *c, const tune_shape *s, const float *b, const char *record, const char *out,
                 scry_error *err)
{
    char *temporary = scry_asprintf("%s.XXXXXX", out);
    int r = mkdtemp(temporary) ? 0 : scry_fail_errno(err, errno, "cannot create %s", temporary);
    if (r == 0) {
        r = build(c, s, b, record, temporary, err);
        if (r == 0)
            r = scry_registry_install(temporary, out, err);
        if (r < 0)
            (void)!scry_registry_delete_tree(temporary, NULL);
    }
    free(temporary);
    return r;
}
