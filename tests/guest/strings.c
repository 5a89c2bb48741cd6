/* Empty, huge and invalid strings in every place that takes one: an error that can be read, or an answer. Argument: a
 * simulated engine. */

#include "../c/check.h"

enum { HUGE_LEN = 16 << 20, LONGEST_MESSAGE = 64 << 10 };

static cri_watcher *watcher;
static cri_options *options;
static char *huge, *deep;

/* An error that is no defect, and whose message does not repeat 16 MiB. */
static void refused(cri_status status, cri_error *err, const char *where, const char *what)
{
    int fine = status < 0 && status != CRI_E_PANIC && status != CRI_E_INTERNAL && err != NULL
               && strlen(cri_error_message(err)) < LONGEST_MESSAGE;
    if (!fine) {
        failures++;
        fprintf(stderr, "%s with a string that is %s: %s, a message of %zu bytes\n", where, what,
                cri_status_name(status), strlen(cri_error_message(err)));
    }
    cri_error_free(err);
}

static void everywhere(const char *text, const char *what)
{
    cri_error *err = NULL;
    cri_buffer b = CRI_BUFFER_INIT;
    cri_watcher *other = NULL;
    cri_snapshot *snapshot = NULL, *selection = NULL;
    const cri_container *found = NULL;
    cri_status status;

    status = cri_options_set(options, text, "1", &err);
    refused(status, err, "cri_options_set, key", what);
    status = cri_options_set(options, "relist.interval_ms", text, &err);
    refused(status, err, "cri_options_set, value", what);
    status = cri_watcher_new(text, NULL, &other, &err);
    refused(status, err, "cri_watcher_new", what);
    status = cri_watcher_list(watcher, text, &b, &err);
    refused(status, err, "cri_watcher_list", what);
    status = cri_watcher_pods(watcher, text, &b, &err);
    refused(status, err, "cri_watcher_pods", what);
    status = cri_watcher_get(watcher, text, &b, &err);
    refused(status, err, "cri_watcher_get", what);
    status = cri_watcher_inspect(watcher, text, 0, 5000, &b, &err);
    refused(status, err, "cri_watcher_inspect", what);
    status = cri_watcher_call(watcher, text, NULL, 5000, &b, &err);
    refused(status, err, "cri_watcher_call, method", what);
    if (text[0] != '\0') { /* That is an empty request. */
        status = cri_watcher_call(watcher, "RuntimeService/Status", text, 5000, &b, &err);
        refused(status, err, "cri_watcher_call, request", what);
    }
    status = cri_watcher_attach(watcher, text, "{}", &err);
    refused(status, err, "cri_watcher_attach, name", what);
    status = cri_watcher_attach(watcher, "nginx", text, &err);
    refused(status, err, "cri_watcher_attach, JSON", what);
    CHECK_ERROR(CRI_OK, cri_watcher_snapshot(watcher, &snapshot, &err));
    status = cri_snapshot_select(snapshot, text, &selection, &err);
    refused(status, err, "cri_snapshot_select", what);
    status = cri_snapshot_find(snapshot, text, &found, &err);
    refused(status, err, "cri_snapshot_find", what);
    cri_snapshot_free(snapshot);
    CHECK(b.data == NULL && other == NULL && selection == NULL && found == NULL);
}

int main(int argc, char **argv)
{
    cri_error *err = NULL;
    if (argc != 2)
        return 2;
    alarm(240);
    tell("pod web ns=shop nginx");
    size_t len = getenv("SHORT") != NULL ? 1 << 20 : HUGE_LEN;
    huge = malloc(len + 1);
    memset(huge, 'x', len);
    huge[len] = '\0';
    deep = malloc(len + 1);
    memset(deep, '[', len);
    deep[len] = '\0';
    CHECK_ERROR(CRI_OK, cri_options_new(&options, &err));
    CHECK_ERROR(CRI_OK, cri_watcher_new(argv[1], NULL, &watcher, &err));
    CHECK_ERROR(CRI_OK, cri_watcher_resync(watcher, 20000, &err));
    everywhere("", "empty");
    everywhere("\xff\xfe", "no UTF-8");
    everywhere("\xed\xa0\x80", "half of a UTF-16 pair");
    everywhere(huge, "huge");
    everywhere(deep, "deep");
    CHECK_ERROR(CRI_OK, cri_watcher_resync(watcher, 20000, &err));
    cri_watcher_free(watcher);
    cri_options_free(options);
    free(huge);
    free(deep);
    return failures != 0;
}
