/* results.h - building the results that store.h declares, and paths of files in them. */
#ifndef SCRY_STORE_RESULTS_H
#define SCRY_STORE_RESULTS_H

#include "scry/store.h"

/* Results own every string of their hits. */
scry_results *scry_results_new(void);

/* Append a hit; the strings and labels of `file` are copied. */
void scry_results_add(scry_results *r, double score, const scry_file *file, uint64_t copies);

/* Append hit `i` of `from`, which keeps an empty place: its strings and folded ids go over and are not copied.
 * `copies` replaces the hit's own number. */
void scry_results_move(scry_results *r, scry_results *from, size_t i, uint64_t copies);

/* The same in place of `hit`, another file of its content or of the group that is folded into it: the group goes over. */
void scry_results_lead(scry_results *r, scry_results *from, size_t i, const scry_hit *hit);

/* Without its hits; `scanned` stays. */
void scry_results_clear(scry_results *r);

/* Name the RAW of hit `i`; its other strings move. */
void scry_results_set_raw(scry_results *r, size_t i, const char *raw);

/* Note that the disk of hit `i` is not there. */
void scry_results_set_away(scry_results *r, size_t i);

/* Say why hit `i` was found; by words where `word_fields` has the query's words, `wanted` (words.h). */
void scry_results_mark(scry_results *r, size_t i, scry_found_by by, unsigned word_fields, const char *wanted);

/* Note that the content of file `id` is folded into hit `i`. */
void scry_results_fold(scry_results *r, size_t i, const uint8_t id[SCRY_ID_BYTES]);

/* Hits of a ranking to look at first so that `end` are shown after folding and the next
 * SCRY_FOLD_AHEAD are known; deeper looks take four times as many. */
enum { SCRY_FOLD_AHEAD = 256 };
size_t scry_fold_depth(size_t end);

/* `root` + "/" + `relative`, or their obvious form for the root "/". Owned by the caller. */
char *scry_store_join(const char *root, const char *relative);

#endif
