/* damage_mark.h - the file `damaged`: what scry verify found last, for those who search. */
#ifndef SCRY_STORE_LOCAL_DAMAGE_MARK_H
#define SCRY_STORE_LOCAL_DAMAGE_MARK_H

#include "store/local/local.h"

/* Remember the first problem that makes searches wrong; "" removes the mark. Where nothing can be written none is left. */
void scry_damage_mark(const scry_local *s, const char *problem);

/* A search has come upon the problem: mark the collection, unless it is. Where nothing can be written this process remembers it.
 * Any thread. */
void scry_damage_found(scry_local *s, const char *problem);

#endif
