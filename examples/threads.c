/* threads.c - one store and one model, searched by a thread for each description, through libscry.
 *
 *     cc threads.c -o threads $(pkg-config --cflags --libs scry) -pthread
 *     ./threads find.store "a dog" "a cat" "a castle"
 *
 * A model and a store are shared. A session holds the memory of one computation, so each thread has its own.
 */
#include <scry/model.h>
#include <scry/query.h>
#include <scry/registry.h>
#include <scry/store.h>

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

typedef struct {
    scry_store *store;
    const scry_model *model;
    const char *text;
    scry_results *results;
    scry_error err;
} job;

static void *search(void *arg)
{
    job *j = arg;
    float *vector = calloc((size_t)scry_model_get_info(j->model)->dim, sizeof *vector);
    scry_session *session = NULL;
    scry_query *query = NULL;
    scry_search first = SCRY_SEARCH_INIT;
    first.limit = 3;
    int r = vector ? scry_session_new(&session, j->model, 1, &j->err) : scry_fail(&j->err, SCRY_ENOMEM, "no memory");
    if (r == 0)
        r = scry_query_parse(&query, &j->text, 1, &j->err);
    if (r == 0) {
        scry_query_tools tools = SCRY_QUERY_TOOLS_INIT;
        tools.session = session;
        tools.model = j->model;
        r = scry_query_embed(query, &tools, vector, NULL, &j->err);
    }
    if (r == 0)
        r = scry_store_search(j->store, vector, &first, &j->results, &j->err);
    scry_query_free(query);
    scry_session_free(session);
    free(vector);
    return NULL;
}

static int search_all(scry_store *store, const scry_model *model, char **texts, size_t n)
{
    pthread_t threads[64];
    job jobs[64];
    int failed = 0;
    for (size_t i = 0; i < n; i++) {
        jobs[i] = (job){ .store = store, .model = model, .text = texts[i] };
        if (pthread_create(&threads[i], NULL, search, &jobs[i]) != 0)
            abort();
    }
    for (size_t i = 0; i < n; i++) {
        pthread_join(threads[i], NULL);
        const job *j = &jobs[i];
        failed += j->err.code < 0;
        printf("%s%s\n", j->text, j->err.code < 0 ? j->err.message : "");
        for (size_t k = 0; j->results && k < j->results->count; k++)
            printf("  %.3f  %s\n", j->results->hits[k].score, j->results->hits[k].file.path);
        scry_results_free(jobs[i].results);
    }
    return failed ? 2 : 0;
}

int main(int argc, char **argv)
{
    if (argc < 3 || argc > 66) {
        fprintf(stderr, "usage: %s STORE TEXT... (up to 64)\n", argv[0]);
        return 2;
    }
    scry_error err = SCRY_ERROR_INIT;
    scry_store *store = NULL;
    scry_model *model = NULL;
    char *dir = NULL;
    int status = 2;
    int r = scry_store_open(&store, argv[1], NULL, &err);
    if (r == 0)
        r = scry_model_resolve(getenv("SCRY_MODEL"), &dir, &err);
    if (r == 0)
        r = scry_model_open(&model, dir, NULL, &err);
    if (r == 0)
        r = scry_store_check_model(store, scry_model_get_info(model)->identity, dir, scry_model_get_info(model)->dim, &err);
    if (r == 0)
        status = search_all(store, model, argv + 2, (size_t)argc - 2);
    else
        fprintf(stderr, "%s\n", err.message);
    scry_model_free(model);
    free(dir);
    if (store)
        scry_store_close(store, NULL);
    return status;
}
