/* 64 consumers, queues and callbacks in turns, of which the first half comes before the start and the others in the middle:
 * those of one half get the same events, and all know the same in the end.
 * Argument: a simulated engine's endpoint. */

#include "check.h"

#define CONSUMERS 64
#define STORY 4096

/* What one of them got, a line for each event. */
struct consumer {
    pthread_mutex_t lock;
    char story[STORY];
    size_t len;
    uint64_t last_seq;
    int replays, in_replay, destroyed;
    cri_event_queue *queue;
    cri_subscription *subscription;
    pthread_t reader;
};

static struct consumer consumers[CONSUMERS];
static cri_watcher *watcher;
static cri_error *err;

static void note(const cri_event *event, void *user_data)
{
    struct consumer *self = user_data;
    pthread_mutex_lock(&self->lock);
    CHECK(event->seq > self->last_seq);
    self->last_seq = event->seq;
    CHECK(event->type != CRI_EVENT_OVERFLOW);
    self->in_replay = event->type == CRI_EVENT_REPLAY_BEGIN || (self->in_replay && event->type != CRI_EVENT_REPLAY_END);
    self->replays += event->type == CRI_EVENT_REPLAY_END;
    if (event->type == CRI_EVENT_STARTED || event->type == CRI_EVENT_EXITED) {
        CHECK(self->in_replay == ((event->flags & CRI_EVENT_FLAG_INITIAL) != 0));
        read_whole(event);
        self->len += (size_t)snprintf(self->story + self->len, STORY - self->len, "%u %.8s %s\n", event->type,
                                      event->container->id, event->container->name);
        CHECK(self->len < STORY);
    }
    pthread_mutex_unlock(&self->lock);
}

static void destroy(void *user_data)
{
    struct consumer *self = user_data;
    pthread_mutex_lock(&self->lock);
    self->destroyed++;
    pthread_mutex_unlock(&self->lock);
}

static void *drain(void *argument)
{
    struct consumer *self = argument;
    cri_event *event = NULL;
    cri_status status;
    while ((status = cri_event_queue_next(self->queue, -1, &event, NULL)) == CRI_OK) {
        note(event, self);
        cri_event_free(event);
    }
    CHECK(status == CRI_CLOSED);
    return NULL;
}

static void join_in(int from, int to)
{
    uint32_t mask = CRI_EVENT_MASK(CRI_EVENT_STARTED) | CRI_EVENT_MASK(CRI_EVENT_EXITED);
    for (struct consumer *c = consumers + from; c < consumers + to; c++) {
        pthread_mutex_init(&c->lock, NULL);
        if ((c - consumers) % 2 == 0) {
            CHECK_ERROR(CRI_OK, cri_event_queue_new(watcher, mask, 0, 0, &c->queue, &err));
            CHECK(pthread_create(&c->reader, NULL, drain, c) == 0);
        } else {
            CHECK_ERROR(CRI_OK, cri_watcher_subscribe(watcher, mask, 0, note, c, destroy, &c->subscription, &err));
        }
    }
}

static int knows(struct consumer *self, const char *name)
{
    pthread_mutex_lock(&self->lock);
    int found = name != NULL ? strstr(self->story, name) != NULL : self->destroyed;
    pthread_mutex_unlock(&self->lock);
    return found;
}

/* Waits, for 60 seconds at most, until it got this one; NULL: until it got everything, and destroyed. */
static void wait_for(struct consumer *self, const char *name)
{
    for (int i = 0; i < 12000 && !knows(self, name); i++)
        nanosleep(&(struct timespec){0, 5000000}, NULL);
    CHECK(knows(self, name));
}

static void same_story(int from, int to)
{
    for (int i = from; i < to; i++) {
        CHECK(consumers[i].replays == 1 && consumers[i].len > 0);
        if (strcmp(consumers[i].story, consumers[from].story) != 0) {
            failures++;
            fprintf(stderr, "%d:\n%s\n%d:\n%s\n", from, consumers[from].story, i, consumers[i].story);
        }
    }
}

int main(int argc, char **argv)
{
    if (argc != 2)
        return 2;
    alarm(240);
    int fds = descriptors(), tasks = threads();
    tell("pod web ns=shop nginx proxy");
    watcher = new_watcher(argv[1]);
    join_in(0, CONSUMERS / 2);
    CHECK_ERROR(CRI_OK, cri_watcher_start(watcher, &err));
    CHECK_ERROR(CRI_OK, cri_watcher_wait_ready(watcher, 60000, &err));
    tell("wait-subscribed 1");
    tell("pod job ns=batch first second");
    tell("kill first KILL");
    tell("pod late ns=batch third");
    for (int i = 0; i < CONSUMERS / 2; i++)
        wait_for(consumers + i, "third");
    /* Nothing is open any more: who joins in now is shown what the others know. */
    CHECK_ERROR(CRI_OK, cri_watcher_resync(watcher, 60000, &err));

    join_in(CONSUMERS / 2, CONSUMERS);
    tell("rm-pod web");
    tell("pod last ns=batch omega");
    for (int i = 0; i < CONSUMERS; i++)
        wait_for(consumers + i, "omega");
    CHECK_ERROR(CRI_OK, cri_watcher_stop(watcher, &err));
    for (struct consumer *c = consumers; c < consumers + CONSUMERS; c++) {
        if (c->queue != NULL)
            pthread_join(c->reader, NULL);
        else
            wait_for(c, NULL); /* A free would end what is still to be reported. */
        cri_event_queue_free(c->queue);
        cri_subscription_free(c->subscription);
        CHECK(c->destroyed == (c->subscription != NULL));
    }
    same_story(0, CONSUMERS / 2);
    same_story(CONSUMERS / 2, CONSUMERS);
    CHECK(strstr(consumers[0].story, "1 ") != NULL && strstr(consumers[0].story, "first") != NULL);
    CHECK(strstr(consumers[CONSUMERS - 1].story, "first") == NULL);
    cri_watcher_free(watcher);
    CHECK(threads_become(tasks));
    CHECK(descriptors() == fds);
    return failures != 0;
}
