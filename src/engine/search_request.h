/* search_request.h - one search as a value, and the table of everything that it may be given.
 *
 *     scry_search_request r;
 *     scry_request_init(&r, SCRY_VIA_URL);
 *     scry_request_set(&r, "q", scry_text("a white dog"), &err);
 *     scry_request_set(&r, "after", scry_text("2023"), &err);
 *     scry_request_finish(&r, &err);          then: r.query, r.search
 *     scry_request_dispose(&r);
 *
 * The command line, the HTTP API (query string, form, JSON body) and MCP read their parameters through
 * scry_request_set, so that the same input means the same in all of them. --help, shell completion and MCP's
 * schema are made from the table; web/openapi.json and the page's filters are compared with it by
 * tests/unit/test_search_request.c.
 *
 * What is refused, with the parameter's name, the value, and what is expected: an unknown name, a value of
 * another type, out of range, or empty, and a second value where one is expected. A number or a flag may be
 * written as a text that is exactly one ("5"). A date may be a number: the year.
 *
 * One thread at a time.
 */
#ifndef SCRY_ENGINE_SEARCH_REQUEST_H
#define SCRY_ENGINE_SEARCH_REQUEST_H

#include "base/json.h"
#include "engine/listing.h"
#include "engine/request_value.h"
#include "scry/filter.h"
#include "scry/find.h"
#include "scry/query.h"
#include "scry/store.h"

/* Where a request comes from. It decides which parameters there are, and the limit on a page of results. */
typedef enum {
    SCRY_VIA_COMMAND,          /* scry search */
    SCRY_VIA_FILTER_COMMAND,   /* commands that take filters only: scry remove */
    SCRY_VIA_LIST_COMMAND,     /* scry list */
    SCRY_VIA_URL,              /* query string of a search */
    SCRY_VIA_OPTIONS_URL,      /* query string of a search whose query is elsewhere */
    SCRY_VIA_LIST_URL,         /* query string of a list: filters, order, limit, cursor */
    SCRY_VIA_FORM,             /* multipart form */
    SCRY_VIA_JSON,             /* JSON body; filters are members of its "filter" */
    SCRY_VIA_TOOL,             /* MCP */
    SCRY_VIA_COUNT
} scry_request_via;

typedef enum {
    SCRY_PARAM_QUERY,     /* a line in the grammar of query.h */
    SCRY_PARAM_PARTS,     /* JSON: a list of {"text" | "id" | "picture", "weight", "region"} */
    SCRY_PARAM_PICTURE,   /* a picture: path of a file, or the id of an upload */
    SCRY_PARAM_REGION,    /* x,y,w,h: a part of the picture before it */
    SCRY_PARAM_FILTERS,   /* JSON: an object of filters */
    SCRY_PARAM_TEXT,
    SCRY_PARAM_FOLDER,
    SCRY_PARAM_FORMAT,    /* name of a picture format */
    SCRY_PARAM_TIME,      /* the beginning of a date as people write it: date_words.h */
    SCRY_PARAM_END,       /* its end */
    SCRY_PARAM_PERIOD,    /* both */
    SCRY_PARAM_PLACE,     /* latitude,longitude,km; as JSON also a list of the three */
    SCRY_PARAM_BOX,       /* west,south,east,north; as JSON also a list of the four */
    SCRY_PARAM_WHOLE,     /* a whole number from min to max */
    SCRY_PARAM_COSINE,    /* a number from min to max, or "auto" */
    SCRY_PARAM_FLAG,
    SCRY_PARAM_SORT,      /* name of an order: listing.h */
    SCRY_PARAM_CHOICE,    /* one of `choices`, stored as its number: of "by" a scry_search_kind */
    SCRY_PARAM_ID         /* 32 hexadecimal digits */
} scry_param_kind;

/* What several values of one parameter mean. */
typedef enum { SCRY_REPEAT_NONE, SCRY_REPEAT_ANY, SCRY_REPEAT_ALL } scry_param_repeat;

