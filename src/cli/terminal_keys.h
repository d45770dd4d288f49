/* terminal_keys.h - the controlling terminal, read key by key.
 *
 *     terminal t;
 *     terminal_open(&t, &err);           raw, on its other screen
 *     int key = terminal_key(&t, -1);    a byte of a text, or one of terminal_key_code
 *     fprintf(t.to, ...); fflush(t.to);
 *     terminal_close(&t);                as it was
 */
#ifndef SCRY_CLI_TERMINAL_KEYS_H
#define SCRY_CLI_TERMINAL_KEYS_H

#include "scry/error.h"

#include <stdbool.h>
#include <stdio.h>
#include <termios.h>

/* Keys that are no bytes of a text. */
typedef enum {
    KEY_NONE = 256,       /* nothing was pressed in time, or a signal came */
    KEY_CLOSED,           /* the terminal is gone */
    KEY_UP, KEY_DOWN, KEY_PAGE_UP, KEY_PAGE_DOWN, KEY_ENTER, KEY_TAB, KEY_BACKSPACE, KEY_ESCAPE, KEY_INTERRUPT,
    KEY_ERASE_LINE, KEY_ERASE_WORD, KEY_OPEN, KEY_UNKNOWN
} terminal_key_code;

typedef struct terminal {
    int fd;
    FILE *to;
    struct termios before;
    int rows, columns;    /* as terminal_measure found them last */
} terminal;

int terminal_open(terminal *t, scry_error *err) SCRY_NODISCARD;
void terminal_close(terminal *t);

/* Whether its size is another than before. */
bool terminal_measure(terminal *t);

/* The next key; waits for at most `ms` (-1: for ever). */
int terminal_key(terminal *t, int ms);

/* Whether a key is waiting. */
bool terminal_has_key(const terminal *t);

#endif
