/*
 * criwatch: which containers and pods run on this node, now, and what changes.
 *
 * The shortest program makes a watcher, asks the engine once, and prints JSON:
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
 * An agent that follows changes starts the watcher and takes events: pushed into a callback
 * (cri_watcher_subscribe), or pulled from a queue that has a file descriptor for poll and epoll
 * (cri_event_queue_new). Events and snapshots (cri_watcher_snapshot) show structs, so that no JSON has to be parsed.
 *
 * Conventions
 *
 * - Names: cri_NOUN_VERB. Arguments: the object, then inputs, then outputs, then `cri_error **err`.
 * - Status: 0 is CRI_OK, below 0 are errors, above 0 are notes that come without an error object. The status
 *   alone is always enough to branch on. Numbers are never reused.
 * - Errors: `err` may be NULL. Otherwise it is always written: NULL, or an error that the caller frees with
 *   cri_error_free. There is no "last error" kept per thread.
 * - Outputs are written only on success, buffers excepted: they are emptied first, so that freeing one is
 *   always right.
 * - NULL, where the description of a parameter does not allow it, gives CRI_E_INVALID_ARGUMENT. Every _free and
 *   every function on errors allows it. An object of another type, let through by a cast, is treated as NULL is. What
 *   was freed cannot be told from what was not.
 * - Strings are UTF-8 and end in NUL. A string with a NUL inside ends there for C; JSON shows it whole.
 * - Ownership: objects and buffers that come out of a parameter belong to the caller, who gives them back to
 *   the function named at the parameter, never to free(). `const char *` results belong to the object.
 * - Structs that the library fills begin with struct_size and only ever grow at the end. Event types, flags and
 *   states that a program does not know are to be ignored.
 *
 * Contracts
 *
 * - Threads: every function may be called from any thread at any time, also on one object at once. Only a _free
 *   has to be the last use of its object.
 * - Blocking: only functions with `timeout_ms` wait for the engine or for events: below 0 for ever, 0 not at
 *   all. cri_watcher_stop ends every such wait. Besides, cri_watcher_stop and cri_watcher_free wait for the
 *   library's own thread, and cri_subscription_free for the callback under way; cri_watcher_free does so for the
 *   log and the packer.
 * - Callbacks: each subscription has a thread of its own ("cri-events"), so a slow one delays nobody else; so have
 *   the log ("cri-log") and the packer ("cri-pack"). What a callback is given is borrowed until it returns. A
 *   callback may call everything here; inside it,
 *   cri_watcher_stop of the same watcher answers CRI_E_WOULD_DEADLOCK, cri_watcher_free takes place after it has
 *   returned, and cri_subscription_free does not wait. A callback must not throw or longjmp.
 * - user_data is never looked at. destroy(user_data) runs exactly once: after the last call, or before a failed
 *   registration returns. destroy may be NULL.
 * - Signals: the library's threads block all asynchronous signals; handlers of the program never run on them,
 *   and SIGPIPE never reaches it. The library installs no handler, prints nothing and changes no environment.
 * - fork: a child process may exec, exit, or make watchers of its own. On what its parent has started, calls answer
 *   CRI_E_FORKED and _free leaks on purpose. Making a watcher before daemon() and starting it after is fine; callback
 *   subscriptions, log and packer have to be set after. Descriptors are closed on exec.
 * - Unloading: dlclose leaves the library in memory.
 * - Defects: a panic inside the library becomes CRI_E_PANIC; it never unwinds into the program.
 * - Compatibility: one SONAME, one CRI_ABI_VERSION. Within it, functions and constants are only added.
 *
 * Generated from the Rust source; SPDX-License-Identifier: Apache-2.0
 */

#ifndef CRIWATCH_H
#define CRIWATCH_H

#include <stddef.h>
#include <stdint.h>

/* Stands before functions whose result has to be looked at: compilers warn where it is not. Who wants no such warning
 * defines it as nothing before including this header. */
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
 * The macros tell what a program was compiled against, the functions what it has loaded.
 * ================================================================================================ */

/** The major version. */
#define CRI_VERSION_MAJOR 0
/** The minor version. */
#define CRI_VERSION_MINOR 1
/** The patch level. */
#define CRI_VERSION_PATCH 0
/** The version as one number that can be compared. */
#define CRI_VERSION_NUMBER (((CRI_VERSION_MAJOR * 1000000) + (CRI_VERSION_MINOR * 1000)) + CRI_VERSION_PATCH)
/** The version of the binary interface. It changes only together with the SONAME. */
#define CRI_ABI_VERSION 1

/**
 * The CRI_ABI_VERSION of the loaded library. Bindings refuse one that is not theirs.
 *
 * @return the number
 * @note Never blocks.
 */
uint32_t cri_abi_version(void);

/**
 * The CRI_VERSION_NUMBER of the loaded library.
 *
 * @return the number
 * @note Never blocks.
 */
uint32_t cri_version_number(void);

/**
 * The version of the loaded library in words, e.g. "0.1.0".
 *
 * @return a string that is never freed; never NULL
 * @note Never blocks.
 */
const char *cri_version(void);

/* ================================================================================================
 * The status numbers
 *
 * A number, once given, is never given again.
 * ================================================================================================ */

/** What a call returns: `CRI_OK`, an error (< 0), or a note that is no error (> 0). */
typedef int32_t cri_status;

/** The call did what it says. */
#define CRI_OK 0
/** Note: nothing there yet; ask again later. */
#define CRI_AGAIN 1
/** Note: closed, and nothing more will come. */
#define CRI_CLOSED 2
/** Note: nothing to give, and the outputs are untouched. */
#define CRI_NONE 3
/** A pointer is NULL, a string is not UTF-8, or a value is out of range: the call cannot have been meant so. */
#define CRI_E_INVALID_ARGUMENT (-1)
/** No container or pod has this id or name. */
#define CRI_E_NOT_FOUND (-2)
/** The time given has passed; the message tells the last cause. */
#define CRI_E_TIMEOUT (-3)
/** There is no picture yet: start the watcher and wait until it is ready, or resync. */
#define CRI_E_NOT_READY (-4)
/** The watcher has been stopped. */
#define CRI_E_STOPPED (-5)
/** The engine's socket cannot be reached. */
#define CRI_E_CONNECT (-6)
/** The engine's socket, or something else, may not be used by this user. */
#define CRI_E_PERMISSION (-7)
/** The engine answered a request with an error; the gRPC code tells which. */
#define CRI_E_RPC (-8)
/** This engine, or this build of the library, does not offer what was asked for. */
#define CRI_E_UNSUPPORTED (-9)
/** What the engine sent cannot be understood. */
#define CRI_E_PROTOCOL (-10)
/** An option's key is unknown, or its value is not allowed. */
#define CRI_E_OPTION (-11)
/** A query is not what a query has to look like. */
#define CRI_E_QUERY (-12)
/** Several containers have this name or id prefix; the message lists them. */
#define CRI_E_AMBIGUOUS (-13)
/** The container has no process (any more). */
#define CRI_E_PROCESSLESS (-14)
/** Doing this inside a callback would wait for that very callback. */
#define CRI_E_WOULD_DEADLOCK (-15)
/** This process is a fork of the one that started the watcher. */
#define CRI_E_FORKED (-16)
/** The operating system refused something; the OS code tells what. */
#define CRI_E_OS (-17)
/** The call comes too early or too late in the watcher's life. */
#define CRI_E_STATE (-18)
/** A defect in this library. */
#define CRI_E_INTERNAL (-98)
/** A panic in this library was caught: a defect, too. */
#define CRI_E_PANIC (-99)

