/* A program of the kind that links this library: it lists, inspects, and follows events.
 *
 *   probe ENDPOINT list [OPTION=VALUE...]                 the running containers and sandboxes, as JSON
 *   probe ENDPOINT inspect NAME_OR_ID [OPTION=VALUE...]   one container or sandbox, as JSON
 *   probe ENDPOINT engine [OPTION=VALUE...]               the engine, as JSON
 *   probe ENDPOINT events [OPTION=VALUE...]               one line for each event, until stdin ends
 *
 * An event's line, tab separated: seq type flags kind id name namespace/pod pid exit_code reason lost labels; "-" where
 * there is none; labels as key=value, separated by commas.
 *
 * While it follows events, each line on stdin is a command, answered by a line that begins with "=":
 *   list     "=list JSON"
 *   resync   waits for the barrier, then "=resync JSON" with the list
 *   block    "=block"; the callback blocks in its next call, says "=blocked", and goes on after
 *   go       "=go"
 *
 * Errors go to stderr as "error STATUS grpc os: message", and the exit code is 1. */
#define _POSIX_C_SOURCE 200809L /* flockfile */

#include <criwatch.h>

#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>

#define WAIT_MS 60000

/* Prints and frees the error, if there is one. Says whether all is well. */
static int ok(cri_status status, cri_error **error) {
    if (status == CRI_OK)
        return 1;
    fprintf(stderr, "error %s %" PRId32 " %" PRId32 ": %s\n", cri_status_name(status), cri_error_grpc_code(*error),
            cri_error_os_code(*error), *error ? cri_error_message(*error) : "");
    cri_error_free(*error);
    *error = NULL;
    return 0;
}

static int print_and_free(cri_buffer *json) {
    int good = fwrite(json->data, 1, json->len, stdout) == json->len && putchar('\n') != EOF && fflush(stdout) == 0;
    cri_buffer_free(json);
    return good;
}

static int start(cri_watcher *watcher) {
    cri_error *error = NULL;
    return ok(cri_watcher_start(watcher, &error), &error) &&
           ok(cri_watcher_wait_ready(watcher, WAIT_MS, &error), &error);
}

static int list(cri_watcher *watcher) {
    cri_buffer json = {0};
    cri_error *error = NULL;
    return start(watcher) && ok(cri_watcher_list(watcher, NULL, &json, &error), &error) && print_and_free(&json);
}

static int inspect(cri_watcher *watcher, const char *id_or_name) {
    cri_buffer json = {0};
    cri_error *error = NULL;
    return start(watcher) && ok(cri_watcher_inspect(watcher, id_or_name, 0, WAIT_MS, &json, &error), &error) &&
           print_and_free(&json);
}

static int engine(cri_watcher *watcher) {
    cri_buffer json = {0};
    cri_error *error = NULL;
    return start(watcher) && ok(cri_watcher_engine_info(watcher, &json, &error), &error) && print_and_free(&json);
}

static const char *type_name(uint32_t type) {
    switch (type) {
    case CRI_EVENT_STARTED: return "STARTED";
    case CRI_EVENT_EXITED: return "EXITED";
    case CRI_EVENT_UPDATED: return "UPDATED";
    case CRI_EVENT_STATE: return "STATE";
    case CRI_EVENT_REPLAY_BEGIN: return "REPLAY_BEGIN";
    case CRI_EVENT_REPLAY_END: return "REPLAY_END";
    case CRI_EVENT_OVERFLOW: return "OVERFLOW";
    default: return "OTHER"; /* types are added; unknown ones are to be ignored */
    }
}

static void print_number(int known, int32_t number) {
    if (known)
        printf("\t%" PRId32, number);
    else
        fputs("\t-", stdout);
}

static void print_labels(const cri_container *c) {
    size_t i;
    putchar('\t');
    for (i = 0; i < c->labels_len; i++)
        printf("%s%s=%s", i ? "," : "", c->labels[i].key, c->labels[i].value);
    puts(c->labels_len ? "" : "-");
}

static void print_event(const cri_event *event) {
    const cri_container *c = event->container;
    flockfile(stdout); /* the main thread answers commands meanwhile */
    printf("%" PRIu64 "\t%s\t%" PRIu32, event->seq, type_name(event->type), event->flags);
    if (c == NULL) {
        printf("\t-\t-\t-\t-\t-\t-\t-\t%" PRIu64 "\t-\n", event->lost);
    } else {
        const char *kind = c->kind == CRI_KIND_SANDBOX ? "sandbox" : "container";
        int has_code = c->state == CRI_STATE_EXITED && c->exit_code >= 0 && !(c->missing & CRI_MISSING_EXIT);
        printf("\t%s\t%s\t%s", kind, c->id, c->name[0] ? c->name : "-");
        if (c->pod != NULL)
            printf("\t%s/%s", c->pod->pod_namespace, c->pod->name);
        else
            fputs("\t-", stdout);
        print_number(c->pid > 0, c->pid);
        print_number(has_code, c->exit_code);
        printf("\t%s\t%" PRIu64, c->reason[0] ? c->reason : "-", event->lost);
        print_labels(c);
    }
    fflush(stdout);
    funlockfile(stdout);
}

static void answer(const char *word, const char *text) {
    flockfile(stdout);
    printf("=%s %s\n", word, text);
    fflush(stdout);
    funlockfile(stdout);
}

