/* rename.h - renaming without replacing, and exchanging: calls of Linux's kernel, which other systems and old libraries of C lack.
 *
 * Both return 0, or -1 with errno. EINVAL or ENOSYS: the file system or the system cannot; the caller does it in another way.
 */
#ifndef SCRY_BASE_RENAME_H
#define SCRY_BASE_RENAME_H

/* Rename `from` to `to`, both relative to `folder` (a descriptor, or AT_FDCWD). EEXIST: `to` is there. */
int scry_rename_new(int folder, const char *from, const char *to);

/* Let two names change places, in one step. */
int scry_rename_exchange(const char *a, const char *b);

#endif
