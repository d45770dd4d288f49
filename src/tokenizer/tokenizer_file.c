/* tokenizer_file.c - tokenizer.json: its parts, its added tokens, its start and end. */
#include "tokenizer/language.h"
#include "tokenizer/tables.h"
#include "tokenizer/tokenizer_internal.h"

#include "base/alloc.h"

#include <stdlib.h>
#include <string.h>

enum { MAX_FILE_BYTES = 512 << 20, MAX_PART_BYTES = 16 << 20, KEPT_FROM_BYTES = 1 << 20 };

/* ---- added tokens ---- */

int scry_added_put(scry_added *a, scry_added_token token, const char *path, scry_error *err)
{
    int result = 0;
    if (a->n >= SCRY_MAX_ADDED)
        result = scry_fail(err, SCRY_ELIMIT, "%s: more than %d added tokens", path, SCRY_MAX_ADDED);
    else if (token.n == 0 || token.id < 0 || token.id > SCRY_PIECES_MAX_ID)
        result = scry_fail(err, SCRY_EINVALID, "%s is damaged: added token %zu has no text or no id", path,
                           a->n);
    if (result < 0) {
        free(token.text);
        return result;
    }
    if ((a->n & (a->n - 1)) == 0)
        a->at = scry_realloc(a->at, (a->n ? a->n * 2 : 1) * sizeof *a->at);
    a->at[a->n++] = token;
    a->first_byte[(unsigned char)token.text[0]] = true;
    a->any_normalized |= token.normalized;
    return 0;
}

void scry_added_dispose(scry_added *a)
{
    for (size_t i = 0; i < a->n; i++)
        free(a->at[i].text);
    free(a->at);
    memset(a, 0, sizeof *a);
}

/* The leftmost token of the kind in text[0..n), at equal positions the longest; its position in *at. */
static const scry_added_token *find_added(const scry_added *a, bool normalized, const char *text, size_t n,
                                          size_t *at)
{
    for (size_t i = 0; i < n; i++) {
        const scry_added_token *best = NULL;
        if (!a->first_byte[(unsigned char)text[i]])
            continue;
        for (size_t k = 0; k < a->n; k++) {
            const scry_added_token *token = &a->at[k];
            if (token->normalized == normalized && token->n <= n - i && (!best || token->n > best->n) &&
                memcmp(text + i, token->text, token->n) == 0)
                best = token;
        }
        if (best) {
            *at = i;
            return best;
        }
    }
    return NULL;
}

static size_t spaces_before(const char *text, size_t n)
{
    uint32_t rune;
    size_t spaces = 0;
    while (spaces < n) {
        size_t at = n - spaces - 1;
        while (at > 0 && ((unsigned char)text[at] & 0xC0) == 0x80)
            at--;
        scry_utf8_next(text + at, n - spaces - at, &rune);
        if (!scry_rune_is_space(rune))
            break;
        spaces = n - at;
    }
    return spaces;
}

static size_t spaces_behind(const char *text, size_t n)
{
    uint32_t rune;
    size_t spaces = 0;
    while (spaces < n) {
        size_t taken = scry_utf8_next(text + spaces, n - spaces, &rune);
        if (!scry_rune_is_space(rune))
            break;
        spaces += taken;
    }
    return spaces;
}

int scry_added_walk(const scry_added *a, bool normalized, const char *text, size_t n, scry_ids *out,
                    scry_added_part *part, void *work)
{
    bool any = normalized ? a->any_normalized : a->n > 0;
    int result = 0;
    while (n > 0 && result == 0 && !out->cut) {
        size_t at = n, skip = n;
        const scry_added_token *token = any ? find_added(a, normalized, text, n, &at) : NULL;
        if (token)
            skip = at + token->n;
        if (token && token->rstrip)
            skip += spaces_behind(text + skip, n - skip);
        if (token && token->lstrip)
            at -= spaces_before(text, at);
        if (at > 0)
            result = part(work, text, at);
        if (token && result == 0 && !out->cut)
            scry_ids_push(out, token->id);
        text += skip;
        n -= skip;
    }
    return result;
}

