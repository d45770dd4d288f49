/* Any bytes as a hub's list of files: refused, or plain names of known files and a whole commit. */
#include "fetch/fetch.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    fetch_report *report = calloc(1, sizeof *report);
    scry_error err = SCRY_ERROR_INIT;
    if (report && fetch_choose(report, (const char *)data, size, "o/n", &err) == 0) {
        if (strlen(report->commit) != 40 || report->count == 0 || report->count > FETCH_MAX_FILES)
            abort();
        for (size_t i = 0; i < report->count; i++) {
            const char *name = report->files[i].name;
            if (!name[0] || name[0] == '.' || strchr(name, '/') || strlen(name) >= FETCH_MAX_NAME)
                abort();
        }
    } else if (err.code == 0) {
        abort();
    }
    free(report);
    return 0;
}
