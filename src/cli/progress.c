#include "cli/progress.h"
#include "cli/cancel.h"

#include "base/alloc.h"
#include "base/log.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <unistd.h>

struct cli_progress {
    bool shown, terminal;
    double start_ms, last_ms, rate;   /* rate: pictures a second, smoothed */
    uint64_t last_rated;
};

cli_progress *cli_progress_new(bool quiet, bool force)
{
    bool terminal = isatty(STDERR_FILENO) == 1;
    if (quiet || (!terminal && !force))
        return NULL;
    cli_progress *p = scry_alloc(sizeof *p);
    p->terminal = terminal;
    p->start_ms = p->last_ms = scry_now_ms();
    return p;
}

static void duration(char *out, size_t size, double s)
{
    if (s < 90)
        snprintf(out, size, "%.0f s", s);
    else if (s < 5400)
        snprintf(out, size, "%.0f min", s / 60);
    else
        snprintf(out, size, "%.1f h", s / 3600);
}

static int columns(void)
{
    struct winsize w;
    return ioctl(STDERR_FILENO, TIOCGWINSZ, &w) == 0 && w.ws_col > 20 ? w.ws_col : 80;
}

static void measure_rate(cli_progress *p, uint64_t rated)
{
    double now = scry_now_ms();
    if (rated > p->last_rated && now - p->last_ms >= 1000) {   /* pictures complete in batches */
        double rate = (double)(rated - p->last_rated) / (now - p->last_ms) * 1000;
        p->rate = p->rate > 0 ? 0.7 * p->rate + 0.3 * rate : rate;
        p->last_ms = now;
        p->last_rated = rated;
    }
}

/* A bar and `text` behind it. */
static void put_line(cli_progress *p, uint64_t done, uint64_t total, const char *text)
{
    char line[160], bar[31] = "";
    int filled = total ? (int)((double)done / (double)total * 30) : 30;
    for (int i = 0; i < 30; i++)
        bar[i] = i < filled ? '#' : '.';
    snprintf(line, sizeof line, "[%s] %s", bar, text);
    if (p->terminal)
        fprintf(stderr, "\r%.*s\033[K", columns() - 1, line);
    else
        fprintf(stderr, "%s\n", line);
    fflush(stderr);
    p->shown = true;
}

/* "  left: 3 min", or nothing where that is not known. */
static void time_left(const cli_progress *p, uint64_t done, uint64_t total, char out[48])
{
    char text[32];
    out[0] = '\0';
    if (!(p->rate > 0) || done >= total)
        return;
    duration(text, sizeof text, (double)(total - done) / p->rate);
    snprintf(out, 48, "  left: %s", text);
}

void cli_progress_show(cli_progress *p, uint64_t done, uint64_t total, bool open_end, uint64_t rated)
{
    char text[128], left[48], rate[32] = "";
    if (!p)
        return;
    measure_rate(p, rated);
    time_left(p, done, total, left);
    if (p->rate > 0)   /* known after a second, and not where nothing is to be done */
        snprintf(rate, sizeof rate, "  %.1f/s", p->rate);
    snprintf(text, sizeof text, "%llu/%llu%s%s%s", (unsigned long long)done, (unsigned long long)total, open_end ? "+" : "", rate,
             open_end ? "  still counting" : left);
    put_line(p, done, total, text);
}

void cli_progress_show_share(cli_progress *p, uint64_t done, uint64_t total)
{
    char text[128], left[48];
    if (!p)
        return;
    measure_rate(p, done);
    time_left(p, done, total, left);
    snprintf(text, sizeof text, "%.0f %%%s", total ? 100 * (double)done / (double)total : 100.0, left);
    put_line(p, done, total, text);
}

void cli_show_share(void *bar, uint64_t done, uint64_t total)
{
    cli_progress_show_share(bar, done, total);
}

void cli_progress_clear(cli_progress *p)
{
    if (p && p->shown && p->terminal)
        fputs("\r\033[K", stderr);
}

void cli_progress_free(cli_progress *p)
{
    cli_progress_clear(p);
    free(p);
}

int cli_waiting(void *arg, const char *stage, int percent)
{
    cli_wait_line *line = arg;
    bool terminal = isatty(STDERR_FILENO) == 1;
    char done[16] = "";
    if (stage && !stage[0])
        cli_waited(line);
    if (!stage || !stage[0] || line->quiet || (!terminal && !line->forced) || (line->stage == stage && line->percent == percent))
        return cli_stopped();
    line->stage = stage;
    line->percent = percent;
    line->shown = true;
    if (percent > 0)
        snprintf(done, sizeof done, ", %d %%", percent);
    fprintf(stderr, terminal ? "\rMilvus is %s%s\033[K" : "Milvus is %s%s\n", stage, done);
    fflush(stderr);
    return cli_stopped();
}

void cli_waited(cli_wait_line *line)
{
    if (line->shown && isatty(STDERR_FILENO))
        fputs("\r\033[K", stderr);
    line->shown = false;
    line->stage = NULL;
}

void cli_notice(void *arg, const char *text)
{
    cli_wait_line *line = arg;
    cli_waited(line);
    if (!line->quiet)
        cli_warn("%s", text);
}
