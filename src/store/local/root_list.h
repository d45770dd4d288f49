/* root_list.h - the rows of the table roots. */
#ifndef SCRY_STORE_LOCAL_ROOT_LIST_H
#define SCRY_STORE_LOCAL_ROOT_LIST_H

#include "scry/store.h"
#include "store/local/statements.h"

typedef struct scry_root_entry {
    int64_t number;
    uint8_t id[SCRY_ID_BYTES];
    char *path;
} scry_root_entry;

typedef struct scry_root_list {
    scry_root_entry *items;   /* in order of id */
    size_t count;
} scry_root_list;

int scry_root_list_load(scry_db *db, scry_root_list *out, scry_error *err) SCRY_NODISCARD;
void scry_root_list_dispose(scry_root_list *l);
const scry_root_entry *scry_root_by_number(const scry_root_list *l, int64_t number);   /* or NULL */
const scry_root_entry *scry_root_by_id(const scry_root_list *l, const uint8_t *id);    /* or NULL */

#endif
