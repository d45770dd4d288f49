/* json.h - reading JSON into a tree (jansson underneath), writing it as a stream.
 *
 * Reading: nesting is bounded by jansson (2048), duplicates of a key are an error,
 * strings are valid UTF-8 without embedded zero bytes. Where a whole number is too large for
 * int64_t, all numbers of the text are read as reals. For NULL and values
 * of another type the getters return the fallback, so that an optional setting is
 * read in one line:
 *
 *     int64_t layers = scry_json_int(scry_json_get(cfg, "num_hidden_layers"), 12);
 */
#ifndef SCRY_BASE_JSON_H
#define SCRY_BASE_JSON_H

#include "base/buf.h"
#include "scry/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct scry_json scry_json;

/* `what` names the text in messages ("models/starter/config.json"). A byte order mark is left out. */
int scry_json_parse(scry_json **out, const char *text, size_t n, const char *what,
                    scry_error *err) SCRY_NODISCARD;
int scry_json_read(scry_json **out, const char *path, size_t limit_bytes,
                   scry_error *err) SCRY_NODISCARD;
void scry_json_free(scry_json *root);

/* Borrowed from the root. NULL when absent or when `object` is not an object. */
const scry_json *scry_json_get(const scry_json *object, const char *key);
const scry_json *scry_json_at(const scry_json *array, size_t i);
size_t scry_json_size(const scry_json *array_or_object);   /* 0 for anything else */

typedef enum {
    SCRY_JSON_NONE, SCRY_JSON_OBJECT, SCRY_JSON_ARRAY, SCRY_JSON_STRING,
    SCRY_JSON_INT, SCRY_JSON_REAL, SCRY_JSON_BOOL, SCRY_JSON_NULL
} scry_json_type;

scry_json_type scry_json_type_of(const scry_json *v);      /* NONE for NULL */
const char *scry_json_str(const scry_json *v, const char *fallback);
int64_t scry_json_int(const scry_json *v, int64_t fallback);
double scry_json_num(const scry_json *v, double fallback);   /* integers too */
bool scry_json_bool(const scry_json *v, bool fallback);

/* Walk an object: for (it = NULL; scry_json_next(obj, &it, &key, &value);) */
bool scry_json_next(const scry_json *object, void **it, const char **key, const scry_json **value);

/* Writing. The writer inserts the commas and keeps track of nesting; bytes that are not
 * valid UTF-8 are written as U+FFFD; NaN and infinities become null. */
typedef struct scry_json_writer {
    scry_buf *out;
    unsigned depth;
    bool has_item[32];   /* whether this level needs a comma */
    bool after_key;
} scry_json_writer;

#define SCRY_JSON_WRITER_INIT(buf) { (buf), 0, { false }, false }

void scry_json_begin(scry_json_writer *w, char bracket);  /* '{' or '[' */
void scry_json_end(scry_json_writer *w, char bracket);    /* '}' or ']' */
void scry_json_key(scry_json_writer *w, const char *key);
void scry_json_put_str(scry_json_writer *w, const char *s);        /* NULL gives null */
void scry_json_put_bytes(scry_json_writer *w, const char *s, size_t n);
void scry_json_put_int(scry_json_writer *w, int64_t v);
void scry_json_put_num(scry_json_writer *w, double v, int digits); /* significant digits */
void scry_json_put_bool(scry_json_writer *w, bool v);
void scry_json_put_null(scry_json_writer *w);
void scry_json_put_raw(scry_json_writer *w, const char *json);     /* a value that is JSON already */

/* A value that was read, with all that is in it; the writer's nesting must have room for it. */
void scry_json_put_value(scry_json_writer *w, const scry_json *v);

/* A member of an object: the key and its value. */
void scry_json_add_str(scry_json_writer *w, const char *key, const char *s);
void scry_json_add_int(scry_json_writer *w, const char *key, int64_t v);
void scry_json_add_num(scry_json_writer *w, const char *key, double v, int digits);
void scry_json_add_bool(scry_json_writer *w, const char *key, bool v);

#endif
