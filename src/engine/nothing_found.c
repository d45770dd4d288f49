#include "engine/nothing_found.h"

#include "base/alloc.h"
#include "base/json.h"
#include "base/nearest.h"
#include "base/table.h"
#include "engine/near_words.h"
#include "engine/path_forms.h"
#include "store/places.h"
#include "store/words.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

enum { MAX_CONDITIONS = 32, MAX_VALUES = 4000, SHOWN_VALUES = 5 };

/* One thing that a picture has to fulfil: a filter, or one of several of which all are asked. */
typedef struct {
    const scry_param *p;
    const scry_filter_node *f;
} condition;

typedef struct {
    condition at[MAX_CONDITIONS];
    size_t n;
} conditions;

static void add_conditions(conditions *c, const scry_param *p, const scry_filter_node *f)
{
    if (f->kind == SCRY_FILTER_AND && p->kind != SCRY_PARAM_PERIOD) {
        add_conditions(c, p, f->left);
        add_conditions(c, p, f->right);
    } else if (c->n < MAX_CONDITIONS) {
        c->at[c->n++] = (condition){ p, f };
    }
}

/* ---- naming them ---- */

/* Whether its sides are the same folder in two Unicode forms (scry_filter_below). */
static bool is_one_folder(const scry_filter_node *f)
{
    const scry_filter_node *left = f->left, *right = f->right;
    while (left->kind == SCRY_FILTER_OR)
        left = left->left;
    return left->kind == SCRY_FILTER_IN && right->kind == SCRY_FILTER_IN && scry_same_name(left->text, right->text);
}

static bool asks_place(const scry_filter_node *f)
{
    return f->kind == SCRY_FILTER_WORDS && f->number == SCRY_WORDS_PLACE;
}

/* Words are separated by line ends; of each the first of its alternatives is what was written. Of places the first's name stands
 * for all. */
static void put_text(scry_buf *out, const scry_filter_node *f)
{
    const char *at = f->text, *word;
    char text[SCRY_WORD_BYTES];
    if (f->kind != SCRY_FILTER_WORDS) {
        scry_buf_puts(out, f->text);
        return;
    }
    for (size_t n; (word = scry_words_next(&at, &n));) {
        if (!scry_words_alternative(&word, &n, text))
            continue;
        uint32_t place = scry_word_place(text, strlen(text));
        char *title = place == SCRY_NO_PLACE ? scry_strdup(text) : scry_place_title(place, NULL);
        if (n > 0 && place != SCRY_NO_PLACE)
            title[strcspn(title, ",")] = '\0';
        scry_buf_printf(out, "%s%s", word - strlen(text) == f->text + 1 || asks_place(f) ? "" : " ", title);
        free(title);
    }
}

static void put_time(scry_buf *out, int64_t s)
{
    char day[32] = "";
    time_t t = (time_t)s;
    struct tm tm;
    if (gmtime_r(&t, &tm) && strftime(day, sizeof day, t % 86400 ? "%Y-%m-%dT%H:%M:%S" : "%Y-%m-%d", &tm))
        scry_buf_puts(out, day);
}

/* A period by its first and last day, or what it begins or ends with. */
static void put_period(scry_buf *out, const scry_filter_node *f)
{
    const scry_filter_node *from = f->kind == SCRY_FILTER_AND ? f->left : f, *until = f->kind == SCRY_FILTER_AND ? f->right : f;
    bool days = from->time_s % 86400 == 0 && until->time_s % 86400 == 0;
    if (f->kind == SCRY_FILTER_OR) {
        put_period(out, f->left);
        scry_buf_puts(out, " or ");
        put_period(out, f->right);
        return;
    }
    if (f->kind != SCRY_FILTER_AND)
        scry_buf_puts(out, f->kind == SCRY_FILTER_AFTER ? "since " : "before ");
    put_time(out, from->time_s);
    if (until->time_s - from->time_s > 86400 || (!days && from != until)) {
        scry_buf_puts(out, " to ");
        put_time(out, until->time_s - (days ? 86400 : 0));
    }
}

