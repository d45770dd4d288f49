#include "model/names.h"

#include "base/alloc.h"
#include "base/base64.h"
#include "base/file.h"
#include "base/json.h"
#include "base/sha256.h"
#include "base/utf8.h"

#include <math.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { MAX_FILE_BYTES = 64 << 20, FIRST_IDEOGRAPH = 0x2E80 };

struct scry_names {
    atomic_uint shares;       /* owners but the first */
    size_t dim, count;
    scry_taught_name *list;   /* [count]; its strings are owned */
    scry_runes *lower;        /* [count] the names in small letters */
    float *directions;        /* [count, dim] */
    char digest[2 * SCRY_SHA256_BYTES + 1];
};

char *scry_names_path(const char *identity)
{
    char *data = scry_data_dir(), *path = scry_asprintf("%s/names/%s.json", data, identity);
    free(data);
    return path;
}

scry_names *scry_names_new(size_t dim)
{
    scry_names *n = scry_alloc(sizeof *n);
    n->dim = dim;
    return n;
}

static void dispose_name(scry_names *n, size_t i)
{
    free((char *)n->list[i].name);
    free((char *)n->list[i].taught_at);
    scry_runes_dispose(&n->lower[i]);
}

scry_names *scry_names_share(scry_names *n)
{
    if (n)
        atomic_fetch_add(&n->shares, 1);
    return n;
}

void scry_names_free(scry_names *n)
{
    if (!n || atomic_fetch_sub(&n->shares, 1) > 0)
        return;
    for (size_t i = 0; i < n->count; i++)
        dispose_name(n, i);
    free(n->list);
    free(n->lower);
    free(n->directions);
    free(n);
}

const char *scry_names_digest(const scry_names *n)
{
    return n->digest;
}

const scry_taught_name *scry_names_list(const scry_names *n, size_t *count)
{
    *count = n ? n->count : 0;
    return n ? n->list : NULL;
}

/* ---- words ---- */

static bool is_word(uint32_t rune)
{
    scry_rune_class c = scry_rune_classify(rune, SCRY_UNICODE_RUST);
    return c == SCRY_RUNE_LETTER || c == SCRY_RUNE_NUMBER;
}

/* Whether two characters beside each other belong to one word. Ideographs and kana are written without spaces, so that
 * a name of them may stand between others. */
static bool joins(uint32_t a, uint32_t b)
{
    return is_word(a) && is_word(b) && a < FIRST_IDEOGRAPH && b < FIRST_IDEOGRAPH;
}

/* Whether the characters [at, end) of a text are no part of a longer word. */
static bool stands_apart(const scry_runes *text, size_t at, size_t end)
{
    return !(at > 0 && joins(text->at[at - 1], text->at[at])) && !(end < text->n && joins(text->at[end - 1], text->at[end]));
}

/* A text as composed characters, and the same in small letters, of equal length: the few texts where that would be another
 * are in small letters in both. */
static void read_text(scry_runes *as_is, scry_runes *lower, const char *text)
{
    size_t bytes = strlen(text);
    *as_is = *lower = (scry_runes)SCRY_RUNES_INIT(4 * bytes + 4);
    scry_runes_decode(as_is, text, bytes);
    scry_runes_nfc(as_is, SCRY_UNICODE_RUST);
    for (size_t i = 0; i < as_is->n; i++)
        scry_runes_push(lower, as_is->at[i]);
    scry_runes_lower_each(lower, SCRY_UNICODE_RUST);
    if (lower->n != as_is->n) {
        scry_runes_dispose(as_is);
        *as_is = (scry_runes)SCRY_RUNES_INIT(4 * bytes + 4);
        for (size_t i = 0; i < lower->n; i++)
            scry_runes_push(as_is, lower->at[i]);
    }
}

int scry_names_check(const char *name, scry_error *err)
{
    size_t bytes = name ? strlen(name) : 0;
    scry_runes r = SCRY_RUNES_INIT(4 * SCRY_MAX_NAME_BYTES);
    bool good = bytes > 0 && bytes <= SCRY_MAX_NAME_BYTES && scry_utf8_valid(name, bytes);
    if (good)
        scry_runes_decode(&r, name, bytes);
    good = good && !r.failed && is_word(r.at[0]) && is_word(r.at[r.n - 1]);
    for (size_t i = 0; good && i < r.n; i++)
        good = strcmp(scry_rune_category(r.at[i]), "Cc") != 0;
    scry_runes_dispose(&r);
    return good ? 0 : scry_fail(err, SCRY_EINVALID, "this cannot be a name: it has to be 1 to %d bytes of UTF-8, and to begin and end with a "
                                "letter or a number (no emoji or full stop there)", SCRY_MAX_NAME_BYTES);
}

