/* milvus - the client of Milvus, measured: processor time, speed and memory of rows sent and searches.
 *
 *     milvus insert URL COLLECTION FILE ROWS DIM          makes the collection; FILE: float32 [ROWS, DIM]
 *     milvus index URL COLLECTION TYPE PARAMS             flush, another index, load
 *     milvus search URL COLLECTION FILE QUERIES DIM PARAMS CONNECTIONS EACH [IDS]
 *
 * Prints one JSON object. `search`: CONNECTIONS threads with a client each ask EACH times; with IDS the ids
 * of the ten best of every query go there, a line a query. Run by bench/stages/milvus.py.
 */
#include "base/alloc.h"
#include "base/log.h"
#include "milvus/milvus.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

enum { BATCH = 2000, LIMIT = 10 };

static void die(const scry_error *err)
{
    fprintf(stderr, "%s\n", err->message);
    exit(1);
}

static double cpu_seconds(void)
{
    struct rusage u;
    getrusage(RUSAGE_SELF, &u);
    return (double)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) + (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec) / 1e6;
}

static long resident_kib(void)
{
    long pages = 0, resident = 0;
    FILE *f = fopen("/proc/self/statm", "r");
    if (f && fscanf(f, "%ld %ld", &pages, &resident) != 2)
        resident = 0;
    if (f)
        fclose(f);
    return resident * (sysconf(_SC_PAGESIZE) / 1024);
}

static scry_milvus *connect_to(const char *url)
{
    scry_error err = SCRY_ERROR_INIT;
    scry_milvus_options o = SCRY_MILVUS_OPTIONS_INIT;
    scry_milvus *m = NULL;
    o.connect_ms = o.patience_ms = 120000;
    if (scry_milvus_set_url(&o, url, &err) < 0 || scry_milvus_open(&m, &o, &err) < 0)
        die(&err);
    return m;
}

static float *read_vectors(int fd, size_t first, size_t n, size_t dim)
{
    size_t bytes = n * dim * sizeof(float);
    float *v = scry_alloc(bytes);
    if (pread(fd, v, bytes, (off_t)(first * dim * sizeof(float))) != (ssize_t)bytes) {
        perror("vectors");
        exit(1);
    }
    return v;
}

static int open_file(const char *path)
{
    int fd = open(path, O_RDONLY);
    if (fd < 0) {
        perror(path);
        exit(1);
    }
    return fd;
}

/* ---- insert ---- */

static void make(scry_milvus *m, const char *name, size_t dim)
{
    scry_error err = SCRY_ERROR_INIT;
    const scry_milvus_field fields[] = {
        { .name = "id", .type = SCRY_MILVUS_VARCHAR, .primary = true, .max_length = 32 },
        { .name = "path", .type = SCRY_MILVUS_VARCHAR, .max_length = 1024 },
        { .name = "vector", .type = SCRY_MILVUS_FLOAT_VECTOR, .dim = (int64_t)dim },
    };
    const scry_milvus_schema schema = { .description = "", .fields = fields, .field_count = 3 };
    if (scry_milvus_drop(m, name, &err) < 0 || scry_milvus_create_collection(m, name, &schema, &err) < 0)
        die(&err);
}

static int insert(char **a)
{
    scry_error err = SCRY_ERROR_INIT;
    scry_milvus *m = connect_to(a[0]);
    size_t rows = strtoul(a[3], NULL, 10), dim = strtoul(a[4], NULL, 10);
    int fd = open_file(a[2]);
    double cpu = 0, wall = 0;
    long first_kib = 0;
    static char ids[BATCH][33], paths[BATCH][64];
    static const char *id[BATCH], *path[BATCH];
    make(m, a[1], dim);
    for (size_t at = 0; at < rows; at += BATCH) {
        size_t n = rows - at < BATCH ? rows - at : BATCH;
        float *v = read_vectors(fd, at, n, dim);
        for (size_t i = 0; i < n; i++) {
            snprintf(ids[i], sizeof ids[i], "%032zx", at + i);
            snprintf(paths[i], sizeof paths[i], "photos/%zu/picture-%zu.jpg", at / BATCH, at + i);
            id[i] = ids[i];
            path[i] = paths[i];
        }
        const scry_milvus_column columns[] = {
            { .name = "id", .type = SCRY_MILVUS_VARCHAR, .strings = id },
            { .name = "path", .type = SCRY_MILVUS_VARCHAR, .strings = path },
            { .name = "vector", .type = SCRY_MILVUS_FLOAT_VECTOR, .floats = v, .dim = (int64_t)dim },
        };
        double cpu_before = cpu_seconds(), before = scry_now_ms();
        if (scry_milvus_upsert(m, a[1], &(scry_milvus_table){ columns, 3, n, NULL }, &err) < 0)
            die(&err);
        cpu += cpu_seconds() - cpu_before;
        wall += (scry_now_ms() - before) / 1e3;
        free(v);
        if (at == 4 * BATCH)
            first_kib = resident_kib();
    }
    printf("{\"cpu_s\": %.6f, \"wall_s\": %.6f, \"first_kib\": %ld, \"last_kib\": %ld}\n", cpu, wall, first_kib, resident_kib());
    close(fd);
    scry_milvus_free(m);
    return 0;
}

