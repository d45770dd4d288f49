#include "decoder/exif.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <libexif/exif-data.h>

enum { MAX_EXIF_BYTES = 1 << 20 };   /* an APP1 marker holds 64 KiB; other containers more */

/* A field of ASCII as a string of printable UTF-8 without space at either end. Bytes of
 * other encodings (a few cameras write Latin-1) become '?'. */
static void get_text(const ExifEntry *e, char *out, size_t capacity)
{
    size_t n = 0;
    out[0] = '\0';
    if (!e || e->format != EXIF_FORMAT_ASCII || !e->data)
        return;
    for (unsigned i = 0; i < e->size && e->data[i] && n + 1 < capacity; i++) {
        unsigned char c = e->data[i];
        if (c == ' ' && n == 0)
            continue;
        out[n++] = c < ' ' || c == 0x7f ? ' ' : c < 0x7f ? (char)c : '?';
    }
    while (n > 0 && out[n - 1] == ' ')
        n--;
    out[n] = '\0';
}

static ExifEntry *find(ExifData *d, ExifIfd ifd, int tag)
{
    return exif_content_get_entry(d->ifd[ifd], (ExifTag)tag);
}

/* Make and model as one name: makers repeat themselves ("Canon", "Canon EOS 5D"). */
static void read_camera(ExifData *d, scry_decode_result *r)
{
    char make[40], model[64];
    get_text(find(d, EXIF_IFD_0, EXIF_TAG_MAKE), make, sizeof make);
    get_text(find(d, EXIF_IFD_0, EXIF_TAG_MODEL), model, sizeof model);
    size_t first = strcspn(make, " ");
    bool repeated = first > 0 && strncasecmp(make, model, first) == 0;
    char both[sizeof make + sizeof model];
    snprintf(both, sizeof both, "%s%s%s", repeated ? "" : make,
             !repeated && make[0] && model[0] ? " " : "", model);
    if (both[0])
        snprintf(r->camera, sizeof r->camera, "%.*s", (int)sizeof r->camera - 1, both);
}

static void read_orientation(ExifData *d, scry_decode_result *r)
{
    const ExifEntry *e = find(d, EXIF_IFD_0, EXIF_TAG_ORIENTATION);
    if (!e || e->format != EXIF_FORMAT_SHORT || e->components < 1 || e->size < 2)
        return;
    int o = exif_get_short(e->data, exif_data_get_byte_order(d));
    if (o >= 1 && o <= 8)
        r->orientation = o;
}

/* Days since 1970-01-01 of a date in the Gregorian calendar. */
static int64_t days_of(int y, int m, int day)
{
    y -= m <= 2;
    int era = y / 400;
    int year = y - era * 400;
    int day_of_year = (153 * (m + (m > 2 ? -3 : 9)) + 2) / 5 + day - 1;
    int day_of_era = year * 365 + year / 4 - year / 100 + day_of_year;
    return (int64_t)era * 146097 + day_of_era - 719468;
}

