/* interactive.c - the loop of `scry search -i`.
 *
 *     > a dog on the bea_
 *     10,234 pictures, 12 ms     Tab: mark, Enter: choose, Ctrl-O: open
 *       Best matches
 *     > Pictures/2019/img_1.jpg            +---------+
 *     * Pictures/2020/img_7.jpg            | preview |
 *       ...                                +---------+
 *
 * The model and the store stay open. A search is made when no key is waiting, the preview drawn when none is waiting after it,
 * so that typing is never held up by more than one of them.
 */
#include "cli/interactive.h"

#include "cli/cancel.h"
#include "cli/desktop.h"
#include "cli/row.h"
#include "cli/terminal_keys.h"
#include "cli/thumbs.h"

#include "base/alloc.h"
#include "base/log.h"
#include "engine/fusion.h"
#include "engine/query_words.h"
#include "image/image.h"
#include "scry/score.h"
#include "scry/teach.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <wchar.h>

enum { MAX_LINE = 1000, MAX_MARKS = 1000, HEAD_ROWS = 2, PREVIEW_FROM_COLUMNS = 80, MAX_RESULTS = 500 };

typedef struct {
    cli_common *common;
    scry_store *store;
    scry_model *model;
    scry_session *session;
    scry_decoder *decoder;
    cli_thumbs *thumbs;         /* NULL: no previews */
    terminal terminal;
    char line[MAX_LINE + 1], status[sizeof ((scry_error *)0)->message];
    size_t length;
    float *vector;
    scry_threshold *threshold;  /* NULL: not known */
    scry_results *results;      /* NULL: no query yet */
    const char *headings[MAX_RESULTS];   /* of the results: where a group begins; NULL: nowhere */
    size_t selected, top;       /* top: the first shown */
    char *marks[MAX_MARKS];     /* paths; owned */
    size_t mark_count;
    char *here;                 /* the current folder */
    char *previewed;            /* path of the picture that is shown; owned */
} interactive;

/* ---- searching ---- */

/* The words of the line as arguments of a command line. */
static int parse(scry_query *q, const char *line, scry_error *err)
{
    char *copy = scry_strdup(line), *save = NULL;
    const char **words = scry_alloc((strlen(line) / 2 + 1) * sizeof *words);
    size_t n = 0;
    for (char *w = strtok_r(copy, " ", &save); w; w = strtok_r(NULL, " ", &save))
        words[n++] = w;
    int r = scry_query_add_args(q, words, n, err);
    free(words);
    free(copy);
    return r;
}

static int search_line(interactive *s, scry_results **out, scry_error *err)
{
    scry_query *q = scry_query_new();
    scry_query_tools tools = { .session = s->session, .model = s->model, .decoder = s->decoder, .store = s->store };
    scry_filter_pool *pool = scry_filter_pool_new();
    int r = parse(q, s->line, err);
    (void)!scry_model_read_names(s->model, NULL, NULL);   /* a damaged file changes nothing here */
    if (r == 0)
        r = scry_query_embed(q, &tools, s->vector, NULL, err);
    scry_groups groups = SCRY_GROUPS_INIT;
    if (r == 0) {
        groups = scry_groups_of(s->threshold, s->model, q, s->vector);
        scry_search_plan plan = scry_plan_of(&s->common->request, groups, s->threshold);   /* with the words of this query */
        plan.query = q;
        plan.search.limit = MAX_RESULTS;
        plan.search.offset = 0;
        r = scry_query_find_words(&plan.words, pool, q, plan.by, err);
        if (r == 0)
            r = scry_search_by(s->store, s->vector, &plan, out, err);
        if (r == 0)
            scry_groups_settle(&groups, s->threshold, q, s->store, *out);
    }
    const char *last = NULL;
    for (size_t i = 0; r == 0 && i < (*out)->count && i < MAX_RESULTS; i++)
        s->headings[i] = scry_groups_next(&groups, &last, *out, i + 1, &(*out)->hits[i]);
    scry_groups_dispose(&groups);
    scry_filter_pool_free(pool);
    scry_query_free(q);
    return r;
}

