/* store.c - how an embedded store does with many pictures.
 *
 *     build/release/bench/store make STORE ROWS DIM CLUSTERS [ROOT]
 *     build/release/bench/store search STORE CLUSTERS
 *
 * `make` puts ROWS synthetic pictures (synthetic.h) into a store: a new one, or one that has
 * a collection of any dimension, so that `scry index` can make it for a model. They spread
 * over folders, years, cameras, labels and places. With ROOT a small file is written for
 * each, with the size and time that the store knows: `scry index ROOT` then finds all
 * unchanged. `search` prints tab-separated values: what, median and best milliseconds,
 * and what it found; afterwards the memory of the process.
 */
#include "base/alloc.h"
#include "base/file.h"
#include "base/log.h"
#include "base/pool.h"
#include "scry/store.h"
#include "synthetic.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { BATCH = 8192, RUNS = 21, TOP = 10, FOLDERS = 1000, NAME_SIZE = 64, DAY_S = 86400 };
static const int64_t first_time_s = 1262304000;   /* 2010-01-01 */
static const char *const cameras[] = { "Canon EOS 5D", "NIKON D90", "Apple iPhone 12", "Pixel 7", "" };
static const char *const labels[] = { "beach", "city", "forest", "party", "rare" };

static void check(int result, const scry_error *err)
{
    if (result >= 0)
        return;
    fprintf(stderr, "bench: %s\n", err->message);
    exit(2);
}

/* ---- make ---- */

typedef struct {
    size_t first, n, dim, clusters;
    float *vectors;   /* [BATCH, dim] */
} batch;

static void make_vectors(void *arg, int index, int count)
{
    const batch *b = arg;
    for (size_t i = (size_t)index; i < b->n; i += (size_t)count)
        synthetic_picture(b->vectors + i * b->dim, b->dim, b->clusters, b->first + i);
}

/* Picture `i` lies in one of a thousand folders; one in a thousand has the label "rare". */
static void make_name(char *name, size_t i)
{
    snprintf(name, NAME_SIZE, "%02zu/%03zu/%zu.jpg", i % FOLDERS / 100, i % FOLDERS, i);
}

static scry_put make_put(const uint8_t *root, const char *name, const float *vector, size_t i)
{
    size_t n = i / FOLDERS;   /* not to go with the folder */
    scry_put p = { .vector = vector };
    memcpy(p.file.root, root, SCRY_ID_BYTES);
    p.file.relative = name;
    p.file.size = 1;
    p.file.mtime_ns = (first_time_s + (int64_t)i) * 1000000000;
    memcpy(p.file.content, &i, sizeof i);
    p.file.width = n % 2 ? 4000 : 3000 + n % 500;
    p.file.height = 3000;
    p.file.format = n % 10 ? "jpeg" : "png";
    p.file.camera = cameras[n % 5];
    p.file.has_time = n % 7 != 0;
    p.file.taken_at = first_time_s + (int64_t)(n * 7919 % (15 * 365)) * DAY_S;
    p.file.has_position = n % 3 == 0;
    p.file.latitude = (double)(n * 104729 % 180000) / 1000 - 90;
    p.file.longitude = (double)(n * 15485863 % 360000) / 1000 - 180;
    p.file.key = "";
    p.file.labels = &labels[n % 1000 == 7 ? 4 : n % 4];
    p.file.label_count = 1;
    return p;
}

static void write_small_file(const char *root, const scry_put *p)
{
    char *path = scry_path_join(root, p->file.relative), *slash = strrchr(path, '/');
    struct timespec t[2] = { { p->file.mtime_ns / 1000000000, 0 }, { p->file.mtime_ns / 1000000000, 0 } };
    scry_error err = SCRY_ERROR_INIT;
    *slash = '\0';
    check(scry_make_dirs(path, &err), &err);
    *slash = '/';
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    if (fd < 0 || write(fd, "x", 1) != 1 || futimens(fd, t) < 0) {
        perror(path);
        exit(2);
    }
    close(fd);
    free(path);
}

