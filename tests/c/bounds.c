/* Every option, as cri_options_describe lists them: its bounds, its words and its default are taken; what lies beyond is
 * refused with a message that names key and value, and changes nothing. */

#include "check.h"

#include <errno.h>

static cri_options *options;
static cri_error *err;

static void taken(const char *key, const char *value)
{
    CHECK_ERROR(CRI_OK, cri_options_set(options, key, value, &err));
}

static void refused(const char *key, const char *value)
{
    char quoted[300];
    snprintf(quoted, sizeof quoted, "\"%s\"", value);
    CHECK(cri_options_set(options, key, value, &err) == CRI_E_OPTION);
    CHECK(cri_error_status(err) == CRI_E_OPTION && cri_error_is_retriable(err) == 0);
    CHECK(strstr(cri_error_message(err), key) != NULL && strstr(cri_error_message(err), quoted) != NULL);
    CHECK(strstr(cri_error_message(err), "not allowed") != NULL);
    cri_error_free(err);
    err = NULL;
}

/* The text of a member of the flat object that begins here; NULL where it has none. */
static const char *member(const char *object, const char *end, const char *name, char *text, size_t size)
{
    char key[64];
    snprintf(key, sizeof key, "\"%s\":", name);
    const char *at = strstr(object, key);
    if (at == NULL || at >= end)
        return NULL;
    at += strlen(key);
    size_t quote = *at == '"';
    size_t len = strcspn(at + quote, quote ? "\"" : ",}");
    snprintf(text, size, "%.*s", (int)len, at + quote);
    return text;
}

static void number(const char *key, const char *min, const char *max)
{
    char beyond[32];
    const char *nonsense[] = {"", " 5", "5 ", "-1", "+5", "0x10", "1e3", "5.0", "five", "18446744073709551616"};
    errno = 0;
    unsigned long long least = strtoull(min, NULL, 10), most = strtoull(max, NULL, 10);
    CHECK(errno == 0 && least < most);
    taken(key, min);
    taken(key, max);
    snprintf(beyond, sizeof beyond, "%llu", most + 1);
    refused(key, beyond);
    if (least > 0) {
        snprintf(beyond, sizeof beyond, "%llu", least - 1);
        refused(key, beyond);
    }
    for (size_t i = 0; i < sizeof nonsense / sizeof *nonsense; i++)
        refused(key, nonsense[i]);
}

static void choice(const char *key, const char *words)
{
    int n = 0;
    char word[64];
    for (const char *at = strchr(words, '['); *at != ']'; n++) {
        size_t len = strcspn(at + 2, "\"");
        snprintf(word, sizeof word, "%.*s", (int)len, at + 2);
        taken(key, word);
        word[0] = 'X';
        refused(key, word);
        at += len + 3;
    }
    CHECK(n >= 2);
    refused(key, "");
}

int main(void)
{
    cri_buffer table = CRI_BUFFER_INIT;
    char key[64], type[32], text[128], max[32];
    int numbers = 0, choices = 0, texts = 0;

    CHECK_ERROR(CRI_OK, cri_options_new(&options, &err));
    CHECK_ERROR(CRI_OK, cri_options_describe(&table, &err));
    for (const char *at = strstr(table.data, "{\"key\":"); at != NULL;) {
        const char *next = strstr(at + 1, "{\"key\":"), *end = next != NULL ? next : table.data + table.len;
        CHECK(member(at, end, "key", key, sizeof key) != NULL && member(at, end, "type", type, sizeof type) != NULL);
        CHECK(member(at, end, "doc", text, sizeof text) != NULL && text[0] != '\0');
        if (member(at, end, "min", text, sizeof text) != NULL) {
            CHECK(strcmp(type, "milliseconds") == 0 || strcmp(type, "integer") == 0);
            CHECK(member(at, end, "max", max, sizeof max) != NULL);
            number(key, text, max);
            numbers++;
        } else if (strcmp(type, "choice") == 0) {
            const char *words = strstr(at, "\"choices\":");
            CHECK(words != NULL && words < end);
            choice(key, words);
            choices++;
        } else {
            CHECK(strcmp(type, "text") == 0);
            taken(key, "");
            taken(key, "any text, \xc3\xbc too");
            CHECK_ERROR(CRI_E_INVALID_ARGUMENT, cri_options_set(options, key, "\xff", &err));
            texts++;
        }
        CHECK_ERROR(CRI_E_INVALID_ARGUMENT, cri_options_set(options, key, NULL, &err));
        CHECK(member(at, end, "default", text, sizeof text) != NULL);
        taken(key, text);
        at = next;
    }
    fprintf(stderr, "%d numbers, %d choices, %d texts\n", numbers, choices, texts);
    CHECK(numbers >= 12 && choices >= 5 && texts >= 2);
    CHECK_ERROR(CRI_E_OPTION, cri_options_set(options, "relist.interval", "30000", &err));
    CHECK_ERROR(CRI_E_OPTION, cri_options_set(options, "", "", &err));
    CHECK_ERROR(CRI_E_INVALID_ARGUMENT, cri_options_set(options, NULL, "1", &err));
    cri_options_free(options);
    cri_buffer_free(&table);
    return failures != 0;
}
