/* The conformance programme in C: see ../README.md. */

#define _POSIX_C_SOURCE 200809L

#include "print.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <time.h>

static cri_watcher *watcher;
static cri_event_queue *queue;
static cri_snapshot *snapshot;
static const cri_container *kept;
static uint64_t seq;
static cri_error *err;

/* What there is to take from a command's line. */
static char *rest;

/* The next word; "" behind the last one. */
static const char *word(void)
{
    char *begin = rest;
    rest += strcspn(rest, " ");
    if (*rest == ' ')
        *rest++ = '\0';
    return begin;
}

static long long number(void)
{
    return strtoll(word(), NULL, 10);
}

/* NULL where it says "-". */
static const char *given(const char *text)
{
    return strcmp(text, "-") == 0 ? NULL : text;
}

static void answer(cri_status status)
{
    if (status == CRI_OK) {
        puts("ok");
    } else if (status > CRI_OK) {
        puts(cri_status_name(status) + strlen("CRI_"));
    } else {
        printf("%s grpc=%" PRId32 " os=%" PRId32 " retriable=%" PRId32 " ", cri_status_name(status), cri_error_grpc_code(err),
               cri_error_os_code(err), cri_error_is_retriable(err));
        print_quoted(cri_error_message(err));
        putchar('\n');
    }
    cri_error_free(err);
    err = NULL;
}

static void answer_missing(const char *what)
{
    printf("CRI_E_INVALID_ARGUMENT grpc=-1 os=0 retriable=0 \"no %s\"\n", what);
}

static void answer_json(cri_status status, cri_buffer *json)
{
    if (status == CRI_OK)
        printf("  %s\n", json->data);
    cri_buffer_free(json);
    answer(status);
}

/* ---- What the library is ---- */

struct constant {
    const char *name;
    long long number;
    const char *text;
};

#define STATUS(name) {#name, name, NULL}
#define NUMBER(name) {#name, name, NULL}
#define TEXT(name) {#name, 0, name}

