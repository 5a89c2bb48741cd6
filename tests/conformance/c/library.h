/* Commands about the library: its version, constants, statuses and options. */

#ifndef CONFORM_LIBRARY_H
#define CONFORM_LIBRARY_H

#include "line.h"

struct constant {
    const char *name;
    long long number;
    const char *text;
};

#define STATUS(name) {#name, name, NULL}
#define NUMBER(name) {#name, name, NULL}
#define TEXT(name) {#name, 0, name}

static const struct constant statuses[] = {
    STATUS(CRI_OK), STATUS(CRI_AGAIN), STATUS(CRI_CLOSED), STATUS(CRI_NONE), STATUS(CRI_E_INVALID_ARGUMENT),
    STATUS(CRI_E_NOT_FOUND), STATUS(CRI_E_TIMEOUT), STATUS(CRI_E_NOT_READY), STATUS(CRI_E_STOPPED),
    STATUS(CRI_E_CONNECT), STATUS(CRI_E_PERMISSION), STATUS(CRI_E_RPC), STATUS(CRI_E_UNSUPPORTED),
    STATUS(CRI_E_PROTOCOL), STATUS(CRI_E_OPTION), STATUS(CRI_E_QUERY), STATUS(CRI_E_AMBIGUOUS),
    STATUS(CRI_E_PROCESSLESS), STATUS(CRI_E_WOULD_DEADLOCK), STATUS(CRI_E_FORKED), STATUS(CRI_E_OS),
    STATUS(CRI_E_STATE), STATUS(CRI_E_INTERNAL), STATUS(CRI_E_PANIC),
};
static const struct constant constants[] = {
    NUMBER(CRI_EVENT_STARTED), NUMBER(CRI_EVENT_EXITED), NUMBER(CRI_EVENT_UPDATED), NUMBER(CRI_EVENT_STATE),
    NUMBER(CRI_EVENT_REPLAY_BEGIN), NUMBER(CRI_EVENT_REPLAY_END), NUMBER(CRI_EVENT_OVERFLOW),
    NUMBER(CRI_EVENT_CREATED), NUMBER(CRI_EVENT_REMOVED), NUMBER(CRI_EVENT_LOG),
    NUMBER(CRI_EVENT_FLAG_SYNTHETIC), NUMBER(CRI_EVENT_FLAG_INITIAL), NUMBER(CRI_EVENT_FLAG_REAPPEARED),
    NUMBER(CRI_EVENT_FLAG_NEVER_STARTED), NUMBER(CRI_EVENT_FLAG_PROVISIONAL),
    NUMBER(CRI_EVENT_FLAG_WITNESSED), NUMBER(CRI_EVENT_FLAG_CONFIRMED), NUMBER(CRI_SUBSCRIBE_LIVE_ONLY),
    NUMBER(CRI_INSPECT_REQUIRE_PROCESS), NUMBER(CRI_INSPECT_SHOW_ENV),
    NUMBER(CRI_INSPECT_SEPARATE_ANNOTATIONS), NUMBER(CRI_KIND_CONTAINER),
    NUMBER(CRI_KIND_SANDBOX), NUMBER(CRI_STATE_UNKNOWN), NUMBER(CRI_STATE_CREATED), NUMBER(CRI_STATE_RUNNING),
    NUMBER(CRI_STATE_EXITED), NUMBER(CRI_POD_UNKNOWN), NUMBER(CRI_POD_READY), NUMBER(CRI_POD_NOT_READY),
    NUMBER(CRI_POD_FLAG_HOST_NETWORK), NUMBER(CRI_POD_FLAG_OWN_NETWORK), NUMBER(CRI_POD_FLAG_HOST_PID),
    NUMBER(CRI_POD_FLAG_OWN_PID), NUMBER(CRI_POD_FLAG_HOST_IPC), NUMBER(CRI_POD_FLAG_OWN_IPC),
    NUMBER(CRI_POD_FLAG_STATIC), NUMBER(CRI_POD_FLAG_NOT_STATIC), NUMBER(CRI_MISSING_PID), NUMBER(CRI_MISSING_POD),
    NUMBER(CRI_MISSING_STARTED_AT), NUMBER(CRI_MISSING_EXIT), NUMBER(CRI_CHANGED_PID), NUMBER(CRI_CHANGED_POD),
    NUMBER(CRI_CHANGED_STARTED_AT), NUMBER(CRI_CHANGED_EXIT), NUMBER(CRI_CHANGED_STATE),
    NUMBER(CRI_CHANGED_LABELS), NUMBER(CRI_CHANGED_RUCKSACK), NUMBER(CRI_CHANGED_IMAGE),
    NUMBER(CRI_CHANGED_DETAILS), NUMBER(CRI_CONTAINER_FLAG_TEXT_REPAIRED), NUMBER(CRI_CONTAINER_FLAG_LABELS_CUT),
    NUMBER(CRI_CONTAINER_FLAG_UNREADABLE), NUMBER(CRI_CONTAINER_FLAG_PRIVILEGED),
    NUMBER(CRI_CONTAINER_FLAG_UNPRIVILEGED), NUMBER(CRI_MOUNT_FLAG_READ_ONLY), NUMBER(CRI_WATCHER_NEW),
    NUMBER(CRI_WATCHER_CONNECTING), NUMBER(CRI_WATCHER_SYNCING), NUMBER(CRI_WATCHER_WATCHING),
    NUMBER(CRI_WATCHER_POLLING), NUMBER(CRI_WATCHER_BACKOFF), NUMBER(CRI_WATCHER_STOPPED),
    NUMBER(CRI_ENGINE_FOUND), NUMBER(CRI_ENGINE_CHANGED), NUMBER(CRI_ENGINE_LOST),
    NUMBER(CRI_LOG_ERROR), NUMBER(CRI_LOG_WARN), NUMBER(CRI_LOG_INFO), NUMBER(CRI_LOG_DEBUG),
    NUMBER(CRI_NAMESPACE_CGROUP), NUMBER(CRI_NAMESPACE_IPC), NUMBER(CRI_NAMESPACE_MNT), NUMBER(CRI_NAMESPACE_NET),
    NUMBER(CRI_NAMESPACE_PID), NUMBER(CRI_NAMESPACE_USER), NUMBER(CRI_NAMESPACE_UTS),
    TEXT(CRI_ENGINE_TYPE), TEXT(CRI_LABEL_POD_NAME), TEXT(CRI_LABEL_POD_NAMESPACE), TEXT(CRI_LABEL_POD_UID),
    TEXT(CRI_LABEL_CONTAINER_NAME), TEXT(CRI_LABEL_SANDBOX), TEXT(CRI_ANNOTATION_KEY_PREFIX),
};

