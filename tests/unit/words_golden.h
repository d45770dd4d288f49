/* words_golden.h - tests/golden/words.safetensors, which the tests of src/ocr compare with (made by make_words.py there). */
#ifndef SCRY_TEST_WORDS_GOLDEN_H
#define SCRY_TEST_WORDS_GOLDEN_H

#include "base/alloc.h"
#include "model/safetensors.h"

#include <stdlib.h>

static scry_tensors *golden;

/* Owned. */
static char *top_path(const char *relative)
{
    const char *top = getenv("SCRY_TOP");
    return scry_asprintf("%s/%s", top ? top : ".", relative);
}

/* A tensor of two or three sizes; its data is NULL when there is none of that name. */
static scry_tensor golden_tensor(const char *name)
{
    scry_tensor t = { .data = NULL };
    if (scry_tensors_get(golden, name, 2, (size_t[]){ 0, 0 }, &t, NULL) < 0
        && scry_tensors_get(golden, name, 3, (size_t[]){ 0, 0, 0 }, &t, NULL) < 0)
        t.data = NULL;
    return t;
}

static int open_golden(void **state)
{
    char *folder = top_path("tests/golden");
    int rc = scry_tensors_open(&golden, folder, "words.safetensors", NULL);
    free(folder);
    return rc;
}

static int close_golden(void **state)
{
    scry_tensors_free(golden);
    return 0;
}

#endif