static const struct constant statuses[] = {
    STATUS(CRI_OK), STATUS(CRI_AGAIN), STATUS(CRI_CLOSED), STATUS(CRI_NONE), STATUS(CRI_E_INVALID_ARGUMENT),
    STATUS(CRI_E_NOT_FOUND), STATUS(CRI_E_TIMEOUT), STATUS(CRI_E_NOT_READY), STATUS(CRI_E_STOPPED),
    STATUS(CRI_E_CONNECT), STATUS(CRI_E_PERMISSION), STATUS(CRI_E_RPC), STATUS(CRI_E_UNSUPPORTED),
    STATUS(CRI_E_PROTOCOL), STATUS(CRI_E_OPTION), STATUS(CRI_E_QUERY), STATUS(CRI_E_AMBIGUOUS),
    STATUS(CRI_E_PROCESSLESS), STATUS(CRI_E_WOULD_DEADLOCK), STATUS(CRI_E_FORKED), STATUS(CRI_E_OS),
    STATUS(CRI_E_STATE), STATUS(CRI_E_INTERNAL), STATUS(CRI_E_PANIC),
};
static const struct constant constants[] = {
    NUMBER(CRI_EVENT_STARTED), NUMBER(CRI_EVENT_EXITED), NUMBER(CRI_EVENT_UPDATED), NUMBER(CRI_EVENT_STATE),
    NUMBER(CRI_EVENT_REPLAY_BEGIN), NUMBER(CRI_EVENT_REPLAY_END), NUMBER(CRI_EVENT_OVERFLOW),
    NUMBER(CRI_EVENT_CREATED), NUMBER(CRI_EVENT_REMOVED), NUMBER(CRI_EVENT_LOG),
    NUMBER(CRI_EVENT_FLAG_SYNTHETIC), NUMBER(CRI_EVENT_FLAG_INITIAL), NUMBER(CRI_EVENT_FLAG_REAPPEARED),
    NUMBER(CRI_EVENT_FLAG_NEVER_STARTED), NUMBER(CRI_EVENT_FLAG_PROVISIONAL),
    NUMBER(CRI_EVENT_FLAG_WITNESSED), NUMBER(CRI_EVENT_FLAG_CONFIRMED), NUMBER(CRI_SUBSCRIBE_LIVE_ONLY),
    NUMBER(CRI_INSPECT_REQUIRE_PROCESS), NUMBER(CRI_INSPECT_SHOW_ENV),
    NUMBER(CRI_INSPECT_SEPARATE_ANNOTATIONS), NUMBER(CRI_KIND_CONTAINER),
    NUMBER(CRI_KIND_SANDBOX), NUMBER(CRI_STATE_UNKNOWN), NUMBER(CRI_STATE_CREATED), NUMBER(CRI_STATE_RUNNING),
    NUMBER(CRI_STATE_EXITED), NUMBER(CRI_POD_UNKNOWN), NUMBER(CRI_POD_READY), NUMBER(CRI_POD_NOT_READY),
    NUMBER(CRI_POD_FLAG_HOST_NETWORK), NUMBER(CRI_POD_FLAG_OWN_NETWORK), NUMBER(CRI_POD_FLAG_HOST_PID),
    NUMBER(CRI_POD_FLAG_OWN_PID), NUMBER(CRI_POD_FLAG_HOST_IPC), NUMBER(CRI_POD_FLAG_OWN_IPC),
    NUMBER(CRI_POD_FLAG_STATIC), NUMBER(CRI_POD_FLAG_NOT_STATIC), NUMBER(CRI_MISSING_PID), NUMBER(CRI_MISSING_POD),
    NUMBER(CRI_MISSING_STARTED_AT), NUMBER(CRI_MISSING_EXIT), NUMBER(CRI_CHANGED_PID), NUMBER(CRI_CHANGED_POD),
    NUMBER(CRI_CHANGED_STARTED_AT), NUMBER(CRI_CHANGED_EXIT), NUMBER(CRI_CHANGED_STATE),
    NUMBER(CRI_CHANGED_LABELS), NUMBER(CRI_CHANGED_RUCKSACK), NUMBER(CRI_CHANGED_IMAGE),
    NUMBER(CRI_CHANGED_DETAILS), NUMBER(CRI_CONTAINER_FLAG_TEXT_REPAIRED), NUMBER(CRI_CONTAINER_FLAG_LABELS_CUT),
    NUMBER(CRI_CONTAINER_FLAG_UNREADABLE), NUMBER(CRI_CONTAINER_FLAG_PRIVILEGED),
    NUMBER(CRI_CONTAINER_FLAG_UNPRIVILEGED), NUMBER(CRI_MOUNT_FLAG_READ_ONLY), NUMBER(CRI_WATCHER_NEW),
    NUMBER(CRI_WATCHER_CONNECTING), NUMBER(CRI_WATCHER_SYNCING), NUMBER(CRI_WATCHER_WATCHING),
    NUMBER(CRI_WATCHER_POLLING), NUMBER(CRI_WATCHER_BACKOFF), NUMBER(CRI_WATCHER_STOPPED),
    NUMBER(CRI_ENGINE_FOUND), NUMBER(CRI_ENGINE_CHANGED), NUMBER(CRI_ENGINE_LOST),
    NUMBER(CRI_LOG_ERROR), NUMBER(CRI_LOG_WARN), NUMBER(CRI_LOG_INFO), NUMBER(CRI_LOG_DEBUG),
    NUMBER(CRI_NAMESPACE_CGROUP), NUMBER(CRI_NAMESPACE_IPC), NUMBER(CRI_NAMESPACE_MNT), NUMBER(CRI_NAMESPACE_NET),
    NUMBER(CRI_NAMESPACE_PID), NUMBER(CRI_NAMESPACE_USER), NUMBER(CRI_NAMESPACE_UTS),
    TEXT(CRI_ENGINE_TYPE), TEXT(CRI_LABEL_POD_NAME), TEXT(CRI_LABEL_POD_NAMESPACE), TEXT(CRI_LABEL_POD_UID),
    TEXT(CRI_LABEL_CONTAINER_NAME), TEXT(CRI_LABEL_SANDBOX), TEXT(CRI_ANNOTATION_KEY_PREFIX),
};

