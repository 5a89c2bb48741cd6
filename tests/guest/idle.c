/* Nothing happens on a node with 200 containers: then the lists are all that is asked, and nothing else wakes up the
 * library. Argument: a simulated engine with 200 containers. */

#include "../c/check.h"

#include <sys/resource.h>

enum { LISTS = 5 };

/* The calls of one RPC, as the simulated engine counted them. */
static long asked(const char *stats, const char *rpc)
{
    char key[64];
    snprintf(key, sizeof key, " %s=", rpc);
    const char *at = strstr(stats, key);
    return at != NULL ? atol(at + strlen(key)) : 0;
}

static const char *const others[] = {"ContainerStatus", "PodSandboxStatus",   "Version",   "Status",
                                     "RuntimeConfig",   "GetContainerEvents", "ListImages"};

/* Voluntary context switches of the thread of this name. */
static long wakeups(const char *wanted)
{
    long sum = 0;
    DIR *dir = opendir("/proc/self/task");
    for (struct dirent *entry; (entry = readdir(dir)) != NULL;) {
        char path[300], line[128] = "";
        snprintf(path, sizeof path, "/proc/self/task/%s/status", entry->d_name);
        FILE *in = entry->d_name[0] == '.' ? NULL : fopen(path, "r");
        int is_it = 0;
        while (in != NULL && fgets(line, sizeof line, in) != NULL) {
            if (strncmp(line, "Name:\t", 6) == 0)
                is_it = strncmp(line + 6, wanted, strlen(wanted)) == 0;
            if (is_it && strncmp(line, "voluntary_ctxt_switches:", 24) == 0)
                sum += atol(line + 24);
        }
        if (in != NULL)
            fclose(in);
    }
    closedir(dir);
    return sum;
}

static double cpu_ms(void)
{
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    return (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1e3
           + (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e3;
}

static int events;

static void on_event(const cri_event *event, void *user_data)
{
    (void)event;
    (void)user_data;
    __atomic_add_fetch(&events, 1, __ATOMIC_RELAXED);
}

int main(int argc, char **argv)
{
    static char before[4096], after[4096];
    cri_error *err = NULL;
    cri_watcher *watcher = NULL;
    cri_subscription *subscription = NULL;
    if (argc != 2)
        return 2;
    alarm(240);
    watcher = watcher_with(argv[1], "relist.interval_ms", "2000");
    CHECK_ERROR(CRI_OK, cri_watcher_subscribe(watcher, 0, 0, on_event, NULL, NULL, &subscription, &err));
    CHECK_ERROR(CRI_OK, cri_watcher_start(watcher, &err));
    CHECK_ERROR(CRI_OK, cri_watcher_wait_ready(watcher, 60000, &err));
    /* At the start, more is asked: all that is not urgent, one request at a time, and a second list. */
    while (statistic(watcher, "openStatusRequests") != 0)
        nanosleep(&(struct timespec){0, 10000000}, NULL);
    statistic_reaches(watcher, "lists", statistic(watcher, "lists") + 3);

    strcpy(before, tell("stats"));
    long seen = __atomic_load_n(&events, __ATOMIC_RELAXED), lists = statistic(watcher, "lists");
    uint64_t generation = cri_watcher_generation(watcher);
    long io = wakeups("cri-io"), callbacks = wakeups("cri-events");
    double cpu = cpu_ms();
    statistic_reaches(watcher, "lists", lists + LISTS);
    cpu = cpu_ms() - cpu;
    io = wakeups("cri-io") - io;
    CHECK(wakeups("cri-events") == callbacks); /* Nobody is woken for nothing. */
    strcpy(after, tell("stats"));

    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        CHECK(asked(after, others[i]) == asked(before, others[i]));
    long containers = asked(after, "ListContainers") - asked(before, "ListContainers");
    long sandboxes = asked(after, "ListPodSandbox") - asked(before, "ListPodSandbox");
    /* The engine's counts are read a moment apart from ours: one list may be under way. */
    CHECK(containers >= LISTS - 1 && containers <= LISTS + 1 && sandboxes >= LISTS - 1 && sandboxes <= LISTS + 1);
    CHECK(statistic(watcher, "openStatusRequests") == 0 && cri_watcher_generation(watcher) == generation);
    CHECK(__atomic_load_n(&events, __ATOMIC_RELAXED) == seen);
    fprintf(stderr, "idle, 200 containers: %d relists cost %ld wakeups of cri-io and %.1f ms of CPU; nothing else was asked\n",
            LISTS, io, cpu);
    cri_subscription_free(subscription);
    cri_watcher_free(watcher);
    return failures != 0;
}
