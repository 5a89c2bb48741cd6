/* Queries and names: what they select, what they refuse, and what they find.
 * Argument: a simulated engine's endpoint. */

#include "check.h"

static cri_watcher *watcher;
static cri_error *err;

static int count(const char *text, const char *word)
{
    int n = 0;
    for (; text != NULL && (text = strstr(text, word)) != NULL; text += strlen(word))
        n++;
    return n;
}

static void make_a_node(void)
{
    tell("pod web ns=shop uid=u-web label=app=web label=tier=front nginx proxy");
    tell("pod web ns=test label=app=web label=tier=back nginx");
    tell("pod hexy ns=shop label=app=hexy cafe0123");
    tell("run-pod job ns=batch label=app=job");
    tell("create job run label=tier=batch label=weight=7 -- sh -c 'exit 3'");
    tell("start job/run");
    tell("wait job/run exited");
    tell("create job waiting annotation=note=later");
}

/* The query shows so many sandboxes and containers. */
#define SELECTS(query, sandboxes, containers) selects((query), (sandboxes), (containers), __LINE__)

static void selects(const char *query, int sandboxes, int containers, int line)
{
    cri_buffer json = CRI_BUFFER_INIT;
    cri_status status = cri_watcher_list(watcher, query, &json, &err);
    int found[] = {count(json.data, "\"kind\":\"sandbox\""), count(json.data, "\"kind\":\"container\"")};
    if (status != CRI_OK || found[0] != sandboxes || found[1] != containers) {
        fprintf(stderr, "line %d: %s shows %d and %d, not %d and %d: %s%s\n", line, query, found[0], found[1],
                sandboxes, containers, cri_error_message(err), json.data != NULL ? json.data : "");
        failures++;
    }
    cri_error_free(err);
    cri_buffer_free(&json);
}

static void keys(void)
{
    SELECTS(NULL, 4, 4);
    SELECTS("{}", 4, 4);
    SELECTS(" {\"kind\" : \"container\"} ", 0, 4);
    SELECTS("{\"kind\":\"sandbox\"}", 4, 0);
    SELECTS("{\"all\":true}", 4, 6);
    SELECTS("{\"states\":[\"exited\"]}", 0, 1);
    SELECTS("{\"states\":[\"created\",\"exited\"]}", 0, 2);
    SELECTS("{\"states\":[]}", 0, 0);
    SELECTS("{\"namespace\":\"shop\"}", 2, 3);
    SELECTS("{\"namespace\":\"shop\",\"kind\":\"container\",\"name\":\"nginx\"}", 0, 1);
    SELECTS("{\"pod\":\"web\"}", 2, 3);
    SELECTS("{\"uid\":\"u-web\"}", 1, 2);
    SELECTS("{\"name\":\"nginx\"}", 0, 2);
    SELECTS("{\"name\":\"ngin\"}", 0, 0);
}

static void selectors(void)
{
    SELECTS("{\"selector\":\"\"}", 4, 4);
    SELECTS("{\"selector\":\"app\"}", 4, 4);
    SELECTS("{\"selector\":\"!app\"}", 0, 0);
    SELECTS("{\"selector\":\"app=web\"}", 2, 3);
    SELECTS("{\"selector\":\"app==web\"}", 2, 3);
    SELECTS("{\"selector\":\"app!=web\"}", 2, 1);
    SELECTS("{\"selector\":\"app in (web, hexy)\"}", 3, 4);
    SELECTS("{\"selector\":\"app notin (web,hexy)\"}", 1, 0);
    SELECTS("{\"selector\":\"app=web,tier=front\"}", 1, 2);
    SELECTS("{\"selector\":\"app=web,tier notin (front),!weight\"}", 1, 1);
    SELECTS("{\"selector\":\"io.kubernetes.sandbox\"}", 4, 0);
    SELECTS("{\"selector\":\"io.kubernetes.container.name=nginx,io.kubernetes.pod.namespace!=test\"}", 0, 1);
    SELECTS("{\"all\":true,\"selector\":\"tier=batch,app=job\"}", 0, 1);
    SELECTS("{\"all\":true,\"selector\":\"weight>6,weight<8\"}", 0, 1);
    SELECTS("{\"all\":true,\"selector\":\"io.kubernetes.annotation/note=later\"}", 0, 1);
}

/* Refused, and the message has this. */
static void refused(const char *query, const char *named)
{
    cri_buffer json = CRI_BUFFER_INIT;
    CHECK(cri_watcher_pods(watcher, query, &json, &err) == CRI_E_QUERY);
    CHECK(strstr(cri_error_message(err), named) != NULL);
    cri_error_free(err);
    CHECK_ERROR(CRI_E_QUERY, cri_watcher_list(watcher, query, &json, &err));
    CHECK(json.data == NULL && json.owner == NULL);
}

