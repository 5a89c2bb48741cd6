/* Shows what runs on this node, then everything that changes, until Ctrl-C or for some seconds. An engine that is
 * named may come later; without a name there has to be one now, or this ends with status 3.
 * cc watch.c $(pkg-config --cflags --libs criwatch) -o watch && ./watch [-t SECONDS] [ENDPOINT] */

#define _POSIX_C_SOURCE 200809L

#include <criwatch.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/signalfd.h>
#include <time.h>
#include <unistd.h>

#define PLAIN "\033[0m"
#define DIM "\033[2m"
#define RED "\033[31m"
#define GREEN "\033[32m"
#define YELLOW "\033[33m"

static int colours;

static const char *colour(const char *code)
{
    return colours ? code : "";
}

static int64_t now_nano(void)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

/* A span of time in two units, as people say it: "3h12m". "-" where it is not known. */
static const char *span(int64_t from, int64_t to, char text[16])
{
    const int64_t s = (to - from) / 1000000000;
    if (from == 0 || to < from)
        snprintf(text, 16, "-");
    else if (s < 60)
        snprintf(text, 16, "%.1fs", (double)(to - from) / 1e9);
    else if (s < 3600)
        snprintf(text, 16, "%dm%02ds", (int)(s / 60), (int)(s % 60));
    else
        snprintf(text, 16, "%dh%02dm", (int)(s / 3600), (int)(s / 60 % 60));
    return text;
}

/* namespace/pod/container; of a sandbox, namespace/pod. */
static const char *path(const cri_container *c, char text[160])
{
    const char *space = c->pod != NULL ? c->pod->pod_namespace : "?";
    const char *pod = c->pod != NULL ? c->pod->name : "?";
    if (c->kind == CRI_KIND_SANDBOX)
        snprintf(text, 160, "%s/%s", space, pod);
    else
        snprintf(text, 160, "%s/%s/%s", space, pod, c->name);
    return text;
}

/* 0 is no pid: either there is no process (any more), or its pid is still asked for. */
static const char *pid(const cri_container *c, char text[16])
{
    snprintf(text, 16, "%" PRId32, c->pid);
    return c->pid != 0 ? text : c->missing & CRI_MISSING_PID ? "?" : "-";
}

/* A sandbox has no time of start: it is ready from its creation on. */
static int64_t start(const cri_container *c)
{
    return c->started_unix_nano != 0 ? c->started_unix_nano : c->created_unix_nano;
}

static void print_row(const cri_container *c)
{
    char where[160], number[16], age[16];
    printf("%-9.9s  %7s  %6s  %s%s%s%s\n", c->id, pid(c, number), span(start(c), now_nano(), age),
           colour(c->kind == CRI_KIND_SANDBOX ? DIM : GREEN), path(c, where), colour(PLAIN),
           c->kind == CRI_KIND_SANDBOX ? " (sandbox)" : "");
}

/* The beginning of each line: when, and what. */
static void print_head(const cri_event *event, const char *what, const char *code)
{
    char clock[16];
    struct tm local;
    const time_t seconds = (time_t)(event->time_unix_nano / 1000000000);
    localtime_r(&seconds, &local);
    strftime(clock, sizeof clock, "%H:%M:%S", &local);
    printf("%s.%03d  %s%-8s%s  ", clock, (int)(event->time_unix_nano / 1000000 % 1000), colour(code), what,
           colour(PLAIN));
}

static void print_exit(const cri_event *event)
{
    const cri_container *c = event->container;
    const int64_t end = c->finished_unix_nano != 0 ? c->finished_unix_nano : event->time_unix_nano;
    char duration[16];
    if (c->kind == CRI_KIND_CONTAINER && c->exit_code >= 0)
        printf("code %" PRId32 ", ", c->exit_code);
    else if (c->kind == CRI_KIND_CONTAINER)
        printf("code unknown, ");
    printf("%s%s%s%s", c->reason, c->message[0] != '\0' ? ": " : "", c->message, c->reason[0] != '\0' ? ", " : "");
    if (event->flags & CRI_EVENT_FLAG_NEVER_STARTED)
        printf("never started");
    else
        printf("ran %s", span(start(c), end, duration));
    if (event->flags & CRI_EVENT_FLAG_PROVISIONAL)
        printf(", not final yet");
}

/* How a container was made is learnt after its start, one by one. This program shows nothing of it. */
static int is_shown(const cri_event *event)
{
    return event->type != CRI_EVENT_UPDATED || event->changed & (CRI_CHANGED_EXIT | CRI_CHANGED_PID);
}

