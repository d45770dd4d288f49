#include "engine/place_list.h"

#include "base/alloc.h"
#include "base/utf8.h"
#include "store/places.h"
#include "store/store_kind.h"
#include "store/words.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_RUNES = 4096, MAX_TEXT = 256 };

typedef struct {
    uint32_t place;
    uint64_t files;
} counted;

struct scry_place_list {
    counted *at;    /* [n], those with most files first */
    size_t n;
};

/* ---- counting ---- */

static int count_file(void *arg, const scry_file *f)
{
    uint64_t *files = arg;
    uint32_t counted_here[5];
    size_t n = 0;
    if (!f->has_position)
        return 0;
    scry_places p = scry_places_near(f->latitude, f->longitude);
    counted_here[n++] = p.largest;
    counted_here[n++] = p.nearest == p.largest ? SCRY_NO_PLACE : p.nearest;
    counted_here[n++] = p.across;
    counted_here[n++] = p.around;
    if (p.around != SCRY_NO_PLACE && scry_place_around(p.around) != p.around)
        counted_here[n++] = scry_place_around(p.around);
    for (size_t i = 0; i < n; i++)
        if (counted_here[i] != SCRY_NO_PLACE)
            files[counted_here[i]]++;
    return 0;
}

static int compare(const void *a, const void *b)
{
    const counted *x = a, *y = b;
    return x->files != y->files ? (x->files < y->files) - (x->files > y->files) : (x->place > y->place) - (x->place < y->place);
}

/* Of pictures, as a search for a place shows them: one file of each. */
static int count_files(scry_store *s, uint64_t *files, scry_error *err)
{
    scry_filter_pool *pool = scry_filter_pool_new();
    const scry_brief_walk placed = { .filter = scry_filter_box(pool, -180, -90, 180, 90), .unique = true };
    int result = scry_store_each_brief(s, &placed, count_file, files, err);
    scry_filter_pool_free(pool);
    return result == 1 ? scry_store_each_file(s, NULL, NULL, count_file, files, err) : result;
}

int scry_place_list_new(scry_place_list **out, scry_store *s, scry_error *err)
{
    scry_store_info info = { 0 };
    uint64_t *files = scry_alloc(scry_places_count() * sizeof *files);
    scry_place_list *l = scry_alloc(sizeof *l);
    scry_store_describe(s, &info);
    int result = info.finds_words ? count_files(s, files, err) : 0;
    l->at = scry_alloc((scry_places_count() + 1) * sizeof *l->at);
    for (uint32_t i = 0; i < scry_places_count(); i++)
        if (files[i])
            l->at[l->n++] = (counted){ i, files[i] };
    l->at = scry_realloc(l->at, (l->n + 1) * sizeof *l->at);
    if (l->n)
        qsort(l->at, l->n, sizeof *l->at, compare);
    free(files);
    *out = result < 0 ? NULL : l;
    if (result < 0)
        scry_place_list_free(l);
    return result < 0 ? result : 0;
}

void scry_place_list_free(scry_place_list *l)
{
    if (l)
        free(l->at);
    free(l);
}

/* ---- finding ---- */

static bool is_letter(uint32_t rune)
{
    scry_rune_class class = scry_rune_classify(rune, SCRY_UNICODE_PYTHON);
    return class == SCRY_RUNE_LETTER || class == SCRY_RUNE_NUMBER;
}

static bool has_at_word(const scry_runes *name, const scry_runes *text)
{
    for (size_t i = 0; text->n && i + text->n <= name->n; i++)
        if ((i == 0 || !is_letter(name->at[i - 1])) && memcmp(name->at + i, text->at, text->n * sizeof *text->at) == 0)
            return true;
    return text->n == 0;
}

typedef struct {
    const scry_place_list *list;
    const char *text, *language;
    size_t limit;
} finding;

/* The name that has the text, that in the language before others: its bytes; NULL: none. */
static const char *find_name(uint32_t place, const char *language, const scry_runes *text, scry_runes *scratch, size_t *size)
{
    const char *name = scry_place_shown_name(place, language, size);
    scry_words_fold(scratch, name, *size);
    if (has_at_word(scratch, text))
        return name;
    for (name = scry_place_names(place); *name; name += *size + (name[*size] == '\n')) {
        *size = strcspn(name, "\n");
        scry_words_fold(scratch, name, *size);
        if (has_at_word(scratch, text))
            return name;
    }
    return NULL;
}

