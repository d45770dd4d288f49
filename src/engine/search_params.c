/* search_params.c - the table of search parameters, and what is made from it.
 *
 * A new parameter is a row here. A new filter is a row, a kind in include/scry/filter.h, its compilers in
 * src/store, its name in web/openapi.json, and tests: the compiler and tests/unit/test_search_request.c name what is missing.
 */
#include "engine/search_request.h"

#include <stddef.h>
#include <stdio.h>
#include <string.h>

#define BIT(via) (1u << SCRY_VIA_##via)
#define BODIES (BIT(FORM) | BIT(JSON))
#define SEARCHES (BIT(COMMAND) | BIT(URL) | BIT(OPTIONS_URL) | BODIES | BIT(TOOL))
#define LISTS (BIT(LIST_COMMAND) | BIT(LIST_URL))
#define FILTERS (SEARCHES | BIT(FILTER_COMMAND) | LISTS)
#define HTTP_SEARCHES (BIT(URL) | BODIES)
#define AT(member) offsetof(scry_search_request, member)

const scry_param scry_params[] = {
    { .name = "q", .tool_name = "query", .via = HTTP_SEARCHES | BIT(TOOL), .kind = SCRY_PARAM_QUERY,
      .help = "what to look for: texts and pictures joined by + and -, as in \"beach - people + 0.5:sunset\"; @id:ID is a "
              "picture found before" },
    { .name = "parts", .via = BIT(JSON), .kind = SCRY_PARAM_PARTS,
      .help = "the query as a list of parts, instead of q: each a text, an id or an uploaded picture, with a weight" },
    { .name = "image", .via = BIT(COMMAND) | BIT(FORM), .kind = SCRY_PARAM_PICTURE, .repeat = SCRY_REPEAT_ALL, .argument = "FILE",
      .help = "search by this picture; it is added to the query" },
    { .name = "region", .via = BIT(COMMAND), .kind = SCRY_PARAM_REGION, .repeat = SCRY_REPEAT_ALL, .argument = "X,Y,W,H", .unit = "pixels",
      .help = "only this part of the last --image, in pixels" },
    { .name = "no_rotate", .via = BIT(COMMAND), .kind = SCRY_PARAM_FLAG, .at = AT(keep_orientation),
      .help = "ignore the EXIF orientation of pictures in the query" },
    { .name = "filter", .via = BIT(JSON), .kind = SCRY_PARAM_FILTERS, .help = "which pictures are searched" },

    { .name = "limit", .via = SEARCHES | LISTS, .kind = SCRY_PARAM_WHOLE, .min = 1, .max = 100000000, .at = AT(search.limit),
      .letter = 'n', .argument = "N", .unit = "pictures", .help = "show at most N pictures" },
    { .name = "offset", .via = SEARCHES | LISTS, .kind = SCRY_PARAM_WHOLE, .min = 0, .max = 1e12, .at = AT(search.offset), .argument = "N",
      .unit = "pictures", .help = "leave out the first N" },
    { .name = "cursor", .via = HTTP_SEARCHES | BIT(OPTIONS_URL), .kind = SCRY_PARAM_WHOLE, .min = 0, .max = 1e12, .at = AT(search.offset),
      .help = "the cursor of the previous page: results start after it" },
    { .name = "cursor", .via = BIT(LIST_URL), .kind = SCRY_PARAM_ID, .at = AT(after),
      .help = "the cursor of the previous page: results start after it" },
    { .name = "sort", .via = SEARCHES | LISTS, .kind = SCRY_PARAM_SORT, .at = AT(sort), .argument = "ORDER", .choices = SCRY_SORT_NAMES,
      .help = "date (newest first), name, size (largest first), added (latest first) or rating (highest first); a search puts the pictures "
              "that it shows in this order" },
    { .name = "reverse", .via = SEARCHES | LISTS, .kind = SCRY_PARAM_FLAG, .at = AT(reverse), .letter = 'r', .help = "in the reverse order" },
    { .name = "unique", .via = LISTS, .kind = SCRY_PARAM_FLAG, .at = AT(unique),
      .help = "one file of each picture: no further copies, no RAW beside its JPEG" },
    { .name = "by", .via = SEARCHES, .kind = SCRY_PARAM_CHOICE, .at = AT(by), .argument = "WHAT", .choices = "auto look words",
      .help = "auto (the default): pictures that look like the query, and among the best of them those whose names, titles, keywords, "
              "labels and the like have all its words, or some where none has all; look or words (all of them): one of the two" },
    { .name = "min_score", .via = SEARCHES, .kind = SCRY_PARAM_COSINE, .min = -1, .max = 1, .at = AT(search.min_score), .argument = "X",
      .choices = "auto", .help = "only pictures with a score of at least X; auto: the score from which a picture probably matches this query" },
    { .name = "all_copies", .via = SEARCHES, .kind = SCRY_PARAM_FLAG, .at = AT(search.all_copies),
      .help = "show every copy of a picture, not only the first, and a RAW beside its JPEG" },
    { .name = "fold", .via = SEARCHES, .kind = SCRY_PARAM_COSINE, .min = 0, .max = 1, .at = AT(search.fold), .argument = "X", .choices = "auto",
      .help = "show near-identical pictures once, as the best of them; X: cosine from which, or auto (0.95)" },
    { .name = "approximate", .via = SEARCHES, .kind = SCRY_PARAM_FLAG, .at = AT(search.approximate),
      .help = "scan only the best few percent of the candidates: faster from 65,536 pictures in a folder on, and may miss results; "
              "no difference with fewer, nor on Milvus" },

    { .name = "in", .tool_name = "folder", .via = FILTERS, .kind = SCRY_PARAM_FOLDER, .repeat = SCRY_REPEAT_ANY, .filter = SCRY_FILTER_IN,
      .argument = "DIR", .help = "only pictures in this folder and below it" },
    { .name = "date", .via = FILTERS, .kind = SCRY_PARAM_PERIOD, .repeat = SCRY_REPEAT_ANY, .filter = SCRY_FILTER_AFTER, .argument = "WHEN",
      .help = "only pictures taken then: 2024, May 2020, 17.05.2024, yesterday, last summer, 2019-2021, 5-7 May, last Christmas, since 2020" },
    { .name = "after", .via = FILTERS, .kind = SCRY_PARAM_TIME, .repeat = SCRY_REPEAT_ALL, .filter = SCRY_FILTER_AFTER, .argument = "DATE",
      .help = "only pictures taken at or after DATE, which is written as WHEN, or 2024-05-17T10:00" },
    { .name = "before", .via = FILTERS, .kind = SCRY_PARAM_TIME, .repeat = SCRY_REPEAT_ALL, .filter = SCRY_FILTER_BEFORE, .argument = "DATE",
      .help = "only pictures taken before DATE" },
    { .name = "until", .via = FILTERS, .kind = SCRY_PARAM_END, .repeat = SCRY_REPEAT_ALL, .filter = SCRY_FILTER_BEFORE, .argument = "DATE",
      .help = "only pictures taken until the end of DATE: until 2024 is before 2025" },
    { .name = "camera", .via = FILTERS, .kind = SCRY_PARAM_TEXT, .repeat = SCRY_REPEAT_ANY, .filter = SCRY_FILTER_CAMERA, .argument = "TEXT",
      .help = "only pictures whose camera's name contains TEXT" },
    { .name = "near", .via = FILTERS, .kind = SCRY_PARAM_PLACE, .repeat = SCRY_REPEAT_ANY, .filter = SCRY_FILTER_NEAR, .argument = "LAT,LON,KM",
      .unit = "degrees, degrees, km", .help = "only pictures taken within KM kilometres of that place" },
    { .name = "box", .via = FILTERS, .kind = SCRY_PARAM_BOX, .repeat = SCRY_REPEAT_ANY, .filter = SCRY_FILTER_BOX, .argument = "W,S,E,N",
      .unit = "degrees", .help = "only pictures taken between the longitudes W and E and the latitudes S and N; W above E: across the date line" },
    { .name = "format", .via = FILTERS, .kind = SCRY_PARAM_FORMAT, .repeat = SCRY_REPEAT_ANY, .filter = SCRY_FILTER_FORMAT, .argument = "NAME",
      .choices = "jpeg png webp gif tiff heic avif jxl raw jp2 pnm bmp svg", .help = "only pictures of this format" },
    { .name = "min_width", .via = FILTERS, .kind = SCRY_PARAM_WHOLE, .repeat = SCRY_REPEAT_ALL, .filter = SCRY_FILTER_MIN_WIDTH, .min = 1,
      .max = 1e9, .argument = "N", .unit = "pixels", .help = "only pictures at least N pixels wide" },
    { .name = "min_rating", .via = FILTERS, .kind = SCRY_PARAM_WHOLE, .repeat = SCRY_REPEAT_ALL, .filter = SCRY_FILTER_MIN_RATING,
      .min = -1, .max = 5, .argument = "N", .unit = "stars", .help = "only pictures that were rated N or more, 0 to 5; -1: rejected ones, too" },
    { .name = "favourites", .via = FILTERS, .kind = SCRY_PARAM_FLAG, .filter = SCRY_FILTER_FAVOURITE,
      .help = "only pictures that are marked as favourites" },
    { .name = "keyword", .via = FILTERS, .kind = SCRY_PARAM_TEXT, .repeat = SCRY_REPEAT_ALL, .filter = SCRY_FILTER_KEYWORD,
      .argument = "TEXT", .help = "only pictures with this keyword in their headers or sidecar" },
    { .name = "place", .via = FILTERS, .kind = SCRY_PARAM_TEXT, .repeat = SCRY_REPEAT_ANY, .filter = SCRY_FILTER_WORDS,
      .words = SCRY_WORDS_PLACE, .argument = "NAME",
      .help = "only pictures taken in or near this city, or in this region or country, by its name in English or another language; \"Paris, "
              "Texas\" or \"Paris, TX\" is one of several" },
    { .name = "words", .via = FILTERS, .kind = SCRY_PARAM_TEXT, .repeat = SCRY_REPEAT_ALL, .filter = SCRY_FILTER_WORDS,
      .words = SCRY_WORDS_PARTS, .argument = "TEXT",
      .help = "only pictures with these words, or longer ones that contain them, in their file and folder names, title, description, "
              "keywords, labels, key and place" },
    { .name = "label", .via = FILTERS, .kind = SCRY_PARAM_TEXT, .repeat = SCRY_REPEAT_ALL, .filter = SCRY_FILTER_LABEL, .argument = "TEXT",
      .help = "only pictures with this label from a CSV" },
    { .name = "key", .via = FILTERS, .kind = SCRY_PARAM_TEXT, .repeat = SCRY_REPEAT_ANY, .filter = SCRY_FILTER_KEY, .argument = "TEXT",
      .help = "only the picture with this key from a CSV" },
    { 0 },
};

