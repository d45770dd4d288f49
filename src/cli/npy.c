#include "cli/npy.h"

#include "base/alloc.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int cli_write_npy(const char *path, const float *rows, size_t n, size_t dim, scry_error *err)
{
    /* Magic, version, header length, header padded with spaces to 128 bytes in all. */
    char header[129];
    memset(header, ' ', sizeof header);
    memcpy(header, "\x93NUMPY\x01\x00\x76\x00", 10);
    int len = snprintf(header + 10, sizeof header - 10, "{'descr': '<f4', 'fortran_order': False, 'shape': (%zu, %zu), }", n, dim);
    header[10 + len] = ' ';
    header[127] = '\n';
    char *part = scry_asprintf("%s.part", path);
    FILE *f = fopen(part, "we");
    bool ok = f && fwrite(header, 1, 128, f) == 128 && (n == 0 || fwrite(rows, dim * sizeof *rows, n, f) == n);
    if (f && fclose(f) != 0)
        ok = false;
    if (ok && rename(part, path) != 0)
        ok = false;
    int r = 0;
    if (!ok) {
        r = scry_fail_errno(err, errno, "cannot write %s", path);
        unlink(part);
    }
    free(part);
    return r;
}
