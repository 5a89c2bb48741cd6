/* Shows each program that starts in a container, with the name of its pod: execsnoop [-a] [-n NAMESPACE] [ENDPOINT].
 * README.md says how to use it. SPDX-License-Identifier: Apache-2.0 */

#include <bpf/libbpf.h>
#include <criwatch.h>
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "exec.h"

/* How long the name of a container that is being made is waited for, how often it is looked for meanwhile, and by how many. */
#define PATIENCE_MS 2000
#define PACE_MS 5
#define MAX_WAITING 1024
/* The end of a program that the kernel lets load nothing. */
#define EXIT_NO_BPF 3

/* What the compiler made of exec.bpf.c. */
__asm__(".pushsection .rodata\n.balign 8\nprogram: .incbin \"" PROGRAM "\"\nprogram_end:\n.popsection");
extern const char program[], program_end[];

/* An exec whose container is not known yet. */
struct waiting {
    struct exec exec;
    struct timespec time;
};

struct snoop {
    cri_watcher *watcher;
    cri_snapshot *snapshot;
    struct waiting waiting[MAX_WAITING];
    size_t waiting_len;
    const char *namespace; /* NULL: all */
    int with_host;
    uint64_t nano_per_tick;
};

static volatile sig_atomic_t is_over;

static void end(int signal)
{
    (void)signal;
    is_over = 1;
}

/* ---- Whose it is ---- */

/* The cgroup's id names the container although the process has ended; the pid does on hosts where the id cannot. */
static cri_status find(struct snoop *snoop, const struct exec *exec, const cri_container **out)
{
    if (cri_watcher_generation(snoop->watcher) != cri_snapshot_generation(snoop->snapshot)) {
        cri_snapshot *newer = NULL;
        if (cri_watcher_snapshot(snoop->watcher, &newer, NULL) == CRI_OK) {
            cri_snapshot_free(snoop->snapshot);
            snoop->snapshot = newer;
        }
    }
    const cri_status by_cgroup = cri_snapshot_find_cgroup(snoop->snapshot, exec->cgroup_id, out, NULL);
    if (by_cgroup == CRI_OK || by_cgroup == CRI_AGAIN || by_cgroup == CRI_NONE)
        return by_cgroup;
    return cri_snapshot_find_pid(snoop->snapshot, (int32_t)exec->pid, exec->start_nano / snoop->nano_per_tick, out, NULL);
}

static void print_args(const struct exec *exec)
{
    for (uint32_t at = 0; at < exec->args_len; at += strnlen(exec->args + at, exec->args_len - at) + 1)
        printf(" %.*s", (int)(exec->args_len - at), exec->args + at);
}

static void print(const struct snoop *snoop, const struct exec *exec, const struct timespec *time, cri_status status,
                  const cri_container *c)
{
    const cri_pod *pod = status == CRI_OK ? c->pod : NULL;
    char clock[16], where[600];
    struct tm local;
    if ((status != CRI_OK && !snoop->with_host)
        || (snoop->namespace != NULL && (pod == NULL || strcmp(pod->pod_namespace, snoop->namespace) != 0)))
        return;
    if (status == CRI_OK)
        snprintf(where, sizeof where, "%s/%s/%s", pod != NULL ? pod->pod_namespace : "?", pod != NULL ? pod->name : "?", c->name);
    else /* Who has ended before the look, and is in no container's cgroup, cannot be told. */
        snprintf(where, sizeof where, "%s", status == CRI_NONE ? "(host)" : "?");
    strftime(clock, sizeof clock, "%H:%M:%S", localtime_r(&time->tv_sec, &local));
    printf("%s.%03ld  %7u  %7u  %-40s  %-15s ", clock, time->tv_nsec / 1000000, exec->pid, exec->ppid, where, exec->comm);
    print_args(exec);
    putchar('\n');
    fflush(stdout);
}

/* ---- What the BPF program reports ---- */

static int take(void *context, void *data, size_t size)
{
    struct snoop *snoop = context;
    const struct exec *exec = data;
    const cri_container *c = NULL;
    struct timespec now;
    (void)size;
    clock_gettime(CLOCK_REALTIME, &now);
    const cri_status status = find(snoop, exec, &c);
    if (status == CRI_AGAIN && snoop->waiting_len < MAX_WAITING)
        snoop->waiting[snoop->waiting_len++] = (struct waiting){*exec, now};
    else
        print(snoop, exec, &now, status, c);
    return 0;
}