typedef struct scry_param {
    const char *name;           /* "min_score"; the command line writes --min-score */
    const char *tool_name;      /* as MCP calls it; NULL: `name` */
    unsigned via;               /* bit 1 << SCRY_VIA_...: where it can be given */
    scry_param_kind kind;
    scry_param_repeat repeat;
    scry_filter_kind filter;    /* SCRY_FILTER_ALL: not a filter */
    scry_words_mode words;      /* of a filter on words */
    double min, max;
    const char *unit;           /* "pixels"; NULL where the kind implies it */
    size_t at;                  /* not a filter: where the value goes in scry_search_request; 0: see the kind */
    char letter;                /* of the command line: -n */
    const char *argument;       /* placeholder in --help: "DATE"; NULL: a flag */
    const char *choices;        /* for completion: "auto" */
    const char *help;           /* one line */
} scry_param;

enum { SCRY_MAX_PARAMS = 64, SCRY_MAX_REQUEST_VALUES = 1024 };

/* Ended by a NULL name. */
extern const scry_param scry_params[];

/* Whether names are written as on a command line: --min-score. */
bool scry_via_is_command(scry_request_via via);

/* The parameter's name in messages and schemas of `via` ("min-score", "folder"); `buffer` may be used for it. */
const char *scry_param_name(const scry_param *p, scry_request_via via, char buffer[32]);

/* NULL when `via` has no parameter of that name. */
const scry_param *scry_param_find(const char *name, scry_request_via via);

/* The largest number that `via` allows for it, and what a page of results holds when nothing is said. */
double scry_param_max(const scry_param *p, scry_request_via via);

/* What the parameter takes, for messages: "one of jpeg, png". `buffer` or a literal. */
const char *scry_param_expected(const scry_param *p, scry_request_via via, char buffer[160]);
size_t scry_default_limit(scry_request_via via);

/* JSON Schema of all parameters of `via`: the members of "properties". */
void scry_params_schema(scry_json_writer *w, scry_request_via via);

/* The whole table as a JSON array, for other programs and for tests. */
void scry_params_describe(scry_json_writer *w);

typedef struct scry_search_request {
    scry_request_via via;
    scry_query *query;                /* owned; without parts until some are given */
    scry_search search;               /* its filter is set by scry_request_finish and lives in `pool` */
    bool auto_min_score;              /* leave out what is below the query's own threshold */
    bool keep_orientation;
    bool may_be_empty;                /* a query may be absent: it is typed later */
    scry_sort sort;                   /* of a search: of the results that are shown */
    bool reverse, unique;
    int by;                           /* a scry_search_kind */
    const scry_filter_node *words;    /* set by scry_request_finish: scry_query_find_words of the query */
    uint8_t after[SCRY_ID_BYTES];     /* of a list: the last file of the page before */
    bool has_after;
    scry_buf shown;                   /* the query as the user wrote it */
    scry_filter_pool *pool;           /* owned */
    const scry_filter_node *filters[SCRY_MAX_PARAMS];   /* of each row in scry_params; NULL: not given */
    uint64_t given;                   /* bit i: scry_params[i] was given */
    unsigned values;                  /* given to all parameters together */
    struct { char *path; int region[4]; } picture;      /* the last of the command line; its region may follow */
} scry_search_request;

void scry_request_init(scry_search_request *r, scry_request_via via);
void scry_request_dispose(scry_search_request *r);

/* Give one value to one parameter; a JSON list gives each of its values where the parameter may be repeated. */
int scry_request_set(scry_search_request *r, const char *name, scry_value value, scry_error *err) SCRY_NODISCARD;

/* Every member of a JSON object: a body, or the arguments of a tool. */
int scry_request_set_members(scry_search_request *r, const scry_json *object, scry_error *err) SCRY_NODISCARD;

/* The operands of a command line: a query in the grammar of query.h. */
int scry_request_set_operands(scry_search_request *r, const char *const *args, size_t n, scry_error *err) SCRY_NODISCARD;

/* A query in the grammar of query.h that does not come as a parameter. */
int scry_request_set_line(scry_search_request *r, const char *line, scry_error *err) SCRY_NODISCARD;

/* A picture of the store, as if "id" were a part of the query. */
int scry_request_set_stored(scry_search_request *r, const char *hex, scry_error *err) SCRY_NODISCARD;

/* Call once all is given: combines the filters, and refuses what contradicts itself. A search needs a query,
 * a list and a command that only filters do not. */
int scry_request_finish(scry_search_request *r, scry_error *err) SCRY_NODISCARD;

#endif
