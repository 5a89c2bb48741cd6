/* Every function with a pointer to an object of every other type, as a cast lets it through: an error, or nothing, and the
 * object is whole afterwards (valgrind looks on). Argument: a simulated engine's endpoint. */

#include "check.h"

enum type { ERROR, OPTIONS, WATCHER, SNAPSHOT, SUBSCRIPTION, QUEUE, EVENT, CONTAINER, POD, TYPES };

static const void *objects[TYPES];
static cri_error *err;

/* Each of these is given what it takes as `type`, and is right only for that. */

#define REFUSED(call) CHECK_ERROR(CRI_E_INVALID_ARGUMENT, (call))

static void as_watcher(const void *other)
{
    const cri_watcher *w = other;
    cri_buffer buffer = CRI_BUFFER_INIT;
    cri_snapshot *snapshot = NULL;
    cri_event_queue *queue = NULL;
    REFUSED(cri_watcher_start(w, &err));
    REFUSED(cri_watcher_wait_ready(w, -1, &err));
    REFUSED(cri_watcher_resync(w, -1, &err));
    REFUSED(cri_watcher_stop(w, &err));
    REFUSED(cri_watcher_list(w, NULL, &buffer, &err));
    REFUSED(cri_watcher_pods(w, NULL, &buffer, &err));
    REFUSED(cri_watcher_get(w, "app", &buffer, &err));
    REFUSED(cri_watcher_engine_info(w, &buffer, &err));
    REFUSED(cri_watcher_stats(w, &buffer, &err));
    REFUSED(cri_watcher_metrics(w, &buffer, &err));
    REFUSED(cri_watcher_snapshot(w, &snapshot, &err));
    REFUSED(cri_watcher_inspect(w, "app", 0, -1, &buffer, &err));
    REFUSED(cri_watcher_call(w, "RuntimeService/Version", NULL, -1, &buffer, &err));
    REFUSED(cri_watcher_attach(w, "app", "{}", &err));
    REFUSED(cri_event_queue_new(w, 0, 0, 0, &queue, &err));
    const cri_container *found = NULL;
    REFUSED(cri_watcher_find(w, "app", &found, &err));
    REFUSED(cri_watcher_lookup_pid(w, 1, 0, -1, &found, &err));
    REFUSED(cri_watcher_lookup_cgroup(w, 1, -1, &found, &err));
    CHECK(cri_watcher_state(w) == CRI_WATCHER_STOPPED && cri_watcher_generation(w) == 0);
    CHECK(found == NULL && buffer.data == NULL && snapshot == NULL && queue == NULL);
}

static void count(void *user_data)
{
    ++*(int *)user_data;
}

/* What is refused gives its data back. */
static void as_watcher_of_callbacks(const void *other)
{
    const cri_watcher *w = other;
    cri_subscription *subscription = NULL;
    int destroyed = 0;
    REFUSED(cri_watcher_subscribe(w, 0, 0, ignore_event, &destroyed, count, &subscription, &err));
    REFUSED(cri_watcher_set_log(w, CRI_LOG_DEBUG, ignore_log, &destroyed, count, &err));
    REFUSED(cri_watcher_set_packer(w, ignore_container, &destroyed, count, &err));
    CHECK(destroyed == 3 && subscription == NULL);
}

static void as_options(const void *other)
{
    cri_watcher *watcher = NULL;
    REFUSED(cri_options_set(other, "events", "poll", &err));
    REFUSED(cri_watcher_new(NULL, other, &watcher, &err));
    CHECK(watcher == NULL);
}

static void as_snapshot(const void *other)
{
    const cri_container *const *containers = NULL, *container = NULL;
    const cri_pod *const *pods = NULL;
    size_t len = 77;
    REFUSED(cri_snapshot_containers(other, &containers, &len, &err));
    REFUSED(cri_snapshot_pods(other, &pods, &len, &err));
    cri_snapshot *selection = NULL;
    REFUSED(cri_snapshot_select(other, NULL, &selection, &err));
    CHECK(selection == NULL);
    REFUSED(cri_snapshot_find(other, "app", &container, &err));
    const uint64_t id = 1;
    const int32_t pid = 1;
    REFUSED(cri_snapshot_find_cgroup(other, id, &container, &err));
    REFUSED(cri_snapshot_find_pid(other, pid, 0, &container, &err));
    REFUSED(cri_snapshot_find_cgroup_path(other, "/", 1, &container, &err));
    REFUSED(cri_snapshot_find_namespace(other, CRI_NAMESPACE_NET, 1, &container, &len, &err));
    REFUSED(cri_snapshot_find_cgroups(other, &id, 1, &container, NULL, &err));
    REFUSED(cri_snapshot_find_pids(other, &pid, NULL, 1, &container, NULL, &err));
    CHECK(cri_snapshot_generation(other) == 0);
    CHECK(containers == NULL && pods == NULL && container == NULL && len == 77);
}

