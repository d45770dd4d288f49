/* The decoder's client: the facts and pixels of a picture. A bad file, or a worker that crashes,
 * hangs or sends invalid replies, fails that picture alone, with a reason. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/log.h"
#include "decoder_fixture.h"
#include "image/worker.h"

#include <dirent.h>
#include <errno.h>
#include <math.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

enum { MAX_FILE = 1 << 20 };

static const scry_decode_request small_view = {
    .kind = SCRY_DECODE_VIEWS, .spec = { 16, 1, { SCRY_FIT_CROP_FLOOR }, SCRY_FILTER_BICUBIC }
};

static uint32_t crc32(const uint8_t *p, size_t n)
{
    uint32_t c = 0xffffffff;
    for (size_t i = 0; i < n; i++) {
        c ^= p[i];
        for (int b = 0; b < 8; b++)
            c = c & 1 ? c >> 1 ^ 0xedb88320 : c >> 1;
    }
    return ~c;
}

/* ---- pictures ------------------------------------------------------------------- */

static void crops_equal_pillow(void **state)
{
    scry_decoder *d = new_decoder(NULL);
    FILE *f = open_test_file("tests/pictures/views.tsv");
    char line[256], name[64], fit[16];
    int side, wrong = 0, cases = 0;
    unsigned crc;
    while (fgets(line, sizeof line, f)) {
        if (line[0] == '#')
            continue;
        assert_int_equal(sscanf(line, "%63s %d %15s %x", name, &side, fit, &crc), 4);
        scry_decode_request q = small_view;
        q.exact = true;
        q.spec.size = side;
        q.spec.fit[0] = strcmp(fit, "even") == 0 ? SCRY_FIT_CROP_EVEN : SCRY_FIT_CROP_FLOOR;
        scry_decode_result r;
        assert_int_equal(decode_picture(d, name, &q, &r, NULL), 0);
        if (crc32(r.pixels, 3 * (size_t)side * (size_t)side) != crc) {
            print_error("differs: %s", line);
            wrong++;
        }
        cases++;
    }
    assert_int_equal(wrong, 0);
    assert_true(cases >= 64);
    fclose(f);
    scry_decoder_free(d);
}

static void shrinking_on_load_stays_close(void **state)
{
    scry_decoder *d = new_decoder(NULL);
    static const int sides[] = { 16, 24, 45, 60, 90 };
    static uint8_t exact[3 * 90 * 90];
    for (size_t i = 0; i < sizeof sides / sizeof *sides; i++) {
        scry_decode_request q = small_view;
        scry_decode_result r;
        size_t bytes = 3 * (size_t)sides[i] * (size_t)sides[i];
        double sum = 0;
        q.spec.size = sides[i];
        q.exact = true;
        assert_int_equal(decode_picture(d, "photo.jpg", &q, &r, NULL), 0);
        memcpy(exact, r.pixels, bytes);
        q.exact = false;
        assert_int_equal(decode_picture(d, "photo.jpg", &q, &r, NULL), 0);
        assert_int_equal(r.width, 500);
        for (size_t k = 0; k < bytes; k++)
            sum += abs(exact[k] - r.pixels[k]);
        assert_true(sum / (double)bytes <= 2.0);
    }
    scry_decoder_free(d);
}

static void facts_of_exif(void **state)
{
    scry_decoder *d = new_decoder(NULL);
    scry_decode_request q = small_view;
    scry_decode_result r;
    assert_int_equal(decode_picture(d, "exif.jpg", &q, &r, NULL), 0);
    assert_int_equal(r.format, SCRY_FORMAT_JPEG);
    assert_string_equal(r.metadata.camera, "Canon EOS 5D");
    assert_int_equal(r.orientation, 6);
    assert_int_equal(r.width, 43);
    assert_int_equal(r.height, 61);
    assert_true(r.metadata.taken_source);
    assert_int_equal(r.metadata.taken_at, 1715941800);   /* 2024-05-17 10:30:00 at the place */
    assert_true(r.metadata.has_position);
    assert_true(fabs(r.metadata.latitude - -(33 + 51 / 60.0 + 24.5 / 3600)) < 1e-9);
    assert_true(fabs(r.metadata.longitude - (151 + 12 / 60.0 + 30 / 3600.0)) < 1e-9);
    q.keep_orientation = true;
    assert_int_equal(decode_picture(d, "exif.jpg", &q, &r, NULL), 0);
    assert_int_equal(r.orientation, 6);
    assert_int_equal(r.width, 61);
    assert_int_equal(decode_picture(d, "camera.dng", &q, &r, NULL), 0);
    assert_string_equal(r.metadata.camera, "Scry Test One");
    assert_int_equal(decode_picture(d, "rgb.png", &q, &r, NULL), 0);
    assert_false(r.metadata.taken_source || r.metadata.has_position);
    assert_string_equal(r.metadata.camera, "");
    scry_decoder_free(d);
}

