/* remote_words.c - a file's words and its picture's text as fields of a row.
 *
 * `words` are those of scry_words_of_file, each once: ARRAY_CONTAINS finds them on every server. `word_parts` are all runs of
 * three letters in them: a word that is looked for inside of longer ones is only in rows that have all of its runs, which are
 * compared here. SCRY_MILVUS_ANY_PART among them: there were too many, so that the row may have any. `all_words` are the same words
 * as one text, of which a server that has BM25 makes `word_ranks`.
 */
#include "store/milvus/remote_internal.h"

#include "base/alloc.h"
#include "base/base64.h"
#include "base/table.h"
#include "store/milvus/filter_words.h"
#include "store/places.h"
#include "store/text_lines.h"
#include "store/words.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { CELL_BYTES = SCRY_MILVUS_MAX_VARCHAR / 4 * 3 };   /* whose base64 a VARCHAR holds */

/* ---- words ---- */

static int add_part(void *arg, const char *part)
{
    return scry_table_add(arg, part, NULL) < 0;
}

/* The texts of a table as a list, escaped. */
static scry_milvus_strings list_of(const scry_table *t)
{
    const char **items = scry_alloc((t->count + 1) * sizeof *items);
    for (size_t i = 0; i < t->count; i++) {
        scry_buf b = SCRY_BUF_INIT(4 * SCRY_WORD_BYTES);
        scry_milvus_escape(&b, scry_table_text(t, i));
        items[i] = scry_buf_take(&b);
    }
    return (scry_milvus_strings){ items, t->count };
}

/* Some servers cut a text at signs, too: a place is its number, after a letter, as no word is. */
bool scry_remote_add_word(scry_buf *out, const char *word)
{
    char name[16];
    uint32_t place = scry_word_place(word, strlen(word));
    if (place != SCRY_NO_PLACE) {
        snprintf(name, sizeof name, "p%u", (unsigned)place);
        word = name;
    }
    if (out->size + strlen(word) + 1 > SCRY_MILVUS_MAX_VARCHAR)
        return false;
    scry_buf_printf(out, "%s%s", out->size ? " " : "", word);
    return true;
}

/* Of all words but the first one, which are the rules: as many as fit. */
static char *text_of(const scry_table *words)
{
    scry_buf text = SCRY_BUF_INIT(SCRY_MILVUS_MAX_VARCHAR + 1);
    for (size_t i = 1; i < words->count && scry_remote_add_word(&text, scry_table_text(words, i)); i++)
        continue;
    return scry_buf_take(&text);
}

void scry_remote_words_of(const scry_file *file, scry_milvus_strings *words, scry_milvus_strings *parts, char **all_words)
{
    scry_table different = SCRY_TABLE_OF_TEXTS(sizeof(char *), SCRY_MILVUS_MOST_WORDS);
    scry_table runs = SCRY_TABLE_OF_TEXTS(sizeof(char *), SCRY_MILVUS_MOST_WORDS - 1);
    scry_table any = SCRY_TABLE_OF_TEXTS(sizeof(char *), 1);
    scry_buf all = SCRY_BUF_INIT(SCRY_WORDS_LIMIT);
    char word[SCRY_WORD_BYTES];
    bool too_many = false;
    scry_words_of_file(&all, file, SCRY_FIELDS_ALL);
    const char *at = scry_buf_str(&all), *next = NULL;
    (void)add_part(&different, SCRY_MILVUS_WORDS_RULES);
    for (size_t n; (next = scry_words_next(&at, &n)) && different.count < SCRY_MILVUS_MOST_WORDS;) {
        if (n >= sizeof word)
            continue;
        memcpy(word, next, n);
        word[n] = '\0';
        if (scry_table_add(&different, word, NULL) < 0)
            break;
        too_many = too_many || scry_milvus_word_parts(word, add_part, &runs) != 0;
    }
    too_many = too_many || next;   /* not all words are in the list, and of the others no runs */
    if (too_many)
        (void)add_part(&any, SCRY_MILVUS_ANY_PART);
    *words = list_of(&different);
    *all_words = text_of(&different);
    *parts = list_of(too_many ? &any : &runs);
    scry_buf_dispose(&all);
    scry_table_dispose(&any);
    scry_table_dispose(&runs);
    scry_table_dispose(&different);
}

/* ---- what was read in a picture ---- */

char *scry_remote_pack_text(const scry_picture_text *text, scry_error *err)
{
    scry_buf packed = SCRY_BUF_INIT(SCRY_TEXT_PACKED), cell = SCRY_BUF_INIT(SCRY_MILVUS_MAX_VARCHAR + 1);
    size_t n = text->reason && text->reason[0] ? 0 : text->line_count;
    scry_text_pack(&packed, text->lines, n);
    while (!packed.failed && packed.size > CELL_BYTES) {
        n -= n / 16 + 1;
        scry_text_pack(&packed, text->lines, n);
    }
    if (!packed.failed && packed.size)
        scry_base64_append(&cell, packed.data, packed.size);
    bool failed = packed.failed || cell.failed;
    char *out = failed ? NULL : packed.size ? scry_buf_take(&cell) : scry_strdup("");
    scry_buf_dispose(&packed);
    scry_buf_dispose(&cell);
    if (!out)
        scry_fail(err, SCRY_ENOMEM, "no memory for %zu lines of text", text->line_count);
    return out;
}

void scry_remote_unpack_words(scry_buf *out, const char *cell)
{
    scry_buf packed = SCRY_BUF_INIT(SCRY_TEXT_PACKED);
    bool good = scry_base64_decode(&packed, cell, strlen(cell)) == 0 && scry_text_unpack_words(out, packed.data, packed.size);
    if (!good)
        scry_buf_clear(out);
    scry_buf_dispose(&packed);
}

scry_picture_text *scry_remote_unpack_text(const char *cell, const char *reader, const char *reason)
{
    scry_buf packed = SCRY_BUF_INIT(SCRY_TEXT_PACKED);
    scry_picture_text *text = NULL;
    if (scry_base64_decode(&packed, cell, strlen(cell)) == 0)
        text = scry_text_unpack(packed.data, packed.size, reader, reason);
    scry_buf_dispose(&packed);
    return text;
}