/* ---- index ---- */

static int make_index(char **a)
{
    scry_error err = SCRY_ERROR_INIT;
    scry_milvus *m = connect_to(a[0]);
    scry_milvus_index index;
    scry_milvus_wait w = { NULL, NULL, 600000 };
    double started = scry_now_ms();
    if (scry_milvus_flush(m, a[1], &w, &err) < 0 || scry_milvus_describe_index(m, a[1], "vector", &index, &err) < 0)
        die(&err);
    if (index.type[0] && (scry_milvus_release(m, a[1], &err) < 0 || scry_milvus_drop_index(m, a[1], "vector", index.name, &err) < 0))
        die(&err);
    if (scry_milvus_create_index(m, a[1], "vector", a[2], "COSINE", a[3], &err) < 0 ||
        scry_milvus_wait_index(m, a[1], "vector", &w, &err) < 0 || scry_milvus_load(m, a[1], &w, &err) < 0)
        die(&err);
    printf("{\"wall_s\": %.3f}\n", (scry_now_ms() - started) / 1e3);
    scry_milvus_free(m);
    return 0;
}

/* ---- search ---- */

typedef struct asker {
    const char *url, *collection, *params;
    const float *queries;       /* [count, dim] */
    size_t count, dim, first, each;
    char (*ids)[LIMIT * 40];    /* [count]; NULL: not wanted */
    scry_milvus *m;
} asker;

static void keep_ids(const asker *k, size_t q, const scry_milvus_rows *rows)
{
    size_t used = 0;
    for (size_t i = 0; i < rows->rows && i < LIMIT; i++)
        used += (size_t)snprintf(k->ids[q] + used, sizeof *k->ids - used, "%s%.33s", i ? " " : "", rows->str_ids[i]);
}

static void *ask(void *arg)
{
    static const char *const fields[] = { "path" };
    asker *k = arg;
    scry_error err = SCRY_ERROR_INIT;
    for (size_t i = 0; i < k->each; i++) {
        size_t q = (k->first + i) % k->count;
        scry_milvus_search s = { .field = "vector", .metric = "COSINE", .params = k->params, .vectors = k->queries + q * k->dim,
                                 .queries = 1, .dim = k->dim, .limit = LIMIT, .fields = fields, .field_count = 1,
                                 .consistency = SCRY_MILVUS_BOUNDED };
        scry_milvus_rows *rows;
        if (scry_milvus_search_rows(k->m, k->collection, &s, &rows, &err) < 0)
            die(&err);
        if (k->ids)
            keep_ids(k, q, rows);
        scry_milvus_rows_free(rows);
    }
    return NULL;
}

static int search(char **a, const char *out)
{
    size_t count = strtoul(a[3], NULL, 10), dim = strtoul(a[4], NULL, 10), connections = strtoul(a[6], NULL, 10);
    int fd = open_file(a[2]);
    float *queries = read_vectors(fd, 0, count, dim);
    asker *k = scry_alloc(connections * sizeof *k);
    pthread_t *threads = scry_alloc(connections * sizeof *threads);
    char (*ids)[LIMIT * 40] = out ? scry_alloc(count * sizeof *ids) : NULL;
    close(fd);
    for (size_t i = 0; i < connections; i++) {
        k[i] = (asker){ a[0], a[1], a[5], queries, count, dim, i * count / connections, strtoul(a[7], NULL, 10), ids,
                        connect_to(a[0]) };
    }
    long before_kib = resident_kib();
    double cpu = cpu_seconds(), started = scry_now_ms();
    for (size_t i = 0; i < connections; i++)
        if (pthread_create(&threads[i], NULL, ask, &k[i]) != 0)
            return 1;
    for (size_t i = 0; i < connections; i++)
        pthread_join(threads[i], NULL);
    double wall = (scry_now_ms() - started) / 1e3, searches = (double)connections * (double)k[0].each;
    printf("{\"cpu_ms\": %.6f, \"qps\": %.3f, \"first_kib\": %ld, \"last_kib\": %ld}\n", (cpu_seconds() - cpu) * 1e3 / searches,
           searches / wall, before_kib, resident_kib());
    FILE *f = out ? fopen(out, "w") : NULL;
    for (size_t i = 0; f && i < count; i++)
        fprintf(f, "%s\n", ids[i]);
    if (f)
        fclose(f);
    for (size_t i = 0; i < connections; i++)
        scry_milvus_free(k[i].m);
    free(ids);
    free(threads);
    free(k);
    free(queries);
    return 0;
}

int main(int argc, char **argv)
{
    if (argc == 7 && strcmp(argv[1], "insert") == 0)
        return insert(argv + 2);
    if (argc == 6 && strcmp(argv[1], "index") == 0)
        return make_index(argv + 2);
    if ((argc == 10 || argc == 11) && strcmp(argv[1], "search") == 0)
        return search(argv + 2, argc == 11 ? argv[10] : NULL);
    fputs("usage: see bench/milvus.c\n", stderr);
    return 2;
}
