/* A replay that has begun is completed, however small the queue is and however much happens between two reads.
 * Argument: a simulated engine's endpoint. */

#include "check.h"

#define CAPACITY 2
#define REPLAYS 3
/* A replay shows at most what runs by then; OVERFLOW, REPLAY_BEGIN and REPLAY_END stand around it. */
#define MOST_READS 200

int main(int argc, char **argv)
{
    cri_error *err = NULL;
    cri_watcher *watcher = NULL;
    cri_event_queue *queue = NULL;
    cri_event *event = NULL;
    int begun = 0, ended = 0, shown = 0, reads = 0;
    if (argc != 2)
        return 2;
    alarm(120);
    tell("pod web ns=shop nginx proxy");
    CHECK_ERROR(CRI_OK, cri_watcher_new(argv[1], NULL, &watcher, &err));
    CHECK_ERROR(CRI_OK, cri_watcher_start(watcher, &err));
    CHECK_ERROR(CRI_OK, cri_watcher_wait_ready(watcher, 60000, &err));
    tell("wait-subscribed 1");
    CHECK_ERROR(CRI_OK, cri_event_queue_new(watcher, 0, 0, CAPACITY, &queue, &err));
    while (ended < REPLAYS && reads++ < MOST_READS) {
        char pod[64];
        /* One read, then more events than the queue holds: a pod's sandbox and its containers. */
        CHECK_ERROR(CRI_OK, cri_event_queue_next(queue, 60000, &event, &err));
        switch (event->type) {
        case CRI_EVENT_REPLAY_BEGIN:
            CHECK(begun == ended);
            begun++;
            shown = 0;
            break;
        case CRI_EVENT_STARTED:
            CHECK(begun == ended + 1 && (event->flags & CRI_EVENT_FLAG_INITIAL));
            shown++;
            break;
        case CRI_EVENT_REPLAY_END:
            CHECK(begun == ended + 1 && shown >= 3);
            ended++;
            break;
        case CRI_EVENT_OVERFLOW:
            /* Never inside a replay. */
            CHECK(begun == ended && event->lost > CAPACITY);
            break;
        default:
            CHECK(begun == ended);
        }
        cri_event_free(event);
        /* The oldest one goes, so that a replay does not grow with every read. */
        if (reads > 1) {
            snprintf(pod, sizeof pod, "rm-pod job-%d", reads - 1);
            tell(pod);
        }
        snprintf(pod, sizeof pod, "pod job-%d ns=batch a b c", reads);
        tell(pod);
        CHECK_ERROR(CRI_OK, cri_watcher_resync(watcher, 60000, &err));
    }
    CHECK(ended == REPLAYS);
    cri_event_queue_free(queue);
    cri_watcher_free(watcher);
    return failures != 0;
}
