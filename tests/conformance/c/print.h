/* The lines of tests/conformance/README.md, in C. */

#ifndef PRINT_H
#define PRINT_H

#include <criwatch.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof *(array))

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

/* The names of bits, joined by commas. Not a function: some bits have 32, others 64. */
#define PRINT_BITS(name, bits)                                                                                                   \
    do {                                                                                                                         \
        for (uint64_t rest = (bits); rest != 0; rest &= rest - 1)                                                                \
            printf("%s%s", rest == (bits) ? "" : ",", name(rest & (~rest + 1)));                                                 \
        if ((bits) == 0)                                                                                                         \
            putchar('-');                                                                                                        \
    } while (0)

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
        PRINT_BITS(cri_mount_flag_name, mounts[i].flags);
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
    printf(" attempt=%" PRIu32 " state=%s flags=", p->attempt, cri_pod_state_name(p->state));
    PRINT_BITS(cri_pod_flag_name, p->flags);
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
    printf("  container kind=%s state=%s flags=", cri_kind_name(c->kind), cri_container_state_name(c->state));
    PRINT_BITS(cri_container_flag_name, c->flags);
    printf(" attempt=%" PRIu32, c->attempt);
    print_text("id", c->id);
    print_text("name", c->name);
    if (c->pod != NULL)
        print_text("pod", c->pod->id);
    else
        printf(" pod=-");
    printf(" pid=%" PRId32 " ticks=%s exit=%" PRId32 " missing=", c->pid, c->pid_start_ticks != 0 ? "yes" : "no", c->exit_code);
    PRINT_BITS(cri_missing_name, c->missing);
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
    printf("  event type=%s flags=", cri_event_type_name(e->type));
    PRINT_BITS(cri_event_flag_name, e->flags);
    printf(" changed=");
    PRINT_BITS(cri_changed_name, e->changed);
    printf(" lost=%" PRIu64 " state=%s level=%" PRIu32 " time=%s seq=", e->lost, cri_watcher_state_name(e->watcher_state),
           e->log_level, e->time_unix_nano != 0 ? "yes" : "no");
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
