/* open.c - open the store and the model that the options name. */
#include "cli/cli.h"
#include "cli/progress.h"

#include "base/alloc.h"
#include "base/file.h"
#include "base/sha256.h"
#include "engine/csv.h"
#include "scry/rebuild.h"
#include "scry/registry.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const char *given(const char *option, const char *variable)
{
    const char *value = option ? option : getenv(variable);
    return value && value[0] ? value : NULL;
}

char *cli_store_place(const cli_common *c)
{
    const char *place = given(c->store, "SCRY_STORE");
    if (place)
        return scry_expand_home(place);
    char *data = scry_data_dir(), *store = scry_path_join(data, "store");
    free(data);
    return store;
}

/* ---- a store, with the table of --milvus-map ---- */

typedef struct key_map {
    int64_t *ids;
    char **paths;
    size_t count;
    int id_column, path_column;   /* -1 until the header was read */
} key_map;

static int add_key(void *arg, size_t line, char **fields, size_t count)
{
    key_map *m = arg;
    if (line == 1) {
        for (size_t i = 0; i < count; i++) {
            m->id_column = strcmp(fields[i], "id") == 0 ? (int)i : m->id_column;
            m->path_column = strcmp(fields[i], "path") == 0 ? (int)i : m->path_column;
        }
        return m->id_column < 0 || m->path_column < 0;
    }
    if ((size_t)m->id_column >= count || (size_t)m->path_column >= count)
        return 0;
    char *end;
    long long id = strtoll(fields[m->id_column], &end, 10);
    if (end == fields[m->id_column] || *end)
        return 0;   /* not an id: skip the line */
    m->ids = scry_realloc(m->ids, (m->count + 1) * sizeof *m->ids);
    m->paths = scry_realloc(m->paths, (m->count + 1) * sizeof *m->paths);
    m->ids[m->count] = id;
    m->paths[m->count++] = scry_strdup(fields[m->path_column]);
    return 0;
}

static int open_at(scry_store **out, const cli_common *c, const char *place, scry_store_options *o, scry_error *err)
{
    o->milvus.waiting = cli_waiting;
    o->milvus.notice = cli_notice;
    o->milvus.waiting_arg = c->wait;
    char *where = scry_expand_home(place);
    int r = scry_store_open(out, where, o, err);
    free(where);
    cli_waited(c->wait);
    return r;
}

int cli_milvus_choice(scry_milvus_choice *out, const cli_common *c, scry_error *err)
{
    key_map m = { .id_column = -1, .path_column = -1 };
    int r = c->milvus_map ? scry_csv_read(c->milvus_map, 0, add_key, &m, err) : 0;
    if (r > 0)
        r = scry_fail(err, SCRY_EINVALID, "%s has no columns named id and path in its first line", c->milvus_map);
    *out = c->milvus;
    out->map_ids = m.ids;
    out->map_paths = (const char *const *)m.paths;
    out->map_count = m.count;
    return r;
}

void cli_milvus_choice_dispose(scry_milvus_choice *choice)
{
    for (size_t i = 0; i < choice->map_count; i++)
        free((char *)choice->map_paths[i]);
    free((char **)choice->map_paths);
    free((int64_t *)choice->map_ids);
}

static int open_with_map(scry_store **out, const cli_common *c, scry_store_options *o, scry_error *err)
{
    char *place = cli_store_place(c);
    o->collection = c->collection;
    int r = cli_milvus_choice(&o->milvus, c, err);
    if (r == 0)
        r = open_at(out, c, place, o, err);
    cli_milvus_choice_dispose(&o->milvus);
    free(place);
    return r;
}

int cli_open_store(scry_store **out, const cli_common *c, scry_store_mode mode, scry_error *err)
{
    scry_store_options o = SCRY_STORE_OPTIONS_INIT;
    o.mode = mode;
    return open_with_map(out, c, &o, err);
}

int cli_close_store(scry_store *s, int result, scry_error *err)
{
    int closed = scry_store_close(s, result < 0 ? NULL : err);
    return result < 0 ? result : closed;
}

int cli_open_model_named(scry_model **out, const char *name, const scry_model_options *options, scry_error *err)
{
    char *dir;
    scry_error why = SCRY_ERROR_INIT;
    int r = scry_model_resolve(name, &dir, err);
    if (r < 0)
        return r;
    scry_model_options o = SCRY_MODEL_OPTIONS_INIT;
    if (options)
        o = *options;
    o.name = name;   /* the folder that was added under it may have any */
    r = scry_model_open(out, dir, &o, &why);
    free(dir);
    bool damaged = r == SCRY_EINVALID || r == SCRY_ENOTFOUND;   /* not for want of memory, descriptors or rights */
    if (damaged && (!name || !name[0] || strcmp(name, SCRY_STARTER_MODEL) == 0))
        return scry_fail(err, r, "the starter model is damaged: %s. Restore it: `git checkout -- models/starter` in a "
                         "source tree, else install scry again", why.message);
    return r < 0 ? scry_fail(err, r, "%s", why.message) : 0;
}

