/* What a lookup costs, in nanoseconds, as lines of JSON: each kind of key, on one thread, on two while a writer changes the cache
 * every millisecond, and on eight. What the loop itself costs, measured without a lookup, is subtracted.
 * benches/lookups/run builds it and gives it engines.
 *
 *   costs ENDPOINT [HOST-ROOT]
 *
 * HOST-ROOT is the made-up /proc of a simulated engine (--fake-tree). This program makes real cgroups below it, so that they have
 * ids, if it is root; and leaves none. */

#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif

#include <criwatch.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define BATCHES 1001
#define ROUNDS 201
#define MOST_THREADS 8
/* No process of a simulated engine has it. */
#define HOST_PID 4194000

struct key {
    uint64_t cgroup_id, start_ticks;
    const char *id, *cgroup_path;
    size_t path_len;
    int32_t pid;
};

static cri_watcher *watcher;
/* In an order of chance: neighbours here are none in the cache, and to read them costs nothing. */
static struct key *keys;
static size_t n;
static int32_t host_pid;
static uint64_t host_cgroup;
/* Of the root, or NULL: real processes. */
static const char *root;
static char own_cgroup[64];
static int is_over;
/* Less with SHORT in the environment, for tests. */
static size_t batches = BATCHES, rounds = ROUNDS;

static void refuse(cri_error *err)
{
    fprintf(stderr, "costs: %s\n", cri_error_message(err));
    exit(1);
}

static double now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec * 1e9 + (double)time.tv_nsec;
}

/* What is looked up in which way. */

/* No lookup: what the loop, the call and the reading of the key cost. */
static cri_status by_nothing(const cri_snapshot *s, const struct key *key, const cri_container **c)
{
    static const cri_container *const volatile none = NULL;
    (void)s;
    *c = none;
    return key->cgroup_id == UINT64_MAX ? CRI_NONE : CRI_OK;
}

static cri_status by_id(const cri_snapshot *s, const struct key *key, const cri_container **c)
{
    return cri_snapshot_find(s, key->id, c, NULL);
}

static cri_status by_cgroup(const cri_snapshot *s, const struct key *key, const cri_container **c)
{
    return cri_snapshot_find_cgroup(s, key->cgroup_id, c, NULL);
}

static cri_status by_host_cgroup(const cri_snapshot *s, const struct key *key, const cri_container **c)
{
    (void)key;
    return cri_snapshot_find_cgroup(s, host_cgroup, c, NULL);
}

static cri_status by_no_cgroup(const cri_snapshot *s, const struct key *key, const cri_container **c)
{
    (void)key;
    return cri_snapshot_find_cgroup(s, UINT32_MAX, c, NULL);
}

static cri_status by_first_process(const cri_snapshot *s, const struct key *key, const cri_container **c)
{
    return cri_snapshot_find_pid(s, key->pid, key->start_ticks, c, NULL);
}

static cri_status by_path(const cri_snapshot *s, const struct key *key, const cri_container **c)
{
    return cri_snapshot_find_cgroup_path(s, key->cgroup_path, key->path_len, c, NULL);
}

static cri_status by_any_process(const cri_snapshot *s, const struct key *key, const cri_container **c)
{
    return cri_snapshot_find_pid(s, key->pid, 0, c, NULL);
}

/* What the kernel alone needs to say in which cgroups a process is: no library does it for less. */
static cri_status by_bare_read(const cri_snapshot *s, const struct key *key, const cri_container **c)
{
    char path[512], text[4096];
    (void)s;
    *c = NULL;
    snprintf(path, sizeof path, "%s/proc/%d/cgroup", root != NULL ? root : "", key->pid);
    const int file = open(path, O_RDONLY | O_CLOEXEC);
    const ssize_t length = file < 0 ? -1 : read(file, text, sizeof text);
    close(file);
    return length > 0 ? CRI_OK : CRI_E_OS;
}

static cri_status by_host_process(const cri_snapshot *s, const struct key *key, const cri_container **c)
{
    (void)key;
    return cri_snapshot_find_pid(s, host_pid, 0, c, NULL);
}

static cri_status by_no_process(const cri_snapshot *s, const struct key *key, const cri_container **c)
{
    (void)key;
    return cri_snapshot_find_pid(s, INT32_MAX, 0, c, NULL);
}

static cri_status by_unknown_path(const cri_snapshot *s, const struct key *key, const cri_container **c)
{
    static const char path[] = "/system.slice/sshd.service";
    (void)key;
    return cri_snapshot_find_cgroup_path(s, path, sizeof path - 1, c, NULL);
}

