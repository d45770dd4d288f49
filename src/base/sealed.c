#include "base/sealed.h"

#include "base/alloc.h"
#include "base/crc32c.h"
#include "base/file.h"

#include <stdlib.h>
#include <string.h>

enum { MARK_BYTES = 8 };
static const char mark[MARK_BYTES + 1] = "scryseal";

void scry_seal_of(const void *bytes, size_t n, uint8_t out[SCRY_SEAL_BYTES])
{
    memcpy(out, mark, MARK_BYTES);
    uint32_t crc = scry_crc32c(scry_crc32c(0, bytes, n), mark, MARK_BYTES);
    memcpy(out + MARK_BYTES, &crc, sizeof crc);
}

static void cut(scry_buf *b, size_t n)
{
    if (b->data)
        b->data[n] = '\0';
    b->size = n;
}

bool scry_sealed_read(const char *path, scry_buf *out)
{
    size_t before = out->size;
    uint8_t seal[SCRY_SEAL_BYTES];
    if (scry_read_file(path, out, NULL) < 0 || out->size - before < SCRY_SEAL_BYTES) {
        cut(out, before);
        return false;
    }
    size_t n = out->size - before - SCRY_SEAL_BYTES;
    scry_seal_of(out->data + before, n, seal);
    bool intact = memcmp(out->data + before + n, seal, sizeof seal) == 0;
    cut(out, intact ? before + n : before);
    return intact;
}

int scry_sealed_write(const char *path, const void *bytes, size_t n, scry_error *err)
{
    uint8_t *file = scry_try_alloc(n + SCRY_SEAL_BYTES, 1);
    if (!file)
        return scry_fail(err, SCRY_ENOMEM, "no memory to write %s", path);
    memcpy(file, bytes, n);
    scry_seal_of(bytes, n, file + n);
    int result = scry_write_file(path, file, n + SCRY_SEAL_BYTES, err);
    free(file);
    return result;
}
