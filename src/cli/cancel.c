#include "cli/cancel.h"

#include <stddef.h>

static scry_cancel cancelled;

static void on_signal(int signal)
{
    (void)signal;
    atomic_store(&cancelled, 1);
}

bool cli_stopped(void)
{
    return atomic_load(&cancelled) != 0;
}

const scry_cancel *cli_catch_signals(void)
{
    struct sigaction a = { .sa_handler = on_signal, .sa_flags = (int)SA_RESETHAND };
    sigaction(SIGINT, &a, NULL);
    sigaction(SIGTERM, &a, NULL);
    return &cancelled;
}