/* Looks again for those that wait, and gives up the ones that have waited long. */
static void take_waiting(struct snoop *snoop)
{
    size_t kept = 0;
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    for (size_t i = 0; i < snoop->waiting_len; i++) {
        struct waiting *waiting = &snoop->waiting[i];
        const cri_container *c = NULL;
        const long waited = (now.tv_sec - waiting->time.tv_sec) * 1000 + (now.tv_nsec - waiting->time.tv_nsec) / 1000000;
        const cri_status status = find(snoop, &waiting->exec, &c);
        if (status == CRI_OK || waited > PATIENCE_MS)
            print(snoop, &waiting->exec, &waiting->time, status, c);
        else
            snoop->waiting[kept++] = *waiting;
    }
    snoop->waiting_len = kept;
}

static int quiet(enum libbpf_print_level level, const char *format, va_list arguments)
{
    return level == LIBBPF_WARN ? vfprintf(stderr, format, arguments) : 0;
}

static void print_lost(struct bpf_object *object)
{
    const struct bpf_map *map = bpf_object__find_map_by_name(object, ".bss");
    __u64 lost = 0;
    __u32 key = 0;
    if (map != NULL && bpf_map__lookup_elem(map, &key, sizeof key, &lost, sizeof lost, 0) == 0 && lost > 0)
        fprintf(stderr, "execsnoop: %llu execs came too fast and are not shown\n", (unsigned long long)lost);
}

static int follow(struct snoop *snoop)
{
    libbpf_set_print(quiet);
    struct bpf_object *object = bpf_object__open_mem(program, (size_t)(program_end - program), NULL);
    struct ring_buffer *events = NULL;
    struct bpf_link *link = NULL;
    int failed = object == NULL ? -errno : bpf_object__load(object);
    if (failed == 0) {
        events = ring_buffer__new(bpf_object__find_map_fd_by_name(object, "events"), take, snoop, NULL);
        link = bpf_program__attach(bpf_object__find_program_by_name(object, "tell_exec"));
        failed = events == NULL || link == NULL ? -errno : 0;
    }
    if (failed == 0)
        fputs("TIME              PID     PPID  NAMESPACE/POD/CONTAINER                   COMM             ARGS\n", stdout);
    fflush(stdout);
    while (failed == 0 && !is_over) {
        const int polled = ring_buffer__poll(events, snoop->waiting_len == 0 ? 1000 : PACE_MS);
        failed = polled < 0 && polled != -EINTR ? polled : 0;
        take_waiting(snoop);
    }
    if (failed != 0)
        fprintf(stderr, "execsnoop: the BPF program cannot be used: %s%s\n", strerror(-failed),
                failed == -EPERM                               ? " (root, or CAP_BPF and CAP_PERFMON, may)"
                : access("/sys/kernel/btf/vmlinux", R_OK) != 0 ? " (this kernel has no BTF)"
                                                               : "");
    else
        print_lost(object);
    bpf_link__destroy(link);
    ring_buffer__free(events);
    bpf_object__close(object);
    const int may_not = failed == -EPERM || (failed != 0 && access("/sys/kernel/btf/vmlinux", R_OK) != 0);
    return failed == 0 ? 0 : may_not ? EXIT_NO_BPF : 1;
}

int main(int argc, char **argv)
{
    static struct snoop snoop;
    snoop.nano_per_tick = 1000000000 / (uint64_t)sysconf(_SC_CLK_TCK);
    for (int option; (option = getopt(argc, argv, "an:")) != -1;) {
        if (option == '?') {
            fprintf(stderr, "usage: %s [-a] [-n NAMESPACE] [ENDPOINT]\n", argv[0]);
            return 2;
        }
        if (option == 'a')
            snoop.with_host = 1;
        else
            snoop.namespace = optarg;
    }
    const struct sigaction ends = {.sa_handler = end};
    sigaction(SIGINT, &ends, NULL);
    sigaction(SIGTERM, &ends, NULL);

    int result = 1;
    cri_error *err = NULL;
    if (cri_watcher_new(argv[optind], NULL, &snoop.watcher, &err) == CRI_OK && cri_watcher_start(snoop.watcher, &err) == CRI_OK
        && cri_watcher_wait_ready(snoop.watcher, 10000, &err) == CRI_OK)
        result = follow(&snoop);
    else
        fprintf(stderr, "execsnoop: %s\n", cri_error_message(err));
    cri_error_free(err);
    cri_snapshot_free(snoop.snapshot);
    cri_watcher_free(snoop.watcher);
    return result;
}
