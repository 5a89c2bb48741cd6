/* The library panics, on purpose: at every entry, and in its own threads. Each becomes CRI_E_PANIC, ends what waits, and
 * spoils nothing that comes later. Arguments: a simulated engine; the file that says where to panic next. */

#include "../c/check.h"

static const char *file;
static const char *endpoint;
static cri_watcher *watcher;
static int destroyed;

/* The next time the library comes to this place, it panics. */
static void arm(const char *place)
{
    FILE *out = fopen(file, "w");
    CHECK(out != NULL && fputs(place, out) >= 0 && fclose(out) == 0);
}

static int has_happened(void)
{
    for (int i = 0; i < 4000 && access(file, F_OK) == 0; i++)
        nanosleep(&(struct timespec){0, 5000000}, NULL);
    return access(file, F_OK) != 0;
}

static void on_destroy(void *user_data)
{
    (void)user_data;
    __atomic_add_fetch(&destroyed, 1, __ATOMIC_SEQ_CST);
}

static int destroyed_becomes(int expected)
{
    for (int i = 0; i < 4000 && __atomic_load_n(&destroyed, __ATOMIC_SEQ_CST) != expected; i++)
        nanosleep(&(struct timespec){0, 5000000}, NULL);
    return __atomic_load_n(&destroyed, __ATOMIC_SEQ_CST) == expected;
}

static cri_watcher *started(void)
{
    cri_error *err = NULL;
    cri_watcher *it = NULL;
    CHECK_ERROR(CRI_OK, cri_watcher_new(endpoint, NULL, &it, &err));
    CHECK_ERROR(CRI_OK, cri_watcher_start(it, &err));
    CHECK_ERROR(CRI_OK, cri_watcher_wait_ready(it, 20000, &err));
    return it;
}

#define PANICS(call)                                                                                                   \
    do {                                                                                                               \
        arm("entry");                                                                                                  \
        CHECK_ERROR(CRI_E_PANIC, call);                                                                                \
    } while (0)

/* First with a panic, then without: the panic has left nothing behind. */
#define BOTH(expected, call)                                                                                           \
    do {                                                                                                               \
        PANICS(call);                                                                                                  \
        CHECK_ERROR(expected, call);                                                                                   \
    } while (0)

static void at_every_entry(void)
{
    cri_error *err = NULL;
    cri_options *options = NULL;
    cri_watcher *other = NULL;
    cri_buffer b = CRI_BUFFER_INIT;
    cri_snapshot *snapshot = NULL;
    cri_subscription *s = NULL;
    cri_event_queue *q = NULL;
    cri_event *event = NULL;
    const cri_container *const *containers = NULL;
    const cri_container *container = NULL;
    const cri_pod *const *pods = NULL;
    size_t n = 0;

    BOTH(CRI_OK, cri_options_new(&options, &err));
    BOTH(CRI_OK, cri_options_set(options, "relist.interval_ms", "60000", &err));
    BOTH(CRI_OK, cri_options_describe(&b, &err));
    cri_buffer_free(&b);
    BOTH(CRI_OK, cri_watcher_new(endpoint, options, &other, &err));
    BOTH(CRI_OK, cri_watcher_set_log(other, CRI_LOG_ERROR, ignore_log, NULL, on_destroy, &err));
    BOTH(CRI_OK, cri_watcher_set_packer(other, ignore_container, NULL, on_destroy, &err));
    CHECK(destroyed == 2); /* Of the two that were refused. */
    BOTH(CRI_OK, cri_watcher_start(other, &err));
    BOTH(CRI_OK, cri_watcher_wait_ready(other, 20000, &err));
    BOTH(CRI_OK, cri_watcher_resync(other, 20000, &err));
    BOTH(CRI_OK, cri_watcher_list(other, NULL, &b, &err));
    cri_buffer_free(&b);
    BOTH(CRI_OK, cri_watcher_pods(other, NULL, &b, &err));
    cri_buffer_free(&b);
    BOTH(CRI_OK, cri_watcher_get(other, "nginx", &b, &err));
    cri_buffer_free(&b);
    BOTH(CRI_OK, cri_watcher_engine_info(other, &b, &err));
    cri_buffer_free(&b);
    BOTH(CRI_OK, cri_watcher_stats(other, &b, &err));
    cri_buffer_free(&b);
    BOTH(CRI_OK, cri_watcher_metrics(other, &b, &err));
    cri_buffer_free(&b);
    BOTH(CRI_OK, cri_watcher_inspect(other, "nginx", 0, 20000, &b, &err));
    cri_buffer_free(&b);
    BOTH(CRI_OK, cri_watcher_call(other, "RuntimeService/Version", NULL, 20000, &b, &err));
    cri_buffer_free(&b);
    BOTH(CRI_OK, cri_watcher_attach(other, "nginx", "{}", &err));
    BOTH(CRI_OK, cri_watcher_snapshot(other, &snapshot, &err));
    BOTH(CRI_OK, cri_snapshot_containers(snapshot, &containers, &n, &err));
    BOTH(CRI_OK, cri_snapshot_pods(snapshot, &pods, &n, &err));
    cri_snapshot *selection = NULL;
    BOTH(CRI_OK, cri_snapshot_select(snapshot, NULL, &selection, &err));
    cri_snapshot_free(selection);
    BOTH(CRI_OK, cri_snapshot_find(snapshot, "nginx", &container, &err));
    PANICS(cri_rucksack_set(NULL, "{}", &err));
    BOTH(CRI_OK, cri_watcher_subscribe(other, 0, 0, ignore_event, NULL, on_destroy, &s, &err));
    CHECK(destroyed == 3);
    BOTH(CRI_OK, cri_event_queue_new(other, 0, 0, 0, &q, &err));
    BOTH(CRI_OK, cri_event_queue_next(q, 20000, &event, &err));
    BOTH(CRI_OK, cri_event_json(event, &b, &err));
    cri_buffer_free(&b);
    BOTH(CRI_OK, cri_watcher_stop(other, &err));
    cri_event_free(event);
    cri_event_queue_free(q);
    cri_subscription_free(s);
    cri_snapshot_free(snapshot);
    cri_watcher_free(other);
    cri_options_free(options);
    CHECK(destroyed == 6); /* Log, packer and subscription. */
}

