/* An engine that means harm costs bounded memory and gives errors, never a crash or a hang; and when it has come to its
 * senses, the watcher is as before. Arguments: a simulated engine; what it does. */

#include "../c/check.h"

static const char *how;
static cri_watcher *watcher;

static int is(const char *what)
{
    return strcmp(how, what) == 0;
}

/* The most memory this process ever had, in MiB. */
static long peak(void)
{
    char line[128];
    long kib = 0;
    FILE *in = fopen("/proc/self/status", "r");
    while (in != NULL && fgets(line, sizeof line, in) != NULL)
        if (strncmp(line, "VmHWM:", 6) == 0)
            kib = atol(line + 6);
    if (in != NULL)
        fclose(in);
    return kib / 1024;
}

static void start(const char *endpoint)
{
    cri_error *err = NULL;
    cri_options *options = NULL;
    CHECK_ERROR(CRI_OK, cri_options_new(&options, &err));
    CHECK_ERROR(CRI_OK, cri_options_set(options, "reconnect.max_delay_ms", "200", &err));
    /* A busy machine takes its time to make a big message. */
    if (is("labels") || is("small-entries") || is("empty-entries"))
        CHECK_ERROR(CRI_OK, cri_options_set(options, "request.timeout_ms", "50000", &err));
    CHECK_ERROR(CRI_OK, cri_watcher_new(endpoint, options, &watcher, &err));
    cri_options_free(options);
    CHECK_ERROR(CRI_OK, cri_watcher_start(watcher, &err));
}

/* The most memory that one message may take: what docs/guest.md promises, and the process itself. */
static long most(long message_mib)
{
    return 16 + 16 * message_mib + 64;
}

/* A list that cannot be had is an error that says why, from the first moment on and later. */
static void no_list(cri_status expected, const char *word)
{
    cri_error *err = NULL;
    cri_buffer b = CRI_BUFFER_INIT;
    int is_big = is("huge") || is("empty-entries");
    for (int i = 0; i < (is_big ? 1 : 3); i++) {
        cri_status status = cri_watcher_resync(watcher, is_big ? 20000 : 1500, &err);
        CHECK(status == expected || status == CRI_E_TIMEOUT);
        CHECK(err != NULL && strstr(cri_error_message(err), word) != NULL);
        if (i == 0)
            fprintf(stderr, "%s: %s\n", cri_status_name(status), cri_error_message(err));
        cri_error_free(err);
    }
    CHECK_ERROR(CRI_E_NOT_READY, cri_watcher_list(watcher, NULL, &b, &err));
}

/* A list in pieces that never ends is given up, and asked for in one piece where the engine can do that. */
static void endless_lists(void)
{
    cri_error *err = NULL;
    int is_expected = 0;
    for (int i = 0; i < 6; i++) {
        cri_status status = cri_watcher_resync(watcher, 15000, &err);
        CHECK(status == CRI_OK || status == CRI_E_PROTOCOL || status == CRI_E_TIMEOUT);
        is_expected |= status == CRI_OK || strstr(cri_error_message(err), "no end") != NULL;
        fprintf(stderr, "%s: %s\n", cri_status_name(status), cri_error_message(err));
        cri_error_free(err);
        err = NULL;
        if (is_expected)
            break;
    }
    CHECK(is_expected);
}

/* The list is shown whole and as valid JSON (tests/json_output.rs reads it). Here: it can be asked for. */
static void a_list(const char *word)
{
    cri_error *err = NULL;
    cri_buffer b = CRI_BUFFER_INIT;
    cri_snapshot *snapshot = NULL;
    const cri_container *const *containers = NULL;
    size_t n = 0;
    CHECK_ERROR(CRI_OK, cri_watcher_resync(watcher, 60000, &err));
    CHECK_ERROR(CRI_OK, cri_watcher_list(watcher, NULL, &b, &err));
    CHECK(b.data != NULL && strlen(b.data) == b.len && strstr(b.data, word) != NULL);
    cri_buffer_free(&b);
    CHECK_ERROR(CRI_OK, cri_watcher_snapshot(watcher, &snapshot, &err));
    CHECK_ERROR(CRI_OK, cri_snapshot_containers(snapshot, &containers, &n, &err));
    for (size_t i = 0; i < n; i++)
        CHECK(containers[i]->id != NULL && containers[i]->labels_len <= 1000000);
    cri_snapshot_free(snapshot);
}

