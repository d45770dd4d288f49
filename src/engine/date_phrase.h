/* date_phrase.h - a text that names a date, as words with a meaning (date_lexicon.h): signs, digits and words joined by hyphens
 * are told apart here. */
#ifndef SCRY_ENGINE_DATE_PHRASE_H
#define SCRY_ENGINE_DATE_PHRASE_H

#include "engine/date_lexicon.h"
#include "scry/error.h"

#include <stddef.h>

struct tm;

enum { SCRY_DATE_MAX_WORDS = 12 };

typedef struct scry_date_phrase {
    scry_date_word at[SCRY_DATE_MAX_WORDS];
    size_t n;
    const char *whole;      /* what was written, for messages */
    scry_error *err;
} scry_date_phrase;

/* Read `text` into p->at; `whole` and `err` are set. 1: all of its words were read; 0: one is none of dates, or there are none;
 * SCRY_EINVALID: digits may be two dates, and the message says which. `now` is what a clock shows: of years of two digits it
 * chooses the century. */
int scry_date_phrase_read(scry_date_phrase *p, const char *text, const struct tm *now) SCRY_NODISCARD;

#endif
