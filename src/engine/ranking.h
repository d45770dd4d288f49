/* ranking.h - what is made of scores: ranks, average precision, confidence.
 *
 * Pictures (or whatever is ranked) are ordered by falling score, equal ones by their number, as
 * a search does.
 */
#ifndef SCRY_ENGINE_RANKING_H
#define SCRY_ENGINE_RANKING_H

#include <stddef.h>
#include <stdint.h>

enum { RANKING_DEPTH = 10 };

/* Which of the ranked things are right answers to one question. */
typedef struct ranking_right {
    const uint32_t *group_of;   /* [n]: i is right when group_of[i] == group; NULL: only i == group */
    uint32_t group;
    size_t exclude;             /* never ranked (the question itself); SIZE_MAX: nothing */
} ranking_right;

typedef struct ranking_outcome {
    size_t rank;       /* of the first right one, from 1; 0 when nothing is right */
    double ap;         /* average precision at 10: sum over right places i of P(i), / min(10, right ones) */
    double ap_mean;    /* the tutorial's: mean over all places i of P(i) */
    float right_score, wrong_score;   /* the highest of each; -FLT_MAX when there is none */
} ranking_outcome;

void ranking_of(ranking_outcome *out, const float *scores, size_t n, const ranking_right *right);

/* out[i] = bias[i] + scale * (query . rows_i): query [D], rows [n, D]; bias NULL counts as 0. */
void ranking_scores(float *out, const float *query, const float *rows, const float *bias, float scale,
                    size_t n, size_t D);

/* The bootstrap's 95 % interval of sum(sums) / sum(weights), resampling the C clusters
 * BOOTSTRAP_RUNS times from a fixed seed: NAN when there are fewer than two clusters. */
enum { BOOTSTRAP_RUNS = 1000 };
void ranking_interval(const double *sums, const double *weights, size_t C, double *low, double *high);

/* A random projection with entries N(0, 1 / to) from a fixed seed: `out` is [from, to], owned by
 * the caller; NULL when out of memory. */
float *ranking_projection(size_t from, size_t to);

/* rows [n, from] through it to out [n, to]; with `unit`, rows are brought to unit length. */
void ranking_project(float *out, const float *rows, size_t n, const float *projection, size_t from,
                     size_t to, int unit);

#endif
