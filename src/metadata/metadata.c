#include "metadata/metadata.h"

#include "base/utf8.h"

#include <math.h>
#include <string.h>

static const char *const source_names[SCRY_TAKEN_COUNT] = {
    [SCRY_TAKEN_UNKNOWN] = "",
    [SCRY_TAKEN_EXIF_ORIGINAL] = "exif_original",
    [SCRY_TAKEN_EXIF_DIGITIZED] = "exif_digitized",
    [SCRY_TAKEN_EXIF_MODIFIED] = "exif_modified",
    [SCRY_TAKEN_IFD0] = "ifd0",
    [SCRY_TAKEN_XMP] = "xmp",
    [SCRY_TAKEN_IPTC] = "iptc",
    [SCRY_TAKEN_PNG_TEXT] = "png_text",
    [SCRY_TAKEN_SIDECAR] = "sidecar",
    [SCRY_TAKEN_FILE_NAME] = "file_name",
    [SCRY_TAKEN_FILE_TIME] = "file_time",
    [SCRY_TAKEN_GPS] = "gps",
};

const char *scry_taken_source_name(scry_taken_source source)
{
    return (unsigned)source < SCRY_TAKEN_COUNT ? source_names[source] : "";
}

scry_taken_source scry_taken_source_from_name(const char *name)
{
    for (int i = SCRY_TAKEN_COUNT - 1; name && i > 0; i--)
        if (strcmp(name, source_names[i]) == 0)
            return (scry_taken_source)i;
    return SCRY_TAKEN_UNKNOWN;
}

static bool text_is_sound(const char *s, size_t capacity, char separator)
{
    const char *end = memchr(s, '\0', capacity);
    if (!end || !scry_utf8_valid(s, (size_t)(end - s)))
        return false;
    for (; s < end; s++)
        if (((unsigned char)*s < ' ' && *s != separator) || *s == 0x7f)
            return false;
    return true;
}

static bool time_is_sound(const scry_metadata *m)
{
    if ((unsigned)m->taken_source >= SCRY_TAKEN_COUNT)
        return false;
    if (m->taken_source == SCRY_TAKEN_UNKNOWN)
        return m->taken_at == 0 && !m->has_taken_offset && m->taken_offset_min == 0;
    return m->taken_at >= -(int64_t)SCRY_TAKEN_DAYS_BEFORE_1970 * 86400
           && m->taken_at <= (int64_t)SCRY_TAKEN_DAYS_AFTER_1970 * 86400
           && m->taken_offset_min > -1440 && m->taken_offset_min < 1440;
}

/* A bool of another process may hold any byte: it is compared as one. */
static bool is_bool(const bool *b)
{
    unsigned char byte;
    memcpy(&byte, b, 1);
    return byte <= 1;
}

bool scry_metadata_is_sound(const scry_metadata *m)
{
    if (!is_bool(&m->has_taken_offset) || !is_bool(&m->has_position) || !is_bool(&m->has_rating))
        return false;
    if (m->orientation < 0 || m->orientation > 8 || !time_is_sound(m))
        return false;
    if (m->has_position && !(fabs(m->latitude) <= 90 && fabs(m->longitude) <= 180))
        return false;
    if (m->has_rating && (m->rating < -1 || m->rating > 5))
        return false;
    return text_is_sound(m->camera, sizeof m->camera, 0) && text_is_sound(m->lens, sizeof m->lens, 0)
           && text_is_sound(m->title, sizeof m->title, 0)
           && text_is_sound(m->description, sizeof m->description, 0)
           && text_is_sound(m->keywords, sizeof m->keywords, '\n');
}
