/* Counts what an emulated processor executes: a plugin for Debian 12's qemu-user (plugin API 1, declared here because Debian
 * ships no header). The guest marks a place by closing a file descriptor that cannot exist, 0x7a0000; the count so far is then
 * written to standard error. One thread only: the counter is not atomic. */
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#define MARK 0x7a0000
#define ADD_INLINE 0
#define EXPORTED __attribute__((visibility("default")))
#define ARGUMENTS uint64_t a, uint64_t b, uint64_t c, uint64_t d, uint64_t e, uint64_t f, uint64_t g, uint64_t h

typedef uint64_t plugin_id;
struct block; /* a run of instructions without a branch, translated once */
extern void qemu_plugin_register_vcpu_tb_trans_cb(plugin_id, void (*)(plugin_id, struct block *));
extern void qemu_plugin_register_vcpu_tb_exec_inline(struct block *, int, void *, uint64_t);
extern size_t qemu_plugin_tb_n_insns(const struct block *);
extern void qemu_plugin_register_vcpu_syscall_cb(plugin_id, void (*)(plugin_id, unsigned, int64_t, ARGUMENTS));

EXPORTED int qemu_plugin_version = 1;
static uint64_t executed;

static void translated(plugin_id id, struct block *block)
{
    qemu_plugin_register_vcpu_tb_exec_inline(block, ADD_INLINE, &executed, qemu_plugin_tb_n_insns(block));
}

static void called(plugin_id id, unsigned cpu, int64_t number, ARGUMENTS)
{
    if (a == MARK)
        fprintf(stderr, "instructions %llu\n", (unsigned long long)executed);
}

EXPORTED int qemu_plugin_install(plugin_id id, const void *info, int argc, char **argv)
{
    qemu_plugin_register_vcpu_tb_trans_cb(id, translated);
    qemu_plugin_register_vcpu_syscall_cb(id, called);
    return 0;
}
