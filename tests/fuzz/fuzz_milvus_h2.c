/* What a server says on the connection: any bytes as the answer to one request. */
#include "milvus/h2.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static char body[300000];
    scry_h2 *h = scry_h2_new();
    scry_h2_reply reply = { .body = SCRY_BUF_INIT(1 << 20) };
    scry_h2_request q = { .path = "/milvus.proto.milvus.MilvusService/Search", .authority = "h:1", .timeout_ms = 1000,
                          .body = body, .body_size = size ? data[0] * 1000u : 0 };
    if (!h)
        return 0;
    if (scry_h2_start(h, &q, &reply, NULL) == 0) {
        /* In pieces whose size the input chooses, sending in between as a connection does. */
        size_t step = size > 1 ? data[1] + 1u : 1, n;
        for (size_t at = 2; at < size && !reply.closed && !scry_h2_dead(h); at += step) {
            for (scry_h2_output(h, &n); n; scry_h2_output(h, &n))
                scry_h2_sent(h, n);
            if (scry_h2_feed(h, data + at, size - at < step ? size - at : step, NULL) < 0)
                break;
        }
        if (!reply.closed)
            scry_h2_cancel(h);
    }
    scry_buf_dispose(&reply.body);
    scry_h2_free(h);
    return 0;
}
