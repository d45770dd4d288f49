/* Metadata: texts, dates, file names, and headers made here that no program writes. Pictures with facts from
 * exiftool are in tests/pictures (test_decoder.c). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "metadata/date_text.h"
#include "metadata/exif.h"
#include "metadata/fields.h"
#include "metadata/file_name.h"
#include "metadata/headers.h"
#include "metadata/iptc.h"
#include "metadata/text.h"
#include "metadata/xmp.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* "2021-06-15 14:30:00 +120" of a time, the offset only where there is one. */
static const char *shown(const scry_date *d)
{
    static char text[64];
    struct tm tm;
    time_t t = (time_t)d->at;
    gmtime_r(&t, &tm);
    size_t n = strftime(text, sizeof text, "%Y-%m-%d %H:%M:%S", &tm);
    if (d->has_offset)
        snprintf(text + n, sizeof text - n, " %+d", d->offset_min);
    return text;
}

static void dates_in_many_forms(void **state)
{
    static const struct { const char *text, *expected; } cases[] = {
        { "2021:06:15 14:30:00", "2021-06-15 14:30:00" },
        { "2021-06-15T14:30:00", "2021-06-15 14:30:00" },
        { "2021/06/15 14:30", "2021-06-15 14:30:00" },
        { "2021.06.15 14.30.05", "2021-06-15 14:30:05" },
        { "20210615 143000", "2021-06-15 14:30:00" },
        { "20210615T143000Z", "2021-06-15 14:30:00 +0" },
        { "2021:06:15", "2021-06-15 00:00:00" },
        { "2021:06:15 ", "2021-06-15 00:00:00" },
        { "2021:06:15   :  :  ", "2021-06-15 00:00:00" },
        { "2021: 6:15  9: 5: 7", "2021-06-15 09:05:07" },
        { "2021:6:5 9:05:07", "2021-06-05 09:05:07" },
        { "  2021:06:15 14:30:00  ", "2021-06-15 14:30:00" },
        { "2021:06:15:14:30:00", "2021-06-15 14:30:00" },
        { "2021:06:15 14:30:00.123", "2021-06-15 14:30:00" },
        { "2021:06:15 14:30:00.123+02:00", "2021-06-15 14:30:00 +120" },
        { "2021:06:15 14:30:00+02:00", "2021-06-15 14:30:00 +120" },
        { "2021:06:15 14:30:00 -0330", "2021-06-15 14:30:00 -210" },
        { "2021-06-15T14:30:00-07", "2021-06-15 14:30:00 -420" },
        { "2021-06-15T14:30Z", "2021-06-15 14:30:00 +0" },
        { "2019:01:01 24:04:20", "2019-01-01 00:04:20" },
        { "2021:06:15 02:30:00 PM", "2021-06-15 14:30:00" },
        { "2021:06:15 12:30:00 am", "2021-06-15 00:30:00" },
        { "2021:06:15 12:30:00 p.m.", "2021-06-15 12:30:00" },
        { "2021:06:15 14:30:00 PM", "2021-06-15 14:30:00" },
        { "2021:06:15 \xe4\xb8\x8b\xe5\x8d\x88 02:30:00", "2021-06-15 14:30:00" },
        { "2021:06:15 \xec\x98\xa4\xed\x9b\x84 2:30:00", "2021-06-15 14:30:00" },
        { "2021:06:15 \xe5\x8d\x88\xe5\x89\x8d""2:30:00", "2021-06-15 02:30:00" },
        { "2021-06-15 14:30:00 UTC", "2021-06-15 14:30:00 +0" }, { "2021-06-15 14:30:00 GMT+02:00", "2021-06-15 14:30:00 +120" },
        { "Tue, 15 Jun 2021 14:30:00 GMT", "2021-06-15 14:30:00 +0" }, { "2021-06-15 14:30:00 CST", "2021-06-15 14:30:00" },
        { "2021:06:15 14-30-00", "2021-06-15 14:30:00" }, { "2021 06 15 14 30 00", "2021-06-15 14:30:00" },
        { "2021:06:15-14:30:00", "2021-06-15 14:30:00" }, { "2021:06:15 14h30m00", "2021-06-15 14:30:00" },
        { "2021-06-15T14:30-07:00", "2021-06-15 14:30:00 -420" }, { "2021-06-15 14:30:00 -0700", "2021-06-15 14:30:00 -420" },
        { "2021: 6: 5  4: 3: 2", "2021-06-05 04:03:02" }, { "15.06.2021 14:30:00", NULL }, { "06/15/2021 14:30:00", NULL },
        { "2021-06-15+02:00", "2021-06-15 00:00:00 +120" }, { "2021-06-15Z", "2021-06-15 00:00:00 +0" },
        { "2021:06:15 14:30:00:123", "2021-06-15 14:30:00" }, { "2106:02:07 06:28:15", "2106-02-07 06:28:15" },
        { "1900:01:01 00:00:00", "1900-01-01 00:00:00" }, { "2021:00:00 00:00:00", NULL },
        { "Tue, 15 Jun 2021 14:30:00 +0200", "2021-06-15 14:30:00 +120" },
        { "15 Jun 2021 14:30:00 -0000", "2021-06-15 14:30:00 +0" },
        { "Tue Jun 15 14:30:00 2021", "2021-06-15 14:30:00" },
        { "June 15, 2021", "2021-06-15 00:00:00" },
        { "2000:02:29 00:00:00", "2000-02-29 00:00:00" },
        { "1969:12:31 23:59:59", "1969-12-31 23:59:59" },
        { "2016:12:31 23:59:60", "2017-01-01 00:00:00" },
        { "", NULL }, { "    :  :     :  :  ", NULL }, { "0000:00:00 00:00:00", NULL }, { "2021", NULL },
        { "2021:06", NULL }, { "2023:02:29 10:00:00", NULL }, { "2021:13:01 10:00:00", NULL },
        { "2021:06:15 10:60:00", NULL }, { "2021:06:15 25:00:00", NULL }, { "2021:06:31", NULL },
        { "2014:10:08 05:10:88", NULL }, { "1799:01:01", NULL }, { "Mon 9 Aug 2004 2O:17:36", NULL },
        { "yesterday", NULL }, { "12345", NULL }, { "2021:06:15 ten", NULL },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        scry_date d;
        bool is_date = scry_date_parse(&d, cases[i].text);
        if (is_date != (cases[i].expected != NULL))
            fail_msg("'%s' %s", cases[i].text, is_date ? shown(&d) : "is no date");
        if (is_date)
            assert_string_equal(shown(&d), cases[i].expected);
    }
}

