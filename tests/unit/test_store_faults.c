/* A write that fails at any point: the call reports it, nothing that was committed is lost,
 * and the store works again when the disk does.
 *
 * This program brings its own write, pwrite, ftruncate, fdatasync and fsync, which the
 * dynamic linker gives to SQLite as well. They count, and fail the n-th of them. The test
 * runs one fixed session again and again, with n from 1 until nothing fails any more
 * (SCRY_TEST_FAULTS=all), or with some of these n. Another test keeps, in a folder of its own,
 * what each file held when it was last synced: all that a power cut would leave.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "store_model.h"

#include "base/alloc.h"
#include "base/file.h"
#include "store/local/columns.h"

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

static struct {
    const char *live, *disk;   /* the store's folder, and what is on the disk of it; NULL: not kept */
} power;

/* The path on the disk of a file of the store, its folder made; owned; NULL for other files. */
static char *on_disk(const char *path)
{
    size_t n = power.live ? strlen(power.live) : 0;
    if (!n || strncmp(path, power.live, n) != 0 || path[n] != '/')
        return NULL;
    char *copy = scry_asprintf("%s%s", power.disk, path + n), *slash = strrchr(copy, '/');
    *slash = '\0';
    assert_int_equal(scry_make_dirs(copy, NULL), 0);
    *slash = '/';
    return copy;
}

static void copy_file(const char *from, const char *to)
{
    static char bytes[1 << 16];
    FILE *in = fopen(from, "r"), *out = fopen(to, "w");
    assert_true(in && out);
    for (size_t n; (n = fread(bytes, 1, sizeof bytes, in)) > 0;)
        assert_true(fwrite(bytes, 1, n, out) == n);
    assert_int_equal(fclose(in) | fclose(out), 0);
}

static void reaches_disk(int fd)
{
    char link[64], path[512];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t n = readlink(link, path, sizeof path - 1);
    struct stat st;
    if (n < 0 || fstat(fd, &st) < 0 || !S_ISREG(st.st_mode))
        return;
    path[n] = '\0';
    char *to = on_disk(path);
    if (to)
        copy_file(path, to);
    free(to);
}

int fdatasync(int fd)
{
    int result = fails() ? -1 : (int)syscall(SYS_fdatasync, fd);
    if (result == 0)
        reaches_disk(fd);
    return result;
}

int fsync(int fd)
{
    int result = fails() ? -1 : (int)syscall(SYS_fsync, fd);
    if (result == 0)
        reaches_disk(fd);
    return result;
}

/* Names are on the disk at once: the store syncs the folder before it relies on them. */
int rename(const char *from, const char *to)
{
    int result = (int)syscall(SYS_renameat2, AT_FDCWD, from, AT_FDCWD, to, 0), problem = errno;
    char *a = on_disk(from), *b = on_disk(to);
    if (result == 0 && a && b)
        syscall(SYS_renameat2, AT_FDCWD, a, AT_FDCWD, b, 0);
    free(a);
    free(b);
    errno = problem;
    return result;
}

int unlink(const char *path)
{
    int result = (int)syscall(SYS_unlinkat, AT_FDCWD, path, 0);
    char *there = on_disk(path);
    if (result == 0 && there)
        syscall(SYS_unlinkat, AT_FDCWD, there, 0);
    free(there);
    return result;
}

/* ---- the session ---- */

enum { DIM = 32, FILES = 40, STEPS = 24 };

typedef struct {
    int content[FILES];   /* -1: none */
} tree;

static int open_store(scry_store **s, const char *where, scry_store_mode mode, scry_error *err)
{
    scry_store_options o = SCRY_STORE_OPTIONS_INIT;
    o.mode = mode;
    o.model_identity = "feed";
    o.dim = DIM;
    o.threads = 1;
    return scry_store_open(s, where, &o, err);
}

