#include "base/log.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static scry_log_level current_level = SCRY_LOG_QUIET;

void scry_log_set_level(scry_log_level level)
{
    current_level = level;
}

void scry_log(scry_log_level level, const char *fmt, ...)
{
    if (level > current_level)
        return;
    char line[1024];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(line, sizeof line, fmt, ap);
    va_end(ap);
    fprintf(stderr, "scry: %s\n", line);  /* one call: lines of threads do not mix */
}

double scry_now_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e3 + (double)t.tv_nsec * 1e-6;
}

bool scry_trace_enabled(void)
{
    const char *v = getenv("SCRY_TRACE");
    return v && v[0] && strcmp(v, "0") != 0;
}

void scry_trace(const char *name, double start_ms)
{
    if (scry_trace_enabled())
        fprintf(stderr, "trace: %-24s %9.3f ms\n", name, scry_now_ms() - start_ms);
}