static void dates_of_names(void **state)
{
    static const struct { const char *name, *expected; } cases[] = {
        { "IMG_20150704_123015.jpg", "2015-07-04 12:30:15" }, { "IMG_20150704_123015_1.jpg", "2015-07-04 12:30:15" },
        { "IMG_20150704_123015123.jpg", "2015-07-04 12:30:15" }, { "VID_20150704_123015.mp4.jpg", "2015-07-04 12:30:15" },
        { "20150704_123015.jpg", "2015-07-04 12:30:15" }, { "20150704123015.jpg", "2015-07-04 12:30:15" },
        { "2015-07-04 12.30.15.jpg", "2015-07-04 12:30:15" }, { "2015-07-04 12.30.15-1.jpg", "2015-07-04 12:30:15" },
        { "2015-07-04_12-30-15.jpg", "2015-07-04 12:30:15" }, { "2015-07-04.jpg", "2015-07-04 00:00:00" },
        { "Screenshot_2021-06-15-14-30-00-123_com.app.png", "2021-06-15 14:30:00" },
        { "Screenshot_20210615-143000.png", "2021-06-15 14:30:00" }, { "Screenshot 2021-06-15 at 14.30.00.png", "2021-06-15 14:30:00" },
        { "IMG-20150704-WA0001.jpg", "2015-07-04 00:00:00" }, { "WhatsApp Image 2021-06-15 at 14.30.00.jpeg", "2021-06-15 14:30:00" },
        { "signal-2021-06-15-143000.jpg", "2021-06-15 14:30:00" }, { "signal-2021-06-15-14-30-00-123.jpg", "2021-06-15 14:30:00" },
        { "Screen_Shot_2021-06-15_at_2.30.00_PM.png", "2021-06-15 14:30:00" }, { "WhatsApp_Image_2021-06-15_at_14.30.00.jpg", "2021-06-15 14:30:00" },
        { "Captura_de_pantalla_2021-06-15_a_las_14.30.00.png", "2021-06-15 14:30:00" }, { "20210615_IMG_143000.jpg", "2021-06-15 00:00:00" },
        { "PXL_20210615_223000123.jpg", "2021-06-15 22:30:00 +0" }, { "photo_2021-06-15_14-30-00.jpg", "2021-06-15 14:30:00" },
        { "IMG_20150704_256199.jpg", "2015-07-04 00:00:00" }, { "WIN_20210615_14_30_00_Pro.jpg", "2021-06-15 14:30:00" },
        { "IMG_1234.jpg", NULL }, { "DSC01234.jpg", NULL }, { "20151304_123015.jpg", NULL }, { "123456789012.jpg", NULL },
        { "19000101.jpg", NULL }, { "15-06-2021.jpg", NULL }, { "2021.jpg", NULL }, { "", NULL },
        { "Screen Shot 2021-06-15 at 2.30.00 PM.png", "2021-06-15 14:30:00" },
        { "Screenshot 2021-06-15 at 12.30.00\xe2\x80\xaf""AM.png", "2021-06-15 00:30:00" },
        { "Bildschirmfoto 2021-06-15 um 14.30.00.png", "2021-06-15 14:30:00" },
        { "Capture d\xe2\x80\x99\xc3\xa9""cran 2021-06-15 \xc3\xa0 14.30.00.png", "2021-06-15 14:30:00" },
        { "Captura de pantalla 2021-06-15 a la(s) 2.30.00 p.\xc2\xa0m..png", "2021-06-15 14:30:00" },
        { "Sk\xc3\xa4rmavbild 2021-06-15 kl. 14.30.00.png", "2021-06-15 14:30:00" },
        { "2021-06-15 \xec\x98\xa4\xed\x9b\x84 2.30.00.png", "2021-06-15 14:30:00" },
        { "2021-06-15 \xe4\xb8\x8b\xe5\x8d\x88""2.30.00.png", "2021-06-15 14:30:00" },
        { "Bildschirmfoto vom 2021-06-15 14-30-00.png", "2021-06-15 14:30:00" },
        { "Foto 2021-06-15 am 8.30.00.png", "2021-06-15 08:30:00" }, { "2021-06-15_14-30.png", "2021-06-15 14:30:00" },
        { "photo_2021-06-15_14-30-00 (2).jpg", "2021-06-15 14:30:00" },
        { "photo_5@15-06-2021_14-30-00.jpg", "2021-06-15 14:30:00" }, { "MVIMG_20210615_143000.jpg", "2021-06-15 14:30:00" },
        { "IMG_00000_BURST20210615143000123_COVER.jpg", "2021-06-15 14:30:00" },
        { "IMG20210615143000.jpg", "2021-06-15 14:30:00" }, { "DJI_20210615143000_0001_D.JPG", "2021-06-15 14:30:00" },
        { "original_8f_PXL_20210615_223000123.jpg", "2021-06-15 22:30:00 +0" }, { "WP_20150704_001.jpg", "2015-07-04 00:00:00" },
        { "2015-07-04 Hotel 12-15.jpg", "2015-07-04 00:00:00" }, { "2015-07-04 (12).jpg", "2015-07-04 00:00:00" },
        { "8f20150704aa", NULL }, { "+20150704123.jpg", NULL }, { "+20150704.jpg", NULL }, { "20150704999999.jpg", NULL },
        { "20150704999999999.jpg", NULL }, { "received_2015070412301512.jpeg", NULL }, { "FB_IMG_1623767400123.jpg", NULL },
        { "3fa85f64-2015-0704-b3fc-2c963f66afa6.jpg", NULL }, { "Screenshot (12).png", NULL }, { "photo_5@31-02-2021.jpg", NULL },
        { "1612345678901.jpg", NULL }, { "20990231.jpg", NULL },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        scry_date d;
        bool is_date = scry_date_of_name(&d, cases[i].name);
        if (is_date != (cases[i].expected != NULL))
            fail_msg("'%s' %s", cases[i].name, is_date ? shown(&d) : "has no date");
        if (is_date)
            assert_string_equal(shown(&d), cases[i].expected);
    }
}

