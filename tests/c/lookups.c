/* Lookups: from a pid, a cgroup or a name to the container, and what is none. Argument: a simulated engine's endpoint. Its
 * processes are in no cgroups of their own, so that this program makes up a /proc for one of its watchers. */

#include "check.h"
#include <sys/stat.h>

#define B "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abbbbb"

static const char *endpoint;
static cri_error *err;

static cri_watcher *ready(cri_watcher *watcher)
{
    CHECK_ERROR(CRI_OK, cri_watcher_start(watcher, &err));
    CHECK_ERROR(CRI_OK, cri_watcher_wait_ready(watcher, 30000, &err));
    return watcher;
}

static cri_snapshot *take(const cri_watcher *watcher)
{
    cri_snapshot *snapshot = NULL;
    CHECK_ERROR(CRI_OK, cri_watcher_snapshot(watcher, &snapshot, &err));
    return snapshot;
}

static const cri_container *by_name(const cri_snapshot *snapshot, const char *name)
{
    const cri_container *c = NULL;
    CHECK_ERROR(CRI_OK, cri_snapshot_find(snapshot, name, &c, &err));
    return c;
}

static void too_early(void)
{
    cri_watcher *watcher = new_watcher(endpoint);
    const cri_container *c = NULL;
    CHECK(cri_watcher_generation(watcher) == 0);
    CHECK_ERROR(CRI_E_NOT_READY, cri_watcher_find(watcher, "nginx", &c, &err));
    CHECK_ERROR(CRI_E_NOT_READY, cri_watcher_lookup_pid(watcher, 1, 0, -1, &c, &err));
    CHECK_ERROR(CRI_E_NOT_READY, cri_watcher_lookup_cgroup(watcher, 1, -1, &c, &err));
    CHECK(c == NULL);
    cri_watcher_free(watcher);
}

/* Finds one container in three ways, and one that does not exist. Returns a snapshot of the same generation; NULL if the cache has
 * changed meanwhile. */
static cri_snapshot *find_all(const cri_watcher *watcher, const cri_container *c[4])
{
    cri_snapshot *snapshot = take(watcher);
    const char *id = by_name(snapshot, "nginx")->id;
    CHECK_ERROR(CRI_OK, cri_watcher_find(watcher, id, &c[0], &err));
    CHECK_ERROR(CRI_OK, cri_watcher_find(watcher, "shop/web/nginx", &c[1], &err));
    CHECK_ERROR(CRI_E_NOT_FOUND, cri_watcher_find(watcher, "nobody", &c[2], &err));
    CHECK_ERROR(CRI_OK, cri_watcher_lookup_pid(watcher, c[0]->pid, c[0]->pid_start_ticks, 0, &c[3], &err));
    if (cri_watcher_generation(watcher) == cri_snapshot_generation(snapshot))
        return snapshot;
    for (int i = 0; i < 4; i++)
        cri_container_unref(c[i]);
    cri_snapshot_free(snapshot);
    return NULL;
}

/* What a watcher gives is kept beyond it. */
static void found_records_are_kept(void)
{
    cri_watcher *watcher = ready(new_watcher(endpoint));
    cri_snapshot *snapshot = NULL;
    const cri_container *c[4] = {NULL, NULL, NULL, NULL};
    /* Something may still become known of what was just started. */
    for (int i = 0; i < 1000 && snapshot == NULL; i++) {
        memset(c, 0, sizeof c);
        snapshot = find_all(watcher, c);
    }
    CHECK(c[0] == c[1] && c[0] == c[3] && c[2] == NULL && c[0] == by_name(snapshot, "nginx"));
    CHECK(cri_watcher_find(watcher, "nobody", &c[2], NULL) == CRI_E_NOT_FOUND);
    cri_snapshot_free(snapshot);
    cri_watcher_free(watcher);
    read_container(c[0]);
    cri_container_unref(c[0]);
    cri_container_unref(c[1]);
    CHECK(strcmp(c[3]->name, "nginx") == 0);
    cri_container_unref(c[3]);
}

