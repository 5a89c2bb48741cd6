/* Threads use every function at once while the engine comes and goes; subscriptions come and go, and free themselves and
 * each other in callbacks; callbacks use every function; stop ends every wait. Whatever was given to the library is
 * destroyed exactly once. Argument: a simulated engine with a workload. */

#define CRI_NODISCARD /* It hammers: whatever is answered is right. */
#include "../c/check.h"

static const char *endpoint;
static cri_watcher *watcher; /* The one that all share. */
static cri_event_queue *queue;
static volatile int over;
static int is_short; /* Under valgrind, which is slow, and runs one thread at a time. */
static long made, destroyed, calls, called_all;

/* A subscription, and what becomes of it. */
typedef struct guest {
    cri_subscription *handle;
    struct guest *partner; /* Whom it frees in its first call: maybe itself. */
    int calls, destroyed;
    int calls_all; /* Whether it uses every function in its first call. */
    cri_watcher *own; /* A watcher that it frees in its first call. */
} guest;

static long count(long *counter)
{
    return __atomic_add_fetch(counter, 1, __ATOMIC_RELAXED);
}

/* Frees a handle once, whoever comes first. */
static void free_once(guest *it)
{
    cri_subscription *handle = __atomic_exchange_n(&it->handle, NULL, __ATOMIC_SEQ_CST);
    cri_subscription_free(handle);
}

static void on_destroy(void *user_data)
{
    guest *it = user_data;
    count(&destroyed);
    CHECK(__atomic_add_fetch(&it->destroyed, 1, __ATOMIC_SEQ_CST) == 1);
}

static void on_log(uint32_t level, const char *message, void *user_data)
{
    (void)user_data;
    CHECK(level != 0 && message[0] != '\0');
}

static void on_pack(const char *container, const char *inspection, const cri_rucksack *rucksack, void *user_data)
{
    (void)user_data;
    CHECK(container[0] == '{' && inspection[0] == '{');
    CHECK(cri_rucksack_set(rucksack, "{\"packed\":true}", NULL) == CRI_OK);
}

static void on_event(const cri_event *event, void *user_data);

static void use_snapshot(void)
{
    cri_snapshot *snapshot = NULL;
    const cri_container *const *containers = NULL;
    const cri_container *kept = NULL;
    const cri_pod *const *pods = NULL;
    size_t n = 0;
    if (cri_watcher_snapshot(watcher, &snapshot, NULL) != CRI_OK)
        return;
    CHECK(cri_snapshot_containers(snapshot, &containers, &n, NULL) == CRI_OK);
    for (size_t i = 0; i < n; i++)
        read_container(containers[i]);
    if (n > 0)
        kept = cri_container_ref(containers[n / 2]);
    CHECK(cri_snapshot_pods(snapshot, &pods, &n, NULL) == CRI_OK);
    for (size_t i = 0; i < n; i++)
        read_pod(pods[i]);
    (void)cri_snapshot_generation(snapshot);
    if (kept != NULL) {
        const cri_container *found = NULL;
        CHECK(cri_snapshot_find(snapshot, kept->id, &found, NULL) == CRI_OK);
    }
    cri_snapshot_free(snapshot);
    if (kept != NULL)
        read_container(kept);
    cri_container_unref(kept);
}

static void use_queue(cri_event_queue *it, int64_t timeout_ms)
{
    cri_event *event = NULL;
    cri_buffer b = CRI_BUFFER_INIT;
    if (cri_event_queue_next(it, timeout_ms, &event, NULL) == CRI_OK) {
        read_whole(event);
        CHECK(cri_event_json(event, &b, NULL) == CRI_OK);
        cri_buffer_free(&b);
        cri_event_free(event);
    }
}

