/* Follows every engine of a node, one watcher for each, and shows what starts and ends on all of them, until Ctrl-C or
 * for some seconds. Two engines of one id (one host) count as one node: each line begins with that id.
 * cc all_engines.c $(pkg-config --cflags --libs criwatch) -o all_engines && ./all_engines [-t SECONDS] [KEY=VALUE ...]
 * KEY=VALUE are options of the library, such as discover.nested=true or host.root=/host. */

#define _POSIX_C_SOURCE 200809L

#include <criwatch.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

enum { MOST = 62 }; /* engines at a time */

struct engine {
    char *endpoint;
    char id[64];
    cri_watcher *watcher;
    cri_event_queue *queue;
};

static struct engine engines[MOST];
static size_t count;

/* The engine's id out of the news; without one, its endpoint stands for it. */
static void read_id(const char *json, const char *endpoint, char id[64])
{
    const char *begin = strstr(json, "\"id\":\"");
    const size_t length = begin != NULL ? strcspn(begin + 6, "\"") : 0;
    if (length > 0 && length < 64)
        snprintf(id, 64, "%.*s", (int)length, begin + 6);
    else
        snprintf(id, 64, "%s", endpoint);
}

static struct engine *find(const char *endpoint)
{
    for (size_t i = 0; i < count; i++)
        if (strcmp(engines[i].endpoint, endpoint) == 0)
            return &engines[i];
    return NULL;
}

static void leave(struct engine *engine)
{
    cri_event_queue_free(engine->queue);
    cri_watcher_free(engine->watcher);
    free(engine->endpoint);
    *engine = engines[--count];
}

/* Whether it is followed now; what prevents that is printed. */
static int follow(const char *endpoint, const char *json, const cri_options *options)
{
    cri_error *err = NULL;
    struct engine new = {strdup(endpoint), "", NULL, NULL};
    read_id(json, endpoint, new.id);
    if (count == MOST || new.endpoint == NULL) {
        fprintf(stderr, "all_engines: %s: too many engines\n", endpoint);
        free(new.endpoint);
        return 0;
    }
    if (cri_watcher_new(endpoint, options, &new.watcher, &err) != CRI_OK
        || cri_event_queue_new(new.watcher, 0, 0, 0, &new.queue, &err) != CRI_OK
        || cri_watcher_start(new.watcher, &err) != CRI_OK) {
        fprintf(stderr, "all_engines: %s: %s\n", endpoint, cri_error_message(err));
        cri_error_free(err);
        engines[count++] = new;
        leave(&engines[count - 1]);
        return 0;
    }
    engines[count++] = new;
    return 1;
}

/* How many of the followed engines are of this id. */
static int of_id(const char *id)
{
    int found = 0;
    for (size_t i = 0; i < count; i++)
        found += strcmp(engines[i].id, id) == 0;
    return found;
}

/* Takes the finder's news. False when no more will come. */
static int take_news(const cri_finder *finder, const cri_options *options)
{
    uint32_t type = 0;
    cri_buffer endpoint = CRI_BUFFER_INIT, json = CRI_BUFFER_INIT;
    cri_status status;
    while ((status = cri_finder_next(finder, 0, &type, &endpoint, &json, NULL)) == CRI_OK) {
        struct engine *known = find(endpoint.data);
        char id[64];
        read_id(json.data, endpoint.data, id);
        if (type == CRI_ENGINE_FOUND && known == NULL && follow(endpoint.data, json.data, options))
            printf("%s  engine found at %s (%d of this id)\n", id, endpoint.data, of_id(id));
        if (type == CRI_ENGINE_LOST && known != NULL) {
            leave(known);
            printf("%s  engine lost at %s (%d of this id)\n", id, endpoint.data, of_id(id));
        }
        cri_buffer_free(&endpoint);
        cri_buffer_free(&json);
    }
    return status == CRI_AGAIN;
}

static void take_events(const struct engine *engine)
{
    cri_event *event = NULL;
    while (cri_event_queue_next(engine->queue, 0, &event, NULL) == CRI_OK) {
        const cri_container *c = event->container;
        if (c != NULL && (event->type == CRI_EVENT_STARTED || event->type == CRI_EVENT_EXITED))
            printf("%s  %-7s  %s/%s/%s  pid %" PRId32 "\n", engine->id, cri_event_type_name(event->type),
                   c->pod != NULL ? c->pod->pod_namespace : "?", c->pod != NULL ? c->pod->name : "?", c->name, c->pid);
        cri_event_free(event);
    }
}

static void run(const cri_finder *finder, const cri_options *options, int signals)
{
    struct pollfd ready[2 + MOST] = {{cri_finder_fd(finder), POLLIN, 0}, {signals, POLLIN, 0}};
    do {
        for (size_t i = 0; i < count; i++)
            ready[2 + i] = (struct pollfd){cri_event_queue_fd(engines[i].queue), POLLIN, 0};
        const size_t before = count;
        poll(ready, 2 + before, -1);
        /* Events first: the finder's news changes which watcher is where. */
        for (size_t i = 0; i < before; i++)
            if (ready[2 + i].revents != 0)
                take_events(&engines[i]);
    } while (ready[1].revents == 0 && take_news(finder, options));
}

/* Sets KEY=VALUE. */
static cri_status set(const cri_options *options, char *pair, cri_error **err)
{
    char *equals = strchr(pair, '=');
    if (equals != NULL)
        *equals = '\0';
    return cri_options_set(options, pair, equals != NULL ? equals + 1 : "", err);
}

int main(int argc, char **argv)
{
    /* Each line is out before the next wait, into a pipe, too. */
    setvbuf(stdout, NULL, _IOLBF, 0);
    int seconds = 0;
    for (int option; (option = getopt(argc, argv, "t:")) != -1;) {
        if (option != 't' || (seconds = atoi(optarg)) <= 0) {
            fprintf(stderr, "usage: %s [-t SECONDS] [KEY=VALUE ...]\n", argv[0]);
            return 2;
        }
    }

    /* Signals come through a descriptor, the end of the time as one of them. */
    sigset_t ends;
    sigemptyset(&ends);
    sigaddset(&ends, SIGINT);
    sigaddset(&ends, SIGTERM);
    sigaddset(&ends, SIGALRM);
    sigprocmask(SIG_BLOCK, &ends, NULL);
    const int signals = signalfd(-1, &ends, SFD_CLOEXEC);
    alarm((unsigned)seconds);

    cri_options *options = NULL;
    cri_finder *finder = NULL;
    cri_error *err = NULL;
    cri_status status = cri_options_new(&options, &err);
    for (int i = optind; i < argc && status == CRI_OK; i++)
        status = set(options, argv[i], &err);
    if (status == CRI_OK && cri_finder_new(options, &finder, &err) == CRI_OK)
        run(finder, options, signals);
    const int result = err != NULL;
    if (err != NULL)
        fprintf(stderr, "all_engines: %s\n", cri_error_message(err));
    cri_error_free(err);
    cri_finder_free(finder);
    while (count > 0)
        leave(&engines[0]);
    cri_options_free(options);
    close(signals);
    return result;
}
