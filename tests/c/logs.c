/* The log: its function gets what matters on a thread of its own, queues get the same as events, and everything is over
 * when the watcher is freed. Argument: the endpoint of a simulated engine, whose script this is. */

#include "calls.h"

typedef struct journal {
    struct calls calls;
    cri_watcher *watcher;
    int freed;
    char text[65536];
    size_t length;
    int too_chatty;
    uint32_t max_level;
} journal;

static journal *journal_new(uint32_t max_level)
{
    journal *self = calls_new(sizeof *self);
    self->max_level = max_level;
    return self;
}

static void on_message(uint32_t level, const char *message, void *user_data)
{
    journal *self = user_data;
    char name[16] = "";
    CHECK(pthread_getname_np(pthread_self(), name, sizeof name) == 0 && strcmp(name, "cri-log") == 0);
    pthread_mutex_lock(&self->calls.lock);
    calls_count(&self->calls);
    self->too_chatty += level < CRI_LOG_ERROR || level > self->max_level;
    self->length += (size_t)snprintf(self->text + self->length, sizeof self->text - self->length, "%u %s\n", level,
                                     message);
    CHECK(self->length < sizeof self->text);
    pthread_mutex_unlock(&self->calls.lock);
}

/* As on_message, and frees the watcher as soon as it is handed over. */
static void on_message_free(uint32_t level, const char *message, void *user_data)
{
    journal *self = user_data;
    cri_error *err = NULL;
    on_message(level, message, user_data);
    pthread_mutex_lock(&self->calls.lock);
    while (self->watcher == NULL)
        pthread_cond_wait(&self->calls.change, &self->calls.lock);
    int mine = !self->freed;
    self->freed = 1;
    pthread_mutex_unlock(&self->calls.lock);
    if (mine) {
        CHECK_ERROR(CRI_E_WOULD_DEADLOCK, cri_watcher_stop(self->watcher, &err));
        cri_watcher_free(self->watcher);
        CHECK(self->calls.destroyed == 0);
    }
}

struct search {
    const journal *journal;
    const char *what;
};

static int is_there(const void *argument)
{
    const struct search *search = argument;
    return strstr(search->journal->text, search->what) != NULL;
}

/* Waits, for 60 seconds at most, until a message has this in it. */
static int says(journal *self, const char *what)
{
    struct search search = {self, what};
    pthread_mutex_lock(&self->calls.lock);
    int said = calls_wait(&self->calls, 60, is_there, &search);
    if (!said)
        fprintf(stderr, "nobody says \"%s\":\n%s", what, self->text);
    pthread_mutex_unlock(&self->calls.lock);
    return said;
}

static void refusals(const char *endpoint)
{
    cri_error *err = NULL;
    journal *self = journal_new(CRI_LOG_DEBUG);
    cri_watcher *watcher = new_watcher(endpoint);
    CHECK_ERROR(CRI_E_INVALID_ARGUMENT, cri_watcher_set_log(watcher, 0, on_message, self, calls_destroyed, &err));
    CHECK_ERROR(CRI_E_INVALID_ARGUMENT, cri_watcher_set_log(watcher, 99, on_message, self, calls_destroyed, &err));
    CHECK(self->calls.destroyed == 2);
    CHECK_ERROR(CRI_OK, cri_watcher_set_log(watcher, CRI_LOG_DEBUG, on_message, self, calls_destroyed, &err));
    CHECK_ERROR(CRI_E_STATE, cri_watcher_set_log(watcher, CRI_LOG_DEBUG, on_message, self, calls_destroyed, &err));
    CHECK(self->calls.destroyed == 3);
    cri_watcher_free(watcher);
    CHECK(self->calls.destroyed == 4 && self->calls.made == 0);

    watcher = new_watcher(endpoint);
    CHECK_ERROR(CRI_OK, cri_watcher_start(watcher, &err));
    CHECK_ERROR(CRI_E_STATE, cri_watcher_set_log(watcher, CRI_LOG_DEBUG, on_message, self, calls_destroyed, &err));
    CHECK(self->calls.destroyed == 5);
    cri_watcher_free(watcher);
    calls_free(self);
}

