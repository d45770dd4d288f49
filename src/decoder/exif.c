#include "decoder/exif.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_ENTRIES = 512 };
enum { ASCII = 2, SHORT = 3, LONG = 4, RATIONAL = 5 };   /* types of values */
enum {
    MAKE = 0x10f, MODEL = 0x110, ORIENTATION = 0x112, EXIF_IFD = 0x8769, GPS_IFD = 0x8825,
    TIME_ORIGINAL = 0x9003, TIME_DIGITIZED = 0x9004, OFFSET_ORIGINAL = 0x9011,
    OFFSET_DIGITIZED = 0x9012,
    GPS_LATITUDE_REF = 1, GPS_LATITUDE = 2, GPS_LONGITUDE_REF = 3, GPS_LONGITUDE = 4
};

typedef struct block {
    const uint8_t *p;
    size_t n;
    bool big;        /* byte order */
} block;

/* A value that was found, its bytes within the block; type 0 for none. */
typedef struct value {
    int type;
    uint32_t count;
    const uint8_t *p;
} value;

/* The values of a directory that are wanted, in the order of `tags`. */
typedef struct directory {
    const uint16_t *tags;
    size_t count;
    value *values;
} directory;

static uint32_t number(const block *b, const uint8_t *p, int bytes)
{
    uint32_t v = 0;
    for (int i = 0; i < bytes; i++)
        v |= (uint32_t)p[i] << 8 * (b->big ? bytes - 1 - i : i);
    return v;
}

/* `bytes` bytes at `at`, or NULL when the block ends before. */
static const uint8_t *reach(const block *b, size_t at, uint64_t bytes)
{
    return bytes <= b->n && at <= b->n - bytes ? b->p + at : NULL;
}

static value read_value(const block *b, const uint8_t *entry)
{
    static const uint8_t sizes[] = { 0, 1, 1, 2, 4, 8 };
    value v = { (int)number(b, entry + 2, 2), number(b, entry + 4, 4), entry + 8 };
    uint64_t bytes = v.type < (int)sizeof sizes ? (uint64_t)sizes[v.type] * v.count : 0;
    if (bytes > 4)
        v.p = reach(b, number(b, entry + 8, 4), bytes);
    return bytes > 0 && v.p ? v : (value){ 0, 0, NULL };
}

/* The first entry of each tag counts. */
static void read_directory(const block *b, size_t at, const directory *d)
{
    const uint8_t *p = reach(b, at, 2);
    uint32_t entries = p ? number(b, p, 2) : 0;
    for (uint32_t i = 0; i < entries && i < MAX_ENTRIES; i++) {
        const uint8_t *entry = reach(b, at + 2 + (size_t)i * 12, 12);
        if (!entry)
            return;
        uint32_t tag = number(b, entry, 2);
        for (size_t k = 0; k < d->count; k++)
            if (d->tags[k] == tag && d->values[k].type == 0)
                d->values[k] = read_value(b, entry);
    }
}

/* ASCII as a string of printable characters without space at either end. Bytes of other
 * encodings (a few cameras write Latin-1) become '?'. */
static void get_text(const value *v, char *out, size_t capacity)
{
    size_t n = 0;
    for (uint32_t i = 0; v->type == ASCII && i < v->count && v->p[i] && n + 1 < capacity; i++) {
        unsigned char c = v->p[i];
        if (c == ' ' && n == 0)
            continue;
        out[n++] = c < ' ' || c == 0x7f ? ' ' : c < 0x7f ? (char)c : '?';
    }
    while (n > 0 && out[n - 1] == ' ')
        n--;
    out[n] = '\0';
}

/* The offset in a SHORT or LONG; 0 for none. */
static uint32_t get_number(const block *b, const value *v)
{
    return v->type == SHORT ? number(b, v->p, 2) : v->type == LONG ? number(b, v->p, 4) : 0;
}

