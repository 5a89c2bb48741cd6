/* Prints what a lookup costs on this machine, in nanoseconds: build the library with `make build` for true figures.
 * cc -O2 lookup_costs.c $(pkg-config --cflags --libs criwatch) -o lookup_costs && ./lookup_costs [ENDPOINT [HOST-ROOT]] */

#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif

#include <criwatch.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define BATCHES 1001

static const cri_snapshot *snapshot;
static const cri_container *const *containers;
static size_t n;
static cri_watcher *watcher;

static double now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec * 1e9 + (double)time.tv_nsec;
}

static const cri_container *next(size_t i)
{
    return containers[i * 7919 % n];
}

static cri_status bare(size_t i)
{
    return cri_snapshot_generation(snapshot) == i ? CRI_NONE : CRI_OK;
}

static cri_status generation(size_t i)
{
    return cri_watcher_generation(watcher) == i ? CRI_NONE : CRI_OK;
}

static cri_status id(size_t i)
{
    const cri_container *c;
    return cri_snapshot_find(snapshot, next(i)->id, &c, NULL);
}

static cri_status path(size_t i)
{
    const cri_container *c, *of = next(i);
    return cri_snapshot_find_cgroup_path(snapshot, of->cgroup_path, strlen(of->cgroup_path), &c, NULL);
}

static cri_status first_process(size_t i)
{
    const cri_container *c, *of = next(i);
    return cri_snapshot_find_pid(snapshot, of->pid, of->pid_start_ticks, &c, NULL);
}

static cri_status any_process(size_t i)
{
    const cri_container *c;
    return cri_snapshot_find_pid(snapshot, next(i)->pid, 0, &c, NULL);
}

static cri_status host_process(size_t i)
{
    const cri_container *c;
    (void)i;
    return cri_snapshot_find_pid(snapshot, getpid(), 0, &c, NULL);
}

static cri_status no_process(size_t i)
{
    const cri_container *c;
    (void)i;
    return cri_snapshot_find_pid(snapshot, INT32_MAX, 0, &c, NULL);
}

static cri_status unknown_cgroup(size_t i)
{
    const cri_container *c;
    return cri_snapshot_find_cgroup(snapshot, UINT64_MAX - i, &c, NULL);
}

static int compare(const void *a, const void *b)
{
    return (*(const double *)a > *(const double *)b) - (*(const double *)a < *(const double *)b);
}

/* The first call builds an index: it is measured apart. Others' work on this machine falls on few batches: the median is ours. */
static void measure(const char *what, cri_status (*look)(size_t), size_t calls)
{
    static double batches[BATCHES];
    double begin = now();
    cri_status status = look(0);
    double first = now() - begin;
    for (size_t batch = 0; batch < BATCHES; batch++) {
        begin = now();
        for (size_t i = 0; i < calls; i++)
            status = look(batch * calls + i);
        batches[batch] = (now() - begin) / (double)calls;
    }
    qsort(batches, BATCHES, sizeof batches[0], compare);
    printf("%-34s %9.1f ns  best %9.1f  first %9.1f us  %s\n", what, batches[BATCHES / 2], batches[0], first / 1e3,
           cri_status_name(status));
}

int main(int argc, char **argv)
{
    cri_options *options = NULL;
    cri_snapshot *own = NULL;
    cri_error *err = NULL;
    if (cri_options_new(&options, &err) != CRI_OK
        || (argc > 2 && cri_options_set(options, "host.root", argv[2], &err) != CRI_OK)
        || cri_watcher_new(argc > 1 ? argv[1] : NULL, options, &watcher, &err) != CRI_OK
        || cri_watcher_start(watcher, &err) != CRI_OK || cri_watcher_wait_ready(watcher, 120000, &err) != CRI_OK
        || cri_watcher_resync(watcher, 120000, &err) != CRI_OK || cri_watcher_snapshot(watcher, &own, &err) != CRI_OK
        || cri_snapshot_containers(own, &containers, &n, &err) != CRI_OK) {
        fprintf(stderr, "lookup_costs: %s\n", cri_error_message(err));
    } else if (snapshot = own, n == 0) {
        puts("nothing runs on this engine");
    } else {
        printf("%zu containers and sandboxes\n", n);
        measure("cri_snapshot_generation", bare, 200);
        measure("cri_watcher_generation", generation, 200);
        measure("id", id, 200);
        measure("cgroup path", path, 200);
        measure("first process, with its start", first_process, 200);
        measure("first process, as it is now", any_process, 10);
        measure("process of the host", host_process, 10);
        measure("no process", no_process, 10);
        measure("no cgroup", unknown_cgroup, 10);
    }
    const int failed = err != NULL;
    cri_snapshot_free(own);
    cri_watcher_free(watcher);
    cri_options_free(options);
    cri_error_free(err);
    return failed;
}
