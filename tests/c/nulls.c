/* Every function with nothing but zeros: an answer, never a crash. */

#include "check.h"

static int destroyed;

static void destroy(void *user_data)
{
    CHECK(user_data == &destroyed);
    destroyed++;
}

static void no_error_object(void)
{
    CHECK(cri_options_new(NULL, NULL) == CRI_E_INVALID_ARGUMENT);
    CHECK(cri_options_set(NULL, NULL, NULL, NULL) == CRI_E_INVALID_ARGUMENT);
    CHECK(cri_options_describe(NULL, NULL) == CRI_E_INVALID_ARGUMENT);
    CHECK(cri_watcher_new(NULL, NULL, NULL, NULL) == CRI_E_INVALID_ARGUMENT);
    CHECK(cri_watcher_start(NULL, NULL) == CRI_E_INVALID_ARGUMENT);
    CHECK(cri_watcher_wait_ready(NULL, 0, NULL) == CRI_E_INVALID_ARGUMENT);
    CHECK(cri_watcher_resync(NULL, 0, NULL) == CRI_E_INVALID_ARGUMENT);
    CHECK(cri_watcher_stop(NULL, NULL) == CRI_E_INVALID_ARGUMENT);
    CHECK(cri_watcher_list(NULL, NULL, NULL, NULL) == CRI_E_INVALID_ARGUMENT);
    CHECK(cri_watcher_pods(NULL, NULL, NULL, NULL) == CRI_E_INVALID_ARGUMENT);
    CHECK(cri_watcher_get(NULL, NULL, NULL, NULL) == CRI_E_INVALID_ARGUMENT);
    CHECK(cri_watcher_engine_info(NULL, NULL, NULL) == CRI_E_INVALID_ARGUMENT);
    CHECK(cri_watcher_stats(NULL, NULL, NULL) == CRI_E_INVALID_ARGUMENT);
    CHECK(cri_watcher_metrics(NULL, NULL, NULL) == CRI_E_INVALID_ARGUMENT);
    CHECK(cri_watcher_snapshot(NULL, NULL, NULL) == CRI_E_INVALID_ARGUMENT);
    CHECK(cri_snapshot_containers(NULL, NULL, NULL, NULL) == CRI_E_INVALID_ARGUMENT);
    CHECK(cri_snapshot_pods(NULL, NULL, NULL, NULL) == CRI_E_INVALID_ARGUMENT);
    CHECK(cri_snapshot_select(NULL, NULL, NULL, NULL) == CRI_E_INVALID_ARGUMENT);
    CHECK(cri_snapshot_find(NULL, NULL, NULL, NULL) == CRI_E_INVALID_ARGUMENT);
    CHECK(cri_snapshot_find_cgroup(NULL, 0, NULL, NULL) == CRI_E_INVALID_ARGUMENT);
    CHECK(cri_snapshot_find_pid(NULL, 0, 0, NULL, NULL) == CRI_E_INVALID_ARGUMENT);
    CHECK(cri_snapshot_find_cgroup_path(NULL, NULL, 0, NULL, NULL) == CRI_E_INVALID_ARGUMENT);
    CHECK(cri_snapshot_find_namespace(NULL, 0, 0, NULL, NULL, NULL) == CRI_E_INVALID_ARGUMENT);
    CHECK(cri_snapshot_find_cgroups(NULL, NULL, 0, NULL, NULL, NULL) == CRI_E_INVALID_ARGUMENT);
    CHECK(cri_snapshot_find_pids(NULL, NULL, NULL, 0, NULL, NULL, NULL) == CRI_E_INVALID_ARGUMENT);
    CHECK(cri_container_attributes(NULL, NULL, NULL, NULL, NULL) == CRI_E_INVALID_ARGUMENT);
    CHECK(cri_watcher_find(NULL, NULL, NULL, NULL) == CRI_E_INVALID_ARGUMENT);
    CHECK(cri_watcher_lookup_pid(NULL, 0, 0, 0, NULL, NULL) == CRI_E_INVALID_ARGUMENT);
    CHECK(cri_watcher_lookup_cgroup(NULL, 0, 0, NULL, NULL) == CRI_E_INVALID_ARGUMENT);
    CHECK(cri_watcher_inspect(NULL, NULL, 0, 0, NULL, NULL) == CRI_E_INVALID_ARGUMENT);
    CHECK(cri_watcher_call(NULL, NULL, NULL, 0, NULL, NULL) == CRI_E_INVALID_ARGUMENT);
    CHECK(cri_engines_discover(NULL, 0, NULL, NULL) == CRI_E_INVALID_ARGUMENT);
    CHECK(cri_finder_new(NULL, NULL, NULL) == CRI_E_INVALID_ARGUMENT);
    CHECK(cri_finder_next(NULL, 0, NULL, NULL, NULL, NULL) == CRI_E_INVALID_ARGUMENT);
    CHECK(cri_watcher_set_log(NULL, 0, NULL, NULL, NULL, NULL) == CRI_E_INVALID_ARGUMENT);
    CHECK(cri_watcher_set_packer(NULL, NULL, NULL, NULL, NULL) == CRI_E_INVALID_ARGUMENT);
    CHECK(cri_rucksack_set(NULL, NULL, NULL) == CRI_E_INVALID_ARGUMENT);
    CHECK(cri_watcher_attach(NULL, NULL, NULL, NULL) == CRI_E_INVALID_ARGUMENT);
    CHECK(cri_watcher_subscribe(NULL, 0, 0, NULL, NULL, NULL, NULL, NULL) == CRI_E_INVALID_ARGUMENT);
    CHECK(cri_event_queue_new(NULL, 0, 0, 0, NULL, NULL) == CRI_E_INVALID_ARGUMENT);
    CHECK(cri_event_queue_next(NULL, 0, NULL, NULL) == CRI_E_INVALID_ARGUMENT);
    CHECK(cri_event_json(NULL, NULL, NULL) == CRI_E_INVALID_ARGUMENT);
}

