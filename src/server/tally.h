/* tally.h - how often each text occurs, and the newest picture that has it. */
#ifndef SCRY_SERVER_TALLY_H
#define SCRY_SERVER_TALLY_H

#include "base/json.h"
#include "scry/store.h"

typedef struct tally tally;

tally *tally_new(void);
void tally_add(tally *t, const char *text, const scry_file *f);   /* `f` has it */

/* Write a list of {"name", "count", "id"}, the most frequent `max` of them, in order of count, then name. Counts are of a part of the
 * files, `share` of 1: they are written for the whole.
 * False when there was no memory to count all. */
bool tally_write(const tally *t, size_t max, double share, scry_json_writer *w);
void tally_free(tally *t);

#endif
