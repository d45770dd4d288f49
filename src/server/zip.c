#include "server/zip.h"

#include "base/alloc.h"
#include "base/crc32.h"
#include "base/table.h"
#include "base/utf8.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum {
    VERSION = 20, VERSION_64 = 45, MADE_BY_UNIX = 3 << 8, FLAGS = 1 << 3 | 1 << 11 /* checksum behind the data; UTF-8 */,
    EXTRA_TIME = 0x5455, EXTRA_64 = 1, MODE = 0100644, MAX_NAME_BYTES = 1000
};
static const uint32_t LARGE = 0xffffffff;   /* of a field: the value is in the ZIP64 extra field */

typedef struct {
    char *name;
    uint64_t size, at;
    uint32_t crc, dos_time, mtime;
} entry;

typedef struct {
    const char *key;
    unsigned last;      /* number of the last name that was made from it */
} used_name;

struct zip_writer {
    entry *entries;
    size_t count, capacity;
    scry_table names;   /* lower case */
    uint64_t at;        /* bytes written */
    size_t listed;      /* entries that are in the directory */
    uint64_t directory; /* where it begins */
};

zip_writer *zip_new(void)
{
    zip_writer *z = scry_alloc(sizeof *z);
    z->names = (scry_table)SCRY_TABLE_OF_TEXTS(sizeof(used_name), 2 * ZIP_MAX_ENTRIES);
    return z;
}

void zip_free(zip_writer *z)
{
    if (!z)
        return;
    for (size_t i = 0; i < z->count; i++)
        free(z->entries[i].name);
    free(z->entries);
    scry_table_dispose(&z->names);
    free(z);
}

/* ---- numbers, little endian ---- */

static void put(zip_writer *z, scry_buf *out, uint64_t value, int bytes)
{
    char b[8];
    for (int i = 0; i < bytes; i++)
        b[i] = (char)(value >> 8 * i);
    scry_buf_append(out, b, (size_t)bytes);
    z->at += (uint64_t)bytes;
}

static void put_bytes(zip_writer *z, scry_buf *out, const void *bytes, size_t n)
{
    scry_buf_append(out, bytes, n);
    z->at += n;
}

static uint32_t clip(uint64_t value)
{
    return value < LARGE ? (uint32_t)value : LARGE;
}

/* Date and time in local time and steps of two seconds, as MS-DOS had them: 1980 to 2107. */
static uint32_t dos_time(int64_t mtime_s)
{
    time_t t = (time_t)mtime_s;
    struct tm tm;
    if (!localtime_r(&t, &tm) || tm.tm_year < 80)
        return 1 << 21 | 1 << 16;
    if (tm.tm_year > 207)
        tm.tm_year = 207;
    int date = (tm.tm_year - 80) << 9 | (tm.tm_mon + 1) << 5 | tm.tm_mday;
    return (uint32_t)date << 16 | (uint32_t)(tm.tm_hour << 11 | tm.tm_min << 5 | tm.tm_sec / 2);
}

/* The time in UTC, where 32 bits hold it. */
static void put_time_extra(zip_writer *z, scry_buf *out, const entry *e)
{
    put(z, out, EXTRA_TIME, 2);
    put(z, out, 5, 2);
    put(z, out, 1, 1);
    put(z, out, e->mtime, 4);
}

/* ---- names ---- */

/* Owned. */
static char *clean(const char *name)
{
    scry_buf b = SCRY_BUF_INIT(4 * MAX_NAME_BYTES);
    size_t n = strlen(name);
    scry_utf8_repair(&b, name, n < MAX_NAME_BYTES ? n : MAX_NAME_BYTES);
    for (size_t i = 0; i < b.size; i++)
        if ((unsigned char)b.data[i] < 0x20 || b.data[i] == 0x7f || strchr("/\\:", b.data[i]))
            b.data[i] = '_';
    const char *text = scry_buf_str(&b);
    char *out = scry_strdup(!text[0] || strcmp(text, ".") == 0 || strcmp(text, "..") == 0 ? "_" : text);
    scry_buf_dispose(&b);
    return out;
}

static int64_t add_name(zip_writer *z, const char *name, bool *added, scry_error *err)
{
    char *lower = scry_strdup(name);
    size_t before = z->names.count;
    for (char *p = lower; *p; p++)
        *p = (char)tolower((unsigned char)*p);
    int64_t number = scry_table_add(&z->names, lower, err);
    *added = z->names.count > before;
    free(lower);
    return number;
}

/* `name`, or "NAME (2).EXT" and so on, as no entry has it; NULL after an error. Owned. */
static char *own_name(zip_writer *z, const char *name, scry_error *err)
{
    char *wanted = clean(name), *made = scry_strdup(wanted);
    const char *dot = strrchr(wanted, '.');
    size_t stem = dot && dot > wanted ? (size_t)(dot - wanted) : strlen(wanted);
    bool added;
    int64_t first = add_name(z, wanted, &added, err), number = first;
    while (number >= 0 && !added) {
        used_name *u = scry_table_at(&z->names, (size_t)first);
        u->last = u->last ? u->last + 1 : 2;
        free(made);
        made = scry_asprintf("%.*s (%u)%s", (int)stem, wanted, u->last, wanted + stem);
        number = add_name(z, made, &added, err);
    }
    free(wanted);
    if (number < 0) {
        free(made);
        return NULL;
    }
    return made;
}

