/* Measures the library in a C program.
 *
 *   goals ENDPOINT ready N [OPTION=VALUE...]   N watchers, one after the other: for each "ready NANOSECONDS CPU_NANOSECONDS
 *                                              REQUESTS", from the start to READY, with all the requests until then as JSON
 *   goals ENDPOINT events [OPTION=VALUE...]    "EVENT ID PID EXIT_CODE TIME NOW" for each STARTED and EXITED of a container
 *                                              that is no replay's: when it was, as the engine says, and when this program
 *                                              has it, in nanoseconds; "replayed" when the replay is over; until stdin ends
 */
#define _POSIX_C_SOURCE 200809L

#include <criwatch.h>

#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define WAIT_MS 60000

static int ok(cri_status status, cri_error **error) {
    if (status == CRI_OK)
        return 1;
    fprintf(stderr, "error %s: %s\n", cri_status_name(status), *error ? cri_error_message(*error) : "");
    cri_error_free(*error);
    *error = NULL;
    return 0;
}

static int64_t now(clockid_t clock) {
    struct timespec it;
    clock_gettime(clock, &it);
    return (int64_t)it.tv_sec * 1000000000 + it.tv_nsec;
}

static int ready(const char *endpoint, const cri_options *options, long rounds) {
    for (; rounds > 0; rounds--) {
        cri_watcher *watcher = NULL;
        cri_error *error = NULL;
        cri_buffer stats = {0};
        int64_t cpu = now(CLOCK_PROCESS_CPUTIME_ID), began = now(CLOCK_MONOTONIC);
        int good = ok(cri_watcher_new(endpoint, options, &watcher, &error), &error) &&
                   ok(cri_watcher_start(watcher, &error), &error) &&
                   ok(cri_watcher_wait_ready(watcher, WAIT_MS, &error), &error);
        int64_t took = now(CLOCK_MONOTONIC) - began;
        cpu = now(CLOCK_PROCESS_CPUTIME_ID) - cpu;
        good = good && ok(cri_watcher_stats(watcher, &stats, &error), &error);
        if (good)
            printf("ready %" PRId64 " %" PRId64 " %.*s\n", took, cpu, (int)stats.len, stats.data);
        fflush(stdout);
        cri_buffer_free(&stats);
        cri_watcher_free(watcher);
        if (!good)
            return 0;
    }
    return 1;
}

static void print(const cri_event *event) {
    const cri_container *c = event->container;
    if (event->type == CRI_EVENT_REPLAY_END)
        puts("replayed");
    else if (c != NULL && c->kind == CRI_KIND_CONTAINER && !(event->flags & CRI_EVENT_FLAG_INITIAL))
        printf("%s %s %" PRId32 " %" PRId32 " %" PRId64 " %" PRId64 "\n", event->type == CRI_EVENT_STARTED ? "STARTED" : "EXITED", c->id,
               c->pid, event->type == CRI_EVENT_EXITED ? c->exit_code : -1, event->time_unix_nano,
               now(CLOCK_REALTIME));
    fflush(stdout);
}

static int events(const char *endpoint, const cri_options *options) {
    cri_watcher *watcher = NULL;
    cri_event_queue *queue = NULL;
    cri_error *error = NULL;
    uint32_t mask = CRI_EVENT_MASK(CRI_EVENT_STARTED) | CRI_EVENT_MASK(CRI_EVENT_EXITED) | CRI_EVENT_MASK(CRI_EVENT_REPLAY_END);
    int good = ok(cri_watcher_new(endpoint, options, &watcher, &error), &error) &&
               ok(cri_event_queue_new(watcher, mask, 0, 0, &queue, &error), &error) &&
               ok(cri_watcher_start(watcher, &error), &error);
    struct pollfd wait[2] = {{.fd = 0, .events = POLLIN}, {.events = POLLIN}};
    wait[1].fd = cri_event_queue_fd(queue);
    while (good && poll(wait, 2, -1) > 0 && !wait[0].revents) {
        cri_event *event = NULL;
        cri_status status = cri_event_queue_next(queue, 0, &event, &error);
        if (status == CRI_AGAIN)
            continue;
        good = ok(status, &error);
        if (good)
            print(event);
        cri_event_free(event);
    }
    cri_event_queue_free(queue);
    cri_watcher_free(watcher);
    return good;
}

int main(int argc, char **argv) {
    cri_options *options = NULL;
    cri_error *error = NULL;
    int is_ready = argc > 3 && strcmp(argv[2], "ready") == 0, is_events = argc > 2 && strcmp(argv[2], "events") == 0;
    int i, good;
    if (!is_ready && !is_events) {
        fprintf(stderr, "usage: goals ENDPOINT ready N|events [OPTION=VALUE...]\n");
        return 2;
    }
    good = ok(cri_options_new(&options, &error), &error);
    for (i = is_ready ? 4 : 3; good && i < argc; i++) {
        char *value = strchr(argv[i], '=');
        if (value == NULL)
            return 2;
        *value++ = '\0';
        good = ok(cri_options_set(options, argv[i], value, &error), &error);
    }
    good = good && (is_ready ? ready(argv[1], options, strtol(argv[3], NULL, 10)) : events(argv[1], options));
    cri_options_free(options);
    return good ? 0 : 1;
}
