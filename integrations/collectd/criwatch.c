/* A plugin for collectd: how many containers are in which state, on the node and in each pod; restarts; how long the engine
 * takes to answer; and a notification for each end of a container. README.md says how to use it.
 * SPDX-License-Identifier: Apache-2.0 */

#include "collectd/core/daemon/plugin.h"

#include <criwatch.h>

#define NAME "criwatch"
/* Latencies are means since the read before: of so many RPCs what was read is kept. */
#define MAX_RPCS 32

static cri_options *options;
static cri_watcher *watcher;
static cri_subscription *subscription;
static char *endpoint;
static bool per_pod = true;
static int max_pods = 500;

struct latency {
    char rpc[64];
    double seconds, count;
};
static struct latency latencies[MAX_RPCS];

/* Logs an error, and frees it; what collectd wants to hear of a failure. */
static int failed(const char *what, cri_error *err)
{
    ERROR(NAME " plugin: %s: %s", what, cri_error_message(err));
    cri_error_free(err);
    return -1;
}

static void submit(const char *instance, const char *type, const char *type_instance, gauge_t value)
{
    value_t values[] = {{.gauge = value}};
    value_list_t list = VALUE_LIST_INIT;
    list.values = values;
    list.values_len = 1;
    snprintf(list.plugin, sizeof list.plugin, NAME);
    snprintf(list.plugin_instance, sizeof list.plugin_instance, "%s", instance);
    snprintf(list.type, sizeof list.type, "%s", type);
    snprintf(list.type_instance, sizeof list.type_instance, "%s", type_instance);
    plugin_dispatch_values(&list);
}

/* ---- Containers, from a snapshot ---- */

struct counts {
    unsigned in_state[CRI_STATE_EXITED + 1], restarts;
};

static void count(struct counts *counts, const cri_container *c)
{
    counts->in_state[c->state <= CRI_STATE_EXITED ? c->state : CRI_STATE_UNKNOWN]++;
    /* An attempt that was replaced has been counted by the one that did. */
    if (c->state == CRI_STATE_RUNNING)
        counts->restarts += c->attempt;
}

static void submit_counts(const char *instance, const struct counts *counts)
{
    for (uint32_t state = CRI_STATE_UNKNOWN; state <= CRI_STATE_EXITED; state++)
        submit(instance, "count", cri_container_state_name(state), counts->in_state[state]);
    submit(instance, "count", "restarts", counts->restarts);
}

/* NAMESPACE.POD: a namespace has no dot. A name that does not fit gives way to the uid. */
static void name_pod(char name[DATA_MAX_NAME_LEN], const cri_pod *pod)
{
    if (snprintf(name, DATA_MAX_NAME_LEN, "%s.%s", pod->pod_namespace, pod->name) >= DATA_MAX_NAME_LEN)
        snprintf(name, DATA_MAX_NAME_LEN, "%s.%s", pod->pod_namespace, pod->uid);
}

/* They come sorted by pod, so that each pod is one stretch. */
static void submit_containers(const cri_container *const *containers, size_t len)
{
    struct counts node = {0}, pod = {0};
    int pods = 0, sandboxes = 0;
    for (size_t i = 0; i < len; i++) {
        const cri_container *c = containers[i];
        const cri_pod *after = i + 1 < len ? containers[i + 1]->pod : NULL;
        if (c->kind == CRI_KIND_SANDBOX) {
            sandboxes += c->state == CRI_STATE_RUNNING;
        } else {
            count(&node, c);
            count(&pod, c);
        }
        if (after != NULL && c->pod != NULL && strcmp(after->uid, c->pod->uid) == 0)
            continue;
        if (c->pod != NULL && per_pod && pods++ < max_pods) {
            char name[DATA_MAX_NAME_LEN];
            name_pod(name, c->pod);
            submit_counts(name, &pod);
        }
        pod = (struct counts){0};
    }
    submit_counts("", &node);
    submit("", "count", "pods", sandboxes);
    submit("", "count", "pods_not_shown", per_pod && pods > max_pods ? pods - max_pods : 0);
}

/* ---- The engine's answers, from the library's metrics ---- */

/* What is known of an RPC; NULL: there are too many. */
static struct latency *latency_of(const char *rpc)
{
    for (struct latency *it = latencies; it < latencies + MAX_RPCS; it++) {
        if (it->rpc[0] == '\0')
            snprintf(it->rpc, sizeof it->rpc, "%s", rpc);
        if (strcmp(it->rpc, rpc) == 0)
            return it;
    }
    return NULL;
}

/* The value of a metric for an RPC; -1: none. */
static double value_of(const char *metrics, const char *name, const char *rpc)
{
    char wanted[160];
    snprintf(wanted, sizeof wanted, "criwatch_request_duration_seconds_%s{rpc=\"%s\"} ", name, rpc);
    const char *at = strstr(metrics, wanted);
    return at != NULL ? strtod(at + strlen(wanted), NULL) : -1;
}

static void submit_latencies(const char *metrics)
{
    static const char begin[] = "criwatch_request_duration_seconds_count{";
    for (const char *line = metrics; (line = strstr(line, begin)) != NULL; line += sizeof begin) {
        char rpc[64];
        struct latency *before;
        if (sscanf(line + sizeof begin - 1, "rpc=\"%63[^\"]", rpc) != 1 || (before = latency_of(rpc)) == NULL)
            continue;
        const double count = value_of(metrics, "count", rpc), seconds = value_of(metrics, "sum", rpc);
        if (count > before->count)
            submit("", "latency", rpc, (seconds - before->seconds) / (count - before->count));
        before->seconds = seconds;
        before->count = count;
    }
}