/* A cell of facts.tsv: "-" when the fact must be absent. */
static void check_number(const char *name, const char *cell, bool has, double value)
{
    if (strcmp(cell, "-") == 0 ? has : !has || fabs(atof(cell) - value) > 1e-6)
        fail_msg("%s: %s expected, %s %g found", name, cell, has ? "" : "none, not", value);
}

static void odd_exif(void **state)
{
    scry_decoder *d = new_decoder(NULL);
    FILE *f = open_test_file("tests/pictures/facts.tsv");
    char line[256];
    int cases = 0;
    while (fgets(line, sizeof line, f)) {
        char *rest = line, *cell[6];
        for (int i = 0; i < 6 && line[0] != '#'; i++)
            cell[i] = strsep(&rest, "\t\n");
        if (line[0] == '#')
            continue;
        scry_decode_result r;
        assert_int_equal(decode_picture(d, cell[0], &small_view, &r, NULL), 0);
        check_number(cell[0], cell[1], true, r.orientation);
        if (strcmp(r.metadata.camera, cell[2]) != 0)
            fail_msg("%s: camera '%s'", cell[0], r.metadata.camera);
        check_number(cell[0], cell[3], r.metadata.taken_source, (double)r.metadata.taken_at);
        check_number(cell[0], cell[4], r.metadata.has_position, r.metadata.latitude);
        check_number(cell[0], cell[5], r.metadata.has_position, r.metadata.longitude);
        cases++;
    }
    assert_true(cases >= 16);
    fclose(f);
    scry_decoder_free(d);
}

static void thumbnails_are_jpegs(void **state)
{
    scry_decoder *d = new_decoder(NULL);
    scry_decode_request q = { .kind = SCRY_DECODE_JPEG, .max_side = 100 };
    scry_decode_result r, again;
    uint8_t copy[20000];
    scry_error err = SCRY_ERROR_INIT;
    assert_int_equal(decode_picture(d, "photo.jpg", &q, &r, NULL), 0);
    assert_null(r.pixels);
    assert_int_equal(r.width, 500);
    assert_true(r.encoded_bytes > 500 && r.encoded_bytes < sizeof copy);
    memcpy(copy, r.encoded, r.encoded_bytes);
    assert_int_equal(scry_decoder_load_bytes(d, copy, r.encoded_bytes, &err), 0);
    assert_int_equal(scry_decoder_run(d, &small_view, &again, &err), 0);
    assert_int_equal(again.width, 100);
    assert_int_equal(again.height, 75);
    q.max_side = 0;
    assert_int_equal(decode_picture(d, "camera.dng", &q, &r, NULL), 0);
    assert_int_equal(scry_sniff_format(r.encoded, r.encoded_bytes), SCRY_FORMAT_JPEG);
    scry_decoder_free(d);
}

