/* scripts.h - the letters of a line that the networks do not have. */
#ifndef SCRY_OCR_SCRIPTS_H
#define SCRY_OCR_SCRIPTS_H

#include <stdbool.h>

/* Whether the networks read two Greek letters. They leave out those that they do not have, with accents, and take some for Latin
 * ones, with confidence. */
bool scry_ocr_has_greek(const char *text);

/* Whether half of the letters, and at least two, are of scripts that the networks do not have, from Cyrillic to Korean, or Greek
 * ones: some that they do not have, or the line `is_greek`. */
bool scry_ocr_has_other_letters(const char *text, bool is_greek);

#endif
