/* The conformance programme in C: see ../README.md. */

#define _POSIX_C_SOURCE 200809L

#include "events.h"
#include "library.h"
#include "watcher.h"

struct command {
    const char *name;
    void (*run)(void);
    const char *needs;
};

static const struct command commands[] = {
    {"version", do_version, NULL},      {"constants", do_constants, NULL},
    {"statuses", do_statuses, NULL},    {"names", do_names, NULL},
    {"options", do_options, NULL},
    {"new", do_new, NULL},              {"free", do_free, NULL},
    {"kept", do_kept, NULL},            {"start", do_start, "watcher"},
    {"stop", do_stop, "watcher"},       {"wait-ready", do_wait_ready, "watcher"},
    {"resync", do_resync, "watcher"},   {"state", do_state, "watcher"},
    {"generation", do_generation, "watcher"}, {"list", do_list, "watcher"},
    {"pods", do_pods, "watcher"},       {"get", do_get, "watcher"},
    {"engine", do_engine, "watcher"},   {"stats", do_stats, "watcher"},
    {"inspect", do_inspect, "watcher"}, {"call", do_call, "watcher"},
    {"attach", do_attach, "watcher"},   {"snapshot", do_snapshot, "watcher"},
    {"find", do_find, "snapshot"},      {"keep", do_keep, "snapshot"},
    {"queue", do_queue, "watcher"},     {"callback", do_callback, "watcher"},
    {"next", do_next, "queue"},         {"until", do_until, "queue"},
    {"wait-fd", do_wait_fd, "queue"},   {"drop", do_drop, "queue"},
};

static int is_there(const char *what)
{
    return what == NULL || (*what == 'w' ? watcher != NULL : *what == 'q' ? queue != NULL : snapshot != NULL);
}

static void run(const char *name)
{
    for (size_t i = 0; i < COUNT(commands); i++) {
        if (strcmp(commands[i].name, name) == 0) {
            if (is_there(commands[i].needs))
                commands[i].run();
            else
                answer_missing(commands[i].needs);
            return;
        }
    }
    puts("unsupported");
}

int main(void)
{
    char *line = NULL;
    size_t size = 0;
    while (getline(&line, &size, stdin) > 0) {
        rest = line;
        rest[strcspn(rest, "\n")] = '\0';
        const char *name = word();
        if (strcmp(name, "quit") == 0)
            break;
        run(name);
        fflush(stdout);
    }
    free(line);
    free_all();
    cri_container_unref(kept);
    puts("ok");
    return 0;
}
