/* Snapshots: one moment, the same records for everybody, and records that outlive all that showed them.
 * Argument: a simulated engine's endpoint. */

#include "check.h"

static cri_watcher *watcher;
static cri_error *err;

static cri_snapshot *take(void)
{
    cri_snapshot *snapshot = NULL;
    CHECK_ERROR(CRI_OK, cri_watcher_snapshot(watcher, &snapshot, &err));
    return snapshot;
}

static const cri_container *find(const cri_snapshot *snapshot, const char *name)
{
    const cri_container *c = NULL;
    CHECK_ERROR(CRI_OK, cri_snapshot_find(snapshot, name, &c, &err));
    return c;
}

static size_t containers(const cri_snapshot *snapshot, const cri_container *const **array)
{
    size_t len = 0;
    CHECK_ERROR(CRI_OK, cri_snapshot_containers(snapshot, array, &len, &err));
    return len;
}

static size_t pods(const cri_snapshot *snapshot, const cri_pod *const **array)
{
    size_t len = 0;
    CHECK_ERROR(CRI_OK, cri_snapshot_pods(snapshot, array, &len, &err));
    return len;
}

static void too_early(void)
{
    cri_snapshot *snapshot = NULL;
    CHECK_ERROR(CRI_E_NOT_READY, cri_watcher_snapshot(watcher, &snapshot, &err));
    CHECK(snapshot == NULL);
}

static void it_shows_what_runs(void)
{
    cri_snapshot *snapshot = take();
    const cri_container *const *cs = NULL;
    const cri_pod *const *ps = NULL;
    CHECK(containers(snapshot, &cs) == 5 && pods(snapshot, &ps) == 2);
    const char *names[] = {"job", "run", "web", "nginx", "proxy"};
    for (int i = 0; i < 5; i++) {
        read_container(cs[i]);
        CHECK(strcmp(cs[i]->name, names[i]) == 0 && cs[i]->state == CRI_STATE_RUNNING && cs[i]->pid > 0);
    }
    for (int i = 0; i < 2; i++)
        read_pod(ps[i]);
    CHECK(strcmp(ps[0]->pod_namespace, "batch") == 0 && strcmp(ps[1]->name, "web") == 0);
    CHECK(cs[2]->kind == CRI_KIND_SANDBOX && strcmp(cs[2]->id, ps[1]->id) == 0);
    CHECK(find(snapshot, "shop/web/nginx") == cs[3] && find(snapshot, cs[4]->id) == cs[4]);

    const cri_container *c = NULL;
    CHECK_ERROR(CRI_E_NOT_FOUND, cri_snapshot_find(snapshot, "nobody", &c, &err));
    CHECK_ERROR(CRI_E_INVALID_ARGUMENT, cri_snapshot_find(snapshot, NULL, &c, &err));
    CHECK(c == NULL);
    cri_snapshot_free(snapshot);
}

/* What a query selects, also of the exited, as a snapshot of its own. */
static void a_selection_is_a_snapshot(void)
{
    cri_snapshot *whole = take(), *part = NULL;
    const cri_container *const *cs = NULL;
    const cri_pod *const *ps = NULL;
    CHECK_ERROR(CRI_OK, cri_snapshot_select(whole, "{\"namespace\":\"shop\",\"kind\":\"container\"}", &part, &err));
    CHECK(containers(part, &cs) == 2 && pods(part, &ps) == 1 && strcmp(ps[0]->name, "web") == 0);
    CHECK(cs[0] == find(whole, "nginx") && cs[1] == find(part, "proxy"));
    CHECK(cri_snapshot_generation(part) == cri_snapshot_generation(whole));
    const cri_container *c = NULL;
    CHECK_ERROR(CRI_E_NOT_FOUND, cri_snapshot_find(part, "batch/job/run", &c, &err));
    cri_snapshot_free(part);

    CHECK_ERROR(CRI_OK, cri_snapshot_select(whole, NULL, &part, &err));
    CHECK(containers(part, &cs) == 5);
    char query[64];
    snprintf(query, sizeof query, "{\"ifGeneration\":%llu}", (unsigned long long)cri_snapshot_generation(part));
    cri_snapshot *none = NULL;
    CHECK_ERROR(CRI_NONE, cri_snapshot_select(part, query, &none, &err));
    CHECK_ERROR(CRI_E_QUERY, cri_snapshot_select(part, "{\"color\":1}", &none, &err));
    CHECK_ERROR(CRI_E_INVALID_ARGUMENT, cri_snapshot_select(NULL, NULL, &none, &err));
    CHECK(none == NULL);
    cri_snapshot_free(whole);
    read_container(cs[0]);
    cri_snapshot_free(part);
}

/* While nothing changes, every snapshot is the same one. Something may still become known at first. */
static void an_unchanged_cache_is_shared(void)
{
    int same = 0;
    for (int i = 0; i < 1000 && !same; i++) {
        cri_snapshot *one = take(), *two = take();
        const cri_container *const *a = NULL, *const *b = NULL;
        containers(one, &a);
        containers(two, &b);
        same = a == b && cri_snapshot_generation(one) == cri_snapshot_generation(two)
               && cri_snapshot_generation(one) == cri_watcher_generation(watcher);
        cri_snapshot_free(one);
        cri_snapshot_free(two);
    }
    CHECK(same);
}