static void print_constants(const struct constant *all, size_t count)
{
    for (const struct constant *c = all; c < all + count; c++) {
        if (c->text == NULL) {
            printf("  %s=%lld\n", c->name, c->number);
        } else {
            printf("  %s=", c->name);
            print_quoted(c->text);
            putchar('\n');
        }
    }
}

static void do_version(void)
{
    printf("ok abi=%" PRIu32 " number=%" PRIu32 " version=%s\n", cri_abi_version(), cri_version_number(), cri_version());
}

static void do_constants(void)
{
    printf("  CRI_ABI_VERSION=%d\n", CRI_ABI_VERSION);
    print_constants(statuses, COUNT(statuses));
    print_constants(constants, COUNT(constants));
    puts("ok");
}

static void do_statuses(void)
{
    for (size_t i = 0; i < COUNT(statuses); i++)
        printf("  %lld %s\n", statuses[i].number, cri_status_name((cri_status)statuses[i].number));
    puts("ok");
}

static void do_options(void)
{
    cri_buffer json = CRI_BUFFER_INIT;
    answer_json(cri_options_describe(&json, &err), &json);
}

/* ---- The watcher ---- */

static void free_all(void)
{
    cri_event_queue_free(queue);
    cri_snapshot_free(snapshot);
    cri_watcher_free(watcher);
    queue = NULL;
    snapshot = NULL;
    watcher = NULL;
}

static void do_new(void)
{
    cri_options *options = NULL;
    const char *endpoint = given(word());
    free_all();
    cri_status status = cri_options_new(&options, &err);
    while (status == CRI_OK && *rest != '\0') {
        char *key = (char *)(uintptr_t)word(), *value = strchr(key, '=');
        if (value != NULL)
            *value++ = '\0';
        status = cri_options_set(options, key, value, &err);
    }
    if (status == CRI_OK)
        status = cri_watcher_new(endpoint, options, &watcher, &err);
    cri_options_free(options);
    answer(status);
}

static void do_start(void)
{
    answer(cri_watcher_start(watcher, &err));
}

static void do_stop(void)
{
    answer(cri_watcher_stop(watcher, &err));
}

static void do_free(void)
{
    free_all();
    puts("ok");
}

static void do_wait_ready(void)
{
    answer(cri_watcher_wait_ready(watcher, number(), &err));
}

static void do_resync(void)
{
    answer(cri_watcher_resync(watcher, number(), &err));
}

static void do_state(void)
{
    printf("ok ");
    PRINT_NAME(watcher_states, cri_watcher_state(watcher));
    putchar('\n');
}

static void do_generation(void)
{
    puts(cri_watcher_generation(watcher) == 0 ? "ok zero" : "ok nonzero");
}

static void do_list(void)
{
    cri_buffer json = CRI_BUFFER_INIT;
    answer_json(cri_watcher_list(watcher, given(rest), &json, &err), &json);
}

static void do_pods(void)
{
    cri_buffer json = CRI_BUFFER_INIT;
    answer_json(cri_watcher_pods(watcher, given(rest), &json, &err), &json);
}

static void do_get(void)
{
    cri_buffer json = CRI_BUFFER_INIT;
    answer_json(cri_watcher_get(watcher, rest, &json, &err), &json);
}

static void do_engine(void)
{
    cri_buffer json = CRI_BUFFER_INIT;
    answer_json(cri_watcher_engine_info(watcher, &json, &err), &json);
}

static void do_stats(void)
{
    cri_buffer json = CRI_BUFFER_INIT;
    answer_json(cri_watcher_stats(watcher, &json, &err), &json);
}

static void do_inspect(void)
{
    cri_buffer json = CRI_BUFFER_INIT;
    const uint32_t flags = (uint32_t)number();
    const int64_t ms = number();
    answer_json(cri_watcher_inspect(watcher, rest, flags, ms, &json, &err), &json);
}

