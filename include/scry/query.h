/* query.h - a query: texts and pictures, each with a weight.
 *
 * Grammar:
 *
 *     query   = part { ("+" | "-") part }        an operator is an argument of its own
 *     part    = [ weight ":" ] ( text | picture [ "#" x,y,w,h ] )
 *     picture = "@" FILE | "@id:" HEX (a picture of the index) | "@p:" HEX (one uploaded to a server)
 *     weight  = a number in (0, 100]; 1 when absent
 *
 * On the command line "@FILE" opens a file; over HTTP and in the page it is refused, and "@p:" names
 * an upload. The rest is the same everywhere.
 *
 * The arguments up to an operator are one text, joined with single spaces; it is UTF-8. A number and a colon
 * are a weight only when the part follows the colon directly and does not begin with a digit: "0.5:sunset" is
 * weighed, "5:30 pm", "16:9 monitor" and "5: the fifth" are texts, and so is "0.5:30 candles" ("0.5:\30 candles"
 * weighs it). A backslash at the beginning of a part keeps a leading "@", number, "+", "-" or backslash literal. The
 * query vector is normalise(sum of w_i u_i) over the parts' unit vectors, "-" negating w_i;
 * the score of a picture is its cosine with that vector.
 *
 * Parts may also be added as values, which are not parsed: a text is that text whatever it begins with.
 *
 * Immutable once complete; any thread.
 */
#ifndef SCRY_QUERY_H
#define SCRY_QUERY_H

#include "scry/error.h"
#include "scry/model.h"
#include "scry/store.h"

#include <stdbool.h>
#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct scry_query scry_query;

typedef enum {
    SCRY_PART_TEXT,     /* text: what to look for */
    SCRY_PART_PICTURE,  /* text: path of a picture file */
    SCRY_PART_STORED,   /* id: a picture that the store holds */
    SCRY_PART_UPLOADED  /* id: a picture that was given to the server for searching */
} scry_part_kind;

enum { SCRY_MAX_QUERY_PARTS = 64, SCRY_MAX_QUERY_BYTES = 1 << 16 };

typedef struct scry_query_part {
    scry_part_kind kind;
    double weight;                 /* negative after "-" */
    const char *text;              /* what to look for, or the path; borrowed from the query */
    uint8_t id[SCRY_ID_BYTES];
    int region[4];                 /* x, y, w, h in pixels; w = 0: the whole picture */
} scry_query_part;

/* Parse the arguments of a command line. */
int scry_query_parse(scry_query **out, const char *const *args, size_t n, scry_error *err) SCRY_NODISCARD;

/* Parse one string, split at spaces, as the page and the API have it. Pictures by path
 * ("@FILE") are refused there; "@id:HEX" is allowed. */
int scry_query_parse_line(scry_query **out, const char *line, scry_error *err) SCRY_NODISCARD;

/* An empty query, to add parts to. A part that is refused leaves the query as it was; that of _args and _line may
 * have added some before it. Weights are not 0, and from -100 to 100; `region` may be NULL. */
scry_query *scry_query_new(void);
void scry_query_free(scry_query *q);
int scry_query_add_args(scry_query *q, const char *const *args, size_t n, scry_error *err) SCRY_NODISCARD;
int scry_query_add_line(scry_query *q, const char *line, scry_error *err) SCRY_NODISCARD;
int scry_query_add_text(scry_query *q, const char *text, double weight, scry_error *err) SCRY_NODISCARD;
int scry_query_add_picture(scry_query *q, const char *path, const int region[4], double weight,
                           scry_error *err) SCRY_NODISCARD;

/* `kind` is SCRY_PART_STORED or SCRY_PART_UPLOADED, `hex` its id of 32 digits. */
int scry_query_add_id(scry_query *q, scry_part_kind kind, const char *hex, const int region[4], double weight,
                      scry_error *err) SCRY_NODISCARD;

size_t scry_query_parts(const scry_query *q, const scry_query_part **out);  /* borrowed */

/* Whether part `i` was parsed from a text with a weight in front ("0.5:sunset"). */
bool scry_query_is_weighed(const scry_query *q, size_t i);

/* "x,y,w,h": non-negative, w and h above 0. */
int scry_parse_region(const char *text, int out[4], scry_error *err) SCRY_NODISCARD;

struct scry_decoder;

/* What scry_query_embed uses. `model` is needed; without a session or a decoder, a call that needs one makes it and frees
 * it again; without a store, stored ids are SCRY_EINVALID. `decoder` is NULL outside of scry. `uploaded_path` returns the path
 * of an uploaded picture (owned by the caller; NULL: unknown id) and may be NULL where there are no uploads. */
typedef struct scry_query_tools {
    scry_session *session;
    const scry_model *model;
    struct scry_decoder *decoder;
    scry_store *store;
    bool keep_orientation;
    char *(*uploaded_path)(const uint8_t id[SCRY_ID_BYTES]);
} scry_query_tools;

#define SCRY_QUERY_TOOLS_INIT SCRY_ZERO_INIT

/* Whether some part needs a decoder: a picture by path, an uploaded one, or a region. */
bool scry_query_needs_decoder(const scry_query *q);

/* The unit vector of the query: `out` is [dim]. *cut (may be NULL) is set to whether a text was
 * longer than the model's input. Parts that cancel each other out are SCRY_EINVALID. */
int scry_query_embed(const scry_query *q, const scry_query_tools *tools, float *out, bool *cut,
                     scry_error *err) SCRY_NODISCARD;

/* The same for many queries, whose texts go through the model as one batch: out [n, dim],
 * cut [n], errors [n] (code 0 on success). Returns the number that failed. */
int scry_query_embed_many(const scry_query *const *queries, size_t n, const scry_query_tools *tools, float *out,
                          bool *cut, scry_error *errors);

#ifdef __cplusplus
}
#endif
#endif
