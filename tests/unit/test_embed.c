/* Pictures in memory against files: encoded bytes and pixels with any stride have the vectors that scry-decode's pixels
 * have. What is no picture fails alone, or ends the call with its reason. Every function takes NULL options. The folder of
 * the installed files can be given. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/alloc.h"
#include "base/file.h"
#include "decoder_fixture.h"
#include "scry/copy.h"
#include "scry/embed.h"
#include "scry/eval.h"
#include "scry/library.h"
#include "scry/query.h"
#include "scry/rebuild.h"
#include "scry/registry.h"
#include "scry/serve.h"
#include "store_model.h"

#include <math.h>
#include <string.h>
#include <unistd.h>

enum { MAX_DIM = 1024 };
static char folder[] = "/tmp/scry-embed.XXXXXX";
static scry_model *model;
static size_t dim;

static char *in_folder(const char *name)
{
    return scry_path_join(folder, name);
}

static void open_model(const char *name)
{
    char relative[128];
    scry_error err = SCRY_ERROR_INIT;
    snprintf(relative, sizeof relative, "tests/golden/models/%s", name);
    scry_model_free(model);
    if (scry_model_open(&model, test_path(relative), NULL, &err) < 0)
        fail_msg("%s", err.message);
    dim = (size_t)scry_model_get_info(model)->dim;
    assert_true(dim <= MAX_DIM);
}

static int set_up(void **state)
{
#ifdef SCRY_SANITIZED
    setenv("SCRY_TEST_UNCONFINED", "1", 1);
#endif
    if (!mkdtemp(folder))
        return -1;
    open_model("clip");
    return 0;
}

static int tear_down(void **state)
{
    scry_model_free(model);
    remove_tree(folder);
    return 0;
}

static void embed_file(const char *path, bool exact, float *out)
{
    scry_embed_options o = SCRY_EMBED_OPTIONS_INIT;
    scry_error err = SCRY_ERROR_INIT;
    size_t failures;
    o.exact = exact;
    assert_int_equal(scry_embed_files(model, &path, 1, &o, out, &failures, &err), 0);
    assert_int_equal(failures, 0);
}

static void read_file(const char *path, scry_buf *out)
{
    scry_error err = SCRY_ERROR_INIT;
    if (scry_read_file(path, out, &err) < 0)
        fail_msg("%s", err.message);
}

/* ---- bytes ---- */

static void bytes_equal_files(void **state)
{
    static const char *const names[] = { "photo.jpg", "rgb.png", "lossy.webp", "rgb.bmp", "oriented.png" };
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        char relative[128];
        float file[MAX_DIM], memory[MAX_DIM];
        scry_buf bytes = SCRY_BUF_INIT(1 << 24);
        scry_error err = SCRY_ERROR_INIT;
        snprintf(relative, sizeof relative, "tests/pictures/%s", names[i]);
        embed_file(test_path(relative), false, file);
        read_file(test_path(relative), &bytes);
        scry_encoded given = { bytes.data, bytes.size };
        if (scry_embed_memory(model, &given, 1, NULL, memory, &err) < 0)
            fail_msg("%s: %s", names[i], err.message);
        assert_memory_equal(file, memory, dim * sizeof *file);
        scry_buf_dispose(&bytes);
    }
}

typedef struct {
    size_t count, index;
    char reason[128];
    bool had_path;
} failure;

static void note_failure(void *arg, size_t index, const char *path, const char *reason)
{
    failure *f = arg;
    f->count++;
    f->index = index;
    f->had_path = path != NULL;
    snprintf(f->reason, sizeof f->reason, "%s", reason);
}