static void an_error_object(void)
{
    cri_error *err = NULL;
    cri_buffer buffer = {"not mine", 8, NULL};
    cri_watcher *watcher = NULL;
    cri_subscription *subscription = NULL;

    CHECK_ERROR(CRI_E_INVALID_ARGUMENT, cri_watcher_list(NULL, NULL, &buffer, &err));
    CHECK(buffer.data == NULL && buffer.len == 0 && buffer.owner == NULL);
    CHECK_ERROR(CRI_E_INVALID_ARGUMENT, cri_watcher_new(NULL, NULL, NULL, &err));
    CHECK_ERROR(CRI_OK, cri_watcher_new(NULL, NULL, &watcher, &err));
    CHECK_ERROR(CRI_E_INVALID_ARGUMENT, cri_watcher_inspect(watcher, NULL, 0, 0, &buffer, &err));
    CHECK_ERROR(CRI_E_INVALID_ARGUMENT, cri_watcher_list(watcher, NULL, NULL, &err));
    CHECK_ERROR(CRI_E_INVALID_ARGUMENT, cri_event_queue_new(watcher, 0, 0, 0, NULL, &err));
    CHECK_ERROR(CRI_E_INVALID_ARGUMENT,
                cri_watcher_subscribe(watcher, 0, 0, NULL, &destroyed, destroy, &subscription, &err));
    CHECK(destroyed == 1 && subscription == NULL);
    CHECK_ERROR(CRI_E_INVALID_ARGUMENT, cri_watcher_subscribe(NULL, 0, 0, NULL, &destroyed, destroy, NULL, &err));
    CHECK(destroyed == 2);
    CHECK_ERROR(CRI_E_INVALID_ARGUMENT, cri_watcher_call(watcher, NULL, NULL, 0, &buffer, &err));
    CHECK_ERROR(CRI_E_INVALID_ARGUMENT, cri_watcher_attach(watcher, NULL, "{}", &err));
    CHECK_ERROR(CRI_E_INVALID_ARGUMENT,
                cri_watcher_set_log(watcher, CRI_LOG_DEBUG, NULL, &destroyed, destroy, &err));
    CHECK_ERROR(CRI_E_INVALID_ARGUMENT, cri_watcher_set_packer(watcher, NULL, &destroyed, destroy, &err));
    CHECK(destroyed == 4);
    cri_watcher_free(watcher);
}

