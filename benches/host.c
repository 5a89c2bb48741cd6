/* The program whose costs are measured: it watches an engine through the C ABI, and does what its input says, a command in
 * each line. It answers each with a line of JSON. `benches/main.rs` drives it.
 *
 *   host ENDPOINT [OPTION=VALUE...]
 *
 *   ready              start, and wait until the watcher is ready
 *   look               read everything once: a snapshot, its arrays, the lists
 *   read WHAT TIMES    one of snapshot, containers, list, find, cgroup: nanoseconds of one call
 *   events N READ      take N events that start or end a run; READ: none, snapshot, containers: what to read after each
 *   idle SECONDS       CPU time and wake-ups while nothing is asked
 *   stats              the library's own numbers */

#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif

#include <criwatch.h>
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define PATIENCE_MS 120000
#define SILENCE_MS 10000

static cri_watcher *watcher;
static cri_event_queue *queue;
static long rss_before, anon_before;
/* What lookups have found; read by nobody, so that none is optimised away. */
static volatile size_t hits;

static int64_t now_of(clockid_t clock)
{
    struct timespec time;
    clock_gettime(clock, &time);
    return (int64_t)time.tv_sec * 1000000000 + time.tv_nsec;
}

static void must(cri_status status, cri_error *err, const char *what)
{
    if (status == CRI_OK)
        return;
    fprintf(stderr, "%s: %s\n", what, cri_error_message(err));
    exit(1);
}

/* A number of kilobytes in /proc/self/status. */
static long status_kb(const char *key)
{
    char line[256];
    long kb = -1;
    FILE *file = fopen("/proc/self/status", "r");
    while (file != NULL && fgets(line, sizeof line, file) != NULL)
        if (strncmp(line, key, strlen(key)) == 0)
            kb = strtol(line + strlen(key) + 1, NULL, 10);
    if (file != NULL)
        fclose(file);
    return kb;
}

/* How often the threads of this program were woken: each wait that ended is a switch. */
static long wake_ups(void)
{
    char path[300], line[256];
    long all = 0;
    DIR *tasks = opendir("/proc/self/task");
    struct dirent *task;
    while (tasks != NULL && (task = readdir(tasks)) != NULL) {
        snprintf(path, sizeof path, "/proc/self/task/%s/status", task->d_name);
        FILE *file = task->d_name[0] == '.' ? NULL : fopen(path, "r");
        while (file != NULL && fgets(line, sizeof line, file) != NULL)
            if (strncmp(line, "voluntary_ctxt_switches:", 24) == 0)
                all += strtol(line + 24, NULL, 10);
        if (file != NULL)
            fclose(file);
    }
    if (tasks != NULL)
        closedir(tasks);
    return all;
}

static void say_memory(void)
{
    printf("\"rss_kb\":%ld,\"anon_kb\":%ld,\"peak_kb\":%ld", status_kb("VmRSS:") - rss_before,
           status_kb("RssAnon:") - anon_before, status_kb("VmHWM:") - rss_before);
}

static cri_snapshot *snapshot(void)
{
    cri_snapshot *out = NULL;
    cri_error *err = NULL;
    must(cri_watcher_snapshot(watcher, &out, &err), err, "snapshot");
    return out;
}

static const cri_container *const *containers(const cri_snapshot *of, size_t *len)
{
    const cri_container *const *all = NULL;
    cri_error *err = NULL;
    must(cri_snapshot_containers(of, &all, len, &err), err, "containers");
    return all;
}

static void list(void)
{
    cri_buffer text = CRI_BUFFER_INIT;
    cri_error *err = NULL;
    must(cri_watcher_list(watcher, NULL, &text, &err), err, "list");
    cri_buffer_free(&text);
}