/* ================================================================================================
 * Errors
 *
 * An error object tells what a status cannot: the message with all its causes, and the codes behind it.
 * ================================================================================================ */

/** What went wrong. Immutable. */
typedef struct cri_error cri_error;

/**
 * The name of a status, e.g. "CRI_E_TIMEOUT".
 *
 * @param status any number
 * @return a string that is never freed; "CRI_E_UNKNOWN_STATUS" for a number that is none of ours; never NULL
 * @note Never blocks.
 */
const char *cri_status_name(cri_status status);

/**
 * The status that the failed call returned.
 *
 * @param error the error; NULL: CRI_OK
 * @return the status
 * @note Never blocks.
 */
cri_status cri_error_status(const cri_error *error);

/**
 * The whole message, causes included: what failed, on what, and what to do.
 *
 * @param error the error; NULL: ""
 * @return a string that lives as long as the error; never NULL
 * @note Never blocks.
 */
const char *cri_error_message(const cri_error *error);

/**
 * The gRPC status code, where an engine's answer was the cause.
 *
 * @param error the error; NULL: -1
 * @return the code, or -1
 * @note Never blocks.
 */
int32_t cri_error_grpc_code(const cri_error *error);

/**
 * The errno, where a system call was the cause.
 *
 * @param error the error; NULL: 0
 * @return the errno, or 0
 * @note Never blocks.
 */
int32_t cri_error_os_code(const cri_error *error);

/**
 * Whether the same call may succeed later without anybody changing anything.
 *
 * @param error the error; NULL: 0
 * @return 1 or 0
 * @note Never blocks.
 */
int32_t cri_error_is_retriable(const cri_error *error);

/**
 * Frees an error.
 *
 * @param error the error; NULL: nothing happens
 * @note Never blocks.
 */
void cri_error_free(cri_error *error);

/* ================================================================================================
 * Buffers
 *
 * JSON comes in buffers. Copies of one text may share their memory: treat it as read-only.
 * ================================================================================================ */

/** A text that the library made. Begin with CRI_BUFFER_INIT. */
typedef struct cri_buffer {
    /** The text; a NUL follows its last byte. NULL in an empty buffer. */
    const char *data;
    /** How many bytes it has, without that NUL. */
    size_t len;
    /** The library's. */
    void *owner;
} cri_buffer;

/**
 * Frees what a buffer holds, and empties it.
 *
 * @param buffer the buffer; NULL or an empty one: nothing happens
 * @note Never blocks.
 */
void cri_buffer_free(cri_buffer *buffer);

/** What a cri_buffer has to be before its first use. */
#define CRI_BUFFER_INIT { NULL, 0, NULL }

/* ================================================================================================
 * The numbers and keys that Rust, C and the other bindings share
 * ================================================================================================ */

/* Event types: */

/** A container or sandbox lives. Told exactly once for each life. */
#define CRI_EVENT_STARTED 1

/**
 * A life has ended. Told exactly once for each life, after its STARTED (but see CRI_SUBSCRIBE_LIVE_ONLY and
 * CRI_EVENT_FLAG_NEVER_STARTED).
 */
#define CRI_EVENT_EXITED 2

/**
 * More, or something else, is known of a container than was told before. It may come after the EXITED, too: how a
 * container ended can become known, or final, about a second later.
 */
#define CRI_EVENT_UPDATED 3
/** The watcher's own state has changed. */
#define CRI_EVENT_STATE 4
/** A replay begins: a STARTED with flag INITIAL for each life follows. Cannot be masked. */
#define CRI_EVENT_REPLAY_BEGIN 5
/** The replay is over: what it did not show does not live. Cannot be masked. */
#define CRI_EVENT_REPLAY_END 6
/** This consumer was too slow and lost events; a replay follows. Cannot be masked. */
#define CRI_EVENT_OVERFLOW 7

/**
 * A container was created, and has not been started yet. Only for those who ask for it; where a list or an event
 * shows it only later, there is none.
 */
#define CRI_EVENT_CREATED 8
/** The engine no longer has the container or sandbox. Only for those who ask for it. */
#define CRI_EVENT_REMOVED 9
/** The watcher says something about its work; `log_level` tells how much it matters. Only for those who ask for it. */
#define CRI_EVENT_LOG 10

/* Event flags: */

/** Concluded from a list, not told by the engine's event stream. */
#define CRI_EVENT_FLAG_SYNTHETIC 1
/** Part of a replay: it lived before the replay began. */
#define CRI_EVENT_FLAG_INITIAL 2
/** It had been told as exited, and the engine shows it running again. */
#define CRI_EVENT_FLAG_REAPPEARED 4
/** It was created but could not be started: an EXITED without a STARTED. */
#define CRI_EVENT_FLAG_NEVER_STARTED 8
/** The exit's reason may still change (an OOM kill can be noticed late); then an UPDATED follows. */
#define CRI_EVENT_FLAG_PROVISIONAL 16

/* Subscribe flags: */

/**
 * Live events only: no replay at the beginning, none after an overflow. An EXITED without its STARTED is
 * possible then.
 */
#define CRI_SUBSCRIBE_LIVE_ONLY 1

/* Inspect flags: */

/** A container without a process is an error: CRI_E_PROCESSLESS. */
#define CRI_INSPECT_REQUIRE_PROCESS 1
/** Show the values of environment variables, which may hold secrets; they are redacted otherwise. */
#define CRI_INSPECT_SHOW_ENV 2

/* Kinds: */

/** A container. */
#define CRI_KIND_CONTAINER 1
/** A pod's sandbox ("pause" container), which is a container, too. */
#define CRI_KIND_SANDBOX 2

/* States: */

