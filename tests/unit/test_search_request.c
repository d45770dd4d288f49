/* The search request: what each parameter takes and refuses, and that the documents and the page know each one. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/alloc.h"
#include "engine/file_json.h"
#include "engine/place_list.h"
#include "engine/search_request.h"
#include "store/places.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- values ---- */

static int set_json(scry_search_request *r, scry_request_via via, const char *text, scry_error *err)
{
    scry_json *root;
    assert_int_equal(scry_json_parse(&root, text, strlen(text), "the test", err), 0);
    scry_request_init(r, via);
    int result = scry_request_set_members(r, root, err);
    if (result == 0)
        result = scry_request_finish(r, err);
    scry_json_free(root);
    return result;
}

static void refused_via(scry_request_via via, const char *text, const char *says)
{
    scry_search_request r;
    scry_error err = SCRY_ERROR_INIT;
    if (set_json(&r, via, text, &err) != SCRY_EINVALID)
        fail_msg("%s is taken", text);
    if (!strstr(err.message, says))
        fail_msg("%s: \"%s\" does not say \"%s\"", text, err.message, says);
    scry_request_dispose(&r);
}

static void taken(const char *text, const char *shown, const char *parts)
{
    scry_search_request r;
    scry_error err = SCRY_ERROR_INIT;
    if (set_json(&r, SCRY_VIA_JSON, text, &err) < 0)
        fail_msg("%s: %s", text, err.message);
    assert_string_equal(scry_buf_str(&r.shown), shown);
    scry_buf b = SCRY_BUF_INIT(4096);
    scry_json_writer w = SCRY_JSON_WRITER_INIT(&b);
    scry_json_put_parts(&w, r.query);
    assert_string_equal(scry_buf_str(&b), parts);
    scry_buf_dispose(&b);
    scry_request_dispose(&r);
}

#define ID "00112233445566778899aabbccddeeff"

static void parts_are_not_parsed(void **state)
{
    refused_via(SCRY_VIA_JSON, "{\"parts\":[{\"id\":\"" ID " + 50:sunset\"}]}", "parts[0].id takes 32 hexadecimal digits");
    refused_via(SCRY_VIA_JSON, "{\"parts\":[{\"id\":\"" ID "\",\"region\":[300.4,200.2,100,100]}]}", "parts[0].region takes [x, y, w, h]");
    refused_via(SCRY_VIA_JSON, "{\"parts\":[{\"id\":\"" ID "\",\"region\":[1,2,3]}]}", "not a list of 3");
    refused_via(SCRY_VIA_JSON, "{\"parts\":[{\"id\":\"" ID "\",\"region\":[1,2,0,3]}]}", "above 0");
    refused_via(SCRY_VIA_JSON, "{\"parts\":[{\"text\":\"a\",\"region\":[1,2,3,4]}]}", "this is a text");
    refused_via(SCRY_VIA_JSON, "{\"parts\":[{\"text\":\"a\",\"wieght\":2}]}", "unknown member \"wieght\" of parts[0]");
    refused_via(SCRY_VIA_JSON, "{\"parts\":[{\"text\":\"a\",\"id\":\"" ID "\"}]}", "exactly one");
    refused_via(SCRY_VIA_JSON, "{\"parts\":[{\"weight\":1}]}", "exactly one");
    refused_via(SCRY_VIA_JSON, "{\"parts\":[{\"text\":\"a\",\"weight\":\"x\"}]}", "parts[0].weight takes a number from -100 to 100");
    refused_via(SCRY_VIA_JSON, "{\"parts\":[{\"text\":\"a\",\"weight\":0}]}", "not the number 0");
    refused_via(SCRY_VIA_JSON, "{\"parts\":[{\"text\":\"a\",\"weight\":null}]}", "not null");
    refused_via(SCRY_VIA_JSON, "{\"parts\":[{\"text\":\"a\"},{\"text\":5}]}", "parts[1].text takes a text, not the number 5");
    refused_via(SCRY_VIA_JSON, "{\"parts\":[\"a\"]}", "parts[0]");
    refused_via(SCRY_VIA_JSON, "{\"parts\":{\"text\":\"a\"}}", "parts takes a list");
    refused_via(SCRY_VIA_JSON, "{\"parts\":[]}", "parts takes a list");
    refused_via(SCRY_VIA_JSON, "{\"q\":\"a\",\"parts\":[{\"text\":\"a\"}]}", "not both");
    taken("{\"parts\":[{\"text\":\"sunset\",\"weight\":\"-1\"}]}", "- sunset", "[{\"text\":\"sunset\",\"weight\":-1}]");
    taken("{\"parts\":[{\"text\":\"0.5:a + b\"},{\"text\":\"@x\",\"weight\":-0.5}]}", "0.5:a + b - 0.5:@x",
          "[{\"text\":\"0.5:a + b\",\"weight\":1},{\"text\":\"@x\",\"weight\":-0.5}]");
    taken("{\"parts\":[{\"picture\":\"" ID "\",\"region\":[1,\"2\",3,4]}]}", "@p:" ID "#1,2,3,4",
          "[{\"picture\":\"" ID "\",\"weight\":1,\"region\":[1,2,3,4]}]");
    taken("{\"q\":\"a - 2:b\"}", "a - 2:b", "[{\"text\":\"a\",\"weight\":1},{\"text\":\"b\",\"weight\":-2}]");
}

