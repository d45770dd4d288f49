/* A write that fails at any point: the call reports it, nothing that was committed is lost,
 * and the store works again when the disk does.
 *
 * This program brings its own write, pwrite, ftruncate, fdatasync and fsync, which the
 * dynamic linker gives to SQLite as well. They count, and fail the n-th of them. The test
 * runs one fixed session again and again, with n from 1 until nothing fails any more
 * (SCRY_TEST_FAULTS=all), or with some of these n.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "store_session.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static struct {
    long count, fail_at;   /* 0: never */
    bool sticky;           /* and all that follow */
    int error;
} faults;

/* Whether this call is one to fail. */
static bool fails(void)
{
    long n = ++faults.count;
    bool now = faults.fail_at && (n == faults.fail_at || (faults.sticky && n > faults.fail_at));
    if (now)
        errno = faults.error;
    return now;
}

/* A failing write leaves half of its bytes, as a full disk does. */
ssize_t pwrite(int fd, const void *bytes, size_t n, off_t at)
{
    if (fails()) {
        int e = errno;
        syscall(SYS_pwrite64, fd, bytes, n / 2, at);
        errno = e;
        return -1;
    }
    return syscall(SYS_pwrite64, fd, bytes, n, at);
}

ssize_t pwrite64(int fd, const void *bytes, size_t n, off_t at)
{
    return pwrite(fd, bytes, n, at);
}

ssize_t write(int fd, const void *bytes, size_t n)
{
    return fd > 2 && fails() ? -1 : syscall(SYS_write, fd, bytes, n);
}

int ftruncate(int fd, off_t size)
{
    return fails() ? -1 : (int)syscall(SYS_ftruncate, fd, size);
}

int ftruncate64(int fd, off_t size)
{
    return ftruncate(fd, size);
}

int fdatasync(int fd)
{
    return fails() ? -1 : (int)syscall(SYS_fdatasync, fd);
}

int fsync(int fd)
{
    return fails() ? -1 : (int)syscall(SYS_fsync, fd);
}

static void expect_message(const scry_error *err)
{
    assert_true(err->code < 0 && strlen(err->message) > 10);
}

/* Steps from `step` on; stops at the first failure. `t` is what holds at its return. */
static int run_steps(scry_store *s, const uint8_t *root, int step, tree *t, tree *attempted)
{
    for (; step < STEPS; step++) {
        scry_error err = SCRY_ERROR_INIT;
        tree next = *t;
        if (take_step(s, root, step, &next, &err) < 0) {
            expect_message(&err);
            *attempted = next;
            return step;
        }
        *t = next;
    }
    *attempted = *t;
    return step;
}

/* One session with the fail_at-th call failing; false when none was left to fail. */
static bool session(const char *where, long fail_at, bool sticky, int error)
{
    scry_store *s = NULL;
    scry_error err = SCRY_ERROR_INIT;
    scry_root root;
    tree t, attempted;
    memset(&t, 0xff, sizeof t);
    attempted = t;
    faults = (typeof(faults)){ 0, fail_at, sticky, error };
    int step = 0;
    bool opened = open_store(&s, where, SCRY_STORE_CREATE, &err) == 0;
    if (!opened) {
        expect_message(&err);
    } else if (scry_store_add_root(s, "/pictures", &root, &err) < 0) {
        expect_message(&err);
    } else {
        step = run_steps(s, root.id, 0, &t, &attempted);
        if (step < STEPS && !sticky) {   /* the same process continues when the disk works again */
            tree now = read_tree(s);
            assert_true(same_tree(&now, &t));
            step = run_steps(s, root.id, step, &t, &attempted);
            assert_int_equal(step, STEPS);
        }
    }
    bool hit = faults.count >= fail_at;
    if (opened && scry_store_close(s, &err) < 0)
        expect_message(&err);
    hit |= faults.count >= fail_at;
    faults.fail_at = 0;
    if (open_store(&s, where, SCRY_STORE_CREATE, &err) < 0)
        fail_msg("after fault %ld: %s", fail_at, err.message);
    tree now = read_tree(s);
    assert_true(same_tree(&now, &t) || same_tree(&now, &attempted));
    verify(s);
    assert_true(scry_store_add_root(s, "/pictures", &root, &err) == 0);
    t = now;
    assert_int_equal(run_steps(s, root.id, 1, &t, &attempted), STEPS);
    now = read_tree(s);
    assert_true(same_tree(&now, &t));
    verify(s);
    assert_true(scry_store_close(s, &err) == 0);
    return hit;
}