/* A picture that fits is returned as it is, a larger one with its shape, and turned upright. */
static void whole_pictures_as_pixels(void **state)
{
    scry_decoder *d = new_decoder(NULL);
    scry_decode_request q = { .kind = SCRY_DECODE_RGB, .max_side = 61 };
    scry_decode_result r;
    static uint8_t file[3 * 61 * 43 + 16];
    FILE *f = open_test_file("tests/pictures/rgb.ppm");
    size_t n = fread(file, 1, sizeof file, f), pixels = 3 * 61 * 43;
    fclose(f);
    assert_true(n > pixels);
    assert_int_equal(decode_picture(d, "rgb.ppm", &q, &r, NULL), 0);
    assert_int_equal(r.rgb_width, 61);
    assert_int_equal(r.rgb_height, 43);
    assert_null(r.encoded);
    assert_memory_equal(r.pixels, file + n - pixels, pixels);
    assert_int_equal(decode_picture(d, "rgb.png", &q, &r, NULL), 0);
    assert_memory_equal(r.pixels, file + n - pixels, pixels);
    q.max_side = 30;
    assert_int_equal(decode_picture(d, "exif.jpg", &q, &r, NULL), 0);
    assert_int_equal(r.width, 43);
    assert_int_equal(r.rgb_width, 21);
    assert_int_equal(r.rgb_height, 30);
    scry_decoder_free(d);
}

/* Lines of text are read by workers that were started for it. (tests/e2e/cyrillic.sh reads some.) */
static void lines_need_their_reader(void **state)
{
    static const uint8_t pgm[] = "P5 2 2 255\n\1\2\3";   /* and the NUL */
    scry_decoder *d = new_decoder(NULL);
    scry_decode_request q = { .kind = SCRY_DECODE_LINE, .region = { 0, 0, 2, 2 } };
    scry_decode_result r;
    scry_error err = SCRY_ERROR_INIT;
    assert_int_equal(scry_decoder_load_bytes(d, pgm, sizeof pgm, &err), 0);
    assert_int_equal(scry_decoder_run(d, &q, &r, &err), SCRY_EINVALID);
    assert_string_equal(err.message, "this decoder was started without Tesseract");
    q.region = (scry_region){ 0, 0, 0, 0 };
    assert_int_equal(scry_decoder_run(d, &q, &r, &err), SCRY_EINVALID);
    q.region = (scry_region){ 0, 0, 100, 100 };
    assert_int_equal(scry_decoder_run(d, &q, &r, &err), SCRY_EINVALID);
    assert_string_equal(err.message, "a line of 100 x 100 pixels is not in 15 bytes");
    scry_decoder_free(d);
    scry_decoder_options o = SCRY_DECODER_OPTIONS_INIT;
    o.formats = scry_formats_all();
    o.lines = "/nowhere:rus";
    d = new_decoder(&o);
    assert_int_equal(scry_decoder_start(d, &err), SCRY_EIO);   /* without the library, or without the data */
    assert_non_null(strstr(err.message, "esseract"));
    scry_decoder_free(d);
}

/* Several views of one request equal those of single requests; a region equals a crop. */
static void several_views_and_regions(void **state)
{
    scry_decoder *d = new_decoder(NULL);
    scry_decode_request q = small_view, one = small_view;
    scry_decode_result r;
    enum { BYTES = 3 * 16 * 16 };
    uint8_t both[2 * BYTES];
    q.spec.views = 2;
    q.spec.fit[1] = SCRY_FIT_SQUASH;
    assert_int_equal(decode_picture(d, "photo.jpg", &q, &r, NULL), 0);
    memcpy(both, r.pixels, sizeof both);
    one.exact = false;
    for (int i = 0; i < 2; i++) {
        one.spec.fit[0] = q.spec.fit[i];
        assert_int_equal(decode_picture(d, "photo.jpg", &one, &r, NULL), 0);
        /* The shrinking is chosen for all views together: equal but for its rounding. */
        for (int k = 0; k < BYTES; k++)
            assert_true(abs(both[i * BYTES + k] - r.pixels[k]) <= 24);
    }
    scry_decode_request region = small_view;
    region.exact = true;
    region.region = (scry_region){ 0, 0, 30, 40 };
    assert_int_equal(decode_picture(d, "shapes.svg", &region, &r, NULL), 0);
    for (int k = 0; k < BYTES; k++)   /* the blue half */
        assert_int_equal(r.pixels[k], k % 3 == 2 ? 255 : 0);
    region.region.x = 31;
    assert_int_equal(decode_picture(d, "shapes.svg", &region, &r, NULL), SCRY_EINVALID);
    scry_decoder_free(d);
}

