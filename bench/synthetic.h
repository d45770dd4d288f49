/* synthetic.h - vectors that lie as those of a CLIP model do, for benches of scan and store.
 *
 * Pictures share a direction (two unrelated ones have a cosine of 0.5) and stand around the
 * centres of clusters (0.75 within one). A query is a text: away from all pictures, nearest
 * to one cluster. What remains is random in all dimensions, which is harder for codes than
 * trained vectors are. Everything follows from the seed; one vector costs a microsecond.
 */
#ifndef SCRY_BENCH_SYNTHETIC_H
#define SCRY_BENCH_SYNTHETIC_H

#include "vector/vector.h"

#include <stddef.h>
#include <stdint.h>

static inline uint64_t synthetic_next(uint64_t *state)
{
    uint64_t z = *state += 0x9e3779b97f4a7c15u;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    return z ^ z >> 31;
}

/* v += weight x a direction that follows from the seed; nearly normal numbers: sums of four bytes. */
static inline void synthetic_add(float *v, size_t dim, uint64_t seed, float weight)
{
    enum { MEAN = 510, DEVIATION = 148 };
    uint64_t state = seed * 0x2545f4914f6cdd1du + 99;
    float scale = weight / (DEVIATION * __builtin_sqrtf((float)dim));
    for (size_t i = 0; i < dim; i += 2) {
        uint64_t z = synthetic_next(&state);
        for (size_t k = 0; k < 2 && i + k < dim; k++, z >>= 32)
            v[i + k] += scale * (float)((int)((z & 255) + (z >> 8 & 255) + (z >> 16 & 255) + (z >> 24 & 255)) - MEAN);
    }
}

static inline void synthetic_unit(float *v, size_t dim)
{
    float scale = (float)(1 / scry_float_norm(v, dim));
    for (size_t i = 0; i < dim; i++)
        v[i] *= scale;
}

enum { SYNTHETIC_SHARED = 1, SYNTHETIC_CENTRE = 1000, SYNTHETIC_QUERY = 2000000000 };

/* Clusters differ in size: the first ones are many times as large as the last. */
static inline uint64_t synthetic_cluster(uint64_t seed, size_t clusters)
{
    uint64_t state = seed, a = synthetic_next(&state) % clusters, b = synthetic_next(&state) % clusters;
    return SYNTHETIC_CENTRE + a * b / clusters;
}

/* The picture `i`, a unit vector; 0 clusters: no structure at all. */
static inline void synthetic_picture(float *v, size_t dim, size_t clusters, uint64_t i)
{
    for (size_t k = 0; k < dim; k++)
        v[k] = 0;
    synthetic_add(v, dim, ~i, clusters ? 0.5f : 1);
    if (clusters) {
        synthetic_add(v, dim, SYNTHETIC_SHARED, 0.7f);
        synthetic_add(v, dim, synthetic_cluster(i, clusters), 0.5f);
    }
    synthetic_unit(v, dim);
}

static inline void synthetic_query(float *v, size_t dim, size_t clusters, uint64_t i)
{
    for (size_t k = 0; k < dim; k++)
        v[k] = 0;
    synthetic_add(v, dim, SYNTHETIC_QUERY + i, 0.9f);
    if (clusters)
        synthetic_add(v, dim, synthetic_cluster(SYNTHETIC_QUERY + i, clusters), 0.4f);
    synthetic_unit(v, dim);
}

#endif