/* Make and model as one name: makers repeat themselves ("Canon", "Canon EOS 5D"). */
static void read_camera(const value *make_value, const value *model_value, scry_decode_result *r)
{
    char make[40], model[64];
    get_text(make_value, make, sizeof make);
    get_text(model_value, model, sizeof model);
    size_t first = strcspn(make, " ");
    bool repeated = first > 0 && strncasecmp(make, model, first) == 0;
    char both[sizeof make + sizeof model];
    snprintf(both, sizeof both, "%s%s%s", repeated ? "" : make,
             !repeated && make[0] && model[0] ? " " : "", model);
    if (both[0])
        snprintf(r->camera, sizeof r->camera, "%.*s", (int)sizeof r->camera - 1, both);
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

static void read_time(const block *b, size_t at, scry_decode_result *r)
{
    static const uint16_t tags[] = { TIME_ORIGINAL, OFFSET_ORIGINAL, TIME_DIGITIZED,
                                     OFFSET_DIGITIZED };
    value values[4] = { 0 };
    read_directory(b, at, &(directory){ tags, 4, values });
    for (int i = 0; i < 4 && !r->has_time; i += 2) {
        char text[32], offset[16];
        get_text(&values[i], text, sizeof text);
        get_text(&values[i + 1], offset, sizeof offset);
        if (parse_time(text, &r->taken_at)) {
            r->taken_at -= parse_offset(offset);
            r->has_time = true;
        }
    }
}

/* Degrees, minutes and seconds as degrees; NAN when they are none. */
static double get_degrees(const block *b, const value *v, const value *reference, char negative)
{
    char letter[2];
    get_text(reference, letter, sizeof letter);
    if (v->type != RATIONAL || v->count != 3 || !letter[0])
        return NAN;
    double degrees = 0, unit = 1;
    for (int i = 0; i < 3; i++, unit /= 60) {
        uint32_t above = number(b, v->p + 8 * i, 4), below = number(b, v->p + 8 * i + 4, 4);
        if (below == 0 && (i == 0 || above != 0))
            return NAN;
        if (below != 0)
            degrees += unit * above / below;
    }
    return letter[0] == negative || letter[0] == negative + 32 ? -degrees : degrees;
}

static void read_position(const block *b, size_t at, scry_decode_result *r)
{
    static const uint16_t tags[] = { GPS_LATITUDE, GPS_LATITUDE_REF, GPS_LONGITUDE,
                                     GPS_LONGITUDE_REF };
    value v[4] = { 0 };
    read_directory(b, at, &(directory){ tags, 4, v });
    double latitude = get_degrees(b, &v[0], &v[1], 'S');
    double longitude = get_degrees(b, &v[2], &v[3], 'W');
    if (!(fabs(latitude) <= 90 && fabs(longitude) <= 180))
        return;
    r->has_position = true;
    r->latitude = latitude;
    r->longitude = longitude;
}

void scry_exif_read(const uint8_t *bytes, size_t n, scry_decode_result *r)
{
    static const uint16_t tags[] = { MAKE, MODEL, ORIENTATION, EXIF_IFD, GPS_IFD };
    value v[5] = { 0 };
    block b = { bytes, n, false };
    if (n >= 6 && memcmp(bytes, "Exif\0", 6) == 0) {
        b.p += 6;
        b.n -= 6;
    }
    if (b.n < 8 || (memcmp(b.p, "II", 2) != 0 && memcmp(b.p, "MM", 2) != 0))
        return;
    b.big = b.p[0] == 'M';
    read_directory(&b, number(&b, b.p + 4, 4), &(directory){ tags, 5, v });
    read_camera(&v[0], &v[1], r);
    uint32_t orientation = get_number(&b, &v[2]);
    if (orientation >= 1 && orientation <= 8)
        r->orientation = (int)orientation;
    if (get_number(&b, &v[3]))
        read_time(&b, get_number(&b, &v[3]), r);
    if (get_number(&b, &v[4]))
        read_position(&b, get_number(&b, &v[4]), r);
}