#define TEXT(capacity, bytes) scry_text_put(out, capacity, bytes, sizeof bytes - 1)

static void texts_become_utf8(void **state)
{
    char out[64];
    TEXT(64, "  plain\t text \0 not this");
    assert_string_equal(out, "plain  text");
    TEXT(64, "\xe5\xb0\x8f\xe7\xb1\xb3 Note");
    assert_string_equal(out, "\xe5\xb0\x8f\xe7\xb1\xb3 Note");
    TEXT(64, "Caf\xe9");                            /* Latin-1 */
    assert_string_equal(out, "Caf\xc3\xa9");
    TEXT(64, "\x93quoted\x94 \x80");                /* Windows-1252 */
    assert_string_equal(out, "\xe2\x80\x9cquoted\xe2\x80\x9d \xe2\x82\xac");
    TEXT(64, "\xe5\xb0\x8f\xe7\xb1");               /* cut within a character */
    assert_string_equal(out, "\xe5\xb0\x8f");
    TEXT(8, "123456\xc3\xa9z");                     /* does not fit: cut before the character */
    assert_string_equal(out, "123456");
    scry_text_put_utf16(out, 64, "H\0i\0 \0=\xd8\0\xde\0\0x\0", 14, false);
    assert_string_equal(out, "Hi \xf0\x9f\x98\x80");
    scry_text_put_utf16(out, 64, "\0H\xd8\x3d", 4, true);
    assert_string_equal(out, "H\xef\xbf\xbd");
}

