/* store_fixture.h - a collection of FILES pictures with a columns file that lacks the newest: what the tests of damaged and of
 * cut files begin with. */
#ifndef SCRY_TEST_STORE_FIXTURE_H
#define SCRY_TEST_STORE_FIXTURE_H

#include "scry/store.h"
#include "store/local/columns.h"
#include "store/local/local.h"
#include "store_model.h"

#include <stdio.h>
#include <string.h>

enum { DIM = 32, FILES = 300 };

static int open_store(scry_store **s, const char *where, scry_store_mode mode, scry_error *err)
{
    scry_store_options o = SCRY_STORE_OPTIONS_INIT;
    o.mode = mode;
    o.model_identity = mode == SCRY_STORE_CREATE ? "feed" : NULL;
    o.dim = mode == SCRY_STORE_CREATE ? DIM : 0;
    o.threads = 2;
    return scry_store_open(s, where, &o, err);
}

static void must(int result, const scry_error *err)
{
    if (result < 0)
        fail_msg("%s", err->message);
}

static inline void put_file(scry_store *s, const uint8_t *root, int i)
{
    scry_error err = SCRY_ERROR_INIT;
    char name[32];
    float v[DIM];
    const char *labels[1] = { "seen" };
    scry_put p;
    memset(&p, 0, sizeof p);
    snprintf(name, sizeof name, "d%d/f%d.jpg", i % 4, i);
    p.file = (scry_file){ .relative = name, .size = i, .mtime_ns = i, .width = 100 + i, .format = "jpeg", .camera = "X100",
                          .has_time = i % 3 == 0, .taken_at = i, .labels = labels, .label_count = (size_t)(i % 2) };
    memcpy(p.file.root, root, SCRY_ID_BYTES);
    model_hash(i, p.file.content);
    model_vector(i, v, DIM);
    p.vector = v;
    must(scry_store_put(s, &p, 1, &err), &err);
}

static inline void make_store(const char *where)
{
    scry_store *s;
    scry_root root;
    scry_error err = SCRY_ERROR_INIT;
    must(open_store(&s, where, SCRY_STORE_CREATE, &err), &err);
    must(scry_store_add_root(s, "/pictures", &root, &err), &err);
    for (int i = 0; i < FILES; i++) {
        put_file(s, root.id, i);
        if (i == FILES - 20)
            scry_columns_update((scry_local *)s, 0);
    }
    must(scry_store_put_bad(s, root.id, "bad.jpg", 1, 2, "torn", &err), &err);
    must(scry_store_close(s, &err), &err);
}

static inline char *file_in(const char *where, const char *name)
{
    static char path[256];
    snprintf(path, sizeof path, "%s/collections/default/%s", where, name);
    return path;
}

#endif
