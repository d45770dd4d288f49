/* date_lexicon.h - the words that dates are written with, in the page's languages that put spaces between words.
 *
 *     scry_date_word w;
 *     if (scry_date_lookup("January", 7, &w))      // w.kind == SCRY_DATE_MONTH, w.value == 1
 *
 * Words come folded: lower case, without accents (scry_date_fold). A new language is more forms in the rows of date_lexicon.c.
 */
#ifndef SCRY_ENGINE_DATE_LEXICON_H
#define SCRY_ENGINE_DATE_LEXICON_H

#include "base/buf.h"

#include <stdbool.h>
#include <stddef.h>

typedef enum {
    SCRY_DATE_FILLER,      /* "the", "of", "im" */
    SCRY_DATE_MONTH,       /* 1 to 12 */
    SCRY_DATE_NUMBER,      /* a day of a month, or how many; "two"; `second` is 1 for an ordinal: "second", "2nd" */
    SCRY_DATE_ORDINAL,     /* of words: becomes the number */
    SCRY_DATE_YEAR,
    SCRY_DATE_YEARS,       /* the first, and in `second` the last: 2019-2020 */
    SCRY_DATE_DECADE,      /* its first year */
    SCRY_DATE_SEASON,      /* the month in which it begins */
    SCRY_DATE_QUARTER,     /* 1 to 4, of "Q2"; 0: the word, whose number is another word */
    SCRY_DATE_HALF,        /* 1 or 2, of "H1"; 0: the word, as in "first half of 2020" and "half a year ago" */
    SCRY_DATE_WEEKDAY,     /* 0 (Sunday) to 6 */
    SCRY_DATE_WEEKEND,
    SCRY_DATE_HOLIDAY,     /* scry_date_holiday */
    SCRY_DATE_EVE,
    SCRY_DATE_PART,        /* 1 to 3: early, mid, late */
    SCRY_DATE_DAYTIME,     /* scry_date_daytime */
    SCRY_DATE_VAGUE,       /* what everybody has at another time: holidays */
    SCRY_DATE_UNIT,        /* 'd', 'w', 'm', 'q', 'h' (half a year), 'y' */
    SCRY_DATE_UNITS,       /* the same, in the plural: needs a number */
    SCRY_DATE_LAST,
    SCRY_DATE_THIS,
    SCRY_DATE_AGO,
    SCRY_DATE_BACK,        /* days before today: "yesterday" is 1 */
    SCRY_DATE_BEFORE,
    SCRY_DATE_FROM,
    SCRY_DATE_TO,          /* the end of a span, included */
    SCRY_DATE_UP_TO,       /* the same, but alone it is "before": Russian "до" */
    SCRY_DATE_WORD_KINDS
} scry_date_word_kind;

typedef enum {
    SCRY_HOLIDAY_CHRISTMAS, SCRY_HOLIDAY_CHRISTMAS_EVE, SCRY_HOLIDAY_RUSSIAN_CHRISTMAS, SCRY_HOLIDAY_NEW_YEAR, SCRY_HOLIDAY_NEW,
    SCRY_HOLIDAY_NEW_YEARS_EVE, SCRY_HOLIDAY_NEW_YEARS_DAY, SCRY_HOLIDAY_HALLOWEEN, SCRY_HOLIDAY_VALENTINE, SCRY_HOLIDAY_EASTER,
    SCRY_HOLIDAY_RUSSIAN_EASTER, SCRY_HOLIDAY_PENTECOST, SCRY_HOLIDAY_THANKSGIVING
} scry_date_holiday;

/* Parts of a day; a night begins on its day. SPANISH_TARDE is the afternoon until eight. */
typedef enum {
    SCRY_DAYTIME_MORNING, SCRY_DAYTIME_AFTERNOON, SCRY_DAYTIME_EVENING, SCRY_DAYTIME_NIGHT, SCRY_DAYTIME_SPANISH_TARDE,
    SCRY_DAYTIME_TONIGHT, SCRY_DAYTIME_LAST_NIGHT
} scry_date_daytime;

typedef struct scry_date_word {
    scry_date_word_kind kind;
    int value, second;
} scry_date_word;

/* Lower case without accents, compatibility forms as plain ones; appended to `out`. */
void scry_date_fold(scry_buf *out, const char *text);

/* What the `n` bytes of a folded word mean; false: not a word of dates. Digits are not looked up here. */
bool scry_date_lookup(const char *word, size_t n, scry_date_word *out);

#endif
