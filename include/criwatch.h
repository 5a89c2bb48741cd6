/*
 * criwatch: which containers and pods run on this node, and what changes.
 *
 * This program makes a watcher, asks the engine once, and prints the answer as JSON:
 *
 *     cri_watcher *watcher = NULL;
 *     cri_buffer json = CRI_BUFFER_INIT;
 *     if (cri_watcher_new(NULL, NULL, &watcher, NULL) == CRI_OK
 *         && cri_watcher_resync(watcher, 5000, NULL) == CRI_OK
 *         && cri_watcher_list(watcher, NULL, &json, NULL) == CRI_OK)
 *         puts(json.data);
 *     cri_buffer_free(&json);
 *     cri_watcher_free(watcher);
 *
 * An agent that follows changes starts the watcher and takes events. With cri_watcher_subscribe, the library calls
 * a function for each event. With cri_event_queue_new, the program takes events from a queue, which has a file
 * descriptor for poll and epoll. Events and snapshots (cri_watcher_snapshot) are C structs, so a program needs no
 * JSON parser.
 *
 * Terms
 *
 * - Engine: the container engine that a watcher follows, such as containerd or CRI-O.
 * - Sandbox: the container that holds the namespaces of a pod ("pause" container). Functions and events treat it
 *   as a container, too.
 * - Run: the time from one start of a container to its exit, or the time during which a sandbox is ready.
 * - Cache: the containers and pods that the watcher knows. A snapshot is the cache at one moment.
 * - Generation: a number that grows with every change of the cache.
 * - Consumer: a callback subscription or an event queue.
 * - Replay: events that describe the cache to a consumer, one CRI_EVENT_STARTED for each run.
 * - Rucksack: JSON that the program itself adds to a container. A packer is a function of the program that makes
 *   it.
 *
 * Conventions
 *
 * - Names have the form cri_NOUN_VERB. Parameters come in this order: the object, inputs, outputs, and `err`.
 * - Status: CRI_OK is 0. Errors are below 0. Notes are above 0 and come without an error object. A program can
 *   always decide by the status alone. The meaning of a number never changes.
 * - Errors: `err` may be NULL. Otherwise every call overwrites `*err`, with NULL or with a new error. The caller
 *   frees the error with cri_error_free. The call does not free an error that `*err` already holds: free it first.
 *   There is no "last error" per thread.
 * - Outputs: a call writes its outputs only on success. Buffers are the exception: every call overwrites them, and
 *   they are empty unless the call returns CRI_OK. The call does not free what a buffer already holds: free it
 *   first. An empty buffer may be freed any number of times.
 * - NULL: a parameter may be NULL only if its description says so. Otherwise the call returns
 *   CRI_E_INVALID_ARGUMENT. Every _free function and every cri_error function accepts NULL.
 * - Wrong objects: an object of another type, passed through a cast, is treated like NULL. The library cannot
 *   recognize an object that was freed: using one is undefined behavior.
 * - Strings are UTF-8 and end with NUL. If a string contains a NUL, C sees only the part before it; JSON shows it
 *   whole.
 * - Ownership: the caller owns every object and every buffer that a call returns through a parameter. The caller
 *   frees it with the function that the parameter's description names, never with free(). A `const char *` result
 *   belongs to the object that the function was called on.
 * - Structs that the library fills begin with struct_size and only grow at the end. A newer field is there only if
 *   struct_size covers it.
 * - Unknown values: ignore event types, flags and states that you do not know. Newer libraries add some.
 *
 * Contracts
 *
 * - Threads: any thread may call any function at any time. Several threads may use the same object at the same
 *   time. Therefore most functions take a const object, even if they change it. A _free function must be the last
 *   call on its object.
 * - Blocking: only functions with `timeout_ms` wait for the engine or for an event. A timeout below 0 means no limit;
 *   0 means no wait. cri_watcher_stop ends every such wait. A few functions wait for a thread of the library, and
 *   their notes say so: cri_watcher_stop, cri_watcher_free, cri_watcher_attach, cri_subscription_free and
 *   cri_finder_free. All other functions work in memory and take short locks. The notes give their cost; n is the
 *   number of containers in the cache.
 * - Callbacks: each subscription has its own thread ("cri-events"), so a slow callback does not delay the others.
 *   The log ("cri-log") and the packer ("cri-pack") have their own threads, too. The arguments of a callback are
 *   valid until it returns. A callback must not throw or longjmp. It may call every function. Three functions
 *   behave differently when a callback calls them on its own watcher: cri_watcher_stop returns
 *   CRI_E_WOULD_DEADLOCK, cri_watcher_free takes effect after the callback has returned, and cri_subscription_free
 *   does not wait.
 * - User data: the library never reads user_data. It calls destroy(user_data) exactly once: after the last
 *   callback, or, if the registration fails, before that call returns. destroy may be NULL.
 * - Signals: the threads of the library block all asynchronous signals, so handlers of the program never run on
 *   them. The program never gets a SIGPIPE from the library. The library installs no handler and changes no
 *   environment variable.
 * - Output: the library prints nothing, with two exceptions on stderr: the message of a panic, and the message
 *   with which Rust aborts the process when no memory is left.
 * - Fork: a child process may exec, exit, or make its own watchers. In the child, calls on a watcher that the
 *   parent started return CRI_E_FORKED, and _free functions leak on purpose. A program may make a watcher before
 *   daemon() and start it afterwards. Callback subscriptions, the log and the packer have threads, so the program
 *   must set them up after daemon(). All descriptors are closed on exec.
 * - Unloading: dlclose leaves the library in memory.
 * - Defects: a panic inside the library becomes CRI_E_PANIC. It never unwinds into the program.
 * - Compatibility: there is one SONAME for each CRI_ABI_VERSION. Within one version, functions and constants are
 *   only added.
 *
 * Generated from the Rust source; SPDX-License-Identifier: Apache-2.0
 */

#ifndef CRIWATCH_H
#define CRIWATCH_H

#include <stddef.h>
#include <stdint.h>

/* Marks the functions whose result must not be ignored: compilers warn if a program ignores it. To switch these warnings
 * off, define it as empty before you include this header. */
#ifndef CRI_NODISCARD
#  if (defined(__cplusplus) && __cplusplus >= 201703L) || (defined(__STDC_VERSION__) && __STDC_VERSION__ >= 202311L)
#    define CRI_NODISCARD [[nodiscard]]
#  elif defined(__GNUC__)
#    define CRI_NODISCARD __attribute__((warn_unused_result))
#  else
#    define CRI_NODISCARD
#  endif
#endif