_Static_assert(sizeof scry_params / sizeof *scry_params <= SCRY_MAX_PARAMS, "a bit for each in scry_search_request.given");

/* The default and the largest number of results in one answer: other clients of a server wait for a large one,
 * and an assistant reads all of it. */
static const struct { size_t limit, max; } pages[SCRY_VIA_COUNT] = {
    [SCRY_VIA_COMMAND] = { 10, 100000000 }, [SCRY_VIA_FILTER_COMMAND] = { 10, 100000000 },
    [SCRY_VIA_LIST_COMMAND] = { 100000000, 100000000 }, [SCRY_VIA_URL] = { 50, 1000 },
    [SCRY_VIA_OPTIONS_URL] = { 50, 1000 },
    [SCRY_VIA_LIST_URL] = { 100, 1000 }, [SCRY_VIA_FORM] = { 50, 1000 }, [SCRY_VIA_JSON] = { 50, 1000 },
    [SCRY_VIA_TOOL] = { 10, 100 },
};

size_t scry_default_limit(scry_request_via via)
{
    return pages[via].limit;
}

double scry_param_max(const scry_param *p, scry_request_via via)
{
    return p->at == AT(search.limit) ? (double)pages[via].max : p->max;
}

bool scry_via_is_command(scry_request_via via)
{
    return via == SCRY_VIA_COMMAND || via == SCRY_VIA_FILTER_COMMAND || via == SCRY_VIA_LIST_COMMAND;
}

