#include "base/map_guard.h"

#include <errno.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <sys/mman.h>
#include <unistd.h>

enum { MAX_GUARDS = 256 };

struct scry_map_guard {
    atomic_bool used, lost;
    atomic_uintptr_t start;   /* 0 while it is being set or freed */
    atomic_size_t size;
};

/* A signal handler can reach global data only. */
static scry_map_guard guards[MAX_GUARDS];
static uintptr_t page_bytes;

static scry_map_guard *guard_of(uintptr_t address)
{
    for (int i = 0; i < MAX_GUARDS; i++) {
        uintptr_t start = atomic_load(&guards[i].start);
        if (start && address >= start && address - start < atomic_load(&guards[i].size))
            return &guards[i];
    }
    return NULL;
}

/* mmap is not on POSIX's list of what a handler may call; on Linux it is a plain system call. */
static void replace_pages(int signal_number, siginfo_t *info, void *context)
{
    int saved = errno;
    uintptr_t page = (uintptr_t)info->si_addr & ~(page_bytes - 1);
    scry_map_guard *g = info->si_code > 0 ? guard_of(page) : NULL;   /* > 0: raised by the kernel */
    if (g) {
        size_t rest = atomic_load(&g->start) + atomic_load(&g->size) - page;
        atomic_store(&g->lost, true);   /* before the first zero can be read */
        if (mmap((void *)page, rest, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED | MAP_NORESERVE, -1, 0) == MAP_FAILED)
            g = NULL;
    }
    if (!g)
        signal(signal_number, SIG_DFL);   /* the instruction is run again, and ends the process */
    errno = saved;
}

void scry_map_guard_install(void)
{
    struct sigaction action = { .sa_sigaction = replace_pages, .sa_flags = SA_SIGINFO | SA_ONSTACK };
    page_bytes = (uintptr_t)sysconf(_SC_PAGESIZE);
    sigemptyset(&action.sa_mask);
    sigaction(SIGBUS, &action, NULL);
}

scry_map_guard *scry_map_guard_new(const void *map, size_t size)
{
    for (int i = 0; i < MAX_GUARDS; i++) {
        scry_map_guard *g = &guards[i];
        bool unused = false;
        if (!atomic_compare_exchange_strong(&g->used, &unused, true))
            continue;
        atomic_store(&g->lost, false);
        atomic_store(&g->size, size);
        atomic_store(&g->start, (uintptr_t)map);
        return g;
    }
    return NULL;
}

bool scry_map_guard_lost(const scry_map_guard *guard)
{
    return guard && atomic_load(&guard->lost);
}

void scry_map_guard_free(scry_map_guard *guard)
{
    if (!guard)
        return;
    atomic_store(&guard->start, 0);
    atomic_store(&guard->used, false);
}
