#include "decoder/faults.h"

#include <stdlib.h>
#include <string.h>
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

bool scry_decoder_fault(const uint8_t *bytes, size_t size)
{
    const char *set = getenv("SCRY_TEST_DECODER_FAULTS");
    if (!set || strcmp(set, "1") != 0)
        return false;
    if (ends_with(bytes, size, "scry-test:crash"))
        __builtin_trap();
    if (ends_with(bytes, size, "scry-test:hang"))
        for (;;)
            sleep(1000);
    if (ends_with(bytes, size, "scry-test:spin"))
        for (volatile unsigned i = 0;; i++)
            ;
    if (ends_with(bytes, size, "scry-test:memory"))
        eat_memory();
    if (ends_with(bytes, size, "scry-test:exit"))
        _exit(7);
    return ends_with(bytes, size, "scry-test:lie");
}