static void as_queue(const void *other)
{
    cri_event *event = NULL;
    REFUSED(cri_event_queue_next(other, -1, &event, &err));
    CHECK(cri_event_queue_fd(other) == -1 && event == NULL);
}

static void as_event(const void *other)
{
    cri_buffer buffer = CRI_BUFFER_INIT;
    REFUSED(cri_event_json(other, &buffer, &err));
    CHECK(buffer.data == NULL);
}

static void as_error(const void *other)
{
    CHECK(cri_error_status(other) == CRI_OK && cri_error_message(other)[0] == '\0');
    CHECK(cri_error_grpc_code(other) == -1 && cri_error_os_code(other) == 0 && cri_error_is_retriable(other) == 0);
}

static void as_rucksack(const void *other)
{
    REFUSED(cri_rucksack_set(other, "{}", &err));
}

/* To give it back to the wrong function does nothing. */
static void frees(int type, const void *object)
{
    void *other = (void *)(size_t)object;
    if (type != ERROR)
        cri_error_free(other);
    if (type != OPTIONS)
        cri_options_free(other);
    if (type != WATCHER)
        cri_watcher_free(other);
    if (type != SNAPSHOT)
        cri_snapshot_free(other);
    if (type != SUBSCRIPTION)
        cri_subscription_free(other);
    if (type != QUEUE)
        cri_event_queue_free(other);
    if (type != EVENT)
        cri_event_free(other);
    if (type != CONTAINER) {
        CHECK(cri_container_ref(other) == NULL);
        cri_container_unref(other);
        CHECK(cri_container_label(other, "a") == NULL);
    }
    if (type != POD) {
        CHECK(cri_pod_ref(other) == NULL);
        cri_pod_unref(other);
        CHECK(cri_pod_label(other, "a") == NULL);
    }
}

static void mistake(int type)
{
    const void *other = objects[type];
    if (type != ERROR)
        as_error(other);
    if (type != OPTIONS)
        as_options(other);
    if (type != WATCHER) {
        as_watcher(other);
        as_watcher_of_callbacks(other);
    }
    if (type != SNAPSHOT)
        as_snapshot(other);
    if (type != QUEUE)
        as_queue(other);
    if (type != EVENT)
        as_event(other);
    as_rucksack(other);
    frees(type, other);
}

int main(int argc, char **argv)
{
    cri_error *error = NULL;
    cri_options *options = NULL;
    cri_watcher *watcher = NULL;
    cri_snapshot *snapshot = NULL;
    cri_subscription *subscription = NULL;
    cri_event_queue *queue = NULL;
    cri_event *event = NULL;
    const cri_container *container = NULL;
    if (argc != 2)
        return 2;

    tell("pod web ns=shop app");
    CHECK(cri_options_new(&options, NULL) == CRI_OK);
    CHECK(cri_options_set(options, "no.such", "option", &error) == CRI_E_OPTION);
    CHECK(cri_watcher_new(argv[1], options, &watcher, NULL) == CRI_OK);
    CHECK(cri_watcher_subscribe(watcher, 0, 0, ignore_event, NULL, NULL, &subscription, NULL) == CRI_OK);
    CHECK(cri_event_queue_new(watcher, 0, 0, 0, &queue, NULL) == CRI_OK);
    CHECK(cri_watcher_start(watcher, NULL) == CRI_OK && cri_watcher_wait_ready(watcher, 60000, NULL) == CRI_OK);
    CHECK(cri_event_queue_next(queue, 60000, &event, NULL) == CRI_OK);
    CHECK(cri_watcher_snapshot(watcher, &snapshot, NULL) == CRI_OK);
    CHECK(cri_snapshot_find(snapshot, "app", &container, NULL) == CRI_OK);

    objects[ERROR] = error;
    objects[OPTIONS] = options;
    objects[WATCHER] = watcher;
    objects[SNAPSHOT] = snapshot;
    objects[SUBSCRIPTION] = subscription;
    objects[QUEUE] = queue;
    objects[EVENT] = event;
    objects[CONTAINER] = container;
    objects[POD] = container != NULL ? container->pod : NULL;
    for (int type = 0; type < TYPES; type++) {
        CHECK(objects[type] != NULL);
        mistake(type);
    }

    /* And each still is what it was. */
    cri_buffer json = CRI_BUFFER_INIT;
    CHECK(cri_error_status(error) == CRI_E_OPTION);
    CHECK_ERROR(CRI_OK, cri_options_set(options, "events", "poll", &err));
    CHECK_ERROR(CRI_OK, cri_event_json(event, &json, &err));
    CHECK_ERROR(CRI_OK, cri_watcher_resync(watcher, 60000, &err));
    CHECK(cri_container_ref(container) == container);
    cri_snapshot_free(snapshot);
    read_container(container);
    cri_container_unref(container);
    cri_buffer_free(&json);
    cri_event_free(event);
    cri_subscription_free(subscription);
    cri_event_queue_free(queue);
    cri_watcher_free(watcher);
    cri_options_free(options);
    cri_error_free(error);
    return failures != 0;
}
