/* metadata_dump - what scry reads of the headers of files, for tools/metadata_agreement.py.
 *
 *     metadata_dump < PATHS
 *
 * One JSON object a line for each line of the input, in its order: of a file that is no picture it has no
 * "format". Within this process: for files that are trusted.
 */
#include "base/file.h"
#include "base/json.h"
#include "decoder/file_headers.h"
#include "decoder/formats/formats.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_FILE = 1 << 29 };

static void put(scry_json_writer *w, const scry_metadata *m)
{
    scry_json_add_int(w, "orientation", m->orientation);
    if (m->taken_source) {
        scry_json_add_int(w, "taken_at", m->taken_at);
        scry_json_add_str(w, "taken_source", scry_taken_source_name(m->taken_source));
    }
    if (m->has_taken_offset)
        scry_json_add_int(w, "taken_offset_min", m->taken_offset_min);
    if (m->has_position) {
        scry_json_add_num(w, "latitude", m->latitude, 9);
        scry_json_add_num(w, "longitude", m->longitude, 9);
    }
    if (m->has_rating)
        scry_json_add_int(w, "rating", m->rating);
    scry_json_add_str(w, "camera", m->camera);
    scry_json_add_str(w, "lens", m->lens);
    scry_json_add_str(w, "title", m->title);
    scry_json_add_str(w, "description", m->description);
    scry_json_add_str(w, "keywords", m->keywords);
}

static void dump(const char *path)
{
    scry_buf text = SCRY_BUF_INIT(1 << 20), file = SCRY_BUF_INIT(MAX_FILE);
    scry_json_writer w = SCRY_JSON_WRITER_INIT(&text);
    scry_metadata m;
    scry_json_begin(&w, '{');
    if (scry_read_file(path, &file, NULL) == 0 && file.size > 0) {
        scry_bytes bytes = { (const uint8_t *)file.data, file.size };
        scry_format format = scry_sniff_format(bytes.p, bytes.n);
        if (format != SCRY_FORMAT_NONE) {
            scry_read_file_headers(format, bytes, scry_unpacker_get(), &m);
            scry_json_add_str(&w, "format", scry_format_name(format));
            put(&w, &m);
        }
    }
    scry_json_end(&w, '}');
    puts(scry_buf_str(&text));
    scry_buf_dispose(&text);
    scry_buf_dispose(&file);
}

int main(void)
{
    char path[4096];
    while (fgets(path, sizeof path, stdin)) {
        path[strcspn(path, "\n")] = '\0';
        dump(path);
    }
    return 0;
}
