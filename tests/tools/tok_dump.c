/* tok_dump - token ids of lines, for comparing with the references.
 *
 *     tok_dump DIR hf|siglip|open_clip|whitespace|lower|canonicalize CAPACITY < LINES > IDS
 *
 * Lines end in a newline and may hold \n, \r, \\ and \0 as two characters, so that any text
 * fits on one. Each gives a line of ids. With LINES as "-t N" instead it encodes
 * its input N times and prints the microseconds a line takes; with "-o N" it opens
 * the tokenizer N times more and prints the fastest.
 */
#include "base/buf.h"
#include "tokenizer/tokenizer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static size_t unescape(char *line, size_t n)
{
    size_t to = 0;
    for (size_t i = 0; i < n; i++) {
        if (line[i] == '\\' && i + 1 < n) {
            char c = line[++i];
            line[to++] = c == 'n' ? '\n' : c == 'r' ? '\r' : c == '0' ? '\0' : c;
        } else {
            line[to++] = line[i];
        }
    }
    return to;
}

static int print_ids(const scry_tokenizer *t, const char *text, size_t n, int32_t *ids, size_t capacity)
{
    scry_error err = SCRY_ERROR_INIT;
    int count = scry_tokenizer_encode(t, text, n, ids, capacity, NULL, &err);
    if (count < 0) {
        fprintf(stderr, "tok_dump: %s\n", err.message);
        return -1;
    }
    for (int i = 0; i < count; i++)
        printf("%s%d", i ? " " : "", ids[i]);
    putchar('\n');
    return 0;
}

/* Processor time, so that a busy machine does not count. */
static double now_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

/* The last three are open_clip's, before a tokenizer.json. */
static scry_tokenizer_dialect dialect_of(const char *name)
{
    return strcmp(name, "hf") == 0 ? SCRY_TOKENIZER_HF : strcmp(name, "siglip") == 0 ? SCRY_TOKENIZER_SIGLIP
         : strcmp(name, "whitespace") == 0 ? SCRY_TOKENIZER_OPEN_CLIP_SPACES
         : strcmp(name, "lower") == 0 ? SCRY_TOKENIZER_OPEN_CLIP_LOWER
         : strcmp(name, "canonicalize") == 0 ? SCRY_TOKENIZER_OPEN_CLIP_CANONICAL : SCRY_TOKENIZER_OPEN_CLIP;
}

int main(int argc, char **argv)
{
    scry_error err = SCRY_ERROR_INIT;
    scry_tokenizer *t;
    if (argc < 4) {
        fprintf(stderr, "usage: tok_dump DIR hf|siglip|open_clip|whitespace|lower|canonicalize CAPACITY [-t N] < LINES\n");
        return 2;
    }
    size_t capacity = strtoul(argv[3], NULL, 10);
    bool opens = argc > 5 && strcmp(argv[4], "-o") == 0;
    int repeat = argc > 5 && !opens ? atoi(argv[5]) : 0;
    double fastest = 1e9;
    scry_tokenizer_dialect dialect = dialect_of(argv[2]);
    double start = now_ms();
    if (scry_tokenizer_open(&t, argv[1], dialect, &err) < 0) {
        fprintf(stderr, "tok_dump: %s\n", err.message);
        return 2;
    }
    fprintf(stderr, "tok_dump: %s, opened in %.2f ms of processor time\n", scry_tokenizer_summary(t), now_ms() - start);
    for (int i = 0; opens && i < atoi(argv[5]); i++) {
        scry_tokenizer_free(t);
        start = now_ms();
        if (scry_tokenizer_open(&t, argv[1], dialect, &err) < 0)
            return 2;
        fastest = now_ms() - start < fastest ? now_ms() - start : fastest;
    }
    if (opens)
        fprintf(stderr, "tok_dump: fastest of them %.2f ms\n", fastest);
    int32_t *ids = malloc(capacity * sizeof *ids);
    char *line = NULL;
    size_t room = 0, lines = 0;
    ssize_t n;
    int status = 0;
    double spent = 0;
    while (status == 0 && ids && (n = getline(&line, &room, stdin)) >= 0) {
        size_t length = unescape(line, (size_t)(n > 0 && line[n - 1] == '\n' ? n - 1 : n));
        start = now_ms();
        for (int i = 0; i < repeat; i++)
            if (scry_tokenizer_encode(t, line, length, ids, capacity, NULL, &err) < 0)
                status = 1;
        spent += now_ms() - start;
        lines++;
        if (repeat == 0 && print_ids(t, line, length, ids, capacity) < 0)
            status = 1;
    }
    if (repeat)
        printf("%.2f us a line over %zu lines\n", spent * 1000 / repeat / (double)lines, lines);
    free(line);
    free(ids);
    scry_tokenizer_free(t);
    return status;
}