char *cli_model_name(const cli_common *c, const char *otherwise)
{
    const char *name = given(c->model, "SCRY_MODEL");
    char *absolute = name && strchr(name, '/') ? realpath(name, NULL) : NULL;
    return absolute ? absolute : scry_strdup(name ? name : otherwise);
}

typedef struct {
    const char *identity;
    char *name;   /* owned */
} same_model;

/* The first one of a kind; a pair has other texts. */
static int take_same(void *arg, const scry_model_record *r)
{
    same_model *m = arg;
    bool is = !r->unfinished && !(r->problem && r->problem[0]) && strcmp(r->identity, m->identity) == 0 && !strstr(r->family, " with texts of ");
    if (is)
        m->name = scry_strdup(r->name);
    return is;
}

char *cli_recorded_model(const scry_store_info *info)
{
    same_model m = { info->model_identity, NULL };
    char *dir = NULL;
    if (scry_model_resolve(info->model_name, &dir, NULL) == SCRY_ENOTFOUND)
        (void)!scry_models_each(take_same, &m, NULL);
    free(dir);
    return m.name ? m.name : scry_strdup(info->model_name);
}

int cli_open_model_for(scry_model **out, const cli_common *c, scry_store *store, scry_error *err)
{
    const char *name = given(c->model, "SCRY_MODEL");
    scry_store_info info = { 0 };
    scry_model_options o = SCRY_MODEL_OPTIONS_INIT;
    o.precision = c->precision;
    o.language = c->language;
    char *recorded = NULL;
    if (store) {
        scry_store_describe(store, &info);
        if (!name && !info.model_name[0])
            return scry_fail(err, SCRY_EINVALID, "the collection \"%s\" does not say what model it was built with: give "
                             "--model", info.collection);
        if (!name)
            name = recorded = cli_recorded_model(&info);
    }
    scry_error why = SCRY_ERROR_INIT;
    int r = cli_open_model_named(out, name, &o, &why);
    bool gone = r == SCRY_ENOTFOUND && store && strcmp(name, info.model_name) == 0;
    free(recorded);
    if (gone)
        return scry_fail(err, r, "%s (or embed the pictures again: `scry index --rebuild --model NAME`)", why.message);
    return r < 0 ? scry_fail(err, r, "%s", why.message) : 0;
}

int cli_open_model(scry_model **out, const cli_common *c, scry_store *store, scry_error *err)
{
    int r = cli_open_model_for(out, c, store, err);
    if (r < 0 || !store)
        return r;
    scry_store_info info;
    scry_store_describe(store, &info);
    char *name = cli_model_name(c, info.model_name);
    r = scry_rebuild_check(store, *out, name, err);
    free(name);
    if (r < 0) {
        scry_model_free(*out);
        *out = NULL;
    }
    return r;
}

scry_store_options cli_options_of(const scry_model *model, const char *name)
{
    const scry_model_info *m = scry_model_get_info(model);
    scry_store_options o = SCRY_STORE_OPTIONS_INIT;
    o.mode = SCRY_STORE_CREATE;
    o.model_identity = m->identity;
    o.model_name = name;
    o.precision = cli_precision_name(m->precision);
    o.dim = m->dim;
    return o;
}

int cli_create_store(scry_store **out, const cli_common *c, const scry_model *model, scry_error *err)
{
    char *name = cli_model_name(c, SCRY_STARTER_MODEL);
    scry_store_options o = cli_options_of(model, name);
    int r = open_with_map(out, c, &o, err);
    free(name);
    return r;
}

int cli_create_store_like(scry_store **out, const cli_common *c, scry_store *like, const char *place, const char *name,
                          scry_error *err)
{
    scry_store_info info;
    scry_store_options o = SCRY_STORE_OPTIONS_INIT;
    scry_store_describe(like, &info);
    o.mode = SCRY_STORE_CREATE;
    o.collection = name ? name : info.collection;
    o.model_identity = info.model_identity;
    o.model_name = info.model_name;
    o.precision = info.precision;
    o.dim = info.dim;
    o.milvus = c->milvus;
    return open_at(out, c, place, &o, err);
}

const char *cli_precision_name(scry_precision p)
{
    return scry_precision_name(p);
}

char *cli_hex_id(const uint8_t id[SCRY_ID_BYTES], char out[2 * SCRY_ID_BYTES + 1])
{
    scry_hex(id, SCRY_ID_BYTES, out);
    return out;
}

void cli_warn_damage(scry_store *store)
{
    scry_error damage = SCRY_ERROR_INIT;
    if (scry_store_known_damage(store, &damage) < 0)
        cli_warn("%s", damage.message);
}
