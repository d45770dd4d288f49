/* tokenizer.c - opening a folder's tokenizer, and what all kinds share. */
#include "tokenizer/language.h"
#include "tokenizer/tables.h"
#include "tokenizer/tokenizer_internal.h"

#include "base/alloc.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

bool scry_ids_push(scry_ids *ids, int32_t id)
{
    if (ids->n == ids->capacity) {
        ids->cut = true;
        return false;
    }
    ids->at[ids->n++] = id;
    return true;
}

enum { CHUNK_BYTES = 8192, MAX_CONFIG_BYTES = 16 << 20 };

size_t scry_tok_chunk(const char *text, size_t n)
{
    for (size_t i = CHUNK_BYTES; i < n; i++)
        if (text[i] == ' ' && text[i - 1] > ' ' && text[i - 1] < 0x7F)
            return i;
    return n;
}

int scry_tok_each_chunk(const scry_chunks *c, const char *text, size_t n)
{
    scry_runes runes = SCRY_RUNES_INIT(SIZE_MAX / 8);
    int result = 0;
    while (n > 0 && result == 0 && !c->out->cut) {
        size_t chunk = c->whole ? n : scry_tok_chunk(text, n);
        runes.n = 0;
        c->normalise(c->work, text, chunk, &runes);
        result = runes.failed ? scry_fail(c->err, SCRY_ENOMEM, "no memory for a text of %zu bytes", chunk)
                              : c->put(c->work, &runes);
        text += chunk;
        n -= chunk;
    }
    scry_runes_dispose(&runes);
    return result;
}

/* BPE over characters rather than bytes: it falls back to bytes, or spaces become marks (Metaspace). */
static bool is_sentence_piece(const scry_tokfile *f)
{
    const scry_json *list = scry_json_get(f->pre_tokenizer, "pretokenizers"), *v = f->pre_tokenizer;
    if (list)
        v = scry_json_at(list, scry_json_size(list) - 1);
    return scry_json_bool(scry_json_get(f->model, "byte_fallback"), false)
        || strcmp(scry_json_str(scry_json_get(v, "type"), ""), "Metaspace") == 0;
}

static int open_file(scry_tokenizer *t, const char *dir, scry_tokfile *f,
                     scry_tokenizer_dialect dialect, scry_error *err)
{
    const char *type = scry_tokfile_type(f);
    if (strcmp(type, "BPE") == 0 && is_sentence_piece(f))
        return scry_tok_sentence_bpe_open(t, f, err);
    if (strcmp(type, "BPE") == 0)
        return scry_tok_clip_open(t, dir, f, dialect == SCRY_TOKENIZER_OPEN_CLIP ? dialect : SCRY_TOKENIZER_HF, err);
    if (strcmp(type, "Unigram") == 0)
        return scry_tok_unigram_open(t, f, err);
    if (strcmp(type, "WordPiece") == 0)
        return scry_tok_wordpiece_open(t, dir, f, err);
    return scry_fail(err, SCRY_EINVALID, "%s: tokenizer model \"%s\" is not supported (BPE, WordPiece and "
                     "Unigram are)", f->path, type);
}

/* A folder without tokenizer.json: BERT's vocab.txt, else CLIP's two files. */
static int open_older_files(scry_tokenizer *t, const char *dir, scry_tokenizer_dialect dialect,
                            scry_error *err)
{
    char *path = scry_path_join(dir, "vocab.txt");
    bool bert = access(path, F_OK) == 0, clip = dialect == SCRY_TOKENIZER_HF || dialect == SCRY_TOKENIZER_OPEN_CLIP;
    free(path);
    if (!clip && !bert)
        return scry_fail(err, SCRY_EINVALID, "%s/tokenizer.json is missing: the checkpoint reads texts with a tokenizer of "
                         "its own; fetch it with the rest of the repository", dir);
    return bert ? scry_tok_wordpiece_open(t, dir, NULL, err) : scry_tok_clip_open(t, dir, NULL, dialect, err);
}

static void add_file(scry_tokenizer *t, const char *name)
{
    size_t n = 0;
    while (t->files[n] && strcmp(t->files[n], name) != 0)
        n++;
    t->files[n] = name;
}

/* The id of the special token `text`, -1 if there is none. */
static int32_t special_id(const scry_tokenizer *t, const char *text)
{
    for (size_t i = 0; i < t->added.n; i++)
        if (strcmp(t->added.at[i].text, text) == 0)
            return t->added.at[i].id;
    return -1;
}

