#include "cli/npy.h"

#include "cli/write_file.h"

#include <stdio.h>
#include <string.h>

int cli_write_npy(const char *path, const float *rows, size_t n, size_t dim, scry_error *err)
{
    /* Magic, version, header length, header padded with spaces to 128 bytes in all. */
    char header[129];
    memset(header, ' ', sizeof header);
    memcpy(header, "\x93NUMPY\x01\x00\x76\x00", 10);
    int len = snprintf(header + 10, sizeof header - 10, "{'descr': '<f4', 'fortran_order': False, 'shape': (%zu, %zu), }", n, dim);
    header[10 + len] = ' ';
    header[127] = '\n';
    const struct iovec pieces[] = { { header, 128 }, { (float *)rows, n * dim * sizeof *rows } };
    return cli_write_file(path, pieces, 2, err);
}
