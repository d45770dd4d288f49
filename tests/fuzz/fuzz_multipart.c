/* Any bytes as a multipart body: the first line is the content type. Parts lie inside the body. */
#include "server/multipart.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

typedef struct {
    const char *begin, *end;
} range;

static int check(void *arg, const multipart_part *p)
{
    const range *body = arg;
    if (p->data < body->begin || p->data + p->size > body->end || !memchr(p->name, '\0', sizeof p->name) ||
        !memchr(p->filename, '\0', sizeof p->filename))
        abort();
    return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const uint8_t *eol = memchr(data, '\n', size);
    if (!eol)
        return 0;
    size_t n = (size_t)(eol - data), m = size - n - 1;
    char *type = strndup((const char *)data, n), *body = malloc(m ? m : 1);   /* to the byte, for the sanitizer */
    memcpy(body, eol + 1, m);
    range r = { body, body + m };
    (void)!multipart_read(type, body, m, check, &r, NULL);
    free(body);
    free(type);
    return 0;
}