static int put_files(scry_store *s, const uint8_t *root, int step, tree *t, scry_error *err)
{
    enum { N = 5 };
    scry_put batch[N];
    static float vectors[N][DIM];
    char name[N][32];
    memset(batch, 0, sizeof batch);
    for (int i = 0; i < N; i++) {
        int file = (step * 3 + i) % FILES, content = step * 11 + i;
        snprintf(name[i], sizeof name[i], "f%d.jpg", file);
        batch[i].file = (scry_file){ .relative = name[i], .size = content, .mtime_ns = file, .format = "png" };
        memcpy(batch[i].file.root, root, SCRY_ID_BYTES);
        model_hash(content, batch[i].file.content);
        model_vector(content, vectors[i], DIM);
        batch[i].vector = vectors[i];
        t->content[file] = content;
    }
    return scry_store_put(s, batch, N, err);
}

static int take_step(scry_store *s, const uint8_t *root, int step, tree *t, scry_error *err)
{
    int file = step % FILES;
    char name[32];
    uint8_t id[1][SCRY_ID_BYTES];
    switch (step % 8) {
    case 3:
        return scry_store_sync(s, err);
    case 5:
        snprintf(name, sizeof name, "f%d.jpg", file);
        scry_file_id(root, name, id[0]);
        t->content[file] = -1;
        return scry_store_remove(s, (const uint8_t (*)[SCRY_ID_BYTES])id, 1, NULL, err);
    case 6:
        scry_columns_update((scry_local *)s, 0);
        return 0;
    case 7:
        return scry_store_compact(s, err);
    default:
        return put_files(s, root, step, t, err);
    }
}

static int see_file(void *arg, const scry_file *file)
{
    tree *t = arg;
    int n = (int)file->mtime_ns;
    assert_true(n >= 0 && n < FILES);
    t->content[n] = (int)file->size;
    return 0;
}

static void complain(void *arg, const char *text)
{
    print_error("verify: %s\n", text);
}

static bool same_tree(const tree *a, const tree *b)
{
    return memcmp(a, b, sizeof *a) == 0;
}

static tree read_tree(scry_store *s)
{
    tree t;
    memset(&t, 0xff, sizeof t);
    assert_true(scry_store_each_file(s, NULL, NULL, see_file, &t, NULL) >= 0);
    return t;
}

static void verify(scry_store *s)
{
    scry_verify_report report;
    scry_error err = SCRY_ERROR_INIT;
    if (scry_store_verify(s, &report, complain, NULL, &err) < 0)
        fail_msg("%s", err.message);
    assert_int_equal(report.problems, 0);
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

/* What a power cut leaves now, opened as a store of its own, holds `t`. */
static void expect_on_disk(const tree *t)
{
    char after[64];
    scry_store *s;
    scry_error err = SCRY_ERROR_INIT;
    make_fast_scratch(after);
    const char *live = power.live;
    power.live = NULL;
    char *command = scry_asprintf("cp -R %s/. %s", power.disk, after);
    assert_int_equal(system(command), 0);
    free(command);
    if (open_store(&s, after, SCRY_STORE_WRITE, &err) < 0)
        fail_msg("after a power cut: %s", err.message);
    tree now = read_tree(s);
    assert_true(same_tree(&now, t));
    verify(s);
    assert_int_equal(scry_store_close(s, &err), 0);
    remove_tree(after);
    power.live = live;
}

static void a_power_cut_loses_nothing_committed(void **state)
{
    char live[64], disk[64];
    scry_store *s;
    scry_root root;
    tree t;
    scry_error err = SCRY_ERROR_INIT;
    memset(&t, 0xff, sizeof t);
    make_fast_scratch(live);
    make_fast_scratch(disk);
    faults = (typeof(faults)){ 0 };
    power = (typeof(power)){ live, disk };
    assert_int_equal(open_store(&s, live, SCRY_STORE_CREATE, &err), 0);
    assert_int_equal(scry_store_add_root(s, "/pictures", &root, &err), 0);
    for (int step = 0; step < STEPS; step++) {
        assert_int_equal(take_step(s, root.id, step, &t, &err), 0);
        expect_on_disk(&t);
    }
    assert_int_equal(scry_store_close(s, &err), 0);
    expect_on_disk(&t);
    power.live = NULL;
    remove_tree(live);
    remove_tree(disk);
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
                                        cmocka_unit_test(a_power_cut_loses_nothing_committed),
                                        cmocka_unit_test(a_full_disk_loses_nothing),
                                        cmocka_unit_test(a_full_disk_can_be_searched) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
