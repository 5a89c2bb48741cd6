/* The library's threads: as few as promised, named, and deaf to signals. Then a storm of signals, whose handler must
 * only ever run on the host's own threads. Argument: a simulated engine. */

#include "../c/check.h"

#include <errno.h>
#include <stdint.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

static const int synchronous[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP, SIGABRT, SIGSYS};

static volatile sig_atomic_t on_the_hosts, on_the_librarys;

static void handler(int signal)
{
    char name[16] = "";
    int before = errno;
    (void)signal;
    prctl(PR_GET_NAME, name);
    if (strncmp(name, "cri-", 4) == 0)
        on_the_librarys++;
    else
        on_the_hosts++;
    errno = before;
}

static int is_synchronous(int signal)
{
    for (size_t i = 0; i < sizeof synchronous / sizeof *synchronous; i++)
        if (signal == synchronous[i])
            return 1;
    return 0;
}

/* Signals that a program can have handled, without those of which the kernel keeps only so many. ALRM ends this test if
 * it hangs. */
static int is_for_storms(int signal)
{
    return signal < 32 && !is_synchronous(signal) && signal != SIGKILL && signal != SIGSTOP && signal != SIGALRM;
}

/* A word of /proc/self/task/TID/FILE: the first line, or what follows KEY. */
static void read_task(const char *tid, const char *file, const char *key, char *out, size_t size)
{
    char path[300], line[256];
    snprintf(path, sizeof path, "/proc/self/task/%s/%s", tid, file);
    out[0] = '\0';
    FILE *in = fopen(path, "r");
    CHECK(in != NULL);
    while (in != NULL && fgets(line, sizeof line, in) != NULL) {
        if (strncmp(line, key, strlen(key)) == 0) {
            snprintf(out, size, "%s", line + strlen(key));
            out[strcspn(out, "\n")] = '\0';
            break;
        }
    }
    if (in != NULL)
        fclose(in);
}

/* All but the synchronous ones, and KILL and STOP, which nobody can block. */
static void check_mask(const char *tid)
{
    char text[64];
    read_task(tid, "status", "SigBlk:", text, sizeof text);
    unsigned long long blocked = strtoull(text, NULL, 16);
    if (getenv("SHORT") != NULL)
        return; /* valgrind keeps the masks itself. */
    for (int signal = 1; signal <= 64; signal++) {
        int is_blocked = (blocked >> (signal - 1)) & 1;
        if (is_synchronous(signal))
            CHECK(!is_blocked);
        else if (signal != SIGKILL && signal != SIGSTOP && signal != 32 && signal != 33)
            CHECK(is_blocked);
    }
}

typedef struct census {
    int io, events, log, pack, others;
} census;

static census count(void)
{
    census found = {0, 0, 0, 0, 0};
    DIR *dir = opendir("/proc/self/task");
    for (struct dirent *entry; (entry = readdir(dir)) != NULL;) {
        char name[64];
        if (entry->d_name[0] == '.')
            continue;
        read_task(entry->d_name, "comm", "", name, sizeof name);
        if (strncmp(name, "cri-", 4) == 0)
            check_mask(entry->d_name);
        if (strcmp(name, "cri-io") == 0)
            found.io++;
        else if (strcmp(name, "cri-events") == 0)
            found.events++;
        else if (strcmp(name, "cri-log") == 0)
            found.log++;
        else if (strcmp(name, "cri-pack") == 0)
            found.pack++;
        /* For a moment: once in a process, because its end shows what the kernel reports of ends; and while many
         * containers' processes are looked for. */
        else if (strcmp(name, "cri-probe") == 0 || strcmp(name, "cri-proofs") == 0)
            continue;
        else
            found.others++;
    }
    closedir(dir);
    return found;
}

static volatile int over;

/* The one thread of the host that takes signals: all others of the host have them blocked, so that the kernel would
 * give them to a thread of the library that has not. */
static void *taker(void *argument)
{
    sigset_t none;
    (void)argument;
    sigemptyset(&none);
    pthread_sigmask(SIG_SETMASK, &none, NULL);
    while (!over)
        nanosleep(&(struct timespec){0, 1000000}, NULL);
    return NULL;
}