static int read_all(void)
{
    cri_snapshot *snapshot = NULL, *all = NULL;
    cri_buffer metrics = CRI_BUFFER_INIT;
    const cri_container *const *containers = NULL;
    size_t len = 0;
    cri_error *err = NULL;
    submit("", "gauge", "state", cri_watcher_state(watcher));
    cri_status status = cri_watcher_snapshot(watcher, &snapshot, &err);
    if (status == CRI_E_NOT_READY) {
        /* Until the engine answers there is nothing to count: zeros would be a lie. */
        cri_error_free(err);
        return 0;
    }
    if (status == CRI_OK && (status = cri_snapshot_select(snapshot, "{\"all\":true}", &all, &err)) == CRI_OK
        && (status = cri_snapshot_containers(all, &containers, &len, &err)) == CRI_OK)
        submit_containers(containers, len);
    if (status == CRI_OK && (status = cri_watcher_metrics(watcher, &metrics, &err)) == CRI_OK)
        submit_latencies(metrics.data);
    cri_buffer_free(&metrics);
    cri_snapshot_free(all);
    cri_snapshot_free(snapshot);
    return status == CRI_OK ? 0 : failed("read", err);
}

/* ---- Notifications ---- */

/* Runs on a thread of the library. An exit whose reason may still change is reported when it is final: once for each run. */
static void notify(const cri_event *event, void *unused)
{
    const cri_container *c = event->container;
    (void)unused;
    if (event->type == CRI_EVENT_OVERFLOW)
        WARNING(NAME " plugin: %" PRIu64 " events were lost: exits among them are not reported", event->lost);
    const bool is_final = event->type == CRI_EVENT_EXITED ? (event->flags & CRI_EVENT_FLAG_PROVISIONAL) == 0
                                                          : (event->flags & CRI_EVENT_FLAG_CONFIRMED) != 0;
    if (c == NULL || c->kind == CRI_KIND_SANDBOX || !is_final)
        return;
    notification_t it = {.severity = c->exit_code == 0 ? NOTIF_OKAY : NOTIF_FAILURE,
                         .time = NS_TO_CDTIME_T(event->time_unix_nano), .plugin = NAME, .type = "exit"};
    snprintf(it.host, sizeof it.host, "%s", hostname_g);
    snprintf(it.type_instance, sizeof it.type_instance, "%s", c->name);
    if (c->pod != NULL)
        name_pod(it.plugin_instance, c->pod);
    snprintf(it.message, sizeof it.message, "container %s of %s exited: code %d, %s%s%s", c->name, it.plugin_instance,
             (int)c->exit_code, c->reason, c->message[0] != '\0' ? ": " : "", c->message);
    plugin_notification_meta_add_string(&it, "container_id", c->id);
    plugin_notification_meta_add_string(&it, "image", c->image);
    plugin_dispatch_notification(&it);
    plugin_notification_meta_free(it.meta);
}

static void log_message(uint32_t level, const char *message, void *unused)
{
    (void)unused;
    plugin_log(level == CRI_LOG_ERROR ? LOG_ERR : level == CRI_LOG_WARN ? LOG_WARNING : LOG_INFO, NAME " plugin: %s", message);
}

/* ---- Configuration, start and end ---- */

static int configure(oconfig_item_t *block)
{
    int status = 0;
    for (int i = 0; i < block->children_num && status == 0; i++) {
        oconfig_item_t *item = &block->children[i];
        cri_error *err = NULL;
        if (strcasecmp(item->key, "Endpoint") == 0)
            status = cf_util_get_string(item, &endpoint);
        else if (strcasecmp(item->key, "PerPod") == 0)
            status = cf_util_get_boolean(item, &per_pod);
        else if (strcasecmp(item->key, "MaxPods") == 0)
            status = cf_util_get_int(item, &max_pods);
        else if (strcasecmp(item->key, "Option") != 0 || item->values_num != 2 || item->values[0].type != OCONFIG_TYPE_STRING
                 || item->values[1].type != OCONFIG_TYPE_STRING) {
            ERROR(NAME " plugin: \"%s\" is not one of Endpoint, PerPod, MaxPods and Option \"KEY\" \"VALUE\"", item->key);
            status = -1;
        } else if ((options == NULL && cri_options_new(&options, &err) != CRI_OK)
                   || cri_options_set(options, item->values[0].value.string, item->values[1].value.string, &err) != CRI_OK)
            status = failed("Option", err);
    }
    return status;
}

/* collectd is in the background by now: before, there must be no threads. */
static int start(void)
{
    const uint32_t exits = CRI_EVENT_MASK(CRI_EVENT_EXITED) | CRI_EVENT_MASK(CRI_EVENT_UPDATED);
    cri_error *err = NULL;
    if (cri_watcher_new(endpoint, options, &watcher, &err) == CRI_OK
        && cri_watcher_set_log(watcher, CRI_LOG_WARN, log_message, NULL, NULL, &err) == CRI_OK
        && cri_watcher_subscribe(watcher, exits, CRI_SUBSCRIBE_LIVE_ONLY, notify, NULL, NULL, &subscription, &err) == CRI_OK
        && cri_watcher_start(watcher, &err) == CRI_OK)
        return plugin_register_read(NAME, read_all);
    return failed("start", err);
}

static int stop(void)
{
    cri_subscription_free(subscription);
    cri_watcher_free(watcher);
    cri_options_free(options);
    free(endpoint);
    subscription = NULL;
    watcher = NULL;
    options = NULL;
    endpoint = NULL;
    return 0;
}

void module_register(void)
{
    plugin_register_complex_config(NAME, configure);
    plugin_register_init(NAME, start);
    plugin_register_shutdown(NAME, stop);
}