/* Results of an incomplete query ("beach -") stay those before it. */
static void update(interactive *s)
{
    scry_error err = SCRY_ERROR_INIT;
    scry_results *found = NULL;
    double start = scry_now_ms();
    s->status[0] = '\0';
    if (s->line[strspn(s->line, " ")] == '\0') {
        scry_results_free(s->results);
        s->results = NULL;
        return;
    }
    if (search_line(s, &found, &err) < 0) {
        snprintf(s->status, sizeof s->status, "%s", err.message);
        return;
    }
    scry_results_free(s->results);
    s->results = found;
    s->selected = s->top = 0;
    snprintf(s->status, sizeof s->status, "%llu pictures, %.0f ms", (unsigned long long)found->scanned, scry_now_ms() - start);
}

/* ---- the screen ---- */

static size_t shown_rows(const interactive *s)
{
    return s->terminal.rows > HEAD_ROWS ? (size_t)(s->terminal.rows - HEAD_ROWS) : 1;
}

static bool has_preview(const interactive *s)
{
    return s->thumbs && s->terminal.columns >= PREVIEW_FROM_COLUMNS;
}

static int list_columns(const interactive *s)
{
    return has_preview(s) ? s->terminal.columns / 2 - 1 : s->terminal.columns;
}

/* At most `columns` cells of a printable text, from its end: of a path the name matters. */
static void put_end(FILE *to, const char *text, int columns)
{
    size_t n = mbstowcs(NULL, text, 0);
    if (n == (size_t)-1 || columns < 2) {
        fprintf(to, "%.*s", columns, text);
        return;
    }
    wchar_t *wide = scry_alloc((n + 1) * sizeof *wide);
    mbstowcs(wide, text, n + 1);
    int width = 0;
    size_t from = n;
    while (from > 0 && width + (wcwidth(wide[from - 1]) > 0 ? wcwidth(wide[from - 1]) : 0) <= columns - (from > 1)) {
        from--;
        width += wcwidth(wide[from]) > 0 ? wcwidth(wide[from]) : 0;
    }
    fprintf(to, "%s%ls", from ? "<" : "", wide + from);
    free(wide);
}

static bool is_marked(const interactive *s, const char *path)
{
    for (size_t i = 0; i < s->mark_count; i++)
        if (strcmp(s->marks[i], path) == 0)
            return true;
    return false;
}

static void draw_row(interactive *s, size_t i)
{
    FILE *to = s->terminal.to;
    const char *path = s->results->hits[i].file.path;
    char *shorter = s->here ? cli_shorter_path(path, s->here) : scry_strdup(path), *name = cli_quoted(to, shorter);
    fprintf(to, "%s%s ", i == s->selected ? "\033[7m>" : " ", is_marked(s, path) ? "*" : " ");
    put_end(to, name, list_columns(s) - 4);
    fputs("\033[0m", to);
    free(name);
    free(shorter);
}

/* Lines that the results from `first` to `last` take, with the headings before them. */
static size_t lines_of(const interactive *s, size_t first, size_t last)
{
    size_t lines = last - first + 1;
    for (size_t i = first; i <= last; i++)
        lines += s->headings[i] != NULL;
    return lines;
}

static void draw_results(interactive *s, size_t count, size_t rows)
{
    FILE *to = s->terminal.to;
    for (size_t i = s->top, line = 0; i < count && line < rows; i++) {
        if (s->headings[i] && rows > 1) {
            fprintf(to, "\r\n\033[2m  %.*s\033[0m", list_columns(s) - 3, s->headings[i]);
            line++;
        }
        if (line++ == rows)
            break;
        fputs("\r\n", to);
        draw_row(s, i);
    }
}

static void draw(interactive *s)
{
    FILE *to = s->terminal.to;
    size_t rows = shown_rows(s), count = s->results ? s->results->count : 0;
    char *status = cli_printable(to, s->status), *line = cli_printable(to, s->line);
    if (s->selected < s->top)
        s->top = s->selected;
    while (count && s->top < s->selected && lines_of(s, s->top, s->selected) > rows)
        s->top++;
    fputs("\033[?25l\033[H\033[2J\r\n", to);
    static const char keys[] = "Tab: mark, Enter: choose, Ctrl-O: open, Esc: leave";
    bool both = strlen(status) + sizeof keys + 3 <= (size_t)s->terminal.columns;
    fprintf(to, "\033[2m%.*s%s%.*s\033[0m", s->terminal.columns - 1, status, both && status[0] ? "   " : "",
            both ? s->terminal.columns - 1 : 0, keys);
    draw_results(s, count, rows);
    fputs("\033[H> ", to);
    put_end(to, line, s->terminal.columns - 3);
    fputs("\033[?25h", to);
    fflush(to);
    free(line);
    free(status);
    free(s->previewed);
    s->previewed = NULL;
}