/* ---- bad files ------------------------------------------------------------------ */

/* Any file of tests/pictures, into `bytes`. */
static size_t slurp(const char *relative, uint8_t *bytes)
{
    FILE *f = open_test_file(relative);
    size_t n = fread(bytes, 1, MAX_FILE, f);
    fclose(f);
    return n;
}

static int run_bytes(scry_decoder *d, const uint8_t *bytes, size_t n, scry_error *err)
{
    scry_decode_result r;
    int rc = scry_decoder_load_bytes(d, bytes, n, err);
    return rc < 0 ? rc : scry_decoder_run(d, &small_view, &r, err);
}

static void cut_files_are_errors(void **state)
{
    scry_decoder *d = new_decoder(NULL);
    uint8_t *bytes = malloc(MAX_FILE);
    DIR *dir = opendir(test_path("tests/pictures"));
    char relative[512];
    int pictures = 0, wrong = 0;
    for (struct dirent *e; (e = readdir(dir));) {
        bool is_raw = strncmp(e->d_name, "previews.", 9) == 0 || strncmp(e->d_name, "thumbnail", 9) == 0;
        if (!scry_name_may_be_picture(e->d_name) || is_raw)   /* what is left of these is read: test_raw.c */
            continue;
        snprintf(relative, sizeof relative, "tests/pictures/%.200s", e->d_name);
        size_t n = slurp(relative, bytes);
        scry_error err = SCRY_ERROR_INIT;
        if (run_bytes(d, bytes, n / 2, &err) == 0) {
            print_error("%s: half of it is read as a picture\n", e->d_name);
            wrong++;
        }
        if (err.code == SCRY_EIO || strstr(err.message, "crashed"))
            fail_msg("%s: %s", e->d_name, err.message);
        pictures++;
    }
    closedir(dir);
    assert_int_equal(wrong, 0);
    assert_true(pictures > 80);
    free(bytes);
    scry_decoder_free(d);
}

/* Random bytes changed: a picture or an error, and the worker survives. */
static void damaged_files_are_survived(void **state)
{
    static const char *const names[] = { "rgb420.jpg", "progressive.jpg", "exif.jpg", "palette.png",
        "interlaced.png", "plain.gif", "lzw.tif", "jpeg.tif", "lossy.webp", "picture.avif",
        "picture.heic", "lossless.jxl", "lossless.jp2", "camera.dng", "no-preview.dng", "thumbnail-turned.dng", "previews.cr3",
        "rgb.bmp", "ascii.ppm" };
    scry_decoder *d = new_decoder(NULL);
    uint8_t *bytes = malloc(MAX_FILE);
    char relative[512];
    uint32_t seed = 7;
    int crashes = 0;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        snprintf(relative, sizeof relative, "tests/pictures/%s", names[i]);
        for (int round = 0; round < 12; round++) {
            size_t n = slurp(relative, bytes);
            for (int k = 0; k <= round; k++) {
                seed = seed * 1664525 + 1013904223;
                bytes[seed % n] ^= (uint8_t)(1 << (seed >> 20) % 8);
            }
            scry_error err = SCRY_ERROR_INIT;
            int rc = run_bytes(d, bytes, n, &err);
            assert_int_not_equal(rc, SCRY_EIO);
            crashes += rc < 0 && strstr(err.message, "crashed") != NULL;
        }
    }
    if (crashes)
        print_message("note: %d damaged files crashed a library\n", crashes);
    free(bytes);
    assert_int_equal(decode_picture(d, "rgb.png", &small_view, &(scry_decode_result){ 0 }, NULL), 0);
    scry_decoder_free(d);
}

/* A temporary file with these bytes; its path is valid until the next call. */
static const char *temporary(const void *bytes, size_t n)
{
    static char path[64];
    strcpy(path, "/tmp/scry-test-XXXXXX");
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, bytes, n), n);
    close(fd);
    return path;
}

static int load(scry_decoder *d, const char *path, scry_error *err)
{
    const uint8_t *bytes;
    size_t size;
    struct stat st;
    return scry_decoder_load(d, path, &bytes, &size, &st, err);
}

