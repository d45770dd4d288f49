#include "store/keyword.h"

#include "base/alloc.h"
#include "store/words.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { MAX_TEXT = 1 << 20 };

char *scry_keyword_form(const char *text, size_t size)
{
    scry_runes runes = SCRY_RUNES_INIT(MAX_TEXT);
    scry_buf form = SCRY_BUF_INIT(4 * MAX_TEXT);
    scry_words_fold(&runes, text, size);
    scry_runes_encode(&runes, &form);
    scry_runes_dispose(&runes);
    char *out = scry_strdup(scry_buf_str(&form));
    scry_buf_dispose(&form);
    return out;
}

bool scry_keyword_is(const char *text, size_t size, const char *form)
{
    bool plain = true;
    for (size_t i = 0; i < size; i++)
        plain = plain && (text[i] & 0x80) == 0;
    if (plain)
        return strlen(form) == size && strncasecmp(text, form, size) == 0;
    char *own = scry_keyword_form(text, size);
    bool same = strcmp(own, form) == 0;
    free(own);
    return same;
}

bool scry_keyword_among(const char *keywords, const char *keyword)
{
    char *form = scry_keyword_form(keyword, strlen(keyword));
    bool among = false;
    for (size_t n; keywords && *keywords && !among; keywords += n + (keywords[n] == '\n')) {
        n = strcspn(keywords, "\n");
        among = scry_keyword_is(keywords, n, form);
    }
    free(form);
    return among;
}
