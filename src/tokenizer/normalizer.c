#include "tokenizer/normalizer.h"

#include "base/alloc.h"

#include <stdlib.h>
#include <string.h>

/* ---- reading ---- */

static int read_replace(scry_normal_step *s, const scry_json *item, const char *path, scry_error *err)
{
    const scry_json *pattern = scry_json_get(item, "pattern");
    const char *text = scry_json_str(scry_json_get(pattern, "String"), NULL);
    const char *regex = scry_json_str(scry_json_get(pattern, "Regex"), NULL);
    const char *content = scry_json_str(scry_json_get(item, "content"), NULL);
    s->from = s->to = (scry_runes)SCRY_RUNES_INIT(1024);
    if (content)
        scry_runes_decode(&s->to, content, strlen(content));
    if (content && text && *text) {
        s->kind = SCRY_NORMAL_REPLACE_TEXT;
        scry_runes_decode(&s->from, text, strlen(text));
    } else if (content && regex && (strcmp(regex, " {2,}") == 0 || strcmp(regex, "\\s+") == 0)) {
        s->kind = SCRY_NORMAL_REPLACE_SPACES;
        s->any_white_space = regex[0] == '\\';
        s->min_spaces = s->any_white_space ? 1 : 2;
    } else {
        return scry_fail(err, SCRY_EINVALID, "%s: normalizer Replace with the pattern \"%.60s\" is not "
                         "supported", path, regex ? regex : text ? text : "");
    }
    if (s->from.failed || s->to.failed)
        return scry_fail(err, SCRY_ELIMIT, "%s: normalizer Replace with more than 1024 characters", path);
    return 0;
}

static int read_step(scry_normal *m, const scry_json *item, const char *path, scry_error *err)
{
    static const char *const plain[] = { "NFC", "NFD", "NFKC", "NFKD", "Lowercase" };
    const char *type = scry_json_str(scry_json_get(item, "type"), "without a type");
    if (m->n == SCRY_MAX_NORMAL_STEPS)
        return scry_fail(err, SCRY_ELIMIT, "%s: more than %d normalizers", path, SCRY_MAX_NORMAL_STEPS);
    scry_normal_step *s = &m->steps[m->n++];
    memset(s, 0, sizeof *s);
    for (int k = 0; k < 5; k++)
        if (strcmp(type, plain[k]) == 0) {
            s->kind = (unsigned)k;   /* in the order of the enumeration */
            return 0;
        }
    if (strcmp(type, "Replace") == 0)
        return read_replace(s, item, path, err);
    if (strcmp(type, "Strip") == 0) {
        s->kind = SCRY_NORMAL_STRIP;
        s->left = scry_json_bool(scry_json_get(item, "strip_left"), true);
        s->right = scry_json_bool(scry_json_get(item, "strip_right"), true);
        m->strips_left |= s->left;
        return 0;
    }
    if (strcmp(type, "Precompiled") == 0 && !m->charsmap.units) {
        s->kind = SCRY_NORMAL_CHARSMAP;
        return scry_charsmap_open(&m->charsmap,
                                  scry_json_str(scry_json_get(item, "precompiled_charsmap"), ""), path, err);
    }
    return scry_fail(err, SCRY_EINVALID, "%s: normalizer \"%.60s\" is not supported here (Precompiled, NFC, "
                     "NFD, NFKC, NFKD, Lowercase, Replace, Strip are)", path, type);
}

int scry_normal_open(scry_normal *m, const scry_json *normalizer, const char *path, scry_error *err)
{
    scry_json_type kind = scry_json_type_of(normalizer);
    memset(m, 0, sizeof *m);
    if (kind == SCRY_JSON_NONE || kind == SCRY_JSON_NULL)
        return 0;
    if (strcmp(scry_json_str(scry_json_get(normalizer, "type"), ""), "Sequence") != 0)
        return read_step(m, normalizer, path, err);
    const scry_json *list = scry_json_get(normalizer, "normalizers");
    int result = 0;
    for (size_t i = 0; i < scry_json_size(list) && result == 0; i++)
        result = read_step(m, scry_json_at(list, i), path, err);
    return result;
}

void scry_normal_dispose(scry_normal *m)
{
    for (size_t i = 0; i < m->n; i++) {
        scry_runes_dispose(&m->steps[i].from);
        scry_runes_dispose(&m->steps[i].to);
    }
    scry_charsmap_dispose(&m->charsmap);
    m->n = 0;
}

/* ---- applying ---- */

/* Length of the match of the step's pattern at r[0..n), 0 for none. */
static size_t match(const scry_normal_step *s, const uint32_t *r, size_t n)
{
    if (s->kind == SCRY_NORMAL_REPLACE_TEXT) {
        size_t length = s->from.n;
        return length <= n && memcmp(r, s->from.at, length * sizeof *r) == 0 ? length : 0;
    }
    size_t run = 0;
    while (run < n && (s->any_white_space ? scry_rune_is_space(r[run]) : r[run] == ' '))
        run++;
    return run >= s->min_spaces ? run : 0;
}

static void replace(const scry_normal_step *s, scry_runes *r)
{
    scry_runes out = SCRY_RUNES_INIT(r->limit);
    for (size_t i = 0; i < r->n;) {
        size_t taken = match(s, r->at + i, r->n - i);
        for (size_t k = 0; taken && k < s->to.n; k++)
            scry_runes_push(&out, s->to.at[k]);
        if (!taken)
            scry_runes_push(&out, r->at[i]);
        i += taken ? taken : 1;
    }
    out.failed |= r->failed;
    free(r->at);
    *r = out;
}

static void strip(const scry_normal_step *s, scry_runes *r)
{
    size_t from = 0;
    while (s->right && r->n && scry_rune_is_space(r->at[r->n - 1]))
        r->n--;
    while (s->left && from < r->n && scry_rune_is_space(r->at[from]))
        from++;
    if (from)
        memmove(r->at, r->at + from, (r->n - from) * sizeof *r->at);
    r->n -= from;
}

void scry_normal_apply(const scry_normal *m, scry_runes *r)
{
    for (size_t i = 0; i < m->n; i++) {
        const scry_normal_step *s = &m->steps[i];
        switch (s->kind) {
        case SCRY_NORMAL_NFC: scry_runes_nfc(r, SCRY_UNICODE_RUST); break;
        case SCRY_NORMAL_NFD: scry_runes_nfd(r, SCRY_UNICODE_RUST); break;
        case SCRY_NORMAL_NFKC: scry_runes_nfkc(r, SCRY_UNICODE_RUST); break;
        case SCRY_NORMAL_NFKD: scry_runes_nfkd(r, SCRY_UNICODE_RUST); break;
        case SCRY_NORMAL_LOWERCASE: scry_runes_lower_each(r, SCRY_UNICODE_RUST); break;
        case SCRY_NORMAL_CHARSMAP: scry_charsmap_apply(&m->charsmap, r); break;
        case SCRY_NORMAL_REPLACE_TEXT:
        case SCRY_NORMAL_REPLACE_SPACES: replace(s, r); break;
        case SCRY_NORMAL_STRIP: strip(s, r); break;
        }
    }
}