static void bad_bytes_fail_alone(void **state)
{
    scry_buf good = SCRY_BUF_INIT(1 << 24);
    float *rows = scry_alloc(4 * dim * sizeof *rows);
    scry_error err = SCRY_ERROR_INIT;
    failure f = { 0 };
    scry_embed_options o = SCRY_EMBED_OPTIONS_INIT;
    o.failed = note_failure;
    o.arg = &f;
    read_file(test_path("tests/pictures/photo.jpg"), &good);
    static const scry_encoded bad[] = { { "no picture at all", 17 }, { "", 0 }, { NULL, 0 }, { NULL, 5 }, { "\xff\xd8\xff", 3 } };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        scry_encoded given[] = { { good.data, good.size }, bad[i], { good.data, good.size } };
        f = (failure){ 0 };
        assert_int_equal(scry_embed_memory(model, given, 3, &o, rows, &err), 0);
        assert_int_equal(f.count, 1);
        assert_int_equal(f.index, 1);
        assert_false(f.had_path);
        assert_true(f.reason[0]);
        assert_true(isnan(rows[dim]) && isnan(rows[2 * dim - 1]));
        assert_memory_equal(rows, rows + 2 * dim, dim * sizeof *rows);
        /* Nobody listens: the call says it. */
        assert_true(scry_embed_memory(model, given, 3, NULL, rows, &err) < 0);
        assert_non_null(strstr(err.message, "picture 1: "));
    }
    assert_int_equal(scry_embed_memory(model, NULL, 0, NULL, rows, &err), 0);
    free(rows);
    scry_buf_dispose(&good);
}

/* ---- pixels ---- */

/* Numbers that a resampler with a fault would not reproduce: waves and noise. */
static uint8_t pixel(int x, int y, int c)
{
    uint32_t h = (uint32_t)x * 73856093u ^ (uint32_t)y * 19349663u ^ (uint32_t)c * 83492791u;
    return (uint8_t)(127 + 90 * sin(x * 0.07 + c) * cos(y * 0.05) + (h >> 13) % 37);
}

static uint8_t *make_pixels(int w, int h, size_t stride)
{
    uint8_t *p = scry_alloc(stride * (size_t)h + 1);
    memset(p, 0xa5, stride * (size_t)h);
    for (int y = 0; y < h; y++)
        for (int x = 0; x < w; x++)
            for (int c = 0; c < 3; c++)
                p[(size_t)y * stride + 3 * (size_t)x + (size_t)c] = pixel(x, y, c);
    return p;
}

/* The vector that scry-decode's pixels of the same picture have, as PPM. */
static void embed_ppm(const uint8_t *pixels, int w, int h, float *out)
{
    char *path = in_folder("x.ppm");
    FILE *f = fopen(path, "wb");
    assert_non_null(f);
    fprintf(f, "P6 %d %d 255\n", w, h);
    assert_int_equal(fwrite(pixels, 3 * (size_t)w, (size_t)h, f), h);
    assert_int_equal(fclose(f), 0);
    embed_file(path, true, out);
    unlink(path);
    free(path);
}

static void check_pixels(int w, int h)
{
    float wanted[MAX_DIM], got[3 * MAX_DIM];
    size_t row = 3 * (size_t)w, wide = row + 29;
    scry_error err = SCRY_ERROR_INIT;
    uint8_t *packed = make_pixels(w, h, row), *spaced = make_pixels(w, h, wide), *flipped = scry_alloc(row * (size_t)h);
    for (int y = 0; y < h; y++)
        memcpy(flipped + (size_t)y * row, packed + (size_t)(h - 1 - y) * row, row);
    embed_ppm(packed, w, h, wanted);
    scry_rgb given[] = { { packed, w, h, 0 }, { spaced, w, h, (ptrdiff_t)wide },
                         { flipped + (size_t)(h - 1) * row, w, h, -(ptrdiff_t)row } };
    if (scry_embed_rgb(model, given, 3, NULL, got, &err) < 0)
        fail_msg("%d x %d: %s", w, h, err.message);
    for (int i = 0; i < 3; i++)
        assert_memory_equal(wanted, got + (size_t)i * dim, dim * sizeof *got);
    free(packed);
    free(spaced);
    free(flipped);
}