/** The engine does not know, or has not said. Not an exit. */
#define CRI_STATE_UNKNOWN 0
/** Created, not yet started. */
#define CRI_STATE_CREATED 1
/** Running (a sandbox: ready). */
#define CRI_STATE_RUNNING 2
/** Exited (a sandbox: not ready). */
#define CRI_STATE_EXITED 3

/* Pod states: */

/** The engine has not said. */
#define CRI_POD_UNKNOWN 0
/** The pod's sandbox is ready. */
#define CRI_POD_READY 1
/** The pod's sandbox is not ready (any more). */
#define CRI_POD_NOT_READY 2

/* Pod flags: */

/** The pod shares the node's network namespace. */
#define CRI_POD_FLAG_HOST_NETWORK 1

/* Missing: */

/** The pid (and what comes with it: the process's start time and cgroup). */
#define CRI_MISSING_PID 1
/** The pod that the container is in. */
#define CRI_MISSING_POD 2
/** When it was started. */
#define CRI_MISSING_STARTED_AT 4
/** How it ended: exit code, reason, message and time. */
#define CRI_MISSING_EXIT 8

/* Changed: */

/** The pid has become known or has changed. */
#define CRI_CHANGED_PID 1
/** The pod, or something of the pod, has become known or has changed. */
#define CRI_CHANGED_POD 2
/** The time of start has become known. */
#define CRI_CHANGED_STARTED_AT 4
/** How it ended has become known or has changed. */
#define CRI_CHANGED_EXIT 8
/** The engine's word on the state changed without a start or an exit (running, unknown). */
#define CRI_CHANGED_STATE 16
/** Labels or annotations. */
#define CRI_CHANGED_LABELS 32
/** The rucksack: the packer was late with it, or the program has attached one. */
#define CRI_CHANGED_RUCKSACK 64

/* Watcher states: */

/** Not started. */
#define CRI_WATCHER_NEW 0
/** Trying to reach the engine. */
#define CRI_WATCHER_CONNECTING 1
/** Reached; the first lists are under way. */
#define CRI_WATCHER_SYNCING 2
/** In sync, and following the engine's event stream. */
#define CRI_WATCHER_WATCHING 3

/**
 * In sync by lists alone, again and again: this engine tells no events, or its event stream has just broken and is
 * being opened again.
 */
#define CRI_WATCHER_POLLING 4
/** The engine cannot be reached; the picture is the last one that was seen. Retried for ever. */
#define CRI_WATCHER_BACKOFF 5
/** Stopped. */
#define CRI_WATCHER_STOPPED 6

/* Log levels: */

/** The watcher cannot do its work. */
#define CRI_LOG_ERROR 1
/** Something is wrong, and somebody may have to do something. */
#define CRI_LOG_WARN 2
/** Something to know: connections, and how changes are noticed. */
#define CRI_LOG_INFO 3
/** Of use only when something is looked for. */
#define CRI_LOG_DEBUG 4

/* Texts: */

/** This kind of engine, as the reference (whalewatcher) names it. */
#define CRI_ENGINE_TYPE "k8s.io/cri-api"
/** Label: the pod's name. */
#define CRI_LABEL_POD_NAME "io.kubernetes.pod.name"
/** Label: the pod's namespace. */
#define CRI_LABEL_POD_NAMESPACE "io.kubernetes.pod.namespace"
/** Label: the pod's uid. */
#define CRI_LABEL_POD_UID "io.kubernetes.pod.uid"
/** Label: the container's name inside its pod. */
#define CRI_LABEL_CONTAINER_NAME "io.kubernetes.container.name"
/** Label: only sandboxes have it; its value is "". */
#define CRI_LABEL_SANDBOX "io.kubernetes.sandbox"
/** In the merged view of labels, the key of every annotation begins with this. */
#define CRI_ANNOTATION_KEY_PREFIX "io.kubernetes.annotation/"

/** The bit of an event type in the mask of a subscription. */
#define CRI_EVENT_MASK(type) (UINT32_C(1) << (type))

/* ================================================================================================
 * Records
 *
 * Containers, pods and events as structs, so that a C program needs no JSON parser. Records never change. They are
 * borrowed from the event or the snapshot that shows them, and live as long as it does; cri_container_ref keeps a
 * container, and with it its pod, for longer, and cri_pod_ref a pod alone. While a container does not change, everybody is shown the same record.
 *
 * Strings are never NULL; "" means none. What is unknown is 0 (an exit code: -1); what this engine may yet tell
 * stands in `missing`.
 * ================================================================================================ */

/** A label or an annotation. */
typedef struct cri_label {
    /** The key. */
    const char *key;
    /** The value. */
    const char *value;
} cri_label;

/** A pod, as its sandbox shows it. */
typedef struct cri_pod {
    /** The size of this struct in the loaded library. */
    size_t struct_size;
    /** The sandbox's id. */
    const char *id;
    /** The pod's name. */
    const char *name;
    /** The pod's namespace. */
    const char *pod_namespace;
    /** The pod's uid, as Kubernetes gives it. */
    const char *uid;
    /** How often the sandbox was made anew. */
    uint32_t attempt;
    /** One of CRI_POD_UNKNOWN, CRI_POD_READY, CRI_POD_NOT_READY. */
    uint32_t state;
    /** Bits of CRI_POD_FLAG_HOST_NETWORK. */
    uint32_t flags;
    /** How many addresses there are. */
    size_t ips_len;
    /** The pod's addresses, the primary one first. */
    const char *const *ips;
    /** How many labels there are. */
    size_t labels_len;
    /** How many annotations there are. */
    size_t annotations_len;
    /** The pod's labels, sorted by key. */
    const cri_label *labels;
    /** The pod's annotations, sorted by key. */
    const cri_label *annotations;
    /** The pod's cgroup, as the file system shows it; "" where the engine does not tell: no engine does at present. */
    const char *cgroup_path;
} cri_pod;

