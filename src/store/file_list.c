#include "store/file_list.h"

#include "base/alloc.h"

#include <stdlib.h>
#include <string.h>

static const char *put_string(char **at, const char *s)
{
    size_t n = strlen(s) + 1;
    char *to = *at;
    memcpy(to, s, n);
    *at += n;
    return to;
}

static const char *or_empty(const char *s)
{
    return s ? s : "";
}

void *scry_file_own_strings(scry_file *f)
{
    scry_file_notes own = { 0 }, *notes;
    const char **fields[] = { &f->relative, &f->path, &f->format, &f->camera, &f->key, &f->lens, &f->title, &f->description,
                              &f->keywords, &f->raw, &f->text, &own.title, &own.description, &own.keywords, &own.companion };
    enum { FIELDS = sizeof fields / sizeof *fields };
    if (f->notes)
        own = *f->notes;
    size_t size = sizeof *notes + f->label_count * sizeof(char *);
    for (size_t i = 0; i < FIELDS; i++)
        size += strlen(or_empty(*fields[i])) + 1;
    for (size_t i = 0; i < f->label_count; i++)
        size += strlen(f->labels[i]) + 1;
    notes = scry_alloc(size);   /* the block: notes, labels, strings */
    const char **labels = (const char **)(notes + 1);
    char *at = (char *)(labels + f->label_count);
    for (size_t i = 0; i < FIELDS; i++)
        *fields[i] = put_string(&at, or_empty(*fields[i]));
    *notes = own;
    if (f->notes)
        f->notes = notes;
    for (size_t i = 0; i < f->label_count; i++)
        labels[i] = put_string(&at, f->labels[i]);
    f->labels = labels;
    return notes;
}

void scry_file_list_add(scry_file_list *l, const scry_file *file)
{
    if (l->count == l->capacity) {
        l->capacity = l->capacity ? 2 * l->capacity : 64;
        l->items = scry_realloc(l->items, l->capacity * sizeof *l->items);
        l->blocks = scry_realloc(l->blocks, l->capacity * sizeof *l->blocks);
    }
    l->items[l->count] = *file;
    l->blocks[l->count] = scry_file_own_strings(&l->items[l->count]);
    l->count++;
}

void scry_file_list_dispose(scry_file_list *l)
{
    for (size_t i = 0; i < l->count; i++)
        free(l->blocks[i]);
    free(l->blocks);
    free(l->items);
    *l = (scry_file_list){ .items = NULL };
}
