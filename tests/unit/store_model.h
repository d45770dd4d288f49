/* store_model.h - a store kept in plain arrays: what the real one is compared with.
 *
 * Everything follows from small numbers: a content's seed gives its hash, its vector and
 * its fields, so that a test knows the expected results. Some contents share a vector,
 * so that equal scores occur.
 */
#ifndef STORE_MODEL_H
#define STORE_MODEL_H

#include "scry/store.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MODEL_DIM = 40, MODEL_FILES = 400, MODEL_CONTENTS = 150, MODEL_VECTORS = 120 };

typedef struct {
    uint64_t state;
} dice;

/* splitmix64 */
static inline uint64_t roll(dice *d)
{
    uint64_t z = d->state += 0x9e3779b97f4a7c15u;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    return z ^ z >> 31;
}

static inline int below(dice *d, int n)
{
    return (int)(roll(d) % (uint64_t)n);
}

typedef struct {
    bool present, bad;
    uint8_t root[SCRY_ID_BYTES];
    char root_path[96], relative[64], path[192];
    int content;
    int64_t size, mtime_ns;
    char key[16], label[2][16];
    const char *labels[2];
    size_t label_count;
} model_file;

/* The unit vector number n, random. */
static inline void model_direction(int n, float *out, int dim)
{
    dice d = { 77 + (uint64_t)n };
    double sum = 0;
    for (int i = 0; i < dim; i++) {
        double x = 0;
        for (int k = 0; k < 4; k++)
            x += (double)(roll(&d) >> 11) * 0x1p-53 - 0.5;
        out[i] = (float)x;
        sum += x * x;
    }
    for (int i = 0; i < dim; i++)
        out[i] = (float)(out[i] / sqrt(sum));
}

/* Contents share MODEL_VECTORS of them. */
static inline void model_vector(int content, float *out, int dim)
{
    model_direction(content % MODEL_VECTORS, out, dim);
}

static inline void model_hash(int content, uint8_t out[SCRY_HASH_BYTES])
{
    dice d = { 1000003u * (uint64_t)(content + 1) };
    for (int i = 0; i < SCRY_HASH_BYTES; i++)
        out[i] = (uint8_t)roll(&d);
}

/* The fields that a content has, and those of the file when there is one. */
static inline scry_file model_to_file(const model_file *m)
{
    static const char *const formats[] = { "jpeg", "png", "webp" };
    static const char *const cameras[] = { "", "Canon EOS 5D", "NIKON D90", "Apple iPhone 12" };
    scry_file f = { .relative = m->relative, .path = m->path, .size = m->size, .mtime_ns = m->mtime_ns,
                    .width = 100 + m->content, .height = 50 + m->content % 7,
                    .format = formats[m->content % 3], .camera = cameras[m->content % 4],
                    .has_time = m->content % 5 != 0, .has_position = m->content % 2 == 0,
                    .key = m->key, .labels = m->labels, .label_count = m->label_count };
    if (f.has_time)
        f.taken_at = 1500000000 + (int64_t)m->content * 1000000;
    if (f.has_position) {
        f.latitude = m->content % 170 - 85.5;
        f.longitude = m->content * 7 % 360 - 180;
    }
    memcpy(f.root, m->root, SCRY_ID_BYTES);
    scry_file_id(m->root, m->relative, f.id);
    model_hash(m->content, f.content);
    return f;
}

/* The cosine of the query and the content's vector as stored, by the compiler's own binary16. */
static inline double model_score(const float *query, int content, int dim)
{
    float v[4096];
    double dot = 0, a = 0, b = 0;
    model_vector(content, v, dim);
    for (int i = 0; i < dim; i++) {
        double x = (double)(_Float16)v[i], q = query[i];
        dot += x * q;
        a += x * x;
        b += q * q;
    }
    return dot / sqrt(a * b);
}

/* A new empty folder under $TMPDIR or /tmp. */
static inline void make_scratch(char out[64])
{
    const char *tmp = getenv("TMPDIR");
    snprintf(out, 64, "%.40s/scry-test-XXXXXX", tmp && strlen(tmp) < 40 ? tmp : "/tmp");
    if (!mkdtemp(out))
        abort();
}

/* The same in memory (/dev/shm) where possible: to a process that is killed it is the same as a
 * disk, and it is faster. */
static inline void make_fast_scratch(char out[64])
{
    snprintf(out, 64, "/dev/shm/scry-test-XXXXXX");
    if (!mkdtemp(out))
        make_scratch(out);
}

static inline void remove_tree(const char *path)
{
    char command[256];
    snprintf(command, sizeof command, "chmod -R u+w '%s' 2>/dev/null; rm -rf '%s'", path, path);
    if (system(command) != 0)
        fprintf(stderr, "cannot remove %s\n", path);
}

#endif
