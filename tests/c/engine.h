/* What a C program does to a simulated engine: it runs containers, by calls. */

#ifndef ENGINE_H
#define ENGINE_H

#include "check.h"

/* A watcher whose calls may change something. */
static inline cri_watcher *acting_watcher(const char *endpoint)
{
    cri_error *err = NULL;
    cri_options *options = NULL;
    cri_watcher *watcher = NULL;
    CHECK_ERROR(CRI_OK, cri_options_new(&options, &err));
    CHECK_ERROR(CRI_OK, cri_options_set(options, "call.allow_mutations", "true", &err));
    CHECK_ERROR(CRI_OK, cri_watcher_new(endpoint, options, &watcher, &err));
    cri_options_free(options);
    return watcher;
}

/* The text of a reply's field. */
static inline void take_text(const char *json, const char *key, char *text, size_t size)
{
    char quoted[64];
    snprintf(quoted, sizeof quoted, "\"%s\":\"", key);
    const char *at = json == NULL ? NULL : strstr(json, quoted);
    text[0] = '\0';
    CHECK(at != NULL);
    if (at != NULL) {
        at += strlen(quoted);
        snprintf(text, size, "%.*s", (int)strcspn(at, "\""), at);
    }
}

static inline void call(const cri_watcher *watcher, const char *method, const char *request, const char *key,
                        char *text, size_t size)
{
    cri_error *err = NULL;
    cri_buffer reply = CRI_BUFFER_INIT;
    CHECK_ERROR(CRI_OK, cri_watcher_call(watcher, method, request, 60000, &reply, &err));
    if (key != NULL)
        take_text(reply.data, key, text, size);
    cri_buffer_free(&reply);
}

/* Runs a pod; its id, of 64 digits. */
static inline void run_pod(const cri_watcher *watcher, const char *name, char id[65])
{
    char request[512];
    snprintf(request, sizeof request,
             "{\"config\":{\"metadata\":{\"name\":\"%s\",\"uid\":\"uid-%s\",\"namespace\":\"test\"}}}", name, name);
    call(watcher, "RuntimeService/RunPodSandbox", request, "podSandboxId", id, 65);
}

/* Runs a container that lasts; its id, of 64 digits. */
static inline void run_container(const cri_watcher *watcher, const char *pod, const char *name, char id[65])
{
    char request[1024];
    snprintf(request, sizeof request,
             "{\"podSandboxId\":\"%s\",\"config\":{\"metadata\":{\"name\":\"%s\"},"
             "\"image\":{\"image\":\"busybox\"},\"command\":[\"sleep\",\"infinity\"]},"
             "\"sandboxConfig\":{\"metadata\":{\"name\":\"%s\",\"uid\":\"u\",\"namespace\":\"test\"}}}",
             pod, name, name);
    call(watcher, "RuntimeService/CreateContainer", request, "containerId", id, 65);
    snprintf(request, sizeof request, "{\"containerId\":\"%s\"}", id);
    call(watcher, "RuntimeService/StartContainer", request, NULL, NULL, 0);
}

#endif