/** A container or sandbox, as it was at one moment. */
typedef struct cri_container {
    /** The size of this struct in the loaded library. */
    size_t struct_size;
    /** CRI_KIND_CONTAINER or CRI_KIND_SANDBOX. */
    uint32_t kind;
    /** One of CRI_STATE_UNKNOWN, CRI_STATE_CREATED, CRI_STATE_RUNNING, CRI_STATE_EXITED. */
    uint32_t state;
    /** No flags are defined yet: 0. */
    uint32_t flags;
    /** How often it was made anew under this name. */
    uint32_t attempt;
    /** The engine's id. */
    const char *id;
    /** The name inside the pod; of a sandbox, the pod's name. */
    const char *name;
    /** The pod; NULL while it is unknown. */
    const cri_pod *pod;
    /**
     * The first process, in the caller's pid namespace; 0: none, or unknown. After the exit it is still the pid that the
     * process had.
     */
    int32_t pid;
    /** The exit code; -1: none, or unknown. */
    int32_t exit_code;
    /** When the first process began, in clock ticks since boot: with it, a pid is unique. 0: unknown. */
    uint64_t pid_start_ticks;
    /** What this engine may yet tell: bits of CRI_MISSING_PID and so on. */
    uint64_t missing;
    /** The image, as the pod's author wrote it. */
    const char *image;
    /** What the engine resolved that to. */
    const char *image_ref;
    /** The engine's id of the image. */
    const char *image_id;
    /**
     * How it ended, in one word: "Completed", "Error", "OOMKilled"; "gone" when it merely vanished. Of
     * a sandbox, whose end engines do not explain, "" or "gone".
     */
    const char *reason;
    /** How it ended, in more words; often "". */
    const char *message;
    /** The cgroup, as the file system shows it. */
    const char *cgroup_path;
    /** When it was created, in nanoseconds since 1970; 0: unknown. */
    int64_t created_unix_nano;
    /** When it was started; 0: not yet, or unknown. */
    int64_t started_unix_nano;
    /** When it ended; 0: not yet, or unknown. */
    int64_t finished_unix_nano;
    /** How many labels there are. */
    size_t labels_len;
    /** How many annotations there are. */
    size_t annotations_len;
    /** The container's own labels, sorted by key. Those of the pod stand at the pod. */
    const cri_label *labels;
    /** The container's own annotations, sorted by key. */
    const cri_label *annotations;
    /** What the program itself has added (cri_watcher_set_packer, cri_watcher_attach): JSON. */
    const char *rucksack;
} cri_container;

/** Something that happened. */
typedef struct cri_event {
    /** The size of this struct in the loaded library. */
    size_t struct_size;
    /** One of CRI_EVENT_STARTED and so on. Types that a program does not know are to be ignored. */
    uint32_t type;
    /** Bits of CRI_EVENT_FLAG_SYNTHETIC and so on. */
    uint32_t flags;
    /** Grows from event to event. Each consumer may see gaps, which mean nothing. */
    uint64_t seq;
    /** The generation of the picture that shows this. */
    uint64_t generation;
    /** Of CRI_EVENT_OVERFLOW: how many events this consumer lost. */
    uint64_t lost;
    /** Of CRI_EVENT_UPDATED: bits of CRI_CHANGED_PID and so on. */
    uint64_t changed;
    /** When it happened, as far as the engine says, in nanoseconds since 1970; otherwise, when the watcher noticed. */
    int64_t time_unix_nano;
    /** When the watcher noticed. */
    int64_t observed_unix_nano;
    /** The container or sandbox; NULL where the event is not about one. */
    const cri_container *container;
    /** What the watcher was doing when it told this: one of CRI_WATCHER_NEW and so on. */
    uint32_t watcher_state;
    /** Of CRI_EVENT_STATE: why, in words, where there is something to say. Of CRI_EVENT_LOG: what it says. Otherwise "". */
    const char *message;
    /** Of CRI_EVENT_LOG: how much it matters, CRI_LOG_ERROR and so on; otherwise 0. */
    uint32_t log_level;
} cri_event;

/** Takes an event. The event is borrowed: it is gone when the function returns. */
typedef void (*cri_event_fn)(const cri_event *event, void *user_data);

/** Releases user data, after the last use of it. */
typedef void (*cri_destroy_fn)(void *user_data);

/**
 * Keeps a record, and with it its pod, beyond the event or the snapshot that shows it.
 *
 * @param container a record that is still there: no copy of the struct; NULL: NULL
 * @return the same record; give it back with cri_container_unref
 * @note Never blocks.
 */
const cri_container *cri_container_ref(const cri_container *container);

/**
 * Gives back what cri_container_ref gave.
 *
 * @param container the record; NULL: nothing happens
 * @note Never blocks.
 */
void cri_container_unref(const cri_container *container);

/**
 * Keeps a pod's record beyond the container or the snapshot that shows it.
 *
 * @param pod a record that is still there: no copy of the struct; NULL: NULL
 * @return the same record; give it back with cri_pod_unref
 * @note Never blocks.
 */
const cri_pod *cri_pod_ref(const cri_pod *pod);

/**
 * Gives back what cri_pod_ref gave.
 *
 * @param pod the record; NULL: nothing happens
 * @note Never blocks.
 */
void cri_pod_unref(const cri_pod *pod);

/**
 * One of the container's own labels. Those of the pod are asked for with cri_pod_label.
 *
 * @param container a record that is still there: no copy of the struct; NULL: NULL
 * @param key the label's key; NULL: NULL
 * @return the value, which lives as long as the record; NULL where there is no such label
 * @note Never blocks.
 */
const char *cri_container_label(const cri_container *container, const char *key);

/**
 * One of the pod's labels.
 *
 * @param pod a record that is still there: no copy of the struct; NULL: NULL
 * @param key the label's key; NULL: NULL
 * @return the value, which lives as long as the record; NULL where there is no such label
 * @note Never blocks.
 */
const char *cri_pod_label(const cri_pod *pod, const char *key);

/* ================================================================================================
 * Options
 *
 * Options are pairs of strings; cri_options_describe lists them all. A watcher copies them when it is made, so one
 * object may serve many watchers.
 * ================================================================================================ */

/** The options of watchers to come. */
typedef struct cri_options cri_options;

/**
 * Makes options that all have their defaults.
 *
 * @param out receives them; free with cri_options_free
 * @return CRI_OK, CRI_E_INVALID_ARGUMENT
 * @note Never blocks.
 */
CRI_NODISCARD cri_status cri_options_new(cri_options **out, cri_error **err);

/**
 * Frees options. Watchers that were made with them keep their values.
 *
 * @param options the options; NULL: nothing happens
 * @note Never blocks.
 */
void cri_options_free(cri_options *options);

/**
 * Sets one option.
 *
 * @param options the options
 * @param key which one, e.g. "relist.interval_ms"
 * @param value its value as text, e.g. "30000"
 * @return CRI_OK; CRI_E_OPTION for an unknown key or a value that is not allowed: the message names both and what is
 * allowed, and nothing is changed; CRI_E_INVALID_ARGUMENT
 * @note Never blocks.
 */
CRI_NODISCARD
cri_status cri_options_set(const cri_options *options,
                           const char *key,
                           const char *value,
                           cri_error **err);

/**
 * Lists all options: key, type, default, what is allowed, and what it does.
 *
 * @param out receives JSON, "criwatch.options/1"; free with cri_buffer_free
 * @return CRI_OK, CRI_E_INVALID_ARGUMENT
 * @note Never blocks.
 */
