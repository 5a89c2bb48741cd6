/* SPDX-License-Identifier: Apache-2.0 */

#include "fields.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Each field: its name behind "criwatch.", which is its key in a record; its type; its value ("" and -1: none); what it is. */
#define EVENT_FIELDS                                                                                                            \
    FIELD("type", string, cri_event_type_name(event->type),                                                                     \
          "started, exited, updated, or overflow: events were lost, and what runs is reported again")                           \
    FIELD("initial", bool, (event->flags & CRI_EVENT_FLAG_INITIAL) != 0, "whether it tells what ran before, as after a start")   \
    FIELD("final_exit", bool, tells_final_exit(event), "whether the event reports an exit with its final reason")               \
    FIELD("lost", uint64, event->type == CRI_EVENT_OVERFLOW ? (int64_t)event->lost : -1, "how many events were lost")
#define CONTAINER_FIELDS                                                                                                        \
    FIELD("container.id", string, c->id, "the engine's id of the container")                                                    \
    FIELD("container.name", string, c->name, "the name of the container in its pod")                                            \
    FIELD("container.kind", string, cri_kind_name(c->kind), "container or sandbox")                                             \
    FIELD("image", string, c->image, "the image, as the author of the pod wrote it")                                            \
    FIELD("image.digest", string, c->image_digest, "the digest of the manifest of the image")                                   \
    FIELD("pid", uint64, c->pid != 0 ? c->pid : -1, "the pid of the container's first process")                                 \
    FIELD("restarts", uint64, c->attempt, "how many times the container has been restarted")                                    \
    FIELD("exit_code", uint64, c->exit_code, "the exit code")                                                                   \
    FIELD("reason", string, c->reason, "why it ended, in one word: Completed, Error, OOMKilled, gone")                          \
    FIELD("message", string, c->message, "a longer text about the end")                                                         \
    FIELD("duration", reltime, c->started_unix_nano == 0 ? -1 : c->finished_unix_nano - c->started_unix_nano, "how long it ran")
#define POD_FIELDS                                                                                                              \
    FIELD("pod.name", string, pod->name, "the pod")                                                                             \
    FIELD("pod.namespace", string, pod->pod_namespace, "the namespace of the pod")                                              \
    FIELD("pod.uid", string, pod->uid, "the uid of the pod")                                                                    \
    FIELD("pod.ip", string, pod->ips_len > 0 ? pod->ips[0] : "", "the primary address of the pod")
#define FIELDS                                                                                                                  \
    EVENT_FIELDS CONTAINER_FIELDS POD_FIELDS                                                                                    \
    KEYED("label", "a label: the container's own, else the pod's")                                                              \
    KEYED("annotation", "an annotation: the container's own, else the pod's")

#define JSON(name, type, more, desc) ",{\"name\":\"criwatch." name "\",\"type\":\"" type "\"" more ",\"desc\":\"" desc "\"}"
#define FIELD(name, type, value, desc) JSON(name, #type, "", desc)
#define KEYED(name, desc) JSON(name, "string", ",\"arg\":{\"isRequired\":true,\"isKey\":true}", desc)
EXPORT const char *plugin_get_fields(void)
{
    static char json[] = FIELDS "]";
    json[0] = '['; /* Where the first field has its comma. */
    return json;
}
#undef FIELD

/* True once for each run: of an exit whose reason may still change, an update reports the end. */
static int tells_final_exit(const cri_event *event)
{
    return event->type == CRI_EVENT_EXITED ? (event->flags & CRI_EVENT_FLAG_PROVISIONAL) == 0
                                           : (event->flags & CRI_EVENT_FLAG_CONFIRMED) != 0;
}

static void write_string(FILE *out, const char *key, const char *value)
{
    if (value[0] != '\0')
        fprintf(out, "%s%c%s%c", key, 0, value, 0);
}

static void write_uint64(FILE *out, const char *key, int64_t value)
{
    if (value >= 0)
        fprintf(out, "%s%c%" PRId64 "%c", key, 0, value, 0);
}

#define write_reltime write_uint64
#define write_bool write_uint64

static void write_labels(FILE *out, const char *name, const cri_label *labels, size_t len)
{
    for (size_t i = 0; i < len; i++)
        fprintf(out, "%s.%s%c%s%c", name, labels[i].key, 0, labels[i].value, 0);
}

#define FIELD(name, type, value, desc) write_##type(out, name, value);
char *record_new(const void *head, size_t head_len, const cri_container *c, const cri_event *event, size_t *len)
{
    char *record = NULL;
    FILE *out = open_memstream(&record, len);
    if (out == NULL)
        return NULL;
    fwrite(head, head_len, 1, out);
    const cri_pod *pod = c != NULL ? c->pod : NULL;
    if (event != NULL) {
        EVENT_FIELDS
    }
    if (c != NULL) { /* Its labels come before those of the pod, so that they are found first. */
        CONTAINER_FIELDS
        write_labels(out, "label", c->labels, c->labels_len);
        write_labels(out, "annotation", c->annotations, c->annotations_len);
    }
    if (pod != NULL) {
        POD_FIELDS
        write_labels(out, "label", pod->labels, pod->labels_len);
        write_labels(out, "annotation", pod->annotations, pod->annotations_len);
    }
    if (fclose(out) == 0)
        return record;
    free(record);
    return NULL;
}

const char *record_get(const char *record, size_t len, const char *key)
{
    for (const char *at = record, *end = record + len; at < end;) {
        const char *value = memchr(at, '\0', (size_t)(end - at));
        const char *after = value != NULL ? memchr(value + 1, '\0', (size_t)(end - value - 1)) : NULL;
        if (after == NULL)
            return NULL; /* A file may have been cut off. */
        if (strcmp(at, key) == 0)
            return value + 1;
        at = after + 1;
    }
    return NULL;
}

void field_extract(ss_plugin_extract_field *field, const char *record, size_t len, union value *value)
{
    const char *name = field->field + strlen("criwatch.");
    char key[512];
    snprintf(key, sizeof key, field->arg_present ? "%s.%s" : "%s", name, field->arg_key);
    const char *text = record_get(record, len, key);
    field->res_len = text != NULL;
    field->res.u64 = &value->number;
    if (text == NULL)
        return;
    switch (field->ftype) {
    case FTYPE_STRING: value->text = text; break;
    case FTYPE_BOOL: value->truth = text[0] == '1'; break;
    default: value->number = strtoull(text, NULL, 10); break;
    }
}