/* ---- entries ---- */

/* The fields that an entry's local header and its place in the directory share, from "version needed" on. */
static void put_common(zip_writer *z, scry_buf *out, const entry *e, bool large, bool local)
{
    put(z, out, large ? VERSION_64 : VERSION, 2);
    put(z, out, FLAGS, 2);
    put(z, out, 0, 2);   /* stored */
    put(z, out, e->dos_time, 4);
    put(z, out, local ? 0 : e->crc, 4);
    put(z, out, clip(e->size), 4);
    put(z, out, clip(e->size), 4);
    put(z, out, strlen(e->name), 2);
}

int zip_begin(zip_writer *z, scry_buf *out, const char *name, int64_t mtime_s, uint64_t size, scry_error *err)
{
    if (z->count == ZIP_MAX_ENTRIES)
        return scry_fail(err, SCRY_ELIMIT, "more than %d files in an archive", ZIP_MAX_ENTRIES);
    char *own = own_name(z, name, err);
    if (!own)
        return SCRY_ELIMIT;
    if (z->count == z->capacity) {
        z->capacity = z->capacity ? 2 * z->capacity : 64;
        z->entries = scry_realloc(z->entries, z->capacity * sizeof *z->entries);
    }
    entry *e = &z->entries[z->count++];
    *e = (entry){ .name = own, .size = size, .at = z->at, .dos_time = dos_time(mtime_s),
                  .mtime = mtime_s < 0 ? 0 : mtime_s > INT32_MAX ? INT32_MAX : (uint32_t)mtime_s };
    bool large = size >= LARGE;
    put(z, out, 0x04034b50, 4);
    put_common(z, out, e, large, true);
    put(z, out, 9 + (large ? 20 : 0), 2);
    put_bytes(z, out, e->name, strlen(e->name));
    put_time_extra(z, out, e);
    if (large) {
        put(z, out, EXTRA_64, 2);
        put(z, out, 16, 2);
        put(z, out, size, 8);
        put(z, out, size, 8);
    }
    return 0;
}

void zip_data(zip_writer *z, scry_buf *out, const void *bytes, size_t n)
{
    entry *e = &z->entries[z->count - 1];
    e->crc = scry_crc32(e->crc, bytes, n);
    put_bytes(z, out, bytes, n);
}

void zip_end(zip_writer *z, scry_buf *out)
{
    const entry *e = &z->entries[z->count - 1];
    int width = e->size >= LARGE ? 8 : 4;
    put(z, out, 0x08074b50, 4);
    put(z, out, e->crc, 4);
    put(z, out, e->size, width);
    put(z, out, e->size, width);
}

/* ---- the directory ---- */

static void put_entry(zip_writer *z, scry_buf *out, const entry *e)
{
    bool size = e->size >= LARGE, place = e->at >= LARGE;
    int extra = (size ? 16 : 0) + (place ? 8 : 0);
    put(z, out, 0x02014b50, 4);
    put(z, out, MADE_BY_UNIX | VERSION_64, 2);
    put_common(z, out, e, extra > 0, false);
    put(z, out, 9 + (uint64_t)(extra ? 4 + extra : 0), 2);
    put(z, out, 0, 2);   /* no comment */
    put(z, out, 0, 2);   /* the first disk */
    put(z, out, 0, 2);   /* not a text */
    put(z, out, (uint64_t)MODE << 16, 4);
    put(z, out, clip(e->at), 4);
    put_bytes(z, out, e->name, strlen(e->name));
    put_time_extra(z, out, e);
    if (extra) {
        put(z, out, EXTRA_64, 2);
        put(z, out, (uint64_t)extra, 2);
    }
    if (size) {
        put(z, out, e->size, 8);
        put(z, out, e->size, 8);
    }
    if (place)
        put(z, out, e->at, 8);
}

static void put_end(zip_writer *z, scry_buf *out)
{
    uint64_t end = z->at, size = end - z->directory;
    if (end >= LARGE) {
        put(z, out, 0x06064b50, 4);
        put(z, out, 44, 8);   /* bytes that follow */
        put(z, out, MADE_BY_UNIX | VERSION_64, 2);
        put(z, out, VERSION_64, 2);
        put(z, out, 0, 4);
        put(z, out, 0, 4);
        put(z, out, z->count, 8);
        put(z, out, z->count, 8);
        put(z, out, size, 8);
        put(z, out, z->directory, 8);
        put(z, out, 0x07064b50, 4);
        put(z, out, 0, 4);
        put(z, out, end, 8);
        put(z, out, 1, 4);
    }
    put(z, out, 0x06054b50, 4);
    put(z, out, 0, 2);
    put(z, out, 0, 2);
    put(z, out, z->count, 2);
    put(z, out, z->count, 2);
    put(z, out, clip(size), 4);
    put(z, out, clip(z->directory), 4);
    put(z, out, 0, 2);
}

bool zip_finish(zip_writer *z, scry_buf *out, size_t room)
{
    if (z->listed == 0)
        z->directory = z->at;
    do {
        if (z->listed == z->count) {
            put_end(z, out);
            return false;
        }
        put_entry(z, out, &z->entries[z->listed++]);
    } while (out->size < room);
    return true;
}