static void pixels_equal_files(void **state)
{
    static const int sizes[][2] = { { 1, 1 }, { 1, 40 }, { 300, 2 }, { 32, 32 }, { 31, 33 }, { 640, 427 }, { 333, 1000 },
                                   { 2000, 64 } };
    static const char *const models[] = { "siglip", "open_clip", "clip", "naflex" };   /* squashed, cropped in two ways, shape kept */
    for (size_t m = 0; m < sizeof models / sizeof *models; m++) {
        open_model(models[m]);
        for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++)
            check_pixels(sizes[i][0], sizes[i][1]);
    }
}

static void bad_pixels_are_refused(void **state)
{
    static const uint8_t some[300];
    float out[MAX_DIM];
    static const struct { scry_rgb picture; const char *said; } bad[] = {
        { { NULL, 10, 10, 30 }, "without data" },
        { { some, 0, 10, 30 }, "0 x 10" },
        { { some, 10, -1, 30 }, "10 x -1" },
        { { some, 10, 10, 29 }, "the stride is 29" },
        { { some, 10, 10, -29 }, "the stride is -29" },
        { { some, 1000001, 1, 0 }, "over 1000000" },
        { { some, 1, 1000001, 3 }, "over 1000000" },
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        scry_error err = SCRY_ERROR_INIT;
        assert_true(scry_embed_rgb(model, &bad[i].picture, 1, NULL, out, &err) < 0);
        assert_non_null(strstr(err.message, "picture 0: "));
        assert_non_null(strstr(err.message, bad[i].said));
    }
}

static void stops_when_told(void **state)
{
    static const uint8_t some[300];
    float out[MAX_DIM];
    scry_cancel cancel = 1;
    scry_rgb picture = { some, 10, 10, 0 };
    scry_embed_options o = SCRY_EMBED_OPTIONS_INIT;
    scry_error err = SCRY_ERROR_INIT;
    o.cancel = &cancel;
    assert_int_equal(scry_embed_rgb(model, &picture, 1, &o, out, &err), SCRY_ECANCELLED);
}

/* ---- queries ---- */

static void queries_bring_their_own_tools(void **state)
{
    float file[MAX_DIM], query[MAX_DIM];
    char argument[4200];
    const char *args[] = { argument };
    scry_query *q;
    scry_query_tools tools = SCRY_QUERY_TOOLS_INIT;
    scry_error err = SCRY_ERROR_INIT;
    snprintf(argument, sizeof argument, "@%s", test_path("tests/pictures/rgb.png"));
    assert_int_equal(scry_query_parse(&q, args, 1, &err), 0);
    assert_int_equal(scry_query_embed(q, NULL, query, NULL, &err), SCRY_EINVALID);
    assert_int_equal(scry_query_embed(q, &tools, query, NULL, &err), SCRY_EINVALID);
    tools.model = model;
    if (scry_query_embed(q, &tools, query, NULL, &err) < 0)
        fail_msg("%s", err.message);
    embed_file(test_path("tests/pictures/rgb.png"), false, file);
    for (size_t d = 0; d < dim; d++)
        assert_true(fabs(file[d] - query[d]) < 1e-6);
    scry_query_free(q);
}

/* ---- NULL options ---- */

static scry_store *new_store(const char *name)
{
    const scry_model_info *m = scry_model_get_info(model);
    scry_store *store;
    scry_store_options o = SCRY_STORE_OPTIONS_INIT;
    scry_error err = SCRY_ERROR_INIT;
    char *where = in_folder(name);
    o.mode = SCRY_STORE_CREATE;
    o.model_identity = m->identity;
    o.model_name = m->name;
    o.dim = m->dim;
    if (scry_store_open(&store, where, &o, &err) < 0)
        fail_msg("%s", err.message);
    free(where);
    return store;
}