/* Functions that cannot fail return another answer, or leak; no thread of the library is there to catch the panic. */
static void where_nothing_can_fail(void)
{
    cri_error *err = NULL;
    cri_options *options = NULL;
    cri_watcher *idle = NULL;
    CHECK_ERROR(CRI_OK, cri_watcher_new(endpoint, NULL, &idle, &err));
    CHECK_ERROR(CRI_OK, cri_options_new(&options, &err));
    arm("infallible");
    CHECK(cri_watcher_state(idle) == CRI_WATCHER_STOPPED && has_happened());
    CHECK(cri_watcher_state(idle) == CRI_WATCHER_NEW);
    arm("infallible");
    CHECK(cri_watcher_generation(idle) == 0 && has_happened());
    arm("infallible");
    cri_options_free(options);
    CHECK(has_happened());
    arm("infallible");
    cri_watcher_free(idle);
    CHECK(has_happened());
}

static void *wait_for_the_end(void *argument)
{
    cri_event *event = NULL;
    cri_status status;
    while ((status = cri_event_queue_next(argument, -1, &event, NULL)) == CRI_OK)
        cri_event_free(event);
    CHECK(status == CRI_CLOSED);
    return NULL;
}

/* A panic on the library's own thread ends the watcher, and with it every wait. */
static void on_the_own_thread(const char *place)
{
    cri_error *err = NULL;
    cri_buffer b = CRI_BUFFER_INIT;
    cri_subscription *s = NULL;
    cri_event_queue *q = NULL;
    pthread_t waiting;
    int before = destroyed;
    cri_watcher *it = started();
    CHECK_ERROR(CRI_OK, cri_watcher_subscribe(it, 0, 0, ignore_event, NULL, on_destroy, &s, &err));
    CHECK_ERROR(CRI_OK, cri_event_queue_new(it, 0, 0, 0, &q, &err));
    CHECK(pthread_create(&waiting, NULL, wait_for_the_end, q) == 0);

    arm(place);
    CHECK_ERROR(CRI_E_PANIC, cri_watcher_resync(it, -1, &err));
    CHECK(has_happened());
    pthread_join(waiting, NULL);
    CHECK(destroyed_becomes(before + 1));
    CHECK_ERROR(CRI_E_PANIC, cri_watcher_wait_ready(it, -1, &err));
    CHECK_ERROR(CRI_E_PANIC, cri_watcher_resync(it, -1, &err));
    CHECK_ERROR(CRI_E_PANIC, cri_watcher_inspect(it, "nginx", 0, -1, &b, &err));
    CHECK(cri_watcher_state(it) == CRI_WATCHER_STOPPED);
    /* The last cache stays readable. */
    CHECK_ERROR(CRI_OK, cri_watcher_list(it, NULL, &b, &err));
    CHECK(b.data != NULL && strstr(b.data, "nginx") != NULL);
    cri_buffer_free(&b);
    CHECK_ERROR(CRI_OK, cri_watcher_stop(it, &err));
    cri_event_queue_free(q);
    cri_subscription_free(s);
    cri_watcher_free(it);
    CHECK(destroyed == before + 1);
}

/* Only this call's own request panics: the watcher goes on. */
static void in_one_request(void)
{
    cri_error *err = NULL;
    cri_buffer b = CRI_BUFFER_INIT;
    BOTH(CRI_OK, cri_watcher_resync(watcher, 20000, &err));
    arm("serve");
    CHECK_ERROR(CRI_E_PANIC, cri_watcher_inspect(watcher, "nginx", 0, -1, &b, &err));
    arm("serve");
    CHECK_ERROR(CRI_E_PANIC, cri_watcher_call(watcher, "RuntimeService/Version", NULL, -1, &b, &err));
    CHECK_ERROR(CRI_OK, cri_watcher_inspect(watcher, "nginx", 0, 20000, &b, &err));
    cri_buffer_free(&b);
    CHECK_ERROR(CRI_OK, cri_watcher_resync(watcher, 20000, &err));
}

/* A subscription whose thread panics ends, and says so by destroy; the others go on. */
static void in_a_callbacks_thread(void)
{
    cri_error *err = NULL;
    cri_subscription *s = NULL;
    int before = destroyed;
    arm("next");
    CHECK_ERROR(CRI_OK, cri_watcher_subscribe(watcher, 0, 0, ignore_event, NULL, on_destroy, &s, &err));
    CHECK(has_happened() && destroyed_becomes(before + 1));
    cri_subscription_free(s);
    CHECK(destroyed == before + 1);
    CHECK_ERROR(CRI_OK, cri_watcher_resync(watcher, 20000, &err));
}

int main(int argc, char **argv)
{
    if (argc != 2 || getenv("CRIWATCH_TEST_PANIC") == NULL)
        return 2;
    endpoint = argv[1];
    file = getenv("CRIWATCH_TEST_PANIC");
    alarm(120);
    tell("pod web ns=shop nginx");
    at_every_entry();
    where_nothing_can_fail();
    on_the_own_thread("sync");
    on_the_own_thread("shared");
    on_the_own_thread("request");
    watcher = started();
    in_one_request();
    in_a_callbacks_thread();
    cri_watcher_free(watcher);
    return failures != 0;
}