static void refusals(void)
{
    refused("", "no JSON");
    refused("all", "no JSON");
    refused("{\"all\":true", "no JSON");
    refused("[]", "[] is no JSON object");
    refused("\"web\"", "no JSON object");
    refused("{\"pods\":\"web\"}", "\"pods\"");
    refused("{\"pods\":\"web\"}", "known are: states, all");
    refused("{\"pod\":[\"web\"]}", "[\"web\"]");
    refused("{\"all\":\"yes\"}", "true or false");
    refused("{\"states\":[\"dead\"]}", "created, running, exited, unknown");
    refused("{\"fields\":[\"ip\"]}", "cgroupPath");
    refused("{\"selector\":\"app in web\"}", "expected (, found \"web\"");
    refused("{\"selector\":\"app,\"}", "expected a label's key, found the end of the text");
    refused("{\"ifGeneration\":\"7\"}", "a whole number");
    refused("{\"all\":true,\"states\":[\"exited\"]}", "exclude each other");
    cri_buffer json = CRI_BUFFER_INIT;
    CHECK_ERROR(CRI_E_INVALID_ARGUMENT, cri_watcher_pods(watcher, "{\"pod\":\"\xff\"}", &json, &err));
}

static void fields(void)
{
    cri_buffer json = CRI_BUFFER_INIT;
    CHECK_ERROR(CRI_OK, cri_watcher_list(watcher, "{\"fields\":[\"pid\",\"name\"]}", &json, &err));
    CHECK(count(json.data, "\"id\":") >= 8 && count(json.data, "\"name\":\"nginx\",\"pid\":") == 2);
    CHECK(count(json.data, "\"labels\"") == 0 && count(json.data, "\"pod\"") == 0);
    cri_buffer_free(&json);
}

static void pods(void)
{
    cri_buffer json = CRI_BUFFER_INIT;
    CHECK_ERROR(CRI_OK, cri_watcher_pods(watcher, NULL, &json, &err));
    CHECK(count(json.data, "criwatch.pods/1") == 1 && count(json.data, "\"containers\":[") == 4);
    CHECK(count(json.data, "\"kind\":\"sandbox\"") == 4 && count(json.data, "\"kind\":\"container\"") == 4);
    cri_buffer_free(&json);
    CHECK_ERROR(CRI_OK, cri_watcher_pods(watcher, "{\"name\":\"nginx\",\"fields\":[\"name\"]}", &json, &err));
    CHECK(count(json.data, "\"containers\":[") == 2 && count(json.data, "\"name\":\"nginx\"") == 2);
    cri_buffer_free(&json);
}

static void generations(void)
{
    cri_buffer json = CRI_BUFFER_INIT;
    char query[64];
    cri_status status = CRI_OK;
    /* Something may still become known of what was just started. */
    for (int i = 0; i < 1000 && status == CRI_OK; i++) {
        cri_buffer_free(&json);
        snprintf(query, sizeof query, "{\"ifGeneration\":%llu}", (unsigned long long)cri_watcher_generation(watcher));
        status = cri_watcher_list(watcher, query, &json, &err);
    }
    CHECK_ERROR(CRI_NONE, status);
    CHECK(json.data == NULL);
    CHECK_ERROR(CRI_NONE, cri_watcher_pods(watcher, query, &json, &err));
    CHECK(json.data == NULL);
    tell("pod more ns=shop app");
    CHECK_ERROR(CRI_OK, cri_watcher_resync(watcher, 20000, &err));
    CHECK_ERROR(CRI_OK, cri_watcher_list(watcher, query, &json, &err));
    CHECK(count(json.data, "\"name\":\"app\"") == 1);
    cri_buffer_free(&json);
}

/* The name means what has this in its JSON, within 20 seconds: how a container ended may still be asked for. */
static void found(const char *name, const char *shown)
{
    cri_buffer json = CRI_BUFFER_INIT;
    CHECK_ERROR(CRI_OK, cri_watcher_get(watcher, name, &json, &err));
    CHECK(count(json.data, "criwatch.container/1") == 1);
    for (int i = 0; i < 4000 && count(json.data, shown) == 0 && count(json.data, "\"missing\":[") != 0; i++) {
        nanosleep(&(struct timespec){0, 5000000}, NULL);
        cri_buffer_free(&json);
        CHECK_ERROR(CRI_OK, cri_watcher_get(watcher, name, &json, &err));
    }
    if (count(json.data, shown) == 0) {
        fprintf(stderr, "%s is not %s: %s\n", name, shown, json.data != NULL ? json.data : "");
        failures++;
    }
    cri_buffer_free(&json);
}

