/* Any text as a query line, as arguments, and as the values of filters. What parses has parts
 * that make sense. */
#include "engine/date_words.h"
#include "scry/filter.h"
#include "scry/query.h"

#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_ARGS = 64 };

static void check(const scry_query *q)
{
    const scry_query_part *parts;
    size_t n = scry_query_parts(q, &parts);
    if (n == 0 || n > SCRY_MAX_QUERY_PARTS)
        abort();
    for (size_t i = 0; i < n; i++) {
        const scry_query_part *p = &parts[i];
        if (!p->text || !p->text[0] || !isfinite(p->weight) || p->weight == 0 || p->region[2] < 0 || p->region[3] < 0)
            abort();
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = malloc(size + 1), *save = NULL;
    memcpy(text, data, size);
    text[size] = '\0';
    scry_query *q;
    int64_t s;
    double lat, lon, km;
    if (scry_query_parse_line(&q, text, NULL) == 0) {
        check(q);
        scry_query_free(q);
    }
    double east, north;
    if (scry_parse_box(text, &lon, &lat, &east, &north, NULL) == 0 &&
        !(fabs(lat) <= 90 && lat <= north && fabs(lon) <= 180 && fabs(east) <= 180))
        abort();
    if (scry_parse_near(text, &lat, &lon, &km, NULL) == 0 && !(fabs(lat) <= 90 && fabs(lon) <= 180 && km >= 0))
        abort();
    (void)!scry_parse_time(text, &s, NULL);
    scry_period when;
    if (scry_date_words(text, 1795934220, &when, NULL) == 0 && when.from_s >= when.until_s)
        abort();
    const char *args[MAX_ARGS];
    size_t n = 0;
    for (char *a = strtok_r(text, "\n", &save); a && n < MAX_ARGS; a = strtok_r(NULL, "\n", &save))
        args[n++] = a;
    if (scry_query_parse(&q, args, n, NULL) == 0) {
        check(q);
        scry_query_free(q);
    }
    free(text);
    return 0;
}
