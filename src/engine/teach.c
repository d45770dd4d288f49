/* teach.c - the direction of a name.
 *
 * With the mean p of the pictures' vectors, and a sample of other pictures R [n, D] whose mean is r,
 *
 *     d = w * unit(p - r),   w = spread of texts / spread of unit(p - r)
 *
 * p - r leaves out what all pictures have in common, which says nothing (in CLIP's spaces most of a vector). The spread is the
 * standard deviation of the products with the rows of R; that of texts is the mean over the bundled background texts. So
 * the name weighs as much in a sentence as the rest of it. docs/tune.md has the alternatives that were measured.
 */
#include "scry/teach.h"

#include "base/alloc.h"
#include "base/file.h"
#include "base/log.h"
#include "base/long_work.h"
#include "base/required.h"
#include "engine/ranking.h"
#include "engine/score_threshold.h"
#include "model/names.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <time.h>
#include <unistd.h>

/* ---- the file and its lock ---- */

typedef struct {
    scry_names *names;
    char *path;
    int lock;          /* open for as long as nobody else may change the file */
} names_file;

static int open_names(names_file *f, const scry_model_info *m, scry_error *err)
{
    *f = (names_file){ NULL, scry_names_path(m->identity), -1 };
    char *folder = scry_strndup(f->path, (size_t)(strrchr(f->path, '/') - f->path)), *lock = scry_asprintf("%s.lock", f->path);
    int r = scry_make_dirs(folder, err);
    if (r == 0 && (f->lock = open(lock, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600)) < 0)
        r = scry_fail_errno(err, errno, "cannot open %s", lock);
    if (r == 0 && flock(f->lock, LOCK_EX) < 0)
        r = scry_fail_errno(err, errno, "cannot lock %s", lock);
    if (r == 0)
        r = scry_names_read(&f->names, f->path, (size_t)m->dim, err);
    if (r == 0 && !f->names)
        f->names = scry_names_new((size_t)m->dim);
    free(folder);
    free(lock);
    return r;
}

static void close_names(names_file *f)
{
    if (f->lock >= 0)
        close(f->lock);
    scry_names_free(f->names);
    free(f->path);
}

/* ---- the direction ---- */

typedef struct {
    float *at;         /* [n, dim]; owned */
    size_t n;
} vectors;

/* The sample of other pictures: the model's own, else of the store. */
static int sample_pictures(vectors *out, const scry_query_tools *t, scry_error *err)
{
    const scry_model_info *m = scry_model_get_info(t->model);
    scry_threshold *own = NULL;
    int r = threshold_read(&own, m->dir, (size_t)m->dim, err);
    if (own && own->n > 1) {
        *out = (vectors){ own->rows, own->n };
        own->rows = NULL;
    } else if (r == 0 && t->store) {
        scry_store_info s;
        r = scry_store_get_info(t->store, &s, err);
        if (r == 0 && strcmp(s.model_identity, m->identity) != 0)
            r = SCRY_ENOTFOUND;
        if (r == 0)
            r = score_picture_vectors(&out->at, &out->n, t->store, s.files, (size_t)m->dim, NULL);
    } else if (r == 0) {
        r = SCRY_ENOTFOUND;
    }
    scry_threshold_free(own);
    if (r == SCRY_ENOTFOUND)
        return scry_fail(err, r, "a name is told from a sample of other pictures, and the model \"%s\" has none of its own: first index at least "
                         "20 pictures with it, and name that store or collection (--store, --collection)", m->name);
    return r;
}

/* Standard deviation of the products of `v` [dim] with the rows [n, dim]. */
static double spread(const float *v, const float *rows, size_t n, size_t dim)
{
    float *products = scry_alloc(n * sizeof *products);
    double sum = 0, squares = 0;
    ranking_scores(products, v, rows, NULL, n, dim);
    for (size_t i = 0; i < n; i++)
        sum += (double)products[i];
    for (size_t i = 0; i < n; i++)
        squares += ((double)products[i] - sum / (double)n) * ((double)products[i] - sum / (double)n);
    free(products);
    return sqrt(squares / (double)n);
}

