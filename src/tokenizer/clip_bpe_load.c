/* clip_bpe_load.c - CLIP's vocabulary and merges from a checkpoint's files.
 *
 * In order of preference: tokenizer.json; vocab.json + merges.txt; for open_clip, whose own
 * checkpoints have no tokenizer files, the vocabulary that all CLIP models share and that is
 * installed with scry (models/clip-bpe/merges.txt). From merges alone the ids are assigned as
 * OpenAI did: 256 bytes, the same as ends of words, one for each merge, start, end.
 */
#include "tokenizer/clip_bpe.h"

#include "base/alloc.h"

#include <stdlib.h>
#include <string.h>

enum { MAX_MERGES = 1 << 22 };

static void release(void *model)
{
    scry_clip_bpe *m = model;
    scry_bpe_dispose(&m->bpe);
    free(m);
}

/* The next line of a merges file as left and right; false at the end or when it is not a merge. */
static bool next_merge(const char **at, const char *end, scry_slice *left, scry_slice *right)
{
    while (*at < end && (**at == '\n' || **at == '\r'))
        (*at)++;
    const char *newline = *at < end ? memchr(*at, '\n', (size_t)(end - *at)) : NULL;
    const char *stop = newline ? newline : end;
    const char *space = *at < stop ? memchr(*at, ' ', (size_t)(stop - *at)) : NULL;
    *left = (scry_slice){ *at, space ? (size_t)(space - *at) : 0 };
    *right = (scry_slice){ space ? space + 1 : stop, space ? (size_t)(stop - space - 1) : 0 };
    while (right->n && (right->at[right->n - 1] == '\r' || right->at[right->n - 1] == ' '))
        right->n--;
    *at = stop;
    return left->n && right->n;
}

static const char *skip_version_line(const char *text, const char *end)
{
    if (text < end && (*text == '#' || *text == '"')) {
        const char *newline = memchr(text, '\n', (size_t)(end - text));
        return newline ? newline + 1 : end;
    }
    return text;
}

static int text_merges(scry_bpe *b, const scry_pieces *pieces, const char *path, scry_map map,
                       scry_error *err)
{
    const char *at = map.data ? (const char *)map.data : "", *end = at + map.size;
    scry_slice left, right;
    int result = 0;
    at = skip_version_line(at, end);
    while (at < end && result == 0 && next_merge(&at, end, &left, &right))
        result = scry_bpe_add(b, pieces, left, right, path, err);
    if (result == 0 && at < end)
        result = scry_fail(err, SCRY_EINVALID, "%s is damaged: line %zu is not a merge", path, b->n + 2);
    return result;
}

/* ---- the rules in tokenizer.json, which must be CLIP's ---- */

static bool is_type(const scry_json *v, const char *type)
{
    return strcmp(scry_json_str(scry_json_get(v, "type"), ""), type) == 0;
}

static int check_normalizer(const scry_tokfile *f, scry_error *err)
{
    const scry_json *list = scry_json_get(f->normalizer, "normalizers");
    const scry_json *replace = scry_json_at(list, 1);
    bool known = is_type(f->normalizer, "Sequence") && scry_json_size(list) == 3 &&
                 is_type(scry_json_at(list, 0), "NFC") && is_type(replace, "Replace") &&
                 is_type(scry_json_at(list, 2), "Lowercase") &&
                 strcmp(scry_json_str(scry_json_get(scry_json_get(replace, "pattern"), "Regex"), ""),
                        "\\s+") == 0;
    if (known)
        return 0;
    return scry_fail(err, SCRY_EINVALID, "%s: a normalizer other than CLIP's (NFC, white space, Lowercase) "
                     "is not supported for BPE", f->path);
}

static int check_pre_tokenizer(const scry_tokfile *f, scry_error *err)
{
    /* transformers adds the start and end tokens whether the file says so or not. */
    static const char words[] = "'s|'t|'re|'ve|'m|'ll|'d|[\\p{L}]+|[\\p{N}]|[^\\s\\p{L}\\p{N}]+";
    const scry_json *list = scry_json_get(f->pre_tokenizer, "pretokenizers");
    const scry_json *split = scry_json_at(list, 0), *bytes = scry_json_at(list, 1);
    const char *pattern = scry_json_str(scry_json_get(scry_json_get(split, "pattern"), "Regex"), "");
    size_t n = strlen(pattern), words_n = sizeof words - 1;
    bool known = is_type(f->pre_tokenizer, "Sequence") && scry_json_size(list) == 2 &&
                 is_type(split, "Split") && is_type(bytes, "ByteLevel") &&
                 scry_json_bool(scry_json_get(split, "invert"), false) &&
                 !scry_json_bool(scry_json_get(bytes, "add_prefix_space"), true) && n >= words_n &&
                 strcmp(pattern + n - words_n, words) == 0 && (n == words_n || pattern[0] == '<');
    if (known)
        return 0;
    return scry_fail(err, SCRY_EINVALID, "%s: a pre-tokenizer other than CLIP's is not supported for BPE",
                     f->path);
}

