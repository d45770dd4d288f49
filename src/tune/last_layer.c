#include "tune/last_layer.h"

#include "base/alloc.h"
#include "base/file.h"
#include "base/sha256.h"
#include "model/text_map.h"
#include "model/tower.h"
#include "tune/publish.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { NAME_BYTES = 256, MAX_WIDTH = 4096 };

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
    r = tune_write_values(c, to->folder, name, &t, now, err);
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

/* Floats of the text map's file, [rows, columns], or [rows] without columns. */
typedef struct {
    const char *name;
    const float *values;
    size_t rows, columns;
} map_part;

static int write_map(const char *folder, const map_part *parts, size_t n, scry_error *err)
{
    scry_buf header = SCRY_BUF_INIT(SIZE_MAX), numbers = SCRY_BUF_INIT(SIZE_MAX);
    char *path = scry_path_join(folder, SCRY_TEXT_MAP_FILE), hex[2 * SCRY_SHA256_BYTES + 1];
    uint8_t digest[SCRY_SHA256_BYTES], length[8];
    for (size_t i = 0; i < n; i++) {
        const map_part *p = &parts[i];
        size_t at = numbers.size;
        scry_buf_append(&numbers, p->values, p->rows * (p->columns ? p->columns : 1) * sizeof(float));
        scry_buf_printf(&header, ",\"%s\":{\"dtype\":\"F32\",\"shape\":[%zu", p->name, p->rows);
        if (p->columns)
            scry_buf_printf(&header, ",%zu", p->columns);
        scry_buf_printf(&header, "],\"data_offsets\":[%zu,%zu]}", at, numbers.size);
    }
    scry_buf_puts(&header, "}");
    scry_sha256_of(numbers.data, numbers.size, digest);
    scry_hex(digest, sizeof digest, hex);
    scry_buf file = SCRY_BUF_INIT(SIZE_MAX);
    char *first = scry_asprintf("{\"__metadata__\":{\"sha256\":\"%s\"}", hex);
    for (int i = 0; i < 8; i++)
        length[i] = (uint8_t)((uint64_t)(strlen(first) + header.size) >> 8 * i);
    scry_buf_append(&file, length, sizeof length);
    scry_buf_puts(&file, first);
    scry_buf_append(&file, header.data, header.size);
    scry_buf_append(&file, numbers.data, numbers.size);
    int r = file.failed || header.failed || numbers.failed ? scry_fail(err, SCRY_ENOMEM, "not enough memory for %s", path)
                                                          : scry_write_file(path, file.data, file.size, err);
    scry_buf_dispose(&file);
    scry_buf_dispose(&header);
    scry_buf_dispose(&numbers);
    free(first);
    free(path);
    return r;
}

/* The folder's text map, B times what it was: the words by which it knows a subject stay. */
static int multiply_map(const scry_checkpoint *c, const float *b, const char *folder, scry_error *err)
{
    scry_text_map *map;
    int r = scry_text_map_open(&map, c->dir, c->config.dim, err);
    if (r < 0)
        return r;
    size_t dim = map->dim;
    float *weight = scry_alloc(dim * dim * sizeof *weight), *known = scry_alloc(map->words * dim * sizeof *known),
          *old = scry_alloc(map->subjects * dim * sizeof *old), *added = scry_alloc(map->subjects * dim * sizeof *added);
    multiply(b, dim, map->weight, dim, false, weight);
    if (map->subjects) {
        scry_tensor_floats(&map->known, known);
        scry_tensor_floats(&map->added, old);
        multiply(b, dim, old, map->subjects, true, added);
    }
    const map_part parts[] = { { "weight", weight, dim, dim },
                               { "known", known, map->words, dim },
                               { "added", added, map->subjects, dim },
                               { "count", map->count, map->subjects, 0 },
                               { "from", &map->from, 1, 0 } };
    r = write_map(folder, parts, map->subjects ? 5 : 1, err);
    free(added);
    free(old);
    free(known);
    free(weight);
    scry_text_map_free(map);
    return r;
}

int tune_multiply(const void *product, const scry_checkpoint *c, const char *folder, scry_error *err)
{
    const tune_product *p = product;
    return p->s->mapped ? multiply_map(c, p->b, folder, err) : multiply_all(c, p->s, p->b, folder, err);
}