static void do_call(void)
{
    cri_buffer json = CRI_BUFFER_INIT;
    const char *method = word();
    const int64_t ms = number();
    answer_json(cri_watcher_call(watcher, method, given(rest), ms, &json, &err), &json);
}

static void do_attach(void)
{
    const char *name = word();
    answer(cri_watcher_attach(watcher, name, given(rest), &err));
}

/* ---- Snapshots ---- */

static void do_snapshot(void)
{
    const cri_container *const *containers = NULL;
    const cri_pod *const *pods = NULL;
    size_t n_containers = 0, n_pods = 0;
    cri_snapshot *taken = NULL;
    cri_status status = cri_watcher_snapshot(watcher, &taken, &err);
    if (status == CRI_OK) {
        cri_snapshot_free(snapshot);
        snapshot = taken;
        status = cri_snapshot_containers(snapshot, &containers, &n_containers, &err);
    }
    if (status == CRI_OK)
        status = cri_snapshot_pods(snapshot, &pods, &n_pods, &err);
    for (size_t i = 0; i < n_containers; i++)
        print_container(containers[i]);
    for (size_t i = 0; i < n_pods; i++)
        print_pod(pods[i]);
    answer(status);
}

static void do_find(void)
{
    const cri_container *found = NULL;
    const cri_status status = cri_snapshot_find(snapshot, rest, &found, &err);
    if (status == CRI_OK)
        print_container(found);
    answer(status);
}

static void do_keep(void)
{
    const cri_container *found = NULL;
    const cri_status status = cri_snapshot_find(snapshot, rest, &found, &err);
    if (status == CRI_OK) {
        cri_container_unref(kept);
        kept = cri_container_ref(found);
    }
    answer(status);
}

static void do_kept(void)
{
    if (kept == NULL) {
        answer_missing("record");
        return;
    }
    print_container(kept);
    puts("ok");
}

/* ---- Events ---- */

/* What an event has to be to end a wait; name NULL: about any container, or none. */
struct wanted {
    const char *type;
    const char *name;
};

static struct wanted wanted(void)
{
    const char *type = word();
    return (struct wanted){type, given(word())};
}

static int is_it(struct wanted wanted, const cri_event *event)
{
    for (size_t i = 0; i < COUNT(types); i++)
        if (types[i].number == event->type && strcmp(types[i].name, wanted.type) == 0)
            return wanted.name == NULL || (event->container != NULL && strcmp(event->container->name, wanted.name) == 0);
    return 0;
}

static int64_t now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static void do_queue(void)
{
    const uint32_t mask = (uint32_t)number(), flags = (uint32_t)number();
    cri_event_queue_free(queue);
    queue = NULL;
    seq = 0;
    answer(cri_event_queue_new(watcher, mask, flags, (size_t)number(), &queue, &err));
}

static void do_next(void)
{
    cri_event *event = NULL;
    const cri_status status = cri_event_queue_next(queue, number(), &event, &err);
    if (status == CRI_OK)
        print_event(event, &seq);
    cri_event_free(event);
    answer(status);
}

static void do_until(void)
{
    const struct wanted last = wanted();
    const int64_t deadline = now_ms() + number();
    cri_status status = CRI_OK;
    for (int found = 0; status == CRI_OK && !found;) {
        cri_event *event = NULL;
        const int64_t left = deadline - now_ms();
        status = cri_event_queue_next(queue, left > 0 ? left : 0, &event, &err);
        if (status == CRI_OK) {
            print_event(event, &seq);
            found = is_it(last, event);
        }
        cri_event_free(event);
    }
    answer(status);
}

static void do_wait_fd(void)
{
    struct pollfd fd = {cri_event_queue_fd(queue), POLLIN, 0};
    const int ready = poll(&fd, 1, (int)number());
    answer(ready > 0 ? CRI_OK : CRI_AGAIN);
}

static void do_drop(void)
{
    cri_event_queue_free(queue);
    queue = NULL;
    puts("ok");
}

struct listener {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    struct wanted last;
    uint64_t seq;
    int found, destroyed;
};

