/* fork in the midst of traffic. Without exec: every call on what the parent has started answers CRI_E_FORKED, every
 * free is harmless, and a watcher of the child's own works; the parent goes on. With exec: no descriptor is inherited.
 * Argument: a simulated engine; or "count", to give the number of descriptors as the exit code. */

#include "../c/check.h"

#include <fcntl.h>
#include <sys/wait.h>

static const char *program;
static const char *endpoint;
static cri_watcher *watcher;
static cri_subscription *subscription;
static cri_event_queue *queue;
static int calls, destroyed;

static void on_event(const cri_event *event, void *user_data)
{
    (void)event;
    (void)user_data;
    __atomic_add_fetch(&calls, 1, __ATOMIC_RELAXED);
}

static void on_destroy(void *user_data)
{
    (void)user_data;
    __atomic_add_fetch(&destroyed, 1, __ATOMIC_RELAXED);
}

static void every_call_says_so(void)
{
    cri_error *err = NULL;
    cri_buffer b = CRI_BUFFER_INIT;
    cri_snapshot *snapshot = NULL;
    cri_subscription *s = NULL;
    cri_event_queue *q = NULL;
    cri_event *event = NULL;
    int ended = destroyed;
    CHECK_ERROR(CRI_E_FORKED, cri_watcher_start(watcher, &err));
    CHECK_ERROR(CRI_E_FORKED, cri_watcher_wait_ready(watcher, -1, &err));
    CHECK_ERROR(CRI_E_FORKED, cri_watcher_resync(watcher, -1, &err));
    CHECK_ERROR(CRI_E_FORKED, cri_watcher_stop(watcher, &err));
    CHECK_ERROR(CRI_E_FORKED, cri_watcher_list(watcher, NULL, &b, &err));
    CHECK_ERROR(CRI_E_FORKED, cri_watcher_pods(watcher, NULL, &b, &err));
    CHECK_ERROR(CRI_E_FORKED, cri_watcher_get(watcher, "nginx", &b, &err));
    CHECK_ERROR(CRI_E_FORKED, cri_watcher_engine_info(watcher, &b, &err));
    CHECK_ERROR(CRI_E_FORKED, cri_watcher_stats(watcher, &b, &err));
    CHECK_ERROR(CRI_E_FORKED, cri_watcher_metrics(watcher, &b, &err));
    CHECK_ERROR(CRI_E_FORKED, cri_watcher_snapshot(watcher, &snapshot, &err));
    CHECK_ERROR(CRI_E_FORKED, cri_watcher_inspect(watcher, "nginx", 0, -1, &b, &err));
    CHECK_ERROR(CRI_E_FORKED, cri_watcher_call(watcher, "RuntimeService/Version", NULL, -1, &b, &err));
    CHECK_ERROR(CRI_E_FORKED, cri_watcher_attach(watcher, "nginx", "{}", &err));
    CHECK_ERROR(CRI_E_FORKED, cri_watcher_set_log(watcher, CRI_LOG_DEBUG, ignore_log, NULL, on_destroy, &err));
    CHECK_ERROR(CRI_E_FORKED, cri_watcher_set_packer(watcher, ignore_container, NULL, on_destroy, &err));
    CHECK_ERROR(CRI_E_FORKED, cri_watcher_subscribe(watcher, 0, 0, on_event, NULL, on_destroy, &s, &err));
    CHECK(destroyed == ended + 3);
    CHECK_ERROR(CRI_E_FORKED, cri_event_queue_new(watcher, 0, 0, 0, &q, &err));
    CHECK_ERROR(CRI_E_FORKED, cri_event_queue_next(queue, -1, &event, &err));
    CHECK(cri_watcher_state(watcher) == CRI_WATCHER_STOPPED && cri_watcher_generation(watcher) == 0);
    CHECK(b.data == NULL && snapshot == NULL && s == NULL && q == NULL && event == NULL);
}

static void every_free_is_harmless(void)
{
    int ended = destroyed;
    cri_event_queue_free(queue);
    cri_subscription_free(subscription);
    cri_watcher_free(watcher);
    CHECK(destroyed == ended);
}

