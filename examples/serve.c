/* serve.c - the web page and HTTP API of scry in a program of one's own, through libscry.
 *
 *     cc serve.c -o serve $(pkg-config --cflags --libs scry)
 *     ./serve find.store 127.0.0.1:8080
 *
 * Says the address on stderr, serves until SIGTERM or SIGINT, which this program handles itself.
 */
#include <scry/serve.h>

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

static scry_cancel stop;

static void on_signal(int number)
{
    (void)number;
    atomic_store(&stop, 1);
}

int main(int argc, char **argv)
{
    if (argc != 3) {
        fprintf(stderr, "usage: %s STORE HOST:PORT\n", argv[0]);
        return 2;
    }
    scry_error err = SCRY_ERROR_INIT;
    scry_serve_options options = SCRY_SERVE_OPTIONS_INIT;
    options.listen = argv[2];
    options.workers = 1;
    options.cancel = &stop;
    signal(SIGTERM, on_signal);
    signal(SIGINT, on_signal);
    if (scry_serve_run(&options, argv[1], NULL, getenv("SCRY_MODEL"), SCRY_PRECISION_AUTO, &err) < 0) {
        fprintf(stderr, "%s\n", err.message);
        return 2;
    }
    puts("stopped by the program's own handler");
    return 0;
}
