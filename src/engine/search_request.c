#include "engine/search_request.h"

#include "base/alloc.h"
#include "base/nearest.h"
#include "base/sha256.h"
#include "engine/date_words.h"
#include "engine/path_forms.h"
#include "engine/query_words.h"
#include "engine/request_value.h"
#include "engine/walk.h"
#include "image/image.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_SHOWN_BYTES = 1 << 20 };

void scry_request_init(scry_search_request *r, scry_request_via via)
{
    *r = (scry_search_request){ .via = via, .query = scry_query_new(), .search = SCRY_SEARCH_INIT, .pool = scry_filter_pool_new(),
                                .shown = SCRY_BUF_INIT(MAX_SHOWN_BYTES) };
    r->search.limit = scry_default_limit(via);
}

void scry_request_dispose(scry_search_request *r)
{
    scry_query_free(r->query);
    scry_filter_pool_free(r->pool);
    scry_buf_dispose(&r->shown);
    free(r->picture.path);
    r->query = NULL;
    r->pool = NULL;
    r->picture.path = NULL;
}

/* One value on its way to where it belongs. */
typedef struct setting {
    scry_search_request *r;
    const scry_param *p;
    char name[48];           /* in messages: "--min-score", "parts[0].weight" */
    scry_value v;
    scry_error *err;
} setting;

/* ---- what is refused ---- */

static int refuse(const setting *s, const char *wanted)
{
    char given[SCRY_GIVEN_BYTES];
    scry_nearest n = SCRY_NEAREST_INIT(s->v.text ? s->v.text : scry_json_str(s->v.json, ""));
    if (s->p->choices)
        scry_nearest_offer_words(&n, s->p->choices);
    if (n.best[0])
        return scry_fail(s->err, SCRY_EINVALID, "%s takes %s, not %s: did you mean %s?", s->name, wanted, scry_value_given(s->v, given), n.best);
    return scry_fail(s->err, SCRY_EINVALID, "%s takes %s, not %s", s->name, wanted, scry_value_given(s->v, given));
}

static int refuse_value(const setting *s)
{
    char buffer[160];
    return refuse(s, scry_param_expected(s->p, s->r->via, buffer));
}

/* `filters`: among the members of a JSON body's "filter". */
static int refuse_unknown(const scry_search_request *r, const char *name, bool filters, scry_error *err)
{
    const scry_param *p = scry_param_find(name, r->via);
    if (p && p->filter != SCRY_FILTER_ALL)
        return scry_fail(err, SCRY_EINVALID, "unknown parameter \"%.40s\": it is a filter, a member of \"filter\"", name);
    scry_buf known = SCRY_BUF_INIT(1024);
    char buffer[32];
    scry_nearest n = SCRY_NEAREST_INIT(name);
    for (p = scry_params; p->name; p++)
        if (p->via & 1u << r->via && (r->via != SCRY_VIA_JSON || filters == (p->filter != SCRY_FILTER_ALL))) {
            scry_buf_printf(&known, "%s%s", known.size ? ", " : "", scry_param_name(p, r->via, buffer));
            scry_nearest_offer(&n, scry_param_name(p, r->via, buffer));
        }
    int result = scry_fail(err, SCRY_EINVALID, "unknown %s \"%.40s\": %s%s%sexpected one of %s", filters ? "filter" : "parameter", name,
                           n.best[0] ? "did you mean " : "", n.best, n.best[0] ? "? " : "", scry_buf_str(&known));
    scry_buf_dispose(&known);
    return result;
}

/* ---- the query ---- */

static void show_part(scry_search_request *r, double weight, const char *prefix, const char *text)
{
    scry_buf_puts(&r->shown, r->shown.size ? weight < 0 ? " - " : " + " : weight < 0 ? "- " : "");
    if (fabs(weight) != 1)
        scry_buf_printf(&r->shown, "%g:", fabs(weight));
    scry_buf_printf(&r->shown, "%s%s", prefix, text);
}

static void show_region(scry_search_request *r, const int region[4])
{
    if (region[2])
        scry_buf_printf(&r->shown, "#%d,%d,%d,%d", region[0], region[1], region[2], region[3]);
}