static void put_value(scry_buf *out, const scry_filter_node *f)
{
    if (f->kind == SCRY_FILTER_OR) {
        put_value(out, f->left);
        if (!is_one_folder(f)) {
            scry_buf_puts(out, " or ");
            put_value(out, f->right);
        }
    } else if (f->text) {
        put_text(out, f);
    } else if (f->kind == SCRY_FILTER_AFTER || f->kind == SCRY_FILTER_BEFORE) {
        put_time(out, f->time_s);
    } else if (f->kind == SCRY_FILTER_NEAR) {
        scry_buf_printf(out, "%g,%g,%g", f->latitude, f->longitude, f->km);
    } else if (f->kind == SCRY_FILTER_BOX) {
        scry_buf_printf(out, "%g,%g,%g,%g", f->longitude, f->latitude, f->east, f->north);
    } else {
        scry_buf_printf(out, "%lld", (long long)f->number);
    }
}

/* Nothing for a flag. */
static void put_condition_value(scry_buf *out, const condition *c)
{
    if (c->p->kind == SCRY_PARAM_PERIOD)
        put_period(out, c->f);
    else if (c->p->kind == SCRY_PARAM_END)
        put_time(out, c->f->time_s - (c->f->time_s % 86400 ? 0 : 86400));
    else if (c->p->kind != SCRY_PARAM_FLAG)
        put_value(out, c->f);
}

static void put_condition(scry_buf *out, const condition *c, scry_request_via via)
{
    char name[32];
    bool flag = c->p->kind == SCRY_PARAM_FLAG;
    scry_buf_printf(out, "%s%s%s", scry_via_is_command(via) ? "--" : "", scry_param_name(c->p, via, name), flag ? "" : " ");
    put_condition_value(out, c);
}

/* ---- what there is ---- */

typedef struct {
    const char *value;   /* key of the table: first */
    uint64_t files;
} counted;

/* Of the files seen, what a condition asks about. */
typedef struct {
    scry_filter_kind kind;
    bool place;             /* words, of places */
    scry_table values;
    bool failed;            /* more values than are kept */
    uint64_t seen, with;    /* files, and those that have the field at all */
    int64_t least, most;    /* of numbers and times */
} survey;

static void add_value(survey *s, const char *value)
{
    if (!value || !value[0] || s->failed)
        return;
    int64_t i = s->values.count < MAX_VALUES ? scry_table_add(&s->values, value, NULL) : scry_table_find(&s->values, value);
    if (i >= 0)
        ((counted *)scry_table_at(&s->values, (size_t)i))->files++;
    else
        s->failed = s->values.count < MAX_VALUES;
}

static void add_number(survey *s, int64_t n)
{
    s->least = !s->with || n < s->least ? n : s->least;
    s->most = !s->with || n > s->most ? n : s->most;
    s->with++;
}

static void add_folders(survey *s, const scry_file *f)
{
    char *folder = scry_strdup(f->path), *slash = strrchr(folder, '/');
    size_t root = strlen(f->path) - strlen(f->relative);
    for (; slash && slash > folder && (size_t)(slash - folder) + 1 >= root; slash = strrchr(folder, '/')) {
        *slash = '\0';
        add_value(s, folder);
    }
    free(folder);
}

static void add_keywords(survey *s, const char *keywords)
{
    char *copy = scry_strdup(keywords ? keywords : ""), *save = NULL;
    for (char *k = strtok_r(copy, "\n", &save); k; k = strtok_r(NULL, "\n", &save))
        add_value(s, k);
    free(copy);
}

/* The city and the country. */
static void add_place(survey *s, const scry_file *f)
{
    char *text = f->has_position ? scry_place_text(f->latitude, f->longitude) : NULL;
    add_value(s, text);
    free(text);
}