static void nothing_is_ignored(void **state)
{
    refused_via(SCRY_VIA_JSON, "{\"q\":\"a\",\"before\":1990}", "\"before\": it is a filter, a member of \"filter\"");
    refused_via(SCRY_VIA_JSON, "{\"q\":\"a\",\"filter\":\"png\"}", "filter takes an object of filters, not \"png\"");
    refused_via(SCRY_VIA_JSON, "{\"q\":\"a\",\"filter\":{\"formt\":\"png\"}}", "unknown filter \"formt\": did you mean format? expected one of in, date, after");
    refused_via(SCRY_VIA_JSON, "{\"q\":\"a\",\"filter\":{\"limit\":5}}", "unknown filter \"limit\"");
    refused_via(SCRY_VIA_JSON, "{\"q\":\"a\",\"lmit\":5}", "unknown parameter \"lmit\": did you mean limit? expected one of q, parts");
    taken("{\"parts\":[{\"id\":\"" ID "\",\"region\":[1.0,2,3e0,4.0]}],\"limit\":5.0}", "@id:" ID "#1,2,3,4",
          "[{\"id\":\"" ID "\",\"weight\":1,\"region\":[1,2,3,4]}]");
    refused_via(SCRY_VIA_JSON, "{\"q\":\"a\",\"limit\":5.5}", "limit takes a whole number from 1 to 1000, not the number 5.5");
    refused_via(SCRY_VIA_JSON, "{\"q\":\"a\",\"offset\":1e300}", "offset takes a whole number");
    refused_via(SCRY_VIA_JSON, "{\"q\":\"a\",\"limit\":[5]}", "limit takes a whole number from 1 to 1000, not a list of 1");
    refused_via(SCRY_VIA_JSON, "{\"q\":\"a\",\"offset\":5,\"cursor\":\"5\"}", "mean the same");
    refused_via(SCRY_VIA_JSON, "{\"limit\":5}", "q is missing");
    refused_via(SCRY_VIA_TOOL, "{\"query\":\"a\",\"formt\":\"png\"}", "unknown parameter \"formt\": did you mean format? expected one of query");
    refused_via(SCRY_VIA_TOOL, "{\"query\":\"a\",\"limit\":101}", "limit takes a whole number from 1 to 100, not the number 101");
    refused_via(SCRY_VIA_TOOL, "{\"limit\":5}", "query is missing");
}

/* The nodes of one filter, joined by `with`, in order of their values. */
static size_t count_nodes(const scry_filter_node *f, scry_filter_kind kind)
{
    return !f ? 0 : (f->kind == kind) + count_nodes(f->left, kind) + count_nodes(f->right, kind);
}