int scry_names_find(const scry_names *n, const char *name)
{
    scry_runes as_is, lower;
    int found = -1;
    read_text(&as_is, &lower, name);
    for (size_t i = 0; n && i < n->count && found < 0; i++)
        if (n->lower[i].n == lower.n && memcmp(n->lower[i].at, lower.at, lower.n * sizeof *lower.at) == 0)
            found = (int)i;
    scry_runes_dispose(&as_is);
    scry_runes_dispose(&lower);
    return found;
}

bool scry_names_have_word(const scry_names *n, const char *word)
{
    scry_runes as_is, lower;
    bool found = false;
    read_text(&as_is, &lower, word);
    for (size_t i = 0; i < n->count && !found; i++) {
        const scry_runes *name = &n->lower[i];
        for (size_t at = 0, end; (end = at + lower.n) <= name->n && lower.n && !found; at++)
            found = memcmp(name->at + at, lower.at, lower.n * sizeof *lower.at) == 0 && stands_apart(name, at, end);
    }
    scry_runes_dispose(&as_is);
    scry_runes_dispose(&lower);
    return found;
}

/* ---- changes ---- */

int scry_names_add(scry_names *n, const scry_taught_name *name, const float *direction, scry_error *err)
{
    if (n->count == SCRY_MAX_NAMES)
        return scry_fail(err, SCRY_ELIMIT, "the model has %d names, which is as many as it may have", SCRY_MAX_NAMES);
    scry_runes as_is;
    n->list = scry_realloc(n->list, (n->count + 1) * sizeof *n->list);
    n->lower = scry_realloc(n->lower, (n->count + 1) * sizeof *n->lower);
    n->directions = scry_realloc(n->directions, (n->count + 1) * n->dim * sizeof *n->directions);
    n->list[n->count] = (scry_taught_name){ scry_strdup(name->name), name->pictures, scry_strdup(name->taught_at) };
    read_text(&as_is, &n->lower[n->count], name->name);
    scry_runes_dispose(&as_is);
    memcpy(n->directions + n->count * n->dim, direction, n->dim * sizeof *direction);
    n->count++;
    return 0;
}

void scry_names_remove(scry_names *n, int place)
{
    size_t i = (size_t)place, after = n->count - i - 1;
    dispose_name(n, i);
    memmove(n->list + i, n->list + i + 1, after * sizeof *n->list);
    memmove(n->lower + i, n->lower + i + 1, after * sizeof *n->lower);
    memmove(n->directions + i * n->dim, n->directions + (i + 1) * n->dim, after * n->dim * sizeof *n->directions);
    n->count--;
}

/* ---- the file ---- */

/* One entry of the file: false when it is not what scry_names_write writes. */
static bool read_name(scry_names *n, const scry_json *j, scry_error *err)
{
    scry_buf bytes = SCRY_BUF_INIT(n->dim * sizeof(float) + 3);
    const char *code = scry_json_str(scry_json_get(j, "direction"), "");
    scry_taught_name name = { scry_json_str(scry_json_get(j, "name"), ""), (int)scry_json_int(scry_json_get(j, "pictures"), 0),
                              scry_json_str(scry_json_get(j, "taught_at"), "") };
    bool good = scry_names_check(name.name, NULL) == 0 && scry_names_find(n, name.name) < 0 &&
                scry_base64_decode(&bytes, code, strlen(code)) == 0 && bytes.size == n->dim * sizeof(float);
    float *direction = scry_alloc(n->dim * sizeof *direction);
    if (good)
        memcpy(direction, bytes.data, bytes.size);
    for (size_t i = 0; good && i < n->dim; i++)
        good = fabsf(direction[i]) <= 1e6f;
    good = good && scry_names_add(n, &name, direction, err) == 0;
    free(direction);
    scry_buf_dispose(&bytes);
    return good;
}

int scry_names_read(scry_names **out, const char *path, size_t dim, scry_error *err)
{
    *out = NULL;
    if (access(path, F_OK) != 0)
        return 0;
    scry_json *root = NULL;
    scry_error why = SCRY_ERROR_INIT;
    scry_buf bytes = SCRY_BUF_INIT(MAX_FILE_BYTES);
    uint8_t digest[SCRY_SHA256_BYTES];
    int r = scry_read_file(path, &bytes, &why);
    if (r == 0)
        r = scry_json_parse(&root, (const char *)bytes.data, bytes.size, path, &why);
    if (r == 0)
        scry_sha256_of(bytes.data, bytes.size, digest);
    scry_buf_dispose(&bytes);
    if (r < 0)
        return scry_fail(err, r, "cannot read the taught names: %s", why.message);
    const scry_json *list = scry_json_get(root, "names");
    scry_names *n = scry_names_new(dim);
    scry_hex(digest, sizeof digest, n->digest);
    bool good = scry_json_int(scry_json_get(root, "version"), 0) == 1 && scry_json_int(scry_json_get(root, "dim"), 0) == (int64_t)dim &&
                scry_json_type_of(list) == SCRY_JSON_ARRAY;
    for (size_t i = 0; good && i < scry_json_size(list); i++)
        good = read_name(n, scry_json_at(list, i), NULL);
    scry_json_free(root);
    if (good) {
        *out = n;
        return 0;
    }
    scry_names_free(n);
    return scry_fail(err, SCRY_EINVALID, "%s, which has the taught names, is damaged or was written by a later version: restore it, or remove it "
                     "and teach them again", path);
}

