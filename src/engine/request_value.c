#include "engine/request_value.h"

#include "store/place_names.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char *scry_value_text(scry_value v)
{
    const char *text = v.text ? v.text : scry_json_str(v.json, NULL);
    return text && text[0] ? text : NULL;
}

bool scry_value_whole(scry_value v, int64_t *out)
{
    if (!v.text && scry_json_type_of(v.json) == SCRY_JSON_INT) {
        *out = scry_json_int(v.json, 0);
        return true;
    }
    double d = !v.text && scry_json_type_of(v.json) == SCRY_JSON_REAL ? scry_json_num(v.json, 0) : NAN;
    if (fabs(d) < 1LL << 53 && d == floor(d)) {   /* JSON has one kind of number: 5.0 is 5 */
        *out = (int64_t)d;
        return true;
    }
    const char *text = scry_value_text(v);
    size_t sign = text && text[0] == '-';
    if (!text || !text[sign] || text[sign + strspn(text + sign, "0123456789")])
        return false;
    errno = 0;
    *out = strtoll(text, NULL, 10);
    return errno == 0;
}

bool scry_value_number(scry_value v, double *out)
{
    if (!v.text && (scry_json_type_of(v.json) == SCRY_JSON_INT || scry_json_type_of(v.json) == SCRY_JSON_REAL)) {
        *out = scry_json_num(v.json, 0);
        return true;
    }
    const char *text = scry_value_text(v);
    if (!text || text[strspn(text, "0123456789.+-eE")])
        return false;
    char *end;
    *out = strtod(text, &end);
    return *end == '\0' && isfinite(*out);
}

bool scry_value_numbers(scry_value v, double *out, size_t n)
{
    bool good = !v.text && scry_json_type_of(v.json) == SCRY_JSON_ARRAY && scry_json_size(v.json) == n;
    for (size_t i = 0; good && i < n; i++)
        good = scry_value_number(scry_json_value(scry_json_at(v.json, i)), &out[i]);
    return good;
}

bool scry_value_flag(scry_value v, bool *out)
{
    if (!v.text && scry_json_type_of(v.json) == SCRY_JSON_BOOL) {
        *out = scry_json_bool(v.json, false);
        return true;
    }
    const char *text = scry_value_text(v);
    int64_t n;
    *out = (text && strcmp(text, "true") == 0) || (scry_value_whole(v, &n) && n == 1);
    return *out || (text && strcmp(text, "false") == 0) || (scry_value_whole(v, &n) && n == 0);
}

bool scry_value_region(const scry_json *list, int out[4])
{
    if (scry_json_type_of(list) != SCRY_JSON_ARRAY || scry_json_size(list) != 4)
        return false;
    for (size_t i = 0; i < 4; i++) {
        int64_t n;
        if (!scry_value_whole(scry_json_value(scry_json_at(list, i)), &n) || n < 0 || n > 1 << 24)
            return false;
        out[i] = (int)n;
    }
    return out[2] > 0 && out[3] > 0;
}

const char *scry_value_given(scry_value v, char out[SCRY_GIVEN_BYTES])
{
    const char *text = v.text ? v.text : scry_json_str(v.json, NULL);
    if (text) {
        snprintf(out, SCRY_GIVEN_BYTES, text[0] ? "\"%.60s\"" : "an empty text", text);
        return out;
    }
    switch (scry_json_type_of(v.json)) {
    case SCRY_JSON_INT: snprintf(out, SCRY_GIVEN_BYTES, "the number %lld", (long long)scry_json_int(v.json, 0)); break;
    case SCRY_JSON_REAL: snprintf(out, SCRY_GIVEN_BYTES, "the number %.15g", scry_json_num(v.json, 0)); break;
    case SCRY_JSON_BOOL: return scry_json_bool(v.json, false) ? "true" : "false";
    case SCRY_JSON_ARRAY: snprintf(out, SCRY_GIVEN_BYTES, "a list of %zu", scry_json_size(v.json)); break;
    case SCRY_JSON_OBJECT: return "an object";
    case SCRY_JSON_NONE: case SCRY_JSON_NULL: case SCRY_JSON_STRING: return "null";
    }
    return out;
}

int scry_refuse_place(const char *name, scry_value v, scry_error *err)
{
    char given[SCRY_GIVEN_BYTES], *near = scry_place_nearest(scry_value_text(v));
    int r = scry_fail(err, SCRY_EINVALID, "%s takes the name of a city, a region or a country, not %s%s%s%s", name, scry_value_given(v, given),
                      near ? ": did you mean " : "", near ? near : "", near ? "?" : "");
    free(near);
    return r;
}
