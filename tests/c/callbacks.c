/* Subscriptions: destroy runs once on every path, a free is a barrier, and inside callbacks nothing waits for itself.
 * Argument: an endpoint where nobody is. The events are those of the watcher's own state. */

#include "calls.h"

#include <sys/wait.h>

/* What a subscription gets, and what it does then. */
typedef struct listener {
    struct calls calls;
    int worked;
    size_t bytes;
    cri_watcher *watcher;
    cri_subscription *subscription;
    void (*act)(struct listener *self, const cri_event *event);
} listener;

static const char *endpoint;

static listener *listener_new(void (*act)(listener *, const cri_event *))
{
    listener *self = calls_new(sizeof *self);
    self->act = act;
    return self;
}

static void on_event(const cri_event *event, void *user_data)
{
    listener *self = user_data;
    size_t bytes = read_whole(event);
    pthread_mutex_lock(&self->calls.lock);
    self->bytes += bytes;
    int first = calls_count(&self->calls);
    pthread_mutex_unlock(&self->calls.lock);
    if (first && self->act != NULL)
        self->act(self, event);
}

static int is_counted(const void *counter)
{
    return *(const int *)counter != 0;
}

/* Waits, for 20 seconds at most, until a counter has reached 1. */
static int reached(listener *self, const int *counter)
{
    pthread_mutex_lock(&self->calls.lock);
    int now = calls_wait(&self->calls, 20, is_counted, counter);
    pthread_mutex_unlock(&self->calls.lock);
    return now;
}

static void subscribe(listener *self)
{
    cri_error *err = NULL;
    self->watcher = new_watcher(endpoint);
    CHECK_ERROR(CRI_OK,
                cri_watcher_subscribe(self->watcher, 0, 0, on_event, self, calls_destroyed, &self->subscription, &err));
    CHECK_ERROR(CRI_OK, cri_watcher_start(self->watcher, &err));
}

static void the_event_is_whole(listener *self, const cri_event *event)
{
    (void)self;
    cri_error *err = NULL;
    cri_buffer json = CRI_BUFFER_INIT;
    CHECK(event->struct_size == sizeof(cri_event) && event->type != 0 && event->message != NULL);
    CHECK_ERROR(CRI_OK, cri_event_json(event, &json, &err));
    CHECK(json.data != NULL && json.data[0] == '{' && strlen(json.data) == json.len);
    cri_buffer_free(&json);

    char name[16] = "";
    sigset_t blocked;
    CHECK(pthread_getname_np(pthread_self(), name, sizeof name) == 0 && strcmp(name, "cri-events") == 0);
    CHECK(pthread_sigmask(SIG_BLOCK, NULL, &blocked) == 0);
    CHECK(sigismember(&blocked, SIGPIPE) && sigismember(&blocked, SIGTERM) && !sigismember(&blocked, SIGSEGV));
}

static void a_free_is_a_barrier(void)
{
    int tasks = threads();
    listener *self = listener_new(the_event_is_whole);
    subscribe(self);
    CHECK(reached(self, &self->calls.made));
    cri_subscription_free(self->subscription);
    /* No lock: nobody else may be there any more. */
    CHECK(self->calls.destroyed == 1 && self->calls.after_destroy == 0);
    cri_watcher_free(self->watcher);
    CHECK(threads_become(tasks));
    calls_free(self);
}

static void work_for_a_while(listener *self, const cri_event *event)
{
    (void)event;
    nanosleep(&(struct timespec){0, 200000000}, NULL);
    self->worked = 1;
}

static void a_free_waits_for_the_call_under_way(void)
{
    listener *self = listener_new(work_for_a_while);
    subscribe(self);
    CHECK(reached(self, &self->calls.made));
    cri_subscription_free(self->subscription);
    CHECK(self->worked == 1 && self->calls.destroyed == 1);
    cri_watcher_free(self->watcher);
    calls_free(self);
}

static void a_subscription_outlives_its_watcher(void)
{
    listener *self = listener_new(NULL);
    subscribe(self);
    cri_watcher_free(self->watcher);
    CHECK(reached(self, &self->calls.destroyed));
    cri_subscription_free(self->subscription);
    CHECK(self->calls.destroyed == 1 && self->calls.after_destroy == 0);
    calls_free(self);
}

static void free_subscription(listener *self, const cri_event *event)
{
    (void)event;
    cri_subscription_free(self->subscription);
    CHECK(self->calls.destroyed == 0);
}

static void a_callback_may_end_its_subscription(void)
{
    int tasks = threads();
    listener *self = listener_new(free_subscription);
    subscribe(self);
    CHECK(reached(self, &self->calls.destroyed));
    CHECK(self->calls.made == 1 && self->calls.destroyed == 1);
    cri_watcher_free(self->watcher);
    CHECK(threads_become(tasks));
    calls_free(self);
}

static void stop_and_free_watcher(listener *self, const cri_event *event)
{
    (void)event;
    cri_error *err = NULL;
    CHECK_ERROR(CRI_E_WOULD_DEADLOCK, cri_watcher_stop(self->watcher, &err));
    cri_watcher_free(self->watcher);
    CHECK(self->calls.destroyed == 0);
}

