#include "metadata/exif.h"

#include "base/utf8.h"
#include "metadata/fields.h"
#include "metadata/text.h"
#include "metadata/tiff.h"

#include <math.h>
#include <string.h>
#include <strings.h>

/* The tags that are read; those named GPS_ are of the GPS directory. */
static const uint16_t main_tags[] = {
    0x10e, 0x10f, 0x110, 0x112, 0x132, 0x8769, 0x8825, 0x4746, 0x9c9b, 0x9c9c, 0x9c9e, 0x9003, 0x9004, 0xa434,
    0x2bc, 0x83bb, 0x8649, 0x2e, 0x4749, 0x882a
};
enum {
    DESCRIPTION, MAKE, MODEL, ORIENTATION, MODIFIED, EXIF_IFD, GPS_IFD, RATING, XP_TITLE, XP_COMMENT, XP_KEYWORDS,
    MAIN_ORIGINAL, MAIN_DIGITIZED, MAIN_LENS, XMP, IPTC, PHOTOSHOP, PREVIEW, PERCENT, MAIN_HOURS, MAIN_COUNT
};
static const uint16_t details_tags[] = { 0x9003, 0x9004, 0x9011, 0x9012, 0x9010, 0x132, 0xa434, 0x9286, 0x882a };
enum {
    ORIGINAL, DIGITIZED, OFFSET_ORIGINAL, OFFSET_DIGITIZED, OFFSET_MODIFIED, MISPLACED_MODIFIED, LENS_MODEL,
    USER_COMMENT, HOURS, DETAILS_COUNT
};
static const uint16_t place_tags[] = { 1, 2, 3, 4, 7, 0x1d };
enum { LATITUDE_REF, LATITUDE, LONGITUDE_REF, LONGITUDE, GPS_CLOCK, GPS_DAY, PLACE_COUNT };

static void get_text(const scry_tiff_value *v, char *out, size_t capacity)
{
    scry_text_put(out, capacity, v->p, scry_tiff_is_text(v->type) ? v->count : 0);
}

/* ---- meaning of the tags ---------------------------------------------------------- */

static void read_camera(const scry_tiff_value *v, scry_metadata *m)
{
    char make[64], model[64];
    get_text(&v[MAKE], make, sizeof make);
    get_text(&v[MODEL], model, sizeof model);
    scry_metadata_put_camera(m, make, model);
}

/* Texts that cameras write into every picture. */
static bool is_boilerplate(const char *s)
{
    static const char *const words[] = { "OLYMPUS DIGITAL CAMERA", "MINOLTA DIGITAL CAMERA", "KONICA MINOLTA DIGITAL CAMERA",
        "SONY DSC", "DCF 1.0", "PENTAX DIGITAL CAMERA", "SAMSUNG DIGITAL CAMERA", "SAMSUNG CAMERA PICTURES",
        "Exif_JPEG_PICTURE", "Exif JPEG", "DIGITAL CAMERA", "DigitalCAMERA", "default" };
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (strcasecmp(s, words[i]) == 0)
            return true;
    return false;
}

static void get_utf16(const scry_tiff_value *v, char *out, size_t capacity)
{
    if (v->type == SCRY_TIFF_BYTE || v->type == SCRY_TIFF_UNDEFINED)
        scry_text_put_utf16(out, capacity, v->p, v->count, false);
}

/* Windows keeps its keywords in one text, with semicolons. */
static void read_xp_keywords(const scry_tiff_value *v, scry_metadata *m)
{
    char all[sizeof m->keywords], word[sizeof m->keywords];
    all[0] = '\0';
    get_utf16(v, all, sizeof all);
    for (const char *at = all; *at; at += strspn(at, "; ")) {
        size_t n = strcspn(at, ";");
        scry_text_put(word, sizeof word, at, n);
        scry_text_add_keyword(m->keywords, sizeof m->keywords, word);
        at += n;
    }
}

static void read_texts(const scry_tiff *t, const scry_tiff_value *v, scry_metadata *m)
{
    if (!m->description[0])
        get_text(&v[DESCRIPTION], m->description, sizeof m->description);
    if (is_boilerplate(m->description))
        m->description[0] = '\0';
    if (!m->title[0])
        get_utf16(&v[XP_TITLE], m->title, sizeof m->title);
    if (!m->description[0])
        get_utf16(&v[XP_COMMENT], m->description, sizeof m->description);
    if (!m->keywords[0])
        read_xp_keywords(&v[XP_KEYWORDS], m);
    if (v[RATING].type)
        scry_metadata_put_rating(m, (double)scry_tiff_number(t, &v[RATING], 0));
    if (v[PERCENT].type)
        scry_metadata_put_rating_percent(m, (double)scry_tiff_number(t, &v[PERCENT], 0));
}

