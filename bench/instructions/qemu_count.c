/* qemu_count.c - a plugin of qemu-user that counts the instructions a program executes.
 *
 *     cc -shared -fPIC -O2 -o count.so bench/instructions/qemu_count.c
 *     COUNT_TO=counts qemu-aarch64 -plugin ./count.so PROGRAM...
 *
 * appends a line with the number to the file COUNT_TO (standard error without it), one for each process. Threads that run
 * at the same time may lose counts: give the program one. What is declared here is the part of qemu's plugin interface,
 * version 1, that it needs, since distributions do not package its header.
 */
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define SHOWN __attribute__((visibility("default")))

struct qemu_plugin_tb;   /* a block of translated instructions */
typedef void translated_fn(uint64_t id, struct qemu_plugin_tb *block);
typedef void ended_fn(uint64_t id, void *arg);

size_t qemu_plugin_tb_n_insns(const struct qemu_plugin_tb *block);
void qemu_plugin_register_vcpu_tb_trans_cb(uint64_t id, translated_fn *fn);
void qemu_plugin_register_vcpu_tb_exec_inline(struct qemu_plugin_tb *block, int op, void *at, uint64_t add);
void qemu_plugin_register_atexit_cb(uint64_t id, ended_fn *fn, void *arg);

SHOWN int qemu_plugin_version = 1;
SHOWN int qemu_plugin_install(uint64_t id, const void *info, int argc, char **argv);

enum { ADD_U64 = 0 };
static uint64_t executed;

static void translated(uint64_t id, struct qemu_plugin_tb *block)
{
    qemu_plugin_register_vcpu_tb_exec_inline(block, ADD_U64, &executed, qemu_plugin_tb_n_insns(block));
}

static void ended(uint64_t id, void *arg)
{
    char line[32];
    const char *path = getenv("COUNT_TO");
    int n = snprintf(line, sizeof line, "%llu\n", (unsigned long long)executed);
    int fd = path ? open(path, O_WRONLY | O_CREAT | O_APPEND, 0666) : STDERR_FILENO;
    if (fd < 0 || write(fd, line, (size_t)n) != n)
        perror("qemu_count");
}

int qemu_plugin_install(uint64_t id, const void *info, int argc, char **argv)
{
    qemu_plugin_register_vcpu_tb_trans_cb(id, translated);
    qemu_plugin_register_atexit_cb(id, ended, NULL);
    return 0;
}
