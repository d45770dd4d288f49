#include "tokenizer/words.h"

#include <string.h>

/* ---- reading ---- */

static bool is_type(const scry_json *v, const char *type)
{
    return strcmp(scry_json_str(scry_json_get(v, "type"), ""), type) == 0;
}

static int read_metaspace(scry_word_rules *m, const scry_json *v, const char *path, scry_error *err)
{
    const char *mark = scry_json_str(scry_json_get(v, "replacement"), "\xE2\x96\x81");
    bool prefix = scry_json_bool(scry_json_get(v, "add_prefix_space"), true);   /* older files */
    const char *scheme = scry_json_str(scry_json_get(v, "prepend_scheme"), prefix ? "always" : "never");
    bool always = strcmp(scheme, "always") == 0;
    if ((!always && strcmp(scheme, "never") != 0) || strlen(mark) > SCRY_MAX_MARK_BYTES || strlen(mark) == 0)
        return scry_fail(err, SCRY_EINVALID, "%s: Metaspace with prepend_scheme \"%.20s\" is not supported "
                         "(always and never are)", path, scheme);
    m->has_mark = true;
    m->marks_words = always;
    m->splits_marks = scry_json_bool(scry_json_get(v, "split"), true);
    m->mark_n = strlen(mark);
    memcpy(m->mark, mark, m->mark_n);
    return 0;
}

int scry_word_rules_read(scry_word_rules *m, const scry_json *v, const char *path, scry_error *err)
{
    const scry_json *list = scry_json_get(v, "pretokenizers");
    bool sequence = is_type(v, "Sequence");
    size_t n = sequence ? scry_json_size(list) : 1;
    int result = 0;
    for (size_t i = 0; i < n && result == 0; i++) {
        const scry_json *item = sequence ? scry_json_at(list, i) : v;
        if (is_type(item, "WhitespaceSplit") && i == 0)
            m->splits_white_space = true;
        else if (is_type(item, "Metaspace") && !m->has_mark)
            result = read_metaspace(m, item, path, err);
        else
            result = scry_fail(err, SCRY_EINVALID, "%s: pre-tokenizer \"%.60s\" is not supported here "
                               "(WhitespaceSplit, then Metaspace are)", path,
                               scry_json_str(scry_json_get(item, "type"), "none"));
    }
    return result;
}

/* ---- splitting ---- */

/* One word, its spaces already replaced by marks; split before each mark where the file says so. */
static int put_marked(const scry_word_walk *w)
{
    const char *s = w->word->data;
    size_t n = w->word->size;
    int result = 0;
    while (n > 0 && result == 0 && !w->out->cut) {
        const char *next = w->rules->splits_marks && n > 1 ? memmem(s + 1, n - 1, w->rules->mark, w->rules->mark_n) : NULL;
        size_t part = next ? (size_t)(next - s) : n;
        result = w->each(w->work, s, part);
        s += part;
        n -= part;
    }
    return result;
}

static int put_runes(const scry_word_walk *w, const uint32_t *r, size_t n)
{
    const scry_word_rules *m = w->rules;
    scry_buf *word = w->word;
    char bytes[4];
    scry_buf_clear(word);
    for (size_t i = 0; i < n; i++) {
        if (m->has_mark && r[i] == ' ')
            scry_buf_append(word, m->mark, m->mark_n);
        else
            scry_buf_append(word, bytes, scry_utf8_put(bytes, r[i]));
        if (i == 0 && m->marks_words && (word->size != m->mark_n || memcmp(word->data, m->mark, m->mark_n) != 0)) {
            size_t first = word->size;
            char lead[4];
            memcpy(lead, word->data, first);
            scry_buf_clear(word);
            scry_buf_append(word, m->mark, m->mark_n);
            scry_buf_append(word, lead, first);
        }
    }
    if (word->failed)
        return scry_fail(w->err, SCRY_ENOMEM, "no memory for a word of %zu characters", n);
    return n ? put_marked(w) : 0;
}

int scry_words_each(const scry_word_walk *w, const scry_runes *r)
{
    if (!w->rules->splits_white_space)
        return put_runes(w, r->at, r->n);
    int result = 0;
    for (size_t i = 0, end; i < r->n && result == 0 && !w->out->cut; i = end + 1) {
        for (end = i; end < r->n && !scry_rune_is_space(r->at[end]);)
            end++;
        if (end > i)
            result = put_runes(w, r->at + i, end - i);
    }
    return result;
}
