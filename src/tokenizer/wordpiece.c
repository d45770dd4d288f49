/* wordpiece.c - BERT's tokenizer: words, with punctuation split off, are divided greedily into
 * the longest pieces; pieces inside a word have the prefix "##".
 *
 * From tokenizer.json, or from vocab.txt with tokenizer_config.json. A word that cannot be
 * divided completely, or is longer than 100 characters, becomes one [UNK].
 */
#include "tokenizer/tokenizer_internal.h"

#include "base/alloc.h"

#include <stdlib.h>
#include <string.h>

enum { MAX_CONFIG_BYTES = 16 << 20, MAX_WORD_CHARACTERS = 1000 };

typedef struct wordpiece_model {
    scry_pieces heads;      /* all pieces */
    scry_pieces tails;      /* those with the prefix, without it */
    int32_t unknown_id;
    size_t max_characters;  /* of a word */
    bool clean, chinese, strip_accents, lowercase;
} wordpiece_model;

typedef struct wordpiece_work {
    const wordpiece_model *m;
    scry_ids *out;
    scry_error *err;
    scry_buf word;
} wordpiece_work;

/* ---- clean-up ---- */

static bool is_chinese(uint32_t r)
{
    return (r >= 0x4E00 && r <= 0x9FFF) || (r >= 0x3400 && r <= 0x4DBF) || (r >= 0x20000 && r <= 0x2A6DF) ||
           (r >= 0x2A700 && r <= 0x2B81F) || (r >= 0x2B920 && r <= 0x2CEAF) || (r >= 0xF900 && r <= 0xFAFF) ||
           (r >= 0x2F800 && r <= 0x2FA1F);
}

static void clean(void *work, const char *text, size_t n, scry_runes *out)
{
    const wordpiece_model *m = ((const wordpiece_work *)work)->m;
    for (size_t i = 0; i < n && !out->failed;) {
        uint32_t rune;
        i += scry_utf8_next(text + i, n - i, &rune);
        if (m->clean && (rune == 0 || rune == SCRY_RUNE_REPLACEMENT || scry_rune_is_bert_control(rune)))
            continue;
        bool alone = m->chinese && is_chinese(rune);
        if (alone)
            scry_runes_push(out, ' ');
        scry_runes_push(out, rune);
        if (alone)
            scry_runes_push(out, ' ');
    }
    if (m->strip_accents) {
        size_t to = 0;
        scry_runes_nfd(out, SCRY_UNICODE_RUST);
        for (size_t i = 0; i < out->n; i++)
            if (!scry_rune_is_bert_accent(out->at[i]))
                out->at[to++] = out->at[i];
        out->n = to;
    }
    if (m->lowercase)
        scry_runes_lower_each(out, SCRY_UNICODE_RUST);
}

/* ---- pieces ---- */

/* The length in bytes of the longest piece that s[0..n) starts with, 0 for none. */
static size_t longest_piece(const scry_pieces *pieces, const char *s, size_t n, int32_t *id)
{
    uint64_t hash = SCRY_HASH_SEED;
    size_t longest = 0, bound = n < pieces->max_n ? n : pieces->max_n;
    for (size_t i = 1; i <= bound; i++) {
        hash = scry_hash_step(hash, s[i - 1]);
        if (i < n && ((unsigned char)s[i] & 0xC0) == 0x80)
            continue;
        int32_t place = scry_pieces_find_hashed(pieces, hash, s, i);
        if (place >= 0) {
            *id = scry_pieces_id(pieces, place);
            longest = i;
        }
    }
    return longest;
}

static int put_word(wordpiece_work *w, const uint32_t *runes, size_t n)
{
    int32_t ids[MAX_WORD_CHARACTERS];
    scry_runes word = { (uint32_t *)runes, n, n, n, false };
    size_t count = 0, taken;
    if (n > w->m->max_characters) {
        scry_ids_push(w->out, w->m->unknown_id);
        return 0;
    }
    scry_buf_clear(&w->word);
    scry_runes_encode(&word, &w->word);
    if (w->word.failed)
        return scry_fail(w->err, SCRY_ENOMEM, "no memory for a word of %zu characters", n);
    for (size_t i = 0; i < w->word.size; i += taken) {
        taken = longest_piece(i ? &w->m->tails : &w->m->heads, w->word.data + i, w->word.size - i, &ids[count]);
        if (taken == 0) {
            scry_ids_push(w->out, w->m->unknown_id);
            return 0;
        }
        count++;
    }
    for (size_t i = 0; i < count && scry_ids_push(w->out, ids[i]); i++)
        ;
    return 0;
}

