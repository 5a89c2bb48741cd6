/* What a callback counts: its calls, and those of destroy. It is the first field of a callback's user data, so that
 * calls_destroyed serves them all. */

#ifndef CALLS_H
#define CALLS_H

#include "check.h"

struct calls {
    pthread_mutex_t lock;
    pthread_cond_t change;
    int made, destroyed, after_destroy;
};

/* User data of this size, zeroed but for the counts. */
static inline void *calls_new(size_t size)
{
    struct calls *self = calloc(1, size);
    pthread_mutex_init(&self->lock, NULL);
    pthread_cond_init(&self->change, NULL);
    return self;
}

static inline void calls_free(void *user_data)
{
    struct calls *self = user_data;
    pthread_cond_destroy(&self->change);
    pthread_mutex_destroy(&self->lock);
    free(self);
}

/* Counts a call, with the lock held; whether it is the first one. */
static inline int calls_count(struct calls *self)
{
    self->after_destroy += self->destroyed;
    pthread_cond_broadcast(&self->change);
    return self->made++ == 0;
}

/* The destroy function. */
static inline void calls_destroyed(void *user_data)
{
    struct calls *self = user_data;
    pthread_mutex_lock(&self->lock);
    self->destroyed++;
    pthread_cond_broadcast(&self->change);
    pthread_mutex_unlock(&self->lock);
}

/* Waits, with the lock held and for so many seconds at most, until `is_so` is. */
static inline int calls_wait(struct calls *self, int seconds, int (*is_so)(const void *argument), const void *argument)
{
    struct timespec until;
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += seconds;
    while (!is_so(argument) && pthread_cond_timedwait(&self->change, &self->lock, &until) == 0)
        continue;
    return is_so(argument);
}

#endif
