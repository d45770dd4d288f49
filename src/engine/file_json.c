#include "engine/file_json.h"

#include "base/alloc.h"
#include "base/base64.h"
#include "base/sha256.h"
#include "base/utf8.h"
#include "engine/fusion.h"
#include "store/places.h"
#include "store/words.h"

#include <stdio.h>
#include <stdlib.h>
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

/* When it was taken, by a clock at the place: "2024-01-01T00:30:00+09:00", without the offset where that is not known. Where
 * nothing else is known, the time of the file, which is in UTC. */
static void put_taken(scry_json_writer *w, const scry_file *f)
{
    char text[40] = "", offset[8] = "", clock[32];
    time_t t = (time_t)f->taken_at;
    struct tm tm;
    if (!f->has_time) {
        put_time(w, "taken_at", f->mtime_ns / 1000000000);
        scry_json_add_str(w, "taken_at_source", scry_taken_source_name(SCRY_TAKEN_FILE_TIME));
        return;
    }
    if (!gmtime_r(&t, &tm) || !strftime(clock, sizeof clock, "%Y-%m-%dT%H:%M:%S", &tm))
        return;
    int minutes = f->taken_offset_min < 0 ? -f->taken_offset_min : f->taken_offset_min;
    if (f->has_taken_offset && minutes < 1440)
        snprintf(offset, sizeof offset, "%c%02d:%02d", f->taken_offset_min < 0 ? '-' : '+', minutes / 60, minutes % 60);
    snprintf(text, sizeof text, "%s%s", clock, offset);
    scry_json_add_str(w, "taken_at", text);
    if (f->taken_source != SCRY_TAKEN_UNKNOWN)
        scry_json_add_str(w, "taken_at_source", scry_taken_source_name(f->taken_source));
}

static void put_text(scry_json_writer *w, const char *key, const char *text)
{
    if (text && text[0])
        scry_json_add_str(w, key, text);
}

/* Texts separated by '\n' as a list. */
static void put_lines(scry_json_writer *w, const char *key, const char *lines)
{
    if (!lines || !lines[0])
        return;
    scry_json_key(w, key);
    scry_json_begin(w, '[');
    for (size_t n; *lines; lines += n + (lines[n] == '\n')) {
        n = strcspn(lines, "\n");
        scry_json_put_bytes(w, lines, n);
    }
    scry_json_end(w, ']');
}

static void put_place(scry_json_writer *w, const scry_file *f, const char *language)
{
    char *text = scry_place_text_in(f->latitude, f->longitude, language);
    if (text)
        scry_json_add_str(w, "place", text);
    free(text);
}

void scry_json_put_file(scry_json_writer *w, const scry_file *f)
{
    scry_json_put_file_in(w, f, NULL);
}

void scry_json_put_file_in(scry_json_writer *w, const scry_file *f, const char *language)
{
    char id[2 * SCRY_ID_BYTES + 1];
    scry_hex(f->id, SCRY_ID_BYTES, id);
    scry_json_add_str(w, "id", id);
    scry_json_add_str(w, "path", f->path);
    if (!scry_utf8_valid(f->path, strlen(f->path))) {
        scry_json_key(w, "path_base64");
        put_base64(w, f->path);
    }
    const char *slash = strrchr(f->path, '/');
    scry_json_add_str(w, "name", slash ? slash + 1 : f->path);
    scry_json_key(w, "folder");
    scry_json_put_bytes(w, f->path, slash ? (size_t)(slash - f->path) : 0);
    scry_json_add_int(w, "width", f->width);
    scry_json_add_int(w, "height", f->height);
    scry_json_add_str(w, "format", f->format);
    scry_json_add_int(w, "size", f->size);
    put_time(w, "mtime", f->mtime_ns / 1000000000);
    put_taken(w, f);
    put_text(w, "camera", f->camera);
    put_text(w, "lens", f->lens);
    if (f->has_position) {
        scry_json_add_num(w, "latitude", f->latitude, 9);
        scry_json_add_num(w, "longitude", f->longitude, 9);
        put_place(w, f, language);
    }
    put_text(w, "title", f->title);
    put_text(w, "description", f->description);
    put_lines(w, "keywords", f->keywords);
    if (f->has_rating)
        scry_json_add_int(w, "rating", f->rating);
    if (f->favourite)
        scry_json_add_bool(w, "favourite", true);
    if (f->damaged)
        scry_json_add_bool(w, "damaged", true);
    if (f->away)
        scry_json_add_bool(w, "away", true);
    if (f->notes)
        put_text(w, "companion", f->notes->companion);
    put_text(w, "raw", f->raw);
    put_text(w, "key", f->key);
    if (f->label_count) {
        scry_json_key(w, "labels");
        scry_json_begin(w, '[');
        for (size_t i = 0; i < f->label_count; i++)
            scry_json_put_str(w, f->labels[i]);
        scry_json_end(w, ']');
    }
}

static void put_line(scry_json_writer *w, const scry_text_line *line, const char *wanted)
{
    size_t n;
    scry_json_begin(w, '{');
    scry_json_add_str(w, "text", line->text);
    scry_json_add_num(w, "confidence", line->confidence, 3);
    scry_json_key(w, "corners");
    scry_json_begin(w, '[');
    for (size_t i = 0; i < 8; i += 2) {
        scry_json_begin(w, '[');
        scry_json_put_num(w, line->corner[i], 5);
        scry_json_put_num(w, line->corner[i + 1], 5);
        scry_json_end(w, ']');
    }
    scry_json_end(w, ']');
    if (wanted)
        scry_json_add_bool(w, "matches", wanted[0] && scry_words_line(line->text, wanted, &n));
    scry_json_end(w, '}');
}