static void what_is_no_picture_is_refused(void **state)
{
    scry_decoder_options o = SCRY_DECODER_OPTIONS_INIT;
    scry_decode_result r;
    o.max_file_bytes = 100000;
    o.max_pixels = 200000;
    scry_decoder *d = new_decoder(&o);
    scry_error err = SCRY_ERROR_INIT;
    assert_int_equal(load(d, "/dev/zero", &err), SCRY_EINVALID);
    assert_int_equal(load(d, "/tmp", &err), SCRY_EINVALID);
    assert_string_equal(err.message, "not a regular file");
    assert_int_equal(load(d, "/nonexistent.jpg", &err), SCRY_ENOTFOUND);
    const char *path = temporary("", 0);
    assert_int_equal(load(d, path, &err), SCRY_EINVALID);
    assert_string_equal(err.message, "empty");
    unlink(path);
    assert_int_equal(mkfifo(path, 0600), 0);
    assert_int_equal(load(d, path, &err), SCRY_EINVALID);   /* and does not block */
    unlink(path);
    path = temporary("GIF nor anything else", 21);
    assert_int_equal(truncate(path, 100001), 0);
    assert_int_equal(load(d, path, &err), SCRY_ELIMIT);
    unlink(path);
    assert_int_equal(scry_decoder_run(d, &small_view, &r, &err), SCRY_EINVALID);
    assert_string_equal(err.message, "no picture was loaded");
    assert_int_equal(run_bytes(d, (const uint8_t *)"a text named .jpg", 17, &err), SCRY_EINVALID);
    assert_string_equal(err.message, "not a picture of a known format");
    assert_int_equal(decode_picture(d, "rgb.bmp", &small_view, &r, &err), SCRY_EINVALID);
    assert_non_null(strstr(err.message, "the format bmp, which is not read"));
    scry_decoder_free(d);
    o.max_pixels = 100;
    d = new_decoder(&o);
    for (const char **name = (const char *[]){ "photo.jpg", "rgb.png", "plain.gif", "rgb.tif",
                                               "lossy.webp", "picture.avif", "picture.heic",
                                               "lossless.jxl", "camera.dng", NULL }; *name; name++) {
        assert_int_equal(decode_picture(d, *name, &small_view, &r, &err), SCRY_ELIMIT);
        assert_non_null(strstr(err.message, "more than the limit of 0.0001 million"));
    }
    scry_decoder_free(d);
}

typedef struct rewriter {
    const char *path;
    atomic_bool stop;
} rewriter;

static void *rewrite(void *arg)
{
    rewriter *w = arg;
    for (unsigned i = 0; !w->stop; i++) {
        int fd = open(w->path, O_WRONLY);
        if (ftruncate(fd, 400000 + i % 7 * 100000) < 0 || pwrite(fd, &i, sizeof i, 0) < 0)
            break;
        close(fd);
    }
    return NULL;
}

static void a_changing_file_is_noticed(void **state)
{
    rewriter w = { .path = temporary("x", 1) };
    scry_decoder *d = new_decoder(NULL);
    pthread_t thread;
    int changed = 0;
    assert_int_equal(pthread_create(&thread, NULL, rewrite, &w), 0);
    double until = scry_now_ms() + 20000;
    while (changed < 3 && scry_now_ms() < until) {
        scry_error err = SCRY_ERROR_INIT;
        if (load(d, w.path, &err) == SCRY_EIO) {
            assert_string_equal(err.message, "changed while it was read");
            changed++;
        }
    }
    w.stop = true;
    pthread_join(thread, NULL);
    unlink(w.path);
    assert_int_equal(changed, 3);
    scry_decoder_free(d);
}

/* ---- workers that fail ----------------------------------------------------------- */

/* rgb.png with a mark at its end that makes the worker fail (src/decoder/faults.h). */
static int run_fault(scry_decoder *d, const char *mark, scry_error *err)
{
    uint8_t bytes[20000];
    size_t n = slurp("tests/pictures/rgb.png", bytes);
    memcpy(bytes + n, mark, strlen(mark));
    return run_bytes(d, bytes, n + strlen(mark), err);
}