static void listen(const cri_event *event, void *user_data)
{
    struct listener *l = user_data;
    pthread_mutex_lock(&l->lock);
    if (!l->found) {
        print_event(event, &l->seq);
        l->found = is_it(l->last, event);
        pthread_cond_signal(&l->changed);
    }
    pthread_mutex_unlock(&l->lock);
}

static void destroy(void *user_data)
{
    ((struct listener *)user_data)->destroyed = 1;
}

static void do_callback(void)
{
    struct listener l = {PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, {NULL, NULL}, 0, 0, 0};
    const uint32_t mask = (uint32_t)number(), flags = (uint32_t)number();
    cri_subscription *subscription = NULL;
    struct timespec deadline;
    l.last = wanted();
    const int64_t ms = number();
    clock_gettime(CLOCK_REALTIME, &deadline);
    deadline.tv_sec += (time_t)(ms / 1000);
    deadline.tv_nsec += (long)(ms % 1000) * 1000000;
    if (deadline.tv_nsec >= 1000000000) {
        deadline.tv_sec++;
        deadline.tv_nsec -= 1000000000;
    }
    const cri_status status = cri_watcher_subscribe(watcher, mask, flags, listen, &l, destroy, &subscription, &err);
    if (status != CRI_OK) {
        answer(status);
        return;
    }
    pthread_mutex_lock(&l.lock);
    while (!l.found && pthread_cond_timedwait(&l.changed, &l.lock, &deadline) != ETIMEDOUT)
        ;
    const int found = l.found;
    l.found = 1; /* What comes now is not printed. */
    pthread_mutex_unlock(&l.lock);
    cri_subscription_free(subscription);
    if (found)
        printf("ok destroyed=%d\n", l.destroyed);
    else
        answer(CRI_AGAIN);
}

/* ---- The dialogue ---- */

struct command {
    const char *name;
    void (*run)(void);
    const char *needs;
};

static const struct command commands[] = {
    {"version", do_version, NULL},      {"constants", do_constants, NULL},
    {"statuses", do_statuses, NULL},    {"options", do_options, NULL},
    {"new", do_new, NULL},              {"free", do_free, NULL},
    {"kept", do_kept, NULL},            {"start", do_start, "watcher"},
    {"stop", do_stop, "watcher"},       {"wait-ready", do_wait_ready, "watcher"},
    {"resync", do_resync, "watcher"},   {"state", do_state, "watcher"},
    {"generation", do_generation, "watcher"}, {"list", do_list, "watcher"},
    {"pods", do_pods, "watcher"},       {"get", do_get, "watcher"},
    {"engine", do_engine, "watcher"},   {"stats", do_stats, "watcher"},
    {"inspect", do_inspect, "watcher"}, {"call", do_call, "watcher"},
    {"attach", do_attach, "watcher"},   {"snapshot", do_snapshot, "watcher"},
    {"find", do_find, "snapshot"},      {"keep", do_keep, "snapshot"},
    {"queue", do_queue, "watcher"},     {"callback", do_callback, "watcher"},
    {"next", do_next, "queue"},         {"until", do_until, "queue"},
    {"wait-fd", do_wait_fd, "queue"},   {"drop", do_drop, "queue"},
};

static int is_there(const char *what)
{
    return what == NULL || (*what == 'w' ? watcher != NULL : *what == 'q' ? queue != NULL : snapshot != NULL);
}

static void run(const char *name)
{
    for (size_t i = 0; i < COUNT(commands); i++) {
        if (strcmp(commands[i].name, name) == 0) {
            if (is_there(commands[i].needs))
                commands[i].run();
            else
                answer_missing(commands[i].needs);
            return;
        }
    }
    puts("unsupported");
}

int main(void)
{
    char *line = NULL;
    size_t size = 0;
    while (getline(&line, &size, stdin) > 0) {
        rest = line;
        rest[strcspn(rest, "\n")] = '\0';
        const char *name = word();
        if (strcmp(name, "quit") == 0)
            break;
        run(name);
        fflush(stdout);
    }
    free(line);
    free_all();
    cri_container_unref(kept);
    puts("ok");
    return 0;
}
