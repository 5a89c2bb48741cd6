/* A host with a lot of thread-local data, which the C library takes out of every thread's stack, and callbacks that use
 * the stack that they were promised. Argument: a simulated engine. */

#include "../c/check.h"

#define VARIABLES (1 << 20)

static __thread char variables[VARIABLES];

static int events, logged;

/* Uses this many bytes of stack. */
static unsigned use(size_t bytes)
{
    volatile char page[4096];
    unsigned sum = 0;
    for (size_t i = 0; i < sizeof page; i += 64)
        sum += (unsigned)(page[i] = (char)(variables[i] + (char)i));
    return bytes > sizeof page ? sum + use(bytes - sizeof page) : sum;
}

/* Uses this many bytes of stack, and every thread-local one. */
static void use_all(const void *bytes)
{
    memset(variables, 1, sizeof variables);
    use(*(const size_t *)bytes);
}

static void on_event(const cri_event *event, void *user_data)
{
    (void)event;
    use_all(user_data);
    __atomic_add_fetch(&events, 1, __ATOMIC_SEQ_CST);
}

static void on_log(uint32_t level, const char *message, void *user_data)
{
    (void)level;
    (void)message;
    use_all(user_data);
    __atomic_add_fetch(&logged, 1, __ATOMIC_SEQ_CST);
}

static void watch(const char *endpoint, const char *stack_bytes, size_t usable)
{
    cri_error *err = NULL;
    cri_options *options = NULL;
    cri_watcher *watcher = NULL;
    cri_subscription *subscription = NULL;
    cri_buffer json = CRI_BUFFER_INIT;
    __atomic_store_n(&events, 0, __ATOMIC_SEQ_CST);
    __atomic_store_n(&logged, 0, __ATOMIC_SEQ_CST);

    CHECK_ERROR(CRI_OK, cri_options_new(&options, &err));
    if (stack_bytes != NULL)
        CHECK_ERROR(CRI_OK, cri_options_set(options, "threads.stack_bytes", stack_bytes, &err));
    CHECK_ERROR(CRI_OK, cri_watcher_new(endpoint, options, &watcher, &err));
    cri_options_free(options);
    CHECK_ERROR(CRI_OK, cri_watcher_set_log(watcher, CRI_LOG_DEBUG, on_log, &usable, NULL, &err));
    CHECK_ERROR(CRI_OK, cri_watcher_subscribe(watcher, 0, 0, on_event, &usable, NULL, &subscription, &err));
    CHECK_ERROR(CRI_OK, cri_watcher_start(watcher, &err));
    CHECK_ERROR(CRI_OK, cri_watcher_wait_ready(watcher, 20000, &err));
    CHECK_ERROR(CRI_OK, cri_watcher_list(watcher, NULL, &json, &err));
    cri_buffer_free(&json);
    for (int i = 0; i < 4000 && (__atomic_load_n(&events, __ATOMIC_SEQ_CST) < 3 || __atomic_load_n(&logged, __ATOMIC_SEQ_CST) == 0); i++)
        nanosleep(&(struct timespec){0, 5000000}, NULL);
    CHECK(__atomic_load_n(&events, __ATOMIC_SEQ_CST) >= 3 && __atomic_load_n(&logged, __ATOMIC_SEQ_CST) > 0);
    CHECK_ERROR(CRI_OK, cri_watcher_stop(watcher, &err));
    cri_subscription_free(subscription);
    cri_watcher_free(watcher);
}

int main(int argc, char **argv)
{
    if (argc != 2)
        return 2;
    alarm(120);
    tell("pod web ns=shop nginx");
    watch(argv[1], NULL, 1024 << 10);
    watch(argv[1], "524288", 128 << 10);
    watch(argv[1], "16777216", 12 << 20);
    return failures != 0;
}