static int look_at(void *arg, const scry_file *f)
{
    survey *s = arg;
    switch (s->kind) {
    case SCRY_FILTER_IN: add_folders(s, f); break;
    case SCRY_FILTER_AFTER: case SCRY_FILTER_BEFORE: add_number(s, scry_sort_time(f)); break;
    case SCRY_FILTER_CAMERA: add_value(s, f->camera); break;
    case SCRY_FILTER_NEAR: case SCRY_FILTER_BOX: s->with += f->has_position; break;
    case SCRY_FILTER_FORMAT: add_value(s, f->format); break;
    case SCRY_FILTER_LABEL:
        for (size_t i = 0; i < f->label_count; i++)
            add_value(s, f->labels[i]);
        break;
    case SCRY_FILTER_KEY: add_value(s, f->key); break;
    case SCRY_FILTER_MIN_WIDTH: add_number(s, f->width); break;
    case SCRY_FILTER_MIN_RATING:
        if (f->has_rating)
            add_number(s, f->rating);
        break;
    case SCRY_FILTER_KEYWORD: add_keywords(s, f->keywords); break;
    case SCRY_FILTER_WORDS: add_place(s, f); break;   /* others: near_words.h */
    case SCRY_FILTER_FAVOURITE: s->with += f->favourite; break;
    case SCRY_FILTER_ALL: case SCRY_FILTER_AND: case SCRY_FILTER_OR: case SCRY_FILTER_NOT: case SCRY_FILTER_KINDS: break;
    }
    return ++s->seen >= SCRY_NOTHING_SEEN;
}

static int by_files(const void *a, const void *b)
{
    const counted *x = a, *y = b;
    return x->files != y->files ? (x->files < y->files) - (x->files > y->files) : strcmp(x->value, y->value);
}

static void take_folder(scry_nearest *n, const char *folder, size_t distance)
{
    if ((n->best[0] && distance >= n->distance) || strlen(folder) >= sizeof n->best)
        return;
    memcpy(n->best, folder, strlen(folder) + 1);
    n->distance = distance;
}

/* A folder below those that both paths begin with: the long path that most have in common makes none near. */
static void offer_folder(scry_nearest *n, const char *folder)
{
    size_t common = 0;
    for (size_t i = 0; n->given[i] && n->given[i] == folder[i]; i++)
        if (folder[i] == '/')
            common = i + 1;
    scry_nearest below = SCRY_NEAREST_INIT(n->given + common);
    scry_nearest_offer(&below, folder + common);
    if (below.best[0])
        take_folder(n, folder, below.distance);
}

/* The name of a folder, behind the last slash of its path, and that of the one above it. */
static const char *last_names(const char *path, const char **above, size_t *above_size)
{
    const char *end = strrchr(path, '/'), *start = end ? end : path;
    while (start > path && start[-1] != '/')
        start--;
    *above = start;
    *above_size = end ? (size_t)(end - start) : 0;
    return end ? end + 1 : path;
}

/* A folder somewhere else, which is called so, or has a word in its name that is: first in a folder of the same name. */
static void offer_folder_name(scry_nearest *n, const char *folder)
{
    const char *above[2];
    size_t size[2];
    scry_nearest named = SCRY_NEAREST_INIT(last_names(n->given, &above[0], &size[0]));
    const char *name = last_names(folder, &above[1], &size[1]);
    scry_nearest_offer(&named, name);
    bool whole = named.best[0] != '\0';
    if (!whole)
        scry_nearest_offer_words(&named, name);
    bool same = size[0] == size[1] && strncasecmp(above[0], above[1], size[0]) == 0;
    if (named.best[0])
        take_folder(n, folder, 4 * named.distance + 2 * !whole + !same);
}

/* The value that each text was probably meant to be. A camera is found by a part of its name, so its words count, too;
 * of a place the city does. */