CRI_NODISCARD cri_status cri_options_describe(cri_buffer *out, cri_error **err);

/* ================================================================================================
 * Watcher
 *
 * A watcher follows one engine. Its life: new, start, stop, free. It reconnects for ever; what it showed last stays
 * readable meanwhile, and cri_watcher_state tells how it stands.
 * ================================================================================================ */

/** A watcher of one engine. */
typedef struct cri_watcher cri_watcher;

/**
 * Makes a watcher. Nothing is read, written or connected yet.
 *
 * @param endpoint the engine's socket, e.g. "unix:///run/containerd/containerd.sock"; NULL, but not "": the first of the
 * usual ones that answers is taken at the start
 * @param options NULL: all defaults
 * @param out receives the watcher; free with cri_watcher_free
 * @return CRI_OK, CRI_E_INVALID_ARGUMENT
 * @note Never blocks.
 */
CRI_NODISCARD
cri_status cri_watcher_new(const char *endpoint,
                           const cri_options *options,
                           cri_watcher **out,
                           cri_error **err);

/**
 * Starts to follow the engine, in the background. An engine that cannot be reached is no error here.
 *
 * @param watcher the watcher
 * @return CRI_OK, also when it is started already; CRI_E_STOPPED; CRI_E_OS when there is no thread to be had;
 * CRI_E_FORKED, CRI_E_INVALID_ARGUMENT
 * @note Never blocks.
 */
CRI_NODISCARD
cri_status cri_watcher_start(const cri_watcher *watcher,
                             cri_error **err);

/**
 * Waits until the first lists are in and the pid of each entry was asked for.
 *
 * @param watcher the watcher
 * @param timeout_ms how long to wait; below 0: for ever, 0: not at all
 * @return CRI_OK; CRI_E_TIMEOUT, with the last cause in the message; at once for what waiting will not mend:
 * CRI_E_PERMISSION, CRI_E_UNSUPPORTED, CRI_E_STATE before the start; CRI_E_STOPPED, CRI_E_FORKED,
 * CRI_E_INVALID_ARGUMENT
 * @note Blocks up to timeout_ms; cri_watcher_stop ends the wait.
 */
CRI_NODISCARD
cri_status cri_watcher_wait_ready(const cri_watcher *watcher,
                                  int64_t timeout_ms,
                                  cri_error **err);

/**
 * A barrier: once it returns CRI_OK, all answers from memory are at least as new as a list that was begun after the
 * call. Works on a watcher that was never started, too, and then fails at once where the engine cannot be reached. One that
 * was started goes on trying, and so does this, until the time is over.
 *
 * @param watcher the watcher
 * @param timeout_ms how long to wait; below 0: for ever, 0: not at all
 * @return CRI_OK; CRI_E_CONNECT, CRI_E_PERMISSION, CRI_E_RPC, CRI_E_TIMEOUT, CRI_E_UNSUPPORTED, CRI_E_PROTOCOL: the
 * engine cannot be asked; CRI_E_STOPPED, CRI_E_FORKED, CRI_E_INVALID_ARGUMENT
 * @note Blocks up to timeout_ms; cri_watcher_stop ends the wait.
 */
CRI_NODISCARD
cri_status cri_watcher_resync(const cri_watcher *watcher,
                              int64_t timeout_ms,
                              cri_error **err);

/**
 * What the watcher is doing.
 *
 * @param watcher the watcher; NULL, or in a forked child: CRI_WATCHER_STOPPED
 * @return one of CRI_WATCHER_NEW, CRI_WATCHER_CONNECTING and so on
 * @note Never blocks.
 */
uint32_t cri_watcher_state(const cri_watcher *watcher);

/**
 * Stops for good: ends every wait and every event queue, and waits for the library's thread. What was seen last stays
 * readable. Callbacks may still come for events that wait already; cri_subscription_free ends them.
 *
 * @param watcher the watcher
 * @return CRI_OK, also when it is stopped already; CRI_E_WOULD_DEADLOCK inside a callback of this watcher;
 * CRI_E_FORKED, CRI_E_INVALID_ARGUMENT
 * @note Blocks until the library's thread has ended, which waits for nothing else.
 */
cri_status cri_watcher_stop(const cri_watcher *watcher,
                            cri_error **err);

/**
 * Stops and frees a watcher. Subscriptions and queues outlive it: they are closed, and are freed on their own. Its log and
 * its packer are through when this returns.
 *
 * @param watcher the watcher; NULL: nothing happens; in a forked child it is leaked on purpose
 * @note Blocks as cri_watcher_stop does, and until the log and the packer have returned. Inside a callback of this
 * watcher it returns at once, and the rest happens after the callback has returned.
 */
void cri_watcher_free(cri_watcher *watcher);

/* ================================================================================================
 * Memory
 *
 * Answers from memory. They never wait for the engine, and say in "asOf" and "state" how fresh they are. What each kind
 * of JSON has, and its schema: docs/json.md.
 *
 * A query is a JSON object that says what to show. Every key is optional, and all that are given have to hold:
 *
 * - "states": an array of "created", "running", "exited", "unknown"; otherwise what runs is shown.
 * - "all": true shows what the engine has in any state; it stands in for "states".
 * - "gone": true shows, besides, the remembered dead, which the engine no longer has.
 * - "kind": "container" or "sandbox".
 * - "namespace", "pod" (name or id), "uid", "name": exactly these. A sandbox has its pod's name.
 * - "selector": a Kubernetes label selector: app=web, tier!=db, env in (a, b), env notin (a), app, !app, weight>5,
 *   joined by commas. It looks at the container's labels in the merged view (see CRI_LABEL_POD_NAME and so on), and
 *   where these lack a key, at the labels of its pod.
 * - "fields": an array of keys: of each container only these are shown, and "id".
 * - "ifGeneration": a number: CRI_NONE, and no text, if that is still the generation.
 *
 * Everything else is CRI_E_QUERY; the message names the key, the value and what is allowed.
 * ================================================================================================ */

/**
 * Lists what runs: containers and ready sandboxes. All callers of one generation share one text.
 *
 * @param watcher the watcher
 * @param query what to show, as JSON; NULL: everything that runs
 * @param out receives JSON, "criwatch.containers/1"; free with cri_buffer_free
 * @return CRI_OK; CRI_NONE for the query's "ifGeneration"; CRI_E_NOT_READY before the first lists are in, never an
 * empty list; CRI_E_QUERY, CRI_E_FORKED, CRI_E_INVALID_ARGUMENT
 * @note Never blocks.
 */
