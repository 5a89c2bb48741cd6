/* Event queues: the descriptor is readable exactly when an event is there, stop ends every wait, and events outlive everything.
 * Argument: an endpoint where nobody is. The events are those of the watcher's own state. */

#include "check.h"

#include <poll.h>

static int readable(const cri_event_queue *queue, int timeout_ms)
{
    struct pollfd waiting = {.fd = cri_event_queue_fd(queue), .events = POLLIN};
    return poll(&waiting, 1, timeout_ms) == 1;
}

static void *drain(void *argument)
{
    cri_event_queue *queue = argument;
    cri_event *event = NULL;
    cri_error *err = NULL;
    cri_status status;
    while ((status = cri_event_queue_next(queue, -1, &event, &err)) == CRI_OK)
        cri_event_free(event);
    CHECK_ERROR(CRI_CLOSED, status);
    return NULL;
}

int main(int argc, char **argv)
{
    cri_error *err = NULL;
    cri_watcher *watcher = NULL;
    cri_event_queue *queue = NULL, *other = NULL, *dropped = NULL;
    cri_event *first = NULL, *event = NULL;
    pthread_t waiter;
    if (argc != 2)
        return 2;
    alarm(120);
    int fds = descriptors(), tasks = threads();

    watcher = new_watcher(argv[1]);
    CHECK_ERROR(CRI_OK, cri_event_queue_new(watcher, 0, 0, 0, &queue, &err));
    CHECK_ERROR(CRI_OK, cri_event_queue_new(watcher, CRI_EVENT_MASK(CRI_EVENT_STATE), 0, 16, &other, &err));
    CHECK_ERROR(CRI_OK, cri_event_queue_new(watcher, 0, CRI_SUBSCRIBE_LIVE_ONLY, 1, &dropped, &err));
    cri_event_queue_free(dropped);
    CHECK(pthread_create(&waiter, NULL, drain, other) == 0);
    CHECK_ERROR(CRI_OK, cri_watcher_start(watcher, &err));

    CHECK(readable(queue, 20000));
    CHECK_ERROR(CRI_OK, cri_event_queue_next(queue, 0, &first, &err));
    CHECK(first != NULL && first->struct_size == sizeof *first && first->seq != 0);

    /* Nobody else takes from this queue: readable has to mean that there is something. */
    for (int i = 0; i < 100 && readable(queue, 0); i++) {
        CHECK_ERROR(CRI_OK, cri_event_queue_next(queue, 0, &event, &err));
        CHECK(event->seq > first->seq);
        cri_event_free(event);
    }

    CHECK_ERROR(CRI_OK, cri_watcher_stop(watcher, &err));
    pthread_join(waiter, NULL);
    CHECK(readable(queue, 20000));
    cri_status status;
    while ((status = cri_event_queue_next(queue, -1, &event, &err)) == CRI_OK)
        cri_event_free(event);
    CHECK_ERROR(CRI_CLOSED, status);
    CHECK_ERROR(CRI_CLOSED, cri_event_queue_next(queue, 0, &event, &err));
    CHECK(readable(queue, 0));
    CHECK_ERROR(CRI_E_STOPPED, cri_event_queue_new(watcher, 0, 0, 0, &dropped, &err));

    cri_watcher_free(watcher);
    CHECK_ERROR(CRI_CLOSED, cri_event_queue_next(queue, -1, &event, &err));
    cri_event_queue_free(queue);
    cri_event_queue_free(other);

    cri_buffer json = CRI_BUFFER_INIT;
    CHECK_ERROR(CRI_OK, cri_event_json(first, &json, &err));
    CHECK(json.len != 0 && strlen(json.data) == json.len);
    read_whole(first);
    cri_event_free(first);
    cri_buffer_free(&json);
    CHECK(threads_become(tasks));
    CHECK(descriptors() == fds);
    return failures != 0;
}
