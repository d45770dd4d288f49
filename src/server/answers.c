/* answers.c - pictures as JSON. */
#include "server/server.h"

#include "engine/file_json.h"

void put_hit(scry_json_writer *w, const scry_hit *hit, size_t rank)
{
    scry_json_begin(w, '{');
    scry_json_key(w, "rank");
    scry_json_put_int(w, (int64_t)rank);
    scry_json_key(w, "score");
    scry_json_put_num(w, hit->score, 9);
    scry_json_put_file(w, &hit->file);
    scry_json_key(w, "copies");
    scry_json_put_int(w, (int64_t)hit->copies);
    scry_json_end(w, '}');
}
