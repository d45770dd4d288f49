/* What Linux has, and the plain ways of other systems: both open what is in a folder and nothing else. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/pool.h"

/* The plain ways, under other names. */
#define SCRY_PLAIN_SYSTEM
#define scry_open_beneath plain_open_beneath
#define scry_open_without_magic plain_open_without_magic
#define scry_lower_thread plain_lower_thread
#define scry_end_with_parent plain_end_with_parent
#define scry_own_program plain_own_program
#define scry_resident_bytes plain_resident_bytes
#define scry_usable_processors plain_usable_processors
#include "base/system.h"
#include "../../src/base/system.c"
#undef SCRY_BASE_SYSTEM_H
#undef scry_open_beneath
#undef scry_open_without_magic
#undef scry_lower_thread
#undef scry_end_with_parent
#undef scry_own_program
#undef scry_resident_bytes
#undef scry_usable_processors
#include "base/system.h"

#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>

static char folder[64];

static void put(const char *name)
{
    FILE *f = fopen(name, "w");
    assert_non_null(f);
    assert_int_equal(fputs(name, f) >= 0 && fclose(f) == 0, 1);
}

static int make_folder(void **state)
{
    strcpy(folder, "/tmp/scry-test-system-XXXXXX");
    assert_non_null(mkdtemp(folder));
    assert_int_equal(chdir(folder), 0);
    assert_int_equal(mkdir("root", 0700) | mkdir("root/a", 0700) | mkdir("root/a/b", 0700), 0);
    put("root/a/b/c");
    put("root/one");
    put("outside");
    assert_int_equal(symlink("../outside", "root/out") | symlink("..", "root/up") | symlink("a", "root/within"), 0);
    assert_int_equal(symlink("/proc/self/fd/0", "root/magic"), 0);
    return 0;
}

static int remove_folder(void **state)
{
    char command[128];
    assert_int_equal(chdir("/"), 0);
    snprintf(command, sizeof command, "rm -r %s", folder);
    return system(command);
}

/* 0, or the error's number. */
static int tried(int (*open_it)(const char *, const char *, int), const char *relative)
{
    int fd = open_it("root", relative, O_RDONLY), e = errno;
    if (fd < 0)
        return e;
    assert_true(fcntl(fd, F_GETFD) & FD_CLOEXEC);
    close(fd);
    return 0;
}

static int open_files(void)
{
    int n = 0;
    for (int fd = 0; fd < 256; fd++)
        n += fcntl(fd, F_GETFD) >= 0;
    return n;
}

static void beneath(void **state)
{
    static const struct {
        const char *relative;
        int linux_says, plain_says;
    } table[] = {
        { "one", 0, 0 },
        { "a/b/c", 0, 0 },
        { "a//b/./c", 0, 0 },
        { "none", ENOENT, ENOENT },
        { "none/one", ENOENT, ENOENT },
        { "one/none", ENOTDIR, ENOTDIR },
        { "", ENOENT, ENOENT },
        { "../outside", EXDEV, EXDEV },
        { "a/../../outside", EXDEV, EXDEV },
        { "out", EXDEV, ELOOP },
        { "up/outside", EXDEV, ENOTDIR },   /* O_DIRECTORY comes first */
        { "within/b/c", 0, ENOTDIR },
        { "magic", EXDEV, ELOOP },          /* it is absolute */
        { "/etc/passwd", EXDEV, EXDEV },
    };
    int before = open_files();
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        int is = tried(scry_open_beneath, table[i].relative), plain = tried(plain_open_beneath, table[i].relative);
        if (is != table[i].linux_says && is != ENOSYS)
            fail_msg("\"%s\": %s", table[i].relative, strerror(is));
        if (plain != table[i].plain_says)
            fail_msg("\"%s\", plainly: %s", table[i].relative, strerror(plain));
    }
    char longest[300];
    memset(longest, 'n', sizeof longest);
    longest[sizeof longest - 1] = '\0';
    assert_int_equal(tried(plain_open_beneath, longest), ENAMETOOLONG);
    assert_int_equal(plain_open_beneath("nowhere", "one", O_RDONLY), -1);
    assert_int_equal(scry_open_beneath("nowhere", "one", O_RDONLY), -1);
    assert_int_equal(open_files(), before);
}

/* A kernel that does not know openat2. */
static void on_an_old_kernel(void **state)
{
    struct sock_filter refuse[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_openat2, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOSYS),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    struct sock_fprog filter = { sizeof refuse / sizeof *refuse, refuse };
    int status;
    pid_t child = fork();
    if (child == 0) {
        if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 || prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter) < 0)
            _exit(9);
        if (scry_open_without_magic("root/one", O_RDONLY) >= 0 || errno != ENOSYS)
            _exit(1);
        _exit(tried(scry_open_beneath, "a/b/c") != 0 ? 2 : tried(scry_open_beneath, "out") != ELOOP ? 3
              : tried(scry_open_beneath, "../outside") != EXDEV ? 4 : 0);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
}

static void without_magic(void **state)
{
    int fd = scry_open_without_magic("root/within/b/c", O_RDONLY);
    assert_true(fd >= 0 || errno == ENOSYS);
    if (fd >= 0)
        close(fd);
    assert_int_equal(scry_open_without_magic("root/magic", O_RDONLY), -1);
    assert_true(errno == ELOOP || errno == ENOSYS);
    assert_int_equal(plain_open_without_magic("root/one", O_RDONLY), -1);
    assert_int_equal(errno, ENOSYS);
}

static void numbers(void **state)
{
    assert_true(scry_usable_processors() >= 1 && scry_usable_processors() <= plain_usable_processors());
    assert_true(scry_cpu_count() >= 1 && scry_cpu_count() <= scry_usable_processors());
    assert_true(scry_resident_bytes() > 100000 && plain_resident_bytes() == 0);
    assert_int_equal(access(scry_own_program(), X_OK), 0);
    assert_string_equal(plain_own_program(), "scry");
    plain_lower_thread(1);
    plain_end_with_parent(0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(beneath),
        cmocka_unit_test(on_an_old_kernel),
        cmocka_unit_test(without_magic),
        cmocka_unit_test(numbers),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