/* A flag asks for the pictures that pass, or for the others. */
static void check_flag(const scry_param *p)
{
    for (int on = 0; on < 2; on++) {
        scry_search_request r;
        scry_error err = SCRY_ERROR_INIT;
        scry_request_init(&r, SCRY_VIA_LIST_URL);
        assert_int_equal(scry_request_set(&r, p->name, scry_text(on ? "true" : "0"), &err), 0);
        assert_int_equal(scry_request_set(&r, p->name, scry_text("1"), &err), SCRY_EINVALID);
        assert_int_equal(scry_request_finish(&r, &err), 0);
        const scry_filter_node *f = r.search.filter;
        assert_int_equal(f->kind, on ? p->filter : SCRY_FILTER_NOT);
        assert_int_equal(count_nodes(f, p->filter), 1);
        scry_request_dispose(&r);
    }
}

static void repeated_filters(void **state)
{
    for (const scry_param *p = scry_params; p->name; p++) {
        if (p->filter == SCRY_FILTER_ALL)
            continue;
        if (p->kind == SCRY_PARAM_FLAG) {
            check_flag(p);
            continue;
        }
        static const char *const values[][2] = { [SCRY_PARAM_TIME] = { "2001", "2002" }, [SCRY_PARAM_END] = { "2001", "2002" },
                                                 [SCRY_PARAM_PERIOD] = { "2001", "2002" }, [SCRY_PARAM_PLACE] = { "1,2,3", "4,5,6" },
                                                 [SCRY_PARAM_BOX] = { "1,2,3,4", "170,-10,-170,10" },
                                                 [SCRY_PARAM_FORMAT] = { "png", "jpg" }, [SCRY_PARAM_FOLDER] = { "/a", "/b" },
                                                 [SCRY_PARAM_TEXT] = { "a", "b" },
                                                 [SCRY_PARAM_WHOLE] = { "4", "5" } };
        scry_search_request r;
        scry_error err = SCRY_ERROR_INIT;
        scry_request_init(&r, SCRY_VIA_LIST_URL);
        static const char *const places[] = { "Paris", "Bavaria" };
        bool place = p->kind == SCRY_PARAM_TEXT && p->words == SCRY_WORDS_PLACE;
        for (size_t i = 0; i < 2; i++)
            assert_int_equal(scry_request_set(&r, p->name, scry_text(place ? places[i] : values[p->kind][i]), &err), 0);
        assert_int_equal(scry_request_finish(&r, &err), 0);
        assert_int_equal(count_nodes(r.search.filter, p->filter), 2);
        assert_int_equal(r.search.filter->kind, p->repeat == SCRY_REPEAT_ANY ? SCRY_FILTER_OR : SCRY_FILTER_AND);
        scry_request_dispose(&r);
    }
    scry_search_request r;
    scry_error err = SCRY_ERROR_INIT;
    assert_int_equal(set_json(&r, SCRY_VIA_TOOL, "{\"query\":\"a\",\"before\":1990,\"format\":[\"png\"],\"limit\":\"3\"}", &err), 0);
    assert_int_equal(r.search.limit, 3);
    assert_int_equal(count_nodes(r.search.filter, SCRY_FILTER_BEFORE), 1);
    assert_int_equal(count_nodes(r.search.filter, SCRY_FILTER_FORMAT), 1);
    scry_request_dispose(&r);
}

static void many_values_are_refused(void **state)
{
    scry_search_request r;
    scry_error err = SCRY_ERROR_INIT;
    scry_request_init(&r, SCRY_VIA_LIST_URL);
    for (int i = 0; i < SCRY_MAX_REQUEST_VALUES; i++)
        assert_int_equal(scry_request_set(&r, "label", scry_text("a"), &err), 0);
    assert_int_equal(scry_request_set(&r, "label", scry_text("a"), &err), SCRY_EINVALID);
    scry_request_dispose(&r);
}

static void the_region_follows_its_picture(void **state)
{
    static const char *const words[] = { "at", "night" };
    scry_search_request r;
    scry_error err = SCRY_ERROR_INIT;
    scry_request_init(&r, SCRY_VIA_COMMAND);
    assert_int_equal(scry_request_set(&r, "region", scry_text("1,2,3,4"), &err), SCRY_EINVALID);
    assert_non_null(strstr(err.message, "--region comes once, after the --image"));
    assert_int_equal(scry_request_set(&r, "image", scry_text("a.jpg"), &err), 0);
    assert_int_equal(scry_request_set(&r, "image", scry_text("b.jpg"), &err), 0);
    assert_int_equal(scry_request_set(&r, "region", scry_text("1,2,3"), &err), SCRY_EINVALID);
    assert_int_equal(scry_request_set(&r, "region", scry_text("1,2,3,4"), &err), 0);
    assert_int_equal(scry_request_set_operands(&r, words, 2, &err), 0);
    assert_int_equal(scry_request_finish(&r, &err), 0);
    assert_string_equal(scry_buf_str(&r.shown), "@a.jpg + @b.jpg#1,2,3,4 + at night");
    const scry_query_part *parts;
    assert_int_equal(scry_query_parts(r.query, &parts), 3);
    assert_int_equal(parts[0].region[2], 0);
    assert_int_equal(parts[1].region[3], 4);
    scry_request_dispose(&r);
}

