/* What an event carries, and the fields that filters and rules use. An event carries a record: texts, each a key and its
 * value, both ended by NUL. It has all that fields can ask for, so that a capture file can be read elsewhere.
 * SPDX-License-Identifier: Apache-2.0 */

#ifndef FIELDS_H
#define FIELDS_H

#include <criwatch.h>
#include <plugin/plugin_types.h>
#include <stdio.h>

/* All fields, as JSON for plugin_get_fields. */
const char *fields_json(void);

/* Writes the record of a container, and of an event that reports it; either may be NULL. */
void record_write(FILE *out, const cri_container *container, const cri_event *event);

/* The value of a key in a record, or of PREFIX followed by a key; NULL: there is none. */
const char *record_get(const char *record, size_t len, const char *prefix, const char *key);

/* A value that was extracted: where the field's `res` points. */
union value {
    const char *text;
    uint64_t number;
    ss_plugin_bool truth;
};

/* Puts what a record says of a field into VALUE, which must live until the caller has read it. */
void field_extract(ss_plugin_extract_field *field, const char *record, size_t len, union value *value);

#endif
