/* The engine goes away in the midst of traffic, again and again, while SIGPIPE is at its default, which kills. The host
 * program survives, and its watcher goes on. Argument: a simulated engine. */

#include "../c/check.h"

static const cri_watcher *watcher;
static int over;
static long succeeded, failed;

/* Keeps requests on the wire. */
static void *ask(void *argument)
{
    (void)argument;
    while (!__atomic_load_n(&over, __ATOMIC_SEQ_CST)) {
        cri_buffer buffer = CRI_BUFFER_INIT;
        cri_status status = cri_watcher_call(watcher, "RuntimeService/ListContainers", NULL, 20000, &buffer, NULL);
        __atomic_add_fetch(status == CRI_OK ? &succeeded : &failed, 1, __ATOMIC_RELAXED);
        cri_buffer_free(&buffer);
    }
    return NULL;
}

static long now(const long *counter)
{
    return __atomic_load_n(counter, __ATOMIC_RELAXED);
}

int main(int argc, char **argv)
{
    cri_error *err = NULL;
    cri_watcher *own = NULL;
    cri_options *options = NULL;
    cri_buffer stats = CRI_BUFFER_INIT;
    pthread_t crowd[4];
    struct sigaction action;
    if (argc != 2)
        return 2;
    alarm(300);
    CHECK(sigaction(SIGPIPE, NULL, &action) == 0 && action.sa_handler == SIG_DFL);
    tell("pod web ns=shop nginx");
    CHECK_ERROR(CRI_OK, cri_options_new(&options, &err));
    CHECK_ERROR(CRI_OK, cri_options_set(options, "reconnect.min_delay_ms", "10", &err));
    CHECK_ERROR(CRI_OK, cri_options_set(options, "reconnect.max_delay_ms", "50", &err));
    CHECK_ERROR(CRI_OK, cri_watcher_new(argv[1], options, &own, &err));
    cri_options_free(options);
    watcher = own;
    CHECK_ERROR(CRI_OK, cri_watcher_start(watcher, &err));
    CHECK_ERROR(CRI_OK, cri_watcher_wait_ready(watcher, 20000, &err));
    for (int i = 0; i < 4; i++)
        CHECK(pthread_create(&crowd[i], NULL, ask, NULL) == 0);
    int restarts = getenv("SHORT") != NULL ? 10 : 100;
    for (int i = 0; i < restarts; i++) {
        long before = now(&succeeded);
        for (int j = 0; j < 4000 && now(&succeeded) < before + 5; j++)
            nanosleep(&(struct timespec){0, 5000000}, NULL);
        CHECK(now(&succeeded) >= before + 5); /* There is traffic to be cut. */
        tell("restart");
        CHECK_ERROR(CRI_OK, cri_watcher_resync(watcher, 20000, &err));
    }
    __atomic_store_n(&over, 1, __ATOMIC_SEQ_CST);
    for (int i = 0; i < 4; i++)
        pthread_join(crowd[i], NULL);
    CHECK_ERROR(CRI_OK, cri_watcher_stats(watcher, &stats, &err));
    const char *connects = stats.data != NULL ? strstr(stats.data, "\"connects\":") : NULL;
    CHECK(connects != NULL && atol(connects + strlen("\"connects\":")) > restarts);
    CHECK(sigaction(SIGPIPE, NULL, &action) == 0 && action.sa_handler == SIG_DFL);
    fprintf(stderr, "restarts: %d; calls: %ld answered, %ld cut off\n", restarts, succeeded, failed);
    cri_buffer_free(&stats);
    cri_watcher_free(own);
    return failures != 0;
}