static int put_words(void *work, const scry_runes *r)
{
    wordpiece_work *w = work;
    int result = 0;
    for (size_t i = 0, end; i < r->n && result == 0 && !w->out->cut; i = end) {
        end = i + 1;
        if (scry_rune_is_space(r->at[i]))
            continue;
        while (!scry_rune_is_bert_punctuation(r->at[i]) && end < r->n && !scry_rune_is_space(r->at[end]) &&
               !scry_rune_is_bert_punctuation(r->at[end]))
            end++;
        result = put_word(w, r->at + i, end - i);
    }
    return result;
}

static int put_part(void *work, const char *text, size_t n)
{
    wordpiece_work *w = work;
    scry_chunks chunks = { w->out, w->err, false, w, clean, put_words };
    return scry_tok_each_chunk(&chunks, text, n);
}

static int encode(const scry_tokenizer *t, const char *text, size_t n, scry_ids *out, scry_error *err)
{
    wordpiece_work w = { t->model, out, err, SCRY_BUF_INIT(SIZE_MAX / 2) };
    int result = scry_added_walk(&t->added, false, text, n, out, put_part, &w);
    scry_buf_dispose(&w.word);
    return result;
}

/* ---- loading ---- */

static void release(void *model)
{
    wordpiece_model *m = model;
    scry_pieces_dispose(&m->heads);
    scry_pieces_dispose(&m->tails);
    free(m);
}

static int index_pieces(scry_tokenizer *t, wordpiece_model *m, const char *prefix, const char *unknown,
                        const char *path, scry_error *err)
{
    size_t prefix_n = strlen(prefix), n;
    int result = scry_pieces_reserve(&m->tails, m->heads.n, m->heads.offsets[m->heads.n], SCRY_PIECES_IDS, path,
                                     err);
    if (result < 0)
        return result;
    m->unknown_id = scry_pieces_find_id(&m->heads, unknown, strlen(unknown));
    if (m->unknown_id < 0)
        return scry_fail(err, SCRY_EINVALID, "%s: the vocabulary has no %.40s", path, unknown);
    t->unknown_id = m->unknown_id;
    for (size_t i = 0; i < m->heads.n && result == 0; i++) {
        const char *text = scry_pieces_text(&m->heads, i, &n);
        if (n > prefix_n && memcmp(text, prefix, prefix_n) == 0)
            result = scry_pieces_add(&m->tails, text + prefix_n, n - prefix_n,
                                     scry_pieces_id(&m->heads, (int32_t)i), 0, err);
    }
    if (result == 0)
        result = scry_pieces_index(&m->tails, err);
    if ((size_t)(m->heads.max_id + 1) > t->vocab_size)
        t->vocab_size = (size_t)(m->heads.max_id + 1);
    return result;
}

/* strip_accents that is null follows lowercase, as in the original. */
static void read_normaliser(wordpiece_model *m, const scry_json *v, const char *lowercase,
                            const char *chinese)
{
    m->clean = scry_json_bool(scry_json_get(v, "clean_text"), true);
    m->chinese = scry_json_bool(scry_json_get(v, chinese), true);
    m->lowercase = scry_json_bool(scry_json_get(v, lowercase), true);
    m->strip_accents = scry_json_bool(scry_json_get(v, "strip_accents"), m->lowercase);
}

/* transformers' BERT takes these settings of tokenizer_config.json instead of the normalizer's, where they are there. */
static int check_settings(scry_tokenizer *t, const scry_tokfile *f, const char *dir, scry_error *err)
{
    static const struct { const char *setting, *member; } same[] = {
        { "do_lower_case", "lowercase" }, { "tokenize_chinese_chars", "handle_chinese_chars" }, { "strip_accents", "strip_accents" }
    };
    const scry_json *config;
    int result = scry_tok_settings(t, dir, &config, err);
    for (size_t i = 0; result == 0 && i < sizeof same / sizeof *same; i++) {
        const scry_json *a = scry_json_get(config, same[i].setting), *b = scry_json_get(f->normalizer, same[i].member);
        bool both = scry_json_type_of(a) == SCRY_JSON_BOOL && scry_json_type_of(b) == SCRY_JSON_BOOL;
        if (both && scry_json_bool(a, false) != scry_json_bool(b, false))
            result = scry_fail(err, SCRY_EINVALID, "%s/tokenizer_config.json: %s is %s, and in tokenizer.json %s is %s: one of the files is "
                               "not this model's", dir,
                               same[i].setting, scry_json_bool(a, false) ? "true" : "false", same[i].member,
                               scry_json_bool(b, false) ? "true" : "false");
    }
    return result;
}