const char *scry_param_name(const scry_param *p, scry_request_via via, char buffer[32])
{
    if (via == SCRY_VIA_TOOL && p->tool_name)
        return p->tool_name;
    if (!scry_via_is_command(via))
        return p->name;
    size_t n = 0;
    for (; p->name[n] && n < 31; n++)
        buffer[n] = (char)(p->name[n] == '_' ? '-' : p->name[n]);
    buffer[n] = '\0';
    return buffer;
}

const scry_param *scry_param_find(const char *name, scry_request_via via)
{
    char buffer[32];
    for (const scry_param *p = scry_params; p->name; p++)
        if (p->via & 1u << via && (strcmp(name, scry_param_name(p, via, buffer)) == 0 || strcmp(name, p->name) == 0))
            return p;
    return NULL;
}

/* ---- as JSON ---- */

static void put_range(scry_json_writer *w, const scry_param *p, scry_request_via via)
{
    scry_json_add_num(w, "minimum", p->min, 15);
    scry_json_add_num(w, "maximum", scry_param_max(p, via), 15);
}

/* "enum", from words separated by spaces. */
static void put_choices(scry_json_writer *w, const char *words)
{
    scry_json_add_str(w, "type", "string");
    scry_json_key(w, "enum");
    scry_json_begin(w, '[');
    for (size_t n; *words; words += n + (words[n] == ' ')) {
        n = strcspn(words, " ");
        scry_json_put_bytes(w, words, n);
    }
    scry_json_end(w, ']');
}