static void first_processes_are_found_in_memory(void)
{
    cri_watcher *watcher = ready(new_watcher(endpoint));
    cri_snapshot *snapshot = take(watcher);
    const cri_container *nginx = by_name(snapshot, "nginx"), *proxy = by_name(snapshot, "proxy"), *c = NULL;
    CHECK_ERROR(CRI_OK, cri_snapshot_find_pid(snapshot, nginx->pid, nginx->pid_start_ticks, &c, &err));
    CHECK(c == nginx);
    c = NULL;
    CHECK_ERROR(CRI_E_NOT_FOUND, cri_snapshot_find_pid(snapshot, nginx->pid, nginx->pid_start_ticks + 1, &c, &err));
    CHECK_ERROR(CRI_NONE, cri_snapshot_find_pid(snapshot, 0, 0, &c, &err));
    CHECK_ERROR(CRI_E_NOT_FOUND, cri_snapshot_find_pid(snapshot, INT32_MAX, 0, &c, &err));
    CHECK_ERROR(CRI_E_INVALID_ARGUMENT, cri_snapshot_find_pid(snapshot, -1, 0, &c, &err));
    CHECK_ERROR(CRI_E_INVALID_ARGUMENT, cri_snapshot_find_pid(snapshot, 1, 0, NULL, &err));
    CHECK(cri_snapshot_find_pid(snapshot, INT32_MAX, 0, &c, NULL) == CRI_E_NOT_FOUND && c == NULL);

    const int32_t pids[] = {nginx->pid, 0, proxy->pid, -1, nginx->pid};
    const uint64_t starts[] = {nginx->pid_start_ticks, 0, proxy->pid_start_ticks, 0, 1};
    const cri_status expected[] = {CRI_OK, CRI_NONE, CRI_OK, CRI_E_INVALID_ARGUMENT, CRI_E_NOT_FOUND};
    const cri_container *out[] = {nginx, nginx, nginx, nginx, nginx};
    cri_status statuses[5];
    CHECK_ERROR(CRI_OK, cri_snapshot_find_pids(snapshot, pids, starts, 5, out, statuses, &err));
    CHECK(memcmp(statuses, expected, sizeof expected) == 0);
    CHECK(out[0] == nginx && out[1] == NULL && out[2] == proxy && out[3] == NULL && out[4] == NULL);
    CHECK_ERROR(CRI_OK, cri_snapshot_find_pids(snapshot, pids + 1, NULL, 1, out, NULL, &err));
    CHECK_ERROR(CRI_OK, cri_snapshot_find_pids(snapshot, NULL, NULL, 0, NULL, NULL, &err));
    CHECK_ERROR(CRI_E_INVALID_ARGUMENT, cri_snapshot_find_pids(snapshot, NULL, NULL, 1, out, NULL, &err));
    CHECK_ERROR(CRI_E_INVALID_ARGUMENT, cri_snapshot_find_pids(snapshot, pids, NULL, 1, NULL, NULL, &err));

    /* No cgroup has this id. What that means depends on the host, but a container it is not. */
    const uint64_t nobody = UINT64_MAX - 7;
    cri_status status = cri_snapshot_find_cgroup(snapshot, nobody, &c, NULL);
    CHECK(status < 0 && c == NULL);
    CHECK_ERROR(CRI_OK, cri_snapshot_find_cgroups(snapshot, &nobody, 1, out, statuses, &err));
    CHECK(out[0] == NULL && statuses[0] == status);
    CHECK_ERROR(status, cri_watcher_lookup_cgroup(watcher, nobody, -1, &c, &err));
    CHECK_ERROR(CRI_E_INVALID_ARGUMENT, cri_snapshot_find_cgroups(snapshot, NULL, 1, out, NULL, &err));
    cri_snapshot_free(snapshot);
    cri_watcher_free(watcher);
}

static cri_status path(const cri_snapshot *snapshot, const char *format, const char *id, const cri_container **out)
{
    char text[256];
    int len = snprintf(text, sizeof text, format, id);
    text[len] = 'x'; /* It need not end with NUL. */
    *out = NULL;
    cri_status status = cri_snapshot_find_cgroup_path(snapshot, text, (size_t)len, out, &err);
    CHECK(err == NULL && (*out != NULL) == (status == CRI_OK));
    return status;
}