static void a_watcher_of_its_own(void)
{
    cri_error *err = NULL;
    cri_buffer b = CRI_BUFFER_INIT;
    cri_watcher *own = NULL;
    CHECK_ERROR(CRI_OK, cri_watcher_new(endpoint, NULL, &own, &err));
    CHECK_ERROR(CRI_OK, cri_watcher_resync(own, 20000, &err));
    CHECK_ERROR(CRI_OK, cri_watcher_list(own, NULL, &b, &err));
    CHECK(b.data != NULL && strstr(b.data, "nginx") != NULL);
    cri_buffer_free(&b);
    cri_watcher_free(own);
}

static void fork_without_exec(int with_own)
{
    fflush(stdout);
    pid_t child = fork();
    if (child == 0) {
        failures = 0;
        alarm(60); /* Not inherited. */
        every_call_says_so();
        every_free_is_harmless();
        if (with_own)
            a_watcher_of_its_own();
        _exit(failures != 0);
    }
    int status = -1;
    CHECK(waitpid(child, &status, 0) == child && status == 0);
}

/* The number of descriptors that a program has which is executed now. */
static int inherited(void)
{
    fflush(stdout);
    pid_t child = fork();
    if (child == 0) {
        execl(program, program, "count", (char *)NULL);
        _exit(255);
    }
    int status = -1;
    CHECK(waitpid(child, &status, 0) == child && WIFEXITED(status) && WEXITSTATUS(status) != 255);
    return WEXITSTATUS(status);
}

static void every_descriptor_is_closed_on_exec(int before)
{
    int ours = 0;
    for (int fd = 3; fd < 1024; fd++) {
        int flags = fcntl(fd, F_GETFD);
        ours += flags >= 0 && (flags & FD_CLOEXEC);
    }
    CHECK(ours >= 3); /* A socket, an epoll, an eventfd. */
    CHECK(inherited() == before);
}

int main(int argc, char **argv)
{
    cri_error *err = NULL;
    if (argc != 2)
        return 2;
    if (strcmp(argv[1], "count") == 0)
        return descriptors();
    program = argv[0];
    endpoint = argv[1];
    alarm(120);
    tell("pod web ns=shop nginx");
    int before = inherited(), open_before = descriptors();

    CHECK_ERROR(CRI_OK, cri_watcher_new(endpoint, NULL, &watcher, &err));
    CHECK_ERROR(CRI_OK, cri_watcher_start(watcher, &err));
    CHECK_ERROR(CRI_OK, cri_watcher_wait_ready(watcher, 20000, &err));
    CHECK_ERROR(CRI_OK, cri_watcher_subscribe(watcher, 0, 0, on_event, NULL, on_destroy, &subscription, &err));
    CHECK_ERROR(CRI_OK, cri_event_queue_new(watcher, 0, 0, 0, &queue, &err));
    every_descriptor_is_closed_on_exec(before);
    /* The workload's events may have any lock of the library held at the moment of a fork. */
    for (int i = 0; i < 200; i++)
        fork_without_exec(i % 20 == 0);

    int seen = __atomic_load_n(&calls, __ATOMIC_RELAXED);
    tell("pod late ns=shop app");
    CHECK_ERROR(CRI_OK, cri_watcher_resync(watcher, 20000, &err));
    for (int i = 0; i < 4000 && __atomic_load_n(&calls, __ATOMIC_RELAXED) == seen; i++)
        nanosleep(&(struct timespec){0, 5000000}, NULL);
    CHECK(__atomic_load_n(&calls, __ATOMIC_RELAXED) > seen);
    cri_buffer b = CRI_BUFFER_INIT;
    CHECK_ERROR(CRI_OK, cri_watcher_list(watcher, NULL, &b, &err));
    CHECK(b.data != NULL && strstr(b.data, "late") != NULL);
    cri_buffer_free(&b);
    cri_event_queue_free(queue);
    cri_subscription_free(subscription);
    cri_watcher_free(watcher);
    CHECK(destroyed == 1 && descriptors() == open_before);
    return failures != 0;
}
