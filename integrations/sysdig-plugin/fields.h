/* What an event carries, and the fields that filters and rules use. An event carries a record: texts, each a key and its
 * value, both ended by NUL. It has all that fields can ask for, so that a capture file can be read elsewhere.
 * SPDX-License-Identifier: Apache-2.0 */

#ifndef FIELDS_H
#define FIELDS_H

#include <criwatch.h>
#include <plugin/plugin_api.h>

#define EXPORT __attribute__((visibility("default")))

/* The record of a container, and of an event that reports it; each may be NULL. HEAD comes before it, and counts. */
char *record_new(const void *head, size_t head_len, const cri_container *container, const cri_event *event, size_t *len);

/* The value of a key in a record; NULL: there is none. */
const char *record_get(const char *record, size_t len, const char *key);

/* A value that was extracted: where the field's `res` points. */
union value {
    const char *text;
    uint64_t number;
    ss_plugin_bool truth;
};

/* Puts what a record says of a field into VALUE, which must live until the caller has read it. */
void field_extract(ss_plugin_extract_field *field, const char *record, size_t len, union value *value);

#endif
