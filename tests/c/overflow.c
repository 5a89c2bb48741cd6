/* Consumers that are too slow, a callback and a queue: both learn what they lost, get a new replay, and know afterwards
 * what runs. Argument: a simulated engine's endpoint. */

#include "check.h"

#define CAPACITY 4
#define RUNNING 64

/* A consumer that keeps a table of what runs. Replays replace it, so that one code path is enough. */
struct consumer {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    int may_go_on, waits, over, replays, overflows;
    uint64_t lost;
    char running[RUNNING][65];
    int n_running;
    unsigned char story[RUNNING * 8];
    size_t len;
};

static cri_watcher *watcher;
static cri_error *err;

static int find(const struct consumer *self, const char *id)
{
    for (int i = 0; i < self->n_running; i++)
        if (strcmp(self->running[i], id) == 0)
            return i;
    return -1;
}

static void note(struct consumer *self, const cri_event *event)
{
    int at;
    CHECK(self->len < sizeof self->story);
    self->story[self->len++] = (unsigned char)event->type;
    switch (event->type) {
    case CRI_EVENT_OVERFLOW:
        CHECK(event->lost > 0);
        self->overflows++;
        self->lost += event->lost;
        break;
    case CRI_EVENT_REPLAY_BEGIN:
        self->n_running = 0;
        break;
    case CRI_EVENT_REPLAY_END:
        self->replays++;
        break;
    case CRI_EVENT_STARTED:
        CHECK(find(self, event->container->id) == -1 && self->n_running < RUNNING);
        snprintf(self->running[self->n_running++], sizeof *self->running, "%s", event->container->id);
        break;
    case CRI_EVENT_EXITED:
        at = find(self, event->container->id);
        CHECK(at >= 0);
        memmove(self->running[at], self->running[--self->n_running], sizeof *self->running);
        break;
    }
}

static void on_event(const cri_event *event, void *user_data)
{
    struct consumer *self = user_data;
    pthread_mutex_lock(&self->lock);
    note(self, event);
    self->waits = 1;
    pthread_cond_broadcast(&self->changed);
    while (!self->may_go_on)
        pthread_cond_wait(&self->changed, &self->lock);
    pthread_mutex_unlock(&self->lock);
}

static void on_destroy(void *user_data)
{
    struct consumer *self = user_data;
    pthread_mutex_lock(&self->lock);
    self->over = 1;
    pthread_cond_broadcast(&self->changed);
    pthread_mutex_unlock(&self->lock);
}

static void take_all(struct consumer *self, const cri_event_queue *queue)
{
    cri_event *event = NULL;
    cri_status status;
    while ((status = cri_event_queue_next(queue, 0, &event, &err)) == CRI_OK) {
        note(self, event);
        cri_event_free(event);
    }
    CHECK_ERROR(CRI_AGAIN, status);
}

/* Told of the loss once, and what follows is a replay. */
static void is_told_and_shown_anew(const struct consumer *self)
{
    size_t at = 0;
    while (at < self->len && self->story[at] != CRI_EVENT_OVERFLOW)
        at++;
    CHECK(self->overflows == 1 && at + 1 < self->len && self->story[at + 1] == CRI_EVENT_REPLAY_BEGIN);
}

static void knows_what_lives(const struct consumer *self)
{
    cri_snapshot *snapshot = NULL;
    const cri_container *const *array = NULL;
    size_t len = 0;
    CHECK_ERROR(CRI_OK, cri_watcher_snapshot(watcher, &snapshot, &err));
    CHECK_ERROR(CRI_OK, cri_snapshot_containers(snapshot, &array, &len, &err));
    CHECK(len == (size_t)self->n_running);
    for (size_t i = 0; i < len; i++)
        CHECK(find(self, array[i]->id) >= 0);
    cri_snapshot_free(snapshot);
}

