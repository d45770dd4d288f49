#include "decoder/faults.h"

#include "image/wire.h"

#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

static bool ends_with(const uint8_t *bytes, size_t size, const char *mark)
{
    size_t n = strlen(mark);
    return size >= n && memcmp(bytes + size - n, mark, n) == 0;
}

/* Up to a gigabyte, for where nothing limits it. */
static void eat_memory(void)
{
    enum { STEP = 16 << 20, STEPS = 64 };
    for (int i = 0; i < STEPS; i++) {
        volatile uint8_t *p = malloc(STEP);
        for (size_t k = 0; p && k < STEP; k += 4096)
            p[k] = 1;
    }
    abort();
}

/* Seven seconds in which little is computed, as on a busy processor. */
static void starve(void)
{
    for (int i = 0; i < 14; i++) {
        clock_t until = clock() + CLOCKS_PER_SEC / 50;
        while (clock() < until)
            ;
        (void)nanosleep(&(struct timespec){ 0, 500000000 }, NULL);
    }
}

static void escape(void)
{
    struct stat st;
    char sx[256];   /* struct statx, which musl has since 1.2.4 */
    char text[64], *const nothing[] = { NULL };   /* a successful execve() ends with status 0 */
    struct sockaddr_un address = { .sun_family = AF_UNIX, .sun_path = "/run/systemd/notify" };
    const bool succeeded[] = {
        getenv("PATH") || getenv("HOME"),
        stat("/", &st) == 0,
        lstat("/etc/passwd", &st) == 0,
        fstatat(AT_FDCWD, "/etc/passwd", &st, AT_EMPTY_PATH) == 0,
        syscall(SYS_statx, AT_FDCWD, "/etc/passwd", AT_EMPTY_PATH, 0x200, sx) == 0,   /* STATX_SIZE */
        access("/", F_OK) == 0,
        readlink("/proc/self/exe", text, sizeof text) >= 0,
        open("/etc/passwd", O_RDONLY) >= 0,
        open("/tmp", O_TMPFILE | O_WRONLY, 0600) >= 0,
        opendir("/") != NULL,
        chdir("/") == 0,
        socket(AF_INET, SOCK_STREAM, 0) >= 0,
        connect(SCRY_WIRE_SOCKET_FD, (struct sockaddr *)&address, sizeof address) == 0,
        dup(0) >= 0,
        pipe((int[2]){ 0 }) == 0,
        mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) != MAP_FAILED,
        kill(getppid(), 0) == 0,
        ftruncate(SCRY_WIRE_INPUT_FD, 0) == 0,
    };
    int n = (int)(sizeof succeeded / sizeof *succeeded);
    for (int i = 0; i < n; i++)
        if (succeeded[i])
            _exit(100 + i);
    if (fork() >= 0)
        _exit(100 + n);
    execve("/bin/true", nothing, nothing);
}

bool scry_decoder_fault(const uint8_t *bytes, size_t size)
{
    if (ends_with(bytes, size, "scry-test:crash"))
        __builtin_trap();
    if (ends_with(bytes, size, "scry-test:hang"))
        for (;;)
            sleep(1000);
    if (ends_with(bytes, size, "scry-test:spin"))
        for (;;)
            __asm__ volatile("");
    if (ends_with(bytes, size, "scry-test:starve"))
        starve();
    if (ends_with(bytes, size, "scry-test:memory"))
        eat_memory();
    if (ends_with(bytes, size, "scry-test:exit"))
        _exit(7);
    if (ends_with(bytes, size, "scry-test:escape"))
        escape();
    return ends_with(bytes, size, "scry-test:lie");
}