static void do_ready(void)
{
    cri_error *err = NULL;
    const int64_t began = now_of(CLOCK_MONOTONIC), cpu = now_of(CLOCK_PROCESS_CPUTIME_ID);
    must(cri_watcher_start(watcher, &err), err, "start");
    must(cri_watcher_wait_ready(watcher, PATIENCE_MS, &err), err, "ready");
    printf("{\"wall_ns\":%lld,\"cpu_ns\":%lld,", (long long)(now_of(CLOCK_MONOTONIC) - began),
           (long long)(now_of(CLOCK_PROCESS_CPUTIME_ID) - cpu));
    say_memory();
    printf("}\n");
}

static void do_look(void)
{
    size_t len, pods_len;
    const cri_pod *const *pods;
    cri_error *err = NULL;
    const int64_t began = now_of(CLOCK_MONOTONIC);
    cri_snapshot *of = snapshot();
    const int64_t taken = now_of(CLOCK_MONOTONIC);
    (void)containers(of, &len);
    const int64_t shown = now_of(CLOCK_MONOTONIC);
    must(cri_snapshot_pods(of, &pods, &pods_len, &err), err, "pods");
    const int64_t grouped = now_of(CLOCK_MONOTONIC);
    list();
    const int64_t listed = now_of(CLOCK_MONOTONIC);
    printf("{\"containers\":%zu,\"pods\":%zu,\"snapshot_ns\":%lld,\"containers_ns\":%lld,\"pods_ns\":%lld,\"list_ns\":%lld,",
           len, pods_len, (long long)(taken - began), (long long)(shown - taken), (long long)(grouped - shown),
           (long long)(listed - grouped));
    say_memory();
    printf("}\n");
    cri_snapshot_free(of);
}

static void read_once(const char *what, size_t i)
{
    static cri_snapshot *of;
    static const cri_container *const *all;
    static size_t len;
    const cri_container *found;
    if (of == NULL) {
        of = snapshot();
        all = containers(of, &len);
    }
    const cri_container *wanted = len > 0 ? all[i * 7919 % len] : NULL;
    if (strcmp(what, "snapshot") == 0) {
        cri_snapshot_free(snapshot());
    } else if (strcmp(what, "containers") == 0) {
        cri_snapshot *own = snapshot();
        size_t own_len;
        (void)containers(own, &own_len);
        cri_snapshot_free(own);
    } else if (strcmp(what, "list") == 0) {
        list();
    } else if (wanted != NULL && strcmp(what, "find") == 0) {
        hits += cri_snapshot_find(of, wanted->id, &found, NULL) == CRI_OK;
    } else if (wanted != NULL && strcmp(what, "cgroup") == 0) {
        hits += cri_snapshot_find_cgroup(of, wanted->cgroup_id, &found, NULL) == CRI_OK;
    }
}