int main(int argc, char **argv)
{
    static struct consumer slow = {.lock = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER};
    static struct consumer lazy;
    uint32_t mask = CRI_EVENT_MASK(CRI_EVENT_STARTED) | CRI_EVENT_MASK(CRI_EVENT_EXITED);
    cri_subscription *subscription = NULL;
    cri_event_queue *queue = NULL, *live_only = NULL;
    cri_event *event = NULL;
    if (argc != 2)
        return 2;
    alarm(120);
    tell("pod web ns=shop nginx proxy");
    watcher = watcher_with(argv[1], "queue.capacity", "4");
    CHECK_ERROR(CRI_OK, cri_watcher_start(watcher, &err));
    CHECK_ERROR(CRI_OK, cri_watcher_wait_ready(watcher, 60000, &err));
    tell("wait-subscribed 1");
    CHECK_ERROR(CRI_OK, cri_watcher_subscribe(watcher, mask, 0, on_event, &slow, on_destroy, &subscription, &err));
    CHECK_ERROR(CRI_OK, cri_event_queue_new(watcher, mask, 0, CAPACITY, &queue, &err));
    CHECK_ERROR(CRI_OK, cri_event_queue_new(watcher, mask, CRI_SUBSCRIBE_LIVE_ONLY, CAPACITY, &live_only, &err));
    take_all(&lazy, queue);
    CHECK(lazy.replays == 1 && lazy.n_running == 3 && lazy.story[0] == CRI_EVENT_REPLAY_BEGIN);
    pthread_mutex_lock(&slow.lock);
    while (!slow.waits)
        pthread_cond_wait(&slow.changed, &slow.lock);
    CHECK(slow.story[0] == CRI_EVENT_REPLAY_BEGIN);
    pthread_mutex_unlock(&slow.lock);

    /* More than any of them holds. */
    tell("pod job ns=batch a b c d e f");
    tell("kill a KILL");
    tell("rm-pod web");
    CHECK_ERROR(CRI_OK, cri_watcher_resync(watcher, 60000, &err));

    take_all(&lazy, queue);
    is_told_and_shown_anew(&lazy);
    CHECK(lazy.replays == 2 && lazy.lost > CAPACITY);
    knows_what_lives(&lazy);

    CHECK_ERROR(CRI_OK, cri_event_queue_next(live_only, 0, &event, &err));
    CHECK(event->type == CRI_EVENT_OVERFLOW && event->lost > CAPACITY && event->container == NULL);
    cri_event_free(event);
    CHECK_ERROR(CRI_AGAIN, cri_event_queue_next(live_only, 0, &event, &err));

    pthread_mutex_lock(&slow.lock);
    slow.may_go_on = 1;
    pthread_cond_broadcast(&slow.changed);
    pthread_mutex_unlock(&slow.lock);
    /* The alarm is the deadline. Its first replay is completed, then it learns of the loss and gets the second. */
    for (int done = 0; !done;) {
        pthread_mutex_lock(&slow.lock);
        done = slow.overflows == 1 && slow.story[slow.len - 1] == CRI_EVENT_REPLAY_END;
        if (!done)
            pthread_cond_wait(&slow.changed, &slow.lock);
        pthread_mutex_unlock(&slow.lock);
    }
    is_told_and_shown_anew(&slow);
    knows_what_lives(&slow);

    /* From here on it is as if nothing had been: the same live events for both. */
    tell("pod more ns=batch g");
    CHECK_ERROR(CRI_OK, cri_watcher_resync(watcher, 60000, &err));
    take_all(&lazy, queue);
    CHECK(lazy.overflows == 1);
    knows_what_lives(&lazy);
    CHECK_ERROR(CRI_OK, cri_watcher_stop(watcher, &err));
    /* What waits is still reported; a free would end that. */
    pthread_mutex_lock(&slow.lock);
    while (!slow.over)
        pthread_cond_wait(&slow.changed, &slow.lock);
    pthread_mutex_unlock(&slow.lock);
    cri_subscription_free(subscription);
    knows_what_lives(&slow);
    cri_event_queue_free(queue);
    cri_event_queue_free(live_only);
    cri_watcher_free(watcher);
    return failures != 0;
}