static const struct kind {
    const char *name;
    cri_status (*look)(const cri_snapshot *, const struct key *, const cri_container **);
    size_t calls;
    /* Whether there must be cgroup ids. */
    int of_ids;
} nothing = {"nothing", by_nothing, 200, 0}, kinds[] = {
    {"cgroup id", by_cgroup, 200, 1},
    {"cgroup id of the host", by_host_cgroup, 200, 1},
    {"no such cgroup id", by_no_cgroup, 20, 1},
    {"first process and its start", by_first_process, 200, 0},
    {"id", by_id, 200, 0},
    {"cgroup path", by_path, 200, 0},
    {"cgroup path of the host", by_unknown_path, 200, 0},
    {"any process", by_any_process, 20, 0},
    {"/proc/PID/cgroup, opened, read and closed", by_bare_read, 20, 0},
    {"process of the host", by_host_process, 20, 0},
    {"no such process", by_no_process, 20, 0},
};

/* A thread looks up as an agent does: a new snapshot when the generation is another one. */

struct looker {
    const struct kind *kind;
    double of_batches[BATCHES], all;
    cri_status status;
    pthread_barrier_t *begin;
};

static void *look(void *argument)
{
    struct looker *self = argument;
    cri_snapshot *snapshot = NULL;
    const cri_container *c = NULL;
    cri_error *err = NULL;
    if (cri_watcher_snapshot(watcher, &snapshot, &err) != CRI_OK)
        refuse(err);
    const struct key *key = keys;
    self->status = self->kind->look(snapshot, key, &c);
    pthread_barrier_wait(self->begin);
    double begin = now();
    for (size_t batch = 0; batch < batches; batch++) {
        double of_batch = now();
        for (size_t i = 0; i < self->kind->calls; i++) {
            if (cri_watcher_generation(watcher) != cri_snapshot_generation(snapshot)) {
                cri_snapshot_free(snapshot);
                if (cri_watcher_snapshot(watcher, &snapshot, &err) != CRI_OK)
                    refuse(err);
            }
            if (self->kind->look(snapshot, key, &c) != self->status)
                self->status = CRI_E_INTERNAL;
            if (++key == keys + n)
                key = keys;
        }
        self->of_batches[batch] = (now() - of_batch) / (double)self->kind->calls;
    }
    self->all = (now() - begin) / (double)(batches * self->kind->calls);
    cri_snapshot_free(snapshot);
    return NULL;
}

/* Changes one container after the other, every millisecond. */
static void *write_on(void *argument)
{
    (void)argument;
    for (size_t i = 0; !__atomic_load_n(&is_over, __ATOMIC_RELAXED); i++) {
        char rucksack[32];
        snprintf(rucksack, sizeof rucksack, "%zu", i);
        cri_status status = cri_watcher_attach(watcher, keys[i % n].id, rucksack, NULL);
        (void)status;
        usleep(1000);
    }
    return NULL;
}

static int compare(const void *a, const void *b)
{
    return (*(const double *)a > *(const double *)b) - (*(const double *)a < *(const double *)b);
}

struct cost {
    double median, best, mean;
    cri_status status;
};

/* The median of the batches is a lookup's own cost; the mean has also that of new snapshots and of their indexes. */
static struct cost cost_of(const struct kind *kind, size_t threads, int has_writer)
{
    static struct looker lookers[MOST_THREADS];
    static double all[MOST_THREADS * BATCHES];
    pthread_t of_lookers[MOST_THREADS], writer;
    pthread_barrier_t begin;
    struct cost cost = {0};
    pthread_barrier_init(&begin, NULL, (unsigned)threads);
    __atomic_store_n(&is_over, 0, __ATOMIC_RELAXED);
    if (has_writer)
        pthread_create(&writer, NULL, write_on, NULL);
    for (size_t t = 0; t < threads; t++) {
        lookers[t].kind = kind;
        lookers[t].begin = &begin;
        pthread_create(&of_lookers[t], NULL, look, &lookers[t]);
    }
    for (size_t t = 0; t < threads; t++) {
        pthread_join(of_lookers[t], NULL);
        memcpy(all + t * batches, lookers[t].of_batches, batches * sizeof all[0]);
        cost.mean += lookers[t].all / (double)threads;
    }
    __atomic_store_n(&is_over, 1, __ATOMIC_RELAXED);
    if (has_writer)
        pthread_join(writer, NULL);
    pthread_barrier_destroy(&begin);
    qsort(all, threads * batches, sizeof all[0], compare);
    cost.median = all[threads * batches / 2];
    cost.best = all[0];
    cost.status = lookers[0].status;
    return cost;
}

