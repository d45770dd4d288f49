/* error.h - how every function of libscry reports failure.
 *
 * A function that can fail returns 0, or a negative SCRY_E* code, and takes a
 * `scry_error *` last. The error may be NULL (the code alone is wanted) and is
 * left untouched on success. A message says what failed, where, and what to do
 * about it, in one line without a final full stop or newline.
 *
 *     scry_error err = SCRY_ERROR_INIT;
 *     if (scry_model_open(&model, "models/starter", NULL, &err) < 0)
 *         fprintf(stderr, "scry: %s\n", err.message);
 *
 * Thread rule: an error belongs to the caller's stack; nothing is global.
 */
#ifndef SCRY_ERROR_H
#define SCRY_ERROR_H

#include <stdarg.h>

#ifdef __cplusplus
extern "C" {
#endif

enum {
    SCRY_OK = 0,
    SCRY_ENOTFOUND = -1,  /* no such file, picture, model or collection */
    SCRY_EINVALID = -2,   /* invalid input or arguments */
    SCRY_ELIMIT = -3,     /* a documented limit would be exceeded */
    SCRY_ENOMEM = -4,     /* an allocation whose size depends on input failed */
    SCRY_EIO = -5,        /* a read or a write failed */
    SCRY_EREMOTE = -6,    /* a server answered with an error, or not at all */
    SCRY_ECANCELLED = -7, /* the caller asked to stop */
    SCRY_EDAMAGED = -8,   /* a stored file does not hold what was written to it */
    SCRY_EBUSY = -9       /* another program writes to the store, or changed it meanwhile: try again */
};

typedef struct scry_error {
    int code;
    char message[512];
} scry_error;

#define SCRY_ERROR_INIT { 0, "" }

/* Of a structure whose defaults are all zero, without warnings in both languages. */
#ifdef __cplusplus
#define SCRY_ZERO_INIT {}
#else
#define SCRY_ZERO_INIT { 0 }
#endif

#define SCRY_NODISCARD __attribute__((warn_unused_result))
#define SCRY_PRINTF(fmt, args) __attribute__((format(printf, fmt, args)))

/* Fill `err` (if not NULL) and return `code`, so that `return scry_fail(...)`
 * reads as one step. The message is truncated to its fixed size; control
 * characters in it become question marks, so that it stays one line. */
int scry_fail(scry_error *err, int code, const char *fmt, ...) SCRY_PRINTF(3, 4);

/* The same, with ": " and strerror(errnum) appended; ENOENT gives
 * SCRY_ENOTFOUND, ENOMEM gives SCRY_ENOMEM, everything else SCRY_EIO. */
int scry_fail_errno(scry_error *err, int errnum, const char *fmt, ...) SCRY_PRINTF(3, 4);

#ifdef __cplusplus
}
#endif
#endif
