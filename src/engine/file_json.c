#include "engine/file_json.h"

#include "base/base64.h"
#include "base/sha256.h"
#include "base/utf8.h"

#include <string.h>
#include <time.h>

enum { MAX_JSON_BYTES = 1 << 20 };

static void put_base64(scry_json_writer *w, const char *s)
{
    scry_buf b = SCRY_BUF_INIT(MAX_JSON_BYTES);
    scry_base64_append(&b, s, strlen(s));
    scry_json_put_str(w, scry_buf_str(&b));
    scry_buf_dispose(&b);
}

static void key_str(scry_json_writer *w, const char *key, const char *value)
{
    scry_json_key(w, key);
    scry_json_put_str(w, value);
}

static void put_time(scry_json_writer *w, const char *key, int64_t s)
{
    char text[32];
    time_t t = (time_t)s;
    struct tm tm;
    scry_json_key(w, key);
    if (gmtime_r(&t, &tm) && strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &tm))
        scry_json_put_str(w, text);
    else
        scry_json_put_null(w);
}

void scry_json_put_file(scry_json_writer *w, const scry_file *f)
{
    char id[2 * SCRY_ID_BYTES + 1];
    scry_hex(f->id, SCRY_ID_BYTES, id);
    key_str(w, "id", id);
    key_str(w, "path", f->path);
    if (!scry_utf8_valid(f->path, strlen(f->path))) {
        scry_json_key(w, "path_base64");
        put_base64(w, f->path);
    }
    const char *slash = strrchr(f->path, '/');
    key_str(w, "name", slash ? slash + 1 : f->path);
    scry_json_key(w, "folder");
    scry_json_put_bytes(w, f->path, slash ? (size_t)(slash - f->path) : 0);
    scry_json_key(w, "width");
    scry_json_put_int(w, f->width);
    scry_json_key(w, "height");
    scry_json_put_int(w, f->height);
    key_str(w, "format", f->format);
    scry_json_key(w, "size");
    scry_json_put_int(w, f->size);
    put_time(w, "mtime", f->mtime_ns / 1000000000);
    if (f->has_time)
        put_time(w, "taken_at", f->taken_at);
    if (f->camera && f->camera[0])
        key_str(w, "camera", f->camera);
    if (f->has_position) {
        scry_json_key(w, "latitude");
        scry_json_put_num(w, f->latitude, 9);
        scry_json_key(w, "longitude");
        scry_json_put_num(w, f->longitude, 9);
    }
    if (f->key && f->key[0])
        key_str(w, "key", f->key);
    if (f->label_count) {
        scry_json_key(w, "labels");
        scry_json_begin(w, '[');
        for (size_t i = 0; i < f->label_count; i++)
            scry_json_put_str(w, f->labels[i]);
        scry_json_end(w, ']');
    }
}

void scry_json_put_hit(scry_json_writer *w, const scry_hit *hit, size_t rank, const scry_search *search)
{
    scry_json_begin(w, '{');
    scry_json_key(w, "rank");
    scry_json_put_int(w, (int64_t)rank);
    scry_json_key(w, "score");
    scry_json_put_num(w, hit->score, 9);
    scry_json_put_file(w, &hit->file);
    scry_json_key(w, "copies");
    scry_json_put_int(w, (int64_t)hit->copies);
    if (search->fold > 0) {
        scry_json_key(w, "folded");
        scry_json_put_int(w, (int64_t)hit->folded);
        scry_json_key(w, "folded_ids");
        scry_json_begin(w, '[');
        for (size_t i = 0; i < hit->folded && i < SCRY_FOLDED_IDS; i++) {
            char id[2 * SCRY_ID_BYTES + 1];
            scry_hex(hit->folded_ids[i], SCRY_ID_BYTES, id);
            scry_json_put_str(w, id);
        }
        scry_json_end(w, ']');
    }
    scry_json_end(w, '}');
}
