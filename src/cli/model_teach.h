/* model_teach.h - `scry model teach` and `scry model forget`. */
#ifndef SCRY_CLI_MODEL_TEACH_H
#define SCRY_CLI_MODEL_TEACH_H

#include "cli/cli.h"

/* `args` [n]: the name, then pictures as in a query ("@FILE", "@FILE#x,y,w,h", "@id:HEX"). */
int cli_model_teach(const cli_common *c, const char *model_name, char **args, size_t n, scry_error *err) SCRY_NODISCARD;
int cli_model_forget(const char *model_name, const char *name, scry_error *err) SCRY_NODISCARD;

#endif
