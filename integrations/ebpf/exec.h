/* What the BPF program reports about an exec. SPDX-License-Identifier: GPL-2.0-only OR MIT */

#ifndef EXEC_H
#define EXEC_H

#define ARGS_SIZE 256

struct exec {
    __u64 cgroup_id;      /* in cgroup v2; 1 on hosts without it */
    __u64 start_nano;     /* of the process, since boot */
    __u32 pid;
    __u32 ppid;
    __u32 args_len;       /* how much of ARGS is used */
    char comm[16];
    char args[ARGS_SIZE]; /* each ends with NUL; cut off at the end of the array */
};

#endif
