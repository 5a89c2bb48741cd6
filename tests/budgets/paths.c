/* Goes each hot path, from one phase to the next, so that callgrind can count each phase by itself (tests/budgets/measure.rs): it
 * writes down what was counted whenever a function begins whose name is phase_*. Arguments: a simulated engine's endpoint, and
 * the root of its made-up host. */

#define _GNU_SOURCE

#include <criwatch.h>
#include <dirent.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#define PHASE __attribute__((noinline)) void
#define PATIENCE_MS 600000

/* As tests/budgets/measure.rs has them. */
enum { LOOKUPS = 1000, SNAPSHOTS = 1000, LISTS = 10, RELISTS = 10, STARTS = 20 };

static cri_watcher *watcher;
static cri_event_queue *queue;
static cri_snapshot *snapshot;
static const cri_container *const *containers;
static size_t len;
static cri_error *err;

static void must(cri_status status, const char *what)
{
    if (status == CRI_OK)
        return;
    fprintf(stderr, "%s: %s: %s\n", what, cri_status_name(status), cri_error_message(err));
    exit(1);
}

static void set(cri_options *options, const char *key, const char *value)
{
    must(cri_options_set(options, key, value, &err), key);
}

/* The test does what this asks for, and then sends a line. */
static void ask(const char *what)
{
    char line[16];
    puts(what);
    fflush(stdout);
    if (fgets(line, sizeof line, stdin) == NULL)
        exit(1);
}

/* The next event of this type. */
static void await(uint32_t type)
{
    for (int is_it = 0; !is_it;) {
        cri_event *event = NULL;
        must(cri_event_queue_next(queue, PATIENCE_MS, &event, &err), "an event");
        is_it = event->type == type;
        cri_event_free(event);
    }
}

PHASE phase_lookup_cgroup(void)
{
    const cri_container *found;
    /* This host has no cgroup v2, or this program no right to mount it. */
    if (containers[0]->cgroup_id == 0)
        return;
    for (size_t i = 0; i < LOOKUPS; i++)
        must(cri_snapshot_find_cgroup(snapshot, containers[i % len]->cgroup_id, &found, NULL), "by a cgroup's id");
}

PHASE phase_lookup_pid(void)
{
    const cri_container *found;
    for (size_t i = 0; i < LOOKUPS; i++) {
        const cri_container *c = containers[i % len];
        must(cri_snapshot_find_pid(snapshot, c->pid, c->pid_start_ticks, &found, NULL), "by a pid");
    }
}

PHASE phase_snapshot(void)
{
    for (size_t i = 0; i < SNAPSHOTS; i++) {
        cri_snapshot *of = NULL;
        must(cri_watcher_snapshot(watcher, &of, &err), "a snapshot");
        cri_snapshot_free(of);
    }
}

PHASE phase_list(void)
{
    for (size_t i = 0; i < LISTS; i++) {
        cri_buffer text = CRI_BUFFER_INIT;
        must(cri_watcher_list(watcher, NULL, &text, &err), "a list");
        cri_buffer_free(&text);
    }
}

PHASE phase_relist(void)
{
    for (size_t i = 0; i < RELISTS; i++)
        must(cri_watcher_resync(watcher, PATIENCE_MS, &err), "a list of the engine");
}

/* One at a time: each start is an event by itself. */
PHASE phase_started(void)
{
    for (size_t i = 0; i < STARTS; i++) {
        ask("start");
        await(CRI_EVENT_STARTED);
    }
}

/* What comes after the last phase counts for none. */
PHASE phase_end(void)
{
    cri_event_queue_free(queue);
    cri_watcher_free(watcher);
}

/* The made-up host gets real cgroups, so that they have ids. They are below one of our own, and this program alone sees them mounted
 * there. */

static char cgroups[512], cgroup_name[64];

static void remove_cgroups(void)
{
    DIR *all = opendir(cgroups);
    char path[800];
    for (struct dirent *one; all != NULL && (one = readdir(all)) != NULL;) {
        snprintf(path, sizeof path, "%s/%s", cgroups, one->d_name);
        rmdir(path);
    }
    if (all != NULL)
        closedir(all);
    rmdir(cgroups);
}

