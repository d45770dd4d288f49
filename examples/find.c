/* find.c - index a folder and search it, through libscry.
 *
 *     cc find.c -o find $(pkg-config --cflags --libs scry)
 *     ./find ~/Pictures "a white dog on the beach"
 */
#include <scry/find.h>
#include <scry/index.h>
#include <scry/registry.h>

#include <stdio.h>
#include <stdlib.h>

/* A store in the folder "find.store", made for the model's vectors. */
static int open_store(scry_store **store, const scry_model *model, scry_error *err)
{
    const scry_model_info *m = scry_model_get_info(model);
    scry_store_options options = SCRY_STORE_OPTIONS_INIT;
    options.mode = SCRY_STORE_CREATE;
    options.model_identity = m->identity;
    options.model_name = m->name;
    options.precision = "auto";
    options.dim = m->dim;
    return scry_store_open(store, "find.store", &options, err);
}

static int search(scry_store *store, const scry_model *model, const char *text, scry_error *err)
{
    scry_query *query = NULL;
    scry_results *results = NULL;
    int r = scry_query_parse(&query, &text, 1, err);
    if (r == 0)
        r = scry_find(&results, &(scry_query_tools){ .model = model, .store = store }, query, NULL, err);
    for (size_t i = 0; r == 0 && i < results->count; i++)
        printf("%.3f  %s\n", results->hits[i].score, results->hits[i].file.path);
    scry_results_free(results);
    scry_query_free(query);
    return r;
}

int main(int argc, char **argv)
{
    if (argc != 3) {
        fprintf(stderr, "usage: %s FOLDER DESCRIPTION\n", argv[0]);
        return 2;
    }
    scry_error err = SCRY_ERROR_INIT;
    scry_model *model = NULL;
    scry_store *store = NULL;
    char *dir = NULL;
    scry_model_options model_options = SCRY_MODEL_OPTIONS_INIT;
    scry_index_options index = SCRY_INDEX_OPTIONS_INIT;
    index.paths = (const char *const *)argv + 1;
    index.path_count = 1;

    int r = scry_model_resolve(getenv("SCRY_MODEL"), &dir, &err);
    if (r == 0)
        r = scry_model_open(&model, dir, &model_options, &err);
    if (r == 0)
        r = open_store(&store, model, &err);
    if (r == 0)
        r = scry_index_run(store, model, &index, NULL, &err);
    if (r == 0)
        r = search(store, model, argv[2], &err);
    if (store) {
        int closed = scry_store_close(store, r < 0 ? NULL : &err);
        r = r < 0 ? r : closed;
    }
    scry_model_free(model);
    free(dir);
    if (r < 0)
        fprintf(stderr, "%s\n", err.message);
    return r < 0 ? 2 : 0;
}