static void plain_answers(void)
{
    CHECK(cri_abi_version() != 0 && cri_version_number() != 0 && cri_version() != NULL);
    CHECK(strcmp(cri_status_name(0), "CRI_OK") == 0);
    CHECK(strcmp(cri_status_name(INT32_MIN), "CRI_E_UNKNOWN_STATUS") == 0);
    CHECK(cri_error_status(NULL) == CRI_OK);
    CHECK(cri_error_message(NULL)[0] == '\0');
    CHECK(cri_error_grpc_code(NULL) == -1 && cri_error_os_code(NULL) == 0 && cri_error_is_retriable(NULL) == 0);
    CHECK(cri_watcher_state(NULL) == CRI_WATCHER_STOPPED && cri_watcher_generation(NULL) == 0);
    CHECK(cri_event_queue_fd(NULL) == -1 && cri_finder_fd(NULL) == -1);
    CHECK(cri_snapshot_generation(NULL) == 0);
    CHECK(cri_container_ref(NULL) == NULL && cri_pod_ref(NULL) == NULL);
    CHECK(cri_container_label(NULL, NULL) == NULL && cri_pod_label(NULL, NULL) == NULL);
}

/* One number that has a name, and one that has none, for each function. */
static void names(void)
{
#define NAMED(name, call) CHECK(strcmp(call, name) == 0)
    NAMED("replayBegin", cri_event_type_name(CRI_EVENT_REPLAY_BEGIN));
    NAMED("unknown", cri_event_type_name(1 << 30));
    NAMED("neverStarted", cri_event_flag_name(CRI_EVENT_FLAG_NEVER_STARTED));
    NAMED("unknown", cri_event_flag_name(1 << 30));
    NAMED("startedAt", cri_changed_name(CRI_CHANGED_STARTED_AT));
    NAMED("unknown", cri_changed_name(1 << 30));
    NAMED("sandbox", cri_kind_name(CRI_KIND_SANDBOX));
    NAMED("unknown", cri_kind_name(1 << 30));
    NAMED("running", cri_container_state_name(CRI_STATE_RUNNING));
    NAMED("unknown", cri_container_state_name(1 << 30));
    NAMED("privileged", cri_container_flag_name(CRI_CONTAINER_FLAG_PRIVILEGED));
    NAMED("unknown", cri_container_flag_name(1 << 30));
    NAMED("exitCode", cri_missing_name(CRI_MISSING_EXIT));
    NAMED("unknown", cri_missing_name(1 << 30));
    NAMED("readOnly", cri_mount_flag_name(CRI_MOUNT_FLAG_READ_ONLY));
    NAMED("unknown", cri_mount_flag_name(1 << 30));
    NAMED("notReady", cri_pod_state_name(CRI_POD_NOT_READY));
    NAMED("unknown", cri_pod_state_name(1 << 30));
    NAMED("hostNetwork", cri_pod_flag_name(CRI_POD_FLAG_HOST_NETWORK));
    NAMED("unknown", cri_pod_flag_name(1 << 30));
    NAMED("watching", cri_watcher_state_name(CRI_WATCHER_WATCHING));
    NAMED("unknown", cri_watcher_state_name(1 << 30));
    NAMED("warn", cri_log_level_name(CRI_LOG_WARN));
    NAMED("unknown", cri_log_level_name(1 << 30));
    NAMED("found", cri_engine_news_name(CRI_ENGINE_FOUND));
    NAMED("unknown", cri_engine_news_name(1 << 30));
    NAMED("net", cri_namespace_kind_name(CRI_NAMESPACE_NET));
    NAMED("unknown", cri_namespace_kind_name(1 << 30));
    NAMED("unknown", cri_event_flag_name(CRI_EVENT_FLAG_INITIAL | CRI_EVENT_FLAG_SYNTHETIC));
}

static void frees(void)
{
    cri_buffer empty = CRI_BUFFER_INIT;
    cri_buffer_free(&empty);
    cri_buffer_free(NULL);
    cri_error_free(NULL);
    cri_options_free(NULL);
    cri_watcher_free(NULL);
    cri_subscription_free(NULL);
    cri_event_queue_free(NULL);
    cri_finder_free(NULL);
    cri_event_free(NULL);
    cri_snapshot_free(NULL);
    cri_container_unref(NULL);
    cri_pod_unref(NULL);
}

int main(void)
{
    no_error_object();
    an_error_object();
    plain_answers();
    names();
    frees();
    return failures != 0;
}
