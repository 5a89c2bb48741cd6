/* The process ends while everything is still alive and a callback is under way.
 * Argument: an endpoint where nobody is. */

#include "check.h"

static int inside[2];

static void on_event(const cri_event *event, void *user_data)
{
    (void)user_data;
    CHECK(write(inside[1], &event->type, 1) == 1);
    for (;;)
        pause();
}

int main(int argc, char **argv)
{
    char byte;
    cri_error *err = NULL;
    cri_watcher *watcher = NULL;
    cri_subscription *subscription = NULL;
    if (argc != 2 || pipe(inside) != 0)
        return 2;
    alarm(60);
    watcher = new_watcher(argv[1]);
    CHECK_ERROR(CRI_OK, cri_watcher_subscribe(watcher, 0, 0, on_event, NULL, NULL, &subscription, &err));
    CHECK_ERROR(CRI_OK, cri_watcher_start(watcher, &err));
    CHECK(read(inside[0], &byte, 1) == 1);
    return failures != 0;
}
