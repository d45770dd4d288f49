/* json_cursor.h - reading tokenizer.json, megabytes of it, without building a tree.
 *
 *     scry_cursor c = scry_cursor_make(text, n, path, err);
 *     scry_slice key, value;
 *     if (scry_cursor_open(&c, '{') < 0) return c.code;
 *     while (scry_cursor_key(&c, &key))
 *         if (scry_slice_is(key, "vocab")) ... else scry_cursor_skip(&c, &value);
 *     return c.code;
 *
 * The vocabulary and the merges are most of such a file; jansson takes 40 times as long
 * over them as this does. Everything small in it still goes through base/json.h. The
 * first error stays in the cursor, names the file and the offset, and ends every loop.
 * One thread at a time.
 */
#ifndef SCRY_TOKENIZER_JSON_CURSOR_H
#define SCRY_TOKENIZER_JSON_CURSOR_H

#include "base/buf.h"
#include "scry/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct scry_slice {
    const char *at;
    size_t n;
} scry_slice;

bool scry_slice_is(scry_slice s, const char *text);

typedef struct scry_cursor {
    const char *start, *at, *end;
    const char *path;      /* for messages */
    scry_error *err;
    int code;              /* 0, or the SCRY_E* that was reported */
    bool first;            /* no item of the open object or array was read yet */
    scry_buf unescaped;    /* the last string that held a backslash */
} scry_cursor;

scry_cursor scry_cursor_make(const char *text, size_t n, const char *path, scry_error *err);
void scry_cursor_dispose(scry_cursor *c);

/* Enter the object ('{') or array ('[') that comes next. */
int scry_cursor_open(scry_cursor *c, char bracket);

/* Go to the next item: true with the cursor before it, false after the closing bracket
 * or on an error (c->code tells). For objects the key is read too; it is borrowed until
 * the next string is read. */
bool scry_cursor_key(scry_cursor *c, scry_slice *key);
bool scry_cursor_item(scry_cursor *c);

/* Read one value. Strings are unescaped, and borrowed until the next one is read. */
int scry_cursor_string(scry_cursor *c, scry_slice *out);
int scry_cursor_int(scry_cursor *c, int64_t *out);
int scry_cursor_num(scry_cursor *c, double *out);
int scry_cursor_skip(scry_cursor *c, scry_slice *text);   /* any value, as written */

/* Nothing but white space follows. */
int scry_cursor_end(scry_cursor *c);

/* The first byte of what comes next, white space passed over; 0 at the end. */
static inline char scry_cursor_peek(scry_cursor *c)
{
    while (c->at < c->end && (*c->at == ' ' || *c->at == '\n' || *c->at == '\r' || *c->at == '\t'))
        c->at++;
    return c->at < c->end && c->code == 0 ? *c->at : 0;
}

/* Report damage at the cursor's place: "PATH: byte 123: MESSAGE". */
int scry_cursor_fail(scry_cursor *c, const char *message);

#endif