/* A watcher from new to free. */
static void use_own_watcher(int inside)
{
    cri_options *options = NULL;
    cri_watcher *own = NULL;
    cri_buffer b = CRI_BUFFER_INIT;
    guest *nobody[2] = {calloc(1, sizeof(guest)), calloc(1, sizeof(guest))};
    CHECK(cri_options_new(&options, NULL) == CRI_OK);
    CHECK(cri_options_set(options, "events", "poll", NULL) == CRI_OK);
    CHECK(cri_options_describe(&b, NULL) == CRI_OK);
    cri_buffer_free(&b);
    CHECK(cri_watcher_new(endpoint, options, &own, NULL) == CRI_OK);
    cri_options_free(options);
    count(&made);
    count(&made);
    CHECK(cri_watcher_set_log(own, CRI_LOG_DEBUG, on_log, nobody[0], on_destroy, NULL) == CRI_OK);
    CHECK(cri_watcher_set_packer(own, on_pack, nobody[1], on_destroy, NULL) == CRI_OK);
    CHECK(cri_watcher_start(own, NULL) == CRI_OK);
    (void)cri_watcher_wait_ready(own, inside ? 0 : 5, NULL);
    CHECK(cri_watcher_stop(own, NULL) == CRI_OK);
    cri_watcher_free(own);
    CHECK(nobody[0]->destroyed == 1 && nobody[1]->destroyed == 1);
    free(nobody[0]);
    free(nobody[1]);
}

/* One of everything. */
static void use(unsigned which, int inside)
{
    int64_t patience = inside ? 0 : 20;
    cri_error *err = NULL;
    cri_buffer b = CRI_BUFFER_INIT;
    cri_event_queue *own = NULL;
    switch (which % 20) {
    case 0: (void)cri_watcher_list(watcher, NULL, &b, &err); break;
    case 1: (void)cri_watcher_list(watcher, "{\"all\":true}", &b, &err); break;
    case 2: (void)cri_watcher_pods(watcher, NULL, &b, &err); break;
    case 3: (void)cri_watcher_get(watcher, "nginx", &b, &err); break;
    case 4: (void)cri_watcher_engine_info(watcher, &b, &err); break;
    case 5: (void)cri_watcher_stats(watcher, &b, &err); break;
    case 6: (void)cri_watcher_inspect(watcher, "nginx", 0, patience, &b, &err); break;
    case 7: (void)cri_watcher_call(watcher, "RuntimeService/Version", NULL, patience, &b, &err); break;
    case 8: (void)cri_watcher_attach(watcher, "nginx", "{\"a\":1}", &err); break;
    case 9: (void)cri_watcher_resync(watcher, patience, &err); break;
    case 10: (void)cri_watcher_wait_ready(watcher, patience, &err); break;
    case 11: CHECK(cri_watcher_start(watcher, &err) == CRI_OK); break;
    case 12: CHECK(cri_watcher_state(watcher) <= CRI_WATCHER_STOPPED); break;
    case 13: (void)cri_watcher_generation(watcher); break;
    case 14: use_snapshot(); break;
    case 15: use_queue(queue, patience); break;
    case 16:
        CHECK(cri_event_queue_new(watcher, 0, 0, 4, &own, &err) == CRI_OK && cri_event_queue_fd(own) >= 0);
        use_queue(own, 0);
        cri_event_queue_free(own);
        break;
    case 17: CHECK(cri_watcher_list(NULL, NULL, &b, &err) == CRI_E_INVALID_ARGUMENT); break;
    case 18:
        if (which % 40 == 18)
            use_own_watcher(inside);
        break;
    default: CHECK(cri_abi_version() == CRI_ABI_VERSION && cri_version_number() != 0 && cri_version()[0] != '\0');
    }
    if (err != NULL) {
        CHECK(cri_error_status(err) < 0 && cri_error_message(err)[0] != '\0');
        CHECK(strcmp(cri_status_name(cri_error_status(err)), "CRI_E_PANIC") != 0);
        (void)cri_error_grpc_code(err);
        (void)cri_error_os_code(err);
        (void)cri_error_is_retriable(err);
    }
    cri_error_free(err);
    cri_buffer_free(&b);
}