static int set_query(setting *s)
{
    const char *line = scry_value_text(s->v);
    if (!line)
        return refuse_value(s);
    return scry_request_set_line(s->r, line, s->err);
}

int scry_request_set_line(scry_search_request *r, const char *line, scry_error *err)
{
    show_part(r, 1, "", line);
    return scry_query_add_line(r->query, line, err);
}

static const char *const part_members[] = { "text", "id", "picture", "weight", "region" };
enum { PART_TEXT, PART_ID, PART_PICTURE, PART_WEIGHT, PART_REGION, PART_MEMBERS };

/* The members of one part into `found`, by name. */
static int find_members(setting *s, const scry_json *part, const scry_json *found[PART_MEMBERS])
{
    void *it = NULL;
    const char *key;
    const scry_json *value;
    while (scry_json_next(part, &it, &key, &value)) {
        size_t i = 0;
        while (i < PART_MEMBERS && strcmp(part_members[i], key) != 0)
            i++;
        if (i == PART_MEMBERS)
            return scry_fail(s->err, SCRY_EINVALID, "unknown member \"%.40s\" of %s: expected text, id or picture, and weight, region",
                             key, s->name);
        found[i] = value;
    }
    if (!!found[PART_TEXT] + !!found[PART_ID] + !!found[PART_PICTURE] != 1)
        return scry_fail(s->err, SCRY_EINVALID, "%s takes exactly one of text, id and picture", s->name);
    return 0;
}

static setting member(const setting *part, int which, const scry_json *value)
{
    setting m = *part;
    snprintf(m.name, sizeof m.name, "%.30s.%s", part->name, part_members[which]);
    m.v = scry_json_value(value);
    return m;
}

/* A weight or a region that is absent leaves its default. */
static int set_weight_and_region(setting *s, const scry_json *const found[PART_MEMBERS], double *weight, int region[4])
{
    setting w = member(s, PART_WEIGHT, found[PART_WEIGHT]), g = member(s, PART_REGION, found[PART_REGION]);
    if (found[PART_WEIGHT] && (!scry_value_number(w.v, weight) || *weight == 0 || !(fabs(*weight) <= 100)))
        return refuse(&w, "a number from -100 to 100 other than 0");
    if (found[PART_REGION] && found[PART_TEXT])
        return scry_fail(s->err, SCRY_EINVALID, "%s is part of a picture, and this is a text", g.name);
    if (found[PART_REGION] && !scry_value_region(found[PART_REGION], region))
        return refuse(&g, "[x, y, w, h] in whole pixels, with w and h above 0");
    return 0;
}

static bool is_id(const char *text)
{
    return strspn(text, "0123456789abcdefABCDEF") == 2 * SCRY_ID_BYTES && !text[2 * SCRY_ID_BYTES];
}

static int set_part(setting *s, const scry_json *part)
{
    const scry_json *found[PART_MEMBERS] = { NULL };
    int region[4] = { 0 };
    double weight = 1;
    s->v = scry_json_value(part);
    if (scry_json_type_of(part) != SCRY_JSON_OBJECT)
        return refuse(s, "an object with text, id or picture");
    int r = find_members(s, part, found);
    if (r == 0)
        r = set_weight_and_region(s, found, &weight, region);
    if (r < 0)
        return r;
    int which = found[PART_TEXT] ? PART_TEXT : found[PART_ID] ? PART_ID : PART_PICTURE;
    setting v = member(s, which, found[which]);
    const char *text = scry_value_text(v.v);
    if (!text || (which != PART_TEXT && !is_id(text)))
        return refuse(&v, which == PART_TEXT ? "a text" : "32 hexadecimal digits");
    show_part(s->r, weight, which == PART_TEXT ? "" : which == PART_ID ? "@id:" : "@p:", text);
    show_region(s->r, region);
    if (which == PART_TEXT)
        return scry_query_add_text(s->r->query, text, weight, s->err);
    return scry_query_add_id(s->r->query, which == PART_ID ? SCRY_PART_STORED : SCRY_PART_UPLOADED, text, region, weight, s->err);
}

