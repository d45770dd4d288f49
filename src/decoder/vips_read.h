/* vips_read.h - libvips, set up for one thread and no cache. */
#ifndef SCRY_DECODER_VIPS_READ_H
#define SCRY_DECODER_VIPS_READ_H

#include "scry/error.h"

/* Before the process is confined: loads modules, and touches what is opened lazily. */
int scry_vips_start(const char *program, scry_error *err) SCRY_NODISCARD;

#endif