static void draw_preview(interactive *s)
{
    if (!has_preview(s) || !s->results || !s->results->count)
        return;
    const scry_file *f = &s->results->hits[s->selected].file;
    if (s->previewed && strcmp(s->previewed, f->path) == 0)
        return;
    free(s->previewed);
    s->previewed = scry_strdup(f->path);
    int column = list_columns(s) + 2, row = HEAD_ROWS + 1;
    char *text = cli_thumbs_text(s->thumbs, f->path, f->width, f->height, s->terminal.columns - column, s->terminal.rows - row);
    FILE *to = s->terminal.to;
    fputs("\0337", to);   /* save the cursor */
    for (char *at = text; at && *at;) {
        size_t n = strcspn(at, "\n");
        fprintf(to, "\033[%d;%dH%.*s", row++, column, (int)n, at);
        at += n + (at[n] == '\n');
    }
    fputs("\0338", to);
    fflush(to);
    free(text);
}

/* ---- keys ---- */

static void erase(interactive *s, size_t length)
{
    s->length = length;
    s->line[length] = '\0';
}

/* Without its last character. */
static void erase_character(interactive *s)
{
    size_t n = s->length;
    while (n > 0 && ((unsigned char)s->line[--n] & 0xC0) == 0x80)
        continue;
    erase(s, n);
}

static void erase_word(interactive *s)
{
    size_t n = s->length;
    while (n > 0 && s->line[n - 1] == ' ')
        n--;
    while (n > 0 && s->line[n - 1] != ' ')
        n--;
    erase(s, n);
}

static const char *selected_path(const interactive *s)
{
    return s->results && s->results->count ? s->results->hits[s->selected].file.path : NULL;
}

static void toggle_mark(interactive *s)
{
    const char *path = selected_path(s);
    for (size_t i = 0; path && i < s->mark_count; i++)
        if (strcmp(s->marks[i], path) == 0) {
            free(s->marks[i]);
            s->marks[i] = s->marks[--s->mark_count];
            return;
        }
    if (path && s->mark_count < MAX_MARKS)
        s->marks[s->mark_count++] = scry_strdup(path);
}

static void move(interactive *s, ptrdiff_t by)
{
    ptrdiff_t last = s->results && s->results->count ? (ptrdiff_t)s->results->count - 1 : 0, to = (ptrdiff_t)s->selected + by;
    s->selected = (size_t)(to < 0 ? 0 : to > last ? last : to);
}

static void open_selected(interactive *s)
{
    scry_error err = SCRY_ERROR_INIT;
    const char *path = selected_path(s);
    if (path && cli_desktop_open(path, &err) < 0)
        snprintf(s->status, sizeof s->status, "%s", err.message);
}

/* Whether the key changes the query; *done: whether it ends the search. */
static bool take_key(interactive *s, int key, bool *done)
{
    switch (key) {
    case KEY_UP: move(s, -1); return false;
    case KEY_DOWN: move(s, 1); return false;
    case KEY_PAGE_UP: move(s, -(ptrdiff_t)shown_rows(s)); return false;
    case KEY_PAGE_DOWN: move(s, (ptrdiff_t)shown_rows(s)); return false;
    case KEY_TAB: toggle_mark(s); move(s, 1); return false;
    case KEY_OPEN: open_selected(s); return false;
    case KEY_ENTER: case KEY_ESCAPE: case KEY_INTERRUPT: case KEY_CLOSED: *done = true; return false;
    case KEY_BACKSPACE: erase_character(s); return true;
    case KEY_ERASE_LINE: erase(s, 0); return true;
    case KEY_ERASE_WORD: erase_word(s); return true;
    default: break;
    }
    if (key >= KEY_NONE || s->length >= MAX_LINE)
        return false;
    s->line[s->length++] = (char)key;
    s->line[s->length] = '\0';
    return true;
}