static int check_model(const scry_tokfile *f, scry_error *err)
{
    const scry_json *m = f->model;
    const char *what = NULL;
    if (scry_json_num(scry_json_get(m, "dropout"), 0) != 0)
        what = "dropout";
    else if (*scry_json_str(scry_json_get(m, "continuing_subword_prefix"), ""))
        what = "continuing_subword_prefix";
    else if (strcmp(scry_json_str(scry_json_get(m, "end_of_word_suffix"), ""), "</w>") != 0)
        what = "an end_of_word_suffix other than </w>";
    else if (scry_json_bool(scry_json_get(m, "ignore_merges"), false))
        what = "ignore_merges";
    else if (scry_json_bool(scry_json_get(m, "byte_fallback"), false))
        what = "byte_fallback";
    if (!what)
        return 0;
    return scry_fail(err, SCRY_EINVALID, "%s: %s is not supported: not a CLIP tokenizer", f->path, what);
}

/* open_clip has its own rules, whatever the file says; the vocabulary must fit either. */
static int check_rules(const scry_clip_bpe *m, const scry_tokfile *f, scry_error *err)
{
    if (!f->merges.at)
        return scry_fail(err, SCRY_EINVALID, "%s is damaged: the BPE model has no merges", f->path);
    int result = check_model(f, err);
    if (result == 0 && m->dialect == SCRY_TOKENIZER_HF)
        result = check_normalizer(f, err);
    if (result == 0 && m->dialect == SCRY_TOKENIZER_HF)
        result = check_pre_tokenizer(f, err);
    return result;
}

/* The rest, after pieces and merges are loaded. */
static int finish(scry_clip_loading *l)
{
    l->t->vocab_size = (size_t)(l->pieces.max_id + 1);
    return scry_clip_specials(l);
}

static int load_tokenizer_json(scry_tokenizer *t, scry_clip_bpe *m, const char *dir, scry_tokfile *f,
                               scry_error *err)
{
    scry_clip_loading l = { .t = t, .m = m, .dir = dir, .f = f, .path = f->path, .err = err };
    scry_pieces_init(&l.pieces);
    t->files[0] = "tokenizer.json";
    int result = check_rules(m, f, err);
    if (result == 0)
        result = scry_tokfile_take_pieces(f, &l.pieces, false, err);
    if (result == 0)
        result = scry_bpe_read(&m->bpe, &l.pieces, f, false, err);
    if (result == 0)
        result = finish(&l);
    scry_pieces_dispose(&l.pieces);
    return result;
}

/* ---- the older files ---- */

/* Pieces that are not yet indexed, and the text of merges.txt at `path`. */
static int finish_with_merges(scry_clip_loading *l, const char *path, scry_map merges)
{
    int result = scry_pieces_index(&l->pieces, l->err);
    if (result == 0)
        result = scry_bpe_init(&l->m->bpe, &l->pieces, l->pieces.n, l->err);
    if (result == 0)
        result = text_merges(&l->m->bpe, &l->pieces, path, merges, l->err);
    return result < 0 ? result : finish(l);
}

static int read_vocab_json(scry_clip_loading *l, scry_map vocab)
{
    scry_cursor c = scry_cursor_make((const char *)vocab.data, vocab.size, l->path, l->err);
    int result = scry_tokfile_vocab(&l->pieces, &c, l->err);
    if (result == 0)
        result = scry_cursor_end(&c);
    scry_cursor_dispose(&c);
    return result;
}

static int load_two_files(scry_tokenizer *t, scry_clip_bpe *m, const char *dir, scry_error *err)
{
    char *vocab_path = scry_path_join(dir, "vocab.json"), *merges_path = scry_path_join(dir, "merges.txt");
    scry_map vocab = { NULL, 0 }, merges = { NULL, 0 };
    scry_clip_loading l = { .t = t, .m = m, .dir = dir, .path = vocab_path, .err = err };
    scry_pieces_init(&l.pieces);
    t->files[0] = "vocab.json";
    t->files[1] = "merges.txt";
    int result = scry_tokfile_map(&vocab, vocab_path, err);
    if (result == 0)
        result = scry_tokfile_map(&merges, merges_path, err);
    if (result == 0)
        result = read_vocab_json(&l, vocab);
    if (result == 0)
        result = finish_with_merges(&l, merges_path, merges);
    scry_pieces_dispose(&l.pieces);
    scry_map_close(&vocab);
    scry_map_close(&merges);
    free(vocab_path);
    free(merges_path);
    return result;
}

