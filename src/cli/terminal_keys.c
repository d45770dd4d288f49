#include "cli/terminal_keys.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

int terminal_open(terminal *t, scry_error *err)
{
    *t = (terminal){ .fd = open("/dev/tty", O_RDWR | O_CLOEXEC) };
    if (t->fd < 0 || tcgetattr(t->fd, &t->before) < 0) {
        int why = errno;
        if (t->fd >= 0)
            close(t->fd);
        return scry_fail_errno(err, why, "an interactive search needs a terminal");
    }
    t->to = fdopen(t->fd, "r+");
    struct termios raw = t->before;
    cfmakeraw(&raw);
    tcsetattr(t->fd, TCSAFLUSH, &raw);
    fputs("\033[?1049h", t->to);
    fflush(t->to);
    (void)terminal_measure(t);
    return 0;
}

void terminal_close(terminal *t)
{
    fputs("\033[?1049l", t->to);
    fflush(t->to);
    tcsetattr(t->fd, TCSAFLUSH, &t->before);
    fclose(t->to);
}

bool terminal_measure(terminal *t)
{
    struct winsize w;
    bool known = ioctl(t->fd, TIOCGWINSZ, &w) == 0 && w.ws_row && w.ws_col;
    int rows = known ? w.ws_row : 24, columns = known ? w.ws_col : 80;
    bool changed = rows != t->rows || columns != t->columns;
    t->rows = rows;
    t->columns = columns;
    return changed;
}

/* One byte within `ms`; -1: none, -2: the terminal is gone. */
static int next_byte(terminal *t, int ms)
{
    struct pollfd p = { .fd = t->fd, .events = POLLIN };
    unsigned char byte;
    if (poll(&p, 1, ms) <= 0)
        return -1;
    ssize_t n = read(t->fd, &byte, 1);
    return n == 1 ? byte : n < 0 && errno == EINTR ? -1 : -2;
}

bool terminal_has_key(const terminal *t)
{
    struct pollfd p = { .fd = t->fd, .events = POLLIN };
    return poll(&p, 1, 0) > 0;
}

/* What follows ESC: a sequence such as "[A" or "[5~" comes at once, a key pressed alone does not. */
static int escape_sequence(terminal *t)
{
    enum { SEQUENCE_MS = 30 };
    static const struct { const char *sequence; int key; } known[] = {
        { "[A", KEY_UP }, { "[B", KEY_DOWN }, { "OA", KEY_UP }, { "OB", KEY_DOWN }, { "[5~", KEY_PAGE_UP }, { "[6~", KEY_PAGE_DOWN },
    };
    char sequence[16] = "";
    size_t n = 0;
    int byte;
    while (n + 1 < sizeof sequence && (byte = next_byte(t, SEQUENCE_MS)) >= 0) {
        sequence[n++] = (char)byte;
        if (n > 1 && byte >= '@' && byte <= '~')
            break;
        if (n == 1 && byte != '[' && byte != 'O')
            return KEY_UNKNOWN;
    }
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (strcmp(sequence, known[i].sequence) == 0)
            return known[i].key;
    return n ? KEY_UNKNOWN : KEY_ESCAPE;
}

int terminal_key(terminal *t, int ms)
{
    static const struct { int byte, key; } controls[] = {
        { '\r', KEY_ENTER }, { '\n', KEY_ENTER }, { '\t', KEY_TAB }, { 0x7F, KEY_BACKSPACE }, { 'H' & 31, KEY_BACKSPACE },
        { 'C' & 31, KEY_INTERRUPT }, { 'U' & 31, KEY_ERASE_LINE }, { 'W' & 31, KEY_ERASE_WORD }, { 'O' & 31, KEY_OPEN },
        { 'P' & 31, KEY_UP }, { 'N' & 31, KEY_DOWN },
    };
    int byte = next_byte(t, ms);
    if (byte < 0)
        return byte == -2 ? KEY_CLOSED : KEY_NONE;
    if (byte == 0x1B)
        return escape_sequence(t);
    for (size_t i = 0; i < sizeof controls / sizeof *controls; i++)
        if (controls[i].byte == byte)
            return controls[i].key;
    return byte < 32 ? KEY_UNKNOWN : byte;
}