static void on_event(const cri_event *event, void *user_data)
{
    guest *it = user_data;
    read_whole(event);
    count(&calls);
    CHECK(__atomic_load_n(&it->destroyed, __ATOMIC_SEQ_CST) == 0);
    if (__atomic_fetch_add(&it->calls, 1, __ATOMIC_SEQ_CST) != 0)
        return;
    if (it->calls_all) {
        for (unsigned which = 0; which < 40; which++)
            use(which, 1);
        CHECK(cri_watcher_stop(watcher, NULL) == CRI_E_WOULD_DEADLOCK);
        count(&called_all);
    }
    if (it->own != NULL) {
        CHECK(cri_watcher_stop(it->own, NULL) == CRI_E_WOULD_DEADLOCK);
        cri_watcher_free(it->own);
    }
    if (it->partner != NULL)
        free_once(it->partner);
}

static void subscribe(const cri_watcher *to, guest *it)
{
    cri_subscription *handle = NULL;
    count(&made);
    if (cri_watcher_subscribe(to, 0, 0, on_event, it, on_destroy, &handle, NULL) == CRI_OK) {
        /* A callback may have wanted it already, and found none. */
        __atomic_store_n(&it->handle, handle, __ATOMIC_SEQ_CST);
    }
}

/* Freed from a callback, it ends a moment later. */
static void see_it_destroyed(guest *it)
{
    for (int i = 0; i < 12000 && __atomic_load_n(&it->destroyed, __ATOMIC_SEQ_CST) == 0; i++)
        nanosleep(&(struct timespec){0, 5000000}, NULL);
    CHECK(__atomic_load_n(&it->destroyed, __ATOMIC_SEQ_CST) == 1);
    free(it);
}

static void subscriptions(unsigned round)
{
    guest *a = calloc(1, sizeof *a), *b = calloc(1, sizeof *b);
    switch (round % 4) {
    case 0: /* Each frees the other. */
        a->partner = b;
        b->partner = a;
        break;
    case 1: /* Each frees itself. */
        a->partner = a;
        b->partner = b;
        break;
    case 2: /* Its watcher; the other one is on the shared watcher, and calls everything. */
        CHECK(cri_watcher_new(endpoint, NULL, &a->own, NULL) == CRI_OK);
        b->calls_all = 1;
        break;
    default: break; /* Freed at once: a barrier. */
    }
    if (round % 4 == 2) {
        cri_watcher *own = a->own;
        subscribe(own, a);
        /* The callback frees it, at the earliest because of this. */
        CHECK(cri_watcher_start(own, NULL) == CRI_OK);
    } else {
        subscribe(watcher, a);
    }
    subscribe(watcher, b);
    if (round % 4 != 3)
        for (int i = 0; i < 200 && (a->calls == 0 || b->calls == 0) && !over; i++)
            nanosleep(&(struct timespec){0, 1000000}, NULL);
    if (round % 4 == 2)
        for (int i = 0; i < 12000 && __atomic_load_n(&a->calls, __ATOMIC_SEQ_CST) == 0; i++)
            nanosleep(&(struct timespec){0, 5000000}, NULL);
    free_once(b);
    free_once(a);
    see_it_destroyed(a);
    see_it_destroyed(b);
}

static void *use_everything(void *argument)
{
    for (unsigned which = (unsigned)(size_t)argument; !over; which += 7) {
        use(which, 0);
        if (is_short)
            nanosleep(&(struct timespec){0, 5000000}, NULL);
    }
    return NULL;
}

static void *come_and_go(void *argument)
{
    for (unsigned round = (unsigned)(size_t)argument; !over; round++)
        subscriptions(round);
    return NULL;
}