static void keywords_are_a_list(void **state)
{
    char list[16] = "";
    scry_text_add_keyword(list, sizeof list, "beach");
    scry_text_add_keyword(list, sizeof list, "");
    scry_text_add_keyword(list, sizeof list, "sea");
    scry_text_add_keyword(list, sizeof list, "beach");
    scry_text_add_keyword(list, sizeof list, "too long");
    scry_text_add_keyword(list, sizeof list, "be");
    assert_string_equal(list, "beach\nsea\nbe");
}

/* ---- XMP ------------------------------------------------------------------------ */

#define RDF_HEAD "<x:xmpmeta xmlns:x='adobe:ns:meta/'><rdf:RDF xmlns:rdf='http://www.w3.org/1999/02/22-rdf-syntax-ns#'>"
#define NODE "<rdf:Description rdf:about='' xmlns:dc='http://purl.org/dc/elements/1.1/' xmlns:xmp='http://ns.adobe.com/xap/1.0/'" \
    " xmlns:exif='http://ns.adobe.com/exif/1.0/' xmlns:tiff='http://ns.adobe.com/tiff/1.0/'" \
    " xmlns:photoshop='http://ns.adobe.com/photoshop/1.0/' xmlns:aux='http://ns.adobe.com/exif/1.0/aux/'"
#define RDF_END "</rdf:RDF></x:xmpmeta>"

static scry_metadata xmp(const char *text)
{
    scry_metadata m = { 0 };
    scry_xmp_read((scry_bytes){ (const uint8_t *)text, strlen(text) }, SCRY_TAKEN_XMP, &m);
    assert_true(scry_metadata_is_sound(&m));
    return m;
}

static void xmp_as_attributes_and_elements(void **state)
{
    scry_metadata m = xmp(RDF_HEAD NODE " exif:DateTimeOriginal='2021-06-15T14:30:00+02:00' tiff:Make=\"Canon\""
        " tiff:Model='Canon EOS R5' exif:GPSLatitude='33,51.4000S' exif:GPSLongitude='151,12,30E' xmp:Rating='4'"
        " aux:Lens='RF24-105mm &amp; hood' tiff:Orientation='6'/>" RDF_END);
    assert_int_equal(m.taken_source, SCRY_TAKEN_XMP);
    assert_int_equal(m.taken_at, 1623767400);
    assert_true(m.has_taken_offset && m.taken_offset_min == 120);
    assert_string_equal(m.camera, "Canon EOS R5");
    assert_string_equal(m.lens, "RF24-105mm & hood");
    assert_true(m.has_position && m.latitude < -33.856 && m.latitude > -33.857 && m.longitude > 151.208);
    assert_true(m.has_rating && m.rating == 4);
    assert_int_equal(m.orientation, 6);
    m = xmp(RDF_HEAD NODE "><dc:title><rdf:Alt><rdf:li xml:lang='de'>Strand</rdf:li><rdf:li xml:lang='x-default'>Beach</rdf:li>"
        "</rdf:Alt></dc:title><dc:description><rdf:Alt><rdf:li>One &#233; &lt;two&gt;</rdf:li></rdf:Alt></dc:description>"
        "<dc:subject><rdf:Bag><rdf:li>sea</rdf:li><rdf:li>sand</rdf:li><rdf:li>sea</rdf:li></rdf:Bag></dc:subject>"
        "<xmp:CreateDate>2020-01-02</xmp:CreateDate><xmp:Rating>-1</xmp:Rating><!-- <dc:title>no</dc:title> -->"
        "</rdf:Description>" RDF_END);
    assert_string_equal(m.title, "Beach");
    assert_string_equal(m.description, "One \xc3\xa9 <two>");
    assert_string_equal(m.keywords, "sea\nsand");
    assert_int_equal(m.taken_at, 1577923200);
    assert_int_equal(m.rating, -1);
}

