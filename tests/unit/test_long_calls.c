/* scry_verify_run and scry_compact_run: their progress, and stopping them at any time. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "store_fixture.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <unistd.h>

typedef struct {
    char where[64];
    scry_store *store;
    scry_cancel cancel;
    uint64_t calls, done, total, problems, stop_at_problem;
    bool stop_at_first;
} world;

static void progress(void *arg, uint64_t done, uint64_t total)
{
    world *w = arg;
    assert_true(done <= total && done >= w->done);
    assert_true(w->calls == 0 || total == w->total);
    w->calls++;
    w->done = done;
    w->total = total;
    if (w->stop_at_first)
        atomic_store(&w->cancel, 1);
}

static void problem(void *arg, const char *text)
{
    world *w = arg;
    assert_true(text[0] != '\0');
    if (++w->problems == w->stop_at_problem)
        atomic_store(&w->cancel, 1);
}

static void open_again(world *w, scry_store_mode mode)
{
    scry_error err = SCRY_ERROR_INIT;
    if (w->store)
        must(scry_store_close(w->store, &err), &err);
    must(open_store(&w->store, w->where, mode, &err), &err);
    atomic_store(&w->cancel, 0);
    w->calls = w->done = w->problems = w->stop_at_problem = 0;
    w->stop_at_first = false;
}

static int start(void **state)
{
    world *w = calloc(1, sizeof *w);
    snprintf(w->where, sizeof w->where, "/tmp/scry-long-%d", (int)getpid());
    make_store(w->where);
    open_again(w, SCRY_STORE_WRITE);
    *state = w;
    return 0;
}

static int end(void **state)
{
    world *w = *state;
    char command[96];
    scry_store_close(w->store, NULL);
    snprintf(command, sizeof command, "rm -rf %s", w->where);
    int removed = system(command);
    free(w);
    return removed;
}

static int verify(world *w, scry_verify_report *report, scry_error *err)
{
    const scry_verify_options o = { .problem = problem, .progress = progress, .arg = w, .cancel = &w->cancel };
    return scry_verify_run(w->store, &o, report, err);
}

static int compact(world *w, scry_error *err)
{
    const scry_compact_options o = { .progress = progress, .arg = w, .cancel = &w->cancel };
    return scry_compact_run(w->store, &o, err);
}

static void progress_of_verify(void **state)
{
    world *w = *state;
    scry_error err = SCRY_ERROR_INIT;
    scry_verify_report report;
    open_again(w, SCRY_STORE_READ);
    must(verify(w, &report, &err), &err);
    assert_int_equal(report.problems, 0);
    assert_int_equal(report.files, FILES);
    assert_true(w->calls >= 2 && w->total > 0);
    assert_int_equal(w->done, w->total);
    must(scry_verify_run(w->store, NULL, &report, &err), &err);
    assert_int_equal(report.files, FILES);
}

/* Every byte of the vectors is another. */
static void damage(world *w)
{
    uint8_t bytes[4096];
    int fd = open(file_in(w->where, "vectors-1.seg"), O_RDWR);
    assert_true(fd >= 0);
    ssize_t n = pread(fd, bytes, sizeof bytes, 4096);
    assert_true(n > 0);
    for (ssize_t i = 0; i < n; i++)
        bytes[i] ^= 1;
    assert_int_equal(pwrite(fd, bytes, (size_t)n, 4096), n);
    close(fd);
}

