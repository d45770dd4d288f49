#include "engine/ranking.h"

#include "base/alloc.h"
#include "base/dot.h"

#include <float.h>
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

static bool is_right(const ranking_right *right, size_t i)
{
    return right->group_of ? right->group_of[i] == right->group : i == right->group;
}

static bool before(const float *scores, size_t a, size_t b)
{
    return scores[a] > scores[b] || (scores[a] == scores[b] && a < b);
}

/* The first RANKING_DEPTH places; returns how many there are. */
static size_t top_of(size_t *top, const float *scores, size_t n, size_t exclude)
{
    size_t count = 0;
    for (size_t i = 0; i < n; i++) {
        if (i == exclude || (count == RANKING_DEPTH && !before(scores, i, top[count - 1])))
            continue;
        size_t at = count < RANKING_DEPTH ? count++ : count - 1;
        for (; at && before(scores, i, top[at - 1]); at--)
            top[at] = top[at - 1];
        top[at] = i;
    }
    return count;
}

void ranking_of(ranking_outcome *out, const float *scores, size_t n, const ranking_right *right)
{
    size_t best = SIZE_MAX, right_count = 0, top[RANKING_DEPTH];
    *out = (ranking_outcome){ .right_score = -FLT_MAX, .wrong_score = -FLT_MAX };
    for (size_t i = 0; i < n; i++)
        if (i != right->exclude && is_right(right, i)) {
            right_count++;
            if (best == SIZE_MAX || before(scores, i, best))
                best = i;
        } else if (i != right->exclude && scores[i] > out->wrong_score) {
            out->wrong_score = scores[i];
        }
    if (right_count == 0)
        return;
    out->right_score = scores[best];
    out->rank = 1;
    for (size_t i = 0; i < n; i++)
        out->rank += i != right->exclude && before(scores, i, best);
    size_t places = top_of(top, scores, n, right->exclude), hits = 0;
    for (size_t i = 0; i < places; i++) {
        bool hit = is_right(right, top[i]);
        hits += hit;
        double precision = (double)hits / (double)(i + 1);
        out->ap_mean += precision / (double)places;
        if (hit)
            out->ap += precision / (double)(right_count < RANKING_DEPTH ? right_count : RANKING_DEPTH);
    }
}

void ranking_scores(float *out, const float *query, const float *rows, const float *bias, size_t n, size_t D)
{
    for (size_t i = 0; i < n; i++) {
        float product = scry_dot(query, rows + i * D, D);
        out[i] = bias ? bias[i] + 2 * product : product;
    }
}

/* splitmix64 (Steele, Lea, Flood 2014): small, and the same everywhere. */
static uint64_t next_random(uint64_t *state)
{
    uint64_t z = *state += 0x9E3779B97F4A7C15u;
    z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9u;
    z = (z ^ z >> 27) * 0x94D049BB133111EBu;
    return z ^ z >> 31;
}

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

void ranking_interval(const double *sums, const double *weights, size_t C, double *low, double *high)
{
    double means[BOOTSTRAP_RUNS];
    uint64_t state = 20240517;
    *low = *high = NAN;
    if (C < 2)
        return;
    for (size_t run = 0; run < BOOTSTRAP_RUNS; run++) {
        double sum = 0, weight = 0;
        for (size_t k = 0; k < C; k++) {
            size_t i = (size_t)((__uint128_t)next_random(&state) * C >> 64);
            sum += sums[i];
            weight += weights[i];
        }
        means[run] = weight > 0 ? sum / weight : 0;
    }
    qsort(means, BOOTSTRAP_RUNS, sizeof *means, compare);
    *low = means[BOOTSTRAP_RUNS * 25 / 1000];
    *high = means[BOOTSTRAP_RUNS * 975 / 1000 - 1];
}

static double uniform(uint64_t *state)   /* in (0, 1] */
{
    return ((double)(next_random(state) >> 11) + 1) * 0x1p-53;
}

float *ranking_projection(size_t from, size_t to)
{
    uint64_t state = 20240518;
    size_t n;
    float *p = scry_mul_size(from, to, &n) ? scry_try_alloc(n, sizeof *p) : NULL;
    double sigma = 1 / sqrt((double)to);
    for (size_t i = 0; p && i < n; i++) {   /* Box and Muller 1958 */
        double r = sqrt(-2 * log(uniform(&state)));
        p[i] = (float)(sigma * r * cos(2 * M_PI * uniform(&state)));
    }
    return p;
}

void ranking_project(float *out, const float *rows, size_t n, const float *projection, size_t from, size_t to)
{
    for (size_t i = 0; i < n; i++) {
        float *o = out + i * to;
        memset(o, 0, to * sizeof *o);
        for (size_t f = 0; f < from; f++)
            for (size_t t = 0; t < to; t++)
                o[t] += rows[i * from + f] * projection[f * to + t];
    }
}

void ranking_normalize(float *rows, size_t n, size_t D)
{
    for (size_t i = 0; i < n; i++) {
        float *row = rows + i * D;
        double norm = 0;
        for (size_t d = 0; d < D; d++)
            norm += (double)row[d] * row[d];
        for (size_t d = 0; norm > 0 && d < D; d++)
            row[d] = (float)(row[d] / sqrt(norm));
    }
}