int scry_tokfile_added(const scry_tokfile *f, scry_tokenizer *t, scry_error *err)
{
    for (size_t i = 0; i < scry_json_size(f->added_tokens); i++) {
        const scry_json *item = scry_json_at(f->added_tokens, i);
        const char *text = scry_json_str(scry_json_get(item, "content"), "");
        if (scry_json_bool(scry_json_get(item, "single_word"), false))
            return scry_fail(err, SCRY_EINVALID, "%s: added token %zu has single_word, which is not supported",
                             f->path, i);
        scry_added_token token = {
            .text = scry_strdup(text),
            .n = strlen(text),
            .lstrip = scry_json_bool(scry_json_get(item, "lstrip"), false),
            .rstrip = scry_json_bool(scry_json_get(item, "rstrip"), false),
            .normalized = scry_json_bool(scry_json_get(item, "normalized"), false),
        };
        int64_t id = scry_json_int(scry_json_get(item, "id"), -1);
        token.id = id < 0 || id > SCRY_PIECES_MAX_ID ? -1 : (int32_t)id;
        int result = scry_added_put(&t->added, token, f->path, err);
        if (result < 0)
            return result;
        if ((size_t)id >= t->vocab_size)
            t->vocab_size = (size_t)id + 1;
    }
    return 0;
}

/* ---- start and end ---- */

static int ends_of_pair(const scry_tokfile *f, scry_tokenizer *t, scry_error *err)
{
    int64_t start = scry_json_int(scry_json_at(scry_json_get(f->post_processor, "cls"), 1), -1);
    int64_t end = scry_json_int(scry_json_at(scry_json_get(f->post_processor, "sep"), 1), -1);
    if (start < 0 || end < 0 || start > SCRY_PIECES_MAX_ID || end > SCRY_PIECES_MAX_ID)
        return scry_fail(err, SCRY_EINVALID, "%s is damaged: the post-processor does not name start and end",
                         f->path);
    t->start_id = (int32_t)start;
    t->end_id = (int32_t)end;
    return 0;
}

static int64_t special_id(const scry_tokfile *f, const scry_json *item)
{
    const char *name = scry_json_str(scry_json_get(scry_json_get(item, "SpecialToken"), "id"), NULL);
    const scry_json *entry = name ? scry_json_get(scry_json_get(f->post_processor, "special_tokens"), name)
                                  : NULL;
    const scry_json *ids = scry_json_get(entry, "ids");
    return scry_json_size(ids) == 1 ? scry_json_int(scry_json_at(ids, 0), -1) : -1;
}

static const char *special_name(const scry_json *item)
{
    return scry_json_str(scry_json_get(scry_json_get(item, "SpecialToken"), "id"), "");
}

/* A template's items before and behind the text: at most one, and one. False for other forms. Older files of NLLB have the
 * language behind the end, where transformers and open_clip put it in front whatever the file says. */
static bool template_ends(const scry_json *single, const scry_json **start, const scry_json **end)
{
    size_t n = scry_json_size(single), text_at = n;
    for (size_t i = 0; i < n; i++)
        if (scry_json_get(scry_json_at(single, i), "Sequence"))
            text_at = i;
    *start = *end = NULL;
    if (text_at == 0 && n == 3 && scry_language_is_code(special_name(scry_json_at(single, 2)))) {
        *start = scry_json_at(single, 2);
        *end = scry_json_at(single, 1);
    } else if (text_at <= 1 && n == text_at + 2) {
        *start = text_at ? scry_json_at(single, 0) : NULL;
        *end = scry_json_at(single, n - 1);
    }
    return *end != NULL;
}