/* d [dim] of the pictures and the sample. */
static int make_direction(float *d, const vectors *pictures, const vectors *sample, const scry_model *model,
                          const scry_long_options *options, scry_error *err)
{
    size_t dim = (size_t)scry_model_get_info(model)->dim, n = pictures->n, m = sample->n, texts;
    float *text;
    double length = 0, of_texts = 0;
    int r = scry_score_text_vectors(&text, &texts, model, options, err);
    if (r < 0)
        return r;
    for (size_t i = 0; i < texts; i++)
        of_texts += spread(text + i * dim, sample->at, m, dim) / (double)texts;
    free(text);
    for (size_t k = 0; k < dim; k++) {
        double own = 0, other = 0;
        for (size_t i = 0; i < n; i++)
            own += (double)pictures->at[i * dim + k] / (double)n;
        for (size_t i = 0; i < m; i++)
            other += (double)sample->at[i * dim + k] / (double)m;
        d[k] = (float)(own - other);
        length += (own - other) * (own - other);
    }
    double of_name = spread(d, sample->at, m, dim), factor = of_texts / of_name;
    if (!(length > 1e-8) || !isfinite(factor))
        return scry_fail(err, SCRY_EINVALID, "these pictures have nothing in common that others have not: a name cannot be told by them");
    for (size_t k = 0; k < dim; k++)
        d[k] *= (float)factor;
    return 0;
}

/* ---- teaching ---- */

/* What the some 300 texts, which are embedded once for a model, weigh in the progress, in pictures. */
enum { TEXTS_WORK = 30 };

/* Leave each vector once. */
static void drop_duplicates(vectors *v, size_t dim)
{
    size_t kept = 0, bytes = dim * sizeof *v->at;
    for (size_t i = 0; i < v->n; i++) {
        bool seen = false;
        for (size_t k = 0; k < kept && !seen; k++)
            seen = memcmp(v->at + i * dim, v->at + k * dim, bytes) == 0;
        if (!seen)
            memmove(v->at + kept++ * dim, v->at + i * dim, bytes);
    }
    v->n = kept;
}

/* Each of the pictures to out [n, dim]. */
static int embed_each(float *out, const scry_query *const *pictures, size_t n, const scry_query_tools *tools, scry_long_work *work,
                      scry_error *err)
{
    size_t dim = (size_t)scry_model_get_info(tools->model)->dim;
    scry_query_tools t = *tools;
    int r = t.session ? 0 : scry_session_new(&t.session, t.model, 0, err);
    for (size_t i = 0; i < n && r == 0; i++) {
        r = scry_work_reach(work, i, err);
        if (r == 0)
            r = scry_query_embed(pictures[i], &t, out + i * dim, NULL, err);
    }
    if (!tools->session)
        scry_session_free(t.session);
    return r;
}

/* The vectors of the pictures, different ones. */
static int embed_pictures(vectors *out, const scry_query *const *pictures, size_t given, const scry_query_tools *tools,
                          scry_long_work *work, scry_error *err)
{
    enum { MOST = SCRY_TEACH_MOST };
    size_t dim = (size_t)scry_model_get_info(tools->model)->dim;
    const scry_query_part *part;
    for (size_t i = 0; i < given && i < MOST; i++)
        if (!pictures || !pictures[i] || scry_query_parts(pictures[i], &part) != 1 || part->kind == SCRY_PART_TEXT)
            return scry_fail(err, SCRY_EINVALID, "a name is taught by pictures: each is to be written as @FILE or @id:HEX");
    if (given < SCRY_TEACH_LEAST || given > MOST)
        return scry_fail(err, SCRY_EINVALID, "a name is taught with %d to %d pictures, not %zu", SCRY_TEACH_LEAST, MOST, given);
    *out = (vectors){ scry_alloc(given * dim * sizeof *out->at), given };
    int r = embed_each(out->at, pictures, given, tools, work, err);
    if (r < 0)
        return r;
    drop_duplicates(out, dim);
    return out->n < SCRY_TEACH_LEAST ? scry_fail(err, SCRY_EINVALID, "only %zu of these %zu pictures are different ones: a name is taught with at "
                                             "least %d", out->n, given, SCRY_TEACH_LEAST) : 0;
}