/* Less what the loop costs. */
static void measure(const struct kind *kind, size_t threads, int has_writer)
{
    const struct cost loop = cost_of(&nothing, threads, has_writer), cost = cost_of(kind, threads, has_writer);
    printf("{\"bench\":\"lookups\",\"containers\":%zu,\"processes\":\"%s\",\"key\":\"%s\",\"answer\":\"%s\",\"threads\":%zu,"
           "\"writer\":%s,\"ns\":%.1f,\"ns_best\":%.1f,\"ns_mean\":%.1f,\"ns_loop\":%.1f}\n",
           n, root != NULL ? "made up" : "real", kind->name, cri_status_name(cost.status), threads,
           has_writer ? "true" : "false", cost.median - loop.median, cost.best - loop.best, cost.mean - loop.mean,
           loop.median);
    fflush(stdout);
}

/* What a new generation costs: the snapshot, and the first lookup in it, after one container has changed. */
static void measure_generations(void)
{
    static double taking[ROUNDS], first[ROUNDS];
    const cri_container *c = NULL;
    for (size_t i = 0; i < rounds; i++) {
        char rucksack[32];
        cri_snapshot *snapshot = NULL;
        cri_error *err = NULL;
        uint64_t before = cri_watcher_generation(watcher);
        snprintf(rucksack, sizeof rucksack, "\"%zu\"", i);
        if (cri_watcher_attach(watcher, keys[i % n].id, rucksack, &err) != CRI_OK)
            refuse(err);
        while (cri_watcher_generation(watcher) == before)
            usleep(100);
        double begin = now();
        if (cri_watcher_snapshot(watcher, &snapshot, &err) != CRI_OK)
            refuse(err);
        double taken = now();
        if (cri_snapshot_find_pid(snapshot, keys[i % n].pid, keys[i % n].start_ticks, &c, &err) != CRI_OK)
            refuse(err);
        taking[i] = taken - begin;
        first[i] = now() - taken;
        cri_snapshot_free(snapshot);
    }
    qsort(taking, rounds, sizeof taking[0], compare);
    qsort(first, rounds, sizeof first[0], compare);
    printf("{\"bench\":\"generations\",\"containers\":%zu,\"ns_snapshot\":%.0f,\"ns_first_lookup\":%.0f}\n", n,
           taking[rounds / 2], first[rounds / 2]);
}

static cri_watcher *follow(const char *endpoint)
{
    cri_options *options = NULL;
    cri_watcher *made = NULL;
    cri_error *err = NULL;
    if (cri_options_new(&options, &err) != CRI_OK || cri_options_set(options, "details", "none", &err) != CRI_OK
        || (root != NULL && cri_options_set(options, "host.root", root, &err) != CRI_OK)
        || cri_options_set(options, "ready.pid_wait_ms", "600000", &err) != CRI_OK
        || cri_watcher_new(endpoint, options, &made, &err) != CRI_OK || cri_watcher_start(made, &err) != CRI_OK
        || cri_watcher_wait_ready(made, 600000, &err) != CRI_OK)
        refuse(err);
    cri_options_free(options);
    return made;
}

/* The containers that have a process. */
static void read_keys(void)
{
    cri_snapshot *snapshot = NULL;
    const cri_container *const *containers = NULL;
    cri_error *err = NULL;
    size_t all = 0;
    if (cri_watcher_snapshot(watcher, &snapshot, &err) != CRI_OK
        || cri_snapshot_containers(snapshot, &containers, &all, &err) != CRI_OK)
        refuse(err);
    keys = calloc(all + 1, sizeof *keys);
    for (size_t i = n = 0; i < all; i++) {
        const cri_container *c = containers[i];
        if (c->pid > 0 && c->pid_start_ticks > 0 && c->cgroup_path[0] != '\0')
            keys[n++] = (struct key){c->cgroup_id, c->pid_start_ticks, strdup(c->id), strdup(c->cgroup_path),
                                     strlen(c->cgroup_path), c->pid};
    }
    srandom(1);
    for (size_t i = n; i > 1; i--) {
        const size_t other = (size_t)random() % i;
        const struct key key = keys[i - 1];
        keys[i - 1] = keys[other];
        keys[other] = key;
    }
    cri_snapshot_free(snapshot);
}

