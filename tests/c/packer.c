/* Rucksacks: packed before the start is reported, packed late, refused, and attached.
 * Argument: the endpoint of a simulated engine, whose script this is. */

#include "calls.h"

/* The id of a container that runs from now on. */
static void run_container(const char *name, char id[65])
{
    char line[128];
    snprintf(line, sizeof line, "create one %s", name);
    const char *at = strstr(tell(line), "id=");
    CHECK(at != NULL);
    snprintf(id, 65, "%.64s", at == NULL ? "" : at + 3);
    snprintf(line, sizeof line, "start %s", name);
    tell(line);
}

/* The id in a container's JSON. */
static void take_id(const char *json, char id[65])
{
    const char *at = strstr(json, "\"id\":\"");
    CHECK(at != NULL);
    snprintf(id, 65, "%.64s", at == NULL ? "" : at + 6);
}

typedef struct packer {
    struct calls calls;
    int refused, slow_may_end;
} packer;

static void pack(const char *container, const char *inspection, const cri_rucksack *rucksack, void *user_data)
{
    packer *self = user_data;
    cri_error *err = NULL;
    char name[16] = "", id[65], text[256];
    CHECK(pthread_getname_np(pthread_self(), name, sizeof name) == 0 && strcmp(name, "cri-pack") == 0);
    CHECK(strstr(inspection, "\"schema\":\"criwatch.inspect/1\"") != NULL);
    take_id(container, id);
    CHECK(strstr(inspection, id) != NULL);

    pthread_mutex_lock(&self->calls.lock);
    calls_count(&self->calls);
    if (strstr(container, "\"name\":\"bad\"") != NULL) {
        CHECK_ERROR(CRI_E_INVALID_ARGUMENT, cri_rucksack_set(rucksack, "{\"no json", &err));
        self->refused++;
    } else if (strstr(container, "\"name\":\"empty\"") == NULL) {
        while (strstr(container, "\"name\":\"slow\"") != NULL && !self->slow_may_end)
            pthread_cond_wait(&self->calls.change, &self->calls.lock);
        snprintf(text, sizeof text, "{ \"packedFor\" : \"%s\" }", id);
        CHECK_ERROR(CRI_OK, cri_rucksack_set(rucksack, "[\"the last word counts\"]", &err));
        CHECK_ERROR(CRI_OK, cri_rucksack_set(rucksack, text, &err));
    }
    pthread_mutex_unlock(&self->calls.lock);
}

/* The next event of this type about this container, within 60 seconds; its rucksack. */
static void next_about(const cri_event_queue *queue, uint32_t type, const char *id, char *rucksack, size_t size)
{
    cri_error *err = NULL;
    cri_event *event = NULL;
    int found = 0;
    while (!found && cri_event_queue_next(queue, 60000, &event, &err) == CRI_OK) {
        found = event->type == type && event->container != NULL && strcmp(event->container->id, id) == 0;
        if (found && type == CRI_EVENT_UPDATED)
            found = (event->changed & CRI_CHANGED_RUCKSACK) != 0;
        if (found)
            snprintf(rucksack, size, "%s", event->container->rucksack);
        cri_event_free(event);
    }
    cri_error_free(err);
    CHECK(found);
}

static int is_packed_for(const char *rucksack, const char *id)
{
    return strncmp(rucksack, "{ \"packedFor\"", 13) == 0 && strstr(rucksack, id) != NULL;
}

/* All that runs has this in it. */
static int list_has(const cri_watcher *watcher, const char *text)
{
    cri_error *err = NULL;
    cri_buffer list = CRI_BUFFER_INIT;
    CHECK_ERROR(CRI_OK, cri_watcher_list(watcher, NULL, &list, &err));
    int has = list.data != NULL && strstr(list.data, text) != NULL;
    cri_buffer_free(&list);
    return has;
}

static void refusals(const char *endpoint, packer *self)
{
    cri_error *err = NULL;
    cri_watcher *watcher = new_watcher(endpoint);
    CHECK_ERROR(CRI_E_NOT_READY, cri_watcher_attach(watcher, "app", "{}", &err));
    CHECK_ERROR(CRI_E_INVALID_ARGUMENT, cri_watcher_attach(watcher, "app", "{", &err));
    CHECK_ERROR(CRI_OK, cri_watcher_set_packer(watcher, pack, self, calls_destroyed, &err));
    CHECK_ERROR(CRI_E_STATE, cri_watcher_set_packer(watcher, pack, self, calls_destroyed, &err));
    CHECK(self->calls.destroyed == 1);
    cri_watcher_free(watcher);
    CHECK(self->calls.destroyed == 2 && self->calls.made == 0);

    watcher = new_watcher(endpoint);
    CHECK_ERROR(CRI_OK, cri_watcher_start(watcher, &err));
    CHECK_ERROR(CRI_E_STATE, cri_watcher_set_packer(watcher, pack, self, calls_destroyed, &err));
    CHECK(self->calls.destroyed == 3);
    cri_watcher_free(watcher);
    self->calls.destroyed = 0;
}

