/* The table of examples/c/table.c, behind a queue that is far too small: after overflows and replays it has what a snapshot has.
 * Argument: a simulated engine. */

#define main example
#include "../../examples/c/table.c"
#undef main

#include "check.h"

static cri_error *err;
static size_t overflows;

static int is_as_a_snapshot(const table *t, const cri_watcher *watcher)
{
    cri_snapshot *snapshot = NULL;
    const cri_container *const *running = NULL;
    size_t len = 0, same = 0;
    CHECK_ERROR(CRI_OK, cri_watcher_snapshot(watcher, &snapshot, &err));
    CHECK_ERROR(CRI_OK, cri_snapshot_containers(snapshot, &running, &len, &err));
    for (size_t i = 0; i < len; i++) {
        const row *known = find(t, running[i]->id);
        same += known != NULL && known->container->state == CRI_STATE_RUNNING && known->container->pod != NULL;
    }
    cri_snapshot_free(snapshot);
    return same == len && len == t->len;
}

/* As drain, but waits until the table is right: starts are reported once their pid was asked for. */
static void settle(table *t, const cri_watcher *watcher, const cri_event_queue *queue)
{
    cri_event *event = NULL;
    CHECK_ERROR(CRI_OK, cri_watcher_resync(watcher, 60000, &err));
    while (failures == 0 && (t->is_in_replay || !is_as_a_snapshot(t, watcher))) {
        CHECK_ERROR(CRI_OK, cri_event_queue_next(queue, 60000, &event, &err));
        if (failures != 0)
            return;
        overflows += event->type == CRI_EVENT_OVERFLOW;
        apply(t, event);
        cri_event_free(event);
    }
}

int main(int argc, char **argv)
{
    cri_watcher *watcher = NULL;
    cri_event_queue *queue = NULL;
    table t = {NULL, 0, 0, 0, 0};
    char line[64];
    if (argc != 2)
        return 2;
    alarm(300);
    tell("pod first ns=shop app");
    CHECK_ERROR(CRI_OK, cri_watcher_new(argv[1], NULL, &watcher, &err));
    CHECK_ERROR(CRI_OK, cri_event_queue_new(watcher, 0, 0, 8, &queue, &err));
    CHECK_ERROR(CRI_OK, cri_watcher_start(watcher, &err));
    CHECK_ERROR(CRI_OK, cri_watcher_wait_ready(watcher, 60000, &err));
    settle(&t, watcher, queue);
    CHECK(t.len == 2 && find(&t, "nobody") == NULL);
    for (int round = 0; round < 3; round++) {
        /* More than the queue holds, and nobody takes it. */
        for (int i = 0; i < 6; i++) {
            snprintf(line, sizeof line, "pod p%d-%d ns=shop one two", round, i);
            tell(line);
        }
        if (round > 0) {
            for (int i = 0; i < 6; i++) {
                snprintf(line, sizeof line, "rm-pod p%d-%d", round - 1, i);
                tell(line);
            }
        }
        settle(&t, watcher, queue);
        CHECK(t.len == 2 + 18);
    }
    CHECK(overflows > 0);
    clear(&t);
    cri_event_queue_free(queue);
    cri_watcher_free(watcher);
    return failures != 0;
}
