/* A plugin for Falco and sysdig: what containers and pods of this node do, as an event source, and whose a system call is, as
 * fields. README.md says how to use it. SPDX-License-Identifier: Apache-2.0 */

#include "fields.h"

#include <criwatch.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* 999 is for development. An id of its own has to be asked of the Falco project before a plugin is published. */
#ifndef PLUGIN_ID
#define PLUGIN_ID 999
#endif
#define PLUGIN_EVENT 322
#define WAIT_MS 100
#define MAX_FIELDS 64

/* An event as the framework has it: a header, the lengths of its two parameters, the plugin's id; the record follows. */
struct head {
    ss_plugin_event event;
    uint32_t lengths[2], id;
} __attribute__((packed));
_Static_assert(sizeof(struct head) == PLUGIN_EVENT_PAYLOAD_OFFSET, "the framework has another layout");

/* What init makes: one for each user of the plugin, who calls it from one thread at a time. */
struct plugin {
    cri_options *options;
    char last_error[PLUGIN_MAX_ERRLEN];
    char line[512];
    union value values[MAX_FIELDS];
    /* For system calls: whose they are. NULL: nobody has asked for that. */
    cri_watcher *watcher;
    /* The container that was found last, kept so that no other one can have its address; and its record. */
    const cri_container *container;
    char *record;
    size_t len;
};

/* What open makes: one capture. */
struct capture {
    cri_watcher *watcher;
    cri_event_queue *queue;
    ss_plugin_event *event;
};

/* ---- About the plugin ---- */

EXPORT const char *plugin_get_required_api_version(void) { return PLUGIN_API_VERSION_STR; }
EXPORT const char *plugin_get_name(void) { return "criwatch"; }
EXPORT const char *plugin_get_description(void) { return "Containers and pods of this node, without an API server"; }
EXPORT const char *plugin_get_contact(void) { return "the criwatch project"; }
EXPORT const char *plugin_get_version(void) { return "0.1.0"; }
EXPORT uint32_t plugin_get_id(void) { return PLUGIN_ID; }
EXPORT const char *plugin_get_event_source(void) { return "criwatch"; }
EXPORT const char *plugin_get_extract_event_sources(void) { return "[\"criwatch\",\"syscall\"]"; }
EXPORT const char *plugin_get_last_error(ss_plugin_t *s) { return ((struct plugin *)s)->last_error; }

/* Keeps the message of an error, and frees it; 0. */
static int fail(struct plugin *plugin, cri_error *err)
{
    snprintf(plugin->last_error, sizeof plugin->last_error, "%s", cri_error_message(err));
    cri_error_free(err);
    return 0;
}

/* ---- Configuration: "KEY=VALUE,...", an option of the library each; and "syscalls=ENDPOINT" ---- */

/* These return 1, or 0 and an error. */
static int follow(struct plugin *plugin, const char *endpoint, cri_watcher **out, cri_error **err)
{
    const char *where = endpoint[0] == '\0' || strcmp(endpoint, "auto") == 0 ? NULL : endpoint;
    return cri_watcher_new(where, plugin->options, out, err) == CRI_OK && cri_watcher_start(*out, err) == CRI_OK;
}

static int configure(struct plugin *plugin, char *config)
{
    const char *syscalls = NULL;
    cri_error *err = NULL;
    char *rest = NULL;
    if (cri_options_new(&plugin->options, &err) != CRI_OK)
        return fail(plugin, err);
    for (char *key = strtok_r(config, ", \n", &rest); key != NULL; key = strtok_r(NULL, ", \n", &rest)) {
        char *value = strchr(key, '=');
        if (value != NULL)
            *value++ = '\0';
        if (value != NULL && strcmp(key, "syscalls") == 0)
            syscalls = value;
        else if (cri_options_set(plugin->options, key, value != NULL ? value : "", &err) != CRI_OK)
            return fail(plugin, err);
    }
    return syscalls == NULL || follow(plugin, syscalls, &plugin->watcher, &err) || fail(plugin, err);
}

EXPORT ss_plugin_t *plugin_init(const ss_plugin_init_input *input, ss_plugin_rc *rc)
{
    struct plugin *plugin = calloc(1, sizeof *plugin);
    char *config = strdup(input->config != NULL ? input->config : "");
    *rc = plugin != NULL && config != NULL && configure(plugin, config) ? SS_PLUGIN_SUCCESS : SS_PLUGIN_FAILURE;
    free(config);
    return plugin;
}

EXPORT void plugin_destroy(ss_plugin_t *s)
{
    struct plugin *plugin = s;
    if (plugin == NULL)
        return;
    cri_container_unref(plugin->container);
    cri_watcher_free(plugin->watcher);
    cri_options_free(plugin->options);
    free(plugin->record);
    free(plugin);
}

/* ---- The event source ---- */

EXPORT void plugin_close(ss_plugin_t *s, ss_instance_t *h)
{
    struct capture *capture = h;
    (void)s;
    if (capture == NULL)
        return;
    cri_event_queue_free(capture->queue);
    cri_watcher_free(capture->watcher);
    free(capture->event);
    free(capture);
}