static void deep_information(void)
{
    cri_error *err = NULL;
    cri_buffer b = CRI_BUFFER_INIT;
    CHECK_ERROR(CRI_OK, cri_watcher_resync(watcher, 60000, &err));
    /* Info that we cannot read as JSON is shown as a text. */
    CHECK_ERROR(CRI_OK, cri_watcher_inspect(watcher, "nginx", 0, 20000, &b, &err));
    CHECK(b.len > 1000000 && b.len < 100000000);
    cri_buffer_free(&b);
}

/* Information that would take much memory is named, and not read. */
static void wide_information(void)
{
    cri_error *err = NULL;
    cri_buffer b = CRI_BUFFER_INIT;
    CHECK_ERROR(CRI_OK, cri_watcher_resync(watcher, 60000, &err));
    CHECK_ERROR(CRI_OK, cri_watcher_inspect(watcher, "nginx", 0, 20000, &b, &err));
    CHECK(b.data != NULL && b.len < 100000 && strstr(b.data, "bytes of JSON, not read") != NULL);
    cri_buffer_free(&b);
    CHECK(peak() < most(8));
}

/* 40,000 containers with hardly more than an id are 5 MiB, and are read. */
static void many_containers(void)
{
    cri_error *err = NULL;
    CHECK_ERROR(CRI_OK, cri_watcher_resync(watcher, 60000, &err));
    CHECK(peak() < 2 * most(6));
}

static void a_flood(void)
{
    cri_error *err = NULL;
    cri_buffer b = CRI_BUFFER_INIT;
    statistic_reaches(watcher, "engineEvents", 60000);
    /* Not so busy that nobody is heard. */
    CHECK_ERROR(CRI_OK, cri_watcher_resync(watcher, 60000, &err));
    CHECK_ERROR(CRI_OK, cri_watcher_inspect(watcher, "nginx", 0, 20000, &b, &err));
    cri_buffer_free(&b);
    CHECK(statistic(watcher, "rememberedRuns") <= 120000 && statistic(watcher, "openStatusRequests") <= 20000);
    fprintf(stderr, "flood: %ld events, %ld of them lost, %ld runs remembered\n", statistic(watcher, "engineEvents"),
            statistic(watcher, "engineEventsLost"), statistic(watcher, "rememberedRuns"));
}

int main(int argc, char **argv)
{
    char line[64];
    cri_error *err = NULL;
    cri_buffer b = CRI_BUFFER_INIT;
    if (argc != 3)
        return 2;
    how = argv[2];
    alarm(240);
    tell("pod web ns=shop nginx");
    snprintf(line, sizeof line, "fault hostile %s", how);
    tell(line);
    start(argv[1]);
    if (is("garbage") || is("wrong-types"))
        no_list(CRI_E_RPC, "decode");
    else if (is("huge"))
        no_list(CRI_E_PROTOCOL, "message.max_bytes");
    else if (is("empty-entries")) {
        /* 38 MiB, of which not one entry is decoded. */
        no_list(CRI_E_PROTOCOL, "bytes of memory");
        CHECK(peak() < 38 * 3 + 64);
    } else if (is("small-entries"))
        many_containers();
    else if (is("wide"))
        wide_information();
    else if (is("endless-lists"))
        endless_lists();
    else if (is("ids"))
        a_list("../../../etc/passwd");
    else if (is("labels"))
        a_list("labelsCut"); /* a million of them: more than labels.max_bytes */
    else if (is("deep"))
        deep_information();
    else if (is("flood"))
        a_flood();
    else
        return 2;
    fprintf(stderr, "hostile %s: at most %ld MiB\n", how, peak());
    CHECK(peak() < 1024);

    tell("fault hostile off");
    tell("restart");
    CHECK_ERROR(CRI_OK, cri_watcher_resync(watcher, 60000, &err));
    CHECK_ERROR(CRI_OK, cri_watcher_list(watcher, NULL, &b, &err));
    CHECK(b.data != NULL && strstr(b.data, "nginx") != NULL && b.len < 100000);
    cri_buffer_free(&b);
    cri_watcher_free(watcher);
    return failures != 0;
}