static int set_parts(setting *s)
{
    const scry_json *list = s->v.json;
    if (scry_json_type_of(list) != SCRY_JSON_ARRAY || scry_json_size(list) == 0)
        return refuse_value(s);
    int r = 0;
    for (size_t i = 0; r == 0 && i < scry_json_size(list); i++) {
        snprintf(s->name, sizeof s->name, "parts[%zu]", i);
        r = set_part(s, scry_json_at(list, i));
    }
    return r;
}

/* The picture that --image named, now that its region is known. */
static int add_picture(scry_search_request *r, scry_error *err)
{
    if (!r->picture.path)
        return 0;
    int result = scry_query_add_picture(r->query, r->picture.path, r->picture.region, 1, err);
    show_part(r, 1, "@", r->picture.path);
    show_region(r, r->picture.region);
    free(r->picture.path);
    r->picture.path = NULL;
    memset(r->picture.region, 0, sizeof r->picture.region);
    return result;
}

static int set_picture(setting *s)
{
    const char *text = scry_value_text(s->v);
    if (!text)
        return refuse_value(s);
    if (s->r->via == SCRY_VIA_FORM) {
        show_part(s->r, 1, "@p:", text);
        return scry_query_add_id(s->r->query, SCRY_PART_UPLOADED, text, NULL, 1, s->err);
    }
    int r = add_picture(s->r, s->err);
    s->r->picture.path = scry_strdup(text);
    return r;
}

static int set_region(setting *s)
{
    scry_error why = SCRY_ERROR_INIT;
    if (!s->r->picture.path || s->r->picture.region[2])
        return scry_fail(s->err, SCRY_EINVALID, "%s comes once, after the --image that it is a part of", s->name);
    if (!scry_value_text(s->v))
        return refuse_value(s);
    int r = scry_parse_region(s->v.text, s->r->picture.region, &why);
    return r < 0 ? scry_fail(s->err, r, "%s: %s", s->name, why.message) : 0;
}

int scry_request_set_operands(scry_search_request *r, const char *const *args, size_t n, scry_error *err)
{
    int result = add_picture(r, err);
    if (result < 0 || n == 0)
        return result;
    if (r->shown.size)
        scry_buf_puts(&r->shown, " + ");
    for (size_t i = 0; i < n; i++)
        scry_buf_printf(&r->shown, "%s%s", i ? " " : "", args[i]);
    return scry_query_add_args(r->query, args, n, err);
}

int scry_request_set_stored(scry_search_request *r, const char *hex, scry_error *err)
{
    show_part(r, 1, "@id:", hex);
    return scry_query_add_id(r->query, SCRY_PART_STORED, hex, NULL, 1, err);
}

/* ---- filters ---- */

static int add_filter(const setting *s, const scry_filter_node *f)
{
    const scry_filter_node **at = &s->r->filters[s->p - scry_params];
    if (!*at)
        *at = f;
    else
        *at = s->p->repeat == SCRY_REPEAT_ANY ? scry_filter_or(s->r->pool, *at, f) : scry_filter_and(s->r->pool, *at, f);
    return 0;
}

static int set_text(setting *s)
{
    const char *text = scry_value_text(s->v);
    const scry_filter_node *f = NULL;
    if (text && s->p->filter == SCRY_FILTER_WORDS)
        f = scry_filter_words(s->r->pool, text, s->p->words);
    else if (text)
        f = scry_filter_text(s->r->pool, s->p->filter, text);
    if (text && !f && s->p->words == SCRY_WORDS_PLACE)
        return scry_refuse_place(s->name, s->v, s->err);
    return f ? add_filter(s, f) : refuse_value(s);
}

/* The user's own path, so relative to here and through links; a client of a server gives one that a result had. */
static int set_folder(setting *s)
{
    const char *text = scry_value_text(s->v);
    bool own = scry_via_is_command(s->r->via) || s->r->via == SCRY_VIA_TOOL;
    if (!text)
        return refuse_value(s);
    char *path = own ? scry_stored_path(text) : scry_strdup(text);
    int r = add_filter(s, scry_filter_below(s->r->pool, s->p->filter, path));
    free(path);
    return r;
}

