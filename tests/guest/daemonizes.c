/* new, then daemon(), then start: the watcher works in the daemon. Argument: a simulated engine. */

#include "../c/check.h"

#include <fcntl.h>
#include <sys/wait.h>

static int calls;

static void on_event(const cri_event *event, void *user_data)
{
    (void)event;
    (void)user_data;
    __atomic_add_fetch(&calls, 1, __ATOMIC_RELAXED);
}

static void work_as_a_daemon(cri_watcher *watcher)
{
    cri_error *err = NULL;
    cri_subscription *subscription = NULL;
    cri_buffer b = CRI_BUFFER_INIT;
    CHECK_ERROR(CRI_OK, cri_watcher_subscribe(watcher, 0, 0, on_event, NULL, NULL, &subscription, &err));
    CHECK_ERROR(CRI_OK, cri_watcher_start(watcher, &err));
    CHECK_ERROR(CRI_OK, cri_watcher_wait_ready(watcher, 20000, &err));
    CHECK_ERROR(CRI_OK, cri_watcher_list(watcher, NULL, &b, &err));
    CHECK(b.data != NULL && strstr(b.data, "nginx") != NULL);
    for (int i = 0; i < 4000 && __atomic_load_n(&calls, __ATOMIC_RELAXED) < 4; i++)
        nanosleep(&(struct timespec){0, 5000000}, NULL);
    CHECK(__atomic_load_n(&calls, __ATOMIC_RELAXED) >= 4); /* Two runs, and a replay's begin and end. */
    cri_buffer_free(&b);
    cri_subscription_free(subscription);
    cri_watcher_free(watcher);
}

int main(int argc, char **argv)
{
    cri_error *err = NULL;
    cri_watcher *watcher = NULL;
    int verdict[2];
    char byte = 1;
    if (argc != 2 || pipe(verdict) != 0)
        return 2;
    alarm(120);
    tell("pod web ns=shop nginx");
    CHECK_ERROR(CRI_OK, cri_watcher_new(argv[1], NULL, &watcher, &err));
    fflush(stdout);
    pid_t child = fork();
    if (child == 0) {
        close(verdict[0]);
        /* Exits here; what goes on is a child of it. Its streams stay, for complaints. */
        if (daemon(0, 1) != 0)
            _exit(2);
        alarm(60);
        work_as_a_daemon(watcher);
        byte = failures != 0;
        CHECK(write(verdict[1], &byte, 1) == 1);
        _exit(0);
    }
    close(verdict[1]);
    int status = -1;
    CHECK(waitpid(child, &status, 0) == child && status == 0);
    CHECK(read(verdict[0], &byte, 1) == 1 && byte == 0);
    cri_watcher_free(watcher);
    return failures != 0;
}