static int by_value(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* The median of batches, so that a busy machine does not count. */
static void do_read(const char *what, size_t times)
{
    enum { BATCHES = 101 };
    static double took[BATCHES];
    for (size_t batch = 0; batch < BATCHES; batch++) {
        const int64_t began = now_of(CLOCK_MONOTONIC);
        for (size_t i = 0; i < times; i++)
            read_once(what, i);
        took[batch] = (double)(now_of(CLOCK_MONOTONIC) - began) / (double)times;
    }
    qsort(took, BATCHES, sizeof *took, by_value);
    printf("{\"ns\":%.1f,\"min_ns\":%.1f,\"max_ns\":%.1f}\n", took[BATCHES / 2], took[0], took[BATCHES - 1]);
}

/* Takes what is queued, so that what comes is counted alone. */
static void drain(void)
{
    cri_event *event = NULL;
    while (cri_event_queue_next(queue, 0, &event, NULL) == CRI_OK)
        cri_event_free(event);
}

static void do_events(size_t wanted, const char *then)
{
    const char *comma = "";
    size_t with_pid = 0, started = 0, len;
    printf("{\"events\":[");
    int64_t cpu = 0;
    for (size_t n = 0; n < wanted;) {
        cri_event *event = NULL;
        cri_error *err = NULL;
        const cri_status status = cri_event_queue_next(queue, SILENCE_MS, &event, &err);
        /* Whoever does not report everything is to be seen as that. */
        if (status == CRI_AGAIN)
            break;
        must(status, err, "an event");
        if (n == 0)
            cpu = now_of(CLOCK_PROCESS_CPUTIME_ID);
        if (event->type == CRI_EVENT_STARTED || event->type == CRI_EVENT_EXITED) {
            const int is_start = event->type == CRI_EVENT_STARTED;
            started += (size_t)is_start;
            with_pid += (size_t)(is_start && event->container->pid > 0);
            printf("%s[\"%c\",\"%s\",%lld]", comma, is_start ? 's' : 'e', event->container->id,
                   (long long)event->observed_unix_nano);
            comma = ",";
            n++;
        }
        if (strcmp(then, "none") != 0) {
            cri_snapshot *of = snapshot();
            if (strcmp(then, "containers") == 0)
                (void)containers(of, &len);
            cri_snapshot_free(of);
        }
        cri_event_free(event);
    }
    printf("],\"started\":%zu,\"with_pid\":%zu,\"cpu_ns\":%lld}\n", started, with_pid,
           (long long)(now_of(CLOCK_PROCESS_CPUTIME_ID) - cpu));
}

static void do_idle(unsigned seconds)
{
    const int64_t cpu = now_of(CLOCK_PROCESS_CPUTIME_ID);
    const long woken = wake_ups();
    sleep(seconds);
    /* One wake-up is this sleep's own. */
    printf("{\"seconds\":%u,\"cpu_ns\":%lld,\"wake_ups\":%ld}\n", seconds,
           (long long)(now_of(CLOCK_PROCESS_CPUTIME_ID) - cpu), wake_ups() - woken - 1);
}

static void do_stats(void)
{
    cri_buffer text = CRI_BUFFER_INIT;
    cri_error *err = NULL;
    must(cri_watcher_stats(watcher, &text, &err), err, "stats");
    printf("%s\n", text.data);
    cri_buffer_free(&text);
}

static int obey(char *line)
{
    const char *what = strtok(line, " \n"), *first = strtok(NULL, " \n"), *second = strtok(NULL, " \n");
    if (what == NULL)
        return 0;
    if (strcmp(what, "ready") == 0)
        do_ready();
    else if (strcmp(what, "look") == 0)
        do_look();
    else if (strcmp(what, "read") == 0 && second != NULL)
        do_read(first, strtoul(second, NULL, 10));
    else if (strcmp(what, "drain") == 0)
        drain(), puts("{}");
    else if (strcmp(what, "events") == 0 && second != NULL)
        do_events(strtoul(first, NULL, 10), second);
    else if (strcmp(what, "idle") == 0 && first != NULL)
        do_idle((unsigned)strtoul(first, NULL, 10));
    else if (strcmp(what, "stats") == 0)
        do_stats();
    else
        return 0;
    fflush(stdout);
    return 1;
}

int main(int argc, char **argv)
{
    char line[256];
    cri_error *err = NULL;
    cri_options *options = NULL;
    if (argc < 2)
        return 2;
    must(cri_options_new(&options, &err), err, "options");
    for (int i = 2; i < argc; i++) {
        char *value = strchr(argv[i], '=');
        if (value == NULL)
            return 2;
        *value++ = '\0';
        must(cri_options_set(options, argv[i], value, &err), err, argv[i]);
    }
    rss_before = status_kb("VmRSS:");
    anon_before = status_kb("RssAnon:");
    must(cri_watcher_new(argv[1], options, &watcher, &err), err, "new");
    cri_options_free(options);
    must(cri_event_queue_new(watcher, 0, CRI_SUBSCRIBE_LIVE_ONLY, 1 << 20, &queue, &err), err, "queue");
    while (fgets(line, sizeof line, stdin) != NULL)
        if (!obey(line)) {
            fprintf(stderr, "what is %s\n", line);
            return 2;
        }
    cri_event_queue_free(queue);
    cri_watcher_free(watcher);
    return 0;
}
