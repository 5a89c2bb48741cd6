/* What the C tests share: a check that reports where it failed and goes on, and looks at the process itself. Complaints
 * go to stderr: what some of them write to stdout is for a simulated engine. */

#ifndef CHECK_H
#define CHECK_H

#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* pthread_getname_np */
#endif

#include <criwatch.h>
#include <dirent.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static int failures;

#define CHECK(condition) check((condition) != 0, #condition, __FILE__, __LINE__)

static inline void check(int holds, const char *condition, const char *file, int line)
{
    if (!holds) {
        failures++;
        fprintf(stderr, "%s:%d: not so: %s\n", file, line, condition);
    }
}

/* The call has this status, and an error object that says the same and has a message. */
#define CHECK_ERROR(expected, call) check_error((expected), (call), &err, #call, __FILE__, __LINE__)

static inline void check_error(cri_status expected, cri_status status, cri_error **err, const char *call,
                               const char *file, int line)
{
    if (status != expected) {
        failures++;
        fprintf(stderr, "%s:%d: %s is %s (%s), not %s\n", file, line, call, cri_status_name(status), cri_error_message(*err),
               cri_status_name(expected));
    }
    check((*err != NULL) == (expected < 0), "an error object exactly where there is an error", file, line);
    check(*err == NULL || cri_error_status(*err) == status, "the object has the status returned", file, line);
    check(*err == NULL || cri_error_message(*err)[0] != '\0', "the error has a message", file, line);
    cri_error_free(*err);
    *err = NULL;
}

/* Callbacks that do nothing. */

static inline void ignore_event(const cri_event *event, void *user_data)
{
    (void)event;
    (void)user_data;
}

static inline void ignore_log(uint32_t level, const char *message, void *user_data)
{
    (void)level;
    (void)message;
    (void)user_data;
}

static inline void ignore_container(const char *container, const char *inspection, const cri_rucksack *rucksack,
                                    void *user_data)
{
    (void)container;
    (void)inspection;
    (void)rucksack;
    (void)user_data;
}

/* A watcher with one option; key NULL: with none. */
static inline cri_watcher *watcher_with(const char *endpoint, const char *key, const char *value)
{
    cri_error *err = NULL;
    cri_options *options = NULL;
    cri_watcher *watcher = NULL;
    if (key != NULL) {
        CHECK_ERROR(CRI_OK, cri_options_new(&options, &err));
        CHECK_ERROR(CRI_OK, cri_options_set(options, key, value, &err));
    }
    CHECK_ERROR(CRI_OK, cri_watcher_new(endpoint, options, &watcher, &err));
    cri_options_free(options);
    return watcher;
}

static inline cri_watcher *new_watcher(const char *endpoint)
{
    return watcher_with(endpoint, NULL, NULL);
}

/* A counter of the watcher's statistics. */
static inline long statistic(const cri_watcher *watcher, const char *counter)
{
    cri_buffer stats = CRI_BUFFER_INIT;
    cri_error *err = NULL;
    char key[64];
    CHECK_ERROR(CRI_OK, cri_watcher_stats(watcher, &stats, &err));
    snprintf(key, sizeof key, "\"%s\":", counter);
    const char *at = stats.data != NULL ? strstr(stats.data, key) : NULL;
    CHECK(at != NULL);
    long n = at != NULL ? atol(at + strlen(key)) : -1;
    cri_buffer_free(&stats);
    return n;
}

/* Waits, for 60 seconds at most, until a counter has reached n. */
static inline void statistic_reaches(const cri_watcher *watcher, const char *counter, long n)
{
    for (int i = 0; i < 600 && statistic(watcher, counter) < n; i++)
        nanosleep(&(struct timespec){0, 100000000}, NULL);
    CHECK(statistic(watcher, counter) >= n);
}