static int load_tokenizer_json(scry_tokenizer *t, wordpiece_model *m, const char *dir, scry_tokfile *f, scry_error *err)
{
    const char *normalizer = scry_json_str(scry_json_get(f->normalizer, "type"), "none");
    const char *splitter = scry_json_str(scry_json_get(f->pre_tokenizer, "type"), "none");
    const char *prefix = scry_json_str(scry_json_get(f->model, "continuing_subword_prefix"), "##");
    const char *unknown = scry_json_str(scry_json_get(f->model, "unk_token"), "[UNK]");
    int64_t most = scry_json_int(scry_json_get(f->model, "max_input_chars_per_word"), 100);
    if (strcmp(normalizer, "BertNormalizer") != 0 || strcmp(splitter, "BertPreTokenizer") != 0)
        return scry_fail(err, SCRY_EINVALID, "%s: WordPiece with normalizer \"%.40s\" and pre-tokenizer \"%.40s\""
                         " is not supported (BertNormalizer and BertPreTokenizer are)", f->path, normalizer,
                         splitter);
    if (most < 1 || most > MAX_WORD_CHARACTERS || !*prefix)
        return scry_fail(err, SCRY_EINVALID, "%s: max_input_chars_per_word or the prefix is out of range",
                         f->path);
    m->max_characters = (size_t)most;
    read_normaliser(m, f->normalizer, "lowercase", "handle_chinese_chars");
    int result = check_settings(t, f, dir, err);
    if (result < 0)
        return result;
    t->files[0] = "tokenizer.json";
    result = scry_tokfile_take_pieces(f, &m->heads, false, err);
    if (result == 0)
        result = index_pieces(t, m, prefix, unknown, f->path, err);
    if (result == 0)
        result = scry_tokfile_specials(f, t, err);
    return result;
}

/* vocab.txt: one piece on each line; its id is the number of the line, from 0. */
static int read_lines(wordpiece_model *m, const char *path, scry_map map, scry_error *err)
{
    const char *at = map.data ? (const char *)map.data : "", *end = at + map.size;
    int result = scry_pieces_reserve(&m->heads, map.size, map.size, 0, path, err);
    for (int64_t id = 0; at < end && result == 0; id++) {
        const char *newline = memchr(at, '\n', (size_t)(end - at));
        const char *stop = newline ? newline : end;
        size_t n = (size_t)(stop - at);
        if (n > 0 && at[n - 1] == '\r')
            n--;
        result = scry_pieces_add(&m->heads, at, n, id, 0, err);
        at = newline ? newline + 1 : end;
    }
    return result < 0 ? result : scry_pieces_index(&m->heads, err);
}

static int add_specials(scry_tokenizer *t, const wordpiece_model *m, const char *path, scry_error *err)
{
    static const char *const names[] = { "[CLS]", "[SEP]", "[UNK]", "[PAD]", "[MASK]" };
    int32_t ids[5];
    int result = 0;
    for (int k = 0; k < 5; k++) {
        ids[k] = scry_pieces_find_id(&m->heads, names[k], strlen(names[k]));
        if (ids[k] < 0 && k < 2)
            return scry_fail(err, SCRY_EINVALID, "%s: the vocabulary has no %s", path, names[k]);
    }
    t->start_id = ids[0];
    t->end_id = ids[1];
    for (int k = 0; k < 5 && result == 0; k++) {
        if (ids[k] < 0)
            continue;
        scry_added_token token = { .text = scry_strdup(names[k]), .n = strlen(names[k]), .id = ids[k] };
        result = scry_added_put(&t->added, token, path, err);
    }
    return result;
}

static int load_vocab_txt(scry_tokenizer *t, wordpiece_model *m, const char *dir, scry_error *err)
{
    char *path = scry_path_join(dir, "vocab.txt"), *config_path = scry_path_join(dir, "tokenizer_config.json");
    scry_map map = { NULL, 0 };
    scry_json *config = NULL;
    int result = scry_tokfile_map(&map, path, err);
    if (result == 0)
        result = scry_json_read(&config, config_path, MAX_CONFIG_BYTES, err);
    if (result == SCRY_ENOTFOUND && map.data)
        result = 0;
    if (result == 0)
        result = read_lines(m, path, map, err);
    m->max_characters = 100;
    read_normaliser(m, config, "do_lower_case", "tokenize_chinese_chars");
    if (result == 0)
        result = index_pieces(t, m, "##", "[UNK]", path, err);
    if (result == 0)
        result = add_specials(t, m, path, err);
    t->files[0] = "vocab.txt";
    t->files[1] = config ? "tokenizer_config.json" : NULL;
    scry_json_free(config);
    scry_map_close(&map);
    free(config_path);
    free(path);
    return result;
}

int scry_tok_wordpiece_open(scry_tokenizer *t, const char *dir, scry_tokfile *f, scry_error *err)
{
    wordpiece_model *m = scry_alloc(sizeof *m);
    scry_pieces_init(&m->heads);
    scry_pieces_init(&m->tails);
    t->model = m;
    t->release = release;
    t->encode = encode;
    t->usual_padding = "[PAD]";
    int result = f ? load_tokenizer_json(t, m, dir, f, err) : load_vocab_txt(t, m, dir, err);
    t->summary = scry_asprintf("WordPiece%s, %zu ids", m->lowercase ? ", lower case" : "", t->vocab_size);
    return result;
}