/* Other programs' properties count where the usual ones are missing. */
static void xmp_of_other_programs(void **state)
{
    scry_metadata m = xmp(RDF_HEAD NODE " xmlns:MicrosoftPhoto='http://ns.microsoft.com/photo/1.0/' MicrosoftPhoto:Rating='75'"
        " xmlns:lr='http://ns.adobe.com/lightroom/1.0/' photoshop:Headline='Regatta' photoshop:DateCreated='1955'>"
        "<lr:hierarchicalSubject><rdf:Bag><rdf:li>Places|Germany|Munich</rdf:li><rdf:li>boat</rdf:li></rdf:Bag></lr:hierarchicalSubject>"
        "</rdf:Description>" RDF_END);
    assert_int_equal(m.rating, 4);
    assert_string_equal(m.title, "Regatta");
    assert_string_equal(m.keywords, "Munich\nboat");
    assert_int_equal(m.taken_at, -473385600);   /* 1955-01-01 */
    m = xmp(RDF_HEAD NODE " xmlns:digiKam='http://www.digikam.org/ns/1.0/' dc:title='usual' photoshop:Headline='other' xmp:CreateDate='1955-06'>"
        "<digiKam:TagsList><rdf:Seq><rdf:li>People/Anna</rdf:li></rdf:Seq></digiKam:TagsList>"
        "<dc:subject><rdf:Bag><rdf:li>AC/DC</rdf:li></rdf:Bag></dc:subject></rdf:Description>" RDF_END);
    assert_string_equal(m.title, "usual");
    assert_string_equal(m.keywords, "AC/DC");
    assert_int_equal(m.taken_at, -460339200);   /* 1955-06-01 */
    /* As exiftool writes them: without the last slash; and one more of another's. */
    m = xmp(RDF_HEAD NODE " xmlns:MicrosoftPhoto='http://ns.microsoft.com/photo/1.0'><MicrosoftPhoto:LastKeywordXMP><rdf:Bag>"
        "<rdf:li>word</rdf:li></rdf:Bag></MicrosoftPhoto:LastKeywordXMP><MicrosoftPhoto:Rating>75</MicrosoftPhoto:Rating></rdf:Description>"
        "<rdf:Description xmlns:d='http://purl.org/dc/elements/1.1' d:title='slash'/>"
        "<rdf:Description xmlns:x='http://ns.adobe.com/xap/1' x:Rating='1'/>" RDF_END);
    assert_int_equal(m.rating, 4);
    assert_string_equal(m.keywords, "word");
    assert_string_equal(m.title, "slash");
}

/* What is nested tells of other things: ingredients, history, faces. */
static void xmp_of_the_picture_itself(void **state)
{
    scry_metadata m = xmp(RDF_HEAD NODE "><xmpMM:Pantry xmlns:xmpMM='http://ns.adobe.com/xap/1.0/mm/'><rdf:Bag><rdf:li>"
        "<rdf:Description dc:title='other' xmp:Rating='1'><dc:subject><rdf:Bag><rdf:li>other</rdf:li></rdf:Bag></dc:subject>"
        "<xmp:CreateDate>1999-01-01</xmp:CreateDate></rdf:Description></rdf:li></rdf:Bag></xmpMM:Pantry>"
        "<photoshop:DateCreated>2015-07-04</photoshop:DateCreated></rdf:Description>" RDF_END);
    assert_string_equal(m.title, "");
    assert_string_equal(m.keywords, "");
    assert_false(m.has_rating);
    assert_int_equal(m.taken_at, 1435968000);
    /* Another prefix for the same namespace, and the same prefix for another one. */
    m = xmp(RDF_HEAD "<rdf:Description xmlns:d='http://purl.org/dc/elements/1.1/' d:title='right'/>"
            "<rdf:Description xmlns:dc='urn:else' dc:description='wrong'/>" RDF_END);
    assert_string_equal(m.title, "right");
    assert_string_equal(m.description, "");
}

/* Units of `size` bytes, after a byte order mark or not; 0x1f600 as a pair in UTF-16. */
static size_t put_units(uint8_t *out, const uint32_t *runes, size_t n, size_t size, bool big)
{
    uint8_t *p = out;
    for (size_t i = 0; i < n; i++) {
        bool pair = size == 2 && runes[i] > 0xffff;
        uint32_t units[2] = { pair ? 0xd800 + ((runes[i] - 0x10000) >> 10) : runes[i], 0xdc00 + (runes[i] & 0x3ff) };
        for (int k = 0; k <= pair; k++, p += size)
            for (size_t byte = 0; byte < size; byte++)
                p[big ? size - 1 - byte : byte] = (uint8_t)(units[k] >> 8 * byte);
    }
    return (size_t)(p - out);
}