static int make(const char *where, size_t rows, int dim, size_t clusters, const char *root_path)
{
    scry_error err = SCRY_ERROR_INIT;
    scry_store *s;
    scry_store_info info;
    scry_root root;
    scry_store_options o = SCRY_STORE_OPTIONS_INIT;
    o.mode = SCRY_STORE_WRITE;
    if (scry_store_open(&s, where, &o, NULL) < 0) {
        o.mode = SCRY_STORE_CREATE;
        o.model_identity = "bench";
        o.dim = dim;
        check(scry_store_open(&s, where, &o, &err), &err);
    }
    scry_store_describe(s, &info);
    check(scry_store_add_root(s, root_path ? root_path : "/bench/pictures", &root, &err), &err);
    batch b = { .dim = (size_t)info.dim, .clusters = clusters };
    b.vectors = scry_alloc(BATCH * b.dim * sizeof *b.vectors);
    scry_put *puts = scry_alloc(BATCH * sizeof *puts);
    char (*names)[NAME_SIZE] = scry_alloc(BATCH * sizeof *names);
    scry_pool *pool = scry_pool_new(0);
    double start = scry_now_ms();
    for (; b.first < rows; b.first += b.n) {
        b.n = rows - b.first < BATCH ? rows - b.first : BATCH;
        scry_pool_run(pool, make_vectors, &b);
        for (size_t i = 0; i < b.n; i++) {
            make_name(names[i], b.first + i);
            puts[i] = make_put(root.id, names[i], b.vectors + i * b.dim, b.first + i);
            if (root_path)
                write_small_file(root_path, &puts[i]);
        }
        check(scry_store_put(s, puts, b.n, &err), &err);
    }
    check(scry_store_close(s, &err), &err);
    printf("%zu x %zu put in %.1f s\n", rows, b.dim, (scry_now_ms() - start) / 1e3);
    scry_pool_free(pool);
    free(names);
    free(puts);
    free(b.vectors);
    return 0;
}

/* ---- search ---- */

static int compare(const void *x, const void *y)
{
    const double *a = x, *b = y;
    return *a < *b ? -1 : *a > *b;
}

typedef struct {
    scry_store *store;
    size_t dim;
    float *queries;   /* [RUNS, dim] */
} searcher;

static void run(const searcher *b, const char *name, scry_search search)
{
    double ms[RUNS];
    uint64_t passed = 0, hits = 0;
    scry_error err = SCRY_ERROR_INIT;
    for (int r = 0; r < RUNS; r++) {
        scry_results *results;
        double start = scry_now_ms();
        check(scry_store_search(b->store, b->queries + (size_t)r * b->dim, &search, &results, &err), &err);
        ms[r] = scry_now_ms() - start;
        passed = results->scanned;
        hits += results->count;
        scry_results_free(results);
    }
    qsort(ms, RUNS, sizeof *ms, compare);
    printf("%s\t%.2f\t%.2f\t%llu\t%.1f\n", name, ms[RUNS / 2], ms[0], (unsigned long long)passed, (double)hits / RUNS);
    fflush(stdout);
}

static size_t count_common(const scry_results *a, const scry_results *b)
{
    size_t n = 0;
    for (size_t i = 0; i < a->count; i++)
        for (size_t k = 0; k < b->count; k++)
            n += memcmp(a->hits[i].file.id, b->hits[k].file.id, SCRY_ID_BYTES) == 0;
    return n;
}

static void print_recall(const searcher *b)
{
    scry_search exact = SCRY_SEARCH_INIT, approximate = SCRY_SEARCH_INIT;
    scry_error err = SCRY_ERROR_INIT;
    size_t found = 0, wanted = 0;
    approximate.approximate = true;
    for (int r = 0; r < RUNS; r++) {
        scry_results *all, *some;
        const float *query = b->queries + (size_t)r * b->dim;
        check(scry_store_search(b->store, query, &exact, &all, &err), &err);
        check(scry_store_search(b->store, query, &approximate, &some, &err), &err);
        found += count_common(all, some);
        wanted += all->count;
        scry_results_free(all);
        scry_results_free(some);
    }
    printf("recall of the approximate top 10: %.3f\n", (double)found / (double)wanted);
}

static int keep_path(void *arg, const scry_root *root)
{
    *(char **)arg = scry_strdup(root->path);
    return 1;
}

