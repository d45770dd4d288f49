#include "store/local/damage_mark.h"

#include "base/alloc.h"
#include "base/file.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char *mark_path(const scry_local *s)
{
    return scry_path_join(s->folder, "damaged");
}

void scry_damage_mark(const scry_local *s, const char *problem)
{
    char *path = mark_path(s);
    if (problem[0])
        (void)!scry_write_file(path, problem, strlen(problem), NULL);
    else
        unlink(path);
    free(path);
}

void scry_damage_found(scry_local *s, const char *problem)
{
    pthread_mutex_lock(&s->view_lock);
    if (!s->damage) {
        char *path = mark_path(s);
        s->damage = scry_strdup(problem);
        s->damage_marked = access(path, F_OK) == 0 || scry_write_file(path, problem, strlen(problem), NULL) == 0;
        free(path);
    }
    pthread_mutex_unlock(&s->view_lock);
}

/* What this process found and could not write down; "" otherwise. */
static const char *unmarked_damage(scry_local *s)
{
    pthread_mutex_lock(&s->view_lock);
    const char *text = s->damage && !s->damage_marked ? s->damage : "";
    pthread_mutex_unlock(&s->view_lock);
    return text;
}

int scry_local_known_damage(scry_store *base, scry_error *err)
{
    scry_local *s = (scry_local *)base;
    scry_buf text = SCRY_BUF_INIT(4096);
    char *path = mark_path(s);
    const char *own = unmarked_damage(s);
    int result = access(path, F_OK) < 0 && !own[0] ? 0 : SCRY_EDAMAGED;
    if (result < 0)
        result = scry_fail(err, result, "the collection %s of %s is damaged, what it finds may be wrong: %.200s. Restore a copy, "
                           "or scry index --rebuild, then run scry verify", s->name, s->where,
                           own[0] ? own : scry_read_file(path, &text, NULL) == 0 ? scry_buf_str(&text) : "unknown");
    scry_buf_dispose(&text);
    free(path);
    return result;
}
