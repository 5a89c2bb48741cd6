/* A stop is final, also before the start: every wait and every request says so at once, and nothing is begun again.
 * Argument: an endpoint where nobody is. */

#include "check.h"

static cri_error *err;

static void ignore(const cri_event *event, void *user_data)
{
    (void)event;
    (void)user_data;
}

static void stays_stopped(cri_watcher *watcher)
{
    cri_buffer buffer = CRI_BUFFER_INIT;
    cri_event_queue *queue = NULL;
    cri_subscription *subscription = NULL;
    int tasks = threads();
    CHECK_ERROR(CRI_OK, cri_watcher_stop(watcher, &err));
    CHECK_ERROR(CRI_E_STOPPED, cri_watcher_start(watcher, &err));
    CHECK_ERROR(CRI_E_STOPPED, cri_watcher_wait_ready(watcher, -1, &err));
    CHECK_ERROR(CRI_E_STOPPED, cri_watcher_resync(watcher, -1, &err));
    CHECK_ERROR(CRI_E_STOPPED, cri_watcher_inspect(watcher, "web", 0, -1, &buffer, &err));
    CHECK_ERROR(CRI_E_STOPPED, cri_watcher_call(watcher, "RuntimeService/Version", NULL, -1, &buffer, &err));
    CHECK_ERROR(CRI_E_STOPPED, cri_event_queue_new(watcher, 0, 0, 0, &queue, &err));
    CHECK_ERROR(CRI_E_STOPPED, cri_watcher_subscribe(watcher, 0, 0, ignore, NULL, NULL, &subscription, &err));
    CHECK_ERROR(CRI_E_NOT_READY, cri_watcher_list(watcher, NULL, &buffer, &err));
    CHECK(cri_watcher_state(watcher) == CRI_WATCHER_STOPPED);
    CHECK(buffer.data == NULL && queue == NULL && subscription == NULL);
    CHECK(threads() == tasks);
}

int main(int argc, char **argv)
{
    cri_watcher *watcher = NULL;
    if (argc != 2)
        return 2;
    alarm(120);
    int tasks = threads();

    watcher = new_watcher(argv[1]);
    CHECK_ERROR(CRI_E_STATE, cri_watcher_wait_ready(watcher, -1, &err));
    CHECK_ERROR(CRI_OK, cri_watcher_stop(watcher, &err));
    stays_stopped(watcher);
    cri_watcher_free(watcher);

    watcher = new_watcher(argv[1]);
    CHECK_ERROR(CRI_OK, cri_watcher_start(watcher, &err));
    CHECK_ERROR(CRI_OK, cri_watcher_stop(watcher, &err));
    CHECK(threads_become(tasks));
    stays_stopped(watcher);
    cri_watcher_free(watcher);
    return failures != 0;
}