#ifdef __cplusplus
extern "C" {
#endif

/* ================================================================================================
 * Version
 *
 * The macros describe the header that the program was compiled with. The functions describe the library that it
 * has loaded.
 * ================================================================================================ */

/** The major version. */
#define CRI_VERSION_MAJOR 0
/** The minor version. */
#define CRI_VERSION_MINOR 1
/** The patch level. */
#define CRI_VERSION_PATCH 0
/** The version as one number, for comparisons. */
#define CRI_VERSION_NUMBER (((CRI_VERSION_MAJOR * 1000000) + (CRI_VERSION_MINOR * 1000)) + CRI_VERSION_PATCH)
/** The version of the binary interface. It changes only together with the SONAME. */
#define CRI_ABI_VERSION 1

/**
 * Returns the CRI_ABI_VERSION of the loaded library. A binding should refuse a library with another number than
 * its own.
 *
 * @return the number
 * @note Never blocks. O(1).
 */
uint32_t cri_abi_version(void);

/**
 * Returns the CRI_VERSION_NUMBER of the loaded library.
 *
 * @return the number
 * @note Never blocks. O(1).
 */
uint32_t cri_version_number(void);

/**
 * Returns the version of the loaded library as text, e.g. "0.1.0".
 *
 * @return a static string, never NULL; do not free it
 * @note Never blocks. O(1).
 */
const char *cri_version(void);

/* ================================================================================================
 * The status numbers
 *
 * The meaning of a number never changes.
 * ================================================================================================ */

/** The result of a call: `CRI_OK`, an error (below 0), or a note (above 0). A note is not an error. */
typedef int32_t cri_status;

/** The call succeeded. */
#define CRI_OK 0
/** Note: nothing is there yet. Try again later. */
#define CRI_AGAIN 1
/** Note: the queue is closed. No more events will come. */
#define CRI_CLOSED 2
/** Note: there is nothing to return. A buffer is empty; other outputs are unchanged. */
#define CRI_NONE 3
/** An argument is invalid: a pointer is NULL, a string is not UTF-8, or a value is out of range. */
#define CRI_E_INVALID_ARGUMENT (-1)
/** No container or pod has this id or name. */
#define CRI_E_NOT_FOUND (-2)
/** The timeout has passed. The message gives the last cause. */
#define CRI_E_TIMEOUT (-3)
/** The cache is not filled yet. Start the watcher and wait until it is ready, or resync. */
#define CRI_E_NOT_READY (-4)
/** The watcher was stopped. */
#define CRI_E_STOPPED (-5)
/** The library cannot connect to the engine's socket. */
#define CRI_E_CONNECT (-6)
/** This user lacks a permission, for example for the engine's socket, or an option forbids the call. */
#define CRI_E_PERMISSION (-7)
/** The engine answered a request with an error. The error has the gRPC code. */
#define CRI_E_RPC (-8)
/** This engine, or this build of the library, does not support the call. */
#define CRI_E_UNSUPPORTED (-9)
/** The engine sent something that the library does not understand. */
#define CRI_E_PROTOCOL (-10)
/** The key of an option is unknown, or its value is not allowed. */
#define CRI_E_OPTION (-11)
/** The query is malformed. The message names the key, the value and what is allowed. */
#define CRI_E_QUERY (-12)
/** Several containers match this name or id prefix. The message lists them. */
#define CRI_E_AMBIGUOUS (-13)
/** The container has no process, or no longer has one. */
#define CRI_E_PROCESSLESS (-14)
/** The call came from a callback, and would wait for that same callback. */
#define CRI_E_WOULD_DEADLOCK (-15)
/** The watcher was started by the parent of this forked process. */
#define CRI_E_FORKED (-16)
/** A system call failed. The error has the errno. */
#define CRI_E_OS (-17)
/** The call is not allowed in the present state of the watcher, for example before its start. */
#define CRI_E_STATE (-18)
/** The library has a defect. */
#define CRI_E_INTERNAL (-98)
/** The library has a defect: it caught a panic. */
#define CRI_E_PANIC (-99)

/* ================================================================================================
 * Errors
 *
 * An error object has the status, a message with all causes, and the gRPC code or the errno, if there is one. It
 * never changes.
 * ================================================================================================ */

/** An error. */
typedef struct cri_error cri_error;

/**
 * Returns the name of a status, e.g. "CRI_E_TIMEOUT".
 *
 * @param status any number
 * @return a static string, never NULL; do not free it; "CRI_E_UNKNOWN_STATUS" for an unknown number
 * @note Never blocks. O(1).
 */
const char *cri_status_name(cri_status status);

/**
 * Returns the status that the failed call returned.
 *
 * @param error the error; NULL: CRI_OK
 * @return the status
 * @note Never blocks. O(1).
 */
cri_status cri_error_status(const cri_error *error);

/**
 * Returns the whole message: what failed, on what, why, and what to do.
 *
 * @param error the error; NULL: ""
 * @return a string that is valid until the error is freed; never NULL
 * @note Never blocks. O(1).
 */
const char *cri_error_message(const cri_error *error);

/**
 * Returns the gRPC status code, if the error came from the engine.
 *
 * @param error the error; NULL: -1
 * @return the code; -1: none
 * @note Never blocks. O(1).
 */
int32_t cri_error_grpc_code(const cri_error *error);

/**
 * Returns the errno, if the error came from a system call.
 *
 * @param error the error; NULL: 0
 * @return the errno; 0: none
 * @note Never blocks. O(1).
 */
int32_t cri_error_os_code(const cri_error *error);

/**
 * Returns whether the same call may succeed if the program simply tries it again later.
 *
 * @param error the error; NULL: 0
 * @return 1: yes; 0: no
 * @note Never blocks. O(1).
 */
int32_t cri_error_is_retriable(const cri_error *error);

/**
 * Frees an error.
 *
 * @param error the error; NULL: does nothing
 * @note Never blocks. O(1).
 */
void cri_error_free(cri_error *error);

/* ================================================================================================
 * Buffers
 *
 * Functions return JSON in buffers. Several buffers may share the memory of one text, so the text is read-only.
 * ================================================================================================ */

/** A text that the library made. Set it to CRI_BUFFER_INIT before its first use. */
typedef struct cri_buffer {
    /** The text, followed by a NUL. NULL: the buffer is empty. */
    const char *data;
    /** The length of the text in bytes, without the NUL. */
    size_t len;
    /** Reserved for the library. */
    void *owner;
} cri_buffer;

/**
 * Frees the text of a buffer, and makes the buffer empty.
 *
 * @param buffer the buffer; NULL or an empty one: does nothing
 * @note Never blocks. O(1).
 */
void cri_buffer_free(cri_buffer *buffer);

/** The value that a cri_buffer must have before its first use. */
#define CRI_BUFFER_INIT { NULL, 0, NULL }

/* ================================================================================================
 * Constants
 *
 * These numbers and keys are the same in every language.
 * ================================================================================================ */

/* Event types: */

/**
 * A run has begun: a container was started, or a sandbox is ready. Reported once for each run; replays repeat
 * it with CRI_EVENT_FLAG_INITIAL.
 */
#define CRI_EVENT_STARTED 1

/**
 * A run has ended. Reported exactly once for each run, after its STARTED. An EXITED comes without a STARTED
 * only with CRI_EVENT_FLAG_NEVER_STARTED, or for a consumer with CRI_SUBSCRIBE_LIVE_ONLY.
 */
#define CRI_EVENT_EXITED 2

/**
 * Something about a container has become known or has changed; `changed` says what. An UPDATED may follow the
 * EXITED, too: the reason of an exit may become known, or final, about a second later.
 */
#define CRI_EVENT_UPDATED 3
/** The state of the watcher has changed. `watcher_state` is the new one. */
#define CRI_EVENT_STATE 4
/** A replay begins: one STARTED with CRI_EVENT_FLAG_INITIAL follows for each run. Sent whatever the mask is. */
#define CRI_EVENT_REPLAY_BEGIN 5
/** The replay is complete: a container that it did not show does not run. Sent whatever the mask is. */
#define CRI_EVENT_REPLAY_END 6

/**
 * This consumer was too slow and lost events; `lost` says how many. A replay follows, except with
 * CRI_SUBSCRIBE_LIVE_ONLY. Sent whatever the mask is.
 */
#define CRI_EVENT_OVERFLOW 7

/**
 * A container was created and is not started yet. Sent only if the mask asks for it. Containers that the
 * watcher first sees after their start get no CREATED.
 */
#define CRI_EVENT_CREATED 8
/** The engine no longer has the container or sandbox. Sent only if the mask asks for it. */
#define CRI_EVENT_REMOVED 9
/** The watcher reports about its own work; `log_level` gives the level. Sent only if the mask asks for it. */
#define CRI_EVENT_LOG 10

/* Event flags: */

/** The watcher concluded the event from a list or a status; the event stream of the engine did not report it. */
#define CRI_EVENT_FLAG_SYNTHETIC 1
/** The event is part of a replay: the run began before the replay. */
#define CRI_EVENT_FLAG_INITIAL 2
/** The container was reported as exited before, and the engine shows it running again. */
#define CRI_EVENT_FLAG_REAPPEARED 4
/** The container was created but could not be started: this EXITED has no STARTED. */
#define CRI_EVENT_FLAG_NEVER_STARTED 8

/**
 * The reason of the exit may still change, because engines notice an OOM kill late. One UPDATED follows when
 * it is final.
 */
#define CRI_EVENT_FLAG_PROVISIONAL 16

/**
 * The watcher saw the process end on the host while the engine was away. The time and the exit code come from the
 * host. An UPDATED follows if the engine corrects them when it is back.
 */
#define CRI_EVENT_FLAG_WITNESSED 32

/**
 * This UPDATED makes a provisional exit final. To count exits by reason, count each run once: at its EXITED
 * without CRI_EVENT_FLAG_PROVISIONAL, or at the UPDATED with this flag. A later correction of a final exit comes
 * without this flag.
 */
#define CRI_EVENT_FLAG_CONFIRMED 64

/* Subscribe flags: */

/**
 * Send no replays: none at the beginning, and none after an overflow. An EXITED may then come without its
 * STARTED.
 */
#define CRI_SUBSCRIBE_LIVE_ONLY 1

/* Inspect flags: */

/** Fail with CRI_E_PROCESSLESS if the container has no process. */
#define CRI_INSPECT_REQUIRE_PROCESS 1
/** Show the values of environment variables, which may be secrets. Without this flag they are redacted. */
#define CRI_INSPECT_SHOW_ENV 2
/** Show labels and annotations apart, as records do, whatever the option labels.annotations says. */
#define CRI_INSPECT_SEPARATE_ANNOTATIONS 4

/* Kinds: */

/** A container. */
#define CRI_KIND_CONTAINER 1
/** The sandbox of a pod ("pause" container). */
#define CRI_KIND_SANDBOX 2

/* States: */

/** The engine does not know the state, or has not reported it. This is not an exit. */
#define CRI_STATE_UNKNOWN 0
/** Created, and not started yet. */
#define CRI_STATE_CREATED 1
/** Running. For a sandbox: ready. */
#define CRI_STATE_RUNNING 2
/** Exited. For a sandbox: not ready. */
#define CRI_STATE_EXITED 3

/* Pod states: */

/** The engine has not reported the state. */
#define CRI_POD_UNKNOWN 0
/** The pod's sandbox is ready. */
#define CRI_POD_READY 1
/** The pod's sandbox is not ready, or no longer ready. */
#define CRI_POD_NOT_READY 2

/* Pod flags: */

/** The pod shares the network namespace of the node. */
#define CRI_POD_FLAG_HOST_NETWORK 1
/** The pod has a network namespace of its own. If neither bit is set, the engine has not reported it yet. */
#define CRI_POD_FLAG_OWN_NETWORK 2
/** The pod shares the process ids of the node. */
#define CRI_POD_FLAG_HOST_PID 4
/** The pod does not share the process ids of the node. */
#define CRI_POD_FLAG_OWN_PID 8
/** The pod shares the IPC namespace of the node. */
#define CRI_POD_FLAG_HOST_IPC 16
/** The pod does not share the IPC namespace of the node. */
#define CRI_POD_FLAG_OWN_IPC 32
/** The kubelet made the pod from a file or a URL, without the API server. */
#define CRI_POD_FLAG_STATIC 64
/** The pod came from the API server. */
#define CRI_POD_FLAG_NOT_STATIC 128

/* Missing: */

/** The pid, and with it the start time and the cgroup of the process. */
#define CRI_MISSING_PID 1
/** The pod of the container. */
#define CRI_MISSING_POD 2
/** The start time. */
#define CRI_MISSING_STARTED_AT 4
/** The exit: code, reason, message and time. */
#define CRI_MISSING_EXIT 8

/* Changed: */

/** The pid has become known or has changed. */
#define CRI_CHANGED_PID 1
/** The pod, or a field of the pod, has become known or has changed. */
#define CRI_CHANGED_POD 2
/** The start time has become known. */
#define CRI_CHANGED_STARTED_AT 4
/** The exit has become known, has changed, or has become final. */
#define CRI_CHANGED_EXIT 8
/** The state has changed without a start or an exit (between running and unknown). */
#define CRI_CHANGED_STATE 16
/** Labels or annotations have changed. */
#define CRI_CHANGED_LABELS 32
/** The rucksack has changed: the packer delivered it late, or the program attached one. */
#define CRI_CHANGED_RUCKSACK 64
/** A better name, reference or id of the image has become known. */
#define CRI_CHANGED_IMAGE 128

/**
 * How the container was made has become known or has changed: command, user, mounts, limits, log path; or how its
 * previous run ended.
 */
#define CRI_CHANGED_DETAILS 256

/* Container flags: */

/** A text of the engine was not UTF-8: each bad byte was replaced with U+FFFD. */
#define CRI_CONTAINER_FLAG_TEXT_REPAIRED 1
/** Labels or annotations are longer than the option `labels.max_bytes` allows, and were cut. */
#define CRI_CONTAINER_FLAG_LABELS_CUT 2
/** An entry of a list could not be decoded: only the id is sure to be right. */
#define CRI_CONTAINER_FLAG_UNREADABLE 4
/** The container is privileged. */
#define CRI_CONTAINER_FLAG_PRIVILEGED 8
/** The container is not privileged. If neither bit is set, the engine has not reported it yet. */
#define CRI_CONTAINER_FLAG_UNPRIVILEGED 16

/* Mount flags: */

/** The container cannot write to the mount. */
#define CRI_MOUNT_FLAG_READ_ONLY 1

/* Watcher states: */

/** The watcher is not started. */
#define CRI_WATCHER_NEW 0
/** The watcher is trying to reach the engine. */
#define CRI_WATCHER_CONNECTING 1
/** The watcher has reached the engine and is making the first lists. */
#define CRI_WATCHER_SYNCING 2
/** The cache is in sync, and the watcher follows the event stream of the engine. */
#define CRI_WATCHER_WATCHING 3

/**
 * The cache is kept in sync by repeated lists. This engine has no usable event stream, or the stream has just
 * broken and is being opened again.
 */
#define CRI_WATCHER_POLLING 4
/** The watcher cannot reach the engine, and tries again without end. The cache shows the last known state. */
#define CRI_WATCHER_BACKOFF 5
/** The watcher is stopped. */
#define CRI_WATCHER_STOPPED 6

/* Engine news: */

/** A finder has found an engine. */
#define CRI_ENGINE_FOUND 1

/**
 * Something about an engine has become known or has changed: its version, its process, the evidence for it, or
 * whether it has sandboxes.
 */
#define CRI_ENGINE_CHANGED 2
/** An engine has failed to answer several times. The finder may find it again. */
#define CRI_ENGINE_LOST 3

/* Log levels: */

/** The watcher cannot do its work. */
#define CRI_LOG_ERROR 1
/** Something is wrong, and may need the attention of an operator. */
#define CRI_LOG_WARN 2
/** Useful to know: connections, and how the watcher notices changes. */
#define CRI_LOG_INFO 3
/** Useful for finding a fault. */
#define CRI_LOG_DEBUG 4

/* Namespace kinds: */

/** Cgroups. */
#define CRI_NAMESPACE_CGROUP 1
/** System V IPC and POSIX message queues. */
#define CRI_NAMESPACE_IPC 2
/** Mounts. */
#define CRI_NAMESPACE_MNT 3
/** Network. */
#define CRI_NAMESPACE_NET 4
/** Process ids. */
#define CRI_NAMESPACE_PID 5
/** Users. */
#define CRI_NAMESPACE_USER 6
/** Host name. */
#define CRI_NAMESPACE_UTS 7

/* Texts: */

/** The engine type that whalewatcher uses for CRI engines. */
#define CRI_ENGINE_TYPE "k8s.io/cri-api"
/** Label: the name of the pod. */
#define CRI_LABEL_POD_NAME "io.kubernetes.pod.name"
/** Label: the namespace of the pod. */
#define CRI_LABEL_POD_NAMESPACE "io.kubernetes.pod.namespace"
/** Label: the uid of the pod. */
#define CRI_LABEL_POD_UID "io.kubernetes.pod.uid"
/** Label: the name of the container inside its pod. */
#define CRI_LABEL_CONTAINER_NAME "io.kubernetes.container.name"
/** Label: only sandboxes have it. Its value is "". */
#define CRI_LABEL_SANDBOX "io.kubernetes.sandbox"
/** Prefix: if JSON shows annotations among the labels, their keys begin with this. */
#define CRI_ANNOTATION_KEY_PREFIX "io.kubernetes.annotation/"

/** The bit of an event type in the mask of a subscription or queue. */
#define CRI_EVENT_MASK(type) (UINT32_C(1) << (type))

/**
 * Returns the name of an event type, as JSON has it, e.g. "replayBegin". These names are the same in every language:
 * the constant without its prefix, in lowerCamelCase.
 *
 * @param event_type one of CRI_EVENT_*
 * @return a static string, never NULL; do not free it; "unknown" for a number that this library does not know
 * @note Never blocks. O(1).
 */
const char *cri_event_type_name(uint32_t event_type);

/**
 * Returns the name of a flag of an event, e.g. "neverStarted".
 *
 * @param flag one bit of CRI_EVENT_FLAG_*
 * @return a static string, never NULL; do not free it; "unknown" for another number
 * @note Never blocks. O(1).
 */
const char *cri_event_flag_name(uint32_t flag);

/**
 * Returns the name of a bit of an event's `changed`, e.g. "startedAt".
 *
 * @param bit one bit of CRI_CHANGED_*
 * @return a static string, never NULL; do not free it; "unknown" for another number
 * @note Never blocks. O(1).
 */
const char *cri_changed_name(uint64_t bit);

/**
 * Returns the name of a kind of record, e.g. "sandbox".
 *
 * @param kind one of CRI_KIND_*
 * @return a static string, never NULL; do not free it; "unknown" for another number
 * @note Never blocks. O(1).
 */
const char *cri_kind_name(uint32_t kind);

/**
 * Returns the name of the state of a container, e.g. "running".
 *
 * @param state one of CRI_STATE_*
 * @return a static string, never NULL; do not free it; "unknown" for another number
 * @note Never blocks. O(1).
 */
const char *cri_container_state_name(uint32_t state);

/**
 * Returns the name of a flag of a container, e.g. "privileged".
 *
 * @param flag one bit of CRI_CONTAINER_FLAG_*
 * @return a static string, never NULL; do not free it; "unknown" for another number
 * @note Never blocks. O(1).
 */
const char *cri_container_flag_name(uint32_t flag);

/**
 * Returns the name of a bit of a container's `missing`: the key that JSON lacks, "exitCode" for CRI_MISSING_EXIT.
 *
 * @param bit one bit of CRI_MISSING_*
 * @return a static string, never NULL; do not free it; "unknown" for another number
 * @note Never blocks. O(1).
 */
const char *cri_missing_name(uint64_t bit);

/**
 * Returns the name of a flag of a mount, e.g. "readOnly".
 *
 * @param flag one bit of CRI_MOUNT_FLAG_*
 * @return a static string, never NULL; do not free it; "unknown" for another number
 * @note Never blocks. O(1).
 */
const char *cri_mount_flag_name(uint32_t flag);

/**
 * Returns the name of the state of a pod, e.g. "notReady".
 *
 * @param state one of CRI_POD_*
 * @return a static string, never NULL; do not free it; "unknown" for another number
 * @note Never blocks. O(1).
 */
const char *cri_pod_state_name(uint32_t state);

/**
 * Returns the name of a flag of a pod, e.g. "hostNetwork".
 *
 * @param flag one bit of CRI_POD_FLAG_*
 * @return a static string, never NULL; do not free it; "unknown" for another number
 * @note Never blocks. O(1).
 */
const char *cri_pod_flag_name(uint32_t flag);

/**
 * Returns the name of the state of a watcher, e.g. "watching".
 *
 * @param state one of CRI_WATCHER_*
 * @return a static string, never NULL; do not free it; "unknown" for another number
 * @note Never blocks. O(1).
 */
const char *cri_watcher_state_name(uint32_t state);

/**
 * Returns the name of the level of a message, e.g. "warn".
 *
 * @param level one of CRI_LOG_*
 * @return a static string, never NULL; do not free it; "unknown" for another number
 * @note Never blocks. O(1).
 */
const char *cri_log_level_name(uint32_t level);

/**
 * Returns the name of what happened to an engine, e.g. "found".
 *
 * @param news one of CRI_ENGINE_*
 * @return a static string, never NULL; do not free it; "unknown" for another number
 * @note Never blocks. O(1).
 */
const char *cri_engine_news_name(uint32_t news);

/**
 * Returns the name of a kind of namespace, as /proc/PID/ns has it, e.g. "net".
 *
 * @param kind one of CRI_NAMESPACE_*
 * @return a static string, never NULL; do not free it; "unknown" for another number
 * @note Never blocks. O(1).
 */
const char *cri_namespace_kind_name(uint32_t kind);

/* ================================================================================================
 * Records
 *
 * Containers, pods and events are C structs (records), so a C program needs no JSON parser. A record never
 * changes. It is valid as long as the event or the snapshot that shows it. cri_container_ref keeps a container,
 * and with it its pod, for longer; cri_pod_ref keeps a pod alone. While a container does not change, all events and
 * snapshots show the same record.
 *
 * Strings are never NULL; "" means none. A number that is unknown is 0; only an unknown exit code is -1, and an unknown
 * `oom_score_adj` is INT32_MIN. A fact that is true or false has two flags, such as CRI_POD_FLAG_HOST_NETWORK and
 * CRI_POD_FLAG_OWN_NETWORK; while it is unknown, neither is set. A pointer to a struct is NULL while nothing of the struct
 * is known. An array may be NULL if its length is 0. `missing` lists the facts that are unknown now and may become known
 * later.
 * ================================================================================================ */

/** A label or an annotation. */
typedef struct cri_label {
    /** The key. */
    const char *key;
    /** The value. */
    const char *value;
} cri_label;

/**
 * A port that a container of a pod declares. A declaration opens no port: it says where the author of the pod expects
 * the container to listen.
 */
typedef struct cri_port {
    /** The name of the container. */
    const char *container;
    /** The name of the port; often "". */
    const char *name;
    /** "TCP", "UDP" or "SCTP". */
    const char *protocol;
    /** The port inside the pod. */
    uint32_t container_port;
    /** The port on the node; 0: none. */
    uint32_t host_port;
} cri_port;

/** A pod, as its sandbox shows it. */
typedef struct cri_pod {
    /** The size of this struct in the loaded library, in bytes. */
    size_t struct_size;
    /** The id of the sandbox. */
    const char *id;
    /** The name of the pod. */
    const char *name;
    /** The namespace of the pod. */
    const char *pod_namespace;
    /** The uid of the pod, as Kubernetes gives it. */
    const char *uid;
    /** The attempt number; 0 for the first sandbox of the pod. */
    uint32_t attempt;
    /** One of CRI_POD_UNKNOWN, CRI_POD_READY, CRI_POD_NOT_READY. */
    uint32_t state;
    /** Bits of CRI_POD_FLAG_HOST_NETWORK and so on. */
    uint32_t flags;
    /** The number of addresses. */
    size_t ips_len;
    /** The addresses of the pod, the primary one first. */
    const char *const *ips;
    /** The number of labels. */
    size_t labels_len;
    /** The number of annotations. */
    size_t annotations_len;
    /** The labels of the pod, sorted by key. */
    const cri_label *labels;
    /** The annotations of the pod, sorted by key. */
    const cri_label *annotations;
    /**
     * The pod's cgroup, as a path below the mount of the cgroup file system. It contains the cgroups of the pod's
     * containers. "" until the watcher has seen a process of the pod, and if no cgroup has the uid of the pod in its
     * name.
     */
    const char *cgroup_path;
    /** When the sandbox was created, in nanoseconds since 1970; 0: unknown. */
    int64_t created_unix_nano;
    /** The handler of the pod's runtime class; "" for the default one. */
    const char *runtime_handler;
    /** The inode number of the network namespace; 0: unknown. */
    uint64_t net_namespace;
    /** The number of ports. */
    size_t ports_len;
    /** The ports that the containers of the pod declare. */
    const cri_port *ports;
} cri_pod;

/**
 * The namespaces of the first process of a container: the inode numbers of /proc/PID/ns. The kernel may reuse a number
 * as soon as the namespace is gone.
 */
typedef struct cri_namespaces {
    /** The size of this struct in the loaded library, in bytes. */
    size_t struct_size;
    /** The network namespace; 0: unknown. */
    uint64_t net;
    /** The mount namespace; 0: unknown. */
    uint64_t mnt;
    /** The pid namespace; 0: unknown. */
    uint64_t pid;
    /** The IPC namespace; 0: unknown. */
    uint64_t ipc;
    /** The namespace of the host name; 0: unknown. */
    uint64_t uts;
    /** The user namespace; 0: unknown. */
    uint64_t user;
    /** The cgroup namespace; 0: unknown. */
    uint64_t cgroup;
} cri_namespaces;

/** The user of the first process of a container. */
typedef struct cri_user {
    /** The size of this struct in the loaded library, in bytes. */
    size_t struct_size;
    /** The user id, inside the user namespace of the container. */
    int64_t uid;
    /** The group id. */
    int64_t gid;
    /** The number of supplementary groups. */
    size_t groups_len;
    /** The supplementary groups. */
    const int64_t *groups;
} cri_user;

/** A mount that the author of the pod or the kubelet asked for. */
typedef struct cri_mount {
    /** Where it is inside the container. */
    const char *container_path;
    /** What is mounted: a path on the host; "" for an image volume. */
    const char *host_path;
    /** Bits of CRI_MOUNT_FLAG_READ_ONLY. */
    uint32_t flags;
} cri_mount;

/** The limits of a container. A number is 0 if the engine gave no limit. */
typedef struct cri_resources {
    /** The size of this struct in the loaded library, in bytes. */
    size_t struct_size;
    /** The CPU weight, in shares of cgroup v1 (1024 for one CPU); 0: none. */
    int64_t cpu_shares;
    /** The CPU time that the container may use in each period, in microseconds; 0: none. */
    int64_t cpu_quota;
    /** The period, in microseconds; 0: none. */
    int64_t cpu_period;
    /** The CPUs that the container may use, e.g. "0-3,7"; "" for all. */
    const char *cpuset_cpus;
    /** The memory (NUMA) nodes that the container may use, e.g. "0-1"; "" for all. */
    const char *cpuset_mems;
    /** The limit of memory, in bytes; 0: none. */
    int64_t memory_limit;
    /** The limit of memory and swap together, in bytes; 0: none. */
    int64_t swap_limit;
    /** How readily the kernel kills the container when memory is short: -1000 to 1000; INT32_MIN: unknown. */
    int32_t oom_score_adj;
} cri_resources;

/** How the previous run ended: the run of the last attempt with the same name in the same pod. */
typedef struct cri_previous {
    /** The size of this struct in the loaded library, in bytes. */
    size_t struct_size;
    /** The exit time, in nanoseconds since 1970; 0: unknown. */
    int64_t finished_unix_nano;
    /** Why it ended, in one word, e.g. "OOMKilled". */
    const char *reason;
    /** The exit code; -1: unknown. */
    int32_t exit_code;
} cri_previous;

/** A container or sandbox, as it was at one moment. */
typedef struct cri_container {
    /** The size of this struct in the loaded library, in bytes. */
    size_t struct_size;
    /** CRI_KIND_CONTAINER or CRI_KIND_SANDBOX. */
    uint32_t kind;
    /** One of CRI_STATE_UNKNOWN, CRI_STATE_CREATED, CRI_STATE_RUNNING, CRI_STATE_EXITED. */
    uint32_t state;
    /** Bits of CRI_CONTAINER_FLAG_TEXT_REPAIRED and so on: what had to be repaired or cut, and whether it is privileged. */
    uint32_t flags;
    /** The attempt number; 0 for the first container of this name in the pod. */
    uint32_t attempt;
    /** The engine's id of the container. */
    const char *id;
    /** The name inside the pod. For a sandbox: the name of the pod. */
    const char *name;
    /** The pod; NULL if it is not known yet. */
    const cri_pod *pod;
    /**
     * The pid of the first process, in the pid namespace of this program; 0: none, or unknown. After the exit, it
     * is still the pid that the process had.
     */
    int32_t pid;
    /** The exit code; -1: none, or unknown. */
    int32_t exit_code;
    /**
     * The start time of the first process, in clock ticks since boot; 0: unknown. Together with this time, a pid
     * is unique.
     */
    uint64_t pid_start_ticks;
    /** Facts that are unknown now and may become known later: bits of CRI_MISSING_PID and so on. */
    uint64_t missing;
    /** The image, as the author of the pod wrote it. */
    const char *image;
    /** The repository with the digest of the manifest. */
    const char *image_ref;
    /** The id of the image: the digest of its configuration. */
    const char *image_id;
    /**
     * Why the run ended, in one word, e.g. "Completed", "Error", "OOMKilled"; "gone" if the container vanished
     * without an exit. For a sandbox: "" or "gone", because engines give no reason.
     */
    const char *reason;
    /** A longer text about the exit; often "". */
    const char *message;
    /** The cgroup, as a path below the mount of the cgroup file system. */
    const char *cgroup_path;
    /** The creation time, in nanoseconds since 1970; 0: unknown. */
    int64_t created_unix_nano;
    /** The start time, in nanoseconds since 1970; 0: not started, or unknown. */
    int64_t started_unix_nano;
    /** The exit time, in nanoseconds since 1970; 0: not exited, or unknown. */
    int64_t finished_unix_nano;
    /** The number of labels. */
    size_t labels_len;
    /** The number of annotations. */
    size_t annotations_len;
    /** The container's own labels, sorted by key. The labels of the pod are in `pod`. */
    const cri_label *labels;
    /** The container's own annotations, sorted by key. */
    const cri_label *annotations;
    /** The rucksack: JSON that the program added (cri_watcher_set_packer, cri_watcher_attach); "" if there is none. */
    const char *rucksack;
    /** The pid that the engine reports, if it differs from `pid`; otherwise 0. */
    int32_t engine_pid;
    /** The id of the cgroup in cgroup v2, as bpf_get_current_cgroup_id gives it; 0: unknown. */
    uint64_t cgroup_id;
    /** The namespaces of the first process; NULL if none is known. */
    const cri_namespaces *namespaces;
    /** The name of the image without tag and digest. */
    const char *image_repository;
    /** The tag of the image; "" if its name has none. */
    const char *image_tag;
    /** The digest of the image's manifest. */
    const char *image_digest;
    /** The file that the engine writes the output of the container to, as the engine sees the file system. */
    const char *log_path;
    /** The number of words of `command`. */
    size_t command_len;
    /**
     * The entry point: what the author of the pod set, otherwise the first word of the command line that the engine
     * starts.
     */
    const char *const *command;
    /** The number of arguments. */
    size_t args_len;
    /** The arguments: what the author of the pod set, otherwise the rest of the command line. */
    const char *const *args;
    /** The working directory inside the container. */
    const char *working_dir;
    /** The user of the first process; NULL if it is not known. */
    const cri_user *user;
    /** The number of mounts. */
    size_t mounts_len;
    /** The mounts that the author of the pod and the kubelet asked for. */
    const cri_mount *mounts;
    /** The limits; NULL if they are not known. */
    const cri_resources *resources;
    /** How the previous run ended; NULL if there was none, or if nothing is known about it. */
    const cri_previous *previous;
} cri_container;

/** Something that happened. */
typedef struct cri_event {
    /** The size of this struct in the loaded library, in bytes. */
    size_t struct_size;
    /** The type: CRI_EVENT_STARTED and so on. Ignore types that you do not know. */
    uint32_t type;
    /** Bits of CRI_EVENT_FLAG_SYNTHETIC and so on. */
    uint32_t flags;
    /** A number that grows from event to event. A consumer may see gaps, which have no meaning. */
    uint64_t seq;
    /** The cache includes this event from this generation on. */
    uint64_t generation;
    /** For CRI_EVENT_OVERFLOW: how many events this consumer lost. Otherwise 0. */
    uint64_t lost;
    /** For CRI_EVENT_UPDATED: bits of CRI_CHANGED_PID and so on. Otherwise 0. */
    uint64_t changed;
    /**
     * When it happened according to the engine, in nanoseconds since 1970. If the engine gives no time: when the
     * watcher noticed it.
     */
    int64_t time_unix_nano;
    /** When the watcher noticed it, in nanoseconds since 1970. */
    int64_t observed_unix_nano;
    /** The container or sandbox; NULL if the event is about the watcher or the consumer. */
    const cri_container *container;
    /** The state of the watcher at the time of the report: CRI_WATCHER_NEW and so on. */
    uint32_t watcher_state;
    /** For CRI_EVENT_STATE: the cause, if there is one. For CRI_EVENT_LOG: the message. Otherwise "". */
    const char *message;
    /** For CRI_EVENT_LOG: the level, CRI_LOG_ERROR and so on. Otherwise 0. */
    uint32_t log_level;
} cri_event;

/** A function that takes an event. The event is valid until the function returns. */
typedef void (*cri_event_fn)(const cri_event *event, void *user_data);

/** A function that releases user data. It is called after the last use of the data. */
typedef void (*cri_destroy_fn)(void *user_data);

/**
 * Keeps a record, and with it its pod, beyond the event or the snapshot that shows it.
 *
 * @param container the record itself, not a copy of the struct; NULL: returns NULL
 * @return the same record; release it with cri_container_unref
 * @note Never blocks. O(1).
 */
const cri_container *cri_container_ref(const cri_container *container);

/**
 * Releases a record that cri_container_ref has kept.
 *
 * @param container the record; NULL: does nothing
 * @note Never blocks. O(1).
 */
void cri_container_unref(const cri_container *container);

/**
 * Keeps a pod's record beyond the container or the snapshot that shows it.
 *
 * @param pod the record itself, not a copy of the struct; NULL: returns NULL
 * @return the same record; release it with cri_pod_unref
 * @note Never blocks. O(1).
 */
const cri_pod *cri_pod_ref(const cri_pod *pod);

/**
 * Releases a record that cri_pod_ref has kept.
 *
 * @param pod the record; NULL: does nothing
 * @note Never blocks. O(1).
 */
void cri_pod_unref(const cri_pod *pod);

/**
 * Returns one of the container's own labels. cri_pod_label reads those of the pod.
 *
 * @param container the record itself, not a copy of the struct; NULL: returns NULL
 * @param key the key of the label; NULL: returns NULL
 * @return the value, valid as long as the record; NULL if the container has no such label
 * @note Never blocks. O(log n) in the number of labels.
 */
const char *cri_container_label(const cri_container *container, const char *key);

/**
 * Returns one of the pod's labels.
 *
 * @param pod the record itself, not a copy of the struct; NULL: returns NULL
 * @param key the key of the label; NULL: returns NULL
 * @return the value, valid as long as the record; NULL if the pod has no such label
 * @note Never blocks. O(log n) in the number of labels.
 */
const char *cri_pod_label(const cri_pod *pod, const char *key);

/**
 * Returns the known facts of a container as an array of keys and values, for metrics, logs and alerts. `schema` selects
 * the names of the keys. A key that is a list in the schema (such as container.image.tags) has the one value that is
 * known. Facts about the engine, such as container.runtime.name, are not here: cri_watcher_engine_info has them.
 *
 * @param container the record itself, not a copy of the struct
 * @param schema "otel" (OpenTelemetry's semantic conventions), "falco" (Falco's fields) or "ecs" (Elastic Common Schema)
 * @param out receives an array of keys and values, valid as long as the record
 * @param len receives the length of the array
 * @return CRI_OK; CRI_E_INVALID_ARGUMENT
 * @note Does not wait for the engine. The first call for a version of a container and a schema builds the array,
 * O(number of labels), and calls from other threads may wait for it. Further calls cost O(1).
 */
CRI_NODISCARD
cri_status cri_container_attributes(const cri_container *container,
                                    const char *schema,
                                    const cri_label **out,
                                    size_t *len,
                                    cri_error **err);

/* ================================================================================================
 * Options
 *
 * An option is a pair of strings, a key and a value. cri_options_describe lists all options. A watcher copies its
 * options when it is made, so several watchers can be made with the same object.
 * ================================================================================================ */

/** Options for new watchers. */
typedef struct cri_options cri_options;

/**
 * Makes options, all with their default values.
 *
 * @param out receives the options; free with cri_options_free
 * @return CRI_OK, CRI_E_INVALID_ARGUMENT
 * @note Never blocks. O(1).
 */
CRI_NODISCARD cri_status cri_options_new(cri_options **out, cri_error **err);

/**
 * Frees options. Watchers that were made with them are not affected.
 *
 * @param options the options; NULL: does nothing
 * @note Never blocks. O(1).
 */
void cri_options_free(cri_options *options);

/**
 * Sets one option.
 *
 * @param options the options
 * @param key the key, e.g. "relist.interval_ms"
 * @param value the value as text, e.g. "30000"
 * @return CRI_OK; CRI_E_OPTION for an unknown key or a value that is not allowed (the message names both and what
 * is allowed, and the options are unchanged); CRI_E_INVALID_ARGUMENT
 * @note Does not wait. O(1).
 */
CRI_NODISCARD
cri_status cri_options_set(const cri_options *options,
                           const char *key,
                           const char *value,
                           cri_error **err);

/**
 * Lists all options, each with its key, type, default, allowed values and meaning.
 *
 * @param out receives JSON, "criwatch.options/1"; free with cri_buffer_free
 * @return CRI_OK, CRI_E_INVALID_ARGUMENT
 * @note Never blocks. O(number of options).
 */
CRI_NODISCARD cri_status cri_options_describe(cri_buffer *out, cri_error **err);

/* ================================================================================================
 * Watcher
 *
 * A watcher follows one engine: make it, start it, stop it, free it. If it loses the engine, it tries to reconnect
 * without end, and the cache stays readable. cri_watcher_state says whether the cache is up to date.
 * ================================================================================================ */

/** A watcher of one engine. */
typedef struct cri_watcher cri_watcher;

/**
 * Makes a watcher. The call does not connect to the engine, and makes no thread.
 *
 * @param endpoint the socket of the engine, e.g. "unix:///run/containerd/containerd.sock", or its path. A relative path
 * begins in the working directory of this call. The path is resolved inside the option host.root. NULL: the watcher
 * looks for the engines of the node and follows the best one (see cri_engines_discover). While that engine has no
 * sandbox, the watcher changes to a better one if it finds one. "" is an error.
 * @param options the options; NULL: all defaults
 * @param out receives the watcher; free with cri_watcher_free
 * @return CRI_OK; CRI_E_INVALID_ARGUMENT; CRI_E_OPTION if the option host.root names no directory
 * @note Does not wait. It checks that the directory exists, and reads nothing else. O(1).
 */
CRI_NODISCARD
cri_status cri_watcher_new(const char *endpoint,
                           const cri_options *options,
                           cri_watcher **out,
                           cri_error **err);

/**
 * Starts the watcher, which then follows the engine in the background. An unreachable engine is no error here.
 *
 * @param watcher the watcher
 * @return CRI_OK, also if the watcher is already started; CRI_E_STOPPED; CRI_E_OS if the system refuses a thread;
 * CRI_E_FORKED, CRI_E_INVALID_ARGUMENT
 * @note Does not wait for the engine. O(1); makes one thread.
 */
CRI_NODISCARD
cri_status cri_watcher_start(const cri_watcher *watcher,
                             cri_error **err);

/**
 * Waits until the watcher is ready: the first lists are in the cache, and the watcher has asked for the pid of
 * every running container. It waits for these pids at most as long as the option ready.pid_wait_ms says. Later
 * pids are reported by CRI_EVENT_UPDATED.
 *
 * @param watcher the watcher
 * @param timeout_ms how long to wait, in milliseconds; below 0: no limit; 0: no wait
 * @return CRI_OK; CRI_E_TIMEOUT, with the last cause in the message; without waiting, if waiting cannot help:
 * CRI_E_PERMISSION, CRI_E_UNSUPPORTED, or CRI_E_STATE before the start; CRI_E_STOPPED, CRI_E_FORKED,
 * CRI_E_INVALID_ARGUMENT
 * @note Blocks up to timeout_ms. cri_watcher_stop ends the wait.
 */
CRI_NODISCARD
cri_status cri_watcher_wait_ready(const cri_watcher *watcher,
                                  int64_t timeout_ms,
                                  cri_error **err);

/**
 * Waits until the cache is at least as new as this call: until it includes a list that began after the call. It
 * also works on a watcher that is not started, and then fails at once if the engine cannot be reached. On a
 * started watcher, the call waits until the engine answers, up to the timeout.
 *
 * @param watcher the watcher
 * @param timeout_ms how long to wait, in milliseconds; below 0: no limit; 0: no wait
 * @return CRI_OK; CRI_E_CONNECT, CRI_E_PERMISSION, CRI_E_RPC, CRI_E_TIMEOUT, CRI_E_UNSUPPORTED, CRI_E_PROTOCOL if
 * the request to the engine failed; CRI_E_STOPPED, CRI_E_FORKED, CRI_E_INVALID_ARGUMENT
 * @note Blocks up to timeout_ms. cri_watcher_stop ends the wait.
 */
CRI_NODISCARD
cri_status cri_watcher_resync(const cri_watcher *watcher,
                              int64_t timeout_ms,
                              cri_error **err);

/**
 * Returns the state of the watcher.
 *
 * @param watcher the watcher; NULL, or in a forked child: CRI_WATCHER_STOPPED
 * @return CRI_WATCHER_NEW, CRI_WATCHER_CONNECTING and so on
 * @note Does not wait for the engine. O(1).
 */
uint32_t cri_watcher_state(const cri_watcher *watcher);

/**
 * Stops the watcher for good. It ends every wait, and waits for the library's thread to end. The cache stays
 * readable. Events that are already queued can still be taken, and callbacks still get them until
 * cri_subscription_free.
 *
 * @param watcher the watcher
 * @return CRI_OK, also if the watcher is already stopped; CRI_E_WOULD_DEADLOCK inside a callback of this watcher;
 * CRI_E_FORKED, CRI_E_INVALID_ARGUMENT
 * @note Blocks until the library's thread has ended. That thread does not wait for the engine or for callbacks.
 */
cri_status cri_watcher_stop(const cri_watcher *watcher,
                            cri_error **err);

/**
 * Stops and frees a watcher. The program frees subscriptions and queues separately: they are closed, but stay
 * valid. When this call returns, the log and the packer have made their last calls.
 *
 * @param watcher the watcher; NULL: does nothing; in a forked child it is leaked on purpose
 * @note Blocks like cri_watcher_stop, and until the log and the packer have returned. Inside a callback of this
 * watcher it returns at once, and takes effect after the callback has returned.
 */
void cri_watcher_free(cri_watcher *watcher);

/* ================================================================================================
 * Cache
 *
 * These functions answer from the cache and never wait for the engine. Each answer says how fresh it is: "asOf" is
 * the time of the newest full list, and "state" the state of the watcher. docs/json.md describes each kind of
 * JSON.
 *
 * A query is a JSON object that selects what to show. All keys are optional. If several are given, all of them
 * apply:
 *
 * - "states": an array of "created", "running", "exited", "unknown". Without it, only running containers are
 *   shown.
 * - "all": true shows containers in every state. It replaces "states".
 * - "gone": true also shows containers that the engine no longer has, as long as the watcher remembers them.
 * - "kind": "container" or "sandbox".
 * - "namespace", "uid", "name": the exact value. A sandbox has the name of its pod.
 * - "pod": a name, "namespace/name", an id, or an id prefix of at least 6 hex digits.
 * - "selector": a Kubernetes label selector. It has one or more of these terms, separated by commas: app=web,
 *   tier!=db, env in (a, b), env notin (a), app, !app, weight>5. It reads the labels that JSON shows for the
 *   container, with CRI_LABEL_POD_NAME and the other label constants. For other keys it reads the labels of the
 *   pod.
 * - "fields": an array of keys. Each container is shown with these keys and "id" only.
 * - "attributes": "otel", "falco" or "ecs". Each container is shown with an object "attributes", which has the keys
 *   and values of cri_container_attributes. "none": without this object. This key overrides the option attributes,
 *   which applies to all JSON.
 * - "ifGeneration": a generation. If the cache still has this generation, the call returns CRI_NONE and no text.
 *
 * Anything else is CRI_E_QUERY. The message names the key, the value and what is allowed.
 * ================================================================================================ */

/**
 * Lists the running containers and ready sandboxes, or what the query selects.
 *
 * @param watcher the watcher
 * @param query the query, as JSON; NULL: everything that runs
 * @param out receives JSON, "criwatch.containers/1"; free with cri_buffer_free
 * @return CRI_OK; CRI_NONE if the query's "ifGeneration" still holds; CRI_E_NOT_READY, never an empty list, before
 * the first lists are in the cache; CRI_E_QUERY, CRI_E_FORKED, CRI_E_INVALID_ARGUMENT
 * @note Does not wait for the engine. O(n), to write the text. Without a query, calls share one text as long as somebody
 * holds it and neither the cache nor "asOf" changes. The first call writes it, and calls from other threads may wait
 * for that.
 */
CRI_NODISCARD
cri_status cri_watcher_list(const cri_watcher *watcher,
                            const char *query,
                            cri_buffer *out,
                            cri_error **err);

/**
 * Lists pods, each with those of its containers and sandboxes that the query selects. It leaves out a pod without
 * any of them, and a container whose pod is not known yet.
 *
 * @param watcher the watcher
 * @param query which containers to show, as JSON; NULL: everything that runs
 * @param out receives JSON, "criwatch.pods/1"; free with cri_buffer_free
 * @return CRI_OK; CRI_NONE if the query's "ifGeneration" still holds; CRI_E_NOT_READY before the first lists are
 * in the cache; CRI_E_QUERY, CRI_E_FORKED, CRI_E_INVALID_ARGUMENT
 * @note Does not wait for the engine. Costs as much as cri_watcher_list.
 */
CRI_NODISCARD
cri_status cri_watcher_pods(const cri_watcher *watcher,
                            const char *query,
                            cri_buffer *out,
                            cri_error **err);

/**
 * Returns one container or sandbox as JSON, in any state. It also finds containers that the engine no longer has,
 * as long as the watcher remembers them (options tombstones.keep_ms and tombstones.max). If several attempts have
 * the same name, it returns the running one, otherwise the newest one.
 *
 * @param watcher the watcher
 * @param id_or_name an id, "namespace/pod/container" (for a sandbox "namespace/pod"), a container name, a pod name, or
 * an id prefix of at least 6 hex digits; the library tries these in this order and takes the first that finds anything
 * @param out receives JSON, "criwatch.container/1"; free with cri_buffer_free
 * @return CRI_OK; CRI_E_NOT_FOUND; CRI_E_AMBIGUOUS, with the candidates in the message; CRI_E_NOT_READY before the
 * first lists are in the cache; CRI_E_FORKED, CRI_E_INVALID_ARGUMENT
 * @note Does not wait for the engine. It costs as much as cri_snapshot_find, and writes one container.
 */
CRI_NODISCARD
cri_status cri_watcher_get(const cri_watcher *watcher,
                           const char *id_or_name,
                           cri_buffer *out,
                           cri_error **err);

/**
 * Returns the generation, a number that grows with every change of the cache. While it stays the same, lists stay
 * the same.
 *
 * @param watcher the watcher; NULL, or in a forked child: 0
 * @return the generation; 0 before the first lists are in the cache
 * @note Does not wait for the engine. O(1).
 */
uint64_t cri_watcher_generation(const cri_watcher *watcher);

/**
 * Describes the engine: its name, version, id and pid, and how the watcher notices changes. Facts that are not
 * known yet, such as before the first connection, are left out.
 *
 * @param watcher the watcher
 * @param out receives JSON, "criwatch.engine/1"; free with cri_buffer_free
 * @return CRI_OK, CRI_E_FORKED, CRI_E_INVALID_ARGUMENT
 * @note Does not wait for the engine. O(1).
 */
CRI_NODISCARD
cri_status cri_watcher_engine_info(const cri_watcher *watcher,
                                   cri_buffer *out,
                                   cri_error **err);

/**
 * Reports statistics of the watcher: the number and duration of requests for each RPC, the delay of events, and
 * the numbers of lists, failures and lost events.
 *
 * @param watcher the watcher
 * @param out receives JSON, "criwatch.stats/1"; free with cri_buffer_free
 * @return CRI_OK, CRI_E_FORKED, CRI_E_INVALID_ARGUMENT
 * @note Does not wait for the engine. O(1).
 */
CRI_NODISCARD
cri_status cri_watcher_stats(const cri_watcher *watcher,
                             cri_buffer *out,
                             cri_error **err);

/**
 * Returns the statistics in the text format of OpenMetrics 1.0, which Prometheus reads. Serve it with the content type
 * "application/openmetrics-text; version=1.0.0; charset=utf-8". All names begin with "criwatch_"; docs/metrics.md
 * lists them. Later versions only add names and labels.
 *
 * @param watcher the watcher, started or not
 * @param out receives the text, which ends with "# EOF" and a line feed; free with cri_buffer_free
 * @return CRI_OK, CRI_E_FORKED, CRI_E_INVALID_ARGUMENT
 * @note Does not wait for the engine. O(1).
 */
CRI_NODISCARD
cri_status cri_watcher_metrics(const cri_watcher *watcher,
                               cri_buffer *out,
                               cri_error **err);

/* ================================================================================================
 * Snapshots
 *
 * A snapshot is the cache at one moment, as records. It never changes, and it shares its records with events and
 * other snapshots. While the cache does not change, all snapshots share the same memory. A record is built once
 * for each version of a container.
 * ================================================================================================ */

/** The cache at one moment. It never changes. */
typedef struct cri_snapshot cri_snapshot;

/**
 * Takes a snapshot.
 *
 * @param watcher the watcher
 * @param out receives the snapshot; free with cri_snapshot_free. It may outlive the watcher.
 * @return CRI_OK; CRI_E_NOT_READY, never an empty snapshot, before the first lists are in the cache; CRI_E_FORKED,
 * CRI_E_INVALID_ARGUMENT
 * @note Does not wait. O(1): the snapshot shares its memory with the cache, and with other snapshots.
 */
CRI_NODISCARD
cri_status cri_watcher_snapshot(const cri_watcher *watcher,
                                cri_snapshot **out,
                                cri_error **err);

/**
 * Selects from a snapshot. The selection is a snapshot of its own: it has the containers that the query selects, in any
 * state, in the same order, and their pods.
 *
 * @param snapshot the snapshot
 * @param query what to select, as JSON (see "Cache"); NULL: everything that runs. The key "fields" has no effect:
 * records are whole
 * @param out receives the selection; free it with cri_snapshot_free. It may outlive the snapshot and the watcher
 * @return CRI_OK; CRI_NONE if the query's "ifGeneration" still holds; CRI_E_QUERY, CRI_E_INVALID_ARGUMENT
 * @note Does not wait. O(n).
 */
CRI_NODISCARD
cri_status cri_snapshot_select(const cri_snapshot *snapshot,
                               const char *query,
                               cri_snapshot **out,
                               cri_error **err);

/**
 * Returns the generation of a snapshot. While cri_watcher_generation returns the same number, the snapshot is up
 * to date.
 *
 * @param snapshot the snapshot; NULL: 0
 * @return the generation
 * @note Never blocks. O(1).
 */
uint64_t cri_snapshot_generation(const cri_snapshot *snapshot);

/**
 * Returns all running containers and ready sandboxes, sorted by namespace, pod and name. In a pod, the sandbox
 * comes first. Containers whose pod is not known yet come before all others.
 *
 * @param snapshot the snapshot
 * @param out receives an array of records, which belongs to the snapshot; cri_container_ref keeps a record for
 * longer
 * @param len receives the length of the array
 * @return CRI_OK, CRI_E_INVALID_ARGUMENT
 * @note Does not wait for the engine. The first call for a snapshot builds the records of changed containers, and
 * copies one pointer for each container: O(n), a few nanoseconds each. Calls from other threads may wait for it.
 * Further calls cost O(1). A program that follows events does not need this call for each event: the event has the
 * record of its container, and cri_snapshot_find finds any other record in O(1).
 */
CRI_NODISCARD
cri_status cri_snapshot_containers(const cri_snapshot *snapshot,
                                   const cri_container *const **out,
                                   size_t *len,
                                   cri_error **err);

/**
 * Returns the pods in which a container or the sandbox runs, sorted by namespace and name.
 *
 * @param snapshot the snapshot
 * @param out receives an array of records, which belongs to the snapshot
 * @param len receives the length of the array
 * @return CRI_OK, CRI_E_INVALID_ARGUMENT
 * @note Does not wait for the engine. The first call for a generation builds the records of changed pods, and the
 * array: O(n). Calls from other threads may wait for it. Further calls cost O(1).
 */
CRI_NODISCARD
cri_status cri_snapshot_pods(const cri_snapshot *snapshot,
                             const cri_pod *const **out,
                             size_t *len,
                             cri_error **err);

/**
 * Finds one container or sandbox, in any state. It finds the same ones as cri_watcher_get.
 *
 * @param snapshot the snapshot
 * @param id_or_name as for cri_watcher_get
 * @param out receives the record, which belongs to the snapshot; cri_container_ref keeps it for longer
 * @return CRI_OK; CRI_E_NOT_FOUND; CRI_E_AMBIGUOUS, with the candidates in the message; CRI_E_INVALID_ARGUMENT
 * @note Does not wait for the engine. O(1) by id; by name, O(number of containers with that name); O(n) by an id
 * prefix. The first lookup in a snapshot adds the changes since the last one to an index, or sometimes builds the
 * index anew: O(n).
 */
CRI_NODISCARD
cri_status cri_snapshot_find(const cri_snapshot *snapshot,
                             const char *id_or_name,
                             const cri_container **out,
                             cri_error **err);

/**
 * Frees a snapshot, and with it the records that nothing else uses.
 *
 * @param snapshot the snapshot; NULL: does nothing
 * @note Never blocks. O(1), or O(n) if no other snapshot shares its memory.
 */
void cri_snapshot_free(cri_snapshot *snapshot);

/* ================================================================================================
 * Lookups
 *
 * Whose process is this? A lookup finds the container by what the kernel knows: a pid, the id or path of a cgroup, or
 * the inode of a namespace. It is fast enough for a program that traces system calls. docs/lookups.md has an example,
 * and says which key to use when.
 *
 * Each lookup returns one of these:
 *
 * - CRI_OK: `*out` is the container. It is the pod's sandbox if the key belongs to a pod but to none of its containers
 *   (the pod's own cgroup, or a namespace that the pod's containers share).
 * - CRI_NONE: the key belongs to the host, and not to a container of this engine. The library has proof of that;
 *   without proof, a lookup never returns CRI_NONE. The cgroups of conmon and of mount units have the id of a
 *   container in their names, and belong to the host.
 * - CRI_AGAIN: the key belongs to a container or a pod that the snapshot does not have. Take a new snapshot, or use
 *   cri_watcher_lookup_pid or cri_watcher_lookup_cgroup, which wait. A container of another engine gives CRI_AGAIN,
 *   too.
 * - CRI_E_NOT_FOUND: there is no such process or cgroup, or no known running container is in the namespace.
 * - CRI_E_PERMISSION, CRI_E_OS: the kernel refused the answer.
 * - CRI_E_UNSUPPORTED: this host, or this program's own cgroup namespace, hides the answer; the message says what
 *   helps.
 * - CRI_E_INVALID_ARGUMENT: the argument is not a pid, a path or a kind of namespace.
 *
 * Lookups that wait can also return CRI_E_NOT_READY, CRI_E_STOPPED and CRI_E_FORKED.
 *
 * A lookup in a snapshot takes no lock, and makes no error object if `err` is NULL. The first lookup of each kind in a
 * snapshot builds an index, O(n).
 * ================================================================================================ */

/**
 * Finds the container to which a cgroup belongs, by the cgroup's id: what eBPF's bpf_get_current_cgroup_id returns on
 * cgroup v2. It also finds containers that have ended, as long as the watcher remembers them. After CRI_AGAIN for an
 * id, a later call can find the container even if the cgroup is gone by then: the watcher remembers the newest 1,024
 * such ids.
 *
 * @param snapshot the snapshot
 * @param cgroup_id the id of a cgroup in the v2 hierarchy
 * @param out receives the record, which belongs to the snapshot; cri_container_ref keeps it for longer
 * @return CRI_OK; CRI_NONE; CRI_AGAIN; CRI_E_NOT_FOUND; CRI_E_PERMISSION without CAP_DAC_READ_SEARCH, except for a
 * container's own cgroup; CRI_E_UNSUPPORTED on a host without cgroup v2, and on a host with both versions if the
 * cgroup is not a container's; CRI_E_OS, CRI_E_INVALID_ARGUMENT
 * @note Does not wait. A container's own cgroup: a few ns. Another cgroup: some system calls, a few microseconds.
 */
CRI_NODISCARD
cri_status cri_snapshot_find_cgroup(const cri_snapshot *snapshot,
                                    uint64_t cgroup_id,
                                    const cri_container **out,
                                    cri_error **err);

/**
 * Finds the container to which a process belongs: any process or thread, not only the first one.
 *
 * @param snapshot the snapshot
 * @param pid the pid, as the /proc below the option host.root shows it; 0 (the kernel's idle task) gives CRI_NONE
 * @param start_ticks the start time of the process, in clock ticks since boot (field 22 of /proc/PID/stat): a pid that
 * another process has got meanwhile is not found; 0: the process that has the pid now
 * @param out receives the record, which belongs to the snapshot; cri_container_ref keeps it for longer
 * @return CRI_OK; CRI_NONE; CRI_AGAIN; CRI_E_NOT_FOUND if there is no such process; CRI_E_UNSUPPORTED for processes in this
 * program's own cgroup namespace; CRI_E_PERMISSION, CRI_E_OS, CRI_E_INVALID_ARGUMENT
 * @note Does not wait. The first process of a container, with start_ticks: a few ns. Any other: a few system calls, 1
 * to 8 microseconds. The library caches nothing by pid.
 */
CRI_NODISCARD
cri_status cri_snapshot_find_pid(const cri_snapshot *snapshot,
                                 int32_t pid,
                                 uint64_t start_ticks,
                                 const cri_container **out,
                                 cri_error **err);

/**
 * Finds the container to which a cgroup belongs, by its path, as /proc/PID/cgroup or the cgroup file system shows it.
 *
 * The deepest component that names a known container decides. So a container that systemd or Docker runs inside a
 * container belongs to the outer one.
 *
 * @param snapshot the snapshot
 * @param path the path; it need not end with NUL
 * @param len its length, in bytes
 * @param out receives the record, which belongs to the snapshot; cri_container_ref keeps it for longer
 * @return CRI_OK; CRI_NONE; CRI_AGAIN; CRI_E_INVALID_ARGUMENT
 * @note Does not wait, and reads no file. O(length of the path).
 */
CRI_NODISCARD
cri_status cri_snapshot_find_cgroup_path(const cri_snapshot *snapshot,
                                         const char *path,
                                         size_t len,
                                         const cri_container **out,
                                         cri_error **err);

/**
 * Finds the container, or the pod, to which a namespace belongs. It finds only what runs: the kernel may reuse the
 * number of a namespace as soon as the last process has left it.
 *
 * @param snapshot the snapshot
 * @param kind CRI_NAMESPACE_NET and so on
 * @param inode the number in the link /proc/PID/ns/KIND
 * @param out receives the record, which belongs to the snapshot: the sandbox, if containers of its pod share the
 * namespace
 * @param sharing receives on CRI_OK how many running containers and sandboxes are in the namespace; may be NULL
 * @return CRI_OK; CRI_NONE: it is the host's own; CRI_E_NOT_FOUND if no known running container is in it;
 * CRI_E_UNSUPPORTED for a network namespace, if the engine has not reported whether the pod uses the host's, and this
 * program may read the network namespace of neither process 1 nor the engine; CRI_E_INVALID_ARGUMENT
 * @note Does not wait. A few ns.
 */
CRI_NODISCARD
cri_status cri_snapshot_find_namespace(const cri_snapshot *snapshot,
                                       uint32_t kind,
                                       uint64_t inode,
                                       const cri_container **out,
                                       size_t *sharing,
                                       cri_error **err);

/**
 * Does what cri_snapshot_find_cgroup does, for many ids in one call.
 *
 * @param snapshot the snapshot
 * @param cgroup_ids an array of n ids
 * @param n how many
 * @param out an array for n records: receives the records, and NULL where the status is not CRI_OK
 * @param statuses an array for n statuses, each as cri_snapshot_find_cgroup returns it; NULL: none are wanted
 * @return CRI_OK, whatever the single statuses are; CRI_E_INVALID_ARGUMENT
 * @note Does not wait. Costs as much as n lookups.
 */
CRI_NODISCARD
cri_status cri_snapshot_find_cgroups(const cri_snapshot *snapshot,
                                     const uint64_t *cgroup_ids,
                                     size_t n,
                                     const cri_container **out,
                                     cri_status *statuses,
                                     cri_error **err);

/**
 * Does what cri_snapshot_find_pid does, for many pids in one call.
 *
 * @param snapshot the snapshot
 * @param pids an array of n pids
 * @param start_ticks an array of n start times, as for cri_snapshot_find_pid; NULL: 0 for all
 * @param n how many
 * @param out as for cri_snapshot_find_cgroups
 * @param statuses as for cri_snapshot_find_cgroups
 * @return as cri_snapshot_find_cgroups
 * @note Does not wait. Costs as much as n lookups.
 */
CRI_NODISCARD
cri_status cri_snapshot_find_pids(const cri_snapshot *snapshot,
                                  const int32_t *pids,
                                  const uint64_t *start_ticks,
                                  size_t n,
                                  const cri_container **out,
                                  cri_status *statuses,
                                  cri_error **err);

/**
 * Finds one container or sandbox, in any state: the same one as cri_watcher_get, as a record.
 *
 * @param watcher the watcher
 * @param id_or_name as for cri_watcher_get
 * @param out receives the record; release it with cri_container_unref
 * @return CRI_OK; CRI_E_NOT_FOUND; CRI_E_AMBIGUOUS, with the candidates in the message; CRI_E_NOT_READY before the
 * first lists are in the cache; CRI_E_FORKED, CRI_E_INVALID_ARGUMENT
 * @note Does not wait. It costs as much as cri_snapshot_find in the newest snapshot.
 */
CRI_NODISCARD
cri_status cri_watcher_find(const cri_watcher *watcher,
                            const char *id_or_name,
                            const cri_container **out,
                            cri_error **err);

/**
 * Does what cri_snapshot_find_pid does, in the newest snapshot. If the process is in a container that the engine has
 * not reported yet, the call waits for that container, and finds it even if the process has ended meanwhile. If no
 * event reports the container soon, the watcher asks the engine for a list.
 *
 * @param watcher the watcher
 * @param pid as for cri_snapshot_find_pid
 * @param start_ticks as for cri_snapshot_find_pid
 * @param timeout_ms how long to wait, in milliseconds; below 0: no limit; 0: no wait
 * @param out receives the record; release it with cri_container_unref
 * @return as cri_snapshot_find_pid; CRI_AGAIN after timeout_ms; CRI_E_NOT_READY, CRI_E_STOPPED, CRI_E_FORKED
 * @note Blocks up to timeout_ms, and only while the answer is CRI_AGAIN. cri_watcher_stop ends the wait. It costs as
 * much as the same lookup in the newest snapshot.
 */
CRI_NODISCARD
cri_status cri_watcher_lookup_pid(const cri_watcher *watcher,
                                  int32_t pid,
                                  uint64_t start_ticks,
                                  int64_t timeout_ms,
                                  const cri_container **out,
                                  cri_error **err);

/**
 * Does what cri_snapshot_find_cgroup does, in the newest snapshot, and waits like cri_watcher_lookup_pid.
 *
 * @param watcher the watcher
 * @param cgroup_id as for cri_snapshot_find_cgroup
 * @param timeout_ms how long to wait, in milliseconds; below 0: no limit; 0: no wait
 * @param out receives the record; release it with cri_container_unref
 * @return as cri_snapshot_find_cgroup; CRI_AGAIN after timeout_ms; CRI_E_NOT_READY, CRI_E_STOPPED, CRI_E_FORKED
 * @note Blocks up to timeout_ms, and only while the answer is CRI_AGAIN. cri_watcher_stop ends the wait. It costs as
 * much as the same lookup in the newest snapshot.
 */
CRI_NODISCARD
cri_status cri_watcher_lookup_cgroup(const cri_watcher *watcher,
                                     uint64_t cgroup_id,
                                     int64_t timeout_ms,
                                     const cri_container **out,
                                     cri_error **err);

/* ================================================================================================
 * Engine
 *
 * These functions send requests to the engine. They also work on a watcher that is not started.
 * ================================================================================================ */

/**
 * Asks the engine for everything it knows about one container or sandbox, in any state.
 *
 * @param watcher the watcher
 * @param id_or_name an id, "namespace/pod/container" (for a sandbox "namespace/pod"), a container name, a pod name, or
 * an id prefix of at least 6 hex digits
 * @param flags 0, or bits of CRI_INSPECT_REQUIRE_PROCESS, CRI_INSPECT_SHOW_ENV and CRI_INSPECT_SEPARATE_ANNOTATIONS
 * @param timeout_ms how long to wait, in milliseconds; below 0: no limit; 0: no wait
 * @param out receives JSON, "criwatch.inspect/1"; free with cri_buffer_free
 * @return CRI_OK; CRI_E_NOT_FOUND; CRI_E_AMBIGUOUS, with the candidates in the message; CRI_E_PROCESSLESS, only
 * with CRI_INSPECT_REQUIRE_PROCESS; CRI_E_CONNECT, CRI_E_PERMISSION, CRI_E_RPC, CRI_E_TIMEOUT, CRI_E_UNSUPPORTED,
 * CRI_E_PROTOCOL if the request to the engine failed; CRI_E_STOPPED, CRI_E_FORKED, CRI_E_INVALID_ARGUMENT
 * @note Blocks up to timeout_ms. cri_watcher_stop ends the wait.
 */
CRI_NODISCARD
cri_status cri_watcher_inspect(const cri_watcher *watcher,
                               const char *id_or_name,
                               uint32_t flags,
                               int64_t timeout_ms,
                               cri_buffer *out,
                               cri_error **err);

/**
 * Calls any unary RPC of the engine's RuntimeService or ImageService. Request and reply are the canonical JSON of
 * protocol buffers: keys in lowerCamelCase, enums by name, 64-bit integers and bytes as strings. The reply has
 * every field, also those with default values. Only RPCs that read are allowed, unless the option
 * call.allow_mutations is set. In the verbose `info` of a reply, the values of environment variables are redacted,
 * unless the option call.show_env is set.
 *
 * @param watcher the watcher
 * @param method the RPC, e.g. "RuntimeService/Status"
 * @param request the request as JSON, e.g. "{\"verbose\":true}"; NULL or "": an empty request
 * @param timeout_ms how long to wait, in milliseconds; below 0: no limit; 0: no wait. After a timeout, the engine
 * may still carry out the request.
 * @param out receives JSON; free with cri_buffer_free
 * @return CRI_OK; CRI_E_PERMISSION for an RPC that may change something, without call.allow_mutations;
 * CRI_E_UNSUPPORTED for an RPC that returns a stream (the message says what to use instead), and for every RPC in
 * a build without calls; CRI_E_INVALID_ARGUMENT for an unknown RPC (the message lists the known ones) and for a
 * request that does not fit the RPC (the message names the field); CRI_E_NOT_FOUND, CRI_E_RPC, CRI_E_TIMEOUT,
 * CRI_E_CONNECT, CRI_E_PROTOCOL if the request to the engine failed (the error has the gRPC code); CRI_E_STOPPED,
 * CRI_E_FORKED
 * @note Blocks up to timeout_ms. cri_watcher_stop ends the wait.
 */
CRI_NODISCARD
cri_status cri_watcher_call(const cri_watcher *watcher,
                            const char *method,
                            const char *request,
                            int64_t timeout_ms,
                            cri_buffer *out,
                            cri_error **err);

/* ================================================================================================
 * Engines of the node
 *
 * A node may have several engines: the cluster's, Docker's own containerd beside it, engines inside containers.
 * cri_engines_discover finds them once. A finder follows them as they come and go, so that a program can keep a
 * watcher for each. Both use the options host.root, connect.timeout_ms, discover.nested, discover.interval_ms and
 * engine.id.
 * ================================================================================================ */

/** Finds the engines of a node, and reports when they come and go. */
typedef struct cri_finder cri_finder;

/**
 * Finds every engine of the node, the best one first: the one that the kubelet uses, then engines with sandboxes, then
 * the others, by the strength of the evidence. It asks all of them at once. A socket that cannot be used is listed,
 * too, with the error.
 *
 * @param options the options; NULL: the defaults
 * @param timeout_ms how long to wait for all of them, in milliseconds; below 0, or above the option
 * connect.timeout_ms: as long as that option says; 0: 1 millisecond
 * @param out receives JSON, "criwatch.engines/1"; free with cri_buffer_free
 * @return CRI_OK, also if there is no engine; CRI_E_OPTION for a host.root that is no directory; CRI_E_OS;
 * CRI_E_INVALID_ARGUMENT
 * @note Blocks up to timeout_ms, and while it reads files of the host; makes a thread for that time.
 */
CRI_NODISCARD
cri_status cri_engines_discover(const cri_options *options,
                                int64_t timeout_ms,
                                cri_buffer *out,
                                cri_error **err);

/**
 * Makes a finder, which begins to look for engines in the background.
 *
 * @param options the options; NULL: the defaults
 * @param out receives the finder; free with cri_finder_free
 * @return CRI_OK; CRI_E_OPTION for a host.root that is no directory; CRI_E_OS if the system refuses a thread or a
 * descriptor; CRI_E_INVALID_ARGUMENT
 * @note Does not wait for an engine. O(1); makes one thread ("cri-find").
 */
CRI_NODISCARD
cri_status cri_finder_new(const cri_options *options,
                          cri_finder **out,
                          cri_error **err);

/**
 * Returns a descriptor for poll and epoll. It is readable exactly while cri_finder_next would not return CRI_AGAIN.
 * It belongs to the finder: never read or close it.
 *
 * @param finder the finder; NULL: -1
 * @return the descriptor
 * @note Never blocks. O(1).
 */
int32_t cri_finder_fd(const cri_finder *finder);

/**
 * Takes the next news. The finder reports engines that answer, each by its endpoint. It does not report an engine that
 * comes and goes before the program takes the news, so news never overflow.
 *
 * @param finder the finder
 * @param timeout_ms how long to wait, in milliseconds; below 0: no limit; 0: no wait
 * @param type receives CRI_ENGINE_FOUND, CRI_ENGINE_CHANGED or CRI_ENGINE_LOST
 * @param endpoint receives the endpoint for cri_watcher_new, as text; free with cri_buffer_free
 * @param out receives JSON, "criwatch.engineNews/1"; free with cri_buffer_free
 * @return CRI_OK; CRI_AGAIN if there is no news within timeout_ms; CRI_CLOSED if no more will come, because the
 * finder was freed; CRI_E_FORKED, CRI_E_INVALID_ARGUMENT
 * @note Blocks up to timeout_ms. cri_finder_free ends the wait. O(number of engines).
 */
CRI_NODISCARD
cri_status cri_finder_next(const cri_finder *finder,
                           int64_t timeout_ms,
                           uint32_t *type,
                           cri_buffer *endpoint,
                           cri_buffer *out,
                           cri_error **err);

/**
 * Stops and frees a finder.
 *
 * @param finder the finder; NULL: does nothing; in a forked child it is leaked on purpose
 * @note Waits for the finder's thread to end, which does not wait for an engine. A cri_finder_next that waits in
 * another thread returns CRI_CLOSED.
 */
void cri_finder_free(cri_finder *finder);

/* ================================================================================================
 * Callbacks
 *
 * A subscription calls a function for each event, one after the other, on its own thread. It begins with a replay:
 * CRI_EVENT_REPLAY_BEGIN, one CRI_EVENT_STARTED with CRI_EVENT_FLAG_INITIAL for each run, CRI_EVENT_REPLAY_END.
 * Live events follow without a gap. A consumer that is too slow gets CRI_EVENT_OVERFLOW and a new replay; a run
 * that this replay does not show has ended. So the code that handles the first replay also handles an overflow.
 * ================================================================================================ */

/** A subscription of a callback to events. */
typedef struct cri_subscription cri_subscription;

/**
 * Calls a function for each event, beginning with a replay. The watcher may be started before or afterwards.
 *
 * @param watcher the watcher
 * @param mask the event types to report: CRI_EVENT_MASK of each type, combined with |; 0: STARTED, EXITED,
 * UPDATED, STATE
 * @param flags 0, or CRI_SUBSCRIBE_LIVE_ONLY
 * @param function is called with each event, never two calls at a time
 * @param user_data is passed to function and destroy; may be NULL
 * @param destroy is called with user_data exactly once: after the last call of function, or, if
 * cri_watcher_subscribe fails, before it returns; may be NULL
 * @param out receives the subscription, before the first call of function; free with cri_subscription_free
 * @return CRI_OK; CRI_E_STOPPED; CRI_E_OS if the system refuses a thread or a descriptor; CRI_E_FORKED,
 * CRI_E_INVALID_ARGUMENT
 * @note Does not wait for the engine. O(n) to prepare the replay; makes one thread. When the watcher stops,
 * function still gets the events that are queued, and then destroy is called.
 */
CRI_NODISCARD
cri_status cri_watcher_subscribe(const cri_watcher *watcher,
                                 uint32_t mask,
                                 uint32_t flags,
                                 cri_event_fn function,
                                 void *user_data,
                                 cri_destroy_fn destroy,
                                 cri_subscription **out,
                                 cri_error **err);

/**
 * Ends a subscription and frees it. Outside the watcher's callbacks it is a barrier: when it returns, no call of
 * the function is in progress or will come, and destroy has been called. It may be called before and after
 * cri_watcher_free.
 *
 * @param subscription the subscription; NULL: does nothing; in a forked child it is leaked on purpose
 * @note Blocks until the call in progress has returned. Inside a callback of the same watcher, also of another
 * subscription, it does not wait: the call in progress is the last one, and destroy is called after it returns.
 */
void cri_subscription_free(cri_subscription *subscription);

/* ================================================================================================
 * Event queues
 *
 * A queue holds the events that a callback would get, until the program takes them. The program can take them in a
 * loop, or when poll or epoll reports the queue's descriptor. A queue is bounded. If it overflows, its events are
 * dropped, and the program gets CRI_EVENT_OVERFLOW and a new replay.
 *
 *     struct pollfd wait = { cri_event_queue_fd(queue), POLLIN, 0 };
 *     do {
 *         poll(&wait, 1, -1);
 *         while ((status = cri_event_queue_next(queue, 0, &event, NULL)) == CRI_OK) {
 *             handle(event);
 *             cri_event_free(event);
 *         }
 *     } while (status == CRI_AGAIN);
 * ================================================================================================ */

/** A queue of events. */
typedef struct cri_event_queue cri_event_queue;

/**
 * Makes a queue of events, beginning with a replay. The watcher may be started before or afterwards.
 *
 * @param watcher the watcher
 * @param mask the event types to report: CRI_EVENT_MASK of each type, combined with |; 0: STARTED, EXITED,
 * UPDATED, STATE
 * @param flags 0, or CRI_SUBSCRIBE_LIVE_ONLY
 * @param capacity how many events the queue holds; 0: the option queue.capacity
 * @param out receives the queue; free with cri_event_queue_free
 * @return CRI_OK; CRI_E_STOPPED; CRI_E_OS if the system refuses a descriptor; CRI_E_FORKED, CRI_E_INVALID_ARGUMENT
 * @note Does not wait for the engine. O(n) to prepare the replay.
 */
CRI_NODISCARD
cri_status cri_event_queue_new(const cri_watcher *watcher,
                               uint32_t mask,
                               uint32_t flags,
                               size_t capacity,
                               cri_event_queue **out,
                               cri_error **err);

/**
 * Returns a descriptor for poll and epoll. It is readable while an event is queued or the queue is closed: exactly
 * while cri_event_queue_next would not return CRI_AGAIN. It belongs to the queue: never read or close it.
 *
 * @param queue the queue; NULL: -1
 * @return the descriptor
 * @note Never blocks. O(1).
 */
int32_t cri_event_queue_fd(const cri_event_queue *queue);

/**
 * Takes the next event.
 *
 * @param queue the queue
 * @param timeout_ms how long to wait, in milliseconds; below 0: no limit; 0: no wait
 * @param out receives the event on CRI_OK; free with cri_event_free
 * @return CRI_OK; CRI_AGAIN if there is no event within timeout_ms; CRI_CLOSED if no more will come: the watcher
 * has stopped and all events were taken, or the queue was freed; CRI_E_FORKED, CRI_E_INVALID_ARGUMENT
 * @note Blocks up to timeout_ms. cri_watcher_stop and cri_event_queue_free end the wait. O(1); after an overflow,
 * O(n) to prepare the replay.
 */
CRI_NODISCARD
cri_status cri_event_queue_next(const cri_event_queue *queue,
                                int64_t timeout_ms,
                                cri_event **out,
                                cri_error **err);

/**
 * Frees a queue. Events that were taken from it stay valid.
 *
 * @param queue the queue; NULL: does nothing; in a forked child it is leaked on purpose
 * @note Does not wait. O(number of queued events). A cri_event_queue_next that waits in another thread returns
 * CRI_CLOSED.
 */
void cri_event_queue_free(cri_event_queue *queue);

/**
 * Returns an event as JSON.
 *
 * @param event the event itself, from cri_event_queue_next or a callback; not a copy of the struct
 * @param out receives JSON, "criwatch.event/1"; free with cri_buffer_free
 * @return CRI_OK, CRI_E_INVALID_ARGUMENT
 * @note Does not wait. O(size of the event).
 */
CRI_NODISCARD cri_status cri_event_json(const cri_event *event, cri_buffer *out, cri_error **err);

/**
 * Frees an event from cri_event_queue_next, and with it its container. Never call it for the event of a callback.
 *
 * @param event the event; NULL: does nothing
 * @note Never blocks. O(1).
 */
void cri_event_free(cri_event *event);

/* ================================================================================================
 * Log
 *
 * A watcher reports its own work to the program: connections, causes of lost connections, how it notices changes,
 * failed lists, slow consumers, requests without an answer, contradictions of the engine. There is no global
 * logger, and nothing is printed. Every subscription and queue whose mask has CRI_EVENT_LOG gets the same
 * messages, of all levels, as events.
 * ================================================================================================ */

/** A function that takes a log message. The message is valid until the function returns. */
typedef void (*cri_log_fn)(uint32_t level, const char *message, void *user_data);

/**
 * Calls a function for each log message of the watcher, on its own thread ("cri-log"). A watcher has at most one
 * log, set before the start.
 *
 * @param watcher the watcher
 * @param max_level the least urgent level to report: CRI_LOG_ERROR, CRI_LOG_WARN, CRI_LOG_INFO or CRI_LOG_DEBUG
 * @param function is called with each message, never two calls at a time
 * @param user_data is passed to function and destroy; may be NULL
 * @param destroy is called with user_data exactly once: after the watcher has stopped and function has got the
 * last message, or, if cri_watcher_set_log fails, before it returns; may be NULL
 * @return CRI_OK; CRI_E_STATE after the start, or if a log is set already; CRI_E_STOPPED; CRI_E_OS if the system
 * refuses a thread or a descriptor; CRI_E_FORKED, CRI_E_INVALID_ARGUMENT
 * @note Does not wait. O(1); makes one thread. cri_watcher_free waits until function has got the last message,
 * except inside a callback of the watcher.
 */
CRI_NODISCARD
cri_status cri_watcher_set_log(const cri_watcher *watcher,
                               uint32_t max_level,
                               cri_log_fn function,
                               void *user_data,
                               cri_destroy_fn destroy,
                               cri_error **err);

/* ================================================================================================
 * Rucksacks
 *
 * A rucksack is JSON that the program adds to a container; records and JSON answers show it. A packer, a function
 * of the program, makes one for each run (cri_watcher_set_packer). Or the program attaches one at any time
 * (cri_watcher_attach).
 * ================================================================================================ */

/** The place where a packer puts the rucksack of one container. */
typedef struct cri_rucksack cri_rucksack;

/**
 * Sets the rucksack of the container that is being packed. Only the packer may call this, before it returns. The
 * last call counts; without a call there is no rucksack.
 *
 * @param rucksack the place that the packer was given
 * @param json the rucksack, which is copied; NULL: none
 * @return CRI_OK; CRI_E_INVALID_ARGUMENT, also if json is not valid JSON (the watcher logs that)
 * @note Does not wait. O(size of json).
 */
CRI_NODISCARD
cri_status cri_rucksack_set(const cri_rucksack *rucksack,
                            const char *json,
                            cri_error **err);

/**
 * A packer: a function that makes the rucksack of one container, and passes it to cri_rucksack_set. `container` is
 * the container as JSON, as under the key "container" of "criwatch.container/1". `inspection` is everything that
 * the engine knows about it, "criwatch.inspect/1". All arguments are valid until the function returns.
 */
typedef void (*cri_pack_fn)(const char *container,
                            const char *inspection,
                            const cri_rucksack *rucksack,
                            void *user_data);

/**
 * Calls a function at the beginning of each run, on its own thread ("cri-pack"), to make the rucksack of the
 * container. A watcher has at most one packer, set before the start. CRI_EVENT_STARTED waits for the rucksack, at
 * most as long as the option packer.timeout_ms says. A later rucksack is reported by a CRI_EVENT_UPDATED with
 * CRI_CHANGED_RUCKSACK. A run that has ended by then gets none. The packer costs one verbose request to the engine
 * for each run. The values of environment variables are redacted, unless the option packer.show_env is set.
 *
 * @param watcher the watcher
 * @param function is called for each run, never two calls at a time
 * @param user_data is passed to function and destroy; may be NULL
 * @param destroy is called with user_data exactly once: after the watcher has stopped and the last call of
 * function has returned, or, if cri_watcher_set_packer fails, before it returns; may be NULL
 * @return CRI_OK; CRI_E_STATE after the start, or if a packer is set already; CRI_E_STOPPED; CRI_E_OS if the
 * system refuses a thread; CRI_E_FORKED, CRI_E_INVALID_ARGUMENT
 * @note Does not wait. O(1); makes one thread. cri_watcher_free waits for the call in progress, except inside a
 * callback of the watcher.
 */
CRI_NODISCARD
cri_status cri_watcher_set_packer(const cri_watcher *watcher,
                                  cri_pack_fn function,
                                  void *user_data,
                                  cri_destroy_fn destroy,
                                  cri_error **err);

/**
 * Gives a container a rucksack without a packer. When the call returns, all answers show the rucksack. A
 * CRI_EVENT_UPDATED with CRI_CHANGED_RUCKSACK reports it.
 *
 * @param watcher the watcher
 * @param id_or_name an id, "namespace/pod/container" (for a sandbox "namespace/pod"), a container name, a pod name, or
 * an id prefix of at least 6 hex digits
 * @param json the rucksack, which is copied; NULL: removes the rucksack
 * @return CRI_OK; CRI_E_NOT_READY before the first lists are in the cache; CRI_E_NOT_FOUND; CRI_E_AMBIGUOUS, with
 * the candidates in the message; CRI_E_INVALID_ARGUMENT, also if json is not valid JSON; CRI_E_STOPPED,
 * CRI_E_FORKED
 * @note Blocks until the library's thread has stored the rucksack. That thread does not wait for the engine.
 */
CRI_NODISCARD
cri_status cri_watcher_attach(const cri_watcher *watcher,
                              const char *id_or_name,
                              const char *json,
                              cri_error **err);

#ifdef __cplusplus
}
#endif

#endif /* CRIWATCH_H */
