/* sandbox.h - the privileges that a worker drops before it reads the first picture. */
#ifndef SCRY_DECODER_SANDBOX_H
#define SCRY_DECODER_SANDBOX_H

#include "scry/error.h"

#include <stddef.h>

/* Exit with the client, write no core dump, gain no privileges, be the first to be killed when memory runs out. */
int scry_sandbox_prepare(scry_error *err) SCRY_NODISCARD;

/* At most `memory_bytes` of address space, no writing to files, and from here on only the system
 * calls needed for computing and replying: no file, socket or program can be opened. */
int scry_sandbox_enter(size_t memory_bytes, scry_error *err) SCRY_NODISCARD;

/* Processor time for the next picture; past it the worker gets SIGXCPU. */
void scry_sandbox_limit_time(int ms);

#endif
