/* system.h - what Linux has and other systems lack, each with a plain way for those.
 *
 * What else is Linux's own is in the files that docs/packages.md lists under "Ports"; tools/lint.py refuses it in others.
 */
#ifndef SCRY_BASE_SYSTEM_H
#define SCRY_BASE_SYSTEM_H

#include <stdint.h>

/* As openat in `folder`, close-on-exec, of a path that does not lead out of it: EXDEV or ELOOP for one that does. Elsewhere,
 * and before Linux 5.6, ELOOP or ENOTDIR for any symbolic link in it. -1 with errno. */
int scry_open_beneath(const char *folder, const char *relative, int flags);

/* As open, close-on-exec; ELOOP where the path leads through a link of /proc to a descriptor. Elsewhere, and before
 * Linux 5.6, ENOSYS, always. */
int scry_open_without_magic(const char *path, int flags);

/* The calling thread, and the threads and processes that it starts from now on, get so much less of the processors (nice, 0 to 19);
 * of the disk what others leave, if 19. Elsewhere nothing changes. What fails of that is not told. */
void scry_lower_thread(int nice);

/* In a new process: a signal when its parent ends. Elsewhere none comes. */
void scry_end_with_parent(int signal);

/* What exec takes for the program that runs. Elsewhere its name, which is looked for in PATH: execvp, posix_spawnp. */
const char *scry_own_program(void);

/* Memory of this process; elsewhere 0. */
uint64_t scry_resident_bytes(void);

/* Processors that this process may use; elsewhere all. */
int scry_usable_processors(void);

#endif
