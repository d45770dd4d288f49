/* place_names.h - places by their names, in any of the languages of the table (places.h).
 *
 *     scry_buf places = SCRY_BUF_INIT(SCRY_WORDS_LIMIT);   // of uint32_t
 *     scry_places_of_text(&places, "Paris, Texas");        // one
 *     scry_places_of_text(&places, "Париж");               // each Paris
 *
 * Names are compared as words are (words.h): without case, accents and endings. The names that begin with a word are found by
 * binary search; a lookup takes some 20 us, of the most frequent beginnings ("san") a few ms. Any thread.
 */
#ifndef SCRY_STORE_PLACE_NAMES_H
#define SCRY_STORE_PLACE_NAMES_H

#include "base/buf.h"

/* The places that the list of words (words.h) begins with the name of, the longest such name: their numbers, uint32_t, ascending.
 * Returns the words of it; 0: none. `out` is cleared first. */
size_t scry_places_of_words(scry_buf *out, const char *words);

/* The places that a text names: one name, or up to six of which each further one is around the place: "Paris, Texas, United
 * States". Returns how many. `out` is cleared first. */
size_t scry_places_of_text(scry_buf *out, const char *text);

/* The name that a text was probably meant to be, owned by the caller; NULL: none is near. */
char *scry_place_nearest(const char *text);

#endif
