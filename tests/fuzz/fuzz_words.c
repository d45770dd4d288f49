/* Any bytes as a query, as a place and as a file's names and texts: every list of words is well formed, and what a file says finds
 * it. */
#include "scry/filter.h"
#include "store/place_names.h"
#include "store/places.h"
#include "store/words.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* Each word between newlines, none empty, only a query's list may be "". Returns how many. */
static size_t check(const scry_buf *list)
{
    const char *text = scry_buf_str(list), *at = text, *word;
    size_t n, count = 0, bytes = 0;
    while ((word = scry_words_next(&at, &n))) {
        count++;
        bytes += n + 1;
        if (word[-1] != '\n' || word[n] != '\n')
            abort();
    }
    if (list->failed || (count && bytes + 1 != list->size) || (!count && list->size))
        abort();
    return count;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = malloc(size + 1);
    memcpy(text, data, size);
    text[size] = '\0';
    scry_file file = { .relative = "", .title = text }, path = { .relative = text, .keywords = text, .key = text };
    scry_buf words = SCRY_BUF_INIT(SCRY_WORDS_LIMIT);
    scry_filter_pool *pool = scry_filter_pool_new();
    scry_words_of_file(&words, &path, SCRY_FIELDS_ALL);
    check(&words);
    scry_words_of_file(&words, &file, SCRY_FIELDS_ALL);
    check(&words);
    for (scry_words_mode mode = SCRY_WORDS_WHOLE; mode <= SCRY_WORDS_NAMED; mode++) {
        const scry_filter_node *f = scry_filter_words(pool, text, mode);
        scry_words_of_query(&words, text, mode);
        if (check(&words) > SCRY_QUERY_WORDS || !f != !words.size || (f && !scry_filter_match(f, &file)))
            abort();
    }
    const scry_filter_node *place = scry_filter_words(pool, text, SCRY_WORDS_PLACE);
    scry_words_of_query(&words, text, SCRY_WORDS_PLACE);
    if (check(&words) > 1 || !place != !words.size || (place && scry_filter_match(place, &file)))
        abort();
    const char *at = scry_buf_str(&words), *word;
    char one[SCRY_WORD_BYTES];
    for (size_t n; (word = scry_words_next(&at, &n));)
        while (scry_words_alternative(&word, &n, one))
            if (scry_word_place(one, strlen(one)) >= scry_places_count())
                abort();
    scry_buf_dispose(&words);
    scry_filter_pool_free(pool);
    free(text);
    return 0;
}
