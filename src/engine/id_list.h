/* id_list.h - ids of files, collected while a store is read and removed afterwards, since a store must
 * not be changed while it is read. One thread. */
#ifndef SCRY_ENGINE_ID_LIST_H
#define SCRY_ENGINE_ID_LIST_H

#include "scry/store.h"

#include <stddef.h>
#include <stdint.h>

typedef struct scry_id_list {
    uint8_t (*ids)[SCRY_ID_BYTES];
    size_t count, capacity;
} scry_id_list;

void scry_id_list_add(scry_id_list *list, const uint8_t id[SCRY_ID_BYTES]);
void scry_id_list_dispose(scry_id_list *list);

/* Remove all of them from the store; *removed is how many it had. */
int scry_id_list_remove(const scry_id_list *list, scry_store *store, uint64_t *removed, scry_error *err)
    SCRY_NODISCARD;

/* As scry_store_each_file, also the files whose rows are damaged: they can be removed. */
int scry_each_removable(scry_store *s, const scry_filter_node *filter, int (*each)(void *arg, const scry_file *file), void *arg,
                        scry_error *err) SCRY_NODISCARD;

#endif