static void a_snapshot_stays_as_it_was(void)
{
    cri_snapshot *before = take();
    const cri_container *running = find(before, "nginx");
    tell("stop nginx");
    CHECK_ERROR(CRI_OK, cri_watcher_resync(watcher, 20000, &err));
    cri_snapshot *after = take();
    CHECK(cri_snapshot_generation(after) > cri_snapshot_generation(before));
    CHECK(running->state == CRI_STATE_RUNNING && running->exit_code == -1);
    const cri_container *exited = find(after, "nginx");
    CHECK(exited != running && exited->state == CRI_STATE_EXITED && exited->finished_unix_nano > 0);
    CHECK(find(before, "proxy") == find(after, "proxy"));
    const cri_container *const *array = NULL;
    CHECK(containers(before, &array) == 5 && containers(after, &array) == 4);

    tell("rm-pod batch/job");
    CHECK_ERROR(CRI_OK, cri_watcher_resync(watcher, 20000, &err));
    cri_snapshot_free(after);
    after = take();
    CHECK(find(after, "batch/job/run")->state == CRI_STATE_EXITED);
    cri_snapshot_free(before);
    cri_snapshot_free(after);
}

static void *read_everything(void *argument)
{
    size_t *bytes = argument;
    for (int i = 0; i < 50; i++) {
        cri_snapshot *snapshot = NULL;
        const cri_container *const *array = NULL;
        size_t len = 0;
        CHECK(cri_watcher_snapshot(watcher, &snapshot, NULL) == CRI_OK);
        CHECK(cri_snapshot_containers(snapshot, &array, &len, NULL) == CRI_OK);
        for (size_t n = 0; n < len; n++) {
            const cri_container *kept = cri_container_ref(array[n]);
            *bytes += read_container(kept);
            cri_container_unref(kept);
        }
        cri_snapshot_free(snapshot);
    }
    return NULL;
}

static void many_read_at_once(void)
{
    pthread_t readers[4];
    size_t bytes[4] = {0};
    for (int i = 0; i < 4; i++)
        CHECK(pthread_create(&readers[i], NULL, read_everything, &bytes[i]) == 0);
    tell("pod extra ns=shop one two");
    tell("rm-pod shop/extra");
    for (int i = 0; i < 4; i++) {
        pthread_join(readers[i], NULL);
        CHECK(bytes[i] > 0);
    }
}

/* The first event about the container of this name. */
static cri_event *event_of(const cri_event_queue *queue, const char *name)
{
    cri_event *event = NULL;
    while (cri_event_queue_next(queue, 20000, &event, NULL) == CRI_OK) {
        if (event->container != NULL && strcmp(event->container->name, name) == 0)
            return event;
        cri_event_free(event);
    }
    return NULL;
}

static int is(const char *value, const char *expected)
{
    return value != NULL && strcmp(value, expected) == 0;
}

static void records_outlive_everything(cri_event_queue *queue)
{
    cri_event *event = event_of(queue, "proxy");
    CHECK(event != NULL);
    if (event == NULL)
        return;
    const cri_container *of_event = cri_container_ref(event->container);
    CHECK(of_event == event->container);
    cri_event_free(event);
    cri_event_queue_free(queue);

    cri_snapshot *snapshot = take();
    const cri_container *of_snapshot = cri_container_ref(find(snapshot, "proxy"));
    CHECK(cri_container_ref(of_snapshot) == of_snapshot);
    const cri_pod *pod = cri_pod_ref(of_snapshot->pod);
    CHECK(pod == of_snapshot->pod);
    cri_watcher_free(watcher);
    CHECK(find(snapshot, "proxy") == of_snapshot);
    cri_snapshot_free(snapshot);

    CHECK(read_container(of_event) > 0 && read_container(of_snapshot) > 0);
    CHECK(strcmp(of_event->id, of_snapshot->id) == 0 && strcmp(of_snapshot->pod->name, "web") == 0);
    CHECK(is(cri_container_label(of_event, CRI_LABEL_CONTAINER_NAME), "proxy"));
    CHECK(cri_container_label(of_event, "app") == NULL && cri_container_label(of_event, NULL) == NULL);
    cri_container_unref(of_event);
    cri_container_unref(of_snapshot);
    CHECK(strcmp(of_snapshot->name, "proxy") == 0);
    cri_container_unref(of_snapshot);
    CHECK(strcmp(pod->name, "web") == 0 && is(cri_pod_label(pod, "app"), "web"));
    cri_pod_unref(pod);
}

int main(int argc, char **argv)
{
    cri_event_queue *queue = NULL;
    if (argc != 2)
        return 2;
    alarm(300);
    tell("pod web ns=shop label=app=web annotation=note=x nginx proxy");
    tell("pod job ns=batch run");
    watcher = watcher_with(argv[1], "details", "full");
    too_early();
    CHECK_ERROR(CRI_OK, cri_watcher_start(watcher, &err));
    CHECK_ERROR(CRI_OK, cri_watcher_wait_ready(watcher, 60000, &err));
    /* What is learned later would be new versions of the records: of two pods and three containers, all. */
    statistic_reaches(watcher, "statuses", 5);
    CHECK_ERROR(CRI_OK, cri_event_queue_new(watcher, 0, 0, 0, &queue, &err));
    it_shows_what_runs();
    a_selection_is_a_snapshot();
    an_unchanged_cache_is_shared();
    a_snapshot_stays_as_it_was();
    many_read_at_once();
    records_outlive_everything(queue);
    return failures != 0;
}
