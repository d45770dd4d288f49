/* A power cut at any moment: what the disk has then is a store, with what was committed before.
 *
 * This program brings its own fsync, fdatasync, rename and unlink, which the dynamic linker gives to SQLite as well. They
 * keep, in a folder of its own, what each file of a store held when it was last synced: all that a power cut would leave. After
 * each of these calls a copy of that folder is opened, while the operation is still at work.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "store_session.h"

#include "base/file.h"
#include "scry/copy.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

static struct {
    const char *live, *disk;   /* the store's folder, and what is on the disk of it; NULL: not kept */
    void (*look)(void);        /* at each moment; may be NULL */
    long moments;
} power;

/* ---- what reaches the disk ---- */

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

/* SQLite removes its own files with a lock that opening a database takes. */
static bool is_of_sqlite(const char *path)
{
    return strstr(path, "/index.db-") != NULL;
}

static void moment(const char *path, bool removed)
{
    const char *live = power.live;
    size_t n = live ? strlen(live) : 0;
    if (!n || !power.look || strncmp(path, live, n) != 0 || (removed && is_of_sqlite(path)))
        return;
    int problem = errno;
    power.live = NULL;
    power.moments++;
    power.look();
    power.live = live;
    errno = problem;
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

/* The path of an open file; false where there is none. */
static bool path_of(int fd, char path[512])
{
    char link[64];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t n = readlink(link, path, 511);
    path[n > 0 ? n : 0] = '\0';
    return n > 0;
}

static void reaches_disk(int fd)
{
    char path[512];
    struct stat st;
    if (!path_of(fd, path) || fstat(fd, &st) < 0 || !S_ISREG(st.st_mode))
        return;
    char *to = on_disk(path);
    if (to)
        copy_file(path, to);
    free(to);
    moment(path, false);
}

int fdatasync(int fd)
{
    int result = (int)syscall(SYS_fdatasync, fd);
    if (result == 0)
        reaches_disk(fd);
    return result;
}

int fsync(int fd)
{
    int result = (int)syscall(SYS_fsync, fd);
    if (result == 0)
        reaches_disk(fd);
    return result;
}

/* Names are on the disk at once: the store syncs the folder before it relies on them. A file that was renamed without having
 * been synced is there, and empty. */
static int rename_with(const char *from, const char *to, unsigned flags)
{
    int result = (int)syscall(SYS_renameat2, AT_FDCWD, from, AT_FDCWD, to, flags), problem = errno;
    char *a = on_disk(from), *b = on_disk(to);
    if (result == 0 && a && b && syscall(SYS_renameat2, AT_FDCWD, a, AT_FDCWD, b, flags) < 0 && errno == ENOENT)
        assert_int_equal(truncate(b, 0) == 0 || errno == ENOENT, true);
    free(a);
    free(b);
    if (result == 0)
        moment(from, false);
    errno = problem;
    return result;
}

int rename(const char *from, const char *to)
{
    return rename_with(from, to, 0);
}

int renameat2(int from_fd, const char *from, int to_fd, const char *to, unsigned flags)
{
    assert_true(from_fd == AT_FDCWD && to_fd == AT_FDCWD);
    return rename_with(from, to, flags);
}

static int remove_name(const char *path, int flags)
{
    int result = (int)syscall(SYS_unlinkat, AT_FDCWD, path, flags), problem = errno;
    char *there = on_disk(path);
    if (result == 0 && there)
        syscall(SYS_unlinkat, AT_FDCWD, there, flags);
    free(there);
    if (result == 0)
        moment(path, true);
    errno = problem;
    return result;
}

int unlink(const char *path)
{
    return remove_name(path, 0);
}

int rmdir(const char *path)
{
    return remove_name(path, AT_REMOVEDIR);
}

int unlinkat(int fd, const char *name, int flags)
{
    char folder[512], path[1024];
    if (fd == AT_FDCWD || name[0] == '/' || !path_of(fd, folder))
        return remove_name(name, flags);
    snprintf(path, sizeof path, "%s/%s", folder, name);
    return remove_name(path, flags);
}

/* ---- what is on the disk ---- */

static struct {
    tree before, after;         /* what the store holds before and after the operation */
    const char *root, *moved;   /* its root is at one of these */
    scry_store *from;           /* of a copy, which can be continued; NULL for others */
} expected;

/* A copy of what is on the disk now, owned by the caller as a folder. */
static void take_disk(char after[64])
{
    make_fast_scratch(after);
    char *command = scry_asprintf("cp -R %s/. %s", power.disk, after);
    assert_int_equal(system(command), 0);
    free(command);
}

static int check_root(void *arg, const scry_root *root)
{
    assert_true(strcmp(root->path, expected.root) == 0 || strcmp(root->path, expected.moved) == 0);
    return 0;
}

static scry_store *open_disk(const char *after, scry_store_mode mode)
{
    scry_store *s;
    scry_error err = SCRY_ERROR_INIT;
    scry_store_options o = SCRY_STORE_OPTIONS_INIT;
    o.mode = mode;
    o.model_identity = mode == SCRY_STORE_CREATE ? "feed" : NULL;
    o.dim = mode == SCRY_STORE_CREATE ? DIM : 0;
    o.threads = 1;
    if (scry_store_open(&s, after, &o, &err) < 0)
        fail_msg("after a power cut at moment %ld: %s", power.moments, err.message);
    return s;
}

static void look_at_store(void)
{
    char after[64];
    take_disk(after);
    scry_store *s = open_disk(after, SCRY_STORE_WRITE);
    tree now = read_tree(s);
    assert_true(same_tree(&now, &expected.before) || same_tree(&now, &expected.after));
    verify(s);
    assert_int_equal(scry_store_roots(s, check_root, NULL, NULL), 0);
    assert_int_equal(scry_store_close(s, NULL), 0);
    remove_tree(after);
}

/* What a copy had done is a store, or nothing yet, and the same command completes it. */
static void look_at_copy(void)
{
    char after[64];
    scry_copy_progress done;
    scry_error err = SCRY_ERROR_INIT;
    take_disk(after);
    scry_store *s = open_disk(after, SCRY_STORE_CREATE);
    verify(s);
    if (scry_store_copy(expected.from, s, NULL, &done, &err) < 0)
        fail_msg("after a power cut at moment %ld: %s", power.moments, err.message);
    tree now = read_tree(s);
    assert_true(same_tree(&now, &expected.after));
    verify(s);
    assert_int_equal(scry_store_close(s, NULL), 0);
    remove_tree(after);
}

/* An operation follows: it leads from what the store holds to `next`. */
static void begin(const tree *next)
{
    expected.after = *next;
    power.look = look_at_store;
}

/* It has returned: from now on only its result is right. */
static void end(void)
{
    expected.before = expected.after;
    look_at_store();
    power.look = NULL;
}

typedef struct {
    char live[64], disk[64];
    scry_store *s;
    scry_root root;
    tree t;
} fixture;

static void start(fixture *f)
{
    scry_error err = SCRY_ERROR_INIT;
    memset(&f->t, 0xff, sizeof f->t);
    make_fast_scratch(f->live);
    make_fast_scratch(f->disk);
    power = (typeof(power)){ .live = f->live, .disk = f->disk };
    expected = (typeof(expected)){ .root = "/pictures", .moved = "/pictures" };
    assert_int_equal(open_store(&f->s, f->live, SCRY_STORE_CREATE, &err), 0);
    assert_int_equal(scry_store_add_root(f->s, "/pictures", &f->root, &err), 0);
    expected.before = f->t;
}

static void fill(fixture *f)
{
    scry_error err = SCRY_ERROR_INIT;
    for (int step = 0; step < STEPS; step++)
        assert_int_equal(take_step(f->s, f->root.id, step, &f->t, &err), 0);
    expected.before = f->t;
}

static void finish(fixture *f)
{
    scry_error err = SCRY_ERROR_INIT;
    begin(&f->t);
    assert_int_equal(scry_store_close(f->s, &err), 0);
    end();
    assert_true(power.moments > 0);
    power.live = NULL;
    remove_tree(f->live);
    remove_tree(f->disk);
}

/* ---- operations ---- */

static void files_put_removed_compacted(void **state)
{
    fixture f;
    scry_error err = SCRY_ERROR_INIT;
    start(&f);
    for (int step = 0; step < STEPS; step++) {
        tree next = f.t;
        after_step(step, &next);
        begin(&next);
        assert_int_equal(take_step(f.s, f.root.id, step, &f.t, &err), 0);
        assert_true(same_tree(&f.t, &next));
        end();
    }
    finish(&f);
}

static void many_removed_at_once(void **state)
{
    enum { N = 12 };
    fixture f;
    uint8_t ids[N][SCRY_ID_BYTES];
    uint64_t removed;
    scry_error err = SCRY_ERROR_INIT;
    start(&f);
    fill(&f);
    for (int i = 0; i < N; i++) {
        char name[32];
        snprintf(name, sizeof name, "f%d.jpg", i);
        scry_file_id(f.root.id, name, ids[i]);
        f.t.content[i] = -1;
    }
    begin(&f.t);
    assert_int_equal(scry_store_remove(f.s, (const uint8_t (*)[SCRY_ID_BYTES])ids, N, &removed, &err), 0);
    assert_true(removed > 0);
    end();
    finish(&f);
}

static void a_root_that_moves(void **state)
{
    fixture f;
    scry_error err = SCRY_ERROR_INIT;
    start(&f);
    fill(&f);
    expected.moved = "/elsewhere";
    begin(&f.t);
    assert_int_equal(scry_store_move_root(f.s, "/pictures", "/elsewhere", &err), 0);
    expected.root = expected.moved;
    end();
    finish(&f);
}

static void a_collection_that_is_replaced(void **state)
{
    fixture f;
    scry_store *fresh;
    scry_root root;
    tree next;
    scry_error err = SCRY_ERROR_INIT;
    scry_store_options o = SCRY_STORE_OPTIONS_INIT;
    o.model_identity = "other";
    o.dim = DIM;
    start(&f);
    fill(&f);
    begin(&f.t);   /* nothing is to be seen of the replacement */
    memset(&next, 0xff, sizeof next);
    assert_int_equal(scry_store_begin_replacement(&fresh, f.s, &o, false, &err), 0);
    assert_int_equal(scry_store_add_root(fresh, "/pictures", &root, &err), 0);
    for (int step = 0; step < 4; step++)
        assert_int_equal(put_files(fresh, root.id, 50 + step, &next, &err), 0);
    end();
    begin(&next);
    assert_int_equal(scry_store_replace(f.s, fresh, &err), 0);
    end();
    f.t = next;
    o.mode = SCRY_STORE_WRITE;
    assert_int_equal(scry_store_open(&f.s, f.live, &o, &err), 0);
    finish(&f);
}

/* Into a store that has the root and no file yet, and before that, nothing at all. */
static void a_copy(void **state)
{
    fixture f;
    char other[64];
    scry_store *from;
    scry_root root;
    scry_copy_progress done;
    scry_error err = SCRY_ERROR_INIT;
    power.live = NULL;
    make_fast_scratch(other);
    memset(&f.t, 0xff, sizeof f.t);
    assert_int_equal(open_store(&from, other, SCRY_STORE_CREATE, &err), 0);
    assert_int_equal(scry_store_add_root(from, "/pictures", &root, &err), 0);
    for (int step = 0; step < STEPS; step++)
        assert_int_equal(take_step(from, root.id, step, &f.t, &err), 0);
    make_fast_scratch(f.live);
    make_fast_scratch(f.disk);
    power = (typeof(power)){ .live = f.live, .disk = f.disk, .look = look_at_copy };
    expected = (typeof(expected)){ .after = f.t, .root = "/pictures", .moved = "/pictures", .from = from };
    assert_int_equal(open_store(&f.s, f.live, SCRY_STORE_CREATE, &err), 0);
    assert_int_equal(scry_store_copy(from, f.s, NULL, &done, &err), 0);
    end();
    finish(&f);
    assert_int_equal(scry_store_close(from, &err), 0);
    remove_tree(other);
}

int main(void)
{
    alarm(300);   /* rather than wait for a lock for ever */
    const struct CMUnitTest tests[] = { cmocka_unit_test(files_put_removed_compacted), cmocka_unit_test(many_removed_at_once),
                                        cmocka_unit_test(a_root_that_moves), cmocka_unit_test(a_collection_that_is_replaced),
                                        cmocka_unit_test(a_copy) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
