#include "engine/sidecar.h"

#include "base/alloc.h"
#include "base/buf.h"
#include "base/file.h"
#include "base/json.h"
#include "base/utf8.h"
#include "metadata/fields.h"
#include "metadata/file_name.h"
#include "metadata/text.h"
#include "metadata/xmp.h"
#include "store/pairs.h"

#include <dirent.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { MAX_SIDECAR = 4 << 20, MAX_NAME = 256, MAX_PATH = 4096 };

/* ---- XMP ------------------------------------------------------------------------ */

static bool read_xmp(const char *path, scry_metadata *m)
{
    scry_buf text = SCRY_BUF_INIT(MAX_SIDECAR);
    bool is_there = scry_read_file(path, &text, NULL) == 0;
    if (is_there)
        scry_xmp_read((scry_bytes){ (const uint8_t *)scry_buf_str(&text), text.size }, SCRY_TAKEN_SIDECAR, m);
    scry_buf_dispose(&text);
    return is_there;
}

/* The names that an .xmp of the picture may have: those with its whole name count before the others. */
static bool each_xmp(const char *path, bool (*each)(void *arg, const char *sidecar), void *arg)
{
    static const char *const extensions[] = { "xmp", "XMP", "Xmp" };
    const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path, *dot = strrchr(name, '.');
    const size_t stems[] = { strlen(path), dot && dot > name ? (size_t)(dot - path) : 0 };
    bool done = false;
    for (size_t k = 0; k < 2 && stems[k]; k++) {
        done = false;
        for (size_t i = 0; i < sizeof extensions / sizeof *extensions && !done; i++) {
            char sidecar[MAX_PATH];
            int n = snprintf(sidecar, sizeof sidecar, "%.*s.%s", (int)stems[k], path, extensions[i]);
            done = n > 0 && (size_t)n < sizeof sidecar && each(arg, sidecar);
        }
    }
    return done;
}

static bool add_xmp(void *arg, const char *sidecar)
{
    return read_xmp(sidecar, arg);
}

/* ---- Google Takeout --------------------------------------------------------------- */

/* A number, or one that is written as a string. */
static double real_of(const scry_json *value)
{
    return scry_json_type_of(value) == SCRY_JSON_STRING ? atof(scry_json_str(value, "")) : scry_json_num(value, NAN);
}

static void take_place(const scry_json *geo, scry_metadata *m)
{
    scry_metadata_put_position(m, real_of(scry_json_get(geo, "latitude")), real_of(scry_json_get(geo, "longitude")));
}

static void take_json(const scry_json *root, scry_metadata *m)
{
    const int64_t earliest = -5364662400, latest = 253402300799;   /* 1800 to 9999 */
    const scry_json *time = scry_json_get(root, "photoTakenTime");
    if (!time)
        return;   /* another program's file */
    double taken = real_of(scry_json_get(time, "timestamp"));
    if (taken >= (double)earliest && taken <= (double)latest)
        scry_metadata_put_date(m, &(scry_date){ .at = (int64_t)taken, .has_offset = true }, SCRY_TAKEN_SIDECAR);
    take_place(scry_json_get(root, "geoData"), m);
    take_place(scry_json_get(root, "geoDataExif"), m);
    const char *text = scry_json_str(scry_json_get(root, "description"), "");
    if (!m->description[0])
        scry_text_put(m->description, sizeof m->description, text, strlen(text));
}

typedef struct search {
    const char *path;
    size_t folder;          /* bytes of the path before the name */
    scry_metadata *m;
} search;

static bool read_json(void *arg, const char *candidate)
{
    const search *s = arg;
    char path[MAX_PATH];
    scry_json *root = NULL;
    scry_buf text = SCRY_BUF_INIT(MAX_SIDECAR);
    int n = snprintf(path, sizeof path, "%.*s%s", (int)s->folder, s->path, candidate);
    bool is_there = n > 0 && (size_t)n < sizeof path && scry_read_file(path, &text, NULL) == 0;
    if (is_there && scry_json_parse(&root, scry_buf_str(&text), text.size, path, NULL) == 0)
        take_json(root, s->m);
    scry_json_free(root);
    scry_buf_dispose(&text);
    return is_there;
}

/* Bytes of the first `count` characters. */
static size_t bytes_of(const char *s, size_t count)
{
    size_t at = 0, n = strlen(s);
    uint32_t rune;
    for (; count > 0 && at < n; count--)
        at += scry_utf8_next(s + at, n - at, &rune);
    return at;
}

