#include "server/away.h"

#include "base/alloc.h"
#include "base/file.h"
#include "base/log.h"
#include "base/periodic.h"
#include "engine/disk_away.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

enum { LOOK_MS = 3000, MAX_FOLDERS = 256 };

typedef struct {
    char *paths[MAX_FOLDERS];    /* owned */
    size_t count;
} folder_list;

struct away_watch {
    server *server;
    scry_periodic periodic;
    pthread_mutex_t lock;        /* guards the next */
    folder_list away;
};

static void add(folder_list *l, char *path)
{
    for (size_t i = 0; i < l->count; i++)
        if (l->count == MAX_FOLDERS || strcmp(l->paths[i], path) == 0) {
            free(path);
            return;
        }
    l->paths[l->count++] = path;
}

static void clear(folder_list *l)
{
    while (l->count)
        free(l->paths[--l->count]);
}

static int add_root(void *arg, const scry_root *root)
{
    add(arg, scry_strdup(root->path));
    return 0;
}

/* Look at the roots, and again at what was away; without a lock, since a disk may not answer. */
static int64_t look(void *arg)
{
    struct away_watch *w = arg;
    server *s = w->server;
    folder_list *known = scry_alloc(sizeof *known), *now = scry_alloc(sizeof *now);
    pthread_rwlock_rdlock(&s->store_lock);
    int result = scry_store_roots(s->store, add_root, known, NULL);
    pthread_rwlock_unlock(&s->store_lock);
    pthread_mutex_lock(&w->lock);
    for (size_t i = 0; i < w->away.count; i++)
        add(known, scry_strdup(w->away.paths[i]));
    pthread_mutex_unlock(&w->lock);
    for (size_t i = 0; i < known->count; i++)
        if (scry_folder_is_away(known->paths[i]))
            add(now, scry_strdup(known->paths[i]));
    pthread_mutex_lock(&w->lock);
    if (result >= 0) {
        clear(&w->away);
        w->away = *now;
        now->count = 0;
    }
    pthread_mutex_unlock(&w->lock);
    clear(known);
    clear(now);
    free(known);
    free(now);
    return LOOK_MS;
}

struct away_watch *away_watch_new(server *s)
{
    struct away_watch *w = scry_alloc(sizeof *w);
    w->server = s;
    pthread_mutex_init(&w->lock, NULL);
    if (!scry_periodic_start(&w->periodic, look, w, 0))
        scry_log(SCRY_LOG_WARN, "no thread to look for disks with: pictures of one that is away are not marked");
    return w;
}

void away_watch_free(struct away_watch *w)
{
    if (!w)
        return;
    scry_periodic_stop(&w->periodic);
    clear(&w->away);
    pthread_mutex_destroy(&w->lock);
    free(w);
}

bool is_away(void *watch, const char *path)
{
    struct away_watch *w = watch;
    bool away = false;
    pthread_mutex_lock(&w->lock);
    for (size_t i = 0; i < w->away.count && !away; i++)
        away = scry_path_is_below(path, w->away.paths[i]);
    pthread_mutex_unlock(&w->lock);
    return away;
}

void mark_away(struct away_watch *w, scry_results *found)
{
    scry_mark_away(found, is_away, w);
}

bool note_if_away(struct away_watch *w, const scry_file *f)
{
    size_t n = strlen(f->path), m = strlen(f->relative);
    char *folder = scry_root_is_away(f) ? scry_strndup(f->path, n > m + 1 ? n - m - 1 : 1) : scry_disk_away(f->path);
    if (!folder)
        return false;
    pthread_mutex_lock(&w->lock);
    add(&w->away, folder);
    pthread_mutex_unlock(&w->lock);
    return true;
}