static int ends_of_template(const scry_tokfile *f, scry_tokenizer *t, scry_error *err)
{
    const scry_json *first, *last;
    bool shape = template_ends(scry_json_get(f->post_processor, "single"), &first, &last);
    int64_t start = shape && first ? special_id(f, first) : -1, end = shape ? special_id(f, last) : -1;
    if (end < 0 || (first && start < 0) || end > SCRY_PIECES_MAX_ID || start > SCRY_PIECES_MAX_ID)
        return scry_fail(err, SCRY_EINVALID, "%s: the post-processor's template is not of the form "
                         "[start] text end, others are not supported", f->path);
    t->start_id = (int32_t)start;
    t->end_id = (int32_t)end;
    t->has_languages = first && scry_language_is_code(special_name(first));
    return 0;
}

static int read_ends(const scry_tokfile *f, scry_tokenizer *t, scry_error *err)
{
    const char *type = scry_json_str(scry_json_get(f->post_processor, "type"), "none");
    if (strcmp(type, "RobertaProcessing") == 0 || strcmp(type, "BertProcessing") == 0)
        return ends_of_pair(f, t, err);
    if (strcmp(type, "TemplateProcessing") == 0)
        return ends_of_template(f, t, err);
    return scry_fail(err, SCRY_EINVALID, "%s: post-processor \"%s\" is not supported (RobertaProcessing, "
                     "BertProcessing and TemplateProcessing are)", f->path, type);
}

int scry_tokfile_specials(const scry_tokfile *f, scry_tokenizer *t, scry_error *err)
{
    int result = scry_tokfile_added(f, t, err);
    if (result == 0)
        result = read_ends(f, t, err);
    if (result == 0 && t->added.any_normalized)
        result = scry_fail(err, SCRY_EINVALID, "%s: added tokens of normalised text are not supported here", f->path);
    return result;
}

/* ---- vocabularies ---- */

enum { LONGEST_PIECE = 1024 };

static int object_vocab(scry_pieces *pieces, scry_cursor *c, scry_error *err)
{
    scry_slice text;
    char copy[LONGEST_PIECE];
    scry_cursor_open(c, '{');
    while (scry_cursor_key(c, &text)) {
        int64_t id;
        if (text.n > sizeof copy)
            return scry_cursor_fail(c, "a piece is longer than 1024 bytes");
        memcpy(copy, text.at, text.n);   /* reading on may overwrite `text` */
        if (scry_cursor_int(c, &id) == 0)
            c->code = scry_pieces_add(pieces, copy, text.n, id, 0, err);
    }
    return c->code;
}

/* One ["piece", score]; the cursor is before it. */
static int scored_piece(scry_pieces *pieces, scry_cursor *c, scry_error *err)
{
    scry_slice text;
    char copy[LONGEST_PIECE];
    double score;
    if (scry_cursor_open(c, '[') < 0 || !scry_cursor_item(c) || scry_cursor_string(c, &text) < 0 ||
        text.n > sizeof copy)
        return scry_cursor_fail(c, "a piece of at most 1024 bytes and its score were expected");
    memcpy(copy, text.at, text.n);
    if (!scry_cursor_item(c) || scry_cursor_num(c, &score) < 0 || scry_cursor_item(c))
        return scry_cursor_fail(c, "a piece and its score were expected");
    if (c->code == 0)
        c->code = scry_pieces_add(pieces, copy, text.n, (int64_t)pieces->n, score, err);
    return c->code;
}

static int list_vocab(scry_pieces *pieces, scry_cursor *c, scry_error *err)
{
    scry_cursor_open(c, '[');
    while (scry_cursor_item(c) && scored_piece(pieces, c, err) == 0)
        ;
    return c->code;
}