static void print_constants(const struct constant *all, size_t count)
{
    for (const struct constant *c = all; c < all + count; c++) {
        if (c->text == NULL) {
            printf("  %s=%lld\n", c->name, c->number);
        } else {
            printf("  %s=", c->name);
            print_quoted(c->text);
            putchar('\n');
        }
    }
}

static void do_version(void)
{
    printf("ok abi=%" PRIu32 " number=%" PRIu32 " version=%s\n", cri_abi_version(), cri_version_number(), cri_version());
}

static void do_constants(void)
{
    printf("  CRI_ABI_VERSION=%d\n", CRI_ABI_VERSION);
    print_constants(statuses, COUNT(statuses));
    print_constants(constants, COUNT(constants));
    puts("ok");
}

static void do_statuses(void)
{
    for (size_t i = 0; i < COUNT(statuses); i++)
        printf("  %lld %s\n", statuses[i].number, cri_status_name((cri_status)statuses[i].number));
    puts("ok");
}

/* The numbers from FIRST to LAST; of bits, each from FIRST to LAST. */
#define NAMES(name, first, last)                                                                                                 \
    do {                                                                                                                         \
        printf(" ");                                                                                                             \
        for (uint32_t number = (first); number <= (last); number++)                                                              \
            printf(" %s", name(number));                                                                                         \
        putchar('\n');                                                                                                           \
    } while (0)
#define BIT_NAMES(name, first, last)                                                                                             \
    do {                                                                                                                         \
        printf(" ");                                                                                                             \
        for (uint32_t bit = (first); bit <= (last); bit <<= 1)                                                                   \
            printf(" %s", name(bit));                                                                                            \
        putchar('\n');                                                                                                           \
    } while (0)

static void do_names(void)
{
    NAMES(cri_event_type_name, CRI_EVENT_STARTED, CRI_EVENT_LOG);
    BIT_NAMES(cri_event_flag_name, CRI_EVENT_FLAG_SYNTHETIC, CRI_EVENT_FLAG_CONFIRMED);
    NAMES(cri_kind_name, CRI_KIND_CONTAINER, CRI_KIND_SANDBOX);
    NAMES(cri_container_state_name, CRI_STATE_UNKNOWN, CRI_STATE_EXITED);
    NAMES(cri_pod_state_name, CRI_POD_UNKNOWN, CRI_POD_NOT_READY);
    BIT_NAMES(cri_pod_flag_name, CRI_POD_FLAG_HOST_NETWORK, CRI_POD_FLAG_NOT_STATIC);
    BIT_NAMES(cri_missing_name, CRI_MISSING_PID, CRI_MISSING_EXIT);
    BIT_NAMES(cri_changed_name, CRI_CHANGED_PID, CRI_CHANGED_DETAILS);
    BIT_NAMES(cri_container_flag_name, CRI_CONTAINER_FLAG_TEXT_REPAIRED, CRI_CONTAINER_FLAG_UNPRIVILEGED);
    BIT_NAMES(cri_mount_flag_name, CRI_MOUNT_FLAG_READ_ONLY, CRI_MOUNT_FLAG_READ_ONLY);
    NAMES(cri_watcher_state_name, CRI_WATCHER_NEW, CRI_WATCHER_STOPPED);
    NAMES(cri_engine_news_name, CRI_ENGINE_FOUND, CRI_ENGINE_LOST);
    NAMES(cri_log_level_name, CRI_LOG_ERROR, CRI_LOG_DEBUG);
    NAMES(cri_namespace_kind_name, CRI_NAMESPACE_CGROUP, CRI_NAMESPACE_UTS);
    puts("ok");
}

static void do_options(void)
{
    cri_buffer json = CRI_BUFFER_INIT;
    answer_json(cri_options_describe(&json, &err), &json);
}

#endif
