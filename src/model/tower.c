#include "model/tower.h"

#include "base/alloc.h"

#include <stdlib.h>

scry_binder scry_tower_begin(scry_tower *t, const scry_tower_source *src, scry_error *err)
{
    t->tensors = src->tensors;
    if (!src->check)
        t->weights = scry_weights_new();
    return (scry_binder){ .tensors = src->tensors, .weights = t->weights, .mode = src->mode,
                          .err = err };
}

void scry_tower_end(scry_tower *t, scry_binder *b)
{
    t->linears = b->linears;
    t->linear_count = b->linear_count;
}

void scry_tower_dispose(scry_tower *t)
{
    scry_weights_free(t->weights);
    free(t->linears);
    free(t->summary);
}

char *scry_stack_summary(const char *kind, const scry_stack_config *s)
{
    return scry_asprintf("%s, %zu layers, width %zu, %zu heads, %s", kind, s->layers, s->width,
                         s->heads, s->act_name);
}

typedef struct {
    scry_tower *tower;
    uint8_t *memory;
} pack_job;

static void pack(scry_nn *t, void *arg)
{
    pack_job *job = arg;
    uint8_t *at = job->memory;
    for (size_t i = 0; i < job->tower->linear_count; i++) {
        scry_linear_pack(t, job->tower->linears[i], at);
        at += scry_linear_packed_bytes(job->tower->linears[i]);
        if (t->index == 0 && i % 8 == 7)   /* never both forms of all weights in memory */
            scry_tensors_drop_pages(job->tower->tensors);
    }
}

int scry_tower_pack(scry_tower *t, scry_team *team, scry_error *err)
{
    size_t total = 0;
    for (size_t i = 0; i < t->linear_count; i++)
        if (!scry_add_size(total, scry_linear_packed_bytes(t->linears[i]), &total))
            return scry_fail(err, SCRY_ENOMEM, "the model's weights are too large");
    pack_job job = { t, scry_weights_take(t->weights, total) };
    if (!job.memory)
        return scry_fail(err, SCRY_ENOMEM, "not enough memory for %zu MB of weights", total >> 20);
    scry_team_run(team, pack, &job);
    scry_tensors_drop_pages(t->tensors);
    uint8_t *at = job.memory;
    for (size_t i = 0; i < t->linear_count; i++) {
        scry_linear_publish(t->linears[i], at);
        at += scry_linear_packed_bytes(t->linears[i]);
    }
    t->packed = true;
    return 0;
}

void scry_pixel_table(const scry_preprocess *p, float table[3][256])
{
    for (int c = 0; c < 3; c++)
        for (int v = 0; v < 256; v++)
            table[c][v] = ((float)v * p->factor - p->mean[c]) / p->std[c];
}
