/* Counts what an emulated processor executes: a plugin for Debian 12's qemu-user (plugin API 1, declared here because Debian
 * ships no header). The guest marks a place by closing a file descriptor that cannot exist, 0x7a0000; the counts so far are
 * then written to standard error: of the thread that marks, and of all. */
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#define MARK 0x7a0000
#define NO_REGISTERS 0
#define THREADS 256
#define LINE 64 /* bytes: threads count beside one another, not in one another's cache line */
#define EXPORTED __attribute__((visibility("default")))
#define ARGUMENTS uint64_t a, uint64_t b, uint64_t c, uint64_t d, uint64_t e, uint64_t f, uint64_t g, uint64_t h

typedef uint64_t plugin_id;
struct block; /* a run of instructions without a branch, translated once */
extern void qemu_plugin_register_vcpu_tb_trans_cb(plugin_id, void (*)(plugin_id, struct block *));
extern void qemu_plugin_register_vcpu_tb_exec_cb(struct block *, void (*)(unsigned, void *), int, void *);
extern size_t qemu_plugin_tb_n_insns(const struct block *);
extern void qemu_plugin_register_vcpu_syscall_cb(plugin_id, void (*)(plugin_id, unsigned, int64_t, ARGUMENTS));

EXPORTED int qemu_plugin_version = 1;
static struct {
    uint64_t executed;
    char rest[LINE - sizeof(uint64_t)];
} threads[THREADS];

static void ran(unsigned thread, void *instructions)
{
    threads[thread % THREADS].executed += (uintptr_t)instructions;
}

static void translated(plugin_id id, struct block *block)
{
    qemu_plugin_register_vcpu_tb_exec_cb(block, ran, NO_REGISTERS, (void *)qemu_plugin_tb_n_insns(block));
}

static void called(plugin_id id, unsigned thread, int64_t number, ARGUMENTS)
{
    uint64_t all = 0;

    if (a != MARK)
        return;
    for (int i = 0; i < THREADS; i++)
        all += threads[i].executed;
    fprintf(stderr, "instructions %llu %llu\n", (unsigned long long)threads[thread % THREADS].executed, (unsigned long long)all);
}

EXPORTED int qemu_plugin_install(plugin_id id, const void *info, int argc, char **argv)
{
    qemu_plugin_register_vcpu_tb_trans_cb(id, translated);
    qemu_plugin_register_vcpu_syscall_cb(id, called);
    return 0;
}
