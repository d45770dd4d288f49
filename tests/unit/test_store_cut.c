/* Files of a store that are cut short while a process has them mapped: an error or the whole answer, and the process
 * goes on. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "store_fixture.h"

#include "base/map_guard.h"
#include "store/local/columns.h"

#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static off_t size_of(const char *path)
{
    struct stat st;
    assert_int_equal(stat(path, &st), 0);
    return st.st_size;
}

/* A guarded mapping reads as zeros where its file ends and is marked; one that is not guarded still ends the process. */
static void a_lost_page(void **state)
{
    FILE *f = tmpfile();
    int fd = fileno(f);
    long page = sysconf(_SC_PAGESIZE);
    assert_int_equal(ftruncate(fd, 3 * page), 0);
    assert_int_equal(pwrite(fd, "a", 1, 0), 1);
    scry_map_guard_install();
    volatile uint8_t *map = mmap(NULL, (size_t)(3 * page), PROT_READ, MAP_SHARED, fd, 0);
    scry_map_guard *g = scry_map_guard_new((const void *)map, (size_t)(3 * page));
    assert_non_null(g);
    assert_int_equal(map[0], 'a');
    assert_false(scry_map_guard_lost(g));
    assert_int_equal(ftruncate(fd, page), 0);
    assert_int_equal(map[0], 'a');
    assert_false(scry_map_guard_lost(g));
    assert_int_equal(map[2 * page], 0);
    assert_true(scry_map_guard_lost(g));
    assert_int_equal(map[0], 'a');
    scry_map_guard_free(g);
    pid_t child = fork();
    if (child == 0)
        _exit(map[page] + 1);
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGBUS);
    munmap((void *)map, (size_t)(3 * page));
    fclose(f);
}

/* A mapped file is cut short between two searches: within a page and at its start, where reading it raises SIGBUS. A cut
 * cache is made again in memory; without its vectors a store answers with an error, and again once they are back. */
static void files_cut_while_mapped(void **state)
{
    static const struct {
        const char *name;
        bool cache;
    } files[] = { { "vectors-1.seg", false }, { "codes-1.cache", true }, { "columns-1.cache", true } };
    scry_map_guard_install();
    for (size_t i = 0; i < 3; i++)
        for (int page = 0; page < 2; page++) {
            char copy[64], saved[320], command[700];
            scry_store *s;
            scry_results *r;
            scry_error err = SCRY_ERROR_INIT;
            scry_search search = SCRY_SEARCH_INIT;
            scry_filter_pool *pool = scry_filter_pool_new();
            float v[DIM];
            search.filter = scry_filter_text(pool, SCRY_FILTER_IN, "/pictures/d1");
            search.limit = FILES;
            model_vector(3, v, DIM);
            make_fast_scratch(copy);
            make_store(copy);
            must(open_store(&s, copy, SCRY_STORE_READ, &err), &err);
            must(scry_store_search(s, v, &search, &r, &err), &err);
            size_t expected = r->count;
            scry_results_free(r);
            char *path = file_in(copy, files[i].name);
            snprintf(saved, sizeof saved, "%s/saved", copy);
            snprintf(command, sizeof command, "cp '%s' '%s'", path, saved);
            assert_int_equal(system(command), 0);
            assert_int_equal(truncate(path, page ? size_of(path) - 1000 : 100), 0);
            int result = scry_store_search(s, v, &search, &r, &err);
            assert_int_equal(result, files[i].cache ? 0 : SCRY_EDAMAGED);
            if (result == 0) {
                assert_int_equal(r->count, expected);
                scry_results_free(r);
            } else {
                assert_non_null(strstr(err.message, "cut short"));
            }
            snprintf(command, sizeof command, "cat '%s' >'%s'", saved, path);
            assert_int_equal(system(command), 0);
            must(scry_store_search(s, v, &search, &r, &err), &err);
            assert_int_equal(r->count, expected);
            scry_results_free(r);
            scry_filter_pool_free(pool);
            must(scry_store_close(s, &err), &err);
        }
}

/* Files cut while they are read: whatever had been read by then, the answer is whole or an error. */
static void *cut_and_mend(void *arg)
{
    const char *path = arg;
    uint8_t bytes[4096 + FILES * 64];
    int fd = open(path, O_RDWR);
    ssize_t n = pread(fd, bytes, sizeof bytes, 0);
    for (int i = 0; i < 300 && n > 0; i++) {
        if (ftruncate(fd, 4096) < 0 || usleep(200) < 0 || pwrite(fd, bytes, (size_t)n, 0) != n)
            break;
        usleep(200);
    }
    close(fd);
    return NULL;
}

static void files_cut_while_read(void **state)
{
    char copy[64];
    scry_store *s;
    scry_results *r;
    scry_error err = SCRY_ERROR_INIT;
    scry_search search = SCRY_SEARCH_INIT;
    float v[DIM];
    pthread_t cutter;
    int good = 0;
    scry_map_guard_install();
    search.limit = FILES;
    model_vector(3, v, DIM);
    make_fast_scratch(copy);
    make_store(copy);
    must(open_store(&s, copy, SCRY_STORE_READ, &err), &err);
    assert_int_equal(pthread_create(&cutter, NULL, cut_and_mend, file_in(copy, "vectors-1.seg")), 0);
    for (int i = 0; i < 300; i++) {
        int result = scry_store_search(s, v, &search, &r, &err);
        assert_true(result == 0 || result == SCRY_EDAMAGED);
        if (result == 0) {
            good++;
            scry_results_free(r);
        }
    }
    pthread_join(cutter, NULL);
    must(scry_store_search(s, v, &search, &r, &err), &err);
    assert_int_equal(r->count, FILES);
    scry_results_free(r);
    must(scry_store_close(s, &err), &err);
    print_message("%d of 300 searches found the file whole\n", good);
    assert_true(good >= 0 && good <= 299);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_lost_page), cmocka_unit_test(files_cut_while_mapped), cmocka_unit_test(files_cut_while_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