static void storm(const cri_watcher *watcher, pthread_t own)
{
    cri_error *err = NULL;
    for (int round = 0; round < 100; round++) {
        for (int signal = 1; signal <= 64; signal++) {
            if (is_for_storms(signal)) {
                CHECK(kill(getpid(), signal) == 0);
                if (round % 10 == 0)
                    CHECK(pthread_kill(own, signal) == 0);
            }
        }
        if (round % 10 == 0) {
            char line[64];
            snprintf(line, sizeof line, "pod web%d app", round);
            tell(line);
        }
        CHECK_ERROR(CRI_OK, cri_watcher_resync(watcher, 20000, &err));
    }
    /* One that is sent to the process is taken by somebody at last. */
    int before = on_the_hosts;
    CHECK(kill(getpid(), SIGUSR1) == 0);
    for (int i = 0; i < 4000 && on_the_hosts == before; i++)
        nanosleep(&(struct timespec){0, 5000000}, NULL);
    CHECK(on_the_hosts > 100 && on_the_librarys == 0);
}

int main(int argc, char **argv)
{
    cri_error *err = NULL;
    cri_watcher *watcher = NULL;
    cri_subscription *subscriptions[2];
    cri_event_queue *queue = NULL;
    pthread_t thread;
    sigset_t before, after, all;
    struct sigaction action, own[65];
    if (argc != 2)
        return 2;
    alarm(120);
    tell("pod web ns=shop nginx");
    pthread_sigmask(SIG_SETMASK, NULL, &before);
    for (int signal = 1; signal <= 64; signal++)
        sigaction(signal, NULL, &own[signal]);
    int alone = count().others; /* A sanitizer has a thread, too. */

    CHECK_ERROR(CRI_OK, cri_watcher_new(argv[1], NULL, &watcher, &err));
    CHECK(count().others == alone && threads() == 2 + alone); /* With "." and "..". */
    CHECK_ERROR(CRI_OK, cri_watcher_set_log(watcher, CRI_LOG_DEBUG, ignore_log, NULL, NULL, &err));
    CHECK_ERROR(CRI_OK, cri_watcher_set_packer(watcher, ignore_container, NULL, NULL, &err));
    CHECK_ERROR(CRI_OK, cri_watcher_start(watcher, &err));
    CHECK_ERROR(CRI_OK, cri_watcher_wait_ready(watcher, 20000, &err));
    for (int i = 0; i < 2; i++)
        CHECK_ERROR(CRI_OK, cri_watcher_subscribe(watcher, 0, 0, ignore_event, NULL, NULL, &subscriptions[i], &err));
    CHECK_ERROR(CRI_OK, cri_event_queue_new(watcher, 0, 0, 0, &queue, &err)); /* Costs no thread. */
    CHECK_ERROR(CRI_OK, cri_watcher_resync(watcher, 20000, &err));
    census found = count();
    /* A thread gives itself its name: until then it has that of the thread that made it. */
    for (int i = 0; i < 4000 && (found.others != alone || found.io != 1); i++) {
        nanosleep(&(struct timespec){0, 5000000}, NULL);
        found = count();
    }
    CHECK(found.io == 1 && found.events == 2 && found.log == 1 && found.pack == 1 && found.others == alone);

    /* The host's own: mask and handlers are as they were. */
    pthread_sigmask(SIG_SETMASK, NULL, &after);
    for (int signal = 1; signal <= 64; signal++) {
        CHECK(sigismember(&before, signal) == sigismember(&after, signal));
        if (sigaction(signal, NULL, &action) == 0)
            CHECK(action.sa_handler == own[signal].sa_handler);
    }

    memset(&action, 0, sizeof action);
    action.sa_handler = handler;
    action.sa_flags = SA_RESTART;
    for (int signal = 1; signal <= 64; signal++)
        if (is_for_storms(signal))
            CHECK(sigaction(signal, &action, NULL) == 0);
    sigfillset(&all);
    sigdelset(&all, SIGALRM);
    pthread_sigmask(SIG_SETMASK, &all, NULL);
    CHECK(pthread_create(&thread, NULL, taker, NULL) == 0);
    storm(watcher, thread);
    over = 1;
    pthread_join(thread, NULL);

    cri_event_queue_free(queue);
    for (int i = 0; i < 2; i++)
        cri_subscription_free(subscriptions[i]);
    cri_watcher_free(watcher);
    CHECK(threads_become(2 + alone));
    return failures != 0;
}
