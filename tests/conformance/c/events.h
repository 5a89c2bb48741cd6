/* Commands about events: a queue, a wait, a descriptor, a callback. */

#ifndef CONFORM_EVENTS_H
#define CONFORM_EVENTS_H

#include "line.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <time.h>

/* What an event has to be to end a wait; name NULL: about any container, or none. */
struct wanted {
    const char *type;
    const char *name;
};

static struct wanted wanted(void)
{
    const char *type = word();
    return (struct wanted){type, given(word())};
}

static int is_it(struct wanted wanted, const cri_event *event)
{
    return strcmp(cri_event_type_name(event->type), wanted.type) == 0
           && (wanted.name == NULL || (event->container != NULL && strcmp(event->container->name, wanted.name) == 0));
}

static int64_t now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static void do_queue(void)
{
    const uint32_t mask = (uint32_t)number(), flags = (uint32_t)number();
    cri_event_queue_free(queue);
    queue = NULL;
    seq = 0;
    answer(cri_event_queue_new(watcher, mask, flags, (size_t)number(), &queue, &err));
}

static void do_next(void)
{
    cri_event *event = NULL;
    const cri_status status = cri_event_queue_next(queue, number(), &event, &err);
    if (status == CRI_OK)
        print_event(event, &seq);
    cri_event_free(event);
    answer(status);
}

static void do_until(void)
{
    const struct wanted last = wanted();
    const int64_t deadline = now_ms() + number();
    cri_status status = CRI_OK;
    for (int found = 0; status == CRI_OK && !found;) {
        cri_event *event = NULL;
        const int64_t left = deadline - now_ms();
        status = cri_event_queue_next(queue, left > 0 ? left : 0, &event, &err);
        if (status == CRI_OK) {
            print_event(event, &seq);
            found = is_it(last, event);
        }
        cri_event_free(event);
    }
    answer(status);
}

static void do_wait_fd(void)
{
    struct pollfd fd = {cri_event_queue_fd(queue), POLLIN, 0};
    const int ready = poll(&fd, 1, (int)number());
    answer(ready > 0 ? CRI_OK : CRI_AGAIN);
}

static void do_drop(void)
{
    cri_event_queue_free(queue);
    queue = NULL;
    puts("ok");
}

struct listener {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    struct wanted last;
    uint64_t seq;
    int found, destroyed;
};

static void listen(const cri_event *event, void *user_data)
{
    struct listener *l = user_data;
    pthread_mutex_lock(&l->lock);
    if (!l->found) {
        print_event(event, &l->seq);
        l->found = is_it(l->last, event);
        pthread_cond_signal(&l->changed);
    }
    pthread_mutex_unlock(&l->lock);
}

static void destroy(void *user_data)
{
    ((struct listener *)user_data)->destroyed = 1;
}

static void do_callback(void)
{
    struct listener l = {PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, {NULL, NULL}, 0, 0, 0};
    const uint32_t mask = (uint32_t)number(), flags = (uint32_t)number();
    cri_subscription *subscription = NULL;
    struct timespec deadline;
    l.last = wanted();
    const int64_t ms = number();
    clock_gettime(CLOCK_REALTIME, &deadline);
    deadline.tv_sec += (time_t)(ms / 1000);
    deadline.tv_nsec += (long)(ms % 1000) * 1000000;
    if (deadline.tv_nsec >= 1000000000) {
        deadline.tv_sec++;
        deadline.tv_nsec -= 1000000000;
    }
    const cri_status status = cri_watcher_subscribe(watcher, mask, flags, listen, &l, destroy, &subscription, &err);
    if (status != CRI_OK) {
        answer(status);
        return;
    }
    pthread_mutex_lock(&l.lock);
    while (!l.found && pthread_cond_timedwait(&l.changed, &l.lock, &deadline) != ETIMEDOUT)
        ;
    const int found = l.found;
    l.found = 1; /* What comes now is not printed. */
    pthread_mutex_unlock(&l.lock);
    cri_subscription_free(subscription);
    if (found)
        printf("ok destroyed=%d\n", l.destroyed);
    else
        answer(CRI_AGAIN);
}

#endif