/* ---- settings ---- */

static const char SETTINGS[] = "tokenizer_config.json";

int scry_tok_settings(scry_tokenizer *t, const char *dir, const scry_json **out, scry_error *err)
{
    int result = 0;
    if (!t->settings) {
        char *path = scry_path_join(dir, SETTINGS);
        scry_error why = SCRY_ERROR_INIT;
        result = scry_json_read(&t->settings, path, MAX_CONFIG_BYTES, &why);
        result = result < 0 && result != SCRY_ENOTFOUND ? scry_fail(err, result, "%s", why.message) : 0;
        free(path);
    }
    *out = t->settings;
    return result;
}

static void drop_settings(scry_tokenizer *t)
{
    scry_json_free(t->settings);
    t->settings = NULL;
}

/* ---- padding ---- */

static int read_padding(scry_tokenizer *t, const char *dir, scry_error *err)
{
    const scry_json *config;
    if (t->pad_id >= 0)
        return 0;
    int result = scry_tok_settings(t, dir, &config, err);
    if (result < 0)
        return result;
    if (!config && !t->usual_padding)
        return scry_fail(err, SCRY_EINVALID, "%s/%s is missing: it names the padding token", dir, SETTINGS);
    const scry_json *v = scry_json_get(config, "pad_token");
    const char *name = scry_json_str(v, scry_json_str(scry_json_get(v, "content"), t->usual_padding ? t->usual_padding : ""));
    t->pad_id = special_id(t, name);
    if (t->pad_id < 0)
        return scry_fail(err, SCRY_EINVALID, "%s/%s: pad_token \"%.40s\" is not among the special tokens", dir, SETTINGS, name);
    if (config)
        add_file(t, SETTINGS);
    return 0;
}

int scry_tokenizer_read_padding(scry_tokenizer *t, const char *dir, scry_error *err)
{
    int result = read_padding(t, dir, err);
    drop_settings(t);
    return result;
}

void scry_tokenizer_strip_end(scry_tokenizer *t)
{
    for (size_t i = 0; i < t->added.n; i++)
        if (t->added.at[i].id == t->end_id)
            t->added.at[i].id = 0;
    t->end_id = 0;
}

/* ---- languages ---- */

/* A text that starts with the code of its language (NLLB): the language of transformers' NllbTokenizer where it is not told. */
static int read_language(scry_tokenizer *t, const char *dir, scry_error *err)
{
    const scry_json *config;
    int result = scry_tok_settings(t, dir, &config, err);
    if (result < 0)
        return result;
    const char *code = scry_json_str(scry_json_get(config, "src_lang"), SCRY_LANGUAGE_DEFAULT);
    if (config)
        add_file(t, SETTINGS);
    if (scry_json_bool(scry_json_get(config, "legacy_behaviour"), false))
        return scry_fail(err, SCRY_EINVALID, "%s/%s: legacy_behaviour true, with the language at the end of a text, is not supported", dir,
                         SETTINGS);
    t->start_id = special_id(t, code);
    if (t->start_id < 0)
        return scry_fail(err, SCRY_EINVALID, "%s/%s: src_lang \"%.40s\" is not among the special tokens", dir, SETTINGS, code);
    return 0;
}

bool scry_tokenizer_has_languages(const scry_tokenizer *t)
{
    return t->has_languages;
}

int scry_tokenizer_set_language(scry_tokenizer *t, const char *code, scry_error *err)
{
    if (strcmp(code, "auto") == 0) {
        t->guesses_language = true;
        return 0;
    }
    /* "deu" for "deu_Latn", where it is not written in two ways */
    const scry_added_token *found = NULL;
    size_t matches = 0, n = strlen(code);
    for (size_t i = 0; i < t->added.n; i++) {
        const scry_added_token *token = &t->added.at[i];
        bool whole = strcmp(token->text, code) == 0;
        if (!scry_language_is_code(token->text) || !(whole || (n == 3 && strncmp(token->text, code, 3) == 0)))
            continue;
        found = token;
        matches = whole ? 1 : matches + 1;
    }
    if (matches != 1)
        return scry_fail(err, SCRY_EINVALID, matches ? "the language \"%.40s\" is written in several ways: give its whole code, such as "
                         "\"zho_Hans\"" : "the model does not know the language \"%.40s\": it takes codes such as \"deu_Latn\" or "
                         "\"deu\", or auto", code);
    t->start_id = found->id;
    return 0;
}

