/* text.h - texts of headers, in whatever encoding, as the UTF-8 that scry_metadata holds. */
#ifndef SCRY_METADATA_TEXT_H
#define SCRY_METADATA_TEXT_H

#include <stdbool.h>
#include <stddef.h>

/* `n` bytes up to the first zero byte as a text of at most capacity - 1 bytes: UTF-8, and where they are
 * not, Windows-1252, which holds Latin-1. Control characters become spaces. Returns its length. */
size_t scry_text_put(char *out, size_t capacity, const void *bytes, size_t n);

/* The same of UTF-16. */
size_t scry_text_put_utf16(char *out, size_t capacity, const void *bytes, size_t n, bool big);

/* Add a keyword to a list as scry_metadata has it: left out when empty, present already or too long for
 * what is left. `word` is a text. */
void scry_text_add_keyword(char *list, size_t capacity, const char *word);

#endif