int scry_names_write(const scry_names *n, const char *path, scry_error *err)
{
    scry_buf b = SCRY_BUF_INIT(MAX_FILE_BYTES), code = SCRY_BUF_INIT(MAX_FILE_BYTES);
    scry_json_writer w = SCRY_JSON_WRITER_INIT(&b);
    scry_json_begin(&w, '{');
    scry_json_add_int(&w, "version", 1);
    scry_json_add_int(&w, "dim", (int64_t)n->dim);
    scry_json_key(&w, "names");
    scry_json_begin(&w, '[');
    for (size_t i = 0; i < n->count; i++) {
        code.size = 0;
        scry_base64_append(&code, n->directions + i * n->dim, n->dim * sizeof *n->directions);
        scry_json_begin(&w, '{');
        scry_json_add_str(&w, "name", n->list[i].name);
        scry_json_add_int(&w, "pictures", n->list[i].pictures);
        scry_json_add_str(&w, "taught_at", n->list[i].taught_at);
        scry_json_add_str(&w, "direction", scry_buf_str(&code));
        scry_json_end(&w, '}');
    }
    scry_json_end(&w, ']');
    scry_json_end(&w, '}');
    scry_buf_putc(&b, '\n');
    int r = b.failed || code.failed ? scry_fail(err, SCRY_ELIMIT, "the names need more than %d MB", MAX_FILE_BYTES >> 20)
                                    : scry_write_file(path, b.data, b.size, err);
    scry_buf_dispose(&code);
    scry_buf_dispose(&b);
    return r;
}

/* ---- names in a text ---- */

/* The longest name that stands at `at`; -1 when there is none. */
static int name_at(const scry_names *n, const scry_runes *text, size_t at)
{
    int best = -1;
    for (size_t i = 0; i < n->count; i++) {
        const scry_runes *name = &n->lower[i];
        size_t end = at + name->n;
        if (end <= text->n && text->at[at] == name->at[0] && (best < 0 || name->n > n->lower[best].n) &&
            memcmp(text->at + at, name->at, name->n * sizeof *name->at) == 0 && stands_apart(text, at, end))
            best = (int)i;
    }
    return best;
}

/* The end of an English genitive at `at` ("Rex's"), else `at`. */
static size_t after_genitive(const scry_runes *text, size_t at)
{
    bool is = at + 1 < text->n && (text->at[at] == '\'' || text->at[at] == 0x2019) && text->at[at + 1] == 's' &&
              !(at + 2 < text->n && is_word(text->at[at + 2]));
    return is ? at + 2 : at;
}

/* The text without spaces at its ends and with single ones between words; owned. */
static char *tidy(const scry_runes *rest)
{
    scry_buf b = SCRY_BUF_INIT(4 * rest->n + 4);
    bool gap = false;
    for (size_t i = 0; i < rest->n; i++) {
        char utf8[4];
        if (scry_rune_is_space(rest->at[i])) {
            gap = true;
            continue;
        }
        if (gap && b.size)
            scry_buf_putc(&b, ' ');
        gap = false;
        scry_buf_append(&b, utf8, scry_utf8_put(utf8, rest->at[i]));
    }
    char *text = scry_strdup(scry_buf_str(&b));
    scry_buf_dispose(&b);
    return text;
}

char *scry_names_take(const scry_names *n, const char *text, float *direction, bool *alone)
{
    scry_runes as_is, lower;
    read_text(&as_is, &lower, text);
    scry_runes rest = SCRY_RUNES_INIT(as_is.n + 1);
    bool *taken = scry_alloc(n->count + 1), any = false;
    *alone = true;
    for (size_t i = 0; i < as_is.n;) {
        int found = name_at(n, &lower, i);
        if (found < 0) {
            *alone = *alone && !is_word(as_is.at[i]);
            scry_runes_push(&rest, as_is.at[i++]);
            continue;
        }
        const float *d = n->directions + (size_t)found * n->dim;
        for (size_t k = 0; k < n->dim && !taken[found]; k++)
            direction[k] += d[k];
        any = taken[found] = true;
        i = after_genitive(&lower, i + n->lower[found].n);
        scry_runes_push(&rest, ' ');
    }
    char *left = any ? tidy(&rest) : NULL;
    free(taken);
    scry_runes_dispose(&rest);
    scry_runes_dispose(&lower);
    scry_runes_dispose(&as_is);
    return left;
}