static void xmp_in_wide_characters(void **state)
{
    static const char text[] = "<?xpacket begin='@'?>" RDF_HEAD NODE " dc:title='Caf$ @' xmp:Rating='3'/>" RDF_END;
    uint32_t runes[sizeof text];
    uint8_t bytes[4 * sizeof text];
    size_t n = 0;
    runes[n++] = 0xfeff;
    for (const char *s = text; *s; s++)
        runes[n++] = *s == '$' ? 0xe9 : *s == '@' ? 0x1f600 : (uint32_t)*s;
    for (int i = 0; i < 8; i++) {
        size_t size = i & 1 ? 2 : 4, skip = i >> 2;
        size_t used = put_units(bytes, runes + skip, n - skip, size, i & 2);
        uint8_t *exact = malloc(used);
        for (size_t k = 0; k <= used; k++) {   /* whole, and cut anywhere */
            scry_metadata m = { 0 };
            memcpy(exact, bytes, used);
            scry_xmp_read((scry_bytes){ exact + k, used - k }, SCRY_TAKEN_XMP, &m);
            assert_true(scry_metadata_is_sound(&m));
            if (k == 0) {
                assert_string_equal(m.title, "Caf\xc3\xa9 \xf0\x9f\x98\x80");
                assert_int_equal(m.rating, 3);
            }
        }
        free(exact);
    }
}

static void broken_xmp(void **state)
{
    static const char *const texts[] = { "<", "<<<", "<a", "</a></b>", "<rdf:RDF", RDF_HEAD NODE " dc:title=", RDF_HEAD NODE " dc:title='x",
        "<!--", "<![CDATA[", "<?", "&", RDF_HEAD NODE " dc:title='&#x110000;&#0;&nbsp;&'/>", "" };
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        assert_string_equal(xmp(texts[i]).title, strstr(texts[i], "nbsp") ? "&" : "");
    char deep[4000] = RDF_HEAD;
    for (int i = 0; i < 300; i++)
        memcpy(deep + strlen(deep), "<a>", 4);
    (void)xmp(deep);
}

/* ---- EXIF ------------------------------------------------------------------------ */

/* A little-endian block with one directory of the entries, twelve bytes each, and what follows them. */
static scry_metadata exif(const char *entries, size_t n, const char *tail, size_t tail_bytes)
{
    uint8_t b[512] = "II*\0\x08\0\0\0";
    b[8] = (uint8_t)(n / 12);
    memcpy(b + 10, entries, n);
    memcpy(b + 14 + n, tail, tail_bytes);
    scry_metadata m = { 0 };
    scry_exif_read((scry_bytes){ b, 14 + n + tail_bytes }, &m, NULL);
    assert_true(scry_metadata_is_sound(&m));
    return m;
}

#define EXIF(entries, tail) exif(entries, sizeof entries - 1, tail, sizeof tail - 1)

static void odd_exif(void **state)
{
    /* Model as UTF-8 (type 129), inline; orientation as a byte. */
    scry_metadata m = EXIF("\x10\x01\x81\0\x03\0\0\0\xc3\xa9\0\0" "\x12\x01\x01\0\x01\0\0\0\x06\0\0\0", "");
    assert_string_equal(m.camera, "\xc3\xa9");
    assert_int_equal(m.orientation, 6);
    /* DateTime past the end; a count of 2^32 - 1. */
    m = EXIF("\x32\x01\x02\0\x14\0\0\0\xff\0\0\0" "\x10\x01\x02\0\xff\xff\xff\xff\x10\0\0\0", "2021:06:15 14:30:00");
    assert_int_equal(m.taken_source, SCRY_TAKEN_UNKNOWN);
    assert_string_equal(m.camera, "");
    /* DateTime without a final zero. */
    m = EXIF("\x32\x01\x02\0\x13\0\0\0\x1a\0\0\0", "2021:06:15 14:30:00");
    assert_int_equal(m.taken_at, 1623767400);
    assert_int_equal(m.taken_source, SCRY_TAKEN_EXIF_MODIFIED);
    /* What cameras write into every picture is no description. */
    m = EXIF("\x0e\x01\x02\0\x17\0\0\0\x1a\0\0\0", "OLYMPUS DIGITAL CAMERA\0");
    assert_string_equal(m.description, "");
    m = EXIF("\x0e\x01\x02\0\x08\0\0\0\x1a\0\0\0", "My cat\0\0");
    assert_string_equal(m.description, "My cat");
    /* UserComment with its encoding in front; without one it is binary data. */
    m = EXIF("\x69\x87\x04\0\x01\0\0\0\x1a\0\0\0", "\x01\0" "\x86\x92\x07\0\x11\0\0\0\x2c\0\0\0" "\0\0\0\0" "ASCII\0\0\0By a lake");
    assert_string_equal(m.description, "By a lake");
    m = EXIF("\x69\x87\x04\0\x01\0\0\0\x1a\0\0\0", "\x01\0" "\x86\x92\x07\0\x0e\0\0\0\x2c\0\0\0" "\0\0\0\0" "UNICODE\0\0S\0e\0a");
    assert_string_equal(m.description, "Sea");
    m = EXIF("\x69\x87\x04\0\x01\0\0\0\x1a\0\0\0", "\x01\0" "\x86\x92\x07\0\x10\0\0\0\x2c\0\0\0" "\0\0\0\0" "\1\2\3\4\5\6\7\x08""abcdefgh");
    assert_string_equal(m.description, "");
    /* A rating in percent; an orientation as a fraction. */
    m = EXIF("\x49\x47\x03\0\x01\0\0\0\x63\0\0\0", "");
    assert_int_equal(m.rating, 5);
    m = EXIF("\x12\x01\x05\0\x01\0\0\0\x1a\0\0\0", "\x0c\0\0\0\x02\0\0\0");
    assert_int_equal(m.orientation, 6);
    /* The hours that the clock is before UTC. */
    m = EXIF("\x69\x87\x04\0\x01\0\0\0\x1a\0\0\0", "\x02\0" "\x03\x90\x02\0\x14\0\0\0\x38\0\0\0"
             "\x2a\x88\x08\0\x01\0\0\0\xf9\xff\0\0" "\0\0\0\0" "2021:06:15 14:30:00\0");
    assert_int_equal(m.taken_at, 1623767400);
    assert_true(m.has_taken_offset && m.taken_offset_min == -420);
    /* Windows's keywords. */
    m = EXIF("\x9e\x9c\x01\0\x0a\0\0\0\x1a\0\0\0", "a\0;\0b\0;\0\0\0");
    assert_string_equal(m.keywords, "a\nb");
    /* A directory that points to itself as the Exif one ends. */
    m = EXIF("\x69\x87\x0d\0\x01\0\0\0\x08\0\0\0", "");
    assert_int_equal(m.taken_source, SCRY_TAKEN_UNKNOWN);
}

