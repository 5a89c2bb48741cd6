/* Prints a line for each container that starts or ends, until its input ends: the library calls a function.
 * cc callback.c $(pkg-config --cflags --libs criwatch) -o callback && ./callback [ENDPOINT] */

#include <criwatch.h>
#include <stdio.h>

/* Runs on a thread of the library. The event is gone when this returns: cri_container_ref would keep its container. */
static void print(const cri_event *event, void *user_data)
{
    FILE *out = user_data;
    const cri_container *c = event->container;
    if (c == NULL || c->kind != CRI_KIND_CONTAINER)
        return;
    const char *pod = c->pod != NULL ? c->pod->name : "?";
    if (event->type == CRI_EVENT_STARTED)
        fprintf(out, "started %s/%s pid %d\n", pod, c->name, (int)c->pid);
    else if (event->type == CRI_EVENT_EXITED)
        fprintf(out, "exited %s/%s code %d\n", pod, c->name, (int)c->exit_code);
    fflush(out);
}

int main(int argc, char **argv)
{
    cri_watcher *watcher = NULL;
    cri_subscription *subscription = NULL;
    cri_error *err = NULL;
    if (cri_watcher_new(argc > 1 ? argv[1] : NULL, NULL, &watcher, &err) == CRI_OK
        && cri_watcher_subscribe(watcher, 0, 0, print, stdout, NULL, &subscription, &err) == CRI_OK
        && cri_watcher_start(watcher, &err) == CRI_OK)
        while (getchar() != EOF)
            ;
    const int failed = err != NULL;
    if (failed)
        fprintf(stderr, "callback: %s\n", cri_error_message(err));
    cri_subscription_free(subscription); /* After this, print is not called any more. */
    cri_watcher_free(watcher);
    cri_error_free(err);
    return failed;
}
