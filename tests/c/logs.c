/* The log: its function gets what matters on a thread of its own, queues get the same as events, and everything is over
 * when the watcher is freed. Argument: the endpoint of a simulated engine, whose script this is. */

#include "check.h"

typedef struct journal {
    cri_watcher *watcher;
    int freed;
    pthread_mutex_t lock;
    pthread_cond_t change;
    char text[65536];
    size_t length;
    int messages, destroyed, after_destroy, too_chatty;
    uint32_t max_level;
} journal;

static journal *journal_new(uint32_t max_level)
{
    journal *self = calloc(1, sizeof *self);
    pthread_mutex_init(&self->lock, NULL);
    pthread_cond_init(&self->change, NULL);
    self->max_level = max_level;
    return self;
}

static void journal_free(journal *self)
{
    pthread_cond_destroy(&self->change);
    pthread_mutex_destroy(&self->lock);
    free(self);
}

static void on_message(uint32_t level, const char *message, void *user_data)
{
    journal *self = user_data;
    char name[16] = "";
    CHECK(pthread_getname_np(pthread_self(), name, sizeof name) == 0 && strcmp(name, "cri-log") == 0);
    pthread_mutex_lock(&self->lock);
    self->messages++;
    self->after_destroy += self->destroyed;
    self->too_chatty += level < CRI_LOG_ERROR || level > self->max_level;
    self->length += (size_t)snprintf(self->text + self->length, sizeof self->text - self->length, "%u %s\n", level,
                                     message);
    CHECK(self->length < sizeof self->text);
    pthread_cond_broadcast(&self->change);
    pthread_mutex_unlock(&self->lock);
}

static void on_destroy(void *user_data)
{
    journal *self = user_data;
    pthread_mutex_lock(&self->lock);
    self->destroyed++;
    pthread_cond_broadcast(&self->change);
    pthread_mutex_unlock(&self->lock);
}

/* As on_message, and frees the watcher as soon as it is handed over. */
static void on_message_free(uint32_t level, const char *message, void *user_data)
{
    journal *self = user_data;
    cri_error *err = NULL;
    on_message(level, message, user_data);
    pthread_mutex_lock(&self->lock);
    while (self->watcher == NULL)
        pthread_cond_wait(&self->change, &self->lock);
    int mine = !self->freed;
    self->freed = 1;
    pthread_mutex_unlock(&self->lock);
    if (mine) {
        CHECK_ERROR(CRI_E_WOULD_DEADLOCK, cri_watcher_stop(self->watcher, &err));
        cri_watcher_free(self->watcher);
        CHECK(self->destroyed == 0);
    }
}

/* Waits, for 60 seconds at most, until a message has this in it. */
static int says(journal *self, const char *what)
{
    struct timespec until;
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += 60;
    pthread_mutex_lock(&self->lock);
    while (strstr(self->text, what) == NULL && pthread_cond_timedwait(&self->change, &self->lock, &until) == 0)
        continue;
    int said = strstr(self->text, what) != NULL;
    if (!said)
        fprintf(stderr, "nobody says \"%s\":\n%s", what, self->text);
    pthread_mutex_unlock(&self->lock);
    return said;
}

static cri_watcher *new_watcher(const char *endpoint)
{
    cri_error *err = NULL;
    cri_watcher *watcher = NULL;
    CHECK_ERROR(CRI_OK, cri_watcher_new(endpoint, NULL, &watcher, &err));
    return watcher;
}

static void refusals(const char *endpoint)
{
    cri_error *err = NULL;
    journal *self = journal_new(CRI_LOG_DEBUG);
    cri_watcher *watcher = new_watcher(endpoint);
    CHECK_ERROR(CRI_E_INVALID_ARGUMENT, cri_watcher_set_log(watcher, 0, on_message, self, on_destroy, &err));
    CHECK_ERROR(CRI_E_INVALID_ARGUMENT, cri_watcher_set_log(watcher, 99, on_message, self, on_destroy, &err));
    CHECK(self->destroyed == 2);
    CHECK_ERROR(CRI_OK, cri_watcher_set_log(watcher, CRI_LOG_DEBUG, on_message, self, on_destroy, &err));
    CHECK_ERROR(CRI_E_STATE, cri_watcher_set_log(watcher, CRI_LOG_DEBUG, on_message, self, on_destroy, &err));
    CHECK(self->destroyed == 3);
    cri_watcher_free(watcher);
    CHECK(self->destroyed == 4 && self->messages == 0);

    watcher = new_watcher(endpoint);
    CHECK_ERROR(CRI_OK, cri_watcher_start(watcher, &err));
    CHECK_ERROR(CRI_E_STATE, cri_watcher_set_log(watcher, CRI_LOG_DEBUG, on_message, self, on_destroy, &err));
    CHECK(self->destroyed == 5);
    cri_watcher_free(watcher);
    journal_free(self);
}

