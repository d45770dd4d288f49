/* names.h - distinct strings numbered in the order of their first appearance. */
#ifndef SCRY_ENGINE_NAMES_H
#define SCRY_ENGINE_NAMES_H

#include "scry/error.h"

#include <stddef.h>
#include <stdint.h>

/* Start from zeros: `scry_names n = { .limit = 1000000 };`. Not thread-safe. */
typedef struct scry_names {
    char **list;        /* [count], owned */
    size_t count, capacity;
    size_t limit;       /* more distinct names than this are SCRY_ELIMIT */
    uint32_t *slots;    /* open addressing: number + 1, 0 = free */
    size_t slot_count;  /* a power of two */
} scry_names;

/* The number of `name`, which is added when it is new, or SCRY_ELIMIT. */
int64_t scry_names_add(scry_names *n, const char *name, scry_error *err) SCRY_NODISCARD;

/* The number of `name`, or -1. */
int64_t scry_names_find(const scry_names *n, const char *name);

void scry_names_dispose(scry_names *n);

#endif