static void offer_values(scry_nearest *n, const survey *s, const counted *sorted)
{
    for (size_t i = 0; i < s->values.count; i++) {
        const char *value = sorted[i].value;
        if (s->kind == SCRY_FILTER_IN)
            offer_folder(n, value);
        else
            scry_nearest_offer(n, value);
        if (s->kind == SCRY_FILTER_CAMERA)
            scry_nearest_offer_words(n, value);
        if (s->place) {
            char *city = scry_strndup(value, strcspn(value, ","));
            scry_nearest_offer(n, city);
            free(city);
        }
    }
    bool by_name = s->kind == SCRY_FILTER_IN && !n->best[0];
    for (size_t i = 0; by_name && i < s->values.count; i++)
        offer_folder_name(n, sorted[i].value);
}

/* The values, the most frequent ones first; the caller frees them. */
static counted *sorted_values(const survey *s)
{
    size_t n = s->values.count;
    counted *sorted = scry_alloc((n + 1) * sizeof *sorted);
    if (n) {
        memcpy(sorted, s->values.entries, n * sizeof *sorted);
        qsort(sorted, n, sizeof *sorted, by_files);
    }
    return sorted;
}

/* The values of a survey, which are in order in `sorted`. */
static void put_values(scry_buf *out, const survey *s, const counted *sorted)
{
    size_t n = s->values.count;
    if (n == 0) {
        scry_buf_puts(out, s->kind == SCRY_FILTER_CAMERA ? ": no picture names its camera" : s->kind == SCRY_FILTER_LABEL ? ": there are no labels"
                           : s->place ? ": no picture was taken near a city that scry knows"
                           : s->kind == SCRY_FILTER_KEY ? ": there are no keys" : s->kind == SCRY_FILTER_KEYWORD ? ": there are no keywords" : "");
        return;
    }
    scry_buf_puts(out, out->data[out->size - 1] == '?' ? " There are " : ": there are ");
    for (size_t i = 0; i < n && i < SHOWN_VALUES; i++)
        scry_buf_printf(out, "%s%s (%llu)", i ? ", " : "", sorted[i].value, (unsigned long long)sorted[i].files);
    if (n > SHOWN_VALUES)
        scry_buf_printf(out, " and %s%zu more", n >= MAX_VALUES ? "at least " : "", n - SHOWN_VALUES);
}

static void put_range(scry_buf *out, const survey *s)
{
    char first[16] = "", last[16] = "";
    time_t least = (time_t)s->least, most = (time_t)s->most;
    struct tm tm;
    if (s->kind == SCRY_FILTER_NEAR || s->kind == SCRY_FILTER_BOX)
        scry_buf_puts(out, s->with ? ": none was taken there" : ": no picture says where it was taken");
    else if (s->kind == SCRY_FILTER_FAVOURITE)
        scry_buf_puts(out, ": none is marked as one");
    else if (!s->with)
        scry_buf_puts(out, s->kind == SCRY_FILTER_MIN_RATING ? ": no picture has a rating" : "");
    else if (s->kind == SCRY_FILTER_MIN_RATING)
        scry_buf_printf(out, ": the highest rating is %lld", (long long)s->most);
    else if (s->kind == SCRY_FILTER_MIN_WIDTH)
        scry_buf_printf(out, ": the widest has %lld pixels", (long long)s->most);
    else if (gmtime_r(&least, &tm) && strftime(first, sizeof first, "%Y-%m-%d", &tm) && gmtime_r(&most, &tm) &&
             strftime(last, sizeof last, "%Y-%m-%d", &tm))
        scry_buf_printf(out, ": they are from %s to %s", first, last);
}