/* ---- opening ---- */

/* The rules that a dialect adds to those of the folder's files. */
static int follow(scry_tokenizer *t, const char *dir, scry_tokenizer_dialect dialect, scry_error *err)
{
    switch (dialect) {
    case SCRY_TOKENIZER_HF: break;
    case SCRY_TOKENIZER_OPEN_CLIP: t->pad_id = 0; break;
    case SCRY_TOKENIZER_OPEN_CLIP_SPACES: t->clean = scry_text_fixed_spaces; break;
    case SCRY_TOKENIZER_OPEN_CLIP_LOWER: t->clean = scry_text_fixed_lower; break;
    case SCRY_TOKENIZER_OPEN_CLIP_CANONICAL:
        t->clean = scry_text_fixed_canonical;
        return read_padding(t, dir, err);
    case SCRY_TOKENIZER_SIGLIP:
        t->clean = t->pieces_are_scored ? scry_text_canonical : scry_text_lower;
        return read_padding(t, dir, err);
    }
    return 0;
}

static bool is_left(const scry_json *config, const char *key)
{
    return strcmp(scry_json_str(scry_json_get(config, key), ""), "left") == 0;
}

/* Gemma's, of a tokenizer.json that puts a token behind a text alone. */
static bool adds_other_tokens(const scry_tokenizer *t, const scry_json *config)
{
    return !scry_json_bool(scry_json_get(config, "add_eos_token"), true)
        || (t->start_id < 0 && scry_json_bool(scry_json_get(config, "add_bos_token"), false));
}

/* Settings of tokenizer_config.json that transformers puts above tokenizer.json, and that change ids. */
static int check_settings(scry_tokenizer *t, const char *dir, scry_tokenizer_dialect dialect, scry_error *err)
{
    const scry_json *config;
    int result = scry_tok_settings(t, dir, &config, err);
    if (result < 0)
        return result;
    bool gemma = !t->pieces_are_scored && (dialect == SCRY_TOKENIZER_SIGLIP || dialect == SCRY_TOKENIZER_OPEN_CLIP_CANONICAL);
    if (is_left(config, "truncation_side"))
        return scry_fail(err, SCRY_EINVALID, "%s/%s: truncation_side is \"left\": scry cuts long texts at their end", dir, SETTINGS);
    if (dialect != SCRY_TOKENIZER_OPEN_CLIP && scry_json_bool(scry_json_get(config, "split_special_tokens"), false))
        return scry_fail(err, SCRY_EINVALID, "%s/%s: split_special_tokens is true, which is not supported", dir, SETTINGS);
    if (dialect == SCRY_TOKENIZER_SIGLIP && is_left(config, "padding_side"))   /* open_clip pads at the end, whatever is there */
        return scry_fail(err, SCRY_EINVALID, "%s/%s: padding_side is \"left\": scry pads texts at their end", dir, SETTINGS);
    if (dialect == SCRY_TOKENIZER_SIGLIP && t->pieces_are_scored && !scry_json_bool(scry_json_get(config, "do_lower_case"), true))
        return scry_fail(err, SCRY_EINVALID, "%s/%s: do_lower_case is false, which is not supported: SigLIP's texts are in lower case", dir, SETTINGS);
    if (gemma && adds_other_tokens(t, config))
        return scry_fail(err, SCRY_EINVALID, "%s/%s: add_bos_token and add_eos_token are not what tokenizer.json does, which puts a token "
                         "behind a text alone", dir, SETTINGS);
    return 0;
}