typedef struct names {
    bool (*each)(void *arg, const char *candidate);
    void *arg;
} names;

/* `name` without its number, and the number "(1)" or "". */
static bool try_names(const names *w, const char *name, const char *number)
{
    enum { CUT = 46 };   /* characters before ".json" */
    static const char *const endings[] = { ".supplemental-metadata", "" };
    char base[2 * MAX_NAME], candidate[3 * MAX_NAME];
    for (size_t i = 0; i < 2; i++) {
        snprintf(base, sizeof base, "%.*s%s", MAX_NAME, name, endings[i]);
        base[bytes_of(base, CUT)] = '\0';
        snprintf(candidate, sizeof candidate, "%s%s.json", base, number);
        if (w->each(w->arg, candidate))
            return true;
    }
    return false;
}

/* "IMG_1(2).jpg" -> "IMG_1.jpg" and "(2)". */
static void split_number(const char *name, char plain[MAX_NAME], char number[16])
{
    const char *dot = strrchr(name, '.'), *open = dot;
    size_t digits;
    snprintf(plain, MAX_NAME, "%s", name);
    number[0] = '\0';
    if (!dot || dot - name < 4 || dot[-1] != ')')
        return;
    while (open > name && *open != '(')
        open--;
    digits = strspn(open + 1, "0123456789");
    if (*open != '(' || open == name || digits == 0 || digits > 9 || open + digits + 2 != dot)
        return;
    snprintf(number, 16, "(%.*s)", (int)digits, open + 1);
    snprintf(plain, MAX_NAME, "%.*s%s", (int)(open - name), name, dot);
}

/* Remove what Google Photos adds to the names of edited pictures; false where there is nothing of it. */
static bool remove_edited(char *name)
{
    static const char *const endings[] = { "-edited", "-effects", "-smile", "-mix", "-bearbeitet", "-modifi\xc3\xa9", "-editado",
        "-ha editado", "-editat", "-modificato", "-bewerkt", "-edytowane", "-\xe7\xb7\xa8\xe9\x9b\x86\xe6\xb8\x88\xe3\x81\xbf" };
    char *dot = strrchr(name, '.');
    for (size_t i = 0; dot && i < sizeof endings / sizeof *endings; i++) {
        size_t n = strlen(endings[i]);
        if ((size_t)(dot - name) > n && strncasecmp(dot - n, endings[i], n) == 0) {
            memmove(dot - n, dot, strlen(dot) + 1);
            return true;
        }
    }
    return false;
}

void scry_takeout_names(const char *name, bool (*each)(void *arg, const char *candidate), void *arg)
{
    names w = { each, arg };
    char plain[MAX_NAME], number[16], candidate[MAX_NAME + 32];
    if (strlen(name) >= MAX_NAME)
        return;
    split_number(name, plain, number);
    if (try_names(&w, plain, number) || (number[0] && try_names(&w, name, "")))
        return;
    if (remove_edited(plain) && try_names(&w, plain, number))
        return;
    char *dot = strrchr(plain, '.');   /* old exports: "a.json" of a.jpg */
    if (dot && dot > plain)
        *dot = '\0';
    snprintf(candidate, sizeof candidate, "%s%s.json", plain, number);
    (void)each(arg, candidate);
}

/* ---- together ----------------------------------------------------------------------- */

/* The file's time as a clock here shows it. */
static bool date_of_file(scry_date *out, int64_t mtime_ns)
{
    time_t t = (time_t)(mtime_ns / 1000000000 - (mtime_ns % 1000000000 < 0));
    struct tm tm;
    if (!localtime_r(&t, &tm))
        return false;
    const int date[3] = { tm.tm_year + 1900, tm.tm_mon + 1, tm.tm_mday }, clock[3] = { tm.tm_hour, tm.tm_min, tm.tm_sec };
    long offset = tm.tm_gmtoff / 60;
    *out = (scry_date){ .has_offset = offset > -1440 && offset < 1440, .offset_min = (int)offset };
    return scry_date_of(&out->at, date, clock);
}

void scry_sidecar_read(const char *path, int64_t mtime_ns, scry_metadata *m)
{
    const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;
    search s = { path, (size_t)(name - path), m };
    scry_date d;
    *m = (scry_metadata){ 0 };
    (void)each_xmp(path, add_xmp, m);
    scry_takeout_names(name, read_json, &s);
    if (scry_date_of_name(&d, name))
        scry_metadata_put_date(m, &d, SCRY_TAKEN_FILE_NAME);
    if (date_of_file(&d, mtime_ns))
        scry_metadata_put_date(m, &d, SCRY_TAKEN_FILE_TIME);
}