static void paths_are_read(void)
{
    cri_watcher *watcher = ready(new_watcher(endpoint));
    cri_snapshot *snapshot = take(watcher);
    const cri_container *nginx = by_name(snapshot, "nginx"), *c = NULL;
    CHECK(path(snapshot, "/k8s.io/%s", nginx->id, &c) == CRI_OK && c == nginx);
    CHECK(path(snapshot, "/kubepods.slice/cri-containerd-%s.scope/init.scope", nginx->id, &c) == CRI_OK && c == nginx);
    CHECK(path(snapshot, "/k8s.io/%s/docker/" B, nginx->id, &c) == CRI_OK && c == nginx);
    CHECK(path(snapshot, "/k8s.io/%s (deleted)", nginx->id, &c) == CRI_OK && c == nginx);
    CHECK(path(snapshot, "/kubepods/pod%s", nginx->pod->uid, &c) == CRI_OK && c == by_name(snapshot, "shop/web"));
    CHECK(path(snapshot, "/kubepods/crio-conmon-%s", nginx->id, &c) == CRI_NONE);
    CHECK(path(snapshot, "/system.slice/k8s.io-%s-rootfs.mount", nginx->id, &c) == CRI_NONE);
    CHECK(path(snapshot, "/k8s.io/%s", B, &c) == CRI_AGAIN);
    CHECK(path(snapshot, "/docker/%s", B, &c) == CRI_NONE);
    CHECK(path(snapshot, "%s", "", &c) == CRI_NONE);
    CHECK_ERROR(CRI_OK, cri_snapshot_find_cgroup_path(snapshot, nginx->id, strlen(nginx->id), &c, &err));
    CHECK_ERROR(CRI_NONE, cri_snapshot_find_cgroup_path(snapshot, "/\xff\xfe", 3, &c, &err));
    CHECK_ERROR(CRI_NONE, cri_snapshot_find_cgroup_path(snapshot, NULL, 0, &c, &err));
    CHECK_ERROR(CRI_E_INVALID_ARGUMENT, cri_snapshot_find_cgroup_path(snapshot, NULL, 1, &c, &err));
    cri_snapshot_free(snapshot);
    cri_watcher_free(watcher);
}

static void namespaces_are_found(void)
{
    cri_watcher *watcher = ready(new_watcher(endpoint));
    cri_snapshot *snapshot = take(watcher);
    const cri_container *c = NULL;
    size_t sharing = 77;
    /* A constant of the kernel: the host's own. */
    CHECK_ERROR(CRI_NONE, cri_snapshot_find_namespace(snapshot, CRI_NAMESPACE_UTS, 0xEFFFFFFE, &c, &sharing, &err));
    CHECK_ERROR(CRI_E_NOT_FOUND, cri_snapshot_find_namespace(snapshot, CRI_NAMESPACE_MNT, 7, &c, &sharing, &err));
    CHECK_ERROR(CRI_E_INVALID_ARGUMENT, cri_snapshot_find_namespace(snapshot, 99, 7, &c, &sharing, &err));
    CHECK_ERROR(CRI_NONE, cri_snapshot_find_namespace(snapshot, CRI_NAMESPACE_UTS, 0xEFFFFFFE, &c, NULL, &err));
    CHECK(c == NULL && sharing == 77);
    cri_snapshot_free(snapshot);
    cri_watcher_free(watcher);
}

static const char *attribute(const cri_label *attributes, size_t len, const char *key)
{
    for (size_t i = 0; i < len; i++)
        if (strcmp(attributes[i].key, key) == 0)
            return attributes[i].value;
    return "";
}

/* With the key names of other projects; the same array as long as the record. */
static void attributes_are_built_once(void)
{
    cri_watcher *watcher = ready(new_watcher(endpoint));
    const cri_container *c = NULL;
    const cri_label *otel = NULL, *again = NULL, *falco = NULL, *ecs = NULL;
    size_t len = 0, same = 0;
    CHECK_ERROR(CRI_OK, cri_watcher_find(watcher, "nginx", &c, &err));
    CHECK_ERROR(CRI_OK, cri_container_attributes(c, "otel", &otel, &len, &err));
    CHECK_ERROR(CRI_OK, cri_container_attributes(c, "otel", &again, &same, &err));
    CHECK(otel == again && len == same && len > 5);
    CHECK(strcmp(attribute(otel, len, "container.id"), c->id) == 0);
    CHECK(strcmp(attribute(otel, len, "k8s.namespace.name"), "shop") == 0);
    CHECK(strcmp(attribute(otel, len, "k8s.pod.uid"), c->pod->uid) == 0);
    CHECK(atoi(attribute(otel, len, "process.pid")) == c->pid);
    CHECK_ERROR(CRI_OK, cri_container_attributes(c, "falco", &falco, &len, &err));
    CHECK(strcmp(attribute(falco, len, "k8s.ns.name"), "shop") == 0);
    CHECK(strlen(attribute(falco, len, "container.id")) == 12 && attribute(falco, len, "k8s.namespace.name")[0] == '\0');
    CHECK_ERROR(CRI_OK, cri_container_attributes(c, "ecs", &ecs, &len, &err));
    CHECK(strcmp(attribute(ecs, len, "kubernetes.pod.name"), "web") == 0);
    cri_watcher_free(watcher);
    CHECK(strcmp(attribute(ecs, len, "container.name"), "nginx") == 0);
    CHECK_ERROR(CRI_E_INVALID_ARGUMENT, cri_container_attributes(c, "prometheus", &ecs, &len, &err));
    CHECK_ERROR(CRI_E_INVALID_ARGUMENT, cri_container_attributes(c, "otel", NULL, &len, &err));
    CHECK_ERROR(CRI_E_INVALID_ARGUMENT, cri_container_attributes(NULL, "otel", &ecs, &len, &err));
    cri_container_unref(c);
}