/* The schema of one value, without braces. */
static void put_type(scry_json_writer *w, const scry_param *p, scry_request_via via)
{
    switch (p->kind) {
    case SCRY_PARAM_WHOLE:
        scry_json_add_str(w, "type", "integer");
        put_range(w, p, via);
        if (p->at == AT(search.limit))
            scry_json_add_int(w, "default", (int64_t)pages[via].limit);
        break;
    case SCRY_PARAM_COSINE:
        scry_json_key(w, "anyOf");
        scry_json_begin(w, '[');
        scry_json_begin(w, '{');
        scry_json_add_str(w, "type", "number");
        put_range(w, p, via);
        scry_json_end(w, '}');
        scry_json_put_raw(w, "{\"const\":\"auto\"}");
        scry_json_end(w, ']');
        break;
    case SCRY_PARAM_FLAG: scry_json_add_str(w, "type", "boolean"); break;
    case SCRY_PARAM_SORT: case SCRY_PARAM_CHOICE: put_choices(w, p->choices); break;
    case SCRY_PARAM_PARTS: scry_json_add_str(w, "type", "array"); break;
    case SCRY_PARAM_FILTERS: scry_json_add_str(w, "type", "object"); break;
    case SCRY_PARAM_QUERY: case SCRY_PARAM_PICTURE: case SCRY_PARAM_REGION: case SCRY_PARAM_TEXT: case SCRY_PARAM_FOLDER:
    case SCRY_PARAM_FORMAT: case SCRY_PARAM_TIME: case SCRY_PARAM_END: case SCRY_PARAM_PERIOD: case SCRY_PARAM_PLACE:
    case SCRY_PARAM_BOX: case SCRY_PARAM_ID:
        scry_json_add_str(w, "type", "string");
        scry_json_add_int(w, "minLength", 1);
        break;
    }
}

static void put_schema(scry_json_writer *w, const scry_param *p, scry_request_via via)
{
    char name[32];
    scry_json_key(w, scry_param_name(p, via, name));
    scry_json_begin(w, '{');
    scry_json_add_str(w, "description", p->help);
    if (p->repeat == SCRY_REPEAT_NONE) {
        put_type(w, p, via);
    } else {
        scry_json_add_str(w, "type", "array");
        scry_json_key(w, "items");
        scry_json_begin(w, '{');
        put_type(w, p, via);
        scry_json_end(w, '}');
    }
    scry_json_end(w, '}');
}

