/* Eight threads look up everything that runs, and pids that nobody knows, while a node is busy: each answer is that of the
 * thread's own snapshot, whatever the others do. Argument: the endpoint of a simulated engine with a workload. */

#include "check.h"

#define THREADS 8

static cri_watcher *watcher;
static long found, others;

static void look_up(const cri_snapshot *snapshot, const cri_container *c)
{
    const cri_container *out[3] = {NULL, NULL, NULL}, *one = NULL;
    const int32_t pids[3] = {c->pid, c->pid, 0};
    const uint64_t starts[3] = {c->pid_start_ticks, c->pid_start_ticks + 1, 0};
    cri_status statuses[3];
    CHECK(cri_snapshot_find(snapshot, c->id, &one, NULL) == CRI_OK && one == c);
    CHECK(cri_snapshot_find_cgroup_path(snapshot, c->cgroup_path, strlen(c->cgroup_path), &one, NULL)
          == (c->cgroup_path[0] != '\0' ? CRI_OK : CRI_NONE));
    CHECK(one == c);
    if (c->pid > 0 && c->pid_start_ticks > 0) {
        CHECK(cri_snapshot_find_pids(snapshot, pids, starts, 3, out, statuses, NULL) == CRI_OK);
        CHECK(out[0] == c && out[1] == NULL && statuses[1] == CRI_E_NOT_FOUND && statuses[2] == CRI_NONE);
        /* By its cgroup now. Where the simulated engine makes no cgroups, it is a process of the host. */
        one = NULL;
        cri_status status = cri_snapshot_find_pid(snapshot, c->pid, 0, &one, NULL);
        CHECK(status == CRI_OK ? one == c : status == CRI_E_NOT_FOUND || status == CRI_NONE || status == CRI_E_UNSUPPORTED);
        __atomic_fetch_add(&found, 1, __ATOMIC_RELAXED);
    }
    const cri_label *attributes = NULL;
    size_t len = 0;
    CHECK(cri_container_attributes(c, "otel", &attributes, &len, NULL) == CRI_OK);
    CHECK(len > 0 && strcmp(attributes[0].value, c->id) == 0);
}

static void *work(void *argument)
{
    unsigned seed = (unsigned)(size_t)argument;
    cri_snapshot *snapshot = NULL;
    const int rounds = getenv("SHORT") != NULL ? 20 : 200;
    /* Where statuses tell the pids, the first ones may come late. */
    for (int round = 0; round < rounds || (round < 30000 && __atomic_load_n(&found, __ATOMIC_RELAXED) == 0); round++) {
        if (cri_watcher_generation(watcher) != cri_snapshot_generation(snapshot)) {
            cri_snapshot_free(snapshot);
            snapshot = NULL;
            CHECK(cri_watcher_snapshot(watcher, &snapshot, NULL) == CRI_OK);
        }
        const cri_container *const *containers = NULL, *kept = NULL;
        size_t n = 0;
        CHECK(cri_snapshot_containers(snapshot, &containers, &n, NULL) == CRI_OK);
        for (size_t i = 0; i < n; i++)
            look_up(snapshot, containers[i]);
        for (int i = 0; i < 10; i++) {
            const cri_container *c = NULL;
            cri_status status = cri_snapshot_find_pid(snapshot, 1 + rand_r(&seed) % 30000, 0, &c, NULL);
            CHECK((status == CRI_OK) == (c != NULL));
            __atomic_fetch_add(&others, 1, __ATOMIC_RELAXED);
        }
        if (n > 0 && cri_watcher_lookup_pid(watcher, containers[0]->pid, containers[0]->pid_start_ticks, 10, &kept, NULL) == CRI_OK)
            read_container(kept);
        cri_container_unref(kept);
        kept = NULL;
        if (n > 0 && cri_watcher_find(watcher, containers[n - 1]->id, &kept, NULL) == CRI_OK)
            read_container(kept);
        cri_container_unref(kept);
        /* The workload does something each few ms. */
        nanosleep(&(struct timespec){0, 2000000}, NULL);
    }
    cri_snapshot_free(snapshot);
    return NULL;
}

int main(int argc, char **argv)
{
    if (argc != 2)
        return 2;
    cri_error *err = NULL;
    pthread_t threads[THREADS];
    watcher = new_watcher(argv[1]);
    CHECK_ERROR(CRI_OK, cri_watcher_start(watcher, &err));
    CHECK_ERROR(CRI_OK, cri_watcher_wait_ready(watcher, 30000, &err));
    for (size_t i = 0; i < THREADS; i++)
        CHECK(pthread_create(&threads[i], NULL, work, (void *)(i + 1)) == 0);
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    CHECK(found > 0 && others > 0);
    fprintf(stderr, "lookups: %ld of containers, %ld of other pids\n", found, others);
    cri_watcher_free(watcher);
    return failures != 0;
}