CRI_NODISCARD
cri_status cri_watcher_list(const cri_watcher *watcher,
                            const char *query,
                            cri_buffer *out,
                            cri_error **err);

/**
 * Lists pods, each with those of its containers that the query selects, the sandbox among them. A pod without any is
 * not shown, nor is a container whose pod is not known yet.
 *
 * @param watcher the watcher
 * @param query which containers to show, as JSON; NULL: everything that runs
 * @param out receives JSON, "criwatch.pods/1"; free with cri_buffer_free
 * @return CRI_OK; CRI_NONE for the query's "ifGeneration"; CRI_E_NOT_READY before the first lists are in; CRI_E_QUERY,
 * CRI_E_FORKED, CRI_E_INVALID_ARGUMENT
 * @note Never blocks.
 */
CRI_NODISCARD
cri_status cri_watcher_pods(const cri_watcher *watcher,
                            const char *query,
                            cri_buffer *out,
                            cri_error **err);

/**
 * Shows one container or sandbox, in whatever state, also of the remembered dead (see the options tombstones.keep_ms
 * and tombstones.max). Of the attempts under one name the running one is meant, else the newest.
 *
 * @param watcher the watcher
 * @param id_or_name an id, "namespace/pod/container" (of a sandbox "namespace/pod"), a container's name, or at least 6
 * hex digits that an id begins with: the first of these that finds anything
 * @param out receives JSON, "criwatch.container/1"; free with cri_buffer_free
 * @return CRI_OK; CRI_E_NOT_FOUND; CRI_E_AMBIGUOUS, with the candidates in the message; CRI_E_NOT_READY before the first
 * lists are in; CRI_E_FORKED, CRI_E_INVALID_ARGUMENT
 * @note Never blocks.
 */
CRI_NODISCARD
cri_status cri_watcher_get(const cri_watcher *watcher,
                           const char *id_or_name,
                           cri_buffer *out,
                           cri_error **err);

/**
 * A number that grows whenever the picture changes: while it stays, a list stays the same.
 *
 * @param watcher the watcher; NULL, or in a forked child: 0
 * @return the generation; 0 before there is a picture
 * @note Never blocks.
 */
uint64_t cri_watcher_generation(const cri_watcher *watcher);

/**
 * Tells which engine this is: its name, version, id and pid, and how changes are noticed. What is not known yet, as before
 * the first connection, is absent.
 *
 * @param watcher the watcher
 * @param out receives JSON, "criwatch.engine/1"; free with cri_buffer_free
 * @return CRI_OK, CRI_E_FORKED, CRI_E_INVALID_ARGUMENT
 * @note Never blocks.
 */
CRI_NODISCARD
cri_status cri_watcher_engine_info(const cri_watcher *watcher,
                                   cri_buffer *out,
                                   cri_error **err);

/**
 * Tells what the watcher did so far, in numbers: how often each RPC was called and how long that took, how late events
 * come, lists, failures, losses.
 *
 * @param watcher the watcher
 * @param out receives JSON, "criwatch.stats/1"; free with cri_buffer_free
 * @return CRI_OK, CRI_E_FORKED, CRI_E_INVALID_ARGUMENT
 * @note Never blocks.
 */
CRI_NODISCARD
cri_status cri_watcher_stats(const cri_watcher *watcher,
                             cri_buffer *out,
                             cri_error **err);

/* ================================================================================================
 * Snapshots
 *
 * The picture at one moment, as records: it does not change while it is read, and shares its records with everybody
 * else. A snapshot costs no more than a pointer while the picture has not changed; what a record shows is built once
 * for each version of a container.
 * ================================================================================================ */

/** A picture at one moment. Immutable. */
typedef struct cri_snapshot cri_snapshot;

/**
 * Takes a snapshot.
 *
 * @param watcher the watcher
 * @param out receives it; free with cri_snapshot_free. It outlives the watcher
 * @return CRI_OK; CRI_E_NOT_READY before the first lists are in, never an empty snapshot; CRI_E_FORKED,
 * CRI_E_INVALID_ARGUMENT
 * @note Never blocks.
 */
CRI_NODISCARD
cri_status cri_watcher_snapshot(const cri_watcher *watcher,
                                cri_snapshot **out,
                                cri_error **err);

/**
 * The generation that it shows: while cri_watcher_generation answers the same, there is nothing newer.
 *
 * @param snapshot the snapshot; NULL: 0
 * @return the generation
 * @note Never blocks.
 */
uint64_t cri_snapshot_generation(const cri_snapshot *snapshot);

/**
 * Everything that runs: containers and ready sandboxes, sorted by namespace, pod and name; in a pod the sandbox comes
 * first. Containers whose pod is not known yet come before all others.
 *
 * @param snapshot the snapshot
 * @param out receives an array of records, which is the snapshot's; cri_container_ref keeps one for longer
 * @param len receives how many there are
 * @return CRI_OK, CRI_E_INVALID_ARGUMENT
 * @note Never blocks.
 */
CRI_NODISCARD
cri_status cri_snapshot_containers(const cri_snapshot *snapshot,
                                   const cri_container *const **out,
                                   size_t *len,
                                   cri_error **err);

/**
 * The pods in which something runs, if only the sandbox, sorted by namespace and name.
 *
 * @param snapshot the snapshot
 * @param out receives an array of records, which is the snapshot's
 * @param len receives how many there are
 * @return CRI_OK, CRI_E_INVALID_ARGUMENT
 * @note Never blocks.
 */
CRI_NODISCARD
cri_status cri_snapshot_pods(const cri_snapshot *snapshot,
                             const cri_pod *const **out,
                             size_t *len,
                             cri_error **err);

/**
 * Finds one container or sandbox, in whatever state, also among the remembered dead.
 *
 * @param snapshot the snapshot
 * @param id_or_name as for cri_watcher_get
 * @param out receives the record, which is the snapshot's; cri_container_ref keeps it for longer
 * @return CRI_OK; CRI_E_NOT_FOUND; CRI_E_AMBIGUOUS, with the candidates in the message; CRI_E_INVALID_ARGUMENT
 * @note Never blocks.
 */
CRI_NODISCARD
cri_status cri_snapshot_find(const cri_snapshot *snapshot,
                             const char *id_or_name,
                             const cri_container **out,
                             cri_error **err);

/**
 * Frees a snapshot, and with it the records that nobody else holds.
 *
 * @param snapshot the snapshot; NULL: nothing happens
 * @note Never blocks.
 */
void cri_snapshot_free(cri_snapshot *snapshot);

/* ================================================================================================
 * Engine
 *
 * Requests to the engine itself. They work on a watcher that was never started, too.
 * ================================================================================================ */

