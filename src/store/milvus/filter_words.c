#include "store/milvus/filter_words.h"

#include "base/utf8.h"
#include "store/milvus/filter_milvus.h"

#include <string.h>

enum { PART_LETTERS = 3 };

int scry_milvus_word_parts(const char *word, int (*each)(void *arg, const char *part), void *arg)
{
    size_t ends[PART_LETTERS] = { 0 }, letters = 0, size = strlen(word);
    char part[4 * PART_LETTERS + 1];
    int stop = 0;
    if (word[0] == '@')
        return 0;
    for (size_t at = 0, from; at < size && stop == 0;) {
        uint32_t rune;
        from = letters < PART_LETTERS ? 0 : ends[letters % PART_LETTERS];   /* behind the letter that leaves the run */
        at += scry_utf8_next(word + at, size - at, &rune);
        ends[letters++ % PART_LETTERS] = at;
        if (letters < PART_LETTERS || at - from >= sizeof part)
            continue;
        memcpy(part, word + from, at - from);
        part[at - from] = '\0';
        stop = each(arg, part);
    }
    return stop;
}

static void put_has(scry_buf *out, const char *field, const char *text)
{
    scry_buf_printf(out, "array_contains(%s, \"", field);
    scry_milvus_escape(out, text);
    scry_buf_puts(out, "\")");
}

static int put_part(void *arg, const char *part)
{
    scry_buf *b = arg;
    if (b->size)
        scry_buf_puts(b, " and ");
    put_has(b, "word_parts", part);
    return 0;
}

/* A word, or one of the other ways in which a file may say it. */
static void put_word(scry_buf *out, const char *word, size_t size, scry_words_mode mode, bool *wider)
{
    char way[SCRY_WORD_BYTES];
    bool first = true;
    while (scry_words_alternative(&word, &size, way)) {
        scry_buf parts = SCRY_BUF_INIT(out->limit);
        scry_buf_puts(out, first ? "(" : " or ");
        first = false;
        if (scry_word_is_part(way, strlen(way), mode)) {
            *wider = true;
            (void)scry_milvus_word_parts(way, put_part, &parts);
            scry_buf_printf(out, "(%s) or ", scry_buf_str(&parts));
            put_has(out, "word_parts", SCRY_MILVUS_ANY_PART);
        } else {
            put_has(out, "words", way);
        }
        scry_buf_dispose(&parts);
    }
    scry_buf_puts(out, first ? "id == \"\"" : ")");
}

void scry_milvus_any_word(scry_buf *out, const char *wanted, uint32_t which)
{
    const char *word, *before = "";
    char way[SCRY_WORD_BYTES];
    scry_buf_puts(out, "array_contains_any(words, [");
    for (size_t n; which && (word = scry_words_next(&wanted, &n)); which >>= 1)
        while (which & 1 && scry_words_alternative(&word, &n, way)) {
            scry_buf_printf(out, "%s\"", before);
            scry_milvus_escape(out, way);
            scry_buf_putc(out, '"');
            before = ", ";
        }
    scry_buf_puts(out, "])");
}

char *scry_milvus_words_expression(const char *wanted, scry_words_mode mode, bool mixed, bool *wider)
{
    scry_buf b = SCRY_BUF_INIT(SCRY_WORDS_LIMIT);
    const char *word;
    if (mixed) {
        *wider = true;
        scry_buf_puts(&b, "not (");
        put_has(&b, "words", SCRY_MILVUS_WORDS_RULES);
        scry_buf_puts(&b, ") or (");
    }
    size_t before = b.size;
    for (size_t n; (word = scry_words_next(&wanted, &n));) {
        if (b.size > before)
            scry_buf_puts(&b, " and ");
        put_word(&b, word, n, mode, wider);
    }
    if (mixed)
        scry_buf_putc(&b, ')');
    return scry_buf_take(&b);
}