static void run_filters(const searcher *b)
{
    scry_filter_pool *p = scry_filter_pool_new();
    scry_error err = SCRY_ERROR_INIT;
    char *root = NULL;
    check(scry_store_roots(b->store, keep_path, &root, &err), &err);
    char *tenth = scry_asprintf("%s/03", root), *few = scry_asprintf("%s/03/333", root);
    const scry_filter_node *rare = scry_filter_text(p, SCRY_FILTER_LABEL, "rare");
    const scry_filter_node *from = scry_filter_time(p, SCRY_FILTER_AFTER, first_time_s + 1000 * (int64_t)DAY_S);
    const scry_filter_node *to = scry_filter_time(p, SCRY_FILTER_BEFORE, first_time_s + 1064 * (int64_t)DAY_S);
    const scry_filter_node *late = scry_filter_time(p, SCRY_FILTER_AFTER, first_time_s + 14 * 365 * (int64_t)DAY_S);
    const struct {
        const char *name;
        const scry_filter_node *filter;
    } filters[] = {
        { "in a folder of 10 %", scry_filter_text(p, SCRY_FILTER_IN, tenth) },
        { "in a folder of 0.1 %", scry_filter_text(p, SCRY_FILTER_IN, few) },
        { "between two dates, 1 %", scry_filter_and(p, from, to) },
        { "after a date, 5 %", late },
        { "label", scry_filter_text(p, SCRY_FILTER_LABEL, "beach") },
        { "rare label", rare },
        { "camera", scry_filter_text(p, SCRY_FILTER_CAMERA, "nikon") },
        { "near a place", scry_filter_near(p, 48, 11, 1000) },
        { "at least so wide, 50 %", scry_filter_number(p, SCRY_FILTER_MIN_WIDTH, 4000) },
        { "not a rare label, after a date", scry_filter_and(p, scry_filter_not(p, rare), late) },
    };
    for (size_t i = 0; i < sizeof filters / sizeof *filters; i++) {
        scry_search search = SCRY_SEARCH_INIT;
        search.filter = filters[i].filter;
        run(b, filters[i].name, search);
    }
    free(few);
    free(tenth);
    free(root);
    scry_filter_pool_free(p);
}

static void print_memory(void)
{
    char line[256];
    FILE *f = fopen("/proc/self/status", "re");
    while (f && fgets(line, sizeof line, f))
        if (strncmp(line, "VmHWM", 5) == 0 || strncmp(line, "RssAnon", 7) == 0 || strncmp(line, "RssFile", 7) == 0)
            fputs(line, stdout);
    if (f)
        fclose(f);
}

static void first_search(searcher *b, const char *where, size_t clusters)
{
    scry_error err = SCRY_ERROR_INIT;
    scry_store_options o = SCRY_STORE_OPTIONS_INIT;
    scry_search search = SCRY_SEARCH_INIT;
    scry_store_info info;
    scry_results *results;
    double start = scry_now_ms();
    check(scry_store_open(&b->store, where, &o, &err), &err);
    printf("open\t%.2f\n", scry_now_ms() - start);
    scry_store_describe(b->store, &info);
    b->dim = (size_t)info.dim;
    b->queries = scry_alloc(RUNS * b->dim * sizeof *b->queries);
    for (size_t i = 0; i < RUNS; i++)
        synthetic_query(b->queries + i * b->dim, b->dim, clusters, i);
    start = scry_now_ms();
    check(scry_store_search(b->store, b->queries, &search, &results, &err), &err);
    printf("first search\t%.2f\n", scry_now_ms() - start);
    scry_results_free(results);
}

static int measure(const char *where, size_t clusters)
{
    searcher b;
    scry_search search = SCRY_SEARCH_INIT;
    scry_error err = SCRY_ERROR_INIT;
    first_search(&b, where, clusters);
    printf("what\tmedian ms\tbest ms\tpassed\thits\n");
    run(&b, "top 10", search);
    search.approximate = true;
    run(&b, "top 10, approximate", search);
    search.approximate = false;
    search.offset = 1000;
    run(&b, "ten after 1,000", search);
    search.offset = 100000;
    run(&b, "ten after 100,000", search);
    run_filters(&b);
    print_recall(&b);
    print_memory();
    free(b.queries);
    check(scry_store_close(b.store, &err), &err);
    return 0;
}

int main(int argc, char **argv)
{
    if (argc >= 6 && strcmp(argv[1], "make") == 0)
        return make(argv[2], strtoul(argv[3], NULL, 10), atoi(argv[4]), strtoul(argv[5], NULL, 10),
                    argc > 6 ? argv[6] : NULL);
    if (argc == 4 && strcmp(argv[1], "search") == 0)
        return measure(argv[2], strtoul(argv[3], NULL, 10));
    fprintf(stderr, "usage: store make STORE ROWS DIM CLUSTERS [ROOT]\n       store search STORE CLUSTERS\n");
    return 2;
}