/* ---- what there is, without reading it ------------------------------------------------ */

bool scry_may_be_sidecar(const char *name)
{
    static const char *const extensions[] = { "xmp", "json", "mov", "mp4", "mp" };
    const char *dot = strrchr(name, '.');
    size_t stem;
    for (size_t i = 0; dot && i < sizeof extensions / sizeof *extensions; i++)
        if (strcasecmp(dot + 1, extensions[i]) == 0)
            return true;
    return scry_pair_part_of(name, strlen(name), &stem) == SCRY_PAIR_RAW;
}

static int compare_names(const void *name, const void *item)
{
    return strcoll(name, (*(const struct dirent *const *)item)->d_name);   /* as alphasort */
}

static bool exists(const char *path, const scry_folder_names *beside)
{
    const char *slash = strrchr(path, '/');
    if (!beside)
        return access(path, F_OK) == 0;
    return bsearch(slash ? slash + 1 : path, beside->items, beside->count, sizeof *beside->items, compare_names);
}

typedef struct {
    const scry_folder_names *beside;
    const char *path;
    size_t folder;     /* bytes of the path before the name */
    char *found;       /* a companion */
    uint64_t stamp;
} look;

static bool take_companion(void *arg, const char *path)
{
    look *l = arg;
    if (exists(path, l->beside))
        l->found = scry_strdup(path + l->folder);
    return l->found;
}

/* The video of a live photo; iCloud's downloaders put a word behind the name. Google's Takeout has the video of Pixel's "x.MP.jpg" as
 * "x.MP". */
static void find_video(look *l)
{
    static const char *const videos[] = { ".MOV", ".mov", ".MP4", ".mp4", ".Mov", ".Mp4", "_HEVC.MOV", "_HEVC.mov" };
    size_t stem = (size_t)(strrchr(l->path, '.') - l->path) + 1;
    for (size_t i = 0; i < sizeof videos / sizeof *videos && !l->found; i++) {
        char *video = scry_asprintf("%.*s%s", (int)stem - 1, l->path, videos[i]);
        (void)take_companion(l, video);
        free(video);
    }
    if (!l->found && stem > 4 && strncmp(l->path + stem - 4, ".MP", 3) == 0) {
        char *video = scry_strndup(l->path, stem - 1);
        (void)take_companion(l, video);
        free(video);
    }
}

static look look_beside(const char *path, const scry_folder_names *beside)
{
    const char *slash = strrchr(path, '/');
    return (look){ .beside = beside, .path = path, .folder = slash ? (size_t)(slash - path) + 1 : 0 };
}

char *scry_companion_name(const char *path, const scry_folder_names *beside)
{
    size_t stem;
    look l = look_beside(path, beside);
    scry_pair_part part = scry_pair_part_of(path, strlen(path), &stem);
    if (part == SCRY_PAIR_RAW)
        (void)scry_pair_names(path, take_companion, &l);
    else if (part == SCRY_PAIR_LEAD)
        find_video(&l);
    return l.found;
}

static void mix(look *l, uint64_t value)
{
    l->stamp = l->stamp * UINT64_C(0x100000001B3) + value;
}

/* Of each sidecar its change time. */
static bool mix_sidecar(void *arg, const char *path)
{
    look *l = arg;
    struct stat st;
    if (!exists(path, l->beside) || stat(path, &st) < 0)
        return false;
    mix(l, (uint64_t)scry_time_ns(st.st_ctim));
    return true;
}

static bool mix_json(void *arg, const char *candidate)
{
    const look *l = arg;
    char path[MAX_PATH];
    int n = snprintf(path, sizeof path, "%.*s%s", (int)l->folder, l->path, candidate);
    return n > 0 && (size_t)n < sizeof path && mix_sidecar(arg, path);
}

int64_t scry_sidecar_stamp(const char *path, int64_t ctime_ns, const scry_folder_names *beside)
{
    if (beside && !beside->has_sidecars)
        return ctime_ns;
    look l = look_beside(path, beside);
    l.stamp = (uint64_t)ctime_ns;
    char *companion = scry_companion_name(path, beside);
    if (companion)
        mix(&l, strlen(companion));
    free(companion);
    (void)each_xmp(path, mix_sidecar, &l);
    scry_takeout_names(path + l.folder, mix_json, &l);
    return (int64_t)l.stamp;
}