static void put_process(const char *root, int pid, const char *cgroup)
{
    char name[128];
    snprintf(name, sizeof name, "%s/proc/%d", root, pid);
    mkdir(name, 0755);
    snprintf(name, sizeof name, "%s/proc/%d/cgroup", root, pid);
    FILE *file = fopen(name, "w");
    CHECK(file != NULL && fprintf(file, "4:memory:%s\n0::/\n", cgroup) > 0);
    if (file != NULL)
        fclose(file);
}

struct waiting {
    const cri_watcher *watcher;
    const cri_container *found;
    cri_status status;
};

static void *wait_for_it(void *argument)
{
    struct waiting *self = argument;
    self->status = cri_watcher_lookup_pid(self->watcher, 300, 0, 60000, &self->found, NULL);
    return NULL;
}

/* Any process, by the cgroup that it is in; and one in a pod that the engine has not reported yet. */
static void other_processes_are_found_by_their_cgroups(void)
{
    char root[256], name[300], cgroup[256];
    /* Beside the engine's socket, in the test's own folder. */
    const char *socket = endpoint + strlen("unix://");
    snprintf(root, sizeof root, "%.*s/host-XXXXXX", (int)(strrchr(socket, '/') - socket), socket);
    CHECK(mkdtemp(root) != NULL);
    snprintf(name, sizeof name, "%s/proc", root);
    mkdir(name, 0755);
    cri_watcher *watcher = ready(watcher_with(endpoint, "host.root", root));
    cri_snapshot *snapshot = take(watcher);
    const cri_container *nginx = by_name(snapshot, "nginx"), *c = NULL;
    snprintf(cgroup, sizeof cgroup, "/k8s.io/%s/system.slice", nginx->id);
    put_process(root, 100, cgroup);
    put_process(root, 200, "/system.slice/sshd.service");
    put_process(root, 300, "/kubepods/pod11111111-2222-3333-4444-555555555555");
    put_process(root, 400, "/k8s.io/" B);
    const int32_t pids[] = {100, 200, 300, 400, 500};
    const cri_status expected[] = {CRI_OK, CRI_NONE, CRI_AGAIN, CRI_AGAIN, CRI_E_NOT_FOUND};
    const cri_container *out[5];
    cri_status statuses[5];
    CHECK_ERROR(CRI_OK, cri_snapshot_find_pids(snapshot, pids, NULL, 5, out, statuses, &err));
    CHECK(out[0] == nginx && memcmp(statuses, expected, sizeof expected) == 0);
    CHECK_ERROR(CRI_AGAIN, cri_watcher_lookup_pid(watcher, 400, 0, 0, &c, &err));
    CHECK_ERROR(CRI_AGAIN, cri_watcher_lookup_pid(watcher, 400, 0, 50, &c, &err));

    struct waiting it = {watcher, NULL, CRI_AGAIN};
    pthread_t thread;
    CHECK(pthread_create(&thread, NULL, wait_for_it, &it) == 0);
    tell("pod late ns=shop uid=11111111-2222-3333-4444-555555555555 app");
    pthread_join(thread, NULL);
    CHECK(it.status == CRI_OK && it.found != NULL && strcmp(it.found->name, "late") == 0);
    cri_container_unref(it.found);

    /* The end of the watcher ends the wait. */
    put_process(root, 300, "/k8s.io/" B);
    CHECK(pthread_create(&thread, NULL, wait_for_it, &it) == 0);
    CHECK_ERROR(CRI_OK, cri_watcher_stop(watcher, &err));
    pthread_join(thread, NULL);
    CHECK(it.status == CRI_E_STOPPED);
    cri_snapshot_free(snapshot);
    cri_watcher_free(watcher);
    for (int i = 0; i < 4; i++) {
        snprintf(name, sizeof name, "%s/proc/%d/cgroup", root, pids[i]);
        unlink(name);
        snprintf(name, sizeof name, "%s/proc/%d", root, pids[i]);
        rmdir(name);
    }
    snprintf(name, sizeof name, "%s/proc", root);
    rmdir(name);
    CHECK(rmdir(root) == 0);
}

int main(int argc, char **argv)
{
    if (argc != 2)
        return 2;
    endpoint = argv[1];
    too_early();
    tell("pod web ns=shop nginx proxy");
    found_records_are_kept();
    first_processes_are_found_in_memory();
    paths_are_read();
    namespaces_are_found();
    attributes_are_built_once();
    other_processes_are_found_by_their_cgroups();
    return failures != 0;
}