static bool uses_results(int key)
{
    return key == KEY_ENTER || key == KEY_TAB || key == KEY_UP || key == KEY_DOWN || key == KEY_PAGE_UP || key == KEY_PAGE_DOWN ||
           key == KEY_OPEN;
}

/* Returns the key that ended it. */
static int run_keys(interactive *s)
{
    const scry_cancel *cancel = cli_catch_signals();
    bool done = false, changed = s->length > 0, stale = true;   /* changed: the query; stale: what is on the screen */
    int key = KEY_NONE;
    while (!done && !atomic_load(cancel)) {
        if (changed && !terminal_has_key(&s->terminal)) {
            update(s);
            changed = false;
        }
        stale |= terminal_measure(&s->terminal);
        if (stale && !terminal_has_key(&s->terminal)) {
            draw(s);
            stale = false;
        }
        if (!stale && !terminal_has_key(&s->terminal))
            draw_preview(s);
        key = terminal_key(&s->terminal, 500);
        stale |= key != KEY_NONE;
        if (changed && uses_results(key)) {   /* those of the query as it is, however fast it was typed */
            update(s);
            changed = false;
        }
        changed |= take_key(s, key, &done);
    }
    return atomic_load(cancel) ? KEY_INTERRUPT : key;
}

/* ---- beginning and end ---- */

static int open_all(interactive *s, scry_error *err)
{
    scry_decoder_options d = SCRY_DECODER_OPTIONS_INIT;
    d.formats = scry_formats_all();
    int r = cli_open_store(&s->store, s->common, SCRY_STORE_READ, err);
    if (r == 0)
        r = cli_open_model(&s->model, s->common, s->store, err);
    if (r == 0)
        r = scry_session_new(&s->session, s->model, 0, err);
    if (r == 0)
        r = scry_threshold_known(&s->threshold, s->store, s->model, err);
    if (r == 0)
        r = scry_decoder_new(&s->decoder, &d, err);
    if (r == 0)
        s->vector = scry_alloc((size_t)scry_model_get_info(s->model)->dim * sizeof *s->vector);
    if (r == 0)
        r = terminal_open(&s->terminal, err);
    return r;
}

static void close_all(interactive *s)
{
    for (size_t i = 0; i < s->mark_count; i++)
        free(s->marks[i]);
    cli_thumbs_free(s->thumbs);
    scry_results_free(s->results);
    scry_threshold_free(s->threshold);
    free(s->previewed);
    free(s->here);
    free(s->vector);
    scry_decoder_free(s->decoder);
    scry_session_free(s->session);
    scry_model_free(s->model);
    if (s->store)
        scry_store_close(s->store, NULL);
    free(s);
}

static void print_path(const char *path, bool zero_ended)
{
    char *name = cli_quoted(stdout, path);
    fputs(name, stdout);
    putchar(zero_ended ? '\0' : '\n');
    free(name);
}

int cli_search_interactively(cli_common *c, const cli_view *v)
{
    scry_error err = SCRY_ERROR_INIT;
    if (v->json || v->html || v->thumbs || v->open || v->copy_to || v->link_to)
        return cli_usage("-i prints paths, with -0 if wanted: it takes no other form of output");
    interactive *s = scry_alloc(sizeof *s);
    s->common = c;
    s->here = getcwd(NULL, 0);
    s->length = (size_t)snprintf(s->line, sizeof s->line, "%s", scry_buf_str(&c->request.shown));
    s->length = s->length > MAX_LINE ? MAX_LINE : s->length;
    if (open_all(s, &err) < 0) {
        close_all(s);
        return cli_fail(&err);
    }
    (void)!cli_thumbs_new_on(&s->thumbs, s->terminal.fd, NULL);   /* without it there are no previews */
    int key = run_keys(s);
    terminal_close(&s->terminal);
    const char *path = key == KEY_ENTER ? selected_path(s) : NULL;
    for (size_t i = 0; path && i < s->mark_count; i++)
        print_path(s->marks[i], v->zero_ended);
    if (path && s->mark_count == 0)
        print_path(path, v->zero_ended);
    int status = path ? CLI_OK : CLI_NOTHING;
    close_all(s);
    return status;
}