/* Has the simulated engine do what one line of its script says; what it answers ("ok ..."). */
static inline const char *tell(const char *line)
{
    static char answer[4096];
    puts(line);
    fflush(stdout);
    CHECK(fgets(answer, sizeof answer, stdin) != NULL && strncmp(answer, "ok ", 3) == 0);
    return answer;
}

static inline int entries(const char *folder)
{
    int n = 0;
    DIR *dir = opendir(folder);
    while (dir != NULL && readdir(dir) != NULL)
        n++;
    closedir(dir);
    return n;
}

static inline int threads(void)
{
    return entries("/proc/self/task");
}

static inline int descriptors(void)
{
    return entries("/proc/self/fd");
}

/* Waits, for 20 seconds at most, until a joined thread is gone from /proc: the kernel takes its time. */
static inline int threads_become(int expected)
{
    for (int i = 0; i < 4000 && threads() != expected; i++)
        nanosleep(&(struct timespec){0, 5000000}, NULL);
    return threads() == expected;
}

static inline size_t read_labels(const cri_label *labels, size_t len)
{
    size_t sum = 0;
    for (size_t i = 0; i < len; i++)
        sum += strlen(labels[i].key) + strlen(labels[i].value);
    return sum;
}

static inline size_t read_words(const char *const *words, size_t len)
{
    size_t sum = 0;
    for (size_t i = 0; i < len; i++)
        sum += strlen(words[i]);
    return sum;
}

/* What a container's record says of how it was made. */
static inline size_t read_details(const cri_container *c)
{
    size_t sum = strlen(c->image_repository) + strlen(c->image_tag) + strlen(c->image_digest) + strlen(c->log_path);
    sum += strlen(c->working_dir) + read_words(c->command, c->command_len) + read_words(c->args, c->args_len);
    for (size_t i = 0; i < c->mounts_len; i++)
        sum += strlen(c->mounts[i].container_path) + strlen(c->mounts[i].host_path);
    for (size_t i = 0; c->user != NULL && i < c->user->groups_len; i++)
        CHECK(c->user->struct_size == sizeof *c->user && c->user->groups[i] >= 0);
    if (c->resources != NULL) {
        CHECK(c->resources->struct_size == sizeof *c->resources);
        sum += strlen(c->resources->cpuset_cpus) + strlen(c->resources->cpuset_mems);
    }
    if (c->previous != NULL) {
        CHECK(c->previous->struct_size == sizeof *c->previous);
        sum += strlen(c->previous->reason);
    }
    CHECK(c->namespaces == NULL || c->namespaces->struct_size == sizeof *c->namespaces);
    return sum;
}

static inline size_t read_pod(const cri_pod *p)
{
    CHECK(p->struct_size == sizeof *p && strlen(p->id) > 0);
    size_t sum = strlen(p->name) + strlen(p->pod_namespace) + strlen(p->uid) + strlen(p->cgroup_path);
    sum += strlen(p->runtime_handler) + read_words(p->ips, p->ips_len);
    for (size_t i = 0; i < p->ports_len; i++)
        sum += strlen(p->ports[i].container) + strlen(p->ports[i].name) + strlen(p->ports[i].protocol);
    return sum + read_labels(p->labels, p->labels_len) + read_labels(p->annotations, p->annotations_len);
}

/* Reads every byte that a record points to: what valgrind does not object to is there. */
static inline size_t read_container(const cri_container *c)
{
    CHECK(c->struct_size == sizeof *c && strlen(c->id) > 0);
    size_t sum = strlen(c->name) + strlen(c->image) + strlen(c->image_ref) + strlen(c->image_id) + strlen(c->reason);
    sum += strlen(c->message) + strlen(c->cgroup_path) + strlen(c->rucksack) + read_details(c);
    sum += read_labels(c->labels, c->labels_len) + read_labels(c->annotations, c->annotations_len);
    return sum + (c->pod != NULL ? read_pod(c->pod) : 0);
}

static inline size_t read_whole(const cri_event *event)
{
    return strlen(event->message) + (event->container != NULL ? read_container(event->container) : 0);
}

#endif