static void names(void)
{
    cri_buffer json = CRI_BUFFER_INIT;
    char id[65] = "";
    found("proxy", "\"name\":\"proxy\",\"kind\":\"container\"");
    found("shop/web/nginx", "\"uid\":\"u-web\"");
    found("shop/web", "\"kind\":\"sandbox\"");
    found("batch/job/run", "\"exitCode\":3");
    found("waiting", "\"state\":\"created\"");
    found("cafe0123", "\"name\":\"cafe0123\"");

    CHECK(cri_watcher_get(watcher, "nginx", &json, &err) == CRI_E_AMBIGUOUS);
    CHECK(strstr(cri_error_message(err), "shop/web/nginx") != NULL);
    CHECK(strstr(cri_error_message(err), "test/web/nginx") != NULL);
    cri_error_free(err);
    /* A pod's name finds its sandbox; here, there are two. */
    CHECK(cri_watcher_get(watcher, "web", &json, &err) == CRI_E_AMBIGUOUS);
    CHECK(strstr(cri_error_message(err), "shop/web") != NULL && strstr(cri_error_message(err), "test/web") != NULL);
    cri_error_free(err);
    CHECK_ERROR(CRI_E_NOT_FOUND, cri_watcher_get(watcher, "shop/web/", &json, &err));
    CHECK_ERROR(CRI_E_INVALID_ARGUMENT, cri_watcher_get(watcher, "", &json, &err));
    CHECK_ERROR(CRI_E_INVALID_ARGUMENT, cri_watcher_get(watcher, "\xff", &json, &err));

    CHECK(sscanf(strstr(tell("pod last ns=shop it"), " id="), " id=%64[0-9a-f]", id) == 1 && strlen(id) == 64);
    CHECK_ERROR(CRI_OK, cri_watcher_resync(watcher, 20000, &err));
    found(id, "\"name\":\"last\"");
    id[12] = '\0';
    found(id, "\"name\":\"last\"");
    id[5] = '\0';
    CHECK_ERROR(CRI_E_NOT_FOUND, cri_watcher_get(watcher, id, &json, &err));
}

static void the_dead(void)
{
    tell("rm-pod shop/hexy");
    CHECK_ERROR(CRI_OK, cri_watcher_resync(watcher, 20000, &err));
    found("cafe0123", "\"state\":\"exited\"");
    SELECTS("{\"all\":true,\"selector\":\"app=hexy\"}", 0, 0);
    SELECTS("{\"gone\":true,\"selector\":\"app=hexy\"}", 1, 1);
    SELECTS("{\"gone\":true,\"namespace\":\"test\"}", 1, 1);
}

static void too_early(void)
{
    cri_buffer json = CRI_BUFFER_INIT;
    CHECK_ERROR(CRI_E_NOT_READY, cri_watcher_pods(watcher, "{}", &json, &err));
    CHECK_ERROR(CRI_E_NOT_READY, cri_watcher_list(watcher, "{\"ifGeneration\":0}", &json, &err));
    CHECK_ERROR(CRI_E_NOT_READY, cri_watcher_get(watcher, "web", &json, &err));
    CHECK_ERROR(CRI_E_QUERY, cri_watcher_pods(watcher, "[]", &json, &err));
    CHECK_ERROR(CRI_OK, cri_watcher_stats(watcher, &json, &err));
    CHECK(strstr(json.data, "criwatch.stats/1") != NULL);
    cri_buffer_free(&json);
    CHECK_ERROR(CRI_OK, cri_watcher_metrics(watcher, &json, &err));
    CHECK(strstr(json.data, "\ncriwatch_watcher_state{state=\"new\"} 1\n") != NULL);
    CHECK(strlen(json.data) == json.len && strcmp(json.data + json.len - 7, "\n# EOF\n") == 0);
    cri_buffer_free(&json);
}

int main(int argc, char **argv)
{
    if (argc != 2)
        return 2;
    alarm(300);
    make_a_node();
    watcher = new_watcher(argv[1]);
    too_early();
    CHECK_ERROR(CRI_OK, cri_watcher_start(watcher, &err));
    CHECK_ERROR(CRI_OK, cri_watcher_wait_ready(watcher, 60000, &err));
    keys();
    selectors();
    refusals();
    fields();
    pods();
    names();
    generations();
    the_dead();
    cri_watcher_free(watcher);
    return failures != 0;
}
