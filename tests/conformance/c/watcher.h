/* Commands about the watcher, its answers, and snapshots. */

#ifndef CONFORM_WATCHER_H
#define CONFORM_WATCHER_H

#include "line.h"

static void free_all(void)
{
    cri_event_queue_free(queue);
    cri_snapshot_free(snapshot);
    cri_watcher_free(watcher);
    queue = NULL;
    snapshot = NULL;
    watcher = NULL;
}

static void do_new(void)
{
    cri_options *options = NULL;
    const char *endpoint = given(word());
    free_all();
    cri_status status = cri_options_new(&options, &err);
    while (status == CRI_OK && *rest != '\0') {
        char *key = (char *)(uintptr_t)word(), *value = strchr(key, '=');
        if (value != NULL)
            *value++ = '\0';
        status = cri_options_set(options, key, value, &err);
    }
    if (status == CRI_OK)
        status = cri_watcher_new(endpoint, options, &watcher, &err);
    cri_options_free(options);
    answer(status);
}

static void do_start(void)
{
    answer(cri_watcher_start(watcher, &err));
}

static void do_stop(void)
{
    answer(cri_watcher_stop(watcher, &err));
}

static void do_free(void)
{
    free_all();
    puts("ok");
}

static void do_wait_ready(void)
{
    answer(cri_watcher_wait_ready(watcher, number(), &err));
}

static void do_resync(void)
{
    answer(cri_watcher_resync(watcher, number(), &err));
}

static void do_state(void)
{
    printf("ok %s\n", cri_watcher_state_name(cri_watcher_state(watcher)));
}

static void do_generation(void)
{
    puts(cri_watcher_generation(watcher) == 0 ? "ok zero" : "ok nonzero");
}

static void do_list(void)
{
    cri_buffer json = CRI_BUFFER_INIT;
    answer_json(cri_watcher_list(watcher, given(rest), &json, &err), &json);
}

static void do_pods(void)
{
    cri_buffer json = CRI_BUFFER_INIT;
    answer_json(cri_watcher_pods(watcher, given(rest), &json, &err), &json);
}

static void do_get(void)
{
    cri_buffer json = CRI_BUFFER_INIT;
    answer_json(cri_watcher_get(watcher, rest, &json, &err), &json);
}

static void do_engine(void)
{
    cri_buffer json = CRI_BUFFER_INIT;
    answer_json(cri_watcher_engine_info(watcher, &json, &err), &json);
}

static void do_stats(void)
{
    cri_buffer json = CRI_BUFFER_INIT;
    answer_json(cri_watcher_stats(watcher, &json, &err), &json);
}

static void do_inspect(void)
{
    cri_buffer json = CRI_BUFFER_INIT;
    const uint32_t flags = (uint32_t)number();
    const int64_t ms = number();
    answer_json(cri_watcher_inspect(watcher, rest, flags, ms, &json, &err), &json);
}

static void do_call(void)
{
    cri_buffer json = CRI_BUFFER_INIT;
    const char *method = word();
    const int64_t ms = number();
    answer_json(cri_watcher_call(watcher, method, given(rest), ms, &json, &err), &json);
}

static void do_attach(void)
{
    const char *name = word();
    answer(cri_watcher_attach(watcher, name, given(rest), &err));
}

static void do_snapshot(void)
{
    const cri_container *const *containers = NULL;
    const cri_pod *const *pods = NULL;
    size_t n_containers = 0, n_pods = 0;
    cri_snapshot *taken = NULL;
    cri_status status = cri_watcher_snapshot(watcher, &taken, &err);
    if (status == CRI_OK) {
        cri_snapshot_free(snapshot);
        snapshot = taken;
        status = cri_snapshot_containers(snapshot, &containers, &n_containers, &err);
    }
    if (status == CRI_OK)
        status = cri_snapshot_pods(snapshot, &pods, &n_pods, &err);
    for (size_t i = 0; i < n_containers; i++)
        print_container(containers[i]);
    for (size_t i = 0; i < n_pods; i++)
        print_pod(pods[i]);
    answer(status);
}

static void do_find(void)
{
    const cri_container *found = NULL;
    const cri_status status = cri_snapshot_find(snapshot, rest, &found, &err);
    if (status == CRI_OK)
        print_container(found);
    answer(status);
}

static void do_keep(void)
{
    const cri_container *found = NULL;
    const cri_status status = cri_snapshot_find(snapshot, rest, &found, &err);
    if (status == CRI_OK) {
        cri_container_unref(kept);
        kept = cri_container_ref(found);
    }
    answer(status);
}

static void do_kept(void)
{
    if (kept == NULL) {
        answer_missing("record");
        return;
    }
    print_container(kept);
    puts("ok");
}

#endif
