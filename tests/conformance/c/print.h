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
                                       {CRI_POD_FLAG_OWN_NETWORK, "own_network"},
                                       {CRI_POD_FLAG_HOST_PID, "host_pid"},
                                       {CRI_POD_FLAG_OWN_PID, "own_pid"},
                                       {CRI_POD_FLAG_HOST_IPC, "host_ipc"},
                                       {CRI_POD_FLAG_OWN_IPC, "own_ipc"},
                                       {CRI_POD_FLAG_STATIC, "static"},
                                       {CRI_POD_FLAG_NOT_STATIC, "not_static"}};
static const struct name container_flags[] = {{CRI_CONTAINER_FLAG_TEXT_REPAIRED, "text_repaired"},
                                             {CRI_CONTAINER_FLAG_LABELS_CUT, "labels_cut"},
                                             {CRI_CONTAINER_FLAG_UNREADABLE, "unreadable"},
                                             {CRI_CONTAINER_FLAG_PRIVILEGED, "privileged"},
                                             {CRI_CONTAINER_FLAG_UNPRIVILEGED, "unprivileged"}};
static const struct name mount_flags[] = {{CRI_MOUNT_FLAG_READ_ONLY, "read_only"}};
static const struct name missing[] = {
    {CRI_MISSING_PID, "pid"}, {CRI_MISSING_POD, "pod"}, {CRI_MISSING_STARTED_AT, "started_at"}, {CRI_MISSING_EXIT, "exit"}};
static const struct name changed[] = {{CRI_CHANGED_PID, "pid"},
                                      {CRI_CHANGED_POD, "pod"},
                                      {CRI_CHANGED_STARTED_AT, "started_at"},
                                      {CRI_CHANGED_EXIT, "exit"},
                                      {CRI_CHANGED_STATE, "state"},
                                      {CRI_CHANGED_LABELS, "labels"},
                                      {CRI_CHANGED_RUCKSACK, "rucksack"},
                                      {CRI_CHANGED_IMAGE, "image"},
                                      {CRI_CHANGED_DETAILS, "details"}};
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
                                          {CRI_EVENT_FLAG_WITNESSED, "witnessed"},
                                          {CRI_EVENT_FLAG_CONFIRMED, "confirmed"}};

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

/* ` key=["a","b"]` */
static inline void print_texts(const char *key, const char *const *texts, size_t len)
{
    printf(" %s=[", key);
    for (size_t i = 0; i < len; i++) {
        if (i > 0)
            putchar(',');
        print_quoted(texts[i]);
    }
    putchar(']');
}

static inline void print_mounts(const cri_mount *mounts, size_t len)
{
    printf(" mounts=[");
    for (size_t i = 0; i < len; i++) {
        if (i > 0)
            putchar(',');
        print_quoted(mounts[i].container_path);
        putchar('=');
        print_quoted(mounts[i].host_path);
        putchar(':');
        PRINT_BITS(mount_flags, mounts[i].flags);
    }
    putchar(']');
}

static inline void print_ports(const cri_port *ports, size_t len)
{
    printf(" ports=[");
    for (size_t i = 0; i < len; i++) {
        if (i > 0)
            putchar(',');
        print_quoted(ports[i].container);
        putchar('/');
        print_quoted(ports[i].name);
        printf(":%" PRIu32 ":%" PRIu32 "/", ports[i].container_port, ports[i].host_port);
        print_quoted(ports[i].protocol);
    }
    putchar(']');
}

static inline void print_user(const cri_user *user)
{
    printf(" user=");
    if (user == NULL) {
        putchar('-');
        return;
    }
    printf("%" PRId64 ":%" PRId64 ":[", user->uid, user->gid);
    for (size_t i = 0; i < user->groups_len; i++)
        printf("%s%" PRId64, i > 0 ? "," : "", user->groups[i]);
    putchar(']');
}

static inline void print_resources(const cri_resources *r)
{
    printf(" resources=");
    if (r == NULL) {
        putchar('-');
        return;
    }
    printf("{shares=%" PRId64 " quota=%" PRId64 " period=%" PRId64, r->cpu_shares, r->cpu_quota, r->cpu_period);
    print_text("cpus", r->cpuset_cpus);
    print_text("mems", r->cpuset_mems);
    printf(" memory=%" PRId64 " swap=%" PRId64 " oom=", r->memory_limit, r->swap_limit);
    if (r->oom_score_adj == INT32_MIN)
        printf("-}");
    else
        printf("%" PRId32 "}", r->oom_score_adj);
}

static inline void print_previous(const cri_previous *previous)
{
    printf(" previous=");
    if (previous == NULL) {
        putchar('-');
        return;
    }
    printf("{exit=%" PRId32, previous->exit_code);
    print_text("reason", previous->reason);
    printf(" finished=%" PRId64 "}", previous->finished_unix_nano);
}

static inline void print_namespaces(const cri_namespaces *n)
{
    printf(" namespaces=");
    if (n == NULL)
        putchar('-');
    else
        printf("{net=%" PRIu64 " mnt=%" PRIu64 " pid=%" PRIu64 " ipc=%" PRIu64 " uts=%" PRIu64 " user=%" PRIu64
               " cgroup=%" PRIu64 "}",
               n->net, n->mnt, n->pid, n->ipc, n->uts, n->user, n->cgroup);
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
    print_texts("ips", p->ips, p->ips_len);
    print_labels("labels", p->labels, p->labels_len);
    print_labels("annotations", p->annotations, p->annotations_len);
    print_text("cgroup", p->cgroup_path);
    printf(" created=%" PRId64, p->created_unix_nano);
    print_text("handler", p->runtime_handler);
    printf(" net=%" PRIu64, p->net_namespace);
    print_ports(p->ports, p->ports_len);
    putchar('\n');
}

static inline void print_container(const cri_container *c)
{
    printf("  container kind=");
    PRINT_NAME(kinds, c->kind);
    printf(" state=");
    PRINT_NAME(states, c->state);
    printf(" flags=");
    PRINT_BITS(container_flags, c->flags);
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
    printf(" engine_pid=%" PRId32 " cgroup_id=%" PRIu64, c->engine_pid, c->cgroup_id);
    print_namespaces(c->namespaces);
    print_text("repository", c->image_repository);
    print_text("tag", c->image_tag);
    print_text("digest", c->image_digest);
    print_text("log_path", c->log_path);
    print_texts("command", c->command, c->command_len);
    print_texts("args", c->args, c->args_len);
    print_text("working_dir", c->working_dir);
    print_user(c->user);
    print_mounts(c->mounts, c->mounts_len);
    print_resources(c->resources);
    print_previous(c->previous);
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
