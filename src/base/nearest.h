/* nearest.h - the name that a misspelled one was probably meant to be.
 *
 *     scry_nearest n = SCRY_NEAREST_INIT("serach");
 *     for (...) scry_nearest_offer(&n, name);
 *     if (n.best[0]) printf("did you mean %s?", n.best);
 *
 * The distance counts inserted, removed and changed characters and swapped neighbours; upper and lower case of ASCII are the
 * same. Up to a third of the characters that were given may differ.
 */
#ifndef SCRY_BASE_NEAREST_H
#define SCRY_BASE_NEAREST_H

#include <stddef.h>

enum { SCRY_NEAREST_RUNES = 64, SCRY_NEAREST_BYTES = 4 * SCRY_NEAREST_RUNES + 1 };

typedef struct scry_nearest {
    const char *given;                /* borrowed */
    char best[SCRY_NEAREST_BYTES];    /* "": none of those offered is near */
    size_t distance;                  /* of `best` */
} scry_nearest;

#define SCRY_NEAREST_INIT(text) { (text), "", 0 }

/* Names of more than SCRY_NEAREST_RUNES characters, and none, are never near. Of equally near ones the first stays. */
void scry_nearest_offer(scry_nearest *n, const char *name);

/* Each of the words of `names`, separated by spaces. */
void scry_nearest_offer_words(scry_nearest *n, const char *names);

#endif