/**
 * Asks the engine for everything it knows of one container or sandbox, in whatever state it is.
 *
 * @param watcher the watcher
 * @param id_or_name an id, "namespace/pod/container", a container's name, or at least 6 hex digits that an id begins
 * with
 * @param flags 0, or CRI_INSPECT_REQUIRE_PROCESS, CRI_INSPECT_SHOW_ENV
 * @param timeout_ms how long to wait; below 0: for ever, 0: not at all
 * @param out receives JSON, "criwatch.inspect/1"; free with cri_buffer_free
 * @return CRI_OK; CRI_E_NOT_FOUND; CRI_E_AMBIGUOUS, with the candidates in the message; CRI_E_PROCESSLESS, only with
 * CRI_INSPECT_REQUIRE_PROCESS; CRI_E_CONNECT, CRI_E_PERMISSION, CRI_E_RPC, CRI_E_TIMEOUT, CRI_E_UNSUPPORTED,
 * CRI_E_PROTOCOL: the engine cannot be asked; CRI_E_STOPPED, CRI_E_FORKED, CRI_E_INVALID_ARGUMENT
 * @note Blocks up to timeout_ms; cri_watcher_stop ends the wait.
 */
CRI_NODISCARD
cri_status cri_watcher_inspect(const cri_watcher *watcher,
                               const char *id_or_name,
                               uint32_t flags,
                               int64_t timeout_ms,
                               cri_buffer *out,
                               cri_error **err);

/**
 * Calls any unary RPC of the engine's RuntimeService or ImageService. Request and reply are in the canonical JSON of
 * protocol buffers: lowerCamelCase keys, enums by name, 64-bit integers and bytes as strings; the reply has every field,
 * defaults too. Only RPCs that read, unless the option call.allow_mutations is set. The values of environment variables
 * in the verbose `info` of a reply are redacted, unless the option call.show_env is set.
 *
 * @param watcher the watcher
 * @param method e.g. "RuntimeService/Status"
 * @param request JSON, e.g. "{\"verbose\":true}"; NULL or "": a request without a field
 * @param timeout_ms how long to wait; below 0: for ever, 0: not at all. What was asked for may be done all the same.
 * @param out receives JSON; free with cri_buffer_free
 * @return CRI_OK; CRI_E_PERMISSION for an RPC that may change something, without call.allow_mutations;
 * CRI_E_UNSUPPORTED for one that answers with a stream (the message says what to use instead), and for all in a build
 * without calls; CRI_E_INVALID_ARGUMENT for an RPC that does not exist (the message lists those that do) and for a
 * request that is not what it takes (the message names the field); CRI_E_NOT_FOUND, CRI_E_RPC, CRI_E_TIMEOUT,
 * CRI_E_CONNECT, CRI_E_PROTOCOL: the engine refused or cannot be asked, and the error carries its gRPC code;
 * CRI_E_STOPPED, CRI_E_FORKED
 * @note Blocks up to timeout_ms; cri_watcher_stop ends the wait.
 */
CRI_NODISCARD
cri_status cri_watcher_call(const cri_watcher *watcher,
                            const char *method,
                            const char *request,
                            int64_t timeout_ms,
                            cri_buffer *out,
                            cri_error **err);

/* ================================================================================================
 * Callbacks
 *
 * A subscription calls a function for each event, one after the other, on a thread of its own. It begins with a
 * replay: CRI_EVENT_REPLAY_BEGIN, a CRI_EVENT_STARTED with CRI_EVENT_FLAG_INITIAL for each life,
 * CRI_EVENT_REPLAY_END. Live events follow without a gap. A consumer that is too slow gets CRI_EVENT_OVERFLOW and a
 * new replay; what that does not show is gone. One code path is thus enough for everything.
 * ================================================================================================ */

/** A subscription. */
typedef struct cri_subscription cri_subscription;

/**
 * Calls a function for each event, beginning with a replay. Allowed before the start and after it.
 *
 * @param watcher the watcher
 * @param mask which events: CRI_EVENT_MASK of each type, combined with |; 0: STARTED, EXITED, UPDATED, STATE
 * @param flags 0, or CRI_SUBSCRIBE_LIVE_ONLY
 * @param function is called with each event, never twice at a time
 * @param user_data is handed to function and destroy as it is; may be NULL
 * @param destroy is called with user_data exactly once, after the last call of function, or before a failed
 * cri_watcher_subscribe returns; may be NULL
 * @param out receives the subscription, before the first call of function; free with cri_subscription_free
 * @return CRI_OK; CRI_E_STOPPED; CRI_E_OS when there is no thread to be had; CRI_E_FORKED, CRI_E_INVALID_ARGUMENT
 * @note Never blocks. When the watcher stops, the function still gets the events that wait, then destroy is called.
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
 * Ends a subscription. Outside the watcher's callbacks it is a barrier: when it returns, no call is running or will come, and
 * destroy has been called. Allowed before and after cri_watcher_free.
 *
 * @param subscription the subscription; NULL: nothing happens; in a forked child it is leaked on purpose
 * @note Blocks until the call under way has returned. Inside any callback of the same watcher, also another
 * subscription's, it does not wait: the call under way is the last one, and destroy follows its return.
 */
void cri_subscription_free(cri_subscription *subscription);

/* ================================================================================================
 * Event queues
 *
 * The same events, to be taken when it suits: from a loop, or when poll or epoll says so. A queue is bounded; one that
 * is not emptied in time gets CRI_EVENT_OVERFLOW and a new replay.
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
 * Makes a queue of events, beginning with a replay. Allowed before the start and after it.
 *
 * @param watcher the watcher
 * @param mask which events: CRI_EVENT_MASK of each type, combined with |; 0: STARTED, EXITED, UPDATED, STATE
 * @param flags 0, or CRI_SUBSCRIBE_LIVE_ONLY
 * @param capacity how many events may wait; 0: the option queue.capacity
 * @param out receives the queue; free with cri_event_queue_free
 * @return CRI_OK; CRI_E_STOPPED; CRI_E_OS when there is no descriptor to be had; CRI_E_FORKED,
 * CRI_E_INVALID_ARGUMENT
 * @note Never blocks.
 */
CRI_NODISCARD
cri_status cri_event_queue_new(const cri_watcher *watcher,
                               uint32_t mask,
                               uint32_t flags,
                               size_t capacity,
                               cri_event_queue **out,
                               cri_error **err);

/**
 * A descriptor for poll and epoll, readable exactly while cri_event_queue_next would not answer CRI_AGAIN: an event
 * waits, or the queue is closed. It is the queue's: never read or close it.
 *
 * @param queue the queue; NULL: -1
 * @return the descriptor
 * @note Never blocks.
 */