static void attaches(const cri_watcher *watcher, const cri_event_queue *queue, const char *id)
{
    cri_error *err = NULL;
    char rucksack[256];
    CHECK_ERROR(CRI_OK, cri_watcher_attach(watcher, id, "{\"mine\":[1,2]}", &err));
    CHECK(list_has(watcher, "\"rucksack\":{\"mine\":[1,2]}"));
    next_about(queue, CRI_EVENT_UPDATED, id, rucksack, sizeof rucksack);
    CHECK(strcmp(rucksack, "{\"mine\":[1,2]}") == 0);
    CHECK_ERROR(CRI_OK, cri_watcher_attach(watcher, "test/one/app", NULL, &err));
    next_about(queue, CRI_EVENT_UPDATED, id, rucksack, sizeof rucksack);
    CHECK(rucksack[0] == '\0');
    CHECK_ERROR(CRI_E_NOT_FOUND, cri_watcher_attach(watcher, "nobody", "1", &err));
    CHECK_ERROR(CRI_E_INVALID_ARGUMENT, cri_watcher_attach(watcher, id, "not JSON", &err));
}

int main(int argc, char **argv)
{
    packer *self = calls_new(sizeof *self);
    char early[65], app[65], empty[65], bad[65], slow[65], rucksack[256];
    cri_error *err = NULL;
    cri_event_queue *queue = NULL;
    if (argc != 2)
        return 2;
    alarm(300);
    int fds = descriptors(), tasks = threads();
    refusals(argv[1], self);

    cri_watcher *watcher = new_watcher(argv[1]);
    tell("run-pod one ns=test");
    run_container("early", early);
    CHECK_ERROR(CRI_OK, cri_watcher_set_packer(watcher, pack, self, calls_destroyed, &err));
    CHECK_ERROR(CRI_OK, cri_event_queue_new(watcher, 0, 0, 0, &queue, &err));
    CHECK_ERROR(CRI_OK, cri_watcher_start(watcher, &err));
    CHECK_ERROR(CRI_OK, cri_watcher_wait_ready(watcher, 60000, &err));

    /* In the replay, or, on a machine that was too slow for that, right after it. */
    next_about(queue, CRI_EVENT_STARTED, early, rucksack, sizeof rucksack);
    if (rucksack[0] == '\0')
        next_about(queue, CRI_EVENT_UPDATED, early, rucksack, sizeof rucksack);
    CHECK(is_packed_for(rucksack, early));

    run_container("app", app);
    next_about(queue, CRI_EVENT_STARTED, app, rucksack, sizeof rucksack);
    if (rucksack[0] == '\0')
        next_about(queue, CRI_EVENT_UPDATED, app, rucksack, sizeof rucksack);
    CHECK(is_packed_for(rucksack, app));
    CHECK(list_has(watcher, rucksack));

    run_container("empty", empty);
    next_about(queue, CRI_EVENT_STARTED, empty, rucksack, sizeof rucksack);
    CHECK(rucksack[0] == '\0');
    run_container("bad", bad);
    next_about(queue, CRI_EVENT_STARTED, bad, rucksack, sizeof rucksack);
    CHECK(rucksack[0] == '\0');

    /* The packer does not return before the start is reported. */
    run_container("slow", slow);
    next_about(queue, CRI_EVENT_STARTED, slow, rucksack, sizeof rucksack);
    CHECK(rucksack[0] == '\0');
    pthread_mutex_lock(&self->calls.lock);
    CHECK(self->refused == 1);
    self->slow_may_end = 1;
    pthread_cond_broadcast(&self->calls.change);
    pthread_mutex_unlock(&self->calls.lock);
    next_about(queue, CRI_EVENT_UPDATED, slow, rucksack, sizeof rucksack);
    CHECK(is_packed_for(rucksack, slow));

    attaches(watcher, queue, app);
    cri_watcher_free(watcher);
    CHECK(self->calls.destroyed == 1 && self->calls.made >= 6);
    calls_free(self);
    cri_event_queue_free(queue);
    CHECK(threads_become(tasks));
    CHECK(descriptors() == fds);
    return failures != 0;
}