/* In the block's byte order, but many programs write the other one, which a byte order mark or the zero byte of an ASCII
 * character shows. */
static bool is_big(const scry_tiff *t, const uint8_t *p, uint64_t n)
{
    if (n < 2)
        return t->big;
    if ((p[0] == 0xfe && p[1] == 0xff) || (p[0] == 0xff && p[1] == 0xfe))
        return p[0] == 0xfe;
    return p[0] != p[1] && (p[0] == 0 || p[1] == 0) ? p[0] == 0 : t->big;
}

/* Nothing but text, and zeros behind it. */
static bool is_plain_text(const uint8_t *p, uint64_t n)
{
    while (n > 0 && p[n - 1] == '\0')
        n--;
    for (uint64_t i = 0; i < n; i++)
        if (p[i] < ' ' && p[i] != '\n' && p[i] != '\r' && p[i] != '\t')
            return false;
    return scry_utf8_valid((const char *)p, (size_t)n);
}

/* UserComment begins with eight bytes that name its encoding, zeros for none: then it may be binary data of the camera. */
static void read_comment(const scry_tiff *t, const scry_tiff_value *v, scry_metadata *m)
{
    enum { CODE = 8 };
    if (m->description[0] || v->type == 0 || !scry_tiff_is_text(v->type) || v->count <= CODE)
        return;
    const uint8_t *text = v->p + CODE;
    uint64_t n = v->count - CODE;
    bool unnamed = memcmp(v->p, "\0\0\0\0\0\0\0", CODE) == 0;
    if (memcmp(v->p, "UNICODE", 7) == 0)
        scry_text_put_utf16(m->description, sizeof m->description, text, n, is_big(t, text, n));
    else if (memcmp(v->p, "ASCII", 5) == 0 || (unnamed && is_plain_text(text, n)))
        scry_text_put(m->description, sizeof m->description, text, n);
    if (is_boilerplate(m->description))
        m->description[0] = '\0';
}

static void read_date(const scry_tiff_value *v, const scry_tiff_value *offset, scry_taken_source source, scry_metadata *m)
{
    char text[48], zone[16];
    scry_date d;
    get_text(v, text, sizeof text);
    if (!scry_date_parse(&d, text))
        return;
    if (offset) {
        get_text(offset, zone, sizeof zone);
        if (!d.has_offset)
            d.has_offset = scry_offset_parse(&d.offset_min, zone);
    }
    scry_metadata_put_date(m, &d, source);
}

/* Degrees, minutes and seconds as degrees; NAN when they are invalid. The reference (N, S, E,
 * W) gives the sign; an empty one is N or E, as exiftool takes it. */
static double get_degrees(const scry_tiff *t, const scry_tiff_value *v, const scry_tiff_value *reference, char negative)
{
    char letter[8];
    get_text(reference, letter, sizeof letter);
    if (v->type == 0 || reference->type == 0)
        return NAN;
    double degrees = scry_tiff_real(t, v, 0), unit = 60;
    for (size_t i = 1; i < 3 && i < v->count; i++, unit *= 60)
        degrees += scry_tiff_real(t, v, i) / unit;
    degrees = fabs(degrees);
    return letter[0] == negative || letter[0] == negative + 32 ? -degrees : degrees;
}

/* GPSDateStamp and GPSTimeStamp: hours, minutes and seconds. A clock that is out of range is none. */
static void read_gps_date(const scry_tiff *t, const scry_tiff_value *v, scry_metadata *m)
{
    char text[48];
    scry_date d;
    get_text(&v[GPS_DAY], text, sizeof text);
    if (!scry_date_parse(&d, text))
        return;
    double seconds = 0, unit = 3600;
    for (size_t i = 0; i < 3 && i < v[GPS_CLOCK].count; i++, unit /= 60)
        seconds += scry_tiff_real(t, &v[GPS_CLOCK], i) * unit;
    bool has_clock = v[GPS_CLOCK].type && seconds >= 0 && seconds < 86400, within = d.at % 86400 != 0;
    if (has_clock && !within)
        d.at += (int64_t)seconds;
    scry_metadata_put_gps_date(m, &d, has_clock || within);
}