static int open_descriptors(void)
{
    int n = 0;
    DIR *dir = opendir("/proc/self/fd");
    while (dir && readdir(dir))
        n++;
    if (dir)
        closedir(dir);
    return n;
}

static void a_failing_worker_costs_one_picture(void **state)
{
    static const struct {
        const char *mark, *reason;
    } faults[] = {
        { "scry-test:crash", "the decoder crashed (signal 4)" },
        { "scry-test:hang", "took longer than 2.5 s" },
        { "scry-test:spin", "took longer than 2.5 s" },
        { "scry-test:exit", "the decoder ended (status 7)" },
        { "scry-test:lie", "the decoder sent an invalid reply" },
    };
    scry_decoder_options o = SCRY_DECODER_OPTIONS_INIT;
    scry_decode_result r;
    o.time_limit_ms = 2500;
    setenv("SCRY_TEST_DECODER_FAULTS", "1", 1);
    int before = open_descriptors();
    scry_decoder *d = new_decoder(&o);
    assert_int_equal(decode_picture(d, "rgb.png", &small_view, &r, NULL), 0);
    for (size_t i = 0; i < sizeof faults / sizeof *faults; i++) {
        scry_error err = SCRY_ERROR_INIT;
        assert_true(run_fault(d, faults[i].mark, &err) < 0);
        assert_string_equal(err.message, faults[i].reason);
        assert_int_not_equal(err.code, SCRY_EIO);
        if (decode_picture(d, "rgb.png", &small_view, &r, &err) < 0)
            fail_msg("after %s: %s", faults[i].mark, err.message);
    }
    scry_decoder_free(d);
    assert_int_equal(open_descriptors(), before);
    assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);   /* no child is left */
    assert_int_equal(errno, ECHILD);
    unsetenv("SCRY_TEST_DECODER_FAULTS");
}

/* A picture that took seven seconds because the worker had little of the processor, and is not recorded as bad. */
static void a_busy_machine_is_waited_for(void **state)
{
    scry_decoder_options o = SCRY_DECODER_OPTIONS_INIT;
    o.time_limit_ms = 2500;
    setenv("SCRY_TEST_DECODER_FAULTS", "1", 1);
    scry_decoder *d = new_decoder(&o);
    scry_error err = SCRY_ERROR_INIT;
    if (run_fault(d, "scry-test:starve", &err) < 0)
        fail_msg("%s", err.message);
    scry_decoder_free(d);
    unsetenv("SCRY_TEST_DECODER_FAULTS");
}

#ifndef SCRY_SANITIZED
/* No file, socket, process, executable memory, or environment: the worker attempts each of them. */
static void nothing_leaves_the_sandbox(void **state)
{
    scry_error err = SCRY_ERROR_INIT;
    setenv("SCRY_TEST_DECODER_FAULTS", "1", 1);
    scry_decoder *d = new_decoder(NULL);
    if (run_fault(d, "scry-test:escape", &err) < 0)
        fail_msg("%s", err.message);
    setenv("SCRY_TEST_UNCONFINED", "1", 1);
    scry_decoder *open = new_decoder(NULL);
    assert_true(run_fault(open, "scry-test:escape", &err) < 0);   /* the attempts are real */
    unsetenv("SCRY_TEST_UNCONFINED");
    assert_string_equal(err.message, "the decoder ended (status 100)");
    scry_decoder_free(open);
    scry_decoder_free(d);
    unsetenv("SCRY_TEST_DECODER_FAULTS");
}

static void memory_stays_under_the_limit(void **state)
{
    scry_decoder_options o = SCRY_DECODER_OPTIONS_INIT;
    scry_error err = SCRY_ERROR_INIT;
    o.memory_bytes = (size_t)300 << 20;
    setenv("SCRY_TEST_DECODER_FAULTS", "1", 1);
    scry_decoder *d = new_decoder(&o);
    assert_true(run_fault(d, "scry-test:memory", &err) < 0);
    assert_string_equal(err.message, "the decoder crashed (signal 6)");
    scry_decoder_free(d);
    unsetenv("SCRY_TEST_DECODER_FAULTS");
    struct rusage used;
    getrusage(RUSAGE_CHILDREN, &used);
    assert_true(used.ru_maxrss < 300 << 10);
}