/* What was probably meant, also as the items of a list of `w`. */
static void put_nearest(scry_buf *out, scry_json_writer *w, const survey *s, const counted *sorted, const scry_filter_node *f)
{
    if (f->kind == SCRY_FILTER_OR) {
        put_nearest(out, w, s, sorted, f->left);
        if (!is_one_folder(f))
            put_nearest(out, w, s, sorted, f->right);
        return;
    }
    scry_buf text = SCRY_BUF_INIT(1 << 16);
    if (f->text)
        put_text(&text, f);
    scry_nearest n = SCRY_NEAREST_INIT(scry_buf_str(&text));
    offer_values(&n, s, sorted);
    if (n.best[0]) {
        scry_buf_printf(out, "%s%s?", out->data[out->size - 1] == '?' ? " Or " : ": did you mean ", n.best);
        scry_json_put_str(w, n.best);
    }
    scry_buf_dispose(&text);
}

/* ---- the same as JSON ---- */

static void add_filters(scry_json_writer *w, const condition *c, size_t n)
{
    char name[32];
    scry_json_key(w, "filters");
    scry_json_begin(w, '[');
    for (size_t i = 0; i < n; i++) {
        scry_buf value = SCRY_BUF_INIT(1 << 16);
        put_condition_value(&value, &c[i]);
        scry_json_begin(w, '{');
        scry_json_add_str(w, "name", scry_param_name(c[i].p, SCRY_VIA_URL, name));
        if (value.size)
            scry_json_add_str(w, "value", scry_buf_str(&value));
        scry_json_end(w, '}');
        scry_buf_dispose(&value);
    }
    scry_json_end(w, ']');
}

static void add_values(scry_json_writer *w, const survey *s, const counted *sorted)
{
    size_t n = s->values.count;
    scry_json_key(w, "values");
    scry_json_begin(w, '[');
    for (size_t i = 0; i < n && i < SHOWN_VALUES; i++) {
        scry_json_begin(w, '{');
        scry_json_add_str(w, "name", sorted[i].value);
        scry_json_add_int(w, "count", (int64_t)sorted[i].files);
        scry_json_end(w, '}');
    }
    scry_json_end(w, ']');
    scry_json_add_int(w, "more_values", n > SHOWN_VALUES ? (int64_t)(n - SHOWN_VALUES) : 0);
}

static void add_day(scry_json_writer *w, const char *key, int64_t s)
{
    char day[16] = "";
    time_t t = (time_t)s;
    struct tm tm;
    if (gmtime_r(&t, &tm) && strftime(day, sizeof day, "%Y-%m-%d", &tm))
        scry_json_add_str(w, key, day);
}

static void add_range(scry_json_writer *w, const survey *s)
{
    bool number = s->kind == SCRY_FILTER_MIN_RATING || s->kind == SCRY_FILTER_MIN_WIDTH;
    if (s->kind == SCRY_FILTER_NEAR || s->kind == SCRY_FILTER_BOX)
        scry_json_add_bool(w, "placed", s->with > 0);
    else if (number && s->with)
        scry_json_add_int(w, "most", s->most);
    if ((s->kind == SCRY_FILTER_AFTER || s->kind == SCRY_FILTER_BEFORE) && s->with) {
        add_day(w, "first", s->least);
        add_day(w, "last", s->most);
    }
}

static const scry_filter_node *first_leaf(const scry_filter_node *f)
{
    while (f->kind == SCRY_FILTER_OR || f->kind == SCRY_FILTER_AND)
        f = f->left;
    return f;
}

static int put_instead(scry_buf *out, scry_json_writer *w, scry_store *store, const condition *c, scry_error *err)
{
    const scry_filter_node *first = first_leaf(c->f);
    if (first->kind == SCRY_FILTER_WORDS && !asks_place(first))
        return scry_near_words(out, w, store, first, err);
    survey s = { .kind = first->kind, .place = asks_place(first), .values = SCRY_TABLE_OF_TEXTS(sizeof(counted), MAX_VALUES) };
    int r = scry_store_each_file(store, NULL, NULL, look_at, &s, err);
    if (r >= 0 && first->text) {
        counted *sorted = sorted_values(&s);
        scry_json_key(w, "meant");
        scry_json_begin(w, '[');
        put_nearest(out, w, &s, sorted, c->f);
        scry_json_end(w, ']');
        put_values(out, &s, sorted);
        add_values(w, &s, sorted);
        free(sorted);
    } else if (r >= 0) {
        put_range(out, &s);
        add_range(w, &s);
    }
    scry_table_dispose(&s.values);
    return r < 0 ? r : 0;
}