/* The name of a format, or what its files end in: "jpg", ".heif". Not of one camera's RAW, as all of RAW is one format. */
static int set_format(setting *s)
{
    const char *text = scry_value_text(s->v);
    scry_format f = text ? scry_format_from_name(text + (text[0] == '.')) : SCRY_FORMAT_NONE;
    if (f == SCRY_FORMAT_NONE || (f == SCRY_FORMAT_RAW && strcasecmp(text, "raw") != 0))
        return refuse_value(s);
    return add_filter(s, scry_filter_text(s->r->pool, s->p->filter, scry_format_name(f)));
}

static const scry_filter_node *period_filter(scry_filter_pool *pool, const scry_period *t)
{
    const scry_filter_node *from = scry_filter_time(pool, SCRY_FILTER_AFTER, t->from_s);
    const scry_filter_node *until = scry_filter_time(pool, SCRY_FILTER_BEFORE, t->until_s);
    return t->from_s == INT64_MIN ? until : t->until_s == INT64_MAX ? from : scry_filter_and(pool, from, until);
}

/* The period itself, its beginning, or its end. */
static int set_time(setting *s)
{
    char year[24];
    int64_t n;
    scry_period t;
    const char *text = scry_value_text(s->v);
    if (!text && scry_value_whole(s->v, &n)) {
        snprintf(year, sizeof year, "%04lld", (long long)n);
        text = year;
    }
    scry_error why = SCRY_ERROR_INIT;
    int r = text ? scry_date_words(text, scry_local_now(), &t, &why) : SCRY_ENOTFOUND;
    if (r < 0)
        return r == SCRY_EINVALID ? scry_fail(s->err, r, "%s: %s", s->name, why.message) : refuse_value(s);
    if (s->p->kind == SCRY_PARAM_PERIOD)
        return add_filter(s, period_filter(s->r->pool, &t));
    int64_t end = s->p->kind == SCRY_PARAM_END ? t.until_s : t.from_s;
    return end == INT64_MIN || end == INT64_MAX ? refuse_value(s) : add_filter(s, scry_filter_time(s->r->pool, s->p->filter, end));
}

static int set_place(setting *s)
{
    double v[3];
    const char *text = scry_value_text(s->v);
    bool good = text ? scry_parse_near(text, &v[0], &v[1], &v[2], NULL) == 0
                     : scry_value_numbers(s->v, v, 3) && fabs(v[0]) <= 90 && fabs(v[1]) <= 180 && v[2] >= 0;
    return good ? add_filter(s, scry_filter_near(s->r->pool, v[0], v[1], v[2])) : refuse_value(s);
}

static int set_box(setting *s)
{
    double v[4];
    const char *text = scry_value_text(s->v);
    bool good = text ? scry_parse_box(text, &v[0], &v[1], &v[2], &v[3], NULL) == 0 : scry_value_numbers(s->v, v, 4);
    good = good && fabs(v[0]) <= 180 && fabs(v[2]) <= 180 && v[1] >= -90 && v[1] <= v[3] && v[3] <= 90;
    return good ? add_filter(s, scry_filter_box(s->r->pool, v[0], v[1], v[2], v[3])) : refuse_value(s);
}

/* ---- how results are returned ---- */

static void *place_of(const setting *s)
{
    return (char *)s->r + s->p->at;
}

static int set_whole(setting *s)
{
    int64_t n;
    if (!scry_value_whole(s->v, &n) || (double)n < s->p->min || (double)n > scry_param_max(s->p, s->r->via))
        return refuse_value(s);
    if (s->p->filter != SCRY_FILTER_ALL)
        return add_filter(s, scry_filter_number(s->r->pool, s->p->filter, n));
    *(size_t *)place_of(s) = (size_t)n;
    return 0;
}

static int set_cosine(setting *s)
{
    const char *text = scry_value_text(s->v);
    double x;
    if (text && strcmp(text, "auto") == 0) {
        if (place_of(s) == &s->r->search.min_score)
            s->r->auto_min_score = true;
        else
            s->r->search.fold = SCRY_FOLD_AUTO;
        return 0;
    }
    if (!scry_value_number(s->v, &x) || !(x >= s->p->min && x <= s->p->max))
        return refuse_value(s);
    *(double *)place_of(s) = x;
    return 0;
}

