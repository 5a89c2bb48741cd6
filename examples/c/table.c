/* Keeps a table of the pods on this node and prints it whenever it changes, until its input ends: one epoll loop,
 * records instead of JSON, no thread of its own.
 * cc table.c $(pkg-config --cflags --libs criwatch) -o table && ./table [ENDPOINT] */

#include <criwatch.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>

static void print_table(const cri_snapshot *table)
{
    const cri_pod *const *pods = NULL;
    const cri_container *const *containers = NULL;
    size_t n_pods = 0, n_containers = 0, next = 0;
    cri_snapshot_pods(table, &pods, &n_pods, NULL);
    cri_snapshot_containers(table, &containers, &n_containers, NULL);
    printf("%-12s %-32s %-16s %s\n", "NAMESPACE", "POD", "ADDRESS", "RUNNING");
    while (next < n_containers && containers[next]->pod == NULL)
        next++; /* Its pod is not known yet. */
    for (size_t i = 0; i < n_pods; i++) {
        int running = 0; /* Containers come in the order of their pods. */
        for (; next < n_containers && strcmp(containers[next]->pod->id, pods[i]->id) == 0; next++)
            running += containers[next]->kind == CRI_KIND_CONTAINER;
        printf("%-12s %-32s %-16s %d\n", pods[i]->pod_namespace, pods[i]->name,
               pods[i]->ips_len > 0 ? pods[i]->ips[0] : "-", running);
    }
    printf("%zu pods\n\n", n_pods);
    fflush(stdout);
}

int main(int argc, char **argv)
{
    cri_watcher *watcher = NULL;
    cri_event_queue *queue = NULL;
    cri_event *event = NULL;
    cri_snapshot *table = NULL, *newer = NULL;
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
        while ((status = cri_event_queue_next(queue, 0, &event, NULL)) == CRI_OK)
            cri_event_free(event); /* Something has changed: that is all this program wants to know. */
        if (cri_watcher_snapshot(watcher, &newer, NULL) == CRI_OK) {
            cri_snapshot_free(table);
            print_table(table = newer);
        }
    }
    cri_snapshot_free(table);
    cri_event_queue_free(queue);
    cri_watcher_free(watcher);
    return status < 0 && fprintf(stderr, "table: %s\n", cri_status_name(status)) > 0;
}