/* Of the first places that have a name with the text; `name` is that one, of `size` bytes. */
static void each_found(const finding *f, void (*fn)(void *arg, const finding *f, const counted *c, const char *name, size_t size),
                       void *arg)
{
    scry_runes wanted = SCRY_RUNES_INIT(MAX_RUNES), scratch = SCRY_RUNES_INIT(MAX_RUNES);
    size_t size = strnlen(f->text, MAX_TEXT + 1), found = 0, n;
    scry_words_fold(&wanted, f->text, size);
    for (size_t i = 0; i < f->list->n && found < f->limit && size <= MAX_TEXT; i++) {
        const counted *c = &f->list->at[i];
        const char *name = find_name(c->place, f->language, &wanted, &scratch, &n);
        if (name)
            fn(arg, f, c, name, n);
        found += name != NULL;
    }
    scry_runes_dispose(&wanted);
    scry_runes_dispose(&scratch);
}

static void put_place(void *arg, const finding *f, const counted *c, const char *name, size_t size)
{
    static const char *const kinds[] = { [SCRY_PLACE_COUNTRY] = "country", [SCRY_PLACE_REGION] = "region", [SCRY_PLACE_CITY] = "city" };
    scry_json_writer *w = arg;
    size_t n;
    char *title = scry_place_title(c->place, f->language);
    scry_json_begin(w, '{');
    scry_json_add_str(w, "name", title);
    scry_json_add_str(w, "kind", kinds[scry_place_kind_of(c->place)]);
    scry_json_add_int(w, "count", (int64_t)c->files);
    if (name != scry_place_shown_name(c->place, f->language, &n)) {
        scry_json_key(w, "matched");
        scry_json_put_bytes(w, name, size);
    }
    scry_json_end(w, '}');
    free(title);
}

void scry_json_put_places(scry_json_writer *w, const scry_place_list *l, const char *text, size_t limit, const char *language)
{
    const finding f = { l, text, language, limit };
    scry_json_begin(w, '[');
    each_found(&f, put_place, w);
    scry_json_end(w, ']');
}

bool scry_place_list_has_language(const char *language)
{
    return scry_place_knows_language(language);
}

const char *scry_place_list_languages(char buffer[80])
{
    size_t used = 0;
    buffer[0] = '\0';
    for (size_t i = 0; scry_place_language(i) && used < 80; i++)
        used += (size_t)snprintf(buffer + used, 80 - used, "%s%s", i == 0 ? "" : scry_place_language(i + 1) ? ", " : " and ",
                                 scry_place_language(i));
    return buffer;
}

static void put_title(void *arg, const finding *f, const counted *c, const char *name, size_t size)
{
    char *title = scry_place_title(c->place, f->language);
    scry_buf_printf(arg, "%s\n", title);
    free(title);
}

void scry_place_titles(scry_buf *out, const scry_place_list *l, const char *text, size_t limit)
{
    const finding f = { l, text, NULL, limit };
    each_found(&f, put_title, out);
}

/* ---- several places of one name ---- */

static bool is_wanted(const char *wanted, uint32_t place)
{
    const char *at = wanted, *word;
    char one[SCRY_WORD_BYTES];
    for (size_t n; (word = scry_words_next(&at, &n));)
        while (scry_words_alternative(&word, &n, one))
            if (scry_word_place(one, strlen(one)) == place)
                return true;
    return false;
}

static bool lies_in_another(const char *wanted, uint32_t place)
{
    while (scry_place_around(place) != place) {
        place = scry_place_around(place);
        if (is_wanted(wanted, place))
            return true;
    }
    return false;
}

void scry_place_list_several(scry_buf *out, const scry_place_list *l, const char *wanted)
{
    enum { SHOWN = 8 };
    scry_buf all = SCRY_BUF_INIT(1 << 16);
    size_t found = 0;
    for (size_t i = 0; i < l->n; i++) {
        const counted *c = &l->at[i];
        if (!is_wanted(wanted, c->place) || lies_in_another(wanted, c->place))
            continue;
        char *title = scry_place_title(c->place, NULL);
        if (found < SHOWN)
            scry_buf_printf(&all, "%s%s (%llu)", found ? ", " : "", title, (unsigned long long)c->files);
        found++;
        free(title);
    }
    if (found > SHOWN)
        scry_buf_printf(&all, " and %zu more", found - SHOWN);
    if (found > 1)
        scry_buf_append(out, all.data, all.size);
    scry_buf_dispose(&all);
}
