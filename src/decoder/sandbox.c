#include "decoder/sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <seccomp.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

static int limit(int resource, rlim_t value)
{
    struct rlimit l = { value, value };
    return setrlimit(resource, &l);
}

/* Of all processes the kernel kills a worker first when memory runs out. Only while this one is dumpable its files in /proc
 * are its own. */
static void be_expendable(void)
{
    int fd = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);
    if (fd < 0)
        return;
    (void)!write(fd, "1000", 4);
    close(fd);
}

int scry_sandbox_prepare(scry_error *err)
{
    be_expendable();
    if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0 || prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0
        || prctl(PR_SET_DUMPABLE, 0) < 0 || limit(RLIMIT_CORE, 0) < 0)
        return scry_fail_errno(err, errno, "confining the decoder");
    return 0;
}

/* Calls that are allowed with some arguments only. */
static int allow_calls_with_arguments(scmp_filter_ctx f)
{
    const uint64_t exec = PROT_EXEC;
    int rc = seccomp_rule_add(f, SCMP_ACT_ALLOW, SCMP_SYS(mmap), 1,
                              SCMP_A2(SCMP_CMP_MASKED_EQ, exec, 0));
    rc |= seccomp_rule_add(f, SCMP_ACT_ALLOW, SCMP_SYS(mprotect), 1,
                           SCMP_A2(SCMP_CMP_MASKED_EQ, exec, 0));
    /* Threads, but not processes; seccomp cannot read clone3's flags, which are in memory,
     * so it is refused and libc uses clone. */
    rc |= seccomp_rule_add(f, SCMP_ACT_ALLOW, SCMP_SYS(clone), 1,
                           SCMP_A0(SCMP_CMP_MASKED_EQ, CLONE_THREAD, CLONE_THREAD));
    rc |= seccomp_rule_add(f, SCMP_ACT_ERRNO(ENOSYS), SCMP_SYS(clone3), 0);
    rc |= seccomp_rule_add(f, SCMP_ACT_ALLOW, SCMP_SYS(prctl), 1,
                           SCMP_A0(SCMP_CMP_EQ, PR_SET_NAME, 0));
    rc |= seccomp_rule_add(f, SCMP_ACT_ALLOW, SCMP_SYS(prlimit64), 1, SCMP_A0(SCMP_CMP_EQ, 0, 0));
    rc |= seccomp_rule_add(f, SCMP_ACT_ALLOW, SCMP_SYS(tgkill), 1,
                           SCMP_A0(SCMP_CMP_EQ, (scmp_datum_t)getpid(), 0));
    return rc;
}

static int allow_calls(scmp_filter_ctx f)
{
    static const int calls[] = {
        /* memory */
        SCMP_SYS(munmap), SCMP_SYS(mremap), SCMP_SYS(brk), SCMP_SYS(madvise), SCMP_SYS(membarrier),
        /* threads of the libraries */
        SCMP_SYS(futex), SCMP_SYS(set_robust_list), SCMP_SYS(rseq), SCMP_SYS(sched_yield),
        SCMP_SYS(sched_getaffinity), SCMP_SYS(gettid), SCMP_SYS(getpid), SCMP_SYS(exit),
        SCMP_SYS(exit_group), SCMP_SYS(sigaltstack), SCMP_SYS(rt_sigprocmask),
        SCMP_SYS(rt_sigaction), SCMP_SYS(rt_sigreturn), SCMP_SYS(restart_syscall),
        /* time and limits */
        SCMP_SYS(clock_gettime), SCMP_SYS(gettimeofday), SCMP_SYS(clock_nanosleep),
        SCMP_SYS(nanosleep), SCMP_SYS(getrusage), SCMP_SYS(setrlimit), SCMP_SYS(getrlimit),
        SCMP_SYS(times), SCMP_SYS(sysinfo), SCMP_SYS(getrandom), SCMP_SYS(uname),
        /* descriptors that are open already */
        SCMP_SYS(recvfrom), SCMP_SYS(sendto), SCMP_SYS(read), SCMP_SYS(close), SCMP_SYS(fstat),
        SCMP_SYS(lseek), SCMP_SYS(poll),
    };
    for (size_t i = 0; i < sizeof calls / sizeof *calls; i++) {
        int rc = seccomp_rule_add(f, SCMP_ACT_ALLOW, calls[i], 0);
        if (rc < 0 && rc != -EDOM)   /* EDOM: this architecture has no such call */
            return rc;
    }
    return 0;
}

/* No call takes a path: newfstatat, by which glibc's fstat() asks, cannot be allowed for descriptors alone.
 * What is not allowed fails with EPERM rather than killing: libraries probe for files and settings, and
 * continue without them. */
static int enter_seccomp(scry_error *err)
{
    scmp_filter_ctx f = seccomp_init(SCMP_ACT_ERRNO(EPERM));
    int rc = f ? 0 : -ENOMEM;
    if (rc == 0)
        rc = allow_calls(f);
    if (rc == 0)
        rc = allow_calls_with_arguments(f);
    if (rc == 0)
        rc = seccomp_load(f);
    if (f)
        seccomp_release(f);
    return rc == 0 ? 0 : scry_fail(err, SCRY_EIO, "seccomp is refused by this system (%d)", rc);
}

int scry_sandbox_enter(size_t memory_bytes, scry_error *err)
{
    /* No writing to files. Not set earlier, because qemu-user writes some while libraries load. */
    if (limit(RLIMIT_FSIZE, 0) < 0 || limit(RLIMIT_AS, memory_bytes) < 0)
        return scry_fail_errno(err, errno, "limiting the decoder's memory");
    return enter_seccomp(err);
}

void scry_sandbox_limit_time(int ms)
{
    struct rusage used;
    struct rlimit l;
    if (getrusage(RUSAGE_SELF, &used) < 0 || getrlimit(RLIMIT_CPU, &l) < 0)
        return;
    rlim_t seconds = (rlim_t)(used.ru_utime.tv_sec + used.ru_stime.tv_sec + 2)
                     + (rlim_t)(ms + 999) / 1000;
    l.rlim_cur = l.rlim_max == RLIM_INFINITY || seconds < l.rlim_max ? seconds : l.rlim_max;
    (void)setrlimit(RLIMIT_CPU, &l);
}