/* ---- the table and what describes it ---- */

static char *top_file(const char *name)
{
    const char *top = getenv("SCRY_TOP");
    return scry_asprintf("%s/%s", top ? top : ".", name);
}

static size_t table_size(scry_request_via via)
{
    size_t n = 0;
    for (const scry_param *p = scry_params; p->name; p++)
        n += p->via >> via & 1;
    return n;
}

static void check_range(const scry_param *p, scry_request_via via, const scry_json *schema)
{
    const scry_json *any = scry_json_get(schema, "anyOf");
    const scry_json *items = scry_json_get(schema, "items");
    if (any || items)
        schema = any ? scry_json_at(any, 0) : items;
    if ((p->kind != SCRY_PARAM_WHOLE || strcmp(p->name, "cursor") == 0) && p->kind != SCRY_PARAM_COSINE)
        return;
    if (scry_json_num(scry_json_get(schema, "minimum"), -1e300) != p->min ||
        scry_json_num(scry_json_get(schema, "maximum"), -1e300) != scry_param_max(p, via))
        fail_msg("the range of %s is another in web/openapi.json", p->name);
}

static void check_operation(const scry_json *paths, const char *path, const char *method, scry_request_via via)
{
    const scry_json *list = scry_json_get(scry_json_get(scry_json_get(paths, path), method), "parameters");
    size_t found = 0;
    for (size_t i = 0; i < scry_json_size(list); i++) {
        const scry_json *item = scry_json_at(list, i), *schema = scry_json_get(item, "schema");
        const char *name = scry_json_str(scry_json_get(item, "name"), "");
        if (strcmp(scry_json_str(scry_json_get(item, "in"), ""), "query") != 0)
            continue;
        const scry_param *p = scry_param_find(name, via);
        if (!p)
            fail_msg("%s %s documents %s, which the server refuses", method, path, name);
        bool array = strcmp(scry_json_str(scry_json_get(schema, "type"), ""), "array") == 0;
        if (array != (p->repeat != SCRY_REPEAT_NONE))
            fail_msg("%s %s: %s is an array if and only if it may be repeated", method, path, name);
        check_range(p, via, schema);
        found++;
    }
    if (found != table_size(via))
        fail_msg("%s %s documents %zu parameters of %zu", method, path, found, table_size(via));
}

static void check_members(const scry_json *properties, scry_request_via via, int filters)
{
    for (const scry_param *p = scry_params; p->name; p++) {
        if (!(p->via & 1u << via) || (filters >= 0 && filters != (p->filter != SCRY_FILTER_ALL)))
            continue;
        if (!scry_json_get(properties, p->name))
            fail_msg("the body of a search lacks %s in web/openapi.json", p->name);
        check_range(p, via, scry_json_get(properties, p->name));
    }
    void *it = NULL;
    const char *key;
    const scry_json *value;
    while (scry_json_next(properties, &it, &key, &value))
        if (!scry_param_find(key, via))
            fail_msg("web/openapi.json documents %s in a body, which the server refuses", key);
}

