#include "engine/query_words.h"

#include "base/buf.h"

enum { MAX_WORDS_BYTES = 1 << 20 };

static const scry_filter_node *words_of(scry_filter_pool *pool, const scry_query *query)
{
    const scry_query_part *parts;
    size_t n = scry_query_parts(query, &parts);
    scry_buf text = SCRY_BUF_INIT(MAX_WORDS_BYTES);
    for (size_t i = 0; i < n && !text.failed; i++)
        if (parts[i].kind != SCRY_PART_TEXT || parts[i].weight < 0)
            text.failed = true;
        else
            scry_buf_printf(&text, "%s\n", parts[i].text);
    const scry_filter_node *words = text.failed ? NULL : scry_filter_words(pool, scry_buf_str(&text), SCRY_WORDS_NAMED);
    scry_buf_dispose(&text);
    return words;
}

int scry_query_find_words(const scry_filter_node **out, scry_filter_pool *pool, const scry_query *query, scry_search_kind by,
                          scry_error *err)
{
    *out = by == SCRY_BY_LOOK ? NULL : words_of(pool, query);
    if (by == SCRY_BY_WORDS && !*out)
        return scry_fail(err, SCRY_EINVALID, "a search by words takes texts with 1 to 32 words that name something, and no pictures");
    return 0;
}
