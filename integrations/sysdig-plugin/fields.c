/* SPDX-License-Identifier: Apache-2.0 */

#include "fields.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* Each field: its name behind "criwatch.", which is its key in a record; its type; its value for the container C of the pod P
 * and the event E, where "" and -1 say that it has none; what it is. */
#define FIELDS                                                                                                                  \
    FIELD("type", STRING, type(E), "started, exited, updated, or overflow: events were lost, and what runs is reported again")      \
    FIELD("initial", BOOL, (E->flags & CRI_EVENT_FLAG_INITIAL) != 0, "whether it tells what ran before, as after a start")       \
    FIELD("final_exit", BOOL, tells_final_exit(E), "whether the event reports an exit with its final reason")                     \
    FIELD("lost", UINT64, E->type == CRI_EVENT_OVERFLOW ? (int64_t)E->lost : -1, "how many events were lost")                   \
    FIELD("pod.name", STRING, P->name, "the pod")                                                                               \
    FIELD("pod.namespace", STRING, P->pod_namespace, "the namespace of the pod")                                                \
    FIELD("pod.uid", STRING, P->uid, "the uid of the pod")                                                                      \
    FIELD("pod.ip", STRING, P->ips_len > 0 ? P->ips[0] : "", "the primary address of the pod")                                  \
    FIELD("container.id", STRING, C->id, "the engine's id of the container")                                                    \
    FIELD("container.name", STRING, C->name, "the name of the container in its pod")                                            \
    FIELD("container.kind", STRING, C->kind == CRI_KIND_SANDBOX ? "sandbox" : "container", "container or sandbox")              \
    FIELD("image", STRING, C->image, "the image, as the author of the pod wrote it")                                            \
    FIELD("image.digest", STRING, C->image_digest, "the digest of the manifest of the image")                                   \
    FIELD("pid", UINT64, C->pid != 0 ? C->pid : -1, "the pid of the container's first process")                                 \
    FIELD("restarts", UINT64, C->attempt, "how often the container was made anew in its pod")                                   \
    FIELD("exit_code", UINT64, C->exit_code, "the exit code")                                                                   \
    FIELD("reason", STRING, C->reason, "why it ended, in one word: Completed, Error, OOMKilled, gone")                          \
    FIELD("message", STRING, C->message, "a longer text about the end")                                                         \
    FIELD("duration", RELTIME, C->started_unix_nano == 0 ? -1 : C->finished_unix_nano - C->started_unix_nano, "how long it ran") \
    KEYED("label", labels, "a label: the container's own, else the pod's")                                                      \
    KEYED("annotation", annotations, "an annotation: the container's own, else the pod's")

#define JSON(name, type, more, desc) ",{\"name\":\"criwatch." name "\",\"type\":\"" type "\"" more ",\"desc\":\"" desc "\"}"
#define STRING_JSON "string"
#define BOOL_JSON "bool"
#define UINT64_JSON "uint64"
#define RELTIME_JSON "reltime"

#define FIELD(name, type, value, desc) JSON(name, type##_JSON, "", desc)
#define KEYED(name, array, desc) JSON(name, "string", ",\"arg\":{\"isRequired\":true,\"isKey\":true}", desc)
const char *fields_json(void)
{
    static char json[] = FIELDS "]";
    json[0] = '['; /* Where the first field has its comma. */
    return json;
}
#undef FIELD
#undef KEYED

static const char *type(const cri_event *event)
{
    static const char *const types[] = {[CRI_EVENT_STARTED] = "started", [CRI_EVENT_EXITED] = "exited",
                                        [CRI_EVENT_UPDATED] = "updated", [CRI_EVENT_OVERFLOW] = "overflow"};
    const char *known = event->type < sizeof types / sizeof *types ? types[event->type] : NULL;
    return known != NULL ? known : "";
}

/* True once for each run: of an exit whose reason may still change, an update reports the end. */
static int tells_final_exit(const cri_event *event)
{
    return event->type == CRI_EVENT_EXITED ? (event->flags & CRI_EVENT_FLAG_PROVISIONAL) == 0
                                           : (event->flags & CRI_EVENT_FLAG_CONFIRMED) != 0;
}

static void write_STRING(FILE *out, const char *key, const char *value)
{
    if (value[0] != '\0')
        fprintf(out, "%s%c%s%c", key, 0, value, 0);
}

static void write_UINT64(FILE *out, const char *key, int64_t value)
{
    if (value >= 0)
        fprintf(out, "%s%c%" PRId64 "%c", key, 0, value, 0);
}

#define write_RELTIME write_UINT64
#define write_BOOL write_UINT64

static void write_all(FILE *out, const char *name, const cri_label *labels, size_t len)
{
    for (size_t i = 0; i < len; i++)
        fprintf(out, "%s.%s%c%s%c", name, labels[i].key, 0, labels[i].value, 0);
}

void record_write(FILE *out, const cri_container *container, const cri_event *event)
{
    static const cri_container no_container = {.id = "", .name = "", .image = "", .image_digest = "", .reason = "",
                                               .message = "", .exit_code = -1};
    static const cri_pod no_pod = {.name = "", .pod_namespace = "", .uid = ""};
    static const cri_event no_event = {.type = 0};
    const cri_event *E = event != NULL ? event : &no_event;
    const cri_container *C = container != NULL ? container : &no_container;
    const cri_pod *P = C->pod != NULL ? C->pod : &no_pod;
    /* The container's own labels come first, so that they are found first. */
#define FIELD(name, type, value, desc) write_##type(out, name, value);
#define KEYED(name, array, desc) write_all(out, name, C->array, C->array##_len), write_all(out, name, P->array, P->array##_len);
    FIELDS
#undef FIELD
#undef KEYED
}

const char *record_get(const char *record, size_t len, const char *prefix, const char *key)
{
    const size_t skipped = strlen(prefix);
    for (const char *at = record, *end = record + len; at < end;) {
        const char *value = memchr(at, '\0', (size_t)(end - at));
        const char *after = value != NULL ? memchr(value + 1, '\0', (size_t)(end - value - 1)) : NULL;
        if (after == NULL)
            return NULL; /* A file may have been cut off. */
        if (strncmp(at, prefix, skipped) == 0 && strcmp(at + skipped, key) == 0)
            return value + 1;
        at = after + 1;
    }
    return NULL;
}

#define FIELD(name, type, value, desc) {"", name},
#define KEYED(name, array, desc) {name ".", NULL},
void field_extract(ss_plugin_extract_field *field, const char *record, size_t len, union value *value)
{
    static const struct {
        const char *prefix;
        const char *key; /* NULL: the filter's own argument. */
    } fields[] = {FIELDS};
    field->res_len = 0;
    if (field->field_id >= sizeof fields / sizeof *fields)
        return;
    const char *key = fields[field->field_id].key != NULL ? fields[field->field_id].key : field->arg_key;
    const char *text = key != NULL ? record_get(record, len, fields[field->field_id].prefix, key) : NULL;
    if (text == NULL)
        return;
    switch (field->ftype) {
    case FTYPE_STRING: value->text = text; break;
    case FTYPE_BOOL: value->truth = text[0] == '1'; break;
    default: value->number = strtoull(text, NULL, 10); break;
    }
    field->res.u64 = &value->number;
    field->res_len = 1;
}
