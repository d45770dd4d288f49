/* clip_bpe_special.c - which tokens of a CLIP vocabulary are special, and which are matched
 * before a text is split into words.
 *
 * transformers reads the start, end, unknown and padding tokens from tokenizer_config.json,
 * from special_tokens_map.json where the former is of an old kind, and else uses CLIP's own
 * names. All four are matched in texts: a checkpoint that pads with "!" reads every "!" as
 * padding, and so does scry. Whether they are searched for in the raw or in the normalised text
 * is set by the configuration's added_tokens_decoder, else by tokenizer.json's added tokens;
 * for a token that is in neither, by the last role that names it.
 */
#include "tokenizer/clip_bpe.h"

#include "base/alloc.h"

#include <stdlib.h>
#include <string.h>

enum { MAX_CONFIG_BYTES = 16 << 20 };
enum { BOS, EOS, UNK, PAD, ROLES };

static const char *const hf_names[] = { "<|startoftext|>", "<|endoftext|>" };
static const char *const open_clip_names[] = { "<start_of_text>", "<end_of_text>" };

static void set_special(scry_clip_special *s, const char *text, int32_t id)
{
    for (s->n = 0; text[s->n]; s->n++)
        s->runes[s->n] = (unsigned char)text[s->n];
    s->id = id;
}

/* The two names of start and end, for the expression and as the default. */
static int find_names(scry_clip_loading *l)
{
    int32_t ids[2];
    for (int k = 0; k < 2; k++) {
        ids[k] = scry_pieces_find_id(&l->pieces, hf_names[k], strlen(hf_names[k]));
        if (ids[k] < 0)
            ids[k] = scry_pieces_find_id(&l->pieces, open_clip_names[k], strlen(open_clip_names[k]));
        if (ids[k] < 0)
            return scry_fail(l->err, SCRY_EINVALID, "%s: the vocabulary has no %s: not a CLIP tokenizer", l->path,
                             hf_names[k]);
        set_special(&l->m->special[k], l->m->dialect == SCRY_TOKENIZER_HF ? hf_names[k] : open_clip_names[k],
                    ids[k]);
    }
    l->t->start_id = ids[0];
    l->t->end_id = ids[1];
    l->m->bpe.unknown = ids[1];
    return 0;
}

static int read_optional(scry_json **out, scry_tokenizer *t, const char *dir, const char *name, scry_error *err)
{
    char *path = scry_path_join(dir, name);
    int result = scry_json_read(out, path, MAX_CONFIG_BYTES, NULL);
    if (result < 0 && result != SCRY_ENOTFOUND)
        result = scry_json_read(out, path, MAX_CONFIG_BYTES, err);   /* called again for its error message */
    if (result == 0) {
        size_t n = 0;
        while (t->files[n])
            n++;
        t->files[n] = name;
    }
    free(path);
    return result == SCRY_ENOTFOUND ? 0 : result;
}

/* Add `text` to the added tokens with the flags of the JSON object `v`, if it is one. A
 * token that is already among the first `fixed` keeps its flags; a later one gets the new
 * ones. */
static int put_added(scry_clip_loading *l, const char *text, int32_t id, const scry_json *v, size_t fixed)
{
    scry_added *a = &l->t->added;
    for (size_t i = 0; i < a->n; i++) {
        if (strcmp(a->at[i].text, text) != 0)
            continue;
        if (i < fixed)
            return 0;
        free(a->at[i].text);
        a->at[i] = a->at[--a->n];
    }
    scry_added_token token = {
        .text = scry_strdup(text),
        .n = strlen(text),
        .id = id,
        .lstrip = scry_json_bool(scry_json_get(v, "lstrip"), false),
        .rstrip = scry_json_bool(scry_json_get(v, "rstrip"), false),
        .normalized = scry_json_bool(scry_json_get(v, "normalized"), false),
    };
    return scry_added_put(a, token, l->path, l->err);
}

/* added_tokens_decoder of tokenizer_config.json: { "49406": { "content": ... }, ... }. */
static int put_decoder(scry_clip_loading *l, const scry_json *decoder)
{
    const char *key;
    const scry_json *v;
    int result = 0;
    for (void *it = NULL; result == 0 && scry_json_next(decoder, &it, &key, &v);) {
        const char *text = scry_json_str(scry_json_get(v, "content"), "");
        long id = strtol(key, NULL, 10);
        if (id >= 0 && (size_t)id < l->t->vocab_size)
            result = put_added(l, text, (int32_t)id, v, 0);
    }
    return result;
}

/* One role: its token's text and id from `v`, a string or an object, or its default. For
 * `fixed` see put_added. */
static int put_role(scry_clip_loading *l, int role, const scry_json *v, size_t fixed)
{
    scry_tokenizer *t = l->t;
    const char *text = scry_json_str(v, scry_json_str(scry_json_get(v, "content"), NULL));
    if (!text)
        text = hf_names[role == BOS ? 0 : 1];
    int32_t id = scry_pieces_find_id(&l->pieces, text, strlen(text));
    for (size_t i = 0; i < t->added.n && id < 0; i++)
        if (strcmp(t->added.at[i].text, text) == 0)
            id = t->added.at[i].id;
    if (id < 0 && role <= EOS && v)
        return scry_fail(l->err, SCRY_EINVALID, "%s: the vocabulary has no \"%.40s\", which tokenizer_config.json "
                         "names as the text's %s", l->path, text, role == BOS ? "start" : "end");
    if (id < 0 || !*text)
        return 0;   /* never needed: unknown bytes and padding do not occur */
    if (role == BOS)
        t->start_id = id;
    else if (role == EOS)
        t->end_id = id;
    else if (role == UNK)
        l->m->bpe.unknown = id;
    return put_added(l, text, id, v, fixed);
}

static int put_roles(scry_clip_loading *l, const scry_json *config, const scry_json *map)
{
    static const char *const keys[ROLES] = { "bos_token", "eos_token", "unk_token", "pad_token" };
    size_t fixed = l->t->added.n;
    int result = 0;
    for (int role = 0; role < ROLES && result == 0; role++) {
        const scry_json *v = scry_json_get(map, keys[role]);
        if (!v)
            v = scry_json_get(config, keys[role]);
        if (scry_json_type_of(v) == SCRY_JSON_NULL)
            v = NULL;
        result = put_role(l, role, v, fixed);
    }
    return result;
}

int scry_clip_specials(scry_clip_loading *l)
{
    scry_json *config = NULL, *map = NULL;
    int result = find_names(l);
    if (result < 0 || l->m->dialect == SCRY_TOKENIZER_OPEN_CLIP)
        return result;
    result = read_optional(&config, l->t, l->dir, "tokenizer_config.json", l->err);
    if (result == 0 && !scry_json_get(config, "added_tokens_decoder"))
        result = read_optional(&map, l->t, l->dir, "special_tokens_map.json", l->err);
    const scry_json *decoder = scry_json_get(config, "added_tokens_decoder");
    if (result == 0 && decoder)
        result = put_decoder(l, decoder);
    else if (result == 0 && l->f)
        result = scry_tokfile_added(l->f, l->t, l->err);
    if (result == 0)
        result = put_roles(l, config, map);
    scry_json_free(map);
    scry_json_free(config);
    return result;
}