static int open_folder(scry_tokenizer *t, const char *dir, scry_tokenizer_dialect dialect, bool use_cache,
                       scry_error *err)
{
    scry_tokfile file;
    t->start_id = t->end_id = t->pad_id = t->unknown_id = -1;
    int result = scry_tokfile_open(&file, dir, use_cache, err);
    if (result == SCRY_ENOTFOUND && dialect == SCRY_TOKENIZER_SIGLIP)
        result = scry_tokfile_open_spiece(&file, t, dir, err);
    if (result == 0) {
        result = open_file(t, dir, &file, dialect, err);
        t->tables = file.tables;
        file.tables = NULL;
        scry_tokfile_close(&file);
    } else if (result == SCRY_ENOTFOUND) {
        result = open_older_files(t, dir, dialect, err);
    }
    if (result == 0)
        result = follow(t, dir, dialect, err);
    if (result == 0 && t->files[0])   /* not of open_clip's own merges, which are in no folder */
        result = check_settings(t, dir, dialect, err);
    if (result == 0 && t->has_languages)
        result = read_language(t, dir, err);
    if (result == 0 && (t->end_id < 0 || (size_t)t->end_id >= t->vocab_size ||
                        (t->start_id >= 0 && (size_t)t->start_id >= t->vocab_size)))
        result = scry_fail(err, SCRY_EINVALID, "%s: the tokenizer's start or end is not in its vocabulary", dir);
    return result;
}

int scry_tokenizer_open(scry_tokenizer **out, const char *dir, scry_tokenizer_dialect dialect,
                        scry_error *err)
{
    scry_tokenizer *t = scry_alloc(sizeof *t);
    int result = open_folder(t, dir, dialect, true, err);
    if (result < 0 && t->tables) {   /* the file itself decides what is wrong with it */
        scry_tokenizer_free(t);
        t = scry_alloc(sizeof *t);
        result = open_folder(t, dir, dialect, false, err);
    }
    drop_settings(t);
    if (result < 0) {
        scry_tokenizer_free(t);
        return result;
    }
    *out = t;
    return 0;
}

void scry_tokenizer_free(scry_tokenizer *t)
{
    if (!t)
        return;
    if (t->release)
        t->release(t->model);
    drop_settings(t);
    scry_added_dispose(&t->added);
    if (t->tables)
        scry_tables_close(t->tables);
    free(t->tables);
    free(t->summary);
    free(t);
}

int scry_tokenizer_encode(const scry_tokenizer *t, const char *text, size_t n, int32_t *ids, size_t capacity,
                          bool *cut, scry_error *err)
{
    scry_ids out = { ids, 0, capacity - 1, false };
    scry_buf repaired = SCRY_BUF_INIT(SIZE_MAX / 2);
    int result = 0;
    if (!scry_utf8_valid(text, n)) {
        scry_utf8_repair(&repaired, text, n);
        text = scry_buf_str(&repaired);
        n = repaired.size;
    }
    int32_t start = t->guesses_language ? special_id(t, scry_language_guess(text, n)) : -1;
    start = start >= 0 ? start : t->start_id;
    if (start >= 0)
        scry_ids_push(&out, start);
    scry_buf cleaned = SCRY_BUF_INIT(SIZE_MAX / 2);
    if (t->clean && !repaired.failed) {
        t->clean(text, n, &cleaned);
        text = scry_buf_str(&cleaned);
        n = cleaned.size;
    }
    if (repaired.failed || cleaned.failed)
        result = scry_fail(err, SCRY_ENOMEM, "no memory for a text of %zu bytes", n);
    else
        result = t->encode(t, text, n, &out, err);
    scry_buf_dispose(&cleaned);
    scry_buf_dispose(&repaired);
    if (result < 0)
        return result;
    ids[out.n++] = t->end_id;
    if (cut)
        *cut = out.cut;
    return (int)out.n;
}

double scry_tokenizer_log_probability(const scry_tokenizer *t, const char *text, size_t n)
{
    return t->log_probability ? t->log_probability(t, text, n) : NAN;
}

bool scry_tokenizer_reads(const scry_tokenizer *t, const char *text, size_t n)
{
    int32_t ids[64];
    int count = t->unknown_id < 0 ? 0 : scry_tokenizer_encode(t, text, n, ids, sizeof ids / sizeof *ids, NULL, NULL);
    for (int i = 0; i < count; i++)
        if (ids[i] == t->unknown_id)
            return false;
    return true;
}

size_t scry_tokenizer_vocab_size(const scry_tokenizer *t)
{
    return t->vocab_size;
}

int32_t scry_tokenizer_end_id(const scry_tokenizer *t)
{
    return t->end_id;
}

int32_t scry_tokenizer_pad_id(const scry_tokenizer *t)
{
    return t->pad_id;
}

const char *scry_tokenizer_summary(const scry_tokenizer *t)
{
    return t->summary;
}

const char *const *scry_tokenizer_files(const scry_tokenizer *t)
{
    return t->files;
}