static void its_function_may_free_the_watcher(const char *endpoint)
{
    int tasks = threads();
    cri_error *err = NULL;
    journal *self = journal_new(CRI_LOG_DEBUG);
    cri_watcher *watcher = new_watcher(endpoint);
    CHECK_ERROR(CRI_OK, cri_watcher_set_log(watcher, CRI_LOG_DEBUG, on_message_free, self, calls_destroyed, &err));
    CHECK_ERROR(CRI_OK, cri_watcher_start(watcher, &err));
    pthread_mutex_lock(&self->calls.lock);
    self->watcher = watcher;
    pthread_cond_broadcast(&self->calls.change);
    while (self->calls.destroyed == 0)
        pthread_cond_wait(&self->calls.change, &self->calls.lock);
    pthread_mutex_unlock(&self->calls.lock);
    CHECK(threads_become(tasks));
    CHECK(self->calls.destroyed == 1 && self->calls.after_destroy == 0 && self->calls.made > 0 && self->freed);
    calls_free(self);
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
    CHECK_ERROR(CRI_OK, cri_watcher_set_log(watcher, CRI_LOG_DEBUG, on_message, all, calls_destroyed, &err));
    CHECK_ERROR(CRI_OK, cri_event_queue_new(watcher, CRI_EVENT_MASK(CRI_EVENT_LOG), 0, 0, &logs, &err));
    CHECK_ERROR(CRI_OK, cri_event_queue_new(watcher, 0, 0, 0, &quiet, &err));
    CHECK_ERROR(CRI_OK, cri_event_queue_new(watcher, 0, CRI_SUBSCRIBE_LIVE_ONLY, 1, &slow, &err));
    CHECK_ERROR(CRI_OK, cri_watcher_start(watcher, &err));
    CHECK_ERROR(CRI_OK, cri_watcher_wait_ready(watcher, 60000, &err));

    CHECK(says(all, "3 connected: the engine is containerd"));
    CHECK(says(all, "3 the watcher notices changes by the engine's event stream"));
    CHECK(queue_says(logs, "connected: the engine is containerd"));

    /* Nobody takes from the slow queue. */
    tell("pod one ns=test app");
    CHECK(says(all, "2 a consumer of events is too slow"));

    /* A watcher beside it wants to hear of what is wrong only. */
    journal *discarded = journal_new(CRI_LOG_WARN);
    cri_watcher *other = new_watcher(argv[1]);
    CHECK_ERROR(CRI_OK, cri_watcher_set_log(other, CRI_LOG_WARN, on_message, discarded, calls_destroyed, &err));
    CHECK_ERROR(CRI_OK, cri_watcher_start(other, &err));
    CHECK_ERROR(CRI_OK, cri_watcher_wait_ready(other, 60000, &err));
    tell("down");
    CHECK(says(all, "the connection to the engine is lost"));
    CHECK(says(all, "2 connect unix://"));
    CHECK(says(discarded, "2 connect unix://"));
    tell("up");
    CHECK_ERROR(CRI_OK, cri_watcher_resync(watcher, 60000, &err));

    cri_watcher_free(other);
    CHECK(discarded->calls.destroyed == 1 && discarded->calls.after_destroy == 0 && discarded->too_chatty == 0);
    CHECK(strstr(discarded->text, "connected: the engine is") == NULL);
    cri_watcher_free(watcher);
    CHECK(all->calls.destroyed == 1 && all->calls.after_destroy == 0 && all->too_chatty == 0);

    cri_event *event = NULL;
    while (cri_event_queue_next(quiet, 0, &event, &err) == CRI_OK) {
        CHECK(event->type != CRI_EVENT_LOG);
        cri_event_free(event);
    }
    cri_event_queue_free(logs);
    cri_event_queue_free(quiet);
    cri_event_queue_free(slow);
    calls_free(all);
    calls_free(discarded);
    CHECK(threads_become(tasks));
    CHECK(descriptors() == fds);
    return failures != 0;
}
