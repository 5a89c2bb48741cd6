/// @file
/// The numbers and texts of the C header, typed. Values that a program does not know are to be ignored.
/// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <criwatch.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <type_traits>

// Without exceptions what may fail returns a Result. Programs may mix both: the names differ for the linker.
#if !defined(CRIWATCH_NO_EXCEPTIONS) && !defined(__cpp_exceptions)
#define CRIWATCH_NO_EXCEPTIONS
#endif
#ifdef CRIWATCH_NO_EXCEPTIONS
#define CRIWATCH_MODE returning
#else
#define CRIWATCH_MODE throwing
#endif

/// Which containers and pods run on this node, now, and what changes.
namespace criwatch {
inline namespace CRIWATCH_MODE {

/// What a call comes to: ok, an error (< 0), or a note that is no error (> 0).
enum class Status : std::int32_t {
    ok = CRI_OK,                                ///< The call did what it says.
    again = CRI_AGAIN,                          ///< Note: nothing there yet; ask again later.
    closed = CRI_CLOSED,                        ///< Note: closed, and nothing more will come.
    none = CRI_NONE,                            ///< Note: nothing to give.
    invalid_argument = CRI_E_INVALID_ARGUMENT,  ///< The call cannot have been meant so.
    not_found = CRI_E_NOT_FOUND,                ///< No container or pod has this id or name.
    timeout = CRI_E_TIMEOUT,                    ///< The timeout has passed; the message gives the last cause.
    not_ready = CRI_E_NOT_READY,                ///< The cache is not filled yet.
    stopped = CRI_E_STOPPED,                    ///< The watcher has been stopped.
    connect = CRI_E_CONNECT,                    ///< The engine's socket cannot be reached.
    permission = CRI_E_PERMISSION,              ///< Something may not be used by this user.
    rpc = CRI_E_RPC,                            ///< The engine answered with an error; the gRPC code says which.
    unsupported = CRI_E_UNSUPPORTED,            ///< This engine, or this library, does not offer it.
    protocol = CRI_E_PROTOCOL,                  ///< What the engine sent cannot be understood.
    option = CRI_E_OPTION,                      ///< An option's key is unknown, or its value is not allowed.
    query = CRI_E_QUERY,                        ///< A query is not what a query has to look like.
    ambiguous = CRI_E_AMBIGUOUS,                ///< Several containers have this name; the message lists them.
    processless = CRI_E_PROCESSLESS,            ///< The container has no process (any more).
    would_deadlock = CRI_E_WOULD_DEADLOCK,      ///< Inside a callback this would wait for that very callback.
    forked = CRI_E_FORKED,                      ///< This process is a fork of the one that started the watcher.
    os = CRI_E_OS,                              ///< A system call failed; the OS code says why.
    state = CRI_E_STATE,                        ///< The call is not allowed in the watcher's present state.
    internal = CRI_E_INTERNAL,                  ///< A defect in the library.
    panic = CRI_E_PANIC,                        ///< A panic in the library was caught: a defect, too.
};

/// The type of an event.
enum class EventType : std::uint32_t {
    started = CRI_EVENT_STARTED,            ///< A run has begun. Reported once for each run.
    exited = CRI_EVENT_EXITED,              ///< A run has ended. Reported exactly once for each run.
    updated = CRI_EVENT_UPDATED,            ///< Something has become known or has changed.
    state = CRI_EVENT_STATE,                ///< The watcher's own state has changed.
    replay_begin = CRI_EVENT_REPLAY_BEGIN,  ///< A replay begins. Cannot be masked.
    replay_end = CRI_EVENT_REPLAY_END,      ///< What the replay did not show does not run. Cannot be masked.
    overflow = CRI_EVENT_OVERFLOW,          ///< This consumer lost events; a replay follows. Cannot be masked.
    created = CRI_EVENT_CREATED,            ///< Created, and not started yet. Only for those who ask for it.
    removed = CRI_EVENT_REMOVED,            ///< The engine no longer has it. Only for those who ask for it.
    log = CRI_EVENT_LOG,                    ///< The watcher reports about its own work. Only for those who ask for it.
};

/// Bits of an event.
enum class EventFlag : std::uint32_t {
    synthetic = CRI_EVENT_FLAG_SYNTHETIC,          ///< Concluded from a list; the engine sent no event.
    initial = CRI_EVENT_FLAG_INITIAL,              ///< Part of a replay: the run began before it.
    reappeared = CRI_EVENT_FLAG_REAPPEARED,        ///< It was reported as exited, and runs again.
    never_started = CRI_EVENT_FLAG_NEVER_STARTED,  ///< It could not be started: an exit without a start.
    provisional = CRI_EVENT_FLAG_PROVISIONAL,      ///< The exit's reason may still change; then an update follows.
    witnessed = CRI_EVENT_FLAG_WITNESSED,          ///< The host saw the end while the engine was away.
    confirmed = CRI_EVENT_FLAG_CONFIRMED,          ///< The update makes a provisional exit final.
};

/// Bits of a subscription or queue.
enum class SubscribeFlag : std::uint32_t {
    live_only = CRI_SUBSCRIBE_LIVE_ONLY,  ///< No replays: an exit without its start is possible then.
};

/// Bits of an inspection.
enum class InspectFlag : std::uint32_t {
    require_process = CRI_INSPECT_REQUIRE_PROCESS,            ///< A container without a process is an error.
    show_env = CRI_INSPECT_SHOW_ENV,                          ///< Show the values of environment variables.
    separate_annotations = CRI_INSPECT_SEPARATE_ANNOTATIONS,  ///< Show labels and annotations apart, as records do.
};

/// What a record is.
enum class Kind : std::uint32_t {
    container = CRI_KIND_CONTAINER,  ///< A container.
    sandbox = CRI_KIND_SANDBOX,      ///< A pod's sandbox, which is a container, too.
};

/// The state of a container or sandbox.
enum class State : std::uint32_t {
    unknown = CRI_STATE_UNKNOWN,  ///< The engine does not know, or has not reported it. Not an exit.
    created = CRI_STATE_CREATED,  ///< Created, not yet started.
    running = CRI_STATE_RUNNING,  ///< Running (a sandbox: ready).
    exited = CRI_STATE_EXITED,    ///< Exited (a sandbox: not ready).
};

/// The state of a pod.
enum class PodState : std::uint32_t {
    unknown = CRI_POD_UNKNOWN,      ///< The engine has not reported it.
    ready = CRI_POD_READY,          ///< Its sandbox is ready.
    not_ready = CRI_POD_NOT_READY,  ///< Its sandbox is not ready (any more).
};

/// Bits of a pod.
enum class PodFlag : std::uint32_t {
    host_network = CRI_POD_FLAG_HOST_NETWORK,  ///< The pod shares the node's network namespace.
    own_network = CRI_POD_FLAG_OWN_NETWORK,    ///< The pod has a network namespace of its own.
    host_pid = CRI_POD_FLAG_HOST_PID,          ///< The pod shares the node's process ids.
    own_pid = CRI_POD_FLAG_OWN_PID,            ///< The pod does not share the node's process ids.
    host_ipc = CRI_POD_FLAG_HOST_IPC,          ///< The pod shares the node's IPC namespace.
    own_ipc = CRI_POD_FLAG_OWN_IPC,            ///< The pod does not share the node's IPC namespace.
    static_pod = CRI_POD_FLAG_STATIC,          ///< The kubelet made the pod without the API server ("static").
    not_static = CRI_POD_FLAG_NOT_STATIC,      ///< The pod came from the API server.
};

/// A kind of namespace.
enum class NamespaceKind : std::uint32_t {
    cgroup = CRI_NAMESPACE_CGROUP,  ///< Cgroups.
    ipc = CRI_NAMESPACE_IPC,        ///< System V IPC and POSIX message queues.
    mnt = CRI_NAMESPACE_MNT,        ///< Mounts.
    net = CRI_NAMESPACE_NET,        ///< Network.
    pid = CRI_NAMESPACE_PID,        ///< Process ids.
    user = CRI_NAMESPACE_USER,      ///< Users.
    uts = CRI_NAMESPACE_UTS,        ///< Host name.
};

/// What is unknown of a container and may become known.
enum class Missing : std::uint64_t {
    pid = CRI_MISSING_PID,                ///< The pid, and what comes with it.
    pod = CRI_MISSING_POD,                ///< The pod that the container is in.
    started_at = CRI_MISSING_STARTED_AT,  ///< When it was started.
    exit = CRI_MISSING_EXIT,              ///< How it ended.
};

/// What an update has changed.
enum class Changed : std::uint64_t {
    pid = CRI_CHANGED_PID,                ///< The pid.
    pod = CRI_CHANGED_POD,                ///< The pod, or something of it.
    started_at = CRI_CHANGED_STARTED_AT,  ///< The time of start has become known.
    exit = CRI_CHANGED_EXIT,              ///< How it ended.
    state = CRI_CHANGED_STATE,            ///< The state, without a start or an exit.
    labels = CRI_CHANGED_LABELS,          ///< Labels or annotations.
    rucksack = CRI_CHANGED_RUCKSACK,      ///< The rucksack.
    image = CRI_CHANGED_IMAGE,            ///< A better name, reference or id of the image has become known.
    details = CRI_CHANGED_DETAILS,        ///< How it was made, or how the run before it ended.
};

/// Bits of a container.
enum class ContainerFlag : std::uint32_t {
    text_repaired = CRI_CONTAINER_FLAG_TEXT_REPAIRED,  ///< A text of the engine was not UTF-8.
    labels_cut = CRI_CONTAINER_FLAG_LABELS_CUT,        ///< Labels or annotations were too long, and were cut.
    unreadable = CRI_CONTAINER_FLAG_UNREADABLE,        ///< Only the id is sure to be right.
    privileged = CRI_CONTAINER_FLAG_PRIVILEGED,        ///< The container is privileged.
    unprivileged = CRI_CONTAINER_FLAG_UNPRIVILEGED,    ///< The container is not privileged.
};

/// Bits of a mount.
enum class MountFlag : std::uint32_t {
    read_only = CRI_MOUNT_FLAG_READ_ONLY,  ///< The container cannot write to it.
};

/// What a watcher is doing.
enum class WatcherState : std::uint32_t {
    fresh = CRI_WATCHER_NEW,              ///< Not started ("new").
    connecting = CRI_WATCHER_CONNECTING,  ///< Trying to reach the engine.
    syncing = CRI_WATCHER_SYNCING,        ///< Reached; the first lists are under way.
    watching = CRI_WATCHER_WATCHING,      ///< In sync, and following the engine's event stream.
    polling = CRI_WATCHER_POLLING,        ///< In sync, and listing again and again.
    backoff = CRI_WATCHER_BACKOFF,        ///< The engine cannot be reached. Retried for ever.
    stopped = CRI_WATCHER_STOPPED,        ///< Stopped.
};

/// The level of a message.
enum class LogLevel : std::uint32_t {
    error = CRI_LOG_ERROR,  ///< The watcher cannot do its work.
    warn = CRI_LOG_WARN,    ///< Something is wrong, and may need the attention of an operator.
    info = CRI_LOG_INFO,    ///< Useful to know.
    debug = CRI_LOG_DEBUG,  ///< Useful for finding a fault.
};

/// What happened to an engine.
enum class EngineNewsType : std::uint32_t {
    found = CRI_ENGINE_FOUND,      ///< A finder has found it.
    changed = CRI_ENGINE_CHANGED,  ///< Something else is known of it.
    lost = CRI_ENGINE_LOST,        ///< It has not answered several times.
};

/// The major version this was compiled against.
inline constexpr int compiled_major = CRI_VERSION_MAJOR;
/// The minor version this was compiled against.
inline constexpr int compiled_minor = CRI_VERSION_MINOR;
/// The patch level this was compiled against.
inline constexpr int compiled_patch = CRI_VERSION_PATCH;
/// The version this was compiled against, as one number that can be compared.
inline constexpr std::uint32_t compiled_version_number = CRI_VERSION_NUMBER;
/// The version of the binary interface this was compiled against.
inline constexpr std::uint32_t compiled_abi_version = CRI_ABI_VERSION;

/// This kind of engine, as whalewatcher names it.
inline constexpr std::string_view engine_type = CRI_ENGINE_TYPE;
/// Label: the pod's name.
inline constexpr std::string_view label_pod_name = CRI_LABEL_POD_NAME;
/// Label: the pod's namespace.
inline constexpr std::string_view label_pod_namespace = CRI_LABEL_POD_NAMESPACE;
/// Label: the pod's uid.
inline constexpr std::string_view label_pod_uid = CRI_LABEL_POD_UID;
/// Label: the container's name inside its pod.
inline constexpr std::string_view label_container_name = CRI_LABEL_CONTAINER_NAME;
/// Label: only sandboxes have it; its value is "".
inline constexpr std::string_view label_sandbox = CRI_LABEL_SANDBOX;
/// In the merged view of labels, the key of every annotation begins with this.
inline constexpr std::string_view annotation_key_prefix = CRI_ANNOTATION_KEY_PREFIX;

/// The CRI_ABI_VERSION of the loaded library.
[[nodiscard]] inline std::uint32_t abi_version() noexcept { return cri_abi_version(); }
/// The CRI_VERSION_NUMBER of the loaded library.
[[nodiscard]] inline std::uint32_t version_number() noexcept { return cri_version_number(); }
/// The version of the loaded library as a text.
[[nodiscard]] inline std::string_view version() noexcept { return cri_version(); }

namespace detail {

// How the library names a value of an enumeration. What has nothing here has no names.
template <class E>
inline constexpr std::nullptr_t name_of = nullptr;
template <>
inline constexpr auto name_of<EventType> = &cri_event_type_name;
template <>
inline constexpr auto name_of<EventFlag> = &cri_event_flag_name;
template <>
inline constexpr auto name_of<Kind> = &cri_kind_name;
template <>
inline constexpr auto name_of<State> = &cri_container_state_name;
template <>
inline constexpr auto name_of<PodState> = &cri_pod_state_name;
template <>
inline constexpr auto name_of<PodFlag> = &cri_pod_flag_name;
template <>
inline constexpr auto name_of<NamespaceKind> = &cri_namespace_kind_name;
template <>
inline constexpr auto name_of<Missing> = &cri_missing_name;
template <>
inline constexpr auto name_of<Changed> = &cri_changed_name;
template <>
inline constexpr auto name_of<ContainerFlag> = &cri_container_flag_name;
template <>
inline constexpr auto name_of<MountFlag> = &cri_mount_flag_name;
template <>
inline constexpr auto name_of<WatcherState> = &cri_watcher_state_name;
template <>
inline constexpr auto name_of<LogLevel> = &cri_log_level_name;
template <>
inline constexpr auto name_of<EngineNewsType> = &cri_engine_news_name;

template <class E>
inline constexpr bool is_named = !std::is_same_v<decltype(name_of<E>), const std::nullptr_t>;

// The enumerations that sets are made of.
template <class E, class... Of>
inline constexpr bool is_one_of = (std::is_same_v<E, Of> || ...);
template <class E>
inline constexpr bool is_in_sets =
    is_one_of<E, EventType, EventFlag, SubscribeFlag, InspectFlag, PodFlag, Missing, Changed, ContainerFlag, MountFlag>;

}  // namespace detail

/// The name of a status in C, e.g. "CRI_E_TIMEOUT".
[[nodiscard]] inline std::string_view to_string(Status status) noexcept {
    return cri_status_name(static_cast<cri_status>(status));
}

/// The name of a value of any other enumeration that records have, as JSON has it: "running", "notReady"; "unknown" for a
/// value that the loaded library does not know.
template <class E, std::enable_if_t<detail::is_named<E>, int> = 0>
[[nodiscard]] std::string_view to_string(E value) noexcept {
    return detail::name_of<E>(static_cast<std::underlying_type_t<E>>(value));
}

/// A set of flags, or of event types.
template <class E>
class Set {
public:
    /// The number that the C functions know the set by.
    using Bits = std::underlying_type_t<E>;

    /// The empty set.
    constexpr Set() noexcept = default;
    /// A set of one.
    constexpr Set(E member) noexcept : bits_(bit(member)) {}
    /// A set out of C.
    constexpr explicit Set(Bits bits) noexcept : bits_(bits) {}

    /// Whether it has this member.
    [[nodiscard]] constexpr bool has(E member) const noexcept { return (bits_ & bit(member)) != 0; }
    /// Whether it has no member.
    [[nodiscard]] constexpr bool empty() const noexcept { return bits_ == 0; }
    /// The number for the C functions.
    [[nodiscard]] constexpr Bits bits() const noexcept { return bits_; }
    /// Both together.
    [[nodiscard]] friend constexpr Set operator|(Set a, Set b) noexcept { return Set(a.bits_ | b.bits_); }
    /// Whether both have the same members.
    [[nodiscard]] friend constexpr bool operator==(Set a, Set b) noexcept { return a.bits_ == b.bits_; }
    /// Whether they differ.
    [[nodiscard]] friend constexpr bool operator!=(Set a, Set b) noexcept { return a.bits_ != b.bits_; }

private:
    static constexpr Bits bit(E member) noexcept {
        // Types are numbers, and a mask has a bit for each; flags are bits already.
        if constexpr (std::is_same_v<E, EventType>) return CRI_EVENT_MASK(static_cast<Bits>(member));
        return static_cast<Bits>(member);
    }

    Bits bits_ = 0;
};

/// The names of the members, joined by commas: "synthetic,initial".
template <class E>
[[nodiscard]] std::string to_string(Set<E> set) {
    using Bits = typename Set<E>::Bits;
    std::string text;
    for (Bits number = 0, bit = 1; bit != 0; number++, bit = static_cast<Bits>(bit << 1)) {
        const E member = static_cast<E>(std::is_same_v<E, EventType> ? number : bit);
        if ((set.bits() & bit) != 0) text.append(text.empty() ? "" : ",").append(to_string(member));
    }
    return text;
}

/// Event types, for a subscription; the empty set means started, exited, updated and state.
using EventTypes = Set<EventType>;
/// Flags of an event.
using EventFlags = Set<EventFlag>;
/// Flags of a subscription or queue.
using SubscribeFlags = Set<SubscribeFlag>;
/// Flags of an inspection.
using InspectFlags = Set<InspectFlag>;

/// `EventType::started | EventType::exited`, and the same with all flags.
template <class E, std::enable_if_t<detail::is_in_sets<E>, int> = 0>
[[nodiscard]] constexpr Set<E> operator|(E a, E b) noexcept {
    return Set<E>(a) | Set<E>(b);
}

}  // namespace CRIWATCH_MODE
}  // namespace criwatch
