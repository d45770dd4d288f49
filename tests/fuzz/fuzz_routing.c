/* Any method and path: the route found is in the table, the value of {x} is one whole segment of the
 * path, and where there is no route the answer is 404, or 405 with the existing methods. */
#include "base/alloc.h"
#include "server/request.h"
#include "server/router.h"
#include "server/server.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* The path as the pattern with its parameters put in. */
static void check_params(const request *r, const route *found)
{
    scry_buf b = SCRY_BUF_INIT(1 << 20);
    size_t n = 0;
    for (const char *p = found->pattern; *p; p++) {
        if (*p != '{') {
            scry_buf_putc(&b, *p);
            continue;
        }
        if (n == MAX_PATH_PARAMS || !r->param[n] || !r->param[n][0] || strchr(r->param[n], '/'))
            abort();
        scry_buf_puts(&b, r->param[n++]);
        p = strchr(p, '}');
    }
    if (strcmp(scry_buf_str(&b), r->path) != 0)
        abort();
    scry_buf_dispose(&b);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static server s;
    char *method = malloc(size + 1), allow[64];
    if (size > 1 << 16) {
        free(method);
        return 0;
    }
    memcpy(method, data, size);
    method[size] = '\0';
    char *path = strchr(method, ' ');
    if (path)
        *path++ = '\0';
    int status;
    request *r = request_new(&s, NULL, path ? path : "");
    r->method = method;
    r->path = scry_strdup(request_line_path(&r->line, path ? path : ""));
    const route *found = route_find(r, &status, allow);
    if (found && strcmp(found->method, method) != 0 && strcmp(method, "HEAD") != 0)
        abort();
    if (found)
        check_params(r, found);
    else if (status == 405 ? !allow[0] || strlen(allow) > 63 : status != 404 || allow[0])
        abort();
    request_free(r);
    free(method);
    return 0;
}