/* A GPS directory behind the main one: latitude and longitude of `count` values of `type` each. */
static scry_metadata place(int type, int count, const char *refs, const uint32_t latitude[6], const uint32_t longitude[6])
{
    uint8_t b[256] = "II*\0\x08\0\0\0" "\1\0" "\x25\x88\x09\0\1\0\0\0\x1a\0\0\0" "\0\0\0\0" "\4\0"
        "\1\0\2\0\2\0\0\0N\0\0\0" "\2\0\5\0\3\0\0\0\x50\0\0\0" "\3\0\2\0\2\0\0\0E\0\0\0" "\4\0\5\0\3\0\0\0\x68\0\0\0";
    scry_metadata m = { 0 };
    b[36] = (uint8_t)refs[0];
    b[60] = (uint8_t)refs[1];
    b[42] = b[66] = (uint8_t)type;
    b[44] = b[68] = (uint8_t)count;
    memcpy(b + 0x50, latitude, 24);
    memcpy(b + 0x68, longitude, 24);
    scry_exif_read((scry_bytes){ b, 0x80 }, &m, NULL);
    return m;
}

static void places(void **state)
{
    enum { RATIONAL = 5, SRATIONAL = 10 };
    static const uint32_t lat[6] = { 48, 1, 30, 1, 36, 1 }, lon[6] = { 11, 1, 15, 1, 0, 1 }, zero[6] = { 0, 1, 0, 1, 0, 1 };
    static const uint32_t undefined[6] = { 48, 1, 30, 1, 0, 0 }, negative[6] = { (uint32_t)-33, 1, 0, 1, 0, 1 };
    static const uint32_t far[6] = { 181, 1, 0, 1, 0, 1 };
    scry_metadata m = place(RATIONAL, 3, "NE", lat, lon);
    assert_true(m.has_position);
    assert_int_equal((int)(m.latitude * 1e6 + 0.5), 48510000);
    assert_int_equal((int)(m.longitude * 1e6 + 0.5), 11250000);
    m = place(SRATIONAL, 3, "sw", lat, lon);
    assert_true(m.latitude < -48.5 && m.longitude < -11.2);
    m = place(RATIONAL, 1, "NE", lat, lon);   /* a wrong count: degrees alone */
    assert_true(m.latitude == 48 && m.longitude == 11);
    /* As exiftool has it: the sign is the reference's, and one undefined part makes the whole so. */
    assert_true(place(SRATIONAL, 3, "NE", negative, lon).latitude == 33);
    assert_true(place(SRATIONAL, 3, "SE", negative, lon).latitude == -33);
    assert_false(place(RATIONAL, 3, "NE", undefined, lon).has_position);
    assert_false(place(RATIONAL, 3, "NE", zero, zero).has_position);
    assert_true(place(RATIONAL, 3, "NE", zero, lon).has_position);
    assert_false(place(RATIONAL, 3, "NE", lat, far).has_position);
    assert_true(place(RATIONAL, 3, "\0E", lat, lon).latitude > 48);   /* an empty reference is north */
    assert_false(place(2, 3, "NE", lat, lon).has_position);
}

