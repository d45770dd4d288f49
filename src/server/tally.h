/* tally.h - how often each text occurs. */
#ifndef SCRY_SERVER_TALLY_H
#define SCRY_SERVER_TALLY_H

#include "base/json.h"

typedef struct tally tally;

tally *tally_new(void);
void tally_add(tally *t, const char *text);

/* Write a list of {"name", "count"}, the most frequent `max` of them, in order of count, then name.
 * False when there was no memory to count all. */
bool tally_write(const tally *t, size_t max, scry_json_writer *w);
void tally_free(tally *t);

#endif
