/* word_forms.h - words without the endings of their forms: English plurals, Russian nouns and adjectives. */
#ifndef SCRY_STORE_WORD_FORMS_H
#define SCRY_STORE_WORD_FORMS_H

#include "base/utf8.h"

/* A word in small letters without accents, without the ending of its form; one with letters of other alphabets stays. */
void scry_word_cut_ending(scry_runes *w);

/* The plural of a word in the form that lists have, where no rule makes it: "men" of "man". NULL: there is none. */
const char *scry_words_plural(const char *word, size_t size);

#endif
