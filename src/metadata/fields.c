#include "metadata/fields.h"

#include "metadata/text.h"

#include <math.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

/* The smaller, the better. */
static int rank_of(scry_taken_source source)
{
    return 2 * (int)(source == SCRY_TAKEN_GPS ? SCRY_TAKEN_FILE_TIME : source) - (source == SCRY_TAKEN_GPS);
}

void scry_metadata_put_date(scry_metadata *m, const scry_date *d, scry_taken_source source)
{
    if (m->taken_source != SCRY_TAKEN_UNKNOWN && rank_of(m->taken_source) <= rank_of(source))
        return;
    m->taken_source = source;
    m->taken_at = d->at;
    m->has_taken_offset = d->has_offset;
    m->taken_offset_min = d->has_offset ? d->offset_min : 0;
}

void scry_metadata_put_gps_date(scry_metadata *m, const scry_date *d, bool has_clock)
{
    enum { GPS_BEGAN = 3657 };   /* 1980-01-06, in days: what receivers write before they know the time */
    scry_date utc = *d;
    if (utc.at < (int64_t)(GPS_BEGAN + 1) * 86400)
        return;
    utc.has_offset |= has_clock;
    utc.offset_min = d->has_offset ? d->offset_min : 0;
    scry_metadata_put_date(m, &utc, SCRY_TAKEN_GPS);
}

void scry_metadata_put_camera(scry_metadata *m, const char *make, const char *model)
{
    size_t first = strcspn(make, " ");
    bool repeated = first > 0 && strncasecmp(make, model, first) == 0;
    char both[256];
    int n = snprintf(both, sizeof both, "%.100s%s%.150s", repeated ? "" : make,
                     !repeated && make[0] && model[0] ? " " : "", model);
    if (!m->camera[0])
        scry_text_put(m->camera, sizeof m->camera, both, (size_t)n);
}

void scry_metadata_put_position(scry_metadata *m, double latitude, double longitude)
{
    bool is_place = fabs(latitude) <= 90 && fabs(longitude) <= 180 && (latitude != 0 || longitude != 0);
    if (m->has_position || !is_place)
        return;
    m->has_position = true;
    m->latitude = latitude;
    m->longitude = longitude;
}

void scry_metadata_put_rating(scry_metadata *m, double rating)
{
    if (m->has_rating || !(rating >= -1 && rating <= 5))
        return;
    m->has_rating = true;
    m->rating = (int)round(rating);
}

void scry_metadata_put_rating_percent(scry_metadata *m, double percent)
{
    if (percent >= 0 && percent <= 100)
        scry_metadata_put_rating(m, percent < 1 ? 0 : 1 + floor((percent + 12) / 25));
}

static void take_text(char *to, const char *from, size_t capacity)
{
    if (!to[0])
        memcpy(to, from, capacity);
}

void scry_metadata_merge(scry_metadata *m, const scry_metadata *more)
{
    scry_date d = { more->taken_at, more->has_taken_offset, more->taken_offset_min };
    if (more->taken_source != SCRY_TAKEN_UNKNOWN)
        scry_metadata_put_date(m, &d, more->taken_source);
    if (m->orientation == 0)
        m->orientation = more->orientation;
    if (more->has_position)
        scry_metadata_put_position(m, more->latitude, more->longitude);
    if (more->has_rating)
        scry_metadata_put_rating(m, more->rating);
    take_text(m->camera, more->camera, sizeof m->camera);
    take_text(m->lens, more->lens, sizeof m->lens);
    take_text(m->title, more->title, sizeof m->title);
    take_text(m->description, more->description, sizeof m->description);
    take_text(m->keywords, more->keywords, sizeof m->keywords);
}
