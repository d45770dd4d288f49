/* request_value.h - a value given to a search parameter: text, or JSON. */
#ifndef SCRY_ENGINE_REQUEST_VALUE_H
#define SCRY_ENGINE_REQUEST_VALUE_H

#include "base/json.h"

#include <stdbool.h>
#include <stdint.h>

/* A value as an interface has it: a text, or JSON. Borrowed. */
typedef struct scry_value {
    const char *text;
    const scry_json *json;            /* used when `text` is NULL */
} scry_value;

static inline scry_value scry_text(const char *text)
{
    return (scry_value){ text, NULL };
}

static inline scry_value scry_json_value(const scry_json *json)
{
    return (scry_value){ NULL, json };
}

/* Its text when it is one and not empty; NULL otherwise. */
const char *scry_value_text(scry_value v);

/* Conversions; false when the value is another. A text is accepted for a number or a flag when it is exactly
 * one; a number is finite and decimal. A region is a JSON list of four whole numbers, x, y, w, h with w and h
 * above 0. */
bool scry_value_whole(scry_value v, int64_t *out);
bool scry_value_number(scry_value v, double *out);

/* A JSON list of exactly `n` numbers. */
bool scry_value_numbers(scry_value v, double *out, size_t n);
bool scry_value_flag(scry_value v, bool *out);
bool scry_value_region(const scry_json *list, int out[4]);

/* What was given, for messages: "\"abc\"", "the number 5", "a list of 3". Returns `out` or a constant. */
enum { SCRY_GIVEN_BYTES = 80 };
const char *scry_value_given(scry_value v, char out[SCRY_GIVEN_BYTES]);

/* SCRY_EINVALID: `v`, a text, is given for the parameter `name` and no place that scry knows. Says what was probably meant. */
int scry_refuse_place(const char *name, scry_value v, scry_error *err) SCRY_NODISCARD;

#endif