/* The 512 pieces for bytes, in the order of OpenAI's file: printing ones first. */
static int add_byte_pieces(scry_pieces *pieces, scry_error *err)
{
    uint16_t rune_of_byte[256];
    int result = 0;
    scry_bpe_alphabet(rune_of_byte);
    for (int id = 0; id < 512 && result == 0; id++) {
        /* Printing bytes are their own code points, the others follow from 256 on. */
        int rank = id & 255, byte = -1;
        for (int pass = 0; pass < 2 && rank >= 0; pass++)
            for (int b = 0; b < 256 && rank >= 0; b++)
                if ((rune_of_byte[b] >= 256) == pass && rank-- == 0)
                    byte = b;
        char text[8];
        size_t n = scry_utf8_put(text, rune_of_byte[byte]);
        memcpy(text + n, "</w>", 4);
        result = scry_pieces_add(pieces, text, id < 256 ? n : n + 4, id, 0, err);
    }
    return result;
}

/* Pieces that merges.txt alone implies. */
static int implied_pieces(scry_pieces *pieces, const char *path, scry_map map, scry_error *err)
{
    const char *at = map.data ? (const char *)map.data : "", *end = at + map.size;
    scry_slice left, right;
    char joined[512];
    int result = scry_pieces_reserve(pieces, map.size / 4 + 1024, map.size + 8192, 0, path, err);
    if (result == 0)
        result = add_byte_pieces(pieces, err);
    at = skip_version_line(at, end);
    while (result == 0 && at < end && pieces->n < MAX_MERGES && next_merge(&at, end, &left, &right)) {
        if (left.n + right.n > sizeof joined)
            return scry_fail(err, SCRY_EINVALID, "%s is damaged: merge %zu is too long", path, pieces->n - 511);
        memcpy(joined, left.at, left.n);
        memcpy(joined + left.n, right.at, right.n);
        result = scry_pieces_add(pieces, joined, left.n + right.n, (int64_t)pieces->n, 0, err);
    }
    static const char *const specials[] = { "<start_of_text>", "<end_of_text>" };
    for (int k = 0; k < 2 && result == 0; k++)
        result = scry_pieces_add(pieces, specials[k], strlen(specials[k]), (int64_t)pieces->n, 0, err);
    return result;
}

static int load_own_merges(scry_tokenizer *t, scry_clip_bpe *m, scry_error *err)
{
    char *path = scry_program_file("models/clip-bpe/merges.txt");
    scry_map map = { NULL, 0 };
    scry_clip_loading l = { .t = t, .m = m, .path = path, .err = err };
    scry_pieces_init(&l.pieces);
    t->files[0] = t->files[1] = NULL;   /* no file of the folder was read */
    int result = path ? scry_tokfile_map(&map, path, err)
                      : scry_fail(err, SCRY_ENOTFOUND, "the checkpoint has no tokenizer files and scry's own "
                                  "models/clip-bpe/merges.txt is not installed: reinstall scry");
    if (result == 0)
        result = implied_pieces(&l.pieces, path, map, err);
    if (result == 0)
        result = finish_with_merges(&l, path, map);
    scry_pieces_dispose(&l.pieces);
    scry_map_close(&map);
    free(path);
    return result;
}

int scry_tok_clip_open(scry_tokenizer *t, const char *dir, scry_tokfile *f,
                       scry_tokenizer_dialect dialect, scry_error *err)
{
    bool hf = dialect == SCRY_TOKENIZER_HF;
    scry_clip_bpe *m = scry_alloc(sizeof *m);
    m->dialect = dialect;
    t->model = m;
    t->release = release;
    t->encode = scry_tok_clip_encode;
    int result = f ? load_tokenizer_json(t, m, dir, f, err) : load_two_files(t, m, dir, err);
    if (result == SCRY_ENOTFOUND && !f && !hf)
        result = load_own_merges(t, m, err);
    else if (result == SCRY_ENOTFOUND && !f)
        result = scry_fail(err, SCRY_ENOTFOUND, "%s has no tokenizer: neither tokenizer.json nor vocab.json and "
                           "merges.txt", dir);
    t->summary = scry_asprintf("CLIP byte-pair encoding (%s rules), %zu ids", hf ? "Hugging Face" : "open_clip",
                             t->vocab_size);
    return result;
}
