/* Damaged files of a store: whatever their bytes are, opening, searching with filters, walking
 * and verifying end with a result or an error.
 *
 * An input is a letter that selects a file (v vectors, c codes, l columns, d database) and edits
 * of a file of a small undamaged store: three bytes of offset, a byte of value. Checksums of
 * headers are recomputed, since every input would be refused for them otherwise; a final single
 * byte truncates a codes or columns file.
 */
#include "store/local/segment.h"
#include "base/crc32c.h"
#include "store/local/columns_format.h"
#include "store/local/columns.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { DIM = 8, FILES = 40 };

typedef struct {
    char where[64];
    uint8_t *data[4];
    size_t size[4];
} template_store;

static const char *const names[4] = { "vectors-1.seg", "codes-1.cache", "columns-1.cache", "index.db" };

static void path_of(const template_store *t, int file, char out[160])
{
    snprintf(out, 160, "%s/collections/default/%s", t->where, names[file]);
}

static scry_store *open_store(const char *where, scry_store_mode mode)
{
    scry_store *s = NULL;
    scry_store_options o = SCRY_STORE_OPTIONS_INIT;
    o.mode = mode;
    o.model_identity = "feed";
    o.dim = DIM;
    o.threads = 1;
    return scry_store_open(&s, where, &o, NULL) < 0 ? NULL : s;
}

static void fill(scry_store *s)
{
    static const char *const labels[] = { "cat", "dog" };
    scry_root root;
    if (scry_store_add_root(s, "/p", &root, NULL) < 0)
        abort();
    for (int i = 0; i < FILES; i++) {
        float v[DIM] = { 0 };
        char name[32];
        scry_put p;
        memset(&p, 0, sizeof p);
        v[i % DIM] = 0.8f;
        v[(i + 3) % DIM] = 0.6f;
        snprintf(name, sizeof name, "d%d/%d.jpg", i % 3, i);
        p.file = (scry_file){ .relative = name, .size = i, .mtime_ns = i, .format = "jpeg", .camera = "Canon",
                              .key = i % 2 ? "k" : "", .labels = labels, .label_count = (size_t)i % 3,
                              .has_position = i % 2, .latitude = i, .longitude = i };
        memcpy(p.file.root, root.id, SCRY_ID_BYTES);
        p.file.content[0] = (uint8_t)i;
        p.vector = v;
        if (scry_store_put(s, &p, 1, NULL) < 0)
            abort();
        if (i == FILES - 5)
            scry_columns_update((scry_local *)s, 0);
    }
}

static void write_file(const char *path, const uint8_t *data, size_t size)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    if (fd < 0 || scry_pwrite_all(fd, data, size, 0) < 0)
        abort();
    close(fd);
}

static template_store shared;

static void remove_template(void)
{
    char command[96];
    snprintf(command, sizeof command, "rm -rf '%s'", shared.where);
    if (system(command) != 0)
        fprintf(stderr, "cannot remove %s\n", shared.where);
}

static void make_template(template_store *t)
{
    strcpy(t->where, "/dev/shm/scry-fuzz-XXXXXX");
    if (!mkdtemp(t->where))
        abort();
    scry_store *s = open_store(t->where, SCRY_STORE_CREATE);
    if (!s)
        abort();
    fill(s);
    if (scry_store_close(s, NULL) < 0)
        abort();
    for (int i = 0; i < 4; i++) {
        char path[160];
        scry_map map;
        path_of(t, i, path);
        if (scry_map_open(&map, path, NULL) < 0)
            abort();
        t->size[i] = map.size;
        t->data[i] = malloc(map.size);
        memcpy(t->data[i], map.data, map.size);
        scry_map_close(&map);
    }
}

static void set_crc(uint8_t *data, size_t at)
{
    uint32_t crc = scry_crc32c(0, data, at);
    memcpy(data + at, &crc, sizeof crc);
}

static void repair_header(int file, uint8_t *data)
{
    if (file == 0)
        set_crc(data, 44);
    else if (file == 1)
        set_crc(data, 60);
    else if (file == 2)
        set_crc(data, offsetof(scry_columns_header, crc));
}

static int ignore_file(void *arg, const scry_file *file)
{
    return 0;
}

static int ignore_vector(void *arg, const scry_file *file, const float *vector)
{
    return 0;
}

static int ignore_bad(void *arg, const char *path, int64_t size, int64_t mtime_ns, const char *reason)
{
    return 0;
}

static void use(const char *where)
{
    scry_store *s = open_store(where, SCRY_STORE_READ);
    scry_verify_report report;
    float query[DIM] = { 0.6f, 0.8f };
    if (!s)
        return;
    scry_filter_pool *p = scry_filter_pool_new();
    const scry_filter_node *filters[] = {
        NULL, scry_filter_text(p, SCRY_FILTER_IN, "/p/d1"), scry_filter_text(p, SCRY_FILTER_CAMERA, "can"),
        scry_filter_not(p, scry_filter_text(p, SCRY_FILTER_LABEL, "dog")),
        scry_filter_or(p, scry_filter_near(p, 10, 10, 500), scry_filter_text(p, SCRY_FILTER_KEY, "k")),
        scry_filter_time(p, SCRY_FILTER_AFTER, 3),
        scry_filter_words(p, "d1 f", SCRY_WORDS_WHOLE), scry_filter_words(p, "can 000", SCRY_WORDS_PARTS),
    };
    for (size_t i = 0; i < sizeof filters / sizeof *filters; i++) {
        scry_search search = SCRY_SEARCH_INIT;
        scry_results *r = NULL;
        search.filter = filters[i];
        if (scry_store_search(s, query, &search, &r, NULL) == 0)
            scry_results_free(r);
    }
    (void)!scry_store_each_file(s, NULL, NULL, ignore_file, NULL, NULL);
    (void)!scry_store_each_in_range(s, (scry_id_range){ 0, 1ull << 32 }, true, ignore_vector, NULL, NULL);
    (void)!scry_store_each_bad(s, ignore_bad, NULL, NULL);
    (void)!scry_store_verify(s, &report, NULL, NULL, NULL);
    (void)!scry_store_close(s, NULL);
    scry_filter_pool_free(p);
}

int LLVMFuzzerTestOneInput(const uint8_t *input, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *input, size_t size)
{
    static const char letters[] = "vcld";
    template_store *t = &shared;
    char path[160];
    if (!t->where[0]) {
        make_template(t);
        atexit(remove_template);
    }
    const char *letter = size ? strchr(letters, input[0]) : NULL;
    if (!letter || !*letter)
        return 0;
    int file = (int)(letter - letters);
    size_t length = t->size[file], i = 1;
    uint8_t *data = malloc(length);
    memcpy(data, t->data[file], length);
    for (; i + 4 <= size; i += 4)
        data[(input[i] | (size_t)input[i + 1] << 8 | (size_t)input[i + 2] << 16) % length] = input[i + 3];
    repair_header(file, data);
    if (i + 1 == size)
        length = length * input[i] / 256;
    path_of(t, file, path);
    write_file(path, data, length);
    use(t->where);
    write_file(path, t->data[file], t->size[file]);
    free(data);
    return 0;
}
