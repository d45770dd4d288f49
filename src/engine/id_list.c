#include "engine/id_list.h"

#include "base/alloc.h"
#include "store/store_kind.h"

#include <stdlib.h>
#include <string.h>

void scry_id_list_add(scry_id_list *list, const uint8_t id[SCRY_ID_BYTES])
{
    if (list->count == list->capacity) {
        list->capacity = list->capacity * 2 + 256;
        list->ids = scry_realloc(list->ids, list->capacity * SCRY_ID_BYTES);
    }
    memcpy(list->ids[list->count++], id, SCRY_ID_BYTES);
}

void scry_id_list_dispose(scry_id_list *list)
{
    free(list->ids);
    *list = (scry_id_list){ 0 };
}

int scry_id_list_remove(const scry_id_list *list, scry_store *store, uint64_t *removed, scry_error *err)
{
    *removed = 0;
    if (!list->count)
        return 0;
    return scry_store_remove(store, (const uint8_t (*)[SCRY_ID_BYTES])list->ids, list->count, removed, err);
}

int scry_each_removable(scry_store *s, const scry_filter_node *filter, int (*each)(void *arg, const scry_file *file), void *arg,
                        scry_error *err)
{
    return scry_store_each_stored(s, filter, each, arg, err);
}