void scry_json_put_picture_text(scry_json_writer *w, const scry_picture_text *text, const char *query)
{
    scry_buf wanted = SCRY_BUF_INIT(SCRY_WORDS_LIMIT), all = SCRY_BUF_INIT(1 << 20);
    size_t n = text ? text->line_count : 0;
    if (query)
        scry_words_of_query(&wanted, query, SCRY_WORDS_NAMED);
    for (size_t i = 0; i < n; i++)
        scry_buf_printf(&all, "%s%s", i ? "\n" : "", text->lines[i].text);
    scry_json_begin(w, '{');
    scry_json_add_bool(w, "read", text && !text->reason[0]);
    scry_json_add_str(w, "reason", text && text->reason[0] ? text->reason : NULL);
    scry_json_add_str(w, "text", scry_buf_str(&all));
    scry_json_key(w, "lines");
    scry_json_begin(w, '[');
    for (size_t i = 0; i < n; i++)
        put_line(w, &text->lines[i], query ? scry_buf_str(&wanted) : NULL);
    scry_json_end(w, ']');
    scry_json_end(w, '}');
    scry_buf_dispose(&wanted);
    scry_buf_dispose(&all);
}

void scry_json_put_hit(scry_json_writer *w, const scry_hit *hit, size_t rank, const char *group, const scry_search *search)
{
    scry_json_begin(w, '{');
    scry_json_add_int(w, "rank", (int64_t)rank);
    scry_json_add_num(w, "score", hit->score, 9);
    scry_json_key(w, "group");
    if (group)
        scry_json_put_str(w, group);
    else
        scry_json_put_null(w);
    if (hit->found_by) {
        scry_json_add_str(w, "found_by", scry_found_by_name(hit->found_by));
        scry_json_key(w, "found_in");
        scry_json_put_fields(w, hit->word_fields);
    }
    if (hit->matched) {
        scry_json_key(w, "matched");
        scry_json_put_bytes(w, hit->matched, hit->matched_bytes);
    }
    scry_json_put_file(w, &hit->file);
    scry_json_add_int(w, "copies", (int64_t)hit->copies);
    if (search->fold > 0) {
        scry_json_add_int(w, "folded", (int64_t)hit->folded);
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

int scry_json_put_hits(scry_json_writer *w, const scry_search_request *q, const scry_groups *groups, const scry_results *found,
                       size_t shown, scry_error *err)
{
    size_t *order = scry_alloc((shown + 1) * sizeof *order);
    int r = scry_sort_hits(order, found->hits, shown, q->sort, q->reverse, err);
    scry_json_begin(w, '[');
    for (size_t i = 0; r == 0 && i < shown; i++) {
        const scry_hit *h = &found->hits[order[i]];
        size_t rank = q->search.offset + order[i] + 1;
        scry_json_put_hit(w, h, rank, scry_groups_name(groups, found, rank, h), &q->search);
    }
    scry_json_end(w, ']');
    free(order);
    return r;
}

void scry_json_put_progress(scry_json_writer *w, const scry_index_progress *p)
{
    const struct { const char *key; uint64_t n; } counts[] = {
        { "found", p->found }, { "added", p->added }, { "updated", p->updated }, { "unchanged", p->unchanged },
        { "skipped", p->skipped }, { "pruned", p->pruned }, { "missing", p->missing }, { "embedded", p->embedded },
        { "headers", p->headers }, { "damaged", p->damaged }, { "expected", p->expected },
    };
    for (size_t i = 0; i < sizeof counts / sizeof *counts; i++)
        scry_json_add_int(w, counts[i].key, (int64_t)counts[i].n);
    scry_json_add_bool(w, "walking", p->walking);
    scry_json_add_num(w, "elapsed_ms", p->elapsed_ms, 7);
}

void scry_json_put_undated(scry_json_writer *w, const scry_results *r)
{
    if (r->has_undated)
        scry_json_add_int(w, "undated", (int64_t)r->undated);
}

void scry_json_put_parts(scry_json_writer *w, const scry_query *query)
{
    static const char *const names[] = {
        [SCRY_PART_TEXT] = "text", [SCRY_PART_PICTURE] = "file", [SCRY_PART_STORED] = "id", [SCRY_PART_UPLOADED] = "picture",
    };
    const scry_query_part *parts;
    size_t n = scry_query_parts(query, &parts);
    scry_json_begin(w, '[');
    for (size_t i = 0; i < n; i++) {
        scry_json_begin(w, '{');
        scry_json_add_str(w, names[parts[i].kind], parts[i].text);
        scry_json_add_num(w, "weight", parts[i].weight, 15);
        if (parts[i].region[2]) {
            scry_json_key(w, "region");
            scry_json_begin(w, '[');
            for (size_t k = 0; k < 4; k++)
                scry_json_put_int(w, parts[i].region[k]);
            scry_json_end(w, ']');
        }
        scry_json_end(w, '}');
    }
    scry_json_end(w, ']');
}