static void write_file(const char *name, const char *text)
{
    char path[1024];
    snprintf(path, sizeof path, "%s/%s", root, name);
    FILE *file = fopen(path, "w");
    if (file == NULL || fputs(text, file) < 0 || fclose(file) != 0) {
        fprintf(stderr, "costs: %s: %s\n", path, strerror(errno));
        exit(1);
    }
}

static void make_dirs(const char *folder)
{
    char path[1024];
    snprintf(path, sizeof path, "%s/%s", root, folder);
    for (char *at = path + strlen(root) + 1; (at = strchr(at, '/')) != NULL; *at++ = '/') {
        *at = '\0';
        mkdir(path, 0755);
    }
    mkdir(path, 0755);
}

/* The kernel's cgroups below the made-up root, for this program alone; needs root. */
static void mount_cgroups(void)
{
    char path[1024];
    make_dirs("sys/fs/cgroup");
    snprintf(path, sizeof path, "%s/sys/fs/cgroup", root);
    if (unshare(CLONE_NEWNS) != 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0
        || mount("none", path, "cgroup2", 0, NULL) != 0)
        fprintf(stderr, "costs: no cgroup ids here: %s\n", strerror(errno));
}

/* A cgroup for each container, and a process of the host. */
static void make_host(void)
{
    char text[1024], cgroup[1024];
    /* Nobody is in a cgroup namespace of its own. */
    snprintf(text, sizeof text, "%s/proc/self/ns/cgroup", root);
    unlink(text);
    if (symlink("cgroup:[4026531835]", text) != 0)
        fprintf(stderr, "costs: %s: %s\n", text, strerror(errno));
    for (size_t i = 0; i < n; i++) {
        snprintf(text, sizeof text, "sys/fs/cgroup/%s/%s", own_cgroup, keys[i].id);
        make_dirs(text);
        snprintf(text, sizeof text, "proc/%d/cgroup", keys[i].pid);
        snprintf(cgroup, sizeof cgroup, "0::/%s/%s\n", own_cgroup, keys[i].id);
        write_file(text, cgroup);
    }
    snprintf(text, sizeof text, "proc/%d", HOST_PID);
    make_dirs(text);
    snprintf(text, sizeof text, "proc/%d/cgroup", HOST_PID);
    write_file(text, "0::/system.slice/sshd.service\n");
    host_pid = HOST_PID;
    struct stat folder;
    snprintf(text, sizeof text, "%s/sys/fs/cgroup/%s", root, own_cgroup);
    if (stat(text, &folder) == 0)
        host_cgroup = folder.st_ino;
}

static void remove_cgroups(void)
{
    char path[1024];
    for (size_t i = 0; i < n; i++) {
        snprintf(path, sizeof path, "%s/sys/fs/cgroup/%s/%s", root, own_cgroup, keys[i].id);
        rmdir(path);
    }
    snprintf(path, sizeof path, "%s/sys/fs/cgroup/%s", root, own_cgroup);
    rmdir(path);
}

int main(int argc, char **argv)
{
    if (argc < 2) {
        fputs("costs ENDPOINT [HOST-ROOT]\n", stderr);
        return 2;
    }
    root = argc > 2 ? argv[2] : NULL;
    /* Its cgroups are to be removed, even if nobody reads on. */
    signal(SIGPIPE, SIG_IGN);
    if (getenv("SHORT") != NULL) {
        batches = 11;
        rounds = 5;
    }
    host_pid = getpid();
    snprintf(own_cgroup, sizeof own_cgroup, "criwatch-bench-%d", getpid());
    if (root != NULL)
        mount_cgroups();
    watcher = follow(argv[1]);
    read_keys();
    if (root != NULL) {
        make_host();
        cri_watcher_free(watcher);
        watcher = follow(argv[1]);
        read_keys();
    }
    if (n == 0) {
        fputs("costs: nothing runs on this engine\n", stderr);
        return 1;
    }
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        if (kinds[i].of_ids && (keys[0].cgroup_id == 0 || host_cgroup == 0))
            continue; /* This host has no cgroup v2. */
        measure(&kinds[i], 1, 0);
        measure(&kinds[i], 2, 1);
        measure(&kinds[i], 8, 0);
    }
    measure_generations();
    if (root != NULL)
        remove_cgroups();
    cri_watcher_free(watcher);
    return 0;
}