static void everything_takes_no_options(void **state)
{
    scry_error err = SCRY_ERROR_INIT;
    scry_store *here = new_store("here"), *there = new_store("there"), *none;
    scry_copy_progress copied;
    scry_compare_report compared;
    scry_results *results;
    scry_eval_set *set;
    float row[MAX_DIM];
    const char *text = "a dog", *label[] = { "dog" };
    char *copy = in_folder("p.png"), *where = in_folder("here");
    scry_index_options index = SCRY_INDEX_OPTIONS_INIT;
    scry_buf bytes = SCRY_BUF_INIT(1 << 24);
    read_file(test_path("tests/pictures/rgb.png"), &bytes);
    assert_int_equal(scry_write_file(copy, bytes.data, bytes.size, &err), 0);
    index.paths = (const char *const *)&copy;
    index.path_count = 1;
    assert_int_equal(scry_index_run(here, model, &index, NULL, &err), 0);

    assert_int_equal(scry_embed_lines(model, &text, 1, NULL, row, NULL, &err), 0);
    assert_int_equal(scry_store_search(here, row, NULL, &results, &err), 0);
    assert_int_equal(results->count, 1);
    scry_results_free(results);
    assert_int_equal(scry_embed_labels(model, label, 1, NULL, 0, NULL, row, &err), 0);
    assert_int_equal(scry_index_run(here, model, NULL, NULL, &err), 0);
    assert_int_equal(scry_store_copy(here, there, NULL, &copied, &err), 0);
    assert_int_equal(copied.copied, 1);
    assert_int_equal(scry_store_compare(here, there, NULL, NULL, NULL, &compared, &err), 0);
    assert_int_equal(compared.files, 1);
    assert_int_equal(scry_store_begin_replacement(&none, here, NULL, false, &err), SCRY_EINVALID);
    assert_int_equal(scry_store_close(there, &err), 0);
    if (scry_rebuild_run(here, model, NULL, NULL, NULL, &err) < 0)
        fail_msg("%s", err.message);
    assert_int_equal(scry_store_open(&here, where, NULL, &err), 0);
    assert_int_equal(scry_store_search(here, row, NULL, &results, &err), 0);
    assert_int_equal(results->count, 1);
    scry_results_free(results);
    assert_int_equal(scry_store_close(here, &err), 0);

    assert_int_equal(scry_eval_set_read(&set, NULL, &err), SCRY_EINVALID);
    assert_int_equal(scry_model_pull(NULL, NULL, &err), SCRY_EINVALID);
    assert_non_null(strstr(err.message, "OWNER/NAME"));
    assert_int_equal(scry_serve_run(NULL, NULL, NULL, NULL, SCRY_PRECISION_AUTO, &err), SCRY_EINVALID);
    assert_int_equal(scry_store_open(&none, NULL, NULL, &err), SCRY_EINVALID);
    scry_buf_dispose(&bytes);
    free(copy);
    free(where);
}

/* ---- an evaluation that is stopped while it ranks ---- */

enum { CAPTIONS = 400 };

typedef struct {
    scry_cancel cancel;
    size_t calls, last, total, stop_at;   /* stop_at: which call asks to stop; 0: none */
} ranking_seen;

static void ranked(void *arg, size_t done, size_t total)
{
    ranking_seen *seen = arg;
    assert_true(done > seen->last && done <= total);
    seen->last = done;
    seen->total = total;
    if (++seen->calls == seen->stop_at)
        atomic_store(&seen->cancel, 1);
}

static int evaluate(const scry_eval_set *set, ranking_seen *seen, int project, scry_eval_report *report, scry_error *err)
{
    scry_eval_options o = SCRY_EVAL_OPTIONS_INIT;
    seen->calls = seen->last = 0;
    o.embed.workers = 1;
    o.embed.cancel = &seen->cancel;
    o.embed.arg = seen;
    o.ranked = ranked;
    o.project = project;
    o.picture_to_text = true;
    return scry_eval_run(model, set, &o, report, err);
}

