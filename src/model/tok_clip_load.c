/* tok_clip_load.c - CLIP's vocabulary and merges from a checkpoint's files.
 *
 * In order of preference: tokenizer.json; vocab.json + merges.txt; for open_clip, whose
 * own checkpoints bring no tokenizer at all, the vocabulary that every CLIP shares and
 * that comes with scry (models/clip-bpe/merges.txt). From merges alone the ids follow as
 * OpenAI numbered them: 256 bytes, the same as ends of words, one a merge, start, end.
 */
#include "model/tok_clip.h"

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

/* merges: an array of "left right", or of ["left", "right"] as newer files have it. */
static int json_merges(scry_bpe *b, const scry_pieces *pieces, const scry_tokfile *f, scry_error *err)
{
    scry_cursor c = scry_cursor_make(f->merges.at, f->merges.n, f->path, err);
    scry_slice text, right;
    char left[512];
    scry_cursor_open(&c, '[');
    while (scry_cursor_item(&c)) {
        bool pair = scry_cursor_peek(&c) == '[';
        if (pair && (scry_cursor_open(&c, '[') < 0 || !scry_cursor_item(&c)))
            break;
        if (scry_cursor_string(&c, &text) < 0)
            break;
        const char *space = pair ? text.at + text.n : memchr(text.at, ' ', text.n);
        size_t left_n = space ? (size_t)(space - text.at) : sizeof left;
        if (left_n >= sizeof left) {
            scry_cursor_fail(&c, "a merge is not two pieces");
            break;
        }
        memcpy(left, text.at, left_n);
        if (!pair)
            right = (scry_slice){ space + 1, text.n - left_n - 1 };
        else if (!scry_cursor_item(&c) || scry_cursor_string(&c, &right) < 0)
            break;
        c.code = scry_bpe_add(b, pieces, (scry_slice){ left, left_n }, right, f->path, err);
        if (pair && scry_cursor_item(&c))
            scry_cursor_fail(&c, "a merge is not two pieces");
    }
    scry_cursor_dispose(&c);
    return c.code;
}

/* The next line of a merges file as left and right; false at the end or when it is none. */
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
        result = scry_fail(err, SCRY_EINVALID, "%s is damaged: line %zu is no merge", path, b->n + 2);
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
    /* transformers puts the special tokens in front whether the file does or not. */
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

static int load_tokenizer_json(scry_tokenizer *t, scry_clip_bpe *m, const char *dir, scry_tokfile *f,
                               scry_error *err)
{
    scry_pieces pieces;
    scry_pieces_init(&pieces);
    int result = check_rules(m, f, err);
    if (result == 0)
        result = scry_tokfile_take_pieces(f, &pieces, false, err);
    if (result == 0)
        result = scry_bpe_init(&m->bpe, &pieces, pieces.n, err);
    if (result == 0)
        result = json_merges(&m->bpe, &pieces, f, err);
    if (result == 0)
        t->vocab_size = (size_t)(pieces.max_id + 1);
    t->files[0] = "tokenizer.json";
    if (result == 0)
        result = scry_clip_specials(t, m, &pieces, dir, f, f->path, err);
    scry_pieces_dispose(&pieces);
    return result;
}

/* ---- the older files ---- */

static int load_vocab_json(scry_tokenizer *t, scry_clip_bpe *m, const char *dir, const char *vocab_path,
                           scry_map vocab, const char *merges_path, scry_map merges, scry_error *err)
{
    scry_pieces pieces;
    scry_pieces_init(&pieces);
    scry_cursor c = scry_cursor_make((const char *)vocab.data, vocab.size, vocab_path, err);
    int result = scry_tokfile_vocab(&pieces, &c, err);
    scry_cursor_dispose(&c);
    if (result == 0)
        result = scry_pieces_index(&pieces, vocab_path, err);
    if (result == 0)
        result = scry_bpe_init(&m->bpe, &pieces, pieces.n, err);
    if (result == 0)
        result = text_merges(&m->bpe, &pieces, merges_path, merges, err);
    if (result == 0)
        t->vocab_size = (size_t)(pieces.max_id + 1);
    t->files[0] = "vocab.json";
    t->files[1] = "merges.txt";
    if (result == 0)
        result = scry_clip_specials(t, m, &pieces, dir, NULL, vocab_path, err);
    scry_pieces_dispose(&pieces);
    return result;
}

static int load_two_files(scry_tokenizer *t, scry_clip_bpe *m, const char *dir, scry_error *err)
{
    char *vocab_path = scry_path_join(dir, "vocab.json"), *merges_path = scry_path_join(dir, "merges.txt");
    scry_map vocab = { NULL, 0 }, merges = { NULL, 0 };
    int result = scry_map_open(&vocab, vocab_path, err);
    if (result == 0)
        result = scry_map_open(&merges, merges_path, err);
    if (result == 0)
        result = load_vocab_json(t, m, dir, vocab_path, vocab, merges_path, merges, err);
    scry_map_close(&vocab);
    scry_map_close(&merges);
    free(vocab_path);
    free(merges_path);
    return result;
}

/* The 512 pieces for bytes, in the order of OpenAI's file: printing ones first. */
static int add_byte_pieces(scry_pieces *pieces, const char *path, scry_error *err)
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
        result = scry_pieces_add(pieces, text, id < 256 ? n : n + 4, id, 0, path, err);
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
        result = add_byte_pieces(pieces, path, err);
    at = skip_version_line(at, end);
    while (result == 0 && at < end && pieces->n < MAX_MERGES && next_merge(&at, end, &left, &right)) {
        if (left.n + right.n > sizeof joined)
            return scry_fail(err, SCRY_EINVALID, "%s is damaged: merge %zu is too long", path, pieces->n - 511);
        memcpy(joined, left.at, left.n);
        memcpy(joined + left.n, right.at, right.n);
        result = scry_pieces_add(pieces, joined, left.n + right.n, (int64_t)pieces->n, 0, path, err);
    }
    static const char *const specials[] = { "<start_of_text>", "<end_of_text>" };
    for (int k = 0; k < 2 && result == 0; k++)
        result = scry_pieces_add(pieces, specials[k], strlen(specials[k]), (int64_t)pieces->n, 0, path, err);
    return result;
}

static int load_own_merges(scry_tokenizer *t, scry_clip_bpe *m, scry_error *err)
{
    char *path = scry_program_file("models/clip-bpe/merges.txt");
    scry_map map = { NULL, 0 };
    scry_pieces pieces;
    scry_pieces_init(&pieces);
    int result = path ? scry_map_open(&map, path, err)
                      : scry_fail(err, SCRY_ENOTFOUND, "the checkpoint has no tokenizer files and scry's own "
                                  "models/clip-bpe/merges.txt is not installed: reinstall scry");
    if (result == 0)
        result = implied_pieces(&pieces, path, map, err);
    if (result == 0)
        result = scry_pieces_index(&pieces, path, err);
    if (result == 0)
        result = scry_bpe_init(&m->bpe, &pieces, pieces.n, err);
    if (result == 0)
        result = text_merges(&m->bpe, &pieces, path, map, err);
    if (result == 0)
        t->vocab_size = (size_t)(pieces.max_id + 1);
    if (result == 0)
        result = scry_clip_specials(t, m, &pieces, NULL, NULL, path, err);
    scry_pieces_dispose(&pieces);
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