static void read_place(const scry_tiff *t, uint64_t at, scry_metadata *m)
{
    scry_tiff_value v[PLACE_COUNT] = { 0 };
    scry_tiff_read(t, at, place_tags, PLACE_COUNT, v);
    scry_metadata_put_position(m, get_degrees(t, &v[LATITUDE], &v[LATITUDE_REF], 'S'),
                               get_degrees(t, &v[LONGITUDE], &v[LONGITUDE_REF], 'W'));
    read_gps_date(t, v, m);
}

/* TimeZoneOffset: the hours that DateTimeOriginal is east of UTC. */
static void read_hours(const scry_tiff *t, const scry_tiff_value *v, scry_metadata *m)
{
    int64_t hours = scry_tiff_number(t, v, 0);
    if (v->type == 0 || m->taken_source != SCRY_TAKEN_EXIF_ORIGINAL || m->has_taken_offset || hours < -12 || hours > 14)
        return;
    m->has_taken_offset = true;
    m->taken_offset_min = 60 * (int)hours;
}

/* The Exif directory, with the main one's values where there is one. */
static void read_details(const scry_tiff *t, uint64_t at, const scry_tiff_value *up, scry_metadata *m)
{
    scry_tiff_value v[DETAILS_COUNT] = { 0 };
    if (at)
        scry_tiff_read(t, at, details_tags, DETAILS_COUNT, v);
    read_date(&v[ORIGINAL], &v[OFFSET_ORIGINAL], SCRY_TAKEN_EXIF_ORIGINAL, m);
    read_hours(t, v[HOURS].type || !up ? &v[HOURS] : &up[MAIN_HOURS], m);
    read_date(&v[DIGITIZED], &v[OFFSET_DIGITIZED], SCRY_TAKEN_EXIF_DIGITIZED, m);
    read_date(&v[MISPLACED_MODIFIED], &v[OFFSET_MODIFIED], SCRY_TAKEN_EXIF_MODIFIED, m);
    if (up) {
        read_date(&up[MODIFIED], &v[OFFSET_MODIFIED], SCRY_TAKEN_EXIF_MODIFIED, m);
        read_date(&up[MAIN_ORIGINAL], NULL, SCRY_TAKEN_IFD0, m);
        read_date(&up[MAIN_DIGITIZED], NULL, SCRY_TAKEN_IFD0, m);
    }
    if (!m->lens[0])
        get_text(&v[LENS_MODEL], m->lens, sizeof m->lens);
    if (!m->lens[0] && up)
        get_text(&up[MAIN_LENS], m->lens, sizeof m->lens);
    read_comment(t, &v[USER_COMMENT], m);
}

void scry_exif_read(scry_bytes exif, scry_metadata *m, scry_exif_blocks *blocks)
{
    scry_tiff_value v[MAIN_COUNT] = { 0 };
    scry_tiff t;
    if (!scry_tiff_open(&t, exif))
        return;
    scry_tiff_read(&t, scry_tiff_first(&t), main_tags, MAIN_COUNT, v);
    read_camera(v, m);
    int64_t orientation = scry_tiff_number(&t, &v[ORIENTATION], 0);
    if (m->orientation == 0 && orientation >= 1 && orientation <= 8)
        m->orientation = (int)orientation;
    read_texts(&t, v, m);
    int64_t details = scry_tiff_number(&t, &v[EXIF_IFD], 0), place = scry_tiff_number(&t, &v[GPS_IFD], 0);
    read_details(&t, details > 0 ? (uint64_t)details : 0, v, m);
    if (place > 0)
        read_place(&t, (uint64_t)place, m);
    if (blocks)
        *blocks = (scry_exif_blocks){ scry_tiff_bytes(&v[XMP]), scry_tiff_bytes(&v[IPTC]), scry_tiff_bytes(&v[PHOTOSHOP]),
                                      scry_tiff_bytes(&v[PREVIEW]) };
}

void scry_exif_read_directory(scry_bytes exif, scry_exif_directory which, scry_metadata *m)
{
    scry_tiff t;
    if (which == SCRY_EXIF_MAIN)
        scry_exif_read(exif, m, NULL);
    else if (scry_tiff_open(&t, exif) && which == SCRY_EXIF_DETAILS)
        read_details(&t, scry_tiff_first(&t), NULL, m);
    else if (scry_tiff_open(&t, exif))
        read_place(&t, scry_tiff_first(&t), m);
}