static void a_limit_too_low_to_start_is_nobodys_fault(void **state)
{
    scry_decoder_options o = SCRY_DECODER_OPTIONS_INIT;
    scry_error err = SCRY_ERROR_INIT;
    scry_decode_result r;
    o.program = "/bin/false";
    scry_decoder *d = new_decoder(&o);
    assert_int_equal(decode_picture(d, "rgb.png", &small_view, &r, &err), SCRY_EIO);
    scry_decoder_free(d);
    o.program = "/nonexistent/scry-decode";
    d = new_decoder(&o);
    assert_true(decode_picture(d, "rgb.png", &small_view, &r, &err) < 0);
    assert_non_null(strstr(err.message, "cannot start the picture decoder"));
    scry_decoder_free(d);
}
#endif

/* The only child of this process. */
static pid_t child(void)
{
    char path[64];
    int pid = 0;
    snprintf(path, sizeof path, "/proc/self/task/%d/children", getpid());
    FILE *f = fopen(path, "r");
    assert_non_null(f);
    assert_int_equal(fscanf(f, "%d", &pid), 1);
    fclose(f);
    return pid;
}

static void a_worker_killed_from_outside_is_replaced(void **state)
{
    scry_decoder *d = new_decoder(NULL);
    scry_decode_result r;
    assert_int_equal(decode_picture(d, "rgb.png", &small_view, &r, NULL), 0);
    pid_t first = child();
    assert_int_not_equal(getpgid(first), getpgrp());   /* Ctrl-C does not reach it */
    kill(first, SIGKILL);
    assert_int_equal(decode_picture(d, "rgb.png", &small_view, &r, NULL), 0);
    assert_int_not_equal(child(), first);
    scry_decoder_free(d);
}

/* A worker that cannot start exits right after its hello, without having read the request. */
static void a_message_is_read_after_the_worker_exited(void **state)
{
    int pair[2];
    char message[8];
    size_t n = 0;
    assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair), 0);
    scry_worker w = SCRY_WORKER_INIT;
    w.socket = pair[0];
    assert_true(scry_worker_send(&w, "request", 7));
    assert_int_equal(send(pair[1], "hello", 5, 0), 5);
    close(pair[1]);
    assert_int_equal(scry_worker_receive(&w, message, sizeof message, scry_now_ms() + 10000, &n), SCRY_WORKER_MESSAGE);
    assert_int_equal(n, 5);
    assert_memory_equal(message, "hello", 5);
    assert_int_equal(scry_worker_receive(&w, message, sizeof message, scry_now_ms() + 10000, &n), SCRY_WORKER_DEAD);
    scry_worker_stop(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(crops_equal_pillow),
        cmocka_unit_test(shrinking_on_load_stays_close),
        cmocka_unit_test(facts_of_exif),
        cmocka_unit_test(odd_exif),
        cmocka_unit_test(thumbnails_are_jpegs),
        cmocka_unit_test(whole_pictures_as_pixels),
        cmocka_unit_test(lines_need_their_reader),
        cmocka_unit_test(several_views_and_regions),
        cmocka_unit_test(cut_files_are_errors),
        cmocka_unit_test(damaged_files_are_survived),
        cmocka_unit_test(what_is_no_picture_is_refused),
        cmocka_unit_test(a_changing_file_is_noticed),
        cmocka_unit_test(a_failing_worker_costs_one_picture),
        cmocka_unit_test(a_busy_machine_is_waited_for),
#ifndef SCRY_SANITIZED
        cmocka_unit_test(nothing_leaves_the_sandbox),
        cmocka_unit_test(memory_stays_under_the_limit),
        cmocka_unit_test(a_limit_too_low_to_start_is_nobodys_fault),
#endif
        cmocka_unit_test(a_worker_killed_from_outside_is_replaced),
        cmocka_unit_test(a_message_is_read_after_the_worker_exited),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
