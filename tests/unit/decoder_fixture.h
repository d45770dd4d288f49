/* decoder_fixture.h - what the tests of the decoder share. Include after cmocka.h. */
#ifndef DECODER_FIXTURE_H
#define DECODER_FIXTURE_H

#include "image/image.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>

static inline const char *test_path(const char *relative)
{
    static char path[4096];
    const char *top = getenv("SCRY_TOP");
    snprintf(path, sizeof path, "%s/%s", top ? top : ".", relative);
    return path;
}

static inline FILE *open_test_file(const char *relative)
{
    FILE *f = fopen(test_path(relative), "rb");
    assert_non_null(f);
    return f;
}

/* All formats allowed unless `options` say otherwise. Sanitizers need their address
 * space and calls that the sandbox forbids. */
static inline scry_decoder *new_decoder(const scry_decoder_options *options)
{
    scry_decoder_options all = SCRY_DECODER_OPTIONS_INIT;
    scry_decoder *d;
    scry_error err = SCRY_ERROR_INIT;
#ifdef SCRY_SANITIZED
    setenv("SCRY_TEST_UNCONFINED", "1", 1);
#endif
    all.formats = scry_formats_all();
    if (scry_decoder_new(&d, options ? options : &all, &err) < 0)
        fail_msg("%s", err.message);
    return d;
}

/* A file below the top of the tree. */
static inline int decode_file(scry_decoder *d, const char *relative, const scry_decode_request *q,
                              scry_decode_result *r, scry_error *err)
{
    const uint8_t *bytes;
    size_t size;
    struct stat st;
    int rc = scry_decoder_load(d, test_path(relative), &bytes, &size, &st, err);
    return rc < 0 ? rc : scry_decoder_run(d, q, r, err);
}

/* The picture `name` of tests/pictures. */
static inline int decode_picture(scry_decoder *d, const char *name, const scry_decode_request *q,
                                 scry_decode_result *r, scry_error *err)
{
    char relative[256];
    snprintf(relative, sizeof relative, "tests/pictures/%s", name);
    return decode_file(d, relative, q, r, err);
}

#endif
