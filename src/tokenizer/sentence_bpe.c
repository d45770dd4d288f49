/* sentence_bpe.c - SentencePiece's byte-pair encoding in the form of tokenizer.json: Gemma's, which SigLIP 2 uses, and NLLB's.
 *
 *     text -> added tokens cut out -> normaliser, spaces to marks -> characters -> merges -> ids
 *
 * Gemma's text is merged as a whole, NLLB's word by word. With byte_fallback a character that is not a piece becomes the
 * pieces of its bytes, <0xE2>; without, or where one of those is missing, too, it is unknown; adjacent
 * unknown characters become one id.
 */
#include "tokenizer/bpe.h"
#include "tokenizer/normalizer.h"
#include "tokenizer/words.h"

#include "base/alloc.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct sentence_model {
    scry_normal normal;
    scry_pieces pieces;
    scry_bpe bpe;
    int32_t byte_ids[256];    /* -1: not a piece */
    int32_t unknown_id;
    bool by_words;            /* the text is split into words first */
    scry_word_rules words;
} sentence_model;

typedef struct sentence_work {
    const sentence_model *m;
    scry_ids *out;
    scry_error *err;
    scry_runes runes;         /* of a word */
    scry_buf word;
} sentence_work;

/* ---- encoding ---- */

/* Ids of the bytes of a character [n]; 0 where one is missing. */
static size_t byte_pieces(const sentence_model *m, const char *bytes, size_t n, int32_t *ids)
{
    for (size_t i = 0; i < n; i++) {
        ids[i] = m->byte_ids[(unsigned char)bytes[i]];
        if (ids[i] < 0)
            return 0;
    }
    return n;
}

/* Characters to `ids`, which has room for 4 for each, and one more; returns how many. As in
 * the reference, the id of unknown characters is output only before the next piece: pieces
 * of bytes in between precede it. */
static size_t start_ids(const sentence_model *m, const scry_runes *r, int32_t *ids)
{
    size_t count = 0;
    bool unknown = false;
    for (size_t i = 0; i < r->n; i++) {
        char bytes[4];
        size_t n = scry_utf8_put(bytes, r->at[i]);
        int32_t id = scry_pieces_find_id(&m->pieces, bytes, n);
        size_t taken = id < 0 ? byte_pieces(m, bytes, n, ids + count) : 0;
        count += taken;
        if (id < 0 && taken == 0)
            unknown = true;
        if (id < 0)
            continue;
        if (unknown)
            ids[count++] = m->unknown_id;
        unknown = false;
        ids[count++] = id;
    }
    if (unknown)
        ids[count++] = m->unknown_id;
    return count;
}

static int merge(const sentence_work *w, const scry_runes *r)
{
    int32_t *ids = r->failed ? NULL : scry_try_alloc(r->n + 1, 4 * sizeof *ids);
    int result = ids ? scry_bpe_merge_ids(&w->m->bpe, ids, start_ids(w->m, r, ids), w->out, w->err)
                     : scry_fail(w->err, SCRY_ENOMEM, "no memory for a text of %zu characters", r->n);
    free(ids);
    return result;
}

static int put_word(void *work, const char *s, size_t n)
{
    sentence_work *w = work;
    w->runes.n = 0;
    scry_runes_decode(&w->runes, s, n);
    return merge(w, &w->runes);
}

static int put_part(void *work, const char *text, size_t n)
{
    sentence_work *w = work;
    scry_runes runes = SCRY_RUNES_INIT(SIZE_MAX / 8);
    scry_runes_decode(&runes, text, n);
    scry_normal_apply(&w->m->normal, &runes);
    const scry_word_walk walk = { &w->m->words, w->out, &w->word, put_word, w, w->err };
    int result = runes.failed || !w->m->by_words ? merge(w, &runes) : scry_words_each(&walk, &runes);
    scry_runes_dispose(&runes);
    return result;
}

static int encode(const scry_tokenizer *t, const char *text, size_t n, scry_ids *out, scry_error *err)
{
    sentence_work w = { t->model, out, err, SCRY_RUNES_INIT(SIZE_MAX / 8), SCRY_BUF_INIT(SIZE_MAX / 2) };
    int result = scry_added_walk(&t->added, false, text, n, out, put_part, &w);
    scry_runes_dispose(&w.runes);
    scry_buf_dispose(&w.word);
    return result;
}

/* ---- loading ---- */

