#include "tune/publish.h"

#include "base/alloc.h"
#include "base/byte_order.h"
#include "base/file.h"
#include "base/json.h"
#include "engine/registry_record.h"
#include "model/tower.h"
#include "tune/tune.h"

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

int tune_shape_of(tune_shape *out, const scry_checkpoint *c, scry_error *err)
{
    const scry_text_config *t = &c->config.text;
    last_layer l;
    *out = (tune_shape){ .dim = c->config.dim, .branches = 1, .width = { c->config.dim } };
    if (t->new_tower == scry_bert_new && t->bert.head.branches >= 1) {
        out->branches = t->bert.head.branches;
        for (size_t i = 0; i < out->branches; i++) {
            const scry_head_branch *b = &t->bert.head.branch[i];
            out->width[i] = b->layers ? b->layer[b->layers - 1].out : 0;
            out->weight[i] = (double)b->weight;
        }
    }
    int r = 0;
    for (size_t i = 0; i < out->branches && r == 0; i++)
        r = find_last(&l, c, i, err);
    if (r == 0 && out->dim > MAX_WIDTH)
        r = scry_fail(err, SCRY_ELIMIT, "%s: vectors of %zu numbers are too long to be trained: at most %d", c->dir, out->dim, MAX_WIDTH);
    return r;
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

static int overwrite(const scry_checkpoint *c, const char *folder, const char *name, const void *bytes, size_t n, scry_error *err)
{
    place p;
    int r = find_tensor(&p, c, folder, name, err);
    if (r < 0)
        return r == SCRY_ENOTFOUND ? scry_fail(err, SCRY_EINVALID, "%s has no tensor %s", folder, name) : r;
    int fd = open(p.path, O_WRONLY | O_CLOEXEC);
    if (fd < 0)
        r = scry_fail_errno(err, errno, "cannot open %s", p.path);
    else if (p.bytes != n)
        r = scry_fail(err, SCRY_EINVALID, "%s: %s has not the size that it should have", p.path, name);
    for (size_t done = 0; r == 0 && done < n;) {
        ssize_t w = pwrite(fd, (const char *)bytes + done, n - done, (off_t)(p.at + done));
        if (w < 0 && errno != EINTR)
            r = scry_fail_errno(err, errno, "cannot write %s", p.path);
        done += w > 0 ? (size_t)w : 0;
    }
    if (r == 0 && fsync(fd) < 0)
        r = scry_fail_errno(err, errno, "cannot write %s", p.path);
    if (fd >= 0)
        close(fd);
    free(p.path);
    return r;
}

/* ---- formats ---- */

/* binary16, to nearest, ties to even. */
static uint16_t to_f16(float f)
{
    uint32_t bits, sign, mantissa;
    memcpy(&bits, &f, sizeof bits);
    sign = bits >> 16 & 0x8000;
    int exponent = (int)(bits >> 23 & 255) - 112;
    mantissa = bits & 0x7FFFFF;
    if (exponent >= 31)
        return (uint16_t)(sign | 0x7C00);
    if (exponent < -10)
        return (uint16_t)sign;
    int shift = 13;
    uint32_t half = (uint32_t)exponent << 10 | mantissa >> 13;
    if (exponent <= 0) {
        mantissa |= 0x800000;
        shift = 14 - exponent;
        half = mantissa >> shift;
    }
    uint32_t rest = mantissa & ((1u << shift) - 1), middle = 1u << (shift - 1);
    half += rest > middle || (rest == middle && (half & 1));
    return (uint16_t)(sign | half);
}

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
    for (size_t i = 0; i < n; i++)
        halves[i] = t->dtype == SCRY_DTYPE_F16 ? to_f16(values[i]) : scry_to_bf16(values[i]);
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

static int build(const scry_checkpoint *c, const tune_shape *s, const float *b, const char *record, const char *folder,
                 scry_error *err)
{
    char *path = scry_path_join(folder, SCRY_TUNE_RECORD);
    int r = scry_registry_copy_files(c->dir, folder, err);
    if (r == 0)
        r = multiply_all(c, s, b, folder, err);
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