static void a_stopped_verify_decides_nothing(void **state)
{
    world *w = *state;
    scry_error err = SCRY_ERROR_INIT;
    scry_verify_report report;
    open_again(w, SCRY_STORE_READ);
    damage(w);
    open_again(w, SCRY_STORE_READ);
    atomic_store(&w->cancel, 1);
    assert_int_equal(verify(w, &report, &err), SCRY_ECANCELLED);
    assert_int_equal(w->calls, 0);
    assert_int_equal(scry_store_known_damage(w->store, NULL), 0);
    open_again(w, SCRY_STORE_READ);
    w->stop_at_problem = 1;
    assert_int_equal(verify(w, &report, &err), SCRY_ECANCELLED);
    assert_int_equal(w->problems, 1);
    assert_int_equal(scry_store_known_damage(w->store, NULL), 0);
    open_again(w, SCRY_STORE_READ);
    must(verify(w, &report, &err), &err);
    assert_true(report.problems > 10 && w->problems == report.problems);
    assert_int_equal(scry_store_known_damage(w->store, NULL), SCRY_EDAMAGED);
    open_again(w, SCRY_STORE_READ);
    w->stop_at_first = true;
    assert_int_equal(verify(w, &report, &err), SCRY_ECANCELLED);
    assert_true(w->calls == 1 && w->problems < report.problems + 10);
    assert_int_equal(scry_store_known_damage(w->store, NULL), SCRY_EDAMAGED);
}

static void a_sample_is_for_servers(void **state)
{
    world *w = *state;
    scry_verify_report report;
    assert_int_equal(scry_verify_run(w->store, &(scry_verify_options){ .sample = 5 }, &report, NULL), SCRY_EINVALID);
}

static int take_id(void *arg, const scry_file *file)
{
    uint8_t **at = arg;
    memcpy(*at, file->id, SCRY_ID_BYTES);
    *at += SCRY_ID_BYTES;
    return 0;
}

static void remove_half(world *w)
{
    static uint8_t ids[FILES][SCRY_ID_BYTES];
    uint8_t *at = ids[0];
    uint64_t removed;
    scry_error err = SCRY_ERROR_INIT;
    must(scry_store_each_file(w->store, NULL, NULL, take_id, &at, &err), &err);
    must(scry_store_remove(w->store, (const uint8_t (*)[SCRY_ID_BYTES])ids, FILES / 2, &removed, &err), &err);
    assert_int_equal(removed, FILES / 2);
}

/* How many segments there are; *generation is that of one. */
static int segments(const world *w, int *generation)
{
    DIR *d = opendir(file_in(w->where, ""));
    int count = 0;
    for (const struct dirent *e; (e = readdir(d));)
        count += sscanf(e->d_name, "vectors-%d.seg", generation) == 1;
    closedir(d);
    return count;
}

static void check_whole(world *w)
{
    scry_error err = SCRY_ERROR_INIT;
    scry_verify_report report;
    open_again(w, SCRY_STORE_WRITE);
    must(verify(w, &report, &err), &err);
    assert_int_equal(report.problems, 0);
    assert_int_equal(report.files, FILES - FILES / 2);
    open_again(w, SCRY_STORE_WRITE);
}

static void a_stopped_compaction_changes_nothing(void **state)
{
    world *w = *state;
    scry_error err = SCRY_ERROR_INIT;
    int generation = 0;
    remove_half(w);
    check_whole(w);
    atomic_store(&w->cancel, 1);
    assert_int_equal(compact(w, &err), SCRY_ECANCELLED);
    assert_int_equal(w->calls, 0);
    check_whole(w);
    w->stop_at_first = true;
    assert_int_equal(compact(w, &err), SCRY_ECANCELLED);
    assert_int_equal(w->calls, 1);
    check_whole(w);
    assert_int_equal(segments(w, &generation), 1);
    assert_int_equal(generation, 1);
    must(compact(w, &err), &err);
    assert_true(w->calls >= 2 && w->total > 0 && w->done == w->total);
    check_whole(w);
    assert_int_equal(segments(w, &generation), 1);
    assert_int_equal(generation, 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(progress_of_verify, start, end),
        cmocka_unit_test_setup_teardown(a_stopped_verify_decides_nothing, start, end),
        cmocka_unit_test_setup_teardown(a_sample_is_for_servers, start, end),
        cmocka_unit_test_setup_teardown(a_stopped_compaction_changes_nothing, start, end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