static void every_write_may_fail(void **state)
{
    const char *all = getenv("SCRY_TEST_FAULTS");
    long stride = all ? 1 : 11, n;
    bool hit = true;
    for (n = 1; hit; n += stride) {
        char where[64];
        make_fast_scratch(where);
        hit = session(where, n, n % 3 == 0, n % 2 ? ENOSPC : EIO);
        remove_tree(where);
    }
    print_message("%ld calls, each %ld. failed\n", n, stride);
    assert_true(n > 100);
}

/* A disk of 700 kB, for this process alone. */
static bool mount_small_disk(const char *where)
{
    return unshare(geteuid() == 0 ? CLONE_NEWNS : CLONE_NEWNS | CLONE_NEWUSER) == 0 &&
           mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0 &&
           mount("scry", where, "tmpfs", 0, "size=700k") == 0;
}

/* Files put by a process that dies without closing, so that they are in SQLite's log alone;
 * then no room is left, not even for the log's index. Exit status as below. */
static int read_full_disk(const char *where)
{
    scry_store *s;
    scry_root root;
    int status;
    scry_error err = SCRY_ERROR_INIT;
    char path[128];
    static const uint8_t zeros[4096];
    tree *t = mmap(NULL, sizeof *t, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (t == MAP_FAILED)
        return 1;
    memset(t, 0xff, sizeof *t);
    if (!mount_small_disk(where))
        return 77;
    if (open_store(&s, where, SCRY_STORE_CREATE, &err) < 0 || scry_store_add_root(s, "/pictures", &root, &err) < 0 ||
        put_files(s, root.id, 0, t, &err) < 0 || scry_store_close(s, &err) < 0)
        return 1;
    pid_t child = fork();
    if (child == 0)
        _exit(open_store(&s, where, SCRY_STORE_CREATE, &err) < 0 || put_files(s, root.id, 1, t, &err) < 0);
    if (waitpid(child, &status, 0) != child || status != 0)
        return 2;
    for (int round = 0; round < 2; round++) {   /* the second finds what the first left */
        snprintf(path, sizeof path, "%s/collections/default/index.db-shm", where);
        if (round == 0 && unlink(path) < 0)
            return 3;
        snprintf(path, sizeof path, "%s/filler", where);
        FILE *f = fopen(path, "w");
        while (f && fwrite(zeros, sizeof zeros, 1, f) == 1 && fflush(f) == 0)
            continue;
        if (open_store(&s, where, SCRY_STORE_READ, &err) < 0)
            return 4;
        tree now = read_tree(s);
        verify(s);
        if (!same_tree(&now, t) || scry_store_close(s, &err) < 0)
            return 5;
        (void)!fclose(f);
    }
    return 0;
}

/* A disk of 700 kB that fills up. Exit status of the child: 0 passed, 77 not allowed here. */
static int fill_small_disk(const char *where)
{
    scry_store *s;
    scry_root root;
    tree t, attempted;
    scry_error err = SCRY_ERROR_INIT;
    int step = 0;
    memset(&t, 0xff, sizeof t);
    if (!mount_small_disk(where))
        return 77;
    if (open_store(&s, where, SCRY_STORE_CREATE, &err) < 0 || scry_store_add_root(s, "/pictures", &root, &err) < 0)
        return 1;
    for (int round = 0; round < 4000 && step >= 0; round++) {
        tree next = t;
        if (put_files(s, root.id, round, &next, &err) < 0)
            step = -1;
        else
            t = next;
    }
    if (step != -1 || !strstr(err.message, "safe"))
        return 2;
    tree now = read_tree(s);
    verify(s);
    if (!same_tree(&now, &t))
        return 3;
    (void)!scry_store_close(s, NULL);
    if (open_store(&s, where, SCRY_STORE_READ, &err) < 0)
        return 4;
    now = read_tree(s);
    verify(s);
    return !same_tree(&now, &t) || scry_store_close(s, &err) < 0 ? 5 : 0;
    (void)attempted;
}

static void run_on_small_disk(int (*run)(const char *where))
{
    char where[64];
    int status;
    make_scratch(where);
    pid_t child = fork();
    if (child == 0)
        _exit(run(where));
    assert_int_equal(waitpid(child, &status, 0), child);
    remove_tree(where);
    assert_true(WIFEXITED(status));
    if (WEXITSTATUS(status) == 77)
        return;   /* mounting is not permitted; prove counts cmocka's skip() as a failure */
    assert_int_equal(WEXITSTATUS(status), 0);
}

static void a_full_disk_loses_nothing(void **state)
{
    run_on_small_disk(fill_small_disk);
}

static void a_full_disk_can_be_searched(void **state)
{
    run_on_small_disk(read_full_disk);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(every_write_may_fail),
                                        cmocka_unit_test(a_full_disk_loses_nothing),
                                        cmocka_unit_test(a_full_disk_can_be_searched) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