static void an_evaluation_stops_while_it_ranks(void **state)
{
    scry_error err = SCRY_ERROR_INIT;
    scry_buf text = SCRY_BUF_INIT(1 << 20);
    scry_eval_set *set;
    scry_eval_report report;
    ranking_seen seen = { .stop_at = 0 };
    char *table = in_folder("captions.tsv");
    char *line = scry_asprintf("file\tcaption\n");
    scry_buf_append(&text, line, strlen(line));
    free(line);
    for (int i = 0; i < CAPTIONS; i++) {
        line = scry_asprintf("photo.jpg\tcaption %d\n", i);
        scry_buf_append(&text, line, strlen(line));
        free(line);
    }
    assert_int_equal(scry_write_file(table, text.data, text.size, &err), 0);
    const scry_eval_set_options what = { .table = table, .pictures = test_path("tests/pictures") };
    if (scry_eval_set_read(&set, &what, &err) < 0)
        fail_msg("%s", err.message);
    if (evaluate(set, &seen, 0, &report, &err) < 0)
        fail_msg("%s", err.message);
    assert_true(seen.calls > 2);
    assert_int_equal(seen.last, seen.total);
    assert_int_equal(seen.total, CAPTIONS + 1);
    assert_true(report.count > 0);

    seen.stop_at = 1;
    assert_int_equal(evaluate(set, &seen, 0, &report, &err), SCRY_ECANCELLED);
    assert_int_equal(seen.calls, 1);
    assert_true(seen.last < CAPTIONS);
    assert_int_equal(report.count, 0);

    scry_eval_set_free(set);
    scry_buf_dispose(&text);
    free(table);
}

/* ---- the library ---- */

static void files_are_found_where_it_is_said(void **state)
{
    scry_error err = SCRY_ERROR_INIT;
    char *below = in_folder("libexec/scry"), *file = in_folder("libexec/scry/scry-some.so"), *none = in_folder("none"), *found;
    assert_string_equal(scry_version(), SCRY_VERSION);
    assert_int_equal(scry_make_dirs(below, &err), 0);
    assert_int_equal(scry_write_file(file, "x", 1, &err), 0);
    assert_null(scry_program_file("scry-some.so"));
    assert_int_equal(scry_set_data_dir(folder, &err), 0);
    found = scry_program_file("scry-some.so");
    assert_non_null(found);
    assert_string_equal(found, file);
    free(found);
    assert_int_equal(scry_set_data_dir(none, &err), SCRY_ENOTFOUND);
    assert_non_null(strstr(err.message, none));
    assert_int_equal(scry_set_data_dir(file, &err), SCRY_ENOTFOUND);
    found = scry_program_file("scry-some.so");   /* as it was */
    assert_non_null(found);
    free(found);
    found = scry_program_file("scry-decode");    /* what is not there is where it was */
    assert_non_null(found);
    free(found);
    assert_int_equal(scry_set_data_dir(NULL, &err), 0);
    assert_null(scry_program_file("scry-some.so"));
    setenv("SCRY_DATA_DIR", folder, 1);
    found = scry_program_file("scry-some.so");
    assert_non_null(found);
    free(found);
    unsetenv("SCRY_DATA_DIR");
    free(below);
    free(file);
    free(none);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bytes_equal_files),
        cmocka_unit_test(bad_bytes_fail_alone),
        cmocka_unit_test(pixels_equal_files),
        cmocka_unit_test(bad_pixels_are_refused),
        cmocka_unit_test(stops_when_told),
        cmocka_unit_test(queries_bring_their_own_tools),
        cmocka_unit_test(everything_takes_no_options),
        cmocka_unit_test(an_evaluation_stops_while_it_ranks),
        cmocka_unit_test(files_are_found_where_it_is_said),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