int scry_tokfile_vocab(scry_pieces *pieces, scry_cursor *c, scry_error *err)
{
    /* No entry is shorter than "a":0, or ["a",0], so this is enough room. */
    size_t left = (size_t)(c->end - c->at);
    bool list = scry_cursor_peek(c) == '[';
    c->code = scry_pieces_reserve(pieces, left / 6 + 1, left, list ? SCRY_PIECES_SCORES : SCRY_PIECES_IDS,
                                  c->path, err);
    if (c->code < 0)
        return c->code;
    return list ? list_vocab(pieces, c, err) : object_vocab(pieces, c, err);
}

int scry_tokfile_take_pieces(scry_tokfile *f, scry_pieces *to, bool scored, scry_error *err)
{
    if (f->pieces.n == 0 || f->scored != scored)
        return scry_fail(err, SCRY_EINVALID, "%s is damaged: the model has no vocabulary of the expected kind", f->path);
    *to = f->pieces;
    scry_pieces_init(&f->pieces);
    return f->tables ? 0 : scry_pieces_index(to, err);
}

/* ---- the file ---- */

static int parse_part(scry_tokfile *f, scry_slice text, scry_json **out, scry_error *err)
{
    if (text.n > MAX_PART_BYTES)
        return scry_fail(err, SCRY_ELIMIT, "%s: a part of %zu MB is too large", f->path, text.n >> 20);
    return scry_json_parse(out, text.at, text.n, f->path, err);
}

/* A member of the model: the large ones are read here, the others collected in `small`. */
static int read_member(scry_tokfile *f, scry_cursor *c, scry_slice key, scry_buf *small)
{
    scry_slice value;
    if (scry_slice_is(key, "vocab") && !f->pieces.offsets) {
        f->scored = scry_cursor_peek(c) == '[';
        return scry_tokfile_vocab(&f->pieces, c, c->err);
    }
    bool is_merges = scry_slice_is(key, "merges");
    if (!is_merges)
        scry_buf_printf(small, "%s\"%.*s\":", small->size > 1 ? "," : "", (int)(key.n & 0xFFFF), key.at);
    if (scry_cursor_skip(c, &value) < 0)
        return c->code;
    if (is_merges)
        f->merges = value;
    else
        scry_buf_append(small, value.at, value.n);
    return 0;
}

static int read_model(scry_tokfile *f, scry_cursor *c)
{
    scry_buf *small = &f->small_model;
    scry_slice key;
    scry_cursor_open(c, '{');
    scry_buf_putc(small, '{');
    while (scry_cursor_key(c, &key) && read_member(f, c, key, small) == 0)
        ;
    scry_buf_putc(small, '}');
    if (c->code == 0 && small->failed)
        c->code = scry_fail(c->err, SCRY_ELIMIT, "%s: the model part is too large", f->path);
    f->part[SCRY_TOKFILE_PARTS - 1] = (scry_slice){ scry_buf_str(small), small->size };
    return c->code;
}

static int read_parts(scry_tokfile *f, scry_cursor *c)
{
    static const char *const names[] = { "added_tokens", "normalizer", "pre_tokenizer", "post_processor" };
    scry_slice key, value;
    scry_cursor_open(c, '{');
    while (scry_cursor_key(c, &key)) {
        if (scry_slice_is(key, "model") && !f->small_model.size && scry_cursor_peek(c) == '{') {
            if (read_model(f, c) < 0)
                return c->code;
            continue;
        }
        scry_slice *part = NULL;
        for (size_t i = 0; i < sizeof names / sizeof *names; i++)
            if (scry_slice_is(key, names[i]))
                part = &f->part[i];
        if (scry_cursor_skip(c, &value) < 0)
            return c->code;
        if (part && !part->at)
            *part = value;
    }
    return c->code;
}

static int parse_parts(scry_tokfile *f, scry_error *err)
{
    scry_json **const trees[SCRY_TOKFILE_PARTS] = { &f->added_tokens, &f->normalizer, &f->pre_tokenizer,
                                                    &f->post_processor, &f->model };
    int result = 0;
    for (int i = 0; i < SCRY_TOKFILE_PARTS && result == 0; i++)
        if (f->part[i].n)
            result = parse_part(f, f->part[i], trees[i], err);
    return result;
}

