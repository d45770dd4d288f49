/* ranking.h - from scores to ranks, average precision and confidence intervals.
 *
 * Pictures (or other items) are sorted by descending score, ties by number, as in a
 * search.
 */
#ifndef SCRY_ENGINE_RANKING_H
#define SCRY_ENGINE_RANKING_H

#include <stddef.h>
#include <stdint.h>

enum { RANKING_DEPTH = 10 };

/* Which of the ranked items are right answers to one question. */
typedef struct ranking_right {
    const uint32_t *group_of;   /* [n]: i is right when group_of[i] == group; NULL: only i == group */
    uint32_t group;
    size_t exclude;             /* left out of the ranking (the question itself); SIZE_MAX: none */
} ranking_right;

typedef struct ranking_outcome {
    size_t rank;       /* of the first right one, from 1; 0 when nothing is right */
    double ap;         /* average precision at 10: sum of P(i) over the right places i, divided by min(10, right answers) */
    double ap_mean;    /* the tutorial's variant: mean of P(i) over all places i */
    float right_score, wrong_score;   /* the highest of each; -FLT_MAX when there is none */
} ranking_outcome;

void ranking_of(ranking_outcome *out, const float *scores, size_t n, const ranking_right *right);

/* out[i] = query . rows_i, or with a bias 2 (query . rows_i) + bias[i]: query [D], rows [n, D]. */
void ranking_scores(float *out, const float *query, const float *rows, const float *bias, size_t n, size_t D);

/* The bootstrap's 95 % interval of sum(sums) / sum(weights), resampling the C clusters
 * BOOTSTRAP_RUNS times from a fixed seed: NAN when there are fewer than two clusters. */
enum { BOOTSTRAP_RUNS = 1000 };
void ranking_interval(const double *sums, const double *weights, size_t C, double *low, double *high);

/* A random projection with entries N(0, 1 / to) from a fixed seed: `out` is [from, to], owned by
 * the caller; NULL when out of memory. */
float *ranking_projection(size_t from, size_t to);

/* rows [n, from] through it to out [n, to]. */
void ranking_project(float *out, const float *rows, size_t n, const float *projection, size_t from, size_t to);

/* Bring rows [n, D] to unit length; zeros stay. */
void ranking_normalize(float *rows, size_t n, size_t D);

#endif