static void move_into_cgroup(const char *file)
{
    char text[512], path[1100];
    FILE *cgroup = fopen(file, "r");
    if (cgroup == NULL)
        return;
    if (fgets(text, sizeof text, cgroup) == NULL)
        exit(1);
    fclose(cgroup);
    text[strcspn(text, "\n")] = '\0';
    const char *name = strrchr(text, '/');
    snprintf(path, sizeof path, "%s%s", cgroups, name);
    if (mkdir(path, 0755) != 0 || (cgroup = fopen(file, "w")) == NULL)
        exit(1);
    fprintf(cgroup, "0::/%s%s\n", cgroup_name, name);
    if (fclose(cgroup) != 0)
        exit(1);
}

static void give_cgroups(const char *root)
{
    static const char *const folders[] = {"sys", "sys/fs", "sys/fs/cgroup"};
    char path[800];
    for (size_t i = 0; i < 3; i++) {
        snprintf(path, sizeof path, "%s/%s", root, folders[i]);
        mkdir(path, 0755);
    }
    if (unshare(CLONE_NEWNS) != 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0
        || mount("none", path, "cgroup2", 0, NULL) != 0)
        return;
    snprintf(cgroup_name, sizeof cgroup_name, "criwatch-budgets-%d", (int)getpid());
    snprintf(cgroups, sizeof cgroups, "%s/sys/fs/cgroup/%s", root, cgroup_name);
    if (mkdir(cgroups, 0755) != 0)
        return;
    atexit(remove_cgroups);
    /* Nobody is in a cgroup namespace of its own. */
    snprintf(path, sizeof path, "%s/proc/self/ns/cgroup", root);
    if (unlink(path) != 0 || symlink("cgroup:[4026531835]", path) != 0)
        exit(1);
    snprintf(path, sizeof path, "%s/proc", root);
    DIR *processes = opendir(path);
    for (struct dirent *one; processes != NULL && (one = readdir(processes)) != NULL;) {
        snprintf(path, sizeof path, "%s/proc/%s/cgroup", root, one->d_name);
        if (one->d_name[0] >= '0' && one->d_name[0] <= '9')
            move_into_cgroup(path);
    }
    if (processes != NULL)
        closedir(processes);
}

/* Everything once, so that what is made at the first use is there. */
static void warm_up(void)
{
    const cri_container *found;
    must(cri_watcher_snapshot(watcher, &snapshot, &err), "a snapshot");
    must(cri_snapshot_containers(snapshot, &containers, &len, &err), "the containers");
    for (size_t i = 0; i < len; i++) {
        const cri_container *c = containers[i];
        if (c->cgroup_id != 0)
            must(cri_snapshot_find_cgroup(snapshot, c->cgroup_id, &found, &err), "by a cgroup's id");
        must(cri_snapshot_find_pid(snapshot, c->pid, c->pid_start_ticks, &found, &err), "by a pid");
        if (found != c)
            exit(1);
    }
    cri_buffer text = CRI_BUFFER_INIT;
    must(cri_watcher_list(watcher, NULL, &text, &err), "a list");
    cri_buffer_free(&text);
    must(cri_watcher_resync(watcher, PATIENCE_MS, &err), "a list of the engine");
    ask("start");
    await(CRI_EVENT_STARTED);
}

int main(int argc, char **argv)
{
    cri_options *options = NULL;
    if (argc != 3)
        return 2;
    give_cgroups(argv[2]);
    must(cri_options_new(&options, &err), "options");
    set(options, "host.root", argv[2]);
    /* Nothing happens by itself, and all pids are there in the end, on however busy a machine. */
    set(options, "host.witness", "off");
    set(options, "details", "none");
    set(options, "relist.interval_ms", "86400000");
    set(options, "connect.timeout_ms", "3600000");
    set(options, "request.timeout_ms", "3600000");
    set(options, "ready.pid_wait_ms", "3600000");
    must(cri_watcher_new(argv[1], options, &watcher, &err), "a watcher");
    cri_options_free(options);
    must(cri_event_queue_new(watcher, 0, CRI_SUBSCRIBE_LIVE_ONLY, 0, &queue, &err), "a queue");
    must(cri_watcher_start(watcher, &err), "start");
    must(cri_watcher_wait_ready(watcher, PATIENCE_MS, &err), "ready");
    warm_up();
    phase_lookup_cgroup();
    phase_lookup_pid();
    phase_snapshot();
    phase_list();
    phase_relist();
    phase_started();
    phase_end();
    return 0;
}
