/* The lines of tests/conformance/README.md, in C. */

#ifndef PRINT_H
#define PRINT_H

#include <criwatch.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* A number that has a name, without its prefix. */
struct name {
    uint64_t number;
    const char *name;
};

#define COUNT(array) (sizeof(array) / sizeof *(array))

static const struct name kinds[] = {{CRI_KIND_CONTAINER, "container"}, {CRI_KIND_SANDBOX, "sandbox"}};
static const struct name states[] = {
    {CRI_STATE_UNKNOWN, "unknown"}, {CRI_STATE_CREATED, "created"}, {CRI_STATE_RUNNING, "running"}, {CRI_STATE_EXITED, "exited"}};
static const struct name pod_states[] = {
    {CRI_POD_UNKNOWN, "unknown"}, {CRI_POD_READY, "ready"}, {CRI_POD_NOT_READY, "not_ready"}};
static const struct name pod_flags[] = {{CRI_POD_FLAG_HOST_NETWORK, "host_network"},
                                       {CRI_POD_FLAG_OWN_NETWORK, "own_network"}};
static const struct name missing[] = {
    {CRI_MISSING_PID, "pid"}, {CRI_MISSING_POD, "pod"}, {CRI_MISSING_STARTED_AT, "started_at"}, {CRI_MISSING_EXIT, "exit"}};
static const struct name changed[] = {{CRI_CHANGED_PID, "pid"},
                                      {CRI_CHANGED_POD, "pod"},
                                      {CRI_CHANGED_STARTED_AT, "started_at"},
                                      {CRI_CHANGED_EXIT, "exit"},
                                      {CRI_CHANGED_STATE, "state"},
                                      {CRI_CHANGED_LABELS, "labels"},
                                      {CRI_CHANGED_RUCKSACK, "rucksack"}};
static const struct name watcher_states[] = {
    {CRI_WATCHER_NEW, "new"},         {CRI_WATCHER_CONNECTING, "connecting"}, {CRI_WATCHER_SYNCING, "syncing"},
    {CRI_WATCHER_WATCHING, "watching"}, {CRI_WATCHER_POLLING, "polling"},     {CRI_WATCHER_BACKOFF, "backoff"},
    {CRI_WATCHER_STOPPED, "stopped"}};
static const struct name types[] = {{CRI_EVENT_STARTED, "STARTED"},           {CRI_EVENT_EXITED, "EXITED"},
                                    {CRI_EVENT_UPDATED, "UPDATED"},           {CRI_EVENT_STATE, "STATE"},
                                    {CRI_EVENT_REPLAY_BEGIN, "REPLAY_BEGIN"}, {CRI_EVENT_REPLAY_END, "REPLAY_END"},
                                    {CRI_EVENT_OVERFLOW, "OVERFLOW"},         {CRI_EVENT_CREATED, "CREATED"},
                                    {CRI_EVENT_REMOVED, "REMOVED"},           {CRI_EVENT_LOG, "LOG"}};
static const struct name event_flags[] = {{CRI_EVENT_FLAG_SYNTHETIC, "synthetic"},
                                          {CRI_EVENT_FLAG_INITIAL, "initial"},
                                          {CRI_EVENT_FLAG_REAPPEARED, "reappeared"},
                                          {CRI_EVENT_FLAG_NEVER_STARTED, "never_started"},
                                          {CRI_EVENT_FLAG_PROVISIONAL, "provisional"},
                                          {CRI_EVENT_FLAG_WITNESSED, "witnessed"}};

static inline void print_quoted(const char *text)
{
    putchar('"');
    for (; *text != '\0'; text++) {
        if (*text == '"' || *text == '\\')
            printf("\\%c", *text);
        else if ((unsigned char)*text < 0x20)
            printf("\\x%02x", (unsigned)*text);
        else
            putchar(*text);
    }
    putchar('"');
}

/* ` key="text"` */
static inline void print_text(const char *key, const char *text)
{
    printf(" %s=", key);
    print_quoted(text);
}