static int check_new(const scry_names *names, const char *name, scry_error *err)
{
    return scry_names_find(names, name) < 0 ? 0
         : scry_fail(err, SCRY_EINVALID, "the name \"%s\" is taken: `scry model forget` it first, or choose another", name);
}

static int save(names_file *f, const char *name, size_t pictures, const float *direction, scry_error *err)
{
    char now[32];
    time_t t = time(NULL);
    struct tm tm;
    strftime(now, sizeof now, "%Y-%m-%dT%H:%M:%SZ", gmtime_r(&t, &tm));
    int r = scry_names_add(f->names, &(scry_taught_name){ name, (int)pictures, now }, direction, err);
    return r < 0 ? r : scry_names_write(f->names, f->path, err);
}

/* Whether one of the bundled everyday texts has the name as a word. */
static bool is_everyday(const char *name, const float *direction, size_t dim)
{
    scry_names *one = scry_names_new(dim);
    scry_buf text = SCRY_BUF_INIT(1 << 20);
    float *sum = scry_alloc(dim * sizeof *sum);
    char **lines = NULL;
    size_t count = 0;
    bool alone, found = false;
    if (scry_names_add(one, &(scry_taught_name){ name, 0, "" }, direction, NULL) == 0 && scry_background_texts(&lines, &count, &text, NULL) == 0)
        for (size_t i = 0; i < count && !found; i++) {
            char *rest = scry_names_take(one, lines[i], sum, &alone);
            found = rest != NULL;
            free(rest);
        }
    free(lines);
    free(sum);
    scry_buf_dispose(&text);
    scry_names_free(one);
    return found;
}

int scry_model_teach(const scry_query_tools *tools, const char *name, const scry_query *const *pictures, size_t n, scry_error *err)
{
    return scry_teach_run(tools, name, pictures, n, NULL, err);
}

int scry_teach_run(const scry_query_tools *tools, const char *name, const scry_query *const *pictures, size_t n,
                   const scry_long_options *options, scry_error *err)
{
    if (!tools || !tools->model)
        return scry_fail(err, SCRY_EINVALID, "a name is taught to a model, and none was given");
    const scry_model_info *m = scry_model_get_info(tools->model);
    float *direction = scry_alloc((size_t)m->dim * sizeof *direction);
    vectors own = { NULL, 0 }, sample = { NULL, 0 };
    names_file f = { .lock = -1 };
    const uint64_t all = n + TEXTS_WORK;
    scry_work_part text_part;
    scry_long_work work = scry_work_of(options, all);
    int r = scry_names_check(name, err);
    if (r == 0)
        r = open_names(&f, m, err);
    if (r == 0)
        r = check_new(f.names, name, err);
    if (r == 0)
        r = embed_pictures(&own, pictures, n, tools, &work, err);
    if (r == 0)
        r = sample_pictures(&sample, tools, err);
    if (r == 0)
        r = make_direction(direction, &own, &sample, tools->model, scry_work_begin_part(&text_part, options, n, all, all), err);
    if (r == 0)
        r = save(&f, name, own.n, direction, err);
    if (r == 0)
        scry_work_finish(&work);
    if (r == 0 && is_everyday(name, direction, (size_t)m->dim))
        scry_log(SCRY_LOG_WARN, "\"%s\" is an everyday word: in every text it means these pictures from now on, and no longer what it meant "
                 "(`scry model forget` undoes that)", name);
    close_names(&f);
    free(sample.at);
    free(own.at);
    free(direction);
    return r;
}

int scry_model_forget(const scry_model *model, const char *name, scry_error *err)
{
    names_file f;
    int r = scry_required(name, "a name", err);
    if (r < 0)
        return r;
    r = open_names(&f, scry_model_get_info(model), err);
    int place = r == 0 ? scry_names_find(f.names, name) : -1;
    if (r == 0 && place < 0)
        r = scry_fail(err, SCRY_ENOTFOUND, "the model has no name \"%s\": `scry model info` lists them", name);
    if (r == 0) {
        scry_names_remove(f.names, place);
        r = scry_names_write(f.names, f.path, err);
    }
    close_names(&f);
    return r;
}