static void release(void *model)
{
    sentence_model *m = model;
    scry_normal_dispose(&m->normal);
    scry_pieces_dispose(&m->pieces);
    scry_bpe_dispose(&m->bpe);
    free(m);
}

/* A Split at spaces has no effect if the normalizer replaces them all. */
static bool replaces_spaces(const scry_normal *m)
{
    for (size_t i = 0; i < m->n; i++)
        if (m->steps[i].kind == SCRY_NORMAL_REPLACE_TEXT && m->steps[i].from.n == 1 && m->steps[i].from.at[0] == ' ')
            return true;
    return false;
}

static bool is_split_at_spaces(const scry_json *v)
{
    return strcmp(scry_json_str(scry_json_get(v, "type"), ""), "Split") == 0
        && strcmp(scry_json_str(scry_json_get(scry_json_get(v, "pattern"), "String"), ""), " ") == 0;
}

/* Words, by Metaspace; or the text as a whole, its spaces replaced by the normalizer. */
static int read_words(sentence_model *m, const scry_tokfile *f, scry_error *err)
{
    scry_json_type split = scry_json_type_of(f->pre_tokenizer);
    bool none = split == SCRY_JSON_NONE || split == SCRY_JSON_NULL;
    if ((none || is_split_at_spaces(f->pre_tokenizer)) && replaces_spaces(&m->normal))
        return 0;
    if (none)
        return scry_fail(err, SCRY_EINVALID, "%s: a normalizer that does not replace spaces is not supported for BPE without a "
                         "pre-tokenizer", f->path);
    m->by_words = true;
    return scry_word_rules_read(&m->words, f->pre_tokenizer, f->path, err);
}

static int check_rules(const scry_tokfile *f, scry_error *err)
{
    const scry_json *v = f->model;
    const char *what = NULL;
    if (scry_json_num(scry_json_get(v, "dropout"), 0) != 0)
        what = "dropout";
    else if (scry_json_bool(scry_json_get(v, "ignore_merges"), false))
        what = "ignore_merges";
    else if (!scry_json_bool(scry_json_get(v, "fuse_unk"), false))
        what = "fuse_unk that is false";
    else if (scry_json_str(scry_json_get(v, "end_of_word_suffix"), "")[0]
             || scry_json_str(scry_json_get(v, "continuing_subword_prefix"), "")[0])
        what = "end_of_word_suffix or continuing_subword_prefix";
    return what ? scry_fail(err, SCRY_EINVALID, "%s: %s is not supported for BPE of SentencePiece", f->path, what) : 0;
}

static int read_model(sentence_model *m, scry_tokfile *f, scry_error *err)
{
    int result = scry_tokfile_take_pieces(f, &m->pieces, false, err);
    if (result == 0)
        result = scry_bpe_read(&m->bpe, &m->pieces, f, true, err);
    if (result < 0)
        return result;
    bool bytes = scry_json_bool(scry_json_get(f->model, "byte_fallback"), false);
    for (unsigned b = 0; b < 256; b++) {
        char text[8];
        snprintf(text, sizeof text, "<0x%02X>", b);
        m->byte_ids[b] = bytes ? scry_pieces_find_id(&m->pieces, text, strlen(text)) : -1;
    }
    const char *unknown = scry_json_str(scry_json_get(f->model, "unk_token"), "");
    m->unknown_id = scry_pieces_find_id(&m->pieces, unknown, strlen(unknown));
    return m->unknown_id >= 0 ? 0 : scry_fail(err, SCRY_EINVALID, "%s is damaged: unk_token \"%.40s\" is not in the "
                                              "vocabulary", f->path, unknown);
}

int scry_tok_sentence_bpe_open(scry_tokenizer *t, scry_tokfile *f, scry_error *err)
{
    sentence_model *m = scry_alloc(sizeof *m);
    scry_pieces_init(&m->pieces);
    t->model = m;
    t->release = release;
    t->encode = encode;
    t->files[0] = "tokenizer.json";
    int result = scry_normal_open(&m->normal, f->normalizer, f->path, err);
    if (result == 0)
        result = check_rules(f, err);
    if (result == 0)
        result = read_words(m, f, err);
    if (result == 0)
        result = read_model(m, f, err);
    t->vocab_size = (size_t)(m->pieces.max_id + 1);
    t->unknown_id = m->unknown_id;
    if (result == 0)
        result = scry_tokfile_specials(f, t, err);
    t->summary = scry_asprintf("SentencePiece byte-pair encoding, %zu ids", t->vocab_size);
    return result;
}