int32_t cri_event_queue_fd(const cri_event_queue *queue);

/**
 * Takes the next event.
 *
 * @param queue the queue
 * @param timeout_ms how long to wait for one; below 0: for ever, 0: not at all
 * @param out receives the event on CRI_OK; free with cri_event_free
 * @return CRI_OK; CRI_AGAIN when there is none yet; CRI_CLOSED when no more will come: the watcher has stopped and all
 * events were taken; CRI_E_FORKED, CRI_E_INVALID_ARGUMENT
 * @note Blocks up to timeout_ms; cri_watcher_stop and cri_event_queue_free end the wait.
 */
CRI_NODISCARD
cri_status cri_event_queue_next(const cri_event_queue *queue,
                                int64_t timeout_ms,
                                cri_event **out,
                                cri_error **err);

/**
 * Frees a queue. Events that were taken from it live on.
 *
 * @param queue the queue; NULL: nothing happens; in a forked child it is leaked on purpose
 * @note Never blocks. A cri_event_queue_next that waits in another thread answers CRI_CLOSED.
 */
void cri_event_queue_free(cri_event_queue *queue);

/**
 * The event as JSON.
 *
 * @param event an event that cri_event_queue_next or a callback gave: no copy of the struct
 * @param out receives JSON, "criwatch.event/1"; free with cri_buffer_free
 * @return CRI_OK, CRI_E_INVALID_ARGUMENT
 * @note Never blocks.
 */
CRI_NODISCARD cri_status cri_event_json(const cri_event *event, cri_buffer *out, cri_error **err);

/**
 * Frees an event that cri_event_queue_next gave, and with it its container. Never for an event of a callback.
 *
 * @param event the event; NULL: nothing happens
 * @note Never blocks.
 */
void cri_event_free(cri_event *event);

/* ================================================================================================
 * Log
 *
 * What a watcher has to say about its work: connections and their loss with the cause, how changes are noticed, lists
 * that failed, consumers that were too slow, questions that stay open, contradictions of the engine. It says so to the
 * program alone: there is no global logger, and nothing is printed. The same messages, of all levels, come as
 * CRI_EVENT_LOG to every subscription and queue that asks for these in its mask.
 * ================================================================================================ */

/** Takes a message. The message is borrowed: it is gone when the function returns. */
typedef void (*cri_log_fn)(uint32_t level, const char *message, void *user_data);

/**
 * Calls a function for each message of the watcher, on a thread of its own ("cri-log"). To be set before the start, and
 * once.
 *
 * @param watcher the watcher
 * @param max_level the least urgent level that is wanted: CRI_LOG_ERROR, CRI_LOG_WARN, CRI_LOG_INFO or CRI_LOG_DEBUG
 * @param function is called with each message, never twice at a time
 * @param user_data is handed to function and destroy as it is; may be NULL
 * @param destroy is called with user_data exactly once: when the watcher has been stopped and the last message was
 * taken, or before a failed cri_watcher_set_log returns; may be NULL
 * @return CRI_OK; CRI_E_STATE after the start, or when there is one already; CRI_E_STOPPED; CRI_E_OS when there is no
 * thread to be had; CRI_E_FORKED, CRI_E_INVALID_ARGUMENT
 * @note Never blocks. cri_watcher_free waits until the last message was taken, except inside a callback of the watcher.
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
 * A rucksack is JSON of the program's own that the record of a container carries. A packer makes one for each life; or
 * the program attaches one when it likes.
 * ================================================================================================ */

/** Where a packer puts the rucksack of one container. */
typedef struct cri_rucksack cri_rucksack;

/**
 * Packs one rucksack: looks at the container ("container" of "criwatch.container/1") and at all that the engine says of it
 * ("criwatch.inspect/1"), and calls cri_rucksack_set. Everything is borrowed: it is gone when the function returns.
 */
typedef void (*cri_pack_fn)(const char *container,
                            const char *inspection,
                            const cri_rucksack *rucksack,
                            void *user_data);

/**
 * Calls a function for each life that begins, on a thread of its own ("cri-pack"), to make the container's rucksack. The
 * CRI_EVENT_STARTED waits for it, at most for the option packer.timeout_ms; a later rucksack is told by a
 * CRI_EVENT_UPDATED with CRI_CHANGED_RUCKSACK. What has ended by then gets none. To be set before the start, and once.
 * It costs a verbose request to the engine for each container. Values of environment variables are redacted, unless the
 * option packer.show_env is set.
 *
 * @param watcher the watcher
 * @param function is called for each life, never twice at a time
 * @param user_data is handed to function and destroy as it is; may be NULL
 * @param destroy is called with user_data exactly once: when the watcher has been stopped and the last call has
 * returned, or before a failed cri_watcher_set_packer returns; may be NULL
 * @return CRI_OK; CRI_E_STATE after the start, or when there is one already; CRI_E_STOPPED; CRI_E_OS when there is no
 * thread to be had; CRI_E_FORKED, CRI_E_INVALID_ARGUMENT
 * @note Never blocks. cri_watcher_free waits for the call under way, except inside a callback of the watcher.
 */
CRI_NODISCARD
cri_status cri_watcher_set_packer(const cri_watcher *watcher,
                                  cri_pack_fn function,
                                  void *user_data,
                                  cri_destroy_fn destroy,
                                  cri_error **err);

/**
 * Sets the rucksack. Only inside the packer that was given it; the last word counts, and without one there is none.
 *
 * @param rucksack where to put it
 * @param json the rucksack, which is copied; NULL: none
 * @return CRI_OK; CRI_E_INVALID_ARGUMENT for what is no JSON, which is logged, too
 * @note Never blocks.
 */
CRI_NODISCARD
cri_status cri_rucksack_set(const cri_rucksack *rucksack,
                            const char *json,
                            cri_error **err);

/**
 * Gives a container a rucksack without a packer. It is told by a CRI_EVENT_UPDATED with CRI_CHANGED_RUCKSACK, and is there
 * for everybody who reads after this has returned.
 *
 * @param watcher the watcher
 * @param id_or_name an id, "namespace/pod/container", a container's name, or at least 6 hex digits that an id begins
 * with
 * @param json the rucksack, which is copied; NULL takes away what is there
 * @return CRI_OK; CRI_E_NOT_READY before the first lists are in; CRI_E_NOT_FOUND; CRI_E_AMBIGUOUS, with the candidates in
 * the message; CRI_E_INVALID_ARGUMENT, also for what is no JSON; CRI_E_STOPPED, CRI_E_FORKED
 * @note Waits for the library's own thread, which waits for nothing else.
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