/* "2024:05:17 10:30:00" (some write '-' or '/'), checked to be a date that exists. */
static bool parse_time(const char *s, int64_t *out)
{
    static const int month_days[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
    int y, m, d, hour, minute, second = 0;
    if (sscanf(s, "%4d%*1[:/.-]%2d%*1[:/.-]%2d%*1[ T]%2d:%2d:%2d", &y, &m, &d, &hour, &minute,
               &second) < 5)
        return false;
    if (y < 1800 || m < 1 || m > 12 || d < 1 || hour < 0 || hour > 23 || minute < 0 || minute > 59
        || second < 0 || second > 60)
        return false;
    bool leap = (y % 4 == 0 && y % 100 != 0) || y % 400 == 0;
    if (d > month_days[m - 1] + (m == 2 && leap))
        return false;
    *out = days_of(y, m, d) * 86400 + hour * 3600 + minute * 60 + second;
    return true;
}

/* "+02:00" as seconds; 0 for anything else. */
static int parse_offset(const char *s)
{
    int hours, minutes;
    char sign[2];
    if (sscanf(s, "%1[+-]%2d:%2d", sign, &hours, &minutes) != 3)
        return 0;
    if (hours < 0 || hours > 14 || minutes < 0 || minutes > 59)
        return 0;
    return (sign[0] == '-' ? -1 : 1) * (hours * 3600 + minutes * 60);
}

static void read_time(ExifData *d, scry_decode_result *r)
{
    static const struct {
        ExifIfd ifd;
        int tag, offset_tag;
    } places[] = {
        { EXIF_IFD_EXIF, EXIF_TAG_DATE_TIME_ORIGINAL, EXIF_TAG_OFFSET_TIME_ORIGINAL },
        { EXIF_IFD_EXIF, EXIF_TAG_DATE_TIME_DIGITIZED, EXIF_TAG_OFFSET_TIME_DIGITIZED },
    };
    for (size_t i = 0; i < sizeof places / sizeof *places && !r->has_time; i++) {
        char text[32], offset[16];
        get_text(find(d, places[i].ifd, places[i].tag), text, sizeof text);
        get_text(find(d, places[i].ifd, places[i].offset_tag), offset, sizeof offset);
        if (parse_time(text, &r->taken_at)) {
            r->taken_at -= parse_offset(offset);
            r->has_time = true;
        }
    }
}

/* Degrees, minutes and seconds as degrees; NAN when they are none. */
static double get_degrees(ExifData *d, int tag, int reference_tag, char negative)
{
    const ExifEntry *e = find(d, EXIF_IFD_GPS, tag);
    char reference[8];
    get_text(find(d, EXIF_IFD_GPS, reference_tag), reference, sizeof reference);
    if (!e || e->format != EXIF_FORMAT_RATIONAL || e->components != 3 || e->size < 24
        || !reference[0])
        return NAN;
    double degrees = 0, unit = 1;
    for (int i = 0; i < 3; i++, unit /= 60) {
        ExifRational v = exif_get_rational(e->data + 8 * i, exif_data_get_byte_order(d));
        if (v.denominator == 0 && (i == 0 || v.numerator != 0))
            return NAN;
        if (v.denominator != 0)
            degrees += unit * v.numerator / v.denominator;
    }
    return reference[0] == negative || reference[0] == negative + 32 ? -degrees : degrees;
}

static void read_position(ExifData *d, scry_decode_result *r)
{
    double latitude = get_degrees(d, EXIF_TAG_GPS_LATITUDE, EXIF_TAG_GPS_LATITUDE_REF, 'S');
    double longitude = get_degrees(d, EXIF_TAG_GPS_LONGITUDE, EXIF_TAG_GPS_LONGITUDE_REF, 'W');
    if (!(fabs(latitude) <= 90 && fabs(longitude) <= 180))
        return;
    r->has_position = true;
    r->latitude = latitude;
    r->longitude = longitude;
}

void scry_exif_read(const uint8_t *bytes, size_t n, scry_decode_result *r)
{
    static const char header[] = "Exif\0";
    if (n < 8 || n > MAX_EXIF_BYTES)
        return;
    ExifData *d = exif_data_new();
    uint8_t *whole = NULL;
    if (!d)
        return;
    exif_data_unset_option(d, EXIF_DATA_OPTION_FOLLOW_SPECIFICATION);
    if (memcmp(bytes, header, sizeof header) != 0) {   /* libexif wants the header */
        whole = malloc(n + sizeof header);
        if (whole) {
            memcpy(whole, header, sizeof header);
            memcpy(whole + sizeof header, bytes, n);
            exif_data_load_data(d, whole, (unsigned)(n + sizeof header));
        }
    } else {
        exif_data_load_data(d, bytes, (unsigned)n);
    }
    read_orientation(d, r);
    read_camera(d, r);
    read_time(d, r);
    read_position(d, r);
    exif_data_unref(d);
    free(whole);
}