static void a_callback_may_free_its_watcher(void)
{
    int tasks = threads();
    listener *self = listener_new(stop_and_free_watcher);
    subscribe(self);
    CHECK(reached(self, &self->calls.destroyed));
    cri_subscription_free(self->subscription);
    CHECK(self->calls.destroyed == 1 && self->calls.after_destroy == 0);
    CHECK(threads_become(tasks));
    calls_free(self);
}

static void a_refused_subscription_is_destroyed(void)
{
    cri_error *err = NULL;
    listener *self = listener_new(NULL);
    self->watcher = new_watcher(endpoint);
    CHECK_ERROR(CRI_OK, cri_watcher_stop(self->watcher, &err));
    CHECK_ERROR(CRI_OK, cri_watcher_stop(self->watcher, &err));
    CHECK_ERROR(CRI_E_STOPPED,
                cri_watcher_subscribe(self->watcher, 0, 0, on_event, self, calls_destroyed, &self->subscription, &err));
    CHECK(self->calls.destroyed == 1 && self->calls.made == 0 && self->subscription == NULL);
    cri_watcher_free(self->watcher);
    calls_free(self);
}

static void a_forked_child_gets_an_error(void)
{
    listener *self = listener_new(NULL);
    subscribe(self);
    CHECK(reached(self, &self->calls.made));
    fflush(stdout);
    pid_t child = fork();
    if (child == 0) {
        cri_error *err = NULL;
        cri_buffer buffer = CRI_BUFFER_INIT;
        failures = 0;
        CHECK_ERROR(CRI_E_FORKED, cri_watcher_list(self->watcher, NULL, &buffer, &err));
        CHECK_ERROR(CRI_E_FORKED, cri_watcher_stop(self->watcher, &err));
        cri_subscription_free(self->subscription);
        cri_watcher_free(self->watcher);
        fflush(stdout);
        /* Not by _exit: what leaks on purpose here is a leak to valgrind. */
        const char *verdict = failures == 0 ? "true" : "false";
        execlp(verdict, verdict, (char *)NULL);
        _exit(2);
    }
    int status = -1;
    CHECK(waitpid(child, &status, 0) == child && status == 0);
    cri_subscription_free(self->subscription);
    cri_watcher_free(self->watcher);
    CHECK(self->calls.destroyed == 1);
    calls_free(self);
}

static void a_watcher_may_be_made_before_fork_and_started_after(void)
{
    cri_error *err = NULL;
    listener *self = listener_new(NULL);
    self->watcher = new_watcher(endpoint);
    fflush(stdout);
    pid_t child = fork();
    if (child == 0) {
        failures = 0;
        CHECK_ERROR(CRI_OK,
                    cri_watcher_subscribe(self->watcher, 0, 0, on_event, self, calls_destroyed, &self->subscription, &err));
        CHECK_ERROR(CRI_OK, cri_watcher_start(self->watcher, &err));
        CHECK(reached(self, &self->calls.made));
        cri_subscription_free(self->subscription);
        CHECK(self->calls.destroyed == 1);
    }
    cri_watcher_free(self->watcher);
    calls_free(self);
    if (child == 0) {
        fflush(stdout);
        _exit(failures != 0);
    }
    int status = -1;
    CHECK(waitpid(child, &status, 0) == child && status == 0);
}

static void *come_and_go(void *argument)
{
    cri_watcher *watcher = argument;
    for (int i = 0; i < 50; i++) {
        listener *self = listener_new(NULL);
        cri_error *err = NULL;
        CHECK_ERROR(CRI_OK,
                    cri_watcher_subscribe(watcher, 0, 0, on_event, self, calls_destroyed, &self->subscription, &err));
        cri_subscription_free(self->subscription);
        CHECK(self->calls.destroyed == 1 && self->calls.after_destroy == 0);
        calls_free(self);
    }
    return NULL;
}

static void many_come_and_go(void)
{
    cri_error *err = NULL;
    cri_watcher *watcher = NULL;
    pthread_t crowd[4];
    watcher = new_watcher(endpoint);
    CHECK_ERROR(CRI_OK, cri_watcher_start(watcher, &err));
    for (int i = 0; i < 4; i++)
        CHECK(pthread_create(&crowd[i], NULL, come_and_go, watcher) == 0);
    for (int i = 0; i < 4; i++)
        pthread_join(crowd[i], NULL);
    cri_watcher_free(watcher);
}

int main(int argc, char **argv)
{
    if (argc != 2)
        return 2;
    endpoint = argv[1];
    alarm(300);
    a_free_is_a_barrier();
    a_free_waits_for_the_call_under_way();
    a_subscription_outlives_its_watcher();
    a_callback_may_end_its_subscription();
    a_callback_may_free_its_watcher();
    a_refused_subscription_is_destroyed();
    a_forked_child_gets_an_error();
    a_watcher_may_be_made_before_fork_and_started_after();
    many_come_and_go();
    return failures != 0;
}
