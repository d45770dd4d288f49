#include "cli/query_hints.h"

#include "base/alloc.h"
#include "cli/cli.h"
#include "cli/suggest.h"
#include "engine/date_words.h"
#include "engine/place_list.h"
#include "image/image.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

static bool is_picture_here(const char *text)
{
    struct stat st;
    return scry_name_may_be_picture(text) && stat(text, &st) == 0 && S_ISREG(st.st_mode);
}

/* Of a picture to search by that is none: what was probably meant. */
static void hint_picture(const char *path)
{
    struct stat st;
    if (stat(path, &st) == 0) {
        if (S_ISDIR(st.st_mode))
            cli_warn("%s is a folder, and @ takes a picture; --in %s finds only pictures in that folder", path, path);
        return;
    }
    char *near = cli_near_path(path);
    if (near)
        cli_warn("%s does not exist: did you mean @%s?", path, near);
    free(near);
}

/* A word like "-people" behind another one; NULL: none. */
static const char *minus_word(const char *text)
{
    for (const char *p = strstr(text, " -"); p; p = strstr(p + 1, " -"))
        if (isalpha((unsigned char)p[2]) || (unsigned char)p[2] >= 0x80)
            return p + 1;
    return NULL;
}

/* A sign that looks like + or - and is none, alone or before a word, as telephones write it; its length in *n. */
static const char *other_sign(const char *text, size_t *n, char *meant)
{
    static const char *const signs[] = { "\u2010", "\u2011", "\u2012", "\u2013", "\u2014", "\u2212", "\ufe63", "\uff0d",
                                         "\uff0b" };
    for (size_t i = 0; i < sizeof signs / sizeof *signs; i++)
        for (const char *p = strstr(text, signs[i]); p; p = strstr(p + 1, signs[i])) {
            *n = strlen(signs[i]);
            *meant = strcmp(signs[i], "\uff0b") == 0 ? '+' : '-';
            if (p > text && p[-1] == ' ' && p[*n])
                return p;
        }
    return NULL;
}

/* "@photo.jpg" behind other words, if that file is here; owned, without the "@". */
static char *picture_within(const char *text)
{
    for (const char *p = strstr(text, " @"); p; p = strstr(p + 1, " @")) {
        char *name = scry_strndup(p + 2, strcspn(p + 2, " "));
        if (is_picture_here(name))
            return name;
        free(name);
    }
    return NULL;
}

/* What may have been meant by signs within a text. */
static void hint_signs(const char *text)
{
    size_t n;
    char meant;
    const char *sign = other_sign(text, &n, &meant), *comma = text + strspn(text, "0123456789"), *weight = comma + (*comma == ',');
    char *picture = picture_within(text);
    if (sign) {
        const char *word = sign + n + (sign[n] == ' ');
        cli_warn("%.*s is searched for as a text: %s takes the sign of the keyboard, with spaces around it: %c %.*s", (int)n, sign,
                 meant == '+' ? "adding" : "subtracting", meant, (int)strcspn(word, " "), word);
    }
    if (picture)
        cli_warn("@%s is searched for as a text; + @%s adds that picture to the query", picture, picture);
    weight += strspn(weight, "0123456789");
    if (comma > text && *comma == ',' && weight > comma + 1 && *weight == ':')
        cli_warn("\"%.*s\" is searched for as a text: a weight has a point, %.*s.%.*s", (int)(weight + 1 - text), text, (int)(comma - text), text,
                 (int)(weight - comma), comma + 1);
    free(picture);
}

/* Whether it names a past date and could hardly be meant otherwise: with a year, or as "last summer". */
static bool is_surely_date(const char *text)
{
    scry_period t;
    bool year = false;
    for (const char *p = text; *p && !year; p += strcspn(p, " "), p += strspn(p, " "))
        year = strspn(p, "0123456789") == 4 && strcspn(p, " ") == 4;
    return (year || strncasecmp(text, "last ", 5) == 0) && scry_date_words(text, scry_local_now(), &t, NULL) == 0 &&
           t.from_s < scry_local_now();
}

/* The date that a text ends with, behind other words; NULL: none. */
static const char *date_at_end(const char *text)
{
    for (const char *p = strchr(text, ' '); p; p = strchr(p + 1, ' '))
        if (p > text && p[1] && p[1] != ' ' && is_surely_date(p + 1))
            return p + 1;
    return NULL;
}

void cli_query_hints(const scry_search_request *r)
{
    const scry_query_part *parts;
    size_t n = scry_query_parts(r->query, &parts);
    for (size_t i = 0; i < n; i++) {
        const char *text = parts[i].text, *minus = parts[i].kind == SCRY_PART_TEXT ? minus_word(text) : NULL;
        if (scry_query_is_weighed(r->query, i))
            cli_warn("\"%s\" is searched for with a weight of %g (a backslash in front of the number makes it text)", text, parts[i].weight);
        if (parts[i].kind == SCRY_PART_TEXT && is_picture_here(text))
            cli_warn("%s is searched for as a text; @%s searches by that picture", text, text);
        if (parts[i].kind == SCRY_PART_PICTURE)
            hint_picture(text);
        const char *date = parts[i].kind == SCRY_PART_TEXT ? date_at_end(text) : NULL;
        if (date)
            cli_warn("\"%s\" is searched for as a text; --date \"%s\" finds only pictures taken then", date, date);
        if (parts[i].kind == SCRY_PART_TEXT)
            hint_signs(text);
        if (minus)
            cli_warn("%.*s is searched for as a text; to subtract it, put a space behind the minus: - %.*s", (int)strcspn(minus, " "), minus,
                     (int)strcspn(minus + 1, " "), minus + 1);
    }
}

static void hint_places(const scry_filter_node *f, const scry_place_list *l)
{
    scry_buf several = SCRY_BUF_INIT(1 << 16);
    if (f->kind == SCRY_FILTER_OR) {
        hint_places(f->left, l);
        hint_places(f->right, l);
    } else {
        scry_place_list_several(&several, l, f->text);
        if (several.size)
            cli_warn("--place took several places of that name: %s", scry_buf_str(&several));
    }
    scry_buf_dispose(&several);
}

void cli_place_hints(const cli_output *o)
{
    const scry_search_request *r = o->request;
    scry_place_list *l = NULL;
    if (o->quiet || !isatty(STDERR_FILENO))
        return;
    for (const scry_param *p = scry_params; p->name; p++) {
        const scry_filter_node *f = r->filters[p - scry_params];
        if (!f || p->words != SCRY_WORDS_PLACE || p->filter != SCRY_FILTER_WORDS)
            continue;
        if (scry_place_list_new(&l, o->store, NULL) == 0)
            hint_places(f, l);
        scry_place_list_free(l);
    }
}
