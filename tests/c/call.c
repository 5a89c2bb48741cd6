/* Calls, on a real engine: what reads, an engine's refusal with its code, and what changes something, refused and then
 * allowed. Arguments: an endpoint, and the id of a container that runs there. */

#include "check.h"

/* Calls, expects a reply, and says whether it has this in it. */
static int reply_has(const cri_watcher *watcher, const char *method, const char *request, const char *text)
{
    cri_error *err = NULL;
    cri_buffer reply = CRI_BUFFER_INIT;
    CHECK_ERROR(CRI_OK, cri_watcher_call(watcher, method, request, 60000, &reply, &err));
    int has = reply.data != NULL && strlen(reply.data) == reply.len && strstr(reply.data, text) != NULL;
    if (!has)
        printf("%s: no %s in %.2000s\n", method, text, reply.data == NULL ? "nothing" : reply.data);
    cri_buffer_free(&reply);
    return has;
}

/* Calls, expects this error, and that its message says this. */
static void refused(const cri_watcher *watcher, cri_status expected, const char *method, const char *request,
                    const char *text)
{
    cri_error *err = NULL;
    cri_buffer reply = CRI_BUFFER_INIT;
    cri_status status = cri_watcher_call(watcher, method, request, 60000, &reply, &err);
    printf("%-24s %s\n", cri_status_name(status), cri_error_message(err));
    CHECK(status == expected && reply.data == NULL);
    CHECK(strstr(cri_error_message(err), text) != NULL);
    /* 5 is gRPC's NOT_FOUND. */
    CHECK(cri_error_grpc_code(err) == (expected == CRI_E_NOT_FOUND ? 5 : -1));
    cri_error_free(err);
}

static void reads(const cri_watcher *watcher, const char *id)
{
    char request[512];
    CHECK(reply_has(watcher, "RuntimeService/Status", NULL, "\"RuntimeReady\""));
    CHECK(reply_has(watcher, "RuntimeService/Version", "", "\"runtimeApiVersion\":\"v1\""));
    CHECK(reply_has(watcher, "ImageService/ListImages", "{}", "busybox"));

    snprintf(request, sizeof request, "{\"filter\":{\"id\":\"%s\"}}", id);
    CHECK(reply_has(watcher, "RuntimeService/ListContainers", request, id));
    CHECK(reply_has(watcher, "RuntimeService/ListContainers", request, "\"state\":\"CONTAINER_RUNNING\""));
    snprintf(request, sizeof request, "{\"filter\":{\"id\":\"%s\",\"state\":{\"state\":\"CONTAINER_EXITED\"}}}", id);
    CHECK(reply_has(watcher, "RuntimeService/ListContainers", request, "{\"containers\":[]}"));
}

static void refusals(const cri_watcher *watcher)
{
    refused(watcher, CRI_E_NOT_FOUND, "RuntimeService/ContainerStatus", "{\"containerId\":\"none\"}", "none");
    refused(watcher, CRI_E_INVALID_ARGUMENT, "RuntimeService/ContainerStatus", "{\"containerId\":7}", "containerId");
    refused(watcher, CRI_E_INVALID_ARGUMENT, "RuntimeService/Status", "{\"verbos\":true}", "verbos");
    refused(watcher, CRI_E_INVALID_ARGUMENT, "RuntimeService/Stat", NULL, "RuntimeService/Status");
    refused(watcher, CRI_E_UNSUPPORTED, "RuntimeService/StreamContainers", NULL, "RuntimeService/ListContainers");
    refused(watcher, CRI_E_UNSUPPORTED, "RuntimeService/GetContainerEvents", NULL, "cri_watcher_subscribe");
}

static void environment(const cri_watcher *watcher, const char *endpoint, const char *id)
{
    char request[512];
    snprintf(request, sizeof request, "{\"containerId\":\"%s\",\"verbose\":true}", id);
    CHECK(reply_has(watcher, "RuntimeService/ContainerStatus", request, "PATH=<redacted>"));
    cri_watcher *open = watcher_with(endpoint, "call.show_env", "true");
    CHECK(reply_has(open, "RuntimeService/ContainerStatus", request, "PATH=/"));
    cri_watcher_free(open);
}

static void mutations(const cri_watcher *watcher, const char *endpoint, const char *id)
{
    char stop[512], status[512];
    snprintf(stop, sizeof stop, "{\"containerId\":\"%s\",\"timeout\":\"0\"}", id);
    snprintf(status, sizeof status, "{\"containerId\":\"%s\"}", id);
    refused(watcher, CRI_E_PERMISSION, "RuntimeService/StopContainer", stop, "call.allow_mutations=true");
    CHECK(reply_has(watcher, "RuntimeService/ContainerStatus", status, "\"state\":\"CONTAINER_RUNNING\""));

    cri_watcher *allowed = watcher_with(endpoint, "call.allow_mutations", "true");
    CHECK(reply_has(allowed, "RuntimeService/StopContainer", stop, "{}"));
    CHECK(reply_has(allowed, "RuntimeService/ContainerStatus", status, "\"state\":\"CONTAINER_EXITED\""));
    cri_watcher_free(allowed);
}

int main(int argc, char **argv)
{
    if (argc != 3)
        return 2;
    alarm(300);
    /* Never started: each call makes its own connection. */
    cri_watcher *watcher = watcher_with(argv[1], NULL, NULL);
    reads(watcher, argv[2]);
    refusals(watcher);

    cri_error *err = NULL;
    CHECK_ERROR(CRI_OK, cri_watcher_start(watcher, &err));
    CHECK_ERROR(CRI_OK, cri_watcher_wait_ready(watcher, 60000, &err));
    reads(watcher, argv[2]);
    environment(watcher, argv[1], argv[2]);
    mutations(watcher, argv[1], argv[2]);

    CHECK_ERROR(CRI_OK, cri_watcher_stop(watcher, &err));
    refused(watcher, CRI_E_STOPPED, "RuntimeService/Status", NULL, "stopped");
    cri_watcher_free(watcher);
    return failures != 0;
}
