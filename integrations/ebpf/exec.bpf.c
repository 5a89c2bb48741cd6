/* Tells each exec of the node. It knows no header of a kernel: the loader finds where the fields are (CO-RE).
 * SPDX-License-Identifier: GPL-2.0-only OR MIT */

#include <linux/bpf.h>

#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

#include "exec.h"

char LICENSE[] SEC("license") = "Dual MIT/GPL";

/* As much of the kernel's structs as is read here. */
struct mm_struct {
    unsigned long arg_start, arg_end;
} __attribute__((preserve_access_index));

struct task_struct {
    int tgid;
    __u64 start_boottime;
    char comm[16];
    struct task_struct *real_parent;
    struct mm_struct *mm;
} __attribute__((preserve_access_index));

struct {
    __uint(type, BPF_MAP_TYPE_RINGBUF);
    __uint(max_entries, 1 << 20);
} events SEC(".maps");

/* How many execs found the buffer full. */
__u64 lost = 0;

SEC("tp_btf/sched_process_exec")
int BPF_PROG(tell_exec, struct task_struct *task)
{
    struct exec *exec = bpf_ringbuf_reserve(&events, sizeof *exec, 0);
    if (exec == 0) {
        __sync_fetch_and_add(&lost, 1);
        return 0;
    }
    exec->cgroup_id = bpf_get_current_cgroup_id();
    exec->start_nano = task->start_boottime;
    exec->pid = task->tgid;
    exec->ppid = task->real_parent->tgid;
    bpf_get_current_comm(exec->comm, sizeof exec->comm);
    const unsigned long start = task->mm->arg_start;
    unsigned long len = task->mm->arg_end - start;
    if (len > sizeof exec->args)
        len = sizeof exec->args;
    exec->args_len = bpf_probe_read_user(exec->args, len, (void *)start) == 0 ? len : 0;
    bpf_ringbuf_submit(exec, 0);
    return 0;
}