static void its_function_may_free_the_watcher(const char *endpoint)
{
    int tasks = threads();
    cri_error *err = NULL;
    journal *self = journal_new(CRI_LOG_DEBUG);
    cri_watcher *watcher = new_watcher(endpoint);
    CHECK_ERROR(CRI_OK, cri_watcher_set_log(watcher, CRI_LOG_DEBUG, on_message_free, self, on_destroy, &err));
    CHECK_ERROR(CRI_OK, cri_watcher_start(watcher, &err));
    pthread_mutex_lock(&self->lock);
    self->watcher = watcher;
    pthread_cond_broadcast(&self->change);
    while (self->destroyed == 0)
        pthread_cond_wait(&self->change, &self->lock);
    pthread_mutex_unlock(&self->lock);
    CHECK(threads_become(tasks));
    CHECK(self->destroyed == 1 && self->after_destroy == 0 && self->messages > 0 && self->freed);
    journal_free(self);
}

/* A queue that asked for it has a LOG event that says this. */
static int queue_says(const cri_event_queue *queue, const char *what)
{
    cri_error *err = NULL;
    cri_event *event = NULL;
    int said = 0;
    while (!said && cri_event_queue_next(queue, 60000, &event, &err) == CRI_OK) {
        cri_buffer json = CRI_BUFFER_INIT;
        CHECK((event->type == CRI_EVENT_LOG) == (event->log_level != 0));
        CHECK_ERROR(CRI_OK, cri_event_json(event, &json, &err));
        said = event->type == CRI_EVENT_LOG && strstr(event->message, what) != NULL;
        CHECK(!said || strstr(json.data, "\"level\":\"info\"") != NULL);
        cri_buffer_free(&json);
        cri_event_free(event);
    }
    cri_error_free(err);
    return said;
}

int main(int argc, char **argv)
{
    if (argc != 2)
        return 2;
    alarm(300);
    int fds = descriptors(), tasks = threads();
    refusals(argv[1]);
    its_function_may_free_the_watcher(argv[1]);

    cri_error *err = NULL;
    cri_event_queue *logs = NULL, *quiet = NULL, *slow = NULL;
    journal *all = journal_new(CRI_LOG_DEBUG);
    cri_watcher *watcher = new_watcher(argv[1]);
    CHECK_ERROR(CRI_OK, cri_watcher_set_log(watcher, CRI_LOG_DEBUG, on_message, all, on_destroy, &err));
    CHECK_ERROR(CRI_OK, cri_event_queue_new(watcher, CRI_EVENT_MASK(CRI_EVENT_LOG), 0, 0, &logs, &err));
    CHECK_ERROR(CRI_OK, cri_event_queue_new(watcher, 0, 0, 0, &quiet, &err));
    CHECK_ERROR(CRI_OK, cri_event_queue_new(watcher, 0, CRI_SUBSCRIBE_LIVE_ONLY, 1, &slow, &err));
    CHECK_ERROR(CRI_OK, cri_watcher_start(watcher, &err));
    CHECK_ERROR(CRI_OK, cri_watcher_wait_ready(watcher, 60000, &err));

    CHECK(says(all, "3 connected: the engine is containerd"));
    CHECK(says(all, "3 changes are noticed by the engine's event stream"));
    CHECK(queue_says(logs, "connected: the engine is containerd"));

    /* Nobody takes from the slow queue. */
    tell("pod one ns=test app");
    CHECK(says(all, "2 a consumer of events is too slow"));

    /* A watcher beside it wants to hear of what is wrong only. */
    journal *discarded = journal_new(CRI_LOG_WARN);
    cri_watcher *other = new_watcher(argv[1]);
    CHECK_ERROR(CRI_OK, cri_watcher_set_log(other, CRI_LOG_WARN, on_message, discarded, on_destroy, &err));
    CHECK_ERROR(CRI_OK, cri_watcher_start(other, &err));
    CHECK_ERROR(CRI_OK, cri_watcher_wait_ready(other, 60000, &err));
    tell("down");
    CHECK(says(all, "the connection to the engine is lost"));
    CHECK(says(all, "2 connect unix://"));
    CHECK(says(discarded, "2 connect unix://"));
    tell("up");
    CHECK_ERROR(CRI_OK, cri_watcher_resync(watcher, 60000, &err));

    cri_watcher_free(other);
    CHECK(discarded->destroyed == 1 && discarded->after_destroy == 0 && discarded->too_chatty == 0);
    CHECK(strstr(discarded->text, "connected: the engine is") == NULL);
    cri_watcher_free(watcher);
    CHECK(all->destroyed == 1 && all->after_destroy == 0 && all->too_chatty == 0);

    cri_event *event = NULL;
    while (cri_event_queue_next(quiet, 0, &event, &err) == CRI_OK) {
        CHECK(event->type != CRI_EVENT_LOG);
        cri_event_free(event);
    }
    cri_event_queue_free(logs);
    cri_event_queue_free(quiet);
    cri_event_queue_free(slow);
    journal_free(all);
    journal_free(discarded);
    CHECK(threads_become(tasks));
    CHECK(descriptors() == fds);
    return failures != 0;
}
