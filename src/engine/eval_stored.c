/* eval_stored.c - the vectors of an evaluation's pictures, from a collection that has them. */
#include "engine/eval_set.h"

#include "base/alloc.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Where the collection's files are among those that are wanted. Two files may be one, by two names. */
typedef struct {
    scry_table paths;                       /* of entries */
    uint8_t (*content)[SCRY_HASH_BYTES];    /* [paths.count] */
    bool *found;                            /* [paths.count] */
} wanted;

static int take_file(void *arg, const scry_file *file)
{
    wanted *w = arg;
    int64_t i = scry_table_find(&w->paths, file->path);
    if (i >= 0) {
        memcpy(w->content[i], file->content, SCRY_HASH_BYTES);
        w->found[i] = true;
    }
    return 0;
}

/* The number of a path: that of the file it leads to, as the collection names it. */
static int64_t number_of(scry_table *paths, const char *path, scry_error *err)
{
    char *real = realpath(path, NULL);
    int64_t i = scry_table_add(paths, real ? real : path, err);
    free(real);
    return i;
}

int eval_stored_vectors(scry_store *store, const scry_eval_set *set, const scry_embed_options *o, float *rows, size_t *missing,
                        scry_error *err)
{
    scry_store_info info = { 0 };
    scry_store_describe(store, &info);
    char *const *paths = set->paths;
    size_t n = set->files.count, dim = (size_t)info.dim;
    wanted w = { .paths = SCRY_TABLE_OF_TEXTS(sizeof(char *), n), .content = scry_alloc(n * sizeof *w.content),
                 .found = scry_alloc(n * sizeof *w.found) };
    int64_t *number = scry_alloc(n * sizeof *number), r = 0;
    *missing = 0;
    for (size_t i = 0; r >= 0 && i < n; i++)
        r = number[i] = number_of(&w.paths, paths[i], err);
    if (r >= 0)
        r = scry_store_each_file(store, NULL, NULL, take_file, &w, err);
    for (size_t i = 0; r >= 0 && i < n; i++) {
        float *row = rows + i * dim;
        if (w.found[number[i]]) {
            r = scry_store_vector(store, w.content[number[i]], row, err);
            continue;
        }
        for (size_t d = 0; d < dim; d++)
            row[d] = NAN;
        ++*missing;
        if (o->failed)
            o->failed(o->arg, i, paths[i], "not in the collection");
    }
    scry_table_dispose(&w.paths);
    free(w.content);
    free(w.found);
    free(number);
    return r < 0 ? (int)r : 0;
}
