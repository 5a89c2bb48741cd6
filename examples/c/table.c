/* Keeps a table of what runs on this node, from events alone, and prints its pods whenever it changes, until its input
 * ends: one epoll loop, records instead of JSON, no thread of its own. Rows are the library's records, each kept with
 * cri_container_ref; no event costs more than its own row.
 * cc table.c $(pkg-config --cflags --libs criwatch) -o table && ./table [ENDPOINT] */

#include <criwatch.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>

typedef struct row {
    const cri_container *container; /* Kept: given back when the row goes. */
    int is_seen; /* Whether an event has shown it since the last replay began. */
} row;

typedef struct table {
    row *rows;
    size_t len, room;
    int is_in_replay, has_changed;
} table;

/* An agent with thousands of containers has a hash map here. */
static row *find(const table *t, const char *id)
{
    for (size_t i = 0; i < t->len; i++)
        if (strcmp(t->rows[i].container->id, id) == 0)
            return &t->rows[i];
    return NULL;
}

/* A record never changes: a change of a container comes as another record. */
static void put(table *t, const cri_container *container)
{
    row *known = find(t, container->id);
    if (known == NULL && t->len == t->room) {
        t->room = 2 * t->room + 64;
        t->rows = realloc(t->rows, t->room * sizeof *t->rows);
        if (t->rows == NULL)
            abort();
    }
    if (known == NULL)
        known = &t->rows[t->len++];
    else
        cri_container_unref(known->container);
    known->container = cri_container_ref(container);
    known->is_seen = 1;
}

static void drop(table *t, row *gone)
{
    cri_container_unref(gone->container);
    *gone = t->rows[--t->len];
}

/* A replay comes first, and after each overflow: it shows all that runs, and what it does not show is gone. The rows stay
 * meanwhile, so that a reader never sees an empty table. */
static void begin_replay(table *t)
{
    for (size_t i = 0; i < t->len; i++)
        t->rows[i].is_seen = 0;
    t->is_in_replay = 1;
}

static void end_replay(table *t)
{
    for (size_t i = t->len; i-- > 0;)
        if (!t->rows[i].is_seen)
            drop(t, &t->rows[i]);
    t->is_in_replay = 0;
}

static void apply(table *t, const cri_event *event)
{
    const cri_container *container = event->container;
    row *known = container != NULL ? find(t, container->id) : NULL;
    if (event->type == CRI_EVENT_REPLAY_BEGIN)
        begin_replay(t);
    else if (event->type == CRI_EVENT_REPLAY_END)
        end_replay(t);
    else if (event->type == CRI_EVENT_STARTED && container != NULL)
        put(t, container);
    else if (event->type == CRI_EVENT_UPDATED && known != NULL) /* It may come after the exit, too: then there is no row. */
        put(t, container);
    else if (event->type == CRI_EVENT_EXITED && known != NULL)
        drop(t, known);
    else if (event->type == CRI_EVENT_OVERFLOW) /* The table is old until the replay that follows is over. */
        fprintf(stderr, "table: %" PRIu64 " events were lost; a replay follows\n", event->lost);
    else
        return; /* STATE, and types of later versions. */
    t->has_changed = 1;
}

/* By namespace, pod and sandbox; of one pod the sandbox first, which has its newest addresses. */
static int compare(const void *a, const void *b)
{
    const cri_container *x = ((const row *)a)->container, *y = ((const row *)b)->container;
    int order = strcmp(x->pod->pod_namespace, y->pod->pod_namespace);
    if (order == 0)
        order = strcmp(x->pod->name, y->pod->name);
    if (order == 0)
        order = strcmp(x->pod->id, y->pod->id);
    return order != 0 ? order : (int)y->kind - (int)x->kind;
}

static void print(const table *t)
{
    row *sorted = malloc((t->len + 1) * sizeof *sorted);
    size_t len = 0, pods = 0;
    for (size_t i = 0; sorted != NULL && i < t->len; i++)
        if (t->rows[i].container->pod != NULL) /* Otherwise an UPDATED will bring the pod. */
            sorted[len++] = t->rows[i];
    if (len > 0)
        qsort(sorted, len, sizeof *sorted, compare);
    printf("%-12s %-32s %-16s %s\n", "NAMESPACE", "POD", "ADDRESS", "RUNNING");
    for (size_t i = 0; i < len; pods++) {
        const cri_pod *pod = sorted[i].container->pod;
        int running = 0;
        for (; i < len && strcmp(sorted[i].container->pod->id, pod->id) == 0; i++)
            running += sorted[i].container->kind == CRI_KIND_CONTAINER;
        printf("%-12s %-32s %-16s %d\n", pod->pod_namespace, pod->name, pod->ips_len > 0 ? pod->ips[0] : "-", running);
    }
    printf("%zu pods\n\n", pods);
    fflush(stdout);
    free(sorted);
}

/* Takes all events that wait. */
static cri_status drain(table *t, const cri_event_queue *queue)
{
    cri_event *event = NULL;
    cri_status status;
    while ((status = cri_event_queue_next(queue, 0, &event, NULL)) == CRI_OK) {
        apply(t, event);
        cri_event_free(event);
    }
    return status;
}

static void clear(table *t)
{
    while (t->len > 0)
        drop(t, &t->rows[t->len - 1]);
    free(t->rows);
}

int main(int argc, char **argv)
{
    cri_watcher *watcher = NULL;
    cri_event_queue *queue = NULL;
    table t = {NULL, 0, 0, 0, 0};
    struct epoll_event ready = {.events = EPOLLIN, .data.fd = 0};
    const int epoll = epoll_create1(EPOLL_CLOEXEC);
    epoll_ctl(epoll, EPOLL_CTL_ADD, 0, &ready);
    cri_status status = cri_watcher_new(argc > 1 ? argv[1] : NULL, NULL, &watcher, NULL);
    if (status == CRI_OK && (status = cri_event_queue_new(watcher, 0, 0, 0, &queue, NULL)) == CRI_OK) {
        ready.data.fd = cri_event_queue_fd(queue);
        epoll_ctl(epoll, EPOLL_CTL_ADD, ready.data.fd, &ready);
        status = cri_watcher_start(watcher, NULL);
    }
    while (status >= CRI_OK && status != CRI_CLOSED
           && (epoll_wait(epoll, &ready, 1, -1) != 1 || ready.data.fd != 0)) {
        status = drain(&t, queue);
        if (t.has_changed && !t.is_in_replay) {
            print(&t);
            t.has_changed = 0;
        }
    }
    clear(&t);
    cri_event_queue_free(queue);
    cri_watcher_free(watcher);
    return status < 0 && fprintf(stderr, "table: %s\n", cri_status_name(status)) > 0;
}