/* ---- which of them ---- */

static int stop_at_first(void *arg, const scry_file *f)
{
    *(bool *)arg = true;
    return 1;
}

static int passes_any(bool *out, scry_store *store, const scry_filter_node *f, scry_error *err)
{
    *out = false;
    int r = scry_store_each_file(store, f, NULL, stop_at_first, out, err);
    return r < 0 ? r : 0;
}

/* Each alone lets pictures pass: the first that leaves none together with those before it. */
static int find_together(scry_buf *out, scry_json_writer *w, scry_store *store, const scry_search_request *r, const conditions *c,
                         scry_error *err)
{
    scry_filter_pool *pool = scry_filter_pool_new();
    const scry_filter_node *all = c->at[0].f;
    bool any = true;
    int result = 0;
    size_t i = 1;
    for (; result == 0 && any && i < c->n; i++) {
        all = scry_filter_and(pool, all, c->at[i].f);
        result = passes_any(&any, store, all, err);
    }
    scry_filter_pool_free(pool);
    if (result < 0 || any)
        return result;
    add_filters(w, c->at, i);
    scry_buf_puts(out, "no picture passes ");
    for (size_t k = 0; k < i; k++) {
        scry_buf_puts(out, k == 0 ? "" : k + 1 == i ? " and " : ", ");
        put_condition(out, &c->at[k], r->via);
    }
    scry_buf_puts(out, i == 2 ? " together; each of them alone lets some pass" : " together; without the last some pass");
    return 0;
}

/* Of a search by words, whose query no picture has all words of. */
static int explain_query(scry_buf *out, scry_json_writer *w, scry_store *store, const scry_search_request *r, scry_error *err)
{
    bool any;
    int result = passes_any(&any, store, r->words, err);
    if (result < 0 || any)
        return result;
    add_filters(w, NULL, 0);
    scry_buf_puts(out, "no picture has the words of the query");
    return scry_near_words(out, w, store, r->words, err);
}

static int say_why(scry_buf *out, scry_json_writer *w, scry_store *store, const scry_search_request *r, scry_error *err)
{
    conditions c = { .n = 0 };
    bool any = false, by_words = r->by == SCRY_BY_WORDS && r->words;
    for (const scry_param *p = scry_params; p->name; p++)
        if (r->filters[p - scry_params])
            add_conditions(&c, p, r->filters[p - scry_params]);
    int result = c.n || by_words ? passes_any(&any, store, NULL, err) : 0;
    if (result < 0 || !any)
        return result;   /* an empty collection is not due to filters */
    for (size_t i = 0; i < c.n; i++) {
        result = passes_any(&any, store, c.at[i].f, err);
        if (result < 0)
            return result;
        if (!any) {
            scry_buf_puts(out, "no picture passes ");
            put_condition(out, &c.at[i], r->via);
            add_filters(w, &c.at[i], 1);
            return put_instead(out, w, store, &c.at[i], err);
        }
    }
    result = c.n ? find_together(out, w, store, r, &c, err) : 0;
    return result < 0 || out->size || !by_words ? result : explain_query(out, w, store, r, err);
}

int scry_why_nothing(scry_buf *out, scry_buf *parts, scry_store *store, const scry_search_request *r, scry_error *err)
{
    scry_buf object = SCRY_BUF_INIT(1 << 20);
    scry_json_writer w = SCRY_JSON_WRITER_INIT(&object);
    scry_json_begin(&w, '{');
    int result = say_why(out, &w, store, r, err);
    scry_json_end(&w, '}');
    if (parts && result == 0 && out->size)
        scry_buf_puts(parts, scry_buf_str(&object));
    scry_buf_dispose(&object);
    return result;
}
