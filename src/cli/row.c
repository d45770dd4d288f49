#include "cli/row.h"

#include "base/alloc.h"
#include "cli/cli.h"
#include "cli/thumbs.h"
#include "engine/disk_away.h"
#include "engine/fusion.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static bool on_terminal(void)
{
    return isatty(STDOUT_FILENO) == 1;
}

static bool in_colour(void)
{
    const char *none = getenv("NO_COLOR"), *term = getenv("TERM");
    return on_terminal() && !(none && none[0]) && term && term[0] && strcmp(term, "dumb") != 0;
}

/* ---- paths ---- */

char *cli_shorter_path(const char *path, const char *from)
{
    size_t common = 0;   /* bytes of the folders that both begin with, the slash behind them included */
    for (size_t i = 0; path[i] && (path[i] == from[i] || (path[i] == '/' && !from[i])); i++) {
        if (path[i] == '/')
            common = i + 1;
        if (!from[i])
            break;
    }
    size_t length = strlen(from), up = 0;
    for (size_t i = common; i < length; i++)
        up += i == common || (from[i] == '/' && from[i + 1]);
    if (common == 0 || 3 * up >= common)
        return scry_strdup(path);
    scry_buf b = SCRY_BUF_INIT(SIZE_MAX);
    for (size_t i = 0; i < up; i++)
        scry_buf_puts(&b, "../");
    if (path[common] == '-' && up == 0)
        scry_buf_puts(&b, "./");
    scry_buf_puts(&b, path + common);
    return scry_buf_take(&b);
}

static void print_path(const cli_output *o, const char *name)
{
    char *path = cli_quoted(stdout, name);
    fputs(path, stdout);
    free(path);
    putchar(o->zero_ended ? '\0' : '\n');
}

void cli_print_name(const char *path)
{
    char *here = on_terminal() ? getcwd(NULL, 0) : NULL;
    char *shown = here ? cli_shorter_path(path, here) : scry_strdup(path), *quoted = cli_quoted(stdout, shown);
    const char *slash = in_colour() && strcmp(shown, quoted) == 0 ? strrchr(quoted, '/') : NULL;
    if (slash)
        printf("\033[2m%.*s\033[0m%s", (int)(slash + 1 - quoted), quoted, slash + 1);
    else
        fputs(quoted, stdout);
    free(quoted);
    free(shown);
    free(here);
}

/* ---- the rest of the line ---- */

static void print_day(const scry_file *f)
{
    char day[32] = "";
    time_t t = (time_t)scry_sort_time(f);
    struct tm tm;
    if (!f->has_time && f->mtime_ns == 0 && f->size == 0)   /* a row of another program, of whose file nothing is known */
        printf("%10s  ", "-");
    else if (gmtime_r(&t, &tm) && strftime(day, sizeof day, "%Y-%m-%d", &tm))
        printf("%s  ", day);
}

const char *cli_size(uint64_t bytes, char room[CLI_SIZE_BYTES])
{
    static const char *const units[] = { "B", "kB", "MB", "GB", "TB" };
    double n = (double)bytes;
    size_t i = 0;
    for (; n >= 999.5 && i + 1 < sizeof units / sizeof *units; i++)
        n /= 1000;
    snprintf(room, CLI_SIZE_BYTES, i && n < 9.95 ? "%.1f %s" : "%.0f %s", n, units[i]);
    return room;
}

void cli_print_size(int64_t bytes)
{
    char room[CLI_SIZE_BYTES];
    if (on_terminal())
        printf("%12s  ", cli_size((uint64_t)bytes, room));
    else
        printf("%9.2f MB  ", (double)bytes / 1e6);
}

/* The column of a list: what it is sorted by, else the date. */
static void print_sorted_by(scry_sort sort, const scry_file *f)
{
    if (sort == SCRY_SORT_SIZE)
        cli_print_size(f->size);
    else if (sort == SCRY_SORT_RATING && f->has_rating)
        printf("%6d  ", f->rating);
    else if (sort == SCRY_SORT_RATING)
        printf("%6s  ", "-");
    else
        print_day(f);
}

bool cli_is_away(const scry_file *f)
{
    static uint8_t root[SCRY_ID_BYTES];
    static bool known, away;
    if (!known || memcmp(root, f->root, sizeof root) != 0) {
        memcpy(root, f->root, sizeof root);
        away = scry_root_is_away(f);
        known = true;
    }
    return away;
}

void cli_print_away(const scry_file *f)
{
    if (on_terminal() && cli_is_away(f))
        fputs("  (its disk is not there)", stdout);
}

/* What belongs to the picture and is not shown: copies, the RAW, the fields that hold the words. */
static void print_others(const scry_hit *h)
{
    if (h->copies)
        printf("  (+%llu cop%s)", (unsigned long long)h->copies, h->copies == 1 ? "y" : "ies");
    cli_print_away(&h->file);
    if (h->file.raw && h->file.raw[0]) {
        char *raw = cli_quoted(stdout, h->file.raw);
        printf("  (+%s)", raw);
        free(raw);
    }
    if (h->folded)
        printf("  (+%llu near-identical)", (unsigned long long)h->folded);
    if (h->word_fields) {
        char fields[80];
        printf("  (by words: %s)", scry_fields_text(h->word_fields, fields));
    }
    if (h->matched) {
        char *line = scry_strndup(h->matched, h->matched_bytes), *shown = cli_quoted(stdout, line);
        printf("  \"%s\"", shown);
        free(shown);
        free(line);
    }
}

void cli_print_hit(const cli_output *o, const scry_hit *h, size_t rank)
{
    if (o->form == CLI_PATHS) {
        print_path(o, h->file.path);
        return;
    }
    if (o->listed)
        print_sorted_by(o->request->sort, &h->file);
    else
        printf("%4zu  ", rank);
    if (!o->listed && o->scores)
        printf("%6.3f  ", h->score);
    if (!o->listed && on_terminal())
        print_day(&h->file);
    cli_print_name(h->file.path);
    print_others(h);
    putchar('\n');
    cli_thumbs_show(o->thumbs, h->file.path, h->file.width, h->file.height);
}

void cli_print_heading(const char *heading)
{
    bool colour = in_colour();
    printf("%s---- %s ----%s\n", colour ? "\033[1m" : "", heading, colour ? "\033[0m" : "");
}
