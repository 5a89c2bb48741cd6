/* Names the container of each process whose pid comes in, as an agent does for each event of its eBPF program.
 * cc lookup.c $(pkg-config --cflags --libs criwatch) -o lookup && pgrep . | ./lookup [ENDPOINT] */

#include <criwatch.h>
#include <stdio.h>

int main(int argc, char **argv)
{
    cri_watcher *watcher = NULL;
    cri_snapshot *snapshot = NULL;
    cri_error *err = NULL;
    int pid;
    if (cri_watcher_new(argc > 1 ? argv[1] : NULL, NULL, &watcher, &err) == CRI_OK
        && cri_watcher_start(watcher, &err) == CRI_OK && cri_watcher_wait_ready(watcher, 10000, &err) == CRI_OK)
        while (err == NULL && scanf("%d", &pid) == 1) {
            if (cri_watcher_generation(watcher) != cri_snapshot_generation(snapshot)) {
                cri_snapshot_free(snapshot); /* Something has changed: what was found before is good until here. */
                snapshot = NULL;
                if (cri_watcher_snapshot(watcher, &snapshot, &err) != CRI_OK)
                    break;
            }
            const cri_container *c = NULL;
            switch (cri_snapshot_find_pid(snapshot, pid, 0, &c, NULL)) {
            case CRI_OK: printf("%d %s/%s/%s\n", pid, c->pod ? c->pod->pod_namespace : "", c->pod ? c->pod->name : "", c->name); break;
            case CRI_NONE: printf("%d host\n", pid); break;
            case CRI_AGAIN: printf("%d in a container that is being made: ask again soon\n", pid); break;
            default: printf("%d unknown\n", pid); /* It has ended, or may not be looked at: pass &err to learn why. */
            }
            fflush(stdout);
        }
    const int failed = err != NULL;
    if (failed)
        fprintf(stderr, "lookup: %s\n", cri_error_message(err));
    cri_snapshot_free(snapshot);
    cri_watcher_free(watcher);
    cri_error_free(err);
    return failed;
}
