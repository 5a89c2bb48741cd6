/* The process ends, 20 times, with everything alive and busy: by a return from main, by exit in another thread, by exit
 * in a callback of events or of the log. Arguments: a simulated engine with a workload; main, thread, callback or log. */

#include "../c/check.h"

#include <sys/wait.h>

static const char *how;
static int calls;

static int is(const char *way)
{
    return strcmp(how, way) == 0;
}

static void on_event(const cri_event *event, void *user_data)
{
    (void)event;
    (void)user_data;
    if (__atomic_add_fetch(&calls, 1, __ATOMIC_RELAXED) == 3 && is("callback"))
        exit(failures != 0);
}

static void on_log(uint32_t level, const char *message, void *user_data)
{
    (void)level;
    (void)message;
    (void)user_data;
    if (is("log"))
        exit(failures != 0);
}

static void *end(void *argument)
{
    exit(*(int *)argument);
}

static int live(const char *endpoint)
{
    cri_error *err = NULL;
    pthread_t thread;
    failures = 0;
    alarm(60);
    for (int i = 0; i < 2; i++) {
        cri_watcher *watcher = NULL;
        cri_subscription *subscription = NULL;
        CHECK_ERROR(CRI_OK, cri_watcher_new(endpoint, NULL, &watcher, &err));
        CHECK_ERROR(CRI_OK, cri_watcher_set_log(watcher, CRI_LOG_DEBUG, on_log, NULL, NULL, &err));
        CHECK_ERROR(CRI_OK, cri_watcher_start(watcher, &err));
        CHECK_ERROR(CRI_OK, cri_watcher_subscribe(watcher, 0, 0, on_event, NULL, NULL, &subscription, &err));
    }
    if (is("callback") || is("log"))
        for (;;)
            pause();
    for (int i = 0; i < 4000 && __atomic_load_n(&calls, __ATOMIC_RELAXED) < 3; i++)
        nanosleep(&(struct timespec){0, 5000000}, NULL);
    CHECK(__atomic_load_n(&calls, __ATOMIC_RELAXED) >= 3);
    if (is("thread")) {
        CHECK(pthread_create(&thread, NULL, end, &failures) == 0);
        for (;;)
            pause();
    }
    return failures != 0;
}

int main(int argc, char **argv)
{
    if (argc != 3)
        return 2;
    how = argv[2];
    alarm(240);
    for (int i = 0; i < 20; i++) {
        fflush(stdout);
        pid_t child = fork();
        if (child == 0)
            return live(argv[1]);
        int status = -1;
        CHECK(waitpid(child, &status, 0) == child && status == 0);
    }
    return failures != 0;
}