/* Of a filter, false asks for the pictures that do not pass. */
static int set_flag(setting *s)
{
    bool on;
    if (!scry_value_flag(s->v, &on))
        return refuse_value(s);
    if (s->p->filter == SCRY_FILTER_ALL) {
        *(bool *)place_of(s) = on;
        return 0;
    }
    const scry_filter_node *f = scry_filter_number(s->r->pool, s->p->filter, on);
    return add_filter(s, on ? f : scry_filter_not(s->r->pool, f));
}

static int set_sort(setting *s)
{
    const char *text = scry_value_text(s->v);
    scry_sort sort = text ? scry_sort_from_name(text) : SCRY_SORT_NONE;
    if (sort == SCRY_SORT_NONE)
        return refuse_value(s);
    *(scry_sort *)place_of(s) = sort;
    return 0;
}

static int set_choice(setting *s)
{
    const char *text = scry_value_text(s->v), *at = s->p->choices;
    size_t n = strcspn(at, " ");
    int number = 0;
    while (text && *at && (strlen(text) != n || memcmp(text, at, n) != 0)) {
        at += n + (at[n] == ' ');
        n = strcspn(at, " ");
        number++;
    }
    if (!text || !*at)
        return refuse_value(s);
    *(int *)place_of(s) = number;
    return 0;
}

static int set_id(setting *s)
{
    const char *text = scry_value_text(s->v);
    if (!text || scry_unhex(text, place_of(s), SCRY_ID_BYTES) < 0)
        return refuse_value(s);
    s->r->has_after = true;
    return 0;
}

static int set_members(scry_search_request *r, const scry_json *object, bool filters, scry_error *err);

static int set_value(setting *s)
{
    switch (s->p->kind) {
    case SCRY_PARAM_QUERY: return set_query(s);
    case SCRY_PARAM_PARTS: return set_parts(s);
    case SCRY_PARAM_PICTURE: return set_picture(s);
    case SCRY_PARAM_REGION: return set_region(s);
    case SCRY_PARAM_FILTERS:
        if (scry_json_type_of(s->v.json) != SCRY_JSON_OBJECT)
            return refuse_value(s);
        return set_members(s->r, s->v.json, true, s->err);
    case SCRY_PARAM_TEXT: return set_text(s);
    case SCRY_PARAM_FOLDER: return set_folder(s);
    case SCRY_PARAM_FORMAT: return set_format(s);
    case SCRY_PARAM_TIME: case SCRY_PARAM_END: case SCRY_PARAM_PERIOD: return set_time(s);
    case SCRY_PARAM_PLACE: return set_place(s);
    case SCRY_PARAM_BOX: return set_box(s);
    case SCRY_PARAM_WHOLE: return set_whole(s);
    case SCRY_PARAM_COSINE: return set_cosine(s);
    case SCRY_PARAM_FLAG: return set_flag(s);
    case SCRY_PARAM_SORT: return set_sort(s);
    case SCRY_PARAM_CHOICE: return set_choice(s);
    case SCRY_PARAM_ID: return set_id(s);
    }
    return 0;
}

/* A single value may be given once, and its place by one parameter ("offset" and "cursor" share one). */
static int refuse_repeated(const setting *s)
{
    for (const scry_param *p = scry_params; p->name; p++)
        if (s->r->given >> (p - scry_params) & 1 && (p == s->p || (p->at && p->at == s->p->at)))
            return scry_fail(s->err, SCRY_EINVALID, p == s->p ? "%s is given twice: it takes one value"
                             : "%s and %s mean the same: give one of them", s->name, p->name);
    return 0;
}

static int set_one(setting *s)
{
    int r = s->p->repeat == SCRY_REPEAT_NONE ? refuse_repeated(s) : 0;
    if (r == 0 && ++s->r->values > SCRY_MAX_REQUEST_VALUES)
        r = scry_fail(s->err, SCRY_EINVALID, "more than %d filters and other parameters", SCRY_MAX_REQUEST_VALUES);
    if (r == 0)
        r = set_value(s);
    s->r->given |= UINT64_C(1) << (s->p - scry_params);
    return r;
}