static void print_change(const cri_event *event)
{
    const cri_container *c = event->container;
    /* An exit that may still change is followed by its final version. */
    const int is_final = event->type == CRI_EVENT_UPDATED && event->changed & CRI_CHANGED_EXIT;
    const int exited = event->type == CRI_EVENT_EXITED;
    char where[160], number[16];
    if (exited || is_final)
        print_head(event, is_final ? "final" : cri_event_type_name(event->type), c->exit_code == 0 ? DIM : RED);
    else
        print_head(event, cri_event_type_name(event->type), GREEN);
    printf("%s  ", path(c, where));
    if (exited || is_final)
        print_exit(event);
    else
        printf("pid %s", pid(c, number));
    putchar('\n');
}

static void print_state(const cri_event *event)
{
    const char *name = cri_watcher_state_name(event->watcher_state);
    print_head(event, "state", YELLOW);
    printf("%s%s%s\n", name, event->message[0] != '\0' ? ": " : "", event->message);
}

static void print_event(const cri_event *event)
{
    if (event->type == CRI_EVENT_REPLAY_BEGIN) {
        printf("%-9s  %7s  %6s  %s\n", "ID", "PID", "AGE", "NAMESPACE/POD/CONTAINER");
    } else if (event->type == CRI_EVENT_STARTED && event->flags & CRI_EVENT_FLAG_INITIAL) {
        print_row(event->container);
    } else if (event->type == CRI_EVENT_REPLAY_END) {
        puts("That is all; what follows is new.");
    } else if (event->container != NULL) {
        if (is_shown(event))
            print_change(event);
    } else if (event->type == CRI_EVENT_STATE) {
        print_state(event);
    } else if (event->type == CRI_EVENT_OVERFLOW) {
        print_head(event, "overflow", RED);
        printf("%" PRIu64 " events were lost: everything is shown again\n", event->lost);
    } /* Other types are for programs that know more than this one. */
    fflush(stdout);
}

/* Takes events until a signal comes or the queue is closed. */
static void follow(cri_event_queue *queue, int signals, cri_error **err)
{
    struct pollfd ready[] = {{cri_event_queue_fd(queue), POLLIN, 0}, {signals, POLLIN, 0}};
    cri_status status = CRI_OK;
    while ((status == CRI_OK || status == CRI_AGAIN) && ready[1].revents == 0) {
        cri_event *event = NULL;
        poll(ready, 2, -1);
        status = cri_event_queue_next(queue, 0, &event, err);
        if (status == CRI_OK)
            print_event(event);
        cri_event_free(event);
    }
}

int main(int argc, char **argv)
{
    int seconds = 0;
    for (int option; (option = getopt(argc, argv, "t:")) != -1;) {
        if (option != 't' || (seconds = atoi(optarg)) <= 0) {
            fprintf(stderr, "usage: %s [-t SECONDS] [ENDPOINT]\n", argv[0]);
            return 2;
        }
    }
    colours = isatty(STDOUT_FILENO);

    /* Signals come through a descriptor, the end of the time as one of them. */
    sigset_t ends;
    sigemptyset(&ends);
    sigaddset(&ends, SIGINT);
    sigaddset(&ends, SIGTERM);
    sigaddset(&ends, SIGALRM);
    sigprocmask(SIG_BLOCK, &ends, NULL);
    const int signals = signalfd(-1, &ends, SFD_CLOEXEC);
    alarm((unsigned)seconds);

    cri_watcher *watcher = NULL;
    cri_event_queue *queue = NULL;
    cri_error *err = NULL;
    const char *endpoint = argv[optind];
    if (cri_watcher_new(endpoint, NULL, &watcher, &err) == CRI_OK
        && (endpoint != NULL || cri_watcher_resync(watcher, 10000, &err) == CRI_OK)
        && cri_event_queue_new(watcher, 0, 0, 0, &queue, &err) == CRI_OK
        && cri_watcher_start(watcher, &err) == CRI_OK)
        follow(queue, signals, &err);
    const int result = err == NULL ? 0 : endpoint == NULL ? 3 : 1;
    if (err != NULL)
        fprintf(stderr, "watch: %s\n", cri_error_message(err));
    cri_error_free(err);
    cri_event_queue_free(queue);
    cri_watcher_free(watcher);
    close(signals);
    return result;
}
