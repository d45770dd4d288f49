/* row.h - one picture as a line of a table, or as a path.
 *
 * In a pipe a line is as scripts know it: rank, score, absolute path. On a terminal the path is relative where that is
 * shorter, the date is before it, behind it a note where its disk is not there, and the folder is dimmed where there are
 * colours: not with NO_COLOR, nor TERM=dumb.
 */
#ifndef SCRY_CLI_ROW_H
#define SCRY_CLI_ROW_H

#include "cli/output.h"

/* Print a hit in the form of `o`, to standard output. */
void cli_print_hit(const cli_output *o, const scry_hit *hit, size_t rank);

/* Whether the file's root is not there, as where its disk is not mounted. A root is looked at once, while its files follow each
 * other. */
bool cli_is_away(const scry_file *f);

/* On a terminal: say so behind the path. */
void cli_print_away(const scry_file *f);

/* Print a path of a table, without a line end. */
void cli_print_name(const char *path);

/* Print a column with the size of a file: in a pipe always in MB. */
void cli_print_size(int64_t bytes);

/* "830 B", "3.4 kB", "12 MB"; returns `room`. */
enum { CLI_SIZE_BYTES = 32 };
const char *cli_size(uint64_t bytes, char room[CLI_SIZE_BYTES]);

/* Print the line that heads a group of results. */
void cli_print_heading(const char *heading);

/* `path` as it is seen from the folder `from`, both absolute, where that is shorter, else as it is; owned. */
char *cli_shorter_path(const char *path, const char *from);

#endif
