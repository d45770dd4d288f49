#include "cli/index_words.h"

#include "cli/cli.h"
#include "cli/progress.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

bool cli_words_mode_parse(const char *value, cli_words_mode *out)
{
    static const char *const names[] = { [CLI_WORDS_YES] = "yes", [CLI_WORDS_NO] = "no", [CLI_WORDS_ONLY] = "only" };
    for (size_t i = CLI_WORDS_YES; i < sizeof names / sizeof *names; i++)
        if (strcmp(value, names[i]) == 0) {
            *out = (cli_words_mode)i;
            return true;
        }
    cli_usage("--words takes yes, no or only, not \"%s\"", value);
    return false;
}

bool cli_words_unwanted(void)
{
    const char *set = getenv("SCRY_WORDS");
    return set && strcmp(set, "no") == 0;
}

bool cli_words_check(const cli_words *w, bool paths, bool rebuild)
{
    scry_error err = SCRY_ERROR_INIT;
    if (w->mode == CLI_WORDS_ONLY && (paths || rebuild)) {
        cli_usage("--words only reads the pictures of the collection: give no %s", rebuild ? "--rebuild" : "paths");
        return false;
    }
    if ((w->mode == CLI_WORDS_YES || w->mode == CLI_WORDS_ONLY) && scry_text_reader_check(NULL, &err) < 0) {
        cli_fail(&err);
        return false;
    }
    return true;
}

typedef struct {
    const cli_words *words;
    cli_progress *bar;
    bool announced;
} pass;

static void show_progress(void *arg, const scry_text_progress *p)
{
    pass *s = arg;
    if (!s->announced && !s->words->quiet && p->pictures)
        fprintf(stderr, "reading the words in %llu picture%s (all can be searched by look; after a stop the next `scry index` goes on)\n",
                (unsigned long long)p->pictures, p->pictures > 1 ? "s" : "");
    s->announced = true;
    uint64_t done = p->read + p->failed + p->missing;
    cli_progress_show(s->bar, done, p->pictures > done ? p->pictures : done, false, p->read);
}

static void print_summary(const cli_words *w)
{
    const scry_text_progress *t = &w->total;
    if (w->quiet || t->read + t->failed + t->missing == 0)
        return;
    fprintf(stderr, "words read in %llu pictures, %llu with text", (unsigned long long)t->read, (unsigned long long)t->with_text);
    if (t->failed)
        fprintf(stderr, ", %llu could not be read", (unsigned long long)t->failed);
    if (t->missing)
        fprintf(stderr, ", %llu not there or changed", (unsigned long long)t->missing);
    fprintf(stderr, " in %.1f s\n", t->elapsed_ms / 1000);
}

int cli_read_words(cli_words *w, scry_store *store, const scry_index_options *index, scry_error *err)
{
    scry_store_info info = { 0 };
    pass s = { .words = w };
    scry_text_options o = { .retry = index->retry, .decoder_memory_bytes = index->decoder_memory_bytes, .workers = index->workers,
                            .time_limit_ms = index->time_limit_ms, .cancel = index->cancel, .progress = show_progress, .arg = &s };
    scry_store_describe(store, &info);
    bool wanted = info.finds_words && !cli_words_unwanted() && scry_text_reader_check(NULL, NULL) == 0;
    if (w->mode == CLI_WORDS_NO || (w->mode == CLI_WORDS_AUTO && !wanted))
        return 0;
    s.bar = cli_progress_new(w->quiet, w->force_progress);
    int r = scry_text_run(store, &o, &w->total, err);
    cli_progress_free(s.bar);
    w->ran = true;
    print_summary(w);
    return r;
}

void cli_json_put_words(scry_json_writer *json, const cli_words *w)
{
    const struct { const char *key; uint64_t n; } counts[] = {
        { "words_read", w->total.read }, { "words_with_text", w->total.with_text }, { "words_failed", w->total.failed },
        { "words_missing", w->total.missing },
    };
    for (size_t i = 0; w->ran && i < sizeof counts / sizeof *counts; i++)
        scry_json_add_int(json, counts[i].key, (int64_t)counts[i].n);
}
