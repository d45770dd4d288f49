/* log.h - messages for the user, on stderr.
 *
 * The library logs nothing by default; the program sets the level. SCRY_TRACE=1
 * prints the time that each stage takes: one line for each, in milliseconds.
 */
#ifndef SCRY_BASE_LOG_H
#define SCRY_BASE_LOG_H

#include <stdbool.h>

typedef enum { SCRY_LOG_QUIET, SCRY_LOG_WARN, SCRY_LOG_INFO, SCRY_LOG_DEBUG } scry_log_level;

void scry_log_set_level(scry_log_level level);   /* before threads start */
void scry_log(scry_log_level level, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

double scry_now_ms(void);                        /* monotonic clock */
bool scry_trace_enabled(void);

/* Print "trace: NAME 1.234 ms" for the time since `start_ms`, when tracing. */
void scry_trace(const char *name, double start_ms);

#endif