EXPORT ss_instance_t *plugin_open(ss_plugin_t *s, const char *params, ss_plugin_rc *rc)
{
    struct plugin *plugin = s;
    struct capture *capture = calloc(1, sizeof *capture);
    cri_error *err = NULL;
    if (capture != NULL && follow(plugin, params != NULL ? params : "", &capture->watcher, &err)
        && cri_event_queue_new(capture->watcher, 0, 0, 0, &capture->queue, &err) == CRI_OK) {
        *rc = SS_PLUGIN_SUCCESS;
        return capture;
    }
    fail(plugin, err);
    plugin_close(s, capture);
    *rc = SS_PLUGIN_FAILURE;
    return NULL;
}

static ss_plugin_event *pack(const cri_event *event)
{
    struct head head = {{.type = PLUGIN_EVENT, .tid = (uint64_t)-1, .nparams = 2}, {sizeof head.id, 0}, PLUGIN_ID};
    size_t len = 0;
    char *packed = record_new(&head, sizeof head, event->container, event, &len);
    head.event.ts = (uint64_t)event->time_unix_nano;
    head.event.len = (uint32_t)len;
    head.lengths[1] = (uint32_t)(len - sizeof head);
    return packed != NULL ? memcpy(packed, &head, sizeof head) : NULL;
}

/* One event at a time: a node has few. Those about no container are passed over. */
EXPORT ss_plugin_rc plugin_next_batch(ss_plugin_t *s, ss_instance_t *h, uint32_t *nevts, ss_plugin_event ***evts)
{
    struct capture *capture = h;
    cri_event *event = NULL;
    cri_error *err = NULL;
    const cri_status status = cri_event_queue_next(capture->queue, WAIT_MS, &event, &err);
    free(capture->event);
    capture->event = NULL;
    if (status == CRI_OK && (event->container != NULL || event->type == CRI_EVENT_OVERFLOW))
        capture->event = pack(event);
    cri_event_free(event);
    *nevts = capture->event != NULL;
    *evts = &capture->event;
    if (status < 0)
        return fail(s, err), SS_PLUGIN_FAILURE;
    return *nevts > 0 ? SS_PLUGIN_SUCCESS : status == CRI_CLOSED ? SS_PLUGIN_EOF : SS_PLUGIN_TIMEOUT;
}

/* ---- Fields ---- */

/* The record of an event of our own; what a file had may be cut off. */
static const char *payload(const ss_plugin_event *event, size_t *len)
{
    const struct head *head = (const struct head *)event;
    if (event->len < sizeof *head || event->nparams != 2)
        return NULL;
    *len = event->len - sizeof *head < head->lengths[1] ? event->len - sizeof *head : head->lengths[1];
    return (const char *)(head + 1);
}

/* The record of the container in which a thread is; NULL: none, or it is gone. */
static const char *owner(struct plugin *plugin, uint64_t tid, size_t *len)
{
    const cri_container *container = NULL;
    if (plugin->watcher == NULL
        || cri_watcher_lookup_pid(plugin->watcher, (int32_t)tid, 0, 0, &container, NULL) != CRI_OK)
        return NULL;
    if (container == plugin->container) {
        cri_container_unref(container);
    } else {
        free(plugin->record);
        cri_container_unref(plugin->container);
        plugin->container = container;
        plugin->record = record_new("", 0, container, NULL, &plugin->len);
    }
    *len = plugin->len;
    return plugin->record;
}

EXPORT ss_plugin_rc plugin_extract_fields(ss_plugin_t *s, const ss_plugin_event_input *evt,
                                          const ss_plugin_field_extract_input *in)
{
    struct plugin *plugin = s;
    size_t len = 0;
    const char *record =
        evt->evt->type == PLUGIN_EVENT ? payload(evt->evt, &len) : owner(plugin, evt->evt->tid, &len);
    for (uint32_t i = 0; i < in->num_fields && i < MAX_FIELDS; i++)
        field_extract(&in->fields[i], record != NULL ? record : "", record != NULL ? len : 0, &plugin->values[i]);
    return SS_PLUGIN_SUCCESS;
}

/* What is printed for an event where nothing else is asked for. */
EXPORT const char *plugin_event_to_string(ss_plugin_t *s, const ss_plugin_event_input *evt)
{
    static const char *const shown[] = {"type", "pod.namespace", "pod.name", "container.name", "exit_code", "reason"};
    struct plugin *plugin = s;
    size_t len = 0;
    size_t at = 0;
    const char *record = payload(evt->evt, &len);
    plugin->line[0] = '\0';
    for (size_t i = 0; record != NULL && i < sizeof shown / sizeof *shown; i++) {
        const char *value = record_get(record, len, shown[i]);
        if (value != NULL && at < sizeof plugin->line)
            at += (size_t)snprintf(plugin->line + at, sizeof plugin->line - at, "%s%s", at > 0 ? " " : "", value);
    }
    return plugin->line;
}
