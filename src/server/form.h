/* form.h - application/x-www-form-urlencoded in a body in memory, as HTML forms and most HTTP clients send it. */
#ifndef SCRY_SERVER_FORM_H
#define SCRY_SERVER_FORM_H

#include "scry/error.h"

#include <stdbool.h>
#include <stddef.h>

/* Whether a body is such a form. curl also says it of JSON, which begins with a brace; `type` may be NULL. */
bool form_is(const char *type, const char *body, size_t size);

/* One decoded field; non-zero stops and is passed on. `value` ends with a zero and may hold others. */
typedef int form_field_fn(void *arg, const char *name, const char *value, size_t size);

/* Call `each` with the fields in their order. A percent sign that encodes nothing means itself, as in an address. */
int form_read(const char *body, size_t size, form_field_fn *each, void *arg, scry_error *err) SCRY_NODISCARD;

#endif
