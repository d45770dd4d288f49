/* milvus_rows - rows of pictures that do not exist, for measurements of stores with many.
 *
 *     milvus_rows STORE COLLECTION ROOT COUNT [FIRST]
 *
 * Adds the files FIRST .. FIRST + COUNT - 1 below ROOT to a collection that scry index made: unit vectors with a cosine of 0.5 to
 * each other, a thousand files a folder, 12 years of times, four cameras, places for a third, and every hundredth is a copy.
 * Prints one JSON object: rows, seconds, rows a second. Embedded stores can be filled, too.
 */
#include "synthetic.h"

#include "base/alloc.h"
#include "base/log.h"
#include "base/sha256.h"
#include "scry/store.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { BATCH = 2000, FOLDER = 1000, NAME = 96 };

static void die(const scry_error *err)
{
    fprintf(stderr, "%s\n", err->message);
    exit(1);
}

static scry_file make_file(uint64_t n, const uint8_t *root, char name[NAME])
{
    static const char *const cameras[] = { "Canon EOS R5", "Nikon Z 6", "SONY ILCE-7M4", "Apple iPhone 14", "" };
    uint64_t content = n % 100 == 99 ? n - 1 : n;
    scry_file f = { .relative = name, .size = 2000000 + (int64_t)(n % 100000),
                    .mtime_ns = 1500000000000000000 + (int64_t)n * 1000000000, .width = 4000, .height = 3000,
                    .format = "jpeg", .camera = cameras[content % 5],
                    .has_position = content % 3 == 0, .latitude = (double)(content % 140) - 70,
                    .longitude = (double)(content % 360) - 180 };
    if (content % 10 != 0) {
        f.has_time = true;
        f.taken_at = 1300000000 + (int64_t)(content * 7919 % 378432000);
        f.taken_source = SCRY_TAKEN_EXIF_ORIGINAL;
    }
    snprintf(name, NAME, "y%03llu/m%04llu/IMG_%08llu.jpg", (unsigned long long)(n / FOLDER / 50), (unsigned long long)(n / FOLDER),
             (unsigned long long)n);
    memcpy(f.root, root, SCRY_ID_BYTES);
    scry_sha256_of(&content, sizeof content, f.content);
    return f;
}

static void put_batch(scry_store *s, const uint8_t *root, uint64_t first, size_t n, size_t dim)
{
    static char names[BATCH][NAME];
    static scry_put puts[BATCH];
    scry_error err = SCRY_ERROR_INIT;
    float *vectors = scry_alloc(n * dim * sizeof *vectors);
    for (size_t i = 0; i < n; i++) {
        uint64_t number = first + i;
        float *v = vectors + i * dim;
        synthetic_add(v, dim, 1, 1);
        synthetic_add(v, dim, (number % 100 == 99 ? number - 1 : number) + 2, 1);
        synthetic_unit(v, dim);
        puts[i] = (scry_put){ .file = make_file(number, root, names[i]), .vector = vectors + i * dim, .ctime_ns = 1 };
    }
    if (scry_store_put(s, puts, n, &err) < 0)
        die(&err);
    free(vectors);
}

int main(int argc, char **argv)
{
    if (argc < 5) {
        fprintf(stderr, "usage: milvus_rows STORE COLLECTION ROOT COUNT [FIRST]\n");
        return 2;
    }
    scry_error err = SCRY_ERROR_INIT;
    scry_store_options o = SCRY_STORE_OPTIONS_INIT;
    scry_store *s;
    scry_root root;
    scry_store_info info;
    o.collection = argv[2];
    o.mode = SCRY_STORE_WRITE;
    uint64_t count = strtoull(argv[4], NULL, 10), first = argc > 5 ? strtoull(argv[5], NULL, 10) : 0;
    if (scry_store_open(&s, argv[1], &o, &err) < 0 || scry_store_add_root(s, argv[3], &root, &err) < 0)
        die(&err);
    scry_store_describe(s, &info);
    double before = scry_now_ms();
    for (uint64_t i = 0; i < count; i += BATCH)
        put_batch(s, root.id, first + i, count - i < BATCH ? (size_t)(count - i) : BATCH, (size_t)info.dim);
    double sent = (scry_now_ms() - before) / 1e3;
    if (scry_store_sync(s, &err) < 0 || scry_store_close(s, &err) < 0)
        die(&err);
    printf("{\"rows\": %llu, \"seconds\": %.2f, \"rows_per_second\": %.0f, \"seconds_with_sync\": %.2f}\n", (unsigned long long)count, sent,
           (double)count / sent, (scry_now_ms() - before) / 1e3);
    return 0;
}
