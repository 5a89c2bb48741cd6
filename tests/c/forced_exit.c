/* A callback's thread that is ended by force, as Python before 3.14 does to foreign threads at its exit: the process
 * goes on, and destroy is called all the same. Argument: an endpoint where nobody is. */

#include "check.h"

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t change = PTHREAD_COND_INITIALIZER;
static int calls, destroyed;

static void on_event(const cri_event *event, void *user_data)
{
    (void)event;
    (void)user_data;
    pthread_mutex_lock(&lock);
    calls++;
    pthread_cond_broadcast(&change);
    pthread_mutex_unlock(&lock);
    pthread_exit(NULL);
}

static void on_destroy(void *user_data)
{
    CHECK(user_data == &calls);
    destroyed++;
}

int main(int argc, char **argv)
{
    cri_error *err = NULL;
    cri_watcher *watcher = NULL;
    cri_subscription *subscription = NULL;
    if (argc != 2)
        return 2;
    alarm(60);
    int tasks = threads();
    watcher = new_watcher(argv[1]);
    CHECK_ERROR(CRI_OK, cri_watcher_subscribe(watcher, 0, 0, on_event, &calls, on_destroy, &subscription, &err));
    CHECK_ERROR(CRI_OK, cri_watcher_start(watcher, &err));
    pthread_mutex_lock(&lock);
    while (calls == 0)
        pthread_cond_wait(&change, &lock);
    pthread_mutex_unlock(&lock);
    cri_subscription_free(subscription);
    CHECK(calls == 1 && destroyed == 1);
    cri_watcher_free(watcher);
    CHECK(threads_become(tasks));
    return failures != 0;
}
