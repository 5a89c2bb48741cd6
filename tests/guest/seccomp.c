/* The library under a filter that allows the system calls of packaging/seccomp/criwatch.seccomp.json, and ends the process at any
 * other one. Argument: a simulated engine. The environment has the numbers of the calls. */

#include "../c/check.h"

#include <errno.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#if defined(__x86_64__)
#define ARCH AUDIT_ARCH_X86_64
#elif defined(__aarch64__)
#define ARCH AUDIT_ARCH_AARCH64
#else
#error "which architecture's system calls are these?"
#endif

#define MOST 200

static int events, packed;

/* Says which call was refused. What is called here is allowed in any case. */
static void on_refusal(int signal, siginfo_t *info, void *context)
{
    char thread[16] = "", line[100];
    (void)signal;
    (void)context;
    prctl(PR_GET_NAME, thread);
    int len = snprintf(line, sizeof line, "system call %d on thread %s is not in the profile\n", info->si_syscall, thread);
    if (write(2, line, (size_t)len) < 0)
        _exit(4);
    _exit(3);
}

static void allow_only(const char *numbers)
{
    static struct sock_filter code[MOST + 8];
    unsigned short len = 0;
    code[len++] = (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, arch));
    code[len++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, ARCH, 1, 0);
    code[len++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS);
    code[len++] = (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr));
    for (char *end; *numbers != '\0' && len < MOST; numbers = end) {
        long number = strtol(numbers, &end, 10);
        if (end == numbers)
            break;
        code[len++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (unsigned)number, 0, 1);
        code[len++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
    }
    code[len++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_TRAP);
    struct sock_fprog program = {len, code};
    CHECK(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0);
    CHECK(prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0);
}

static void on_event(const cri_event *event, void *user_data)
{
    (void)event;
    (void)user_data;
    __atomic_add_fetch(&events, 1, __ATOMIC_SEQ_CST);
}

static void on_container(const char *container, const char *inspection, const cri_rucksack *rucksack, void *user_data)
{
    (void)container;
    (void)inspection;
    (void)user_data;
    CHECK(cri_rucksack_set(rucksack, "{}", NULL) == CRI_OK);
    __atomic_add_fetch(&packed, 1, __ATOMIC_SEQ_CST);
}

/* Makes folders as containerd has them beside its socket, so many that a second thread reads them. */
static void make_tasks(const char *endpoint)
{
    static const char *const below[] = {"io.containerd.runtime.v2.task", "k8s.io"};
    char path[400];
    const char *socket = strrchr(endpoint, '/');
    int len = snprintf(path, sizeof path, "%.*s", (int)(socket - endpoint) - 7, endpoint + 7); /* unix:// */
    for (int i = 0; i < 2; i++) {
        len += snprintf(path + len, sizeof path - (size_t)len, "/%s", below[i]);
        CHECK(mkdir(path, 0700) == 0);
    }
    for (int i = 0; i < 40; i++) {
        snprintf(path + len, sizeof path - (size_t)len, "/%064d", i);
        CHECK(mkdir(path, 0700) == 0);
    }
}

/* Everything that makes a system call, and the engine's end and return in the midst of it. */
static void use(const char *endpoint)
{
    cri_error *err = NULL;
    cri_watcher *watcher = NULL;
    cri_subscription *subscription = NULL;
    cri_event_queue *queue = NULL;
    cri_event *event = NULL;
    cri_snapshot *snapshot = NULL;
    cri_buffer json = CRI_BUFFER_INIT;
    CHECK_ERROR(CRI_OK, cri_watcher_new(endpoint, NULL, &watcher, &err));
    CHECK_ERROR(CRI_OK, cri_watcher_set_log(watcher, CRI_LOG_DEBUG, ignore_log, NULL, NULL, &err));
    CHECK_ERROR(CRI_OK, cri_watcher_set_packer(watcher, on_container, NULL, NULL, &err));
    CHECK_ERROR(CRI_OK, cri_watcher_subscribe(watcher, 0, 0, on_event, NULL, NULL, &subscription, &err));
    CHECK_ERROR(CRI_OK, cri_event_queue_new(watcher, 0, 0, 0, &queue, &err));
    CHECK_ERROR(CRI_OK, cri_watcher_start(watcher, &err));
    CHECK_ERROR(CRI_OK, cri_watcher_wait_ready(watcher, 20000, &err));
    struct pollfd readable = {cri_event_queue_fd(queue), POLLIN, 0};
    CHECK(poll(&readable, 1, 20000) == 1);
    CHECK_ERROR(CRI_OK, cri_event_queue_next(queue, 20000, &event, &err));
    cri_event_free(event);
    for (int i = 0; i < 20; i++) {
        char line[64];
        snprintf(line, sizeof line, "pod web%d app", i);
        tell(line);
        CHECK_ERROR(CRI_OK, cri_watcher_resync(watcher, 20000, &err));
    }
    CHECK_ERROR(CRI_OK, cri_watcher_inspect(watcher, "nginx", 0, 20000, &json, &err));
    cri_buffer_free(&json);
    CHECK_ERROR(CRI_OK, cri_watcher_list(watcher, NULL, &json, &err));
    cri_buffer_free(&json);
    CHECK_ERROR(CRI_OK, cri_watcher_engine_info(watcher, &json, &err));
    /* In another UTS namespace: its name is not the engine's host's. */
    CHECK(json.data != NULL && strstr(json.data, "agent-pod") == NULL);
    cri_buffer_free(&json);
    CHECK_ERROR(CRI_OK, cri_watcher_attach(watcher, "nginx", "{}", &err));
    cri_status status = cri_watcher_call(watcher, "RuntimeService/Version", NULL, 20000, &json, &err);
    CHECK(status == CRI_OK || status == CRI_E_UNSUPPORTED);
    cri_buffer_free(&json);
    cri_error_free(err);
    err = NULL;
    CHECK_ERROR(CRI_OK, cri_watcher_snapshot(watcher, &snapshot, &err));
    cri_snapshot_free(snapshot);
    tell("down");
    CHECK(cri_watcher_resync(watcher, 300, NULL) < 0);
    tell("up");
    CHECK_ERROR(CRI_OK, cri_watcher_resync(watcher, 20000, &err));
    CHECK(__atomic_load_n(&events, __ATOMIC_SEQ_CST) > 0 && __atomic_load_n(&packed, __ATOMIC_SEQ_CST) > 0);
    cri_subscription_free(subscription);
    cri_event_queue_free(queue);
    CHECK_ERROR(CRI_OK, cri_watcher_stop(watcher, &err));
    cri_watcher_free(watcher);
}

int main(int argc, char **argv)
{
    const char *numbers = getenv("CRI_TEST_ALLOWED");
    struct sigaction action;
    if (argc != 2 || numbers == NULL)
        return 2;
    memset(&action, 0, sizeof action);
    action.sa_sigaction = on_refusal;
    action.sa_flags = SA_SIGINFO;
    CHECK(sigaction(SIGSYS, &action, NULL) == 0);
    alarm(120);
    tell("pod web ns=shop nginx");
    make_tasks(argv[1]);
    allow_only(numbers);
    use(argv[1]);
    use(argv[1]);
    return failures != 0;
}
