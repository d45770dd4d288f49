/* sandbox.h - what a worker gives up before it touches the first picture. */
#ifndef SCRY_DECODER_SANDBOX_H
#define SCRY_DECODER_SANDBOX_H

#include "scry/error.h"

#include <stddef.h>

/* Die with the client, leave no core dump, gain no rights. */
int scry_sandbox_prepare(scry_error *err) SCRY_NODISCARD;

/* No more than `memory_bytes` of address space, not a byte written to files, and from here on
 * only the system calls that computing and answering need: no file, socket or program can be
 * opened. */
int scry_sandbox_enter(size_t memory_bytes, scry_error *err) SCRY_NODISCARD;

/* Processor time for the next picture; past it the worker gets SIGXCPU. */
void scry_sandbox_limit_time(int ms);

#endif
