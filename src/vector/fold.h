/* fold.h - folds near duplicates in a ranking into the best of them.
 *
 * In the order of the ranking, an entry is folded into the best-ranked earlier one that is shown itself and
 * whose vector has a cosine of at least `cosine` with its own; else it is shown. What is shown
 * before an entry does not depend on what follows, so consecutive pages of a ranking are consistent,
 * whatever their length. Near duplicates have nearly the same score and are near each other in
 * the ranking: only the last SCRY_FOLD_WINDOW shown entries are compared, which bounds the work.
 */
#ifndef SCRY_VECTOR_FOLD_H
#define SCRY_VECTOR_FOLD_H

#include <stddef.h>

enum { SCRY_FOLD_WINDOW = 512 };

/* `row` copies the vector [dim] of entry i, of any length but 0, to `out`. leader[i] becomes i
 * for an entry that is shown, else the entry that it is folded into. 0, or -1 without memory. */
int scry_fold(size_t *leader, size_t n, size_t dim, double cosine, void (*row)(void *arg, size_t i, float *out), void *arg);

#endif