void scry_params_schema(scry_json_writer *w, scry_request_via via)
{
    for (const scry_param *p = scry_params; p->name; p++)
        if (p->via & 1u << via)
            put_schema(w, p, via);
}

void scry_params_describe(scry_json_writer *w)
{
    static const char *const repeats[] = { "none", "any", "all" };
    static const char *const vias[] = { "command", "filter_command", "list_command", "url", "options_url", "list_url", "form", "json", "tool" };
    static const char *const kinds[] = { "query", "parts", "picture", "region", "filters", "text", "folder", "format", "time", "end", "period", "place", "box",
                                         "whole", "cosine", "flag", "sort", "choice", "id" };
    scry_json_begin(w, '[');
    for (const scry_param *p = scry_params; p->name; p++) {
        scry_json_begin(w, '{');
        scry_json_add_str(w, "name", p->name);
        scry_json_add_str(w, "kind", kinds[p->kind]);
        scry_json_add_str(w, "repeated", repeats[p->repeat]);
        scry_json_add_str(w, "unit", p->unit);
        scry_json_add_bool(w, "filter", p->filter != SCRY_FILTER_ALL);
        scry_json_add_str(w, "help", p->help);
        scry_json_key(w, "interfaces");
        scry_json_begin(w, '{');
        for (scry_request_via via = 0; via < SCRY_VIA_COUNT; via++)
            if (p->via & 1u << via) {
                char name[32];
                scry_json_key(w, vias[via]);
                scry_json_begin(w, '{');
                scry_json_add_str(w, "name", scry_param_name(p, via, name));
                if (p->kind == SCRY_PARAM_WHOLE || p->kind == SCRY_PARAM_COSINE)
                    put_range(w, p, via);
                scry_json_end(w, '}');
            }
        scry_json_end(w, '}');
        scry_json_end(w, '}');
    }
    scry_json_end(w, ']');
}

const char *scry_param_expected(const scry_param *p, scry_request_via via, char buffer[160])
{
    double max = scry_param_max(p, via);
    switch (p->kind) {
    case SCRY_PARAM_QUERY: return "a text";
    case SCRY_PARAM_TEXT: return p->filter == SCRY_FILTER_WORDS ? "a text of 1 to 32 words" : "a text";
    case SCRY_PARAM_PARTS: return "a list of parts, each {\"text\" or \"id\" or \"picture\": ..., \"weight\": ..., \"region\": ...}";
    case SCRY_PARAM_PICTURE: return "a picture file";
    case SCRY_PARAM_REGION: return "x,y,w,h in whole pixels";
    case SCRY_PARAM_FILTERS: return "an object of filters";
    case SCRY_PARAM_FOLDER: return "the path of a folder";
    case SCRY_PARAM_FORMAT: snprintf(buffer, 160, "one of %s", p->choices); return buffer;
    case SCRY_PARAM_PERIOD: return "a date or a span such as 2024, 17.05.2024, May 2020, yesterday, last summer, 2019-2021 or last Christmas";
    case SCRY_PARAM_TIME: case SCRY_PARAM_END:
        return "a date such as 2024, 2024-05-17, 2024-05-17T10:00, 17.05.2024, May 2020, yesterday or last summer";
    case SCRY_PARAM_PLACE: return "LATITUDE,LONGITUDE,KM with a latitude from -90 to 90, a longitude from -180 to 180, and KM of at least 0";
    case SCRY_PARAM_BOX: return "WEST,SOUTH,EAST,NORTH in degrees: longitudes from -180 to 180, latitudes from -90 to 90, SOUTH not above NORTH";
    case SCRY_PARAM_WHOLE: snprintf(buffer, 160, "a whole number from %.0f to %.0f", p->min, max); return buffer;
    case SCRY_PARAM_COSINE: snprintf(buffer, 160, "a number from %g to %g, or auto", p->min, max); return buffer;
    case SCRY_PARAM_FLAG: return "true or false (or 1 or 0)";
    case SCRY_PARAM_SORT: case SCRY_PARAM_CHOICE: snprintf(buffer, 160, "one of %s", p->choices); return buffer;
    case SCRY_PARAM_ID: return "32 hexadecimal digits";
    }
    return "";
}
