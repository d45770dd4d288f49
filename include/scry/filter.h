/* filter.h - which pictures a search may return: one tree, compiled by each store.
 *
 * A filter is about a file (a row), its folder and labels, and about the picture in it:
 * time, camera, position, format, width. The embedded store compiles it to a bitmap,
 * Milvus to a boolean expression; scry_filter_match is the reference for both.
 * Immutable once built; any thread.
 */
#ifndef SCRY_FILTER_H
#define SCRY_FILTER_H

#include "scry/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef enum {
    SCRY_FILTER_ALL,      /* every file */
    SCRY_FILTER_AND, SCRY_FILTER_OR, SCRY_FILTER_NOT,
    SCRY_FILTER_IN,       /* text: absolute folder; the file is in it or below it, or is it */
    SCRY_FILTER_AFTER,    /* time_s: the picture's time >= it */
    SCRY_FILTER_BEFORE,   /* time_s: the picture's time < it */
    SCRY_FILTER_CAMERA,   /* text: found in the camera's name, ASCII case ignored */
    SCRY_FILTER_NEAR,     /* latitude, longitude, km: great-circle distance <= km (sphere of 6371.0088 km) */
    SCRY_FILTER_FORMAT,   /* text: "jpeg", "png", ... */
    SCRY_FILTER_LABEL,    /* text: the file has this label (CSV), exactly */
    SCRY_FILTER_KEY,      /* text: the file's key (CSV id), exactly */
    SCRY_FILTER_MIN_WIDTH,   /* number: the picture is at least this many pixels wide */
    SCRY_FILTER_MIN_RATING,  /* number: rated at least this, -1 to 5; pictures without a rating do not pass */
    SCRY_FILTER_KEYWORD,     /* text: one of the picture's keywords; case and accents ignored */
    SCRY_FILTER_WORDS,       /* text: words that the file's names and texts all hold; number: scry_words_mode; scry_filter_words */
    SCRY_FILTER_FAVOURITE,   /* the picture is marked as a favourite (marks.h) */
    SCRY_FILTER_BOX,      /* latitude, longitude: the corner in the south-west; north, east: the other; edges belong to it. Where
                           * east < longitude the box crosses the meridian of 180 degrees */
    SCRY_FILTER_KINDS     /* how many there are */
} scry_filter_kind;

/* How words are looked for in the names and texts of a file: path below its root, title, description, keywords, labels, key, and
 * the names of the city and the country where the picture was taken. */
typedef enum {
    SCRY_WORDS_WHOLE,    /* each is a word there */
    SCRY_WORDS_PARTS,    /* each of three letters or more is a word there or a part of one */
    SCRY_WORDS_NAMED,    /* as WHOLE, without words that say nothing: "the", "photo of" */
    SCRY_WORDS_PLACE     /* as WHOLE, of the places alone where the picture was taken */
} scry_words_mode;

/* The picture's time is its EXIF time, or the file's mtime where it has none. */
typedef struct scry_filter_node scry_filter_node;
struct scry_filter_node {
    scry_filter_kind kind;
    const scry_filter_node *left, *right;   /* AND, OR; NOT uses left */
    const char *text;
    int64_t time_s;
    double latitude, longitude, km;
    int64_t number;
    double north, east;
};

/* Builders. Every node belongs to the pool that made it and is freed with it; texts are
 * copied. scry_filter_and accepts NULL for either side and returns the other. */
typedef struct scry_filter_pool scry_filter_pool;

scry_filter_pool *scry_filter_pool_new(void);
void scry_filter_pool_free(scry_filter_pool *p);
const scry_filter_node *scry_filter_and(scry_filter_pool *p, const scry_filter_node *a, const scry_filter_node *b);
const scry_filter_node *scry_filter_or(scry_filter_pool *p, const scry_filter_node *a, const scry_filter_node *b);
const scry_filter_node *scry_filter_not(scry_filter_pool *p, const scry_filter_node *a);
/* Of a kind that asks for a text, a time or a number, as it says above; any other, and a text of NULL, make a node that every store
 * refuses. FAVOURITE takes a number, whatever it is. */
const scry_filter_node *scry_filter_text(scry_filter_pool *p, scry_filter_kind kind, const char *text);
const scry_filter_node *scry_filter_time(scry_filter_pool *p, scry_filter_kind kind, int64_t time_s);
const scry_filter_node *scry_filter_number(scry_filter_pool *p, scry_filter_kind kind, int64_t number);
/* Pictures whose names and texts hold every word of `text`, whatever their case, accents and endings of plurals; docs/words.md says
 * what a word is. NULL where the text has no words to look for, or more than 32. On Milvus, in collections that scry made. */
const scry_filter_node *scry_filter_words(scry_filter_pool *p, const char *text, scry_words_mode mode);
const scry_filter_node *scry_filter_near(scry_filter_pool *p, double latitude, double longitude, double km);
const scry_filter_node *scry_filter_box(scry_filter_pool *p, double west, double south, double east, double north);

/* "2024", "2024-05", "2024-05-17", "2024-05-17T10:00", "...:30", with an optional Z or
 * +hh:mm (else UTC): seconds since 1970 of its first moment. */
int scry_parse_time(const char *text, int64_t *out_s, scry_error *err) SCRY_NODISCARD;

/* A period as people write it, by the clock here: "May 2020", "17.05.2024", "last summer", "this morning", "Q2 2023", "2019-2021" and what
 * scry_parse_time takes, in English, German, French, Russian and Spanish; docs/http-api.md. From *from_s to before *until_s, as
 * scry_file.taken_at; INT64_MIN and INT64_MAX where it has no beginning or no end ("since 2020"). SCRY_EINVALID: it is no date, or may be two. */
int scry_parse_period(const char *text, int64_t *from_s, int64_t *until_s, scry_error *err) SCRY_NODISCARD;

/* "LAT,LON,KM" with range checks; blanks around the numbers are legal, here and in a box. */
int scry_parse_near(const char *text, double *latitude, double *longitude, double *km,
                    scry_error *err) SCRY_NODISCARD;

/* "WEST,SOUTH,EAST,NORTH" in degrees, with range checks; WEST may be larger than EAST. */
int scry_parse_box(const char *text, double *west, double *south, double *east, double *north, scry_error *err) SCRY_NODISCARD;

/* Whether the filter (NULL: no) asks for the time of pictures. */
bool scry_filter_asks_time(const scry_filter_node *f);

struct scry_file;
/* Whether the filter (NULL: every file) lets this file pass. The reference of all compilers. A node
 * whose kind is unknown lets no file pass, negated or not; stores refuse a filter that has one. */
bool scry_filter_match(const scry_filter_node *f, const struct scry_file *file);

#ifdef __cplusplus
}
#endif
#endif