/* ---- IPTC ------------------------------------------------------------------------ */

static void iptc_in_photoshop(void **state)
{
    static const char block[] = "Photoshop 3.0\0" "8BIM\x04\x04\0\0\0\0\0\x3f"
        "\x1c\x02\x05\0\x05" "Beach" "\x1c\x02\x19\0\x03" "sea" "\x1c\x02\x19\0\x04" "sand"
        "\x1c\x02\x37\0\x08" "20210615" "\x1c\x02\x3c\0\x0b" "143000+0200" "\x1c\x02\x78\0\x02\xe9t";
    scry_metadata m = { 0 };
    scry_bytes data = scry_photoshop_resource((scry_bytes){ (const uint8_t *)block, sizeof block - 1 }, SCRY_PHOTOSHOP_IPTC);
    assert_int_equal(data.n, 0x3f);
    scry_iptc_read(data, &m);
    assert_string_equal(m.title, "Beach");
    assert_string_equal(m.keywords, "sea\nsand");
    assert_string_equal(m.description, "\xc3\xa9t");
    assert_int_equal(m.taken_at, 1623767400);
    assert_int_equal(m.taken_offset_min, 120);
    assert_int_equal(m.taken_source, SCRY_TAKEN_IPTC);
}

/* ---- together -------------------------------------------------------------------- */

static void the_better_source_counts(void **state)
{
    scry_metadata m = { 0 };
    scry_metadata_put_date(&m, &(scry_date){ .at = 5 }, SCRY_TAKEN_FILE_NAME);
    scry_metadata_put_date(&m, &(scry_date){ .at = 6, .has_offset = true, .offset_min = 60 }, SCRY_TAKEN_XMP);
    scry_metadata_put_date(&m, &(scry_date){ .at = 7 }, SCRY_TAKEN_SIDECAR);
    assert_int_equal(m.taken_at, 6);
    assert_int_equal(m.taken_offset_min, 60);
    scry_metadata of_file = { 0 }, gps = { 0 };
    scry_metadata_put_date(&of_file, &(scry_date){ .at = 2000000005 }, SCRY_TAKEN_FILE_TIME);
    scry_metadata_put_gps_date(&gps, &(scry_date){ .at = 2000000000 }, true);
    scry_metadata_merge(&of_file, &gps);   /* before the file's time alone */
    assert_int_equal(of_file.taken_source, SCRY_TAKEN_GPS);
    assert_true(of_file.has_taken_offset && of_file.taken_offset_min == 0);
    scry_metadata_put_date(&gps, &(scry_date){ .at = 5 }, SCRY_TAKEN_FILE_NAME);
    assert_int_equal(gps.taken_at, 5);
    scry_metadata_put_gps_date(&gps, &(scry_date){ .at = 2000000000 }, true);
    assert_int_equal(gps.taken_source, SCRY_TAKEN_FILE_NAME);
    scry_metadata none = { 0 };
    scry_metadata_put_gps_date(&none, &(scry_date){ .at = 3657 * (int64_t)86400 + 86399 }, true);   /* 1980-01-06 */
    assert_int_equal(none.taken_source, SCRY_TAKEN_UNKNOWN);
    scry_metadata_put_gps_date(&none, &(scry_date){ .at = 3658 * (int64_t)86400 }, false);
    assert_true(none.taken_source == SCRY_TAKEN_GPS && !none.has_taken_offset);
    scry_metadata_put_position(&m, 0, 0);
    scry_metadata_put_position(&m, 91, 5);
    assert_false(m.has_position);
    scry_metadata_put_position(&m, 0, 5);
    assert_true(m.has_position);
    scry_metadata_put_rating(&m, 6);
    assert_false(m.has_rating);
    for (int i = 1; i < SCRY_TAKEN_COUNT; i++)
        assert_int_equal(scry_taken_source_from_name(scry_taken_source_name((scry_taken_source)i)), i);
    assert_int_equal(scry_taken_source_from_name("else"), SCRY_TAKEN_UNKNOWN);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(dates_in_many_forms),
        cmocka_unit_test(dates_of_names),
        cmocka_unit_test(texts_become_utf8),
        cmocka_unit_test(keywords_are_a_list),
        cmocka_unit_test(xmp_as_attributes_and_elements),
        cmocka_unit_test(xmp_of_the_picture_itself),
        cmocka_unit_test(xmp_of_other_programs),
        cmocka_unit_test(xmp_in_wide_characters),
        cmocka_unit_test(broken_xmp),
        cmocka_unit_test(odd_exif),
        cmocka_unit_test(places),
        cmocka_unit_test(iptc_in_photoshop),
        cmocka_unit_test(the_better_source_counts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
