/* A command's line, what the commands share, and how they answer. */

#ifndef CONFORM_LINE_H
#define CONFORM_LINE_H

#include "print.h"

#include <stdlib.h>

static cri_watcher *watcher;
static cri_event_queue *queue;
static cri_snapshot *snapshot;
static const cri_container *kept;
static uint64_t seq;
static cri_error *err;

/* What there is to take from a command's line. */
static char *rest;

/* The next word; "" behind the last one. */
static const char *word(void)
{
    char *begin = rest;
    rest += strcspn(rest, " ");
    if (*rest == ' ')
        *rest++ = '\0';
    return begin;
}

static long long number(void)
{
    return strtoll(word(), NULL, 10);
}

/* NULL where it says "-". */
static const char *given(const char *text)
{
    return strcmp(text, "-") == 0 ? NULL : text;
}

static void answer(cri_status status)
{
    if (status == CRI_OK) {
        puts("ok");
    } else if (status > CRI_OK) {
        puts(cri_status_name(status) + strlen("CRI_"));
    } else {
        printf("%s grpc=%" PRId32 " os=%" PRId32 " retriable=%" PRId32 " ", cri_status_name(status), cri_error_grpc_code(err),
               cri_error_os_code(err), cri_error_is_retriable(err));
        print_quoted(cri_error_message(err));
        putchar('\n');
    }
    cri_error_free(err);
    err = NULL;
}

static void answer_missing(const char *what)
{
    printf("CRI_E_INVALID_ARGUMENT grpc=-1 os=0 retriable=0 \"no %s\"\n", what);
}

static void answer_json(cri_status status, cri_buffer *json)
{
    if (status == CRI_OK)
        printf("  %s\n", json->data);
    cri_buffer_free(json);
    answer(status);
}

#endif