/* Whether the callback may run; the commands block and go set it. */
static struct {
    pthread_mutex_t lock;
    pthread_cond_t opened;
    int closed;
} gate = {PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, 0};

static void set_gate(int closed) {
    pthread_mutex_lock(&gate.lock);
    gate.closed = closed;
    pthread_cond_broadcast(&gate.opened);
    pthread_mutex_unlock(&gate.lock);
}

static void pass_gate(void) {
    pthread_mutex_lock(&gate.lock);
    if (gate.closed)
        answer("blocked", "");
    while (gate.closed)
        pthread_cond_wait(&gate.opened, &gate.lock);
    pthread_mutex_unlock(&gate.lock);
}

static void on_event(const cri_event *event, void *user_data) {
    (void)user_data;
    pass_gate();
    print_event(event);
}

static int answer_list(cri_watcher *watcher, const char *word) {
    cri_buffer json = CRI_BUFFER_INIT;
    cri_error *error = NULL;
    if (!ok(cri_watcher_list(watcher, NULL, &json, &error), &error))
        return 0;
    answer(word, json.data);
    cri_buffer_free(&json);
    return 1;
}

static int obey(cri_watcher *watcher, const char *command) {
    cri_error *error = NULL;
    if (strcmp(command, "list\n") == 0)
        return answer_list(watcher, "list");
    if (strcmp(command, "resync\n") == 0)
        return ok(cri_watcher_resync(watcher, WAIT_MS, &error), &error) && answer_list(watcher, "resync");
    if (strcmp(command, "block\n") == 0) {
        set_gate(1);
        answer("block", "");
        return 1;
    }
    if (strcmp(command, "go\n") == 0) {
        set_gate(0);
        answer("go", "");
        return 1;
    }
    fprintf(stderr, "no such command: %s", command);
    return 0;
}

/* How often destroy ran. */
static struct {
    pthread_mutex_t lock;
    pthread_cond_t ran;
    int times;
} destroyed = {PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, 0};

static void count_destroy(void *user_data) {
    (void)user_data;
    pthread_mutex_lock(&destroyed.lock);
    destroyed.times++;
    pthread_cond_signal(&destroyed.ran);
    pthread_mutex_unlock(&destroyed.lock);
}

static void wait_for_destroy(void) {
    pthread_mutex_lock(&destroyed.lock);
    while (destroyed.times == 0)
        pthread_cond_wait(&destroyed.ran, &destroyed.lock);
    pthread_mutex_unlock(&destroyed.lock);
}

static int events(cri_watcher *watcher) {
    cri_subscription *subscription = NULL;
    cri_error *error = NULL;
    char command[16];
    int good;
    /* Before the start: nothing can be missed. */
    if (!ok(cri_watcher_subscribe(watcher, 0, 0, on_event, NULL, count_destroy, &subscription, &error),
            &error))
        return 0;
    good = ok(cri_watcher_start(watcher, &error), &error);
    while (good && fgets(command, sizeof command, stdin) != NULL)
        good = obey(watcher, command);
    set_gate(0);
    /* After the stop come the events that wait, then destroy. */
    if (ok(cri_watcher_stop(watcher, &error), &error))
        wait_for_destroy();
    else
        good = 0;
    cri_subscription_free(subscription);
    if (destroyed.times != 1) {
        fprintf(stderr, "destroy ran %d times\n", destroyed.times);
        good = 0;
    }
    return good;
}

static int set_options(cri_options *options, char **assignments, int count) {
    int i;
    for (i = 0; i < count; i++) {
        cri_error *error = NULL;
        char *value = strchr(assignments[i], '=');
        if (value == NULL) {
            fprintf(stderr, "'%s' is not OPTION=VALUE\n", assignments[i]);
            return 0;
        }
        *value++ = '\0';
        if (!ok(cri_options_set(options, assignments[i], value, &error), &error))
            return 0;
    }
    return 1;
}

static int run(cri_watcher *watcher, const char *command, const char *argument) {
    if (strcmp(command, "list") == 0)
        return list(watcher);
    if (strcmp(command, "inspect") == 0)
        return inspect(watcher, argument);
    if (strcmp(command, "engine") == 0)
        return engine(watcher);
    return events(watcher);
}

/* How many arguments the command takes; -1 if it is not known. */
static int arguments_of(const char *command) {
    if (strcmp(command, "inspect") == 0)
        return 1;
    return strcmp(command, "list") == 0 || strcmp(command, "engine") == 0 || strcmp(command, "events") == 0 ? 0 : -1;
}

int main(int argc, char **argv) {
    cri_options *options = NULL;
    cri_watcher *watcher = NULL;
    cri_error *error = NULL;
    int taken = argc > 2 ? arguments_of(argv[2]) : -1;
    int good;
    if (taken < 0 || argc < 3 + taken) {
        fprintf(stderr, "usage: probe ENDPOINT list|inspect NAME_OR_ID|engine|events [OPTION=VALUE...]\n");
        return 2;
    }
    good = ok(cri_options_new(&options, &error), &error) && set_options(options, argv + 3 + taken, argc - 3 - taken) &&
           ok(cri_watcher_new(argv[1], options, &watcher, &error), &error) && run(watcher, argv[2], argv[3]);
    cri_watcher_free(watcher);
    cri_options_free(options);
    return good ? 0 : 1;
}