static inline void print_name(const struct name *names, size_t count, uint64_t number)
{
    for (size_t i = 0; i < count; i++) {
        if (names[i].number == number) {
            fputs(names[i].name, stdout);
            return;
        }
    }
    printf("%" PRIu64, number);
}

static inline void print_bits(const struct name *names, size_t count, uint64_t bits)
{
    const char *comma = "";
    for (size_t i = 0; i < count; i++) {
        if (bits & names[i].number) {
            printf("%s%s", comma, names[i].name);
            comma = ",";
        }
    }
    if (*comma == '\0')
        putchar('-');
}

#define PRINT_NAME(names, number) print_name(names, COUNT(names), number)
#define PRINT_BITS(names, bits) print_bits(names, COUNT(names), bits)

static inline void print_labels(const char *key, const cri_label *labels, size_t len)
{
    printf(" %s={", key);
    for (size_t i = 0; i < len; i++) {
        if (i > 0)
            putchar(',');
        print_quoted(labels[i].key);
        putchar('=');
        print_quoted(labels[i].value);
    }
    putchar('}');
}

static inline void print_pod(const cri_pod *p)
{
    printf("  pod");
    print_text("id", p->id);
    print_text("name", p->name);
    print_text("namespace", p->pod_namespace);
    print_text("uid", p->uid);
    printf(" attempt=%" PRIu32 " state=", p->attempt);
    PRINT_NAME(pod_states, p->state);
    printf(" flags=");
    PRINT_BITS(pod_flags, p->flags);
    printf(" ips=[");
    for (size_t i = 0; i < p->ips_len; i++) {
        if (i > 0)
            putchar(',');
        print_quoted(p->ips[i]);
    }
    putchar(']');
    print_labels("labels", p->labels, p->labels_len);
    print_labels("annotations", p->annotations, p->annotations_len);
    print_text("cgroup", p->cgroup_path);
    putchar('\n');
}

static inline void print_container(const cri_container *c)
{
    printf("  container kind=");
    PRINT_NAME(kinds, c->kind);
    printf(" state=");
    PRINT_NAME(states, c->state);
    printf(" attempt=%" PRIu32, c->attempt);
    print_text("id", c->id);
    print_text("name", c->name);
    if (c->pod != NULL)
        print_text("pod", c->pod->id);
    else
        printf(" pod=-");
    printf(" pid=%" PRId32 " ticks=%s exit=%" PRId32 " missing=", c->pid, c->pid_start_ticks != 0 ? "yes" : "no", c->exit_code);
    PRINT_BITS(missing, c->missing);
    print_text("image", c->image);
    print_text("image_ref", c->image_ref);
    print_text("image_id", c->image_id);
    print_text("reason", c->reason);
    print_text("message", c->message);
    print_text("cgroup", c->cgroup_path);
    printf(" created=%" PRId64 " started=%" PRId64 " finished=%" PRId64, c->created_unix_nano, c->started_unix_nano,
           c->finished_unix_nano);
    print_labels("labels", c->labels, c->labels_len);
    print_labels("annotations", c->annotations, c->annotations_len);
    print_text("rucksack", c->rucksack);
    putchar('\n');
}

/* `seq` is that of the event before, 0 for none, and becomes this one's. */
static inline void print_event(const cri_event *e, uint64_t *seq)
{
    printf("  event type=");
    PRINT_NAME(types, e->type);
    printf(" flags=");
    PRINT_BITS(event_flags, e->flags);
    printf(" changed=");
    PRINT_BITS(changed, e->changed);
    printf(" lost=%" PRIu64 " state=", e->lost);
    PRINT_NAME(watcher_states, e->watcher_state);
    printf(" level=%" PRIu32 " time=%s seq=", e->log_level, e->time_unix_nano != 0 ? "yes" : "no");
    if (e->seq > *seq)
        printf("grows");
    else
        printf("%" PRIu64 " after %" PRIu64, e->seq, *seq);
    *seq = e->seq;
    print_text("message", e->message);
    putchar('\n');
    if (e->container != NULL)
        print_container(e->container);
    if (e->container != NULL && e->container->pod != NULL)
        print_pod(e->container->pod);
}

#endif