static void *wait_for_ever(void *argument)
{
    cri_event *event = NULL;
    cri_buffer b = CRI_BUFFER_INIT;
    cri_status status = CRI_OK;
    switch ((size_t)argument) {
    case 0:
        while ((status = cri_event_queue_next(queue, -1, &event, NULL)) == CRI_OK)
            cri_event_free(event);
        CHECK(status == CRI_CLOSED);
        break;
    case 1:
        while ((status = cri_watcher_resync(watcher, -1, NULL)) != CRI_E_STOPPED)
            CHECK(status != CRI_E_PANIC && status != CRI_E_INTERNAL);
        break;
    default:
        while ((status = cri_watcher_inspect(watcher, "nginx", 0, -1, &b, NULL)) != CRI_E_STOPPED) {
            CHECK(status != CRI_E_PANIC && status != CRI_E_INTERNAL);
            cri_buffer_free(&b);
        }
    }
    return NULL;
}

int main(int argc, char **argv)
{
    enum { USERS = 4, COMERS = 4, WAITERS = 3 };
    is_short = getenv("SHORT") != NULL;
    int restarts = is_short ? 2 : 20, crowd = is_short ? 2 : USERS;
    cri_error *err = NULL;
    cri_options *options = NULL;
    pthread_t users[USERS], comers[COMERS], waiters[WAITERS];
    if (argc != 2)
        return 2;
    endpoint = argv[1];
    alarm(300);
    int tasks = threads(), fds = descriptors();
    tell("pod web ns=hammer nginx");
    CHECK_ERROR(CRI_OK, cri_options_new(&options, &err));
    CHECK_ERROR(CRI_OK, cri_options_set(options, "reconnect.min_delay_ms", "10", &err));
    CHECK_ERROR(CRI_OK, cri_watcher_new(endpoint, options, &watcher, &err));
    cri_options_free(options);
    CHECK_ERROR(CRI_OK, cri_watcher_start(watcher, &err));
    CHECK_ERROR(CRI_OK, cri_watcher_wait_ready(watcher, 20000, &err));
    CHECK_ERROR(CRI_OK, cri_event_queue_new(watcher, 0, 0, 0, &queue, &err));
    for (size_t i = 0; i < (size_t)crowd; i++)
        CHECK(pthread_create(&users[i], NULL, use_everything, (void *)i) == 0);
    for (size_t i = 0; i < (size_t)crowd; i++)
        CHECK(pthread_create(&comers[i], NULL, come_and_go, (void *)i) == 0);
    for (int i = 0; i < restarts; i++) {
        tell("restart");
        CHECK_ERROR(CRI_OK, cri_watcher_resync(watcher, 60000, &err));
        long before = __atomic_load_n(&destroyed, __ATOMIC_RELAXED);
        for (int j = 0; j < 4000 && __atomic_load_n(&destroyed, __ATOMIC_RELAXED) < before + (is_short ? 8 : 20); j++)
            nanosleep(&(struct timespec){0, 5000000}, NULL);
    }
    over = 1;
    for (int i = 0; i < crowd; i++)
        pthread_join(users[i], NULL);
    for (int i = 0; i < crowd; i++)
        pthread_join(comers[i], NULL);

    for (size_t i = 0; i < WAITERS; i++)
        CHECK(pthread_create(&waiters[i], NULL, wait_for_ever, (void *)i) == 0);
    CHECK_ERROR(CRI_OK, cri_watcher_resync(watcher, 60000, &err));
    CHECK_ERROR(CRI_OK, cri_watcher_stop(watcher, &err));
    for (int i = 0; i < WAITERS; i++)
        pthread_join(waiters[i], NULL);
    cri_event_queue_free(queue);
    cri_watcher_free(watcher);
    CHECK(made == destroyed && made > 0 && called_all > 0);
    CHECK(threads_become(tasks));
    CHECK(descriptors() == fds);
    fprintf(stderr, "hammer: %d restarts, %ld callbacks registered and destroyed, %ld calls of them, %ld used everything\n",
            restarts, made, calls, called_all);
    return failures != 0;
}