int scry_tokfile_map(scry_map *out, const char *path, scry_error *err)
{
    int result = scry_map_open(out, path, err);
    if (result == 0 && out->size > MAX_FILE_BYTES) {
        result = scry_fail(err, SCRY_ELIMIT, "%s: %zu MB is too large for a tokenizer", path, out->size >> 20);
        scry_map_close(out);
    }
    return result;
}

static int read_file(scry_tokfile *f, scry_error *err)
{
    f->stamp = scry_tables_look(f->path);
    int result = scry_tokfile_map(&f->map, f->path, err);
    if (result < 0)
        return result;
    scry_cursor c = scry_cursor_make((const char *)f->map.data, f->map.size, f->path, err);
    result = read_parts(f, &c);
    if (result == 0)
        result = scry_cursor_end(&c);
    scry_cursor_dispose(&c);
    return result;
}

static void start(scry_tokfile *f, const char *dir)
{
    memset(f, 0, sizeof *f);
    f->small_model = (scry_buf)SCRY_BUF_INIT(MAX_PART_BYTES);
    scry_pieces_init(&f->pieces);
    f->path = scry_path_join(dir, "tokenizer.json");
}

/* From the cache; false when that is not possible. */
static bool use_tables(scry_tokfile *f)
{
    scry_tables tables;
    if (!scry_tables_load(&tables, f->path))
        return false;
    f->tables = scry_alloc(sizeof tables);
    *f->tables = tables;
    memcpy(f->part, tables.part, sizeof f->part);
    f->pieces = tables.pieces;
    f->scored = tables.pieces.scores;
    f->merges.at = tables.has_merges ? "" : NULL;
    return parse_parts(f, NULL) == 0 && f->model;
}

int scry_tokfile_open(scry_tokfile *f, const char *dir, bool use_cache, scry_error *err)
{
    start(f, dir);
    if (use_cache && use_tables(f))
        return 0;
    scry_tokfile_close(f);
    start(f, dir);
    int result = read_file(f, err);
    if (result == 0)
        result = parse_parts(f, err);
    if (result == 0 && !f->model)
        result = scry_fail(err, SCRY_EINVALID, "%s is damaged: it has no \"model\"", f->path);
    if (result < 0)
        scry_tokfile_close(f);
    return result;
}

void scry_tokfile_keep(const scry_tokfile *f, const scry_pieces *pieces, const scry_bpe *merges, const uint16_t *reach)
{
    scry_tables t = { .pieces = *pieces, .has_merges = merges, .reach = reach };
    if (f->tables || f->map.size < KEPT_FROM_BYTES)
        return;
    if (merges)
        t.bpe = *merges;
    memcpy(t.part, f->part, sizeof t.part);
    scry_tables_save(&t, f->path, (scry_slice){ (const char *)f->map.data, f->map.size }, &f->stamp);
}

void scry_tokfile_close(scry_tokfile *f)
{
    scry_json_free(f->added_tokens);
    scry_json_free(f->normalizer);
    scry_json_free(f->pre_tokenizer);
    scry_json_free(f->post_processor);
    scry_json_free(f->model);
    scry_pieces_dispose(&f->pieces);
    scry_map_close(&f->map);
    scry_buf_dispose(&f->small_model);
    if (f->tables)
        scry_tables_close(f->tables);
    free(f->tables);
    free(f->path);
    memset(f, 0, sizeof *f);
}

const char *scry_tokfile_type(const scry_tokfile *f)
{
    const char *type = scry_json_str(scry_json_get(f->model, "type"), NULL);
    if (type)
        return type;
    return f->merges.at ? "BPE" : f->scored ? "Unigram" : "WordPiece";
}