static void openapi_has_every_parameter(void **state)
{
    scry_json *root;
    scry_error err = SCRY_ERROR_INIT;
    char *path = top_file("web/openapi.json");
    if (scry_json_read(&root, path, 4 << 20, &err) < 0)
        fail_msg("%s", err.message);
    free(path);
    const scry_json *paths = scry_json_get(root, "paths");
    check_operation(paths, "/api/v1/search", "get", SCRY_VIA_URL);
    check_operation(paths, "/api/v1/images", "get", SCRY_VIA_LIST_URL);
    check_operation(paths, "/api/v1/images/{id}/similar", "get", SCRY_VIA_OPTIONS_URL);
    check_operation(paths, "/search", "post", SCRY_VIA_OPTIONS_URL);
    const scry_json *body = scry_json_get(scry_json_get(scry_json_get(paths, "/api/v1/search"), "post"), "requestBody");
    const scry_json *content = scry_json_get(body, "content");
    const scry_json *json = scry_json_get(scry_json_get(scry_json_get(content, "application/json"), "schema"), "properties");
    check_members(json, SCRY_VIA_JSON, false);
    check_members(scry_json_get(scry_json_get(json, "filter"), "properties"), SCRY_VIA_JSON, true);
    const scry_json *form = scry_json_get(content, "multipart/form-data");
    check_members(scry_json_get(scry_json_get(form, "schema"), "properties"), SCRY_VIA_FORM, -1);
    scry_json_free(root);
}

static void check_languages(const scry_json *paths, const char *path)
{
    const scry_json *list = scry_json_get(scry_json_get(scry_json_get(paths, path), "get"), "parameters"), *values = NULL;
    for (size_t i = 0; i < scry_json_size(list); i++)
        if (strcmp(scry_json_str(scry_json_get(scry_json_at(list, i), "name"), ""), "language") == 0)
            values = scry_json_get(scry_json_get(scry_json_at(list, i), "schema"), "enum");
    assert_true(scry_json_size(values) > 0);
    for (size_t i = 0, n = scry_json_size(values); i <= n; i++) {
        const char *known = scry_place_language(i), *documented = i < n ? scry_json_str(scry_json_at(values, i), "") : NULL;
        if (!known != !documented || (known && strcmp(known, documented) != 0))
            fail_msg("%s: web/openapi.json has %s where places.bin has %s", path, documented ? documented : "none", known ? known : "none");
    }
}

/* places.bin says which languages there are; all others say the same. */
static void languages_of_places(void **state)
{
    scry_json *root;
    scry_error err = SCRY_ERROR_INIT;
    char *path = top_file("web/openapi.json"), buffer[80];
    if (scry_json_read(&root, path, 4 << 20, &err) < 0)
        fail_msg("%s", err.message);
    free(path);
    check_languages(scry_json_get(root, "paths"), "/api/v1/places");
    check_languages(scry_json_get(root, "paths"), "/api/v1/images/{id}");
    scry_json_free(root);
    assert_string_equal(scry_place_list_languages(buffer), "en, ru, de, es, fr, zh, it, pt and ja");
}

static void the_page_has_every_filter(void **state)
{
    char *path = top_file("web/filters.js"), text[32768];
    FILE *f = fopen(path, "r");
    assert_non_null(f);
    text[fread(text, 1, sizeof text - 1, f)] = '\0';
    fclose(f);
    free(path);
    for (const scry_param *p = scry_params; p->name; p++) {
        char quoted[40];
        snprintf(quoted, sizeof quoted, "'%s'", p->name);
        if (p->filter != SCRY_FILTER_ALL && !strstr(text, quoted))
            fail_msg("web/filters.js lacks %s", p->name);
    }
}

/* Every row can be reached, under the name that the interface shows. */
static void names_are_unique(void **state)
{
    char a[32], b[32];
    for (scry_request_via via = 0; via < SCRY_VIA_COUNT; via++)
        for (const scry_param *p = scry_params; p->name; p++) {
            if (!(p->via & 1u << via))
                continue;
            assert_ptr_equal(scry_param_find(scry_param_name(p, via, a), via), p);
            for (const scry_param *q = scry_params; q < p; q++)
                assert_false(q->via & 1u << via && strcmp(scry_param_name(q, via, b), scry_param_name(p, via, a)) == 0);
            assert_non_null(p->help);
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(parts_are_not_parsed),
        cmocka_unit_test(nothing_is_ignored),
        cmocka_unit_test(repeated_filters),
        cmocka_unit_test(many_values_are_refused),
        cmocka_unit_test(the_region_follows_its_picture),
        cmocka_unit_test(openapi_has_every_parameter),
        cmocka_unit_test(languages_of_places),
        cmocka_unit_test(the_page_has_every_filter),
        cmocka_unit_test(names_are_unique),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