/* Whether a JSON list is several values of this parameter. A place and a box may themselves be lists, of numbers. */
static bool is_list(const setting *s)
{
    double n;
    if (s->p->repeat == SCRY_REPEAT_NONE || s->v.text || scry_json_size(s->v.json) == 0)
        return false;
    if (scry_json_type_of(s->v.json) != SCRY_JSON_ARRAY)
        return false;
    bool numbers = s->p->kind == SCRY_PARAM_PLACE || s->p->kind == SCRY_PARAM_BOX;
    return !numbers || !scry_value_number(scry_json_value(scry_json_at(s->v.json, 0)), &n);
}

static int set_known(scry_search_request *r, const scry_param *p, scry_value value, scry_error *err)
{
    char buffer[32];
    setting s = { .r = r, .p = p, .v = value, .err = err };
    snprintf(s.name, sizeof s.name, "%s%s", scry_via_is_command(r->via) ? "--" : "", scry_param_name(p, r->via, buffer));
    if (!is_list(&s))
        return set_one(&s);
    int result = 0;
    for (size_t i = 0; result == 0 && i < scry_json_size(value.json); i++) {
        s.v = scry_json_value(scry_json_at(value.json, i));
        result = set_one(&s);
    }
    return result;
}

int scry_request_set(scry_search_request *r, const char *name, scry_value value, scry_error *err)
{
    const scry_param *p = scry_param_find(name, r->via);
    return p ? set_known(r, p, value, err) : refuse_unknown(r, name, false, err);
}

static int set_members(scry_search_request *r, const scry_json *object, bool filters, scry_error *err)
{
    void *it = NULL;
    const char *key;
    const scry_json *value;
    int result = 0;
    while (result == 0 && scry_json_next(object, &it, &key, &value)) {
        const scry_param *p = scry_param_find(key, r->via);
        bool here = p && (r->via != SCRY_VIA_JSON || filters == (p->filter != SCRY_FILTER_ALL));
        result = here ? set_known(r, p, scry_json_value(value), err) : refuse_unknown(r, key, filters, err);
    }
    return result;
}

int scry_request_set_members(scry_search_request *r, const scry_json *object, scry_error *err)
{
    if (scry_json_type_of(object) != SCRY_JSON_OBJECT)
        return scry_fail(err, SCRY_EINVALID, "a search takes a JSON object of parameters");
    return set_members(r, object, false, err);
}

static bool given(const scry_search_request *r, scry_param_kind kind)
{
    for (const scry_param *p = scry_params; p->name; p++)
        if (p->kind == kind && r->given >> (p - scry_params) & 1)
            return true;
    return false;
}

static int refuse_nothing(const scry_search_request *r, scry_error *err)
{
    bool filtered = false;
    for (size_t i = 0; i < SCRY_MAX_PARAMS; i++)
        filtered |= r->filters[i] != NULL;
    if (r->via == SCRY_VIA_COMMAND)
        return scry_fail(err, SCRY_EINVALID, "the query is empty: say what to look for%s",
                         filtered ? ", or take `scry list` with these filters" : "");
    return scry_fail(err, SCRY_EINVALID, "the parameter %s is missing: say what to look for", r->via == SCRY_VIA_TOOL ? "query" : "q");
}

int scry_request_finish(scry_search_request *r, scry_error *err)
{
    const scry_query_part *parts;
    int result = add_picture(r, err);
    if (result < 0)
        return result;
    if (r->shown.failed)
        return scry_fail(err, SCRY_ELIMIT, "the query is longer than %d bytes", MAX_SHOWN_BYTES);
    if (given(r, SCRY_PARAM_QUERY) && given(r, SCRY_PARAM_PARTS))
        return scry_fail(err, SCRY_EINVALID, "the query is given as q or as parts, not both");
    bool filters_only = r->via == SCRY_VIA_LIST_URL || r->via == SCRY_VIA_FILTER_COMMAND || r->via == SCRY_VIA_LIST_COMMAND;
    if (!filters_only && !r->may_be_empty && scry_query_parts(r->query, &parts) == 0)
        return refuse_nothing(r, err);
    for (size_t i = 0; i < SCRY_MAX_PARAMS; i++)
        r->search.filter = scry_filter_and(r->pool, r->search.filter, r->filters[i]);
    return filters_only ? 0 : scry_query_find_words(&r->words, r->pool, r->query, (scry_search_kind)r->by, err);
}
