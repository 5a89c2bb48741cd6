/// @file
/// Containers, pods and events as records. Container, Pod and Event own their records, and may come from a temporary.
/// An EventView is borrowed by its callback. Strings are borrowed from an object that has to have a name.
/// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <criwatch/details.hpp>
#include <criwatch/ranges.hpp>
#include <criwatch/result.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <utility>

namespace criwatch {
inline namespace CRIWATCH_MODE {

/// A pod, as its sandbox shows it. It owns its record. A copy only adds a reference.
class Pod {
public:
    /// Adds a reference to a C record.
    explicit Pod(const cri_pod* raw) noexcept : raw_(raw) {}

    /// The sandbox's id.
    [[nodiscard]] std::string_view id() const& noexcept { return raw_->id; }
    std::string_view id() const&& = delete;
    /// The pod's name.
    [[nodiscard]] std::string_view name() const& noexcept { return raw_->name; }
    std::string_view name() const&& = delete;
    /// The pod's namespace.
    [[nodiscard]] std::string_view pod_namespace() const& noexcept { return raw_->pod_namespace; }
    std::string_view pod_namespace() const&& = delete;
    /// The pod's uid, as Kubernetes gives it.
    [[nodiscard]] std::string_view uid() const& noexcept { return raw_->uid; }
    std::string_view uid() const&& = delete;
    /// The attempt number; 0 for the first sandbox of the pod.
    [[nodiscard]] std::uint32_t attempt() const noexcept { return raw_->attempt; }
    /// Whether the sandbox is ready.
    [[nodiscard]] PodState state() const noexcept { return static_cast<PodState>(raw_->state); }
    /// Facts that are known to be true or false.
    [[nodiscard]] Set<PodFlag> flags() const noexcept { return Set<PodFlag>(raw_->flags); }
    /// The pod's addresses, the primary one first.
    [[nodiscard]] Strings ips() const noexcept { return {raw_, raw_->ips, raw_->ips_len}; }
    /// The pod's labels.
    [[nodiscard]] Labels labels() const noexcept { return {raw_, raw_->labels, raw_->labels_len}; }
    /// One of the pod's labels, if it is there.
    [[nodiscard]] std::optional<std::string_view> label(const Text& key) const& {
        const char* const value = cri_pod_label(raw_.get(), key.c_str());
        return value != nullptr ? std::optional<std::string_view>(value) : std::nullopt;
    }
    std::optional<std::string_view> label(const Text& key) const&& = delete;
    /// The pod's annotations.
    [[nodiscard]] Labels annotations() const noexcept { return {raw_, raw_->annotations, raw_->annotations_len}; }
    /// Whether the pod shares the node's network namespace; none while it is unknown.
    [[nodiscard]] std::optional<bool> host_network() const noexcept {
        return detail::either(flags(), PodFlag::host_network, PodFlag::own_network);
    }
    /// Whether the pod shares the node's process ids; none while it is unknown.
    [[nodiscard]] std::optional<bool> host_pid() const noexcept {
        return detail::either(flags(), PodFlag::host_pid, PodFlag::own_pid);
    }
    /// Whether the pod shares the node's IPC namespace; none while it is unknown.
    [[nodiscard]] std::optional<bool> host_ipc() const noexcept {
        return detail::either(flags(), PodFlag::host_ipc, PodFlag::own_ipc);
    }
    /// Whether the kubelet made the pod from a file or a URL, without the API server; none if that is not known.
    [[nodiscard]] std::optional<bool> static_pod() const noexcept {
        return detail::either(flags(), PodFlag::static_pod, PodFlag::not_static);
    }
    /// When the sandbox was created.
    [[nodiscard]] std::optional<Time> created_at() const noexcept { return detail::time(raw_->created_unix_nano); }
    /// The runtime class's handler; "" for the default one.
    [[nodiscard]] std::string_view runtime_handler() const& noexcept { return raw_->runtime_handler; }
    std::string_view runtime_handler() const&& = delete;
    /// The inode number of the network namespace.
    [[nodiscard]] std::optional<std::uint64_t> net_namespace() const noexcept { return detail::known(raw_->net_namespace); }
    /// The ports that its containers declare. A declaration opens nothing.
    [[nodiscard]] Ports ports() const noexcept { return {raw_, raw_->ports, raw_->ports_len}; }
    /// The pod's cgroup, a path below the mount of the cgroup file system; "" until a process in it was seen.
    [[nodiscard]] std::string_view cgroup_path() const& noexcept { return raw_->cgroup_path; }
    std::string_view cgroup_path() const&& = delete;
    /// The C record.
    [[nodiscard]] const cri_pod* raw() const& noexcept { return raw_.get(); }
    const cri_pod* raw() const&& = delete;

private:
    detail::Ref<cri_pod> raw_;
};

/// A container or sandbox, as it was at one moment. It owns its record, and with it that of its pod. A copy only adds a
/// reference.
class Container {
public:
    /// Adds a reference to a C record.
    explicit Container(const cri_container* raw) noexcept : raw_(raw) {}

    /// Whether it is a container or a sandbox.
    [[nodiscard]] Kind kind() const noexcept { return static_cast<Kind>(raw_->kind); }
    /// Whether it is a pod's sandbox.
    [[nodiscard]] bool is_sandbox() const noexcept { return kind() == Kind::sandbox; }
    /// The state that the engine last reported.
    [[nodiscard]] State state() const noexcept { return static_cast<State>(raw_->state); }
    /// Which texts had to be repaired or cut, and whether it is privileged.
    [[nodiscard]] Set<ContainerFlag> flags() const noexcept { return Set<ContainerFlag>(raw_->flags); }
    /// Whether it is privileged; none while it is unknown.
    [[nodiscard]] std::optional<bool> privileged() const noexcept {
        return detail::either(flags(), ContainerFlag::privileged, ContainerFlag::unprivileged);
    }
    /// The attempt number; 0 for the first container of this name in the pod.
    [[nodiscard]] std::uint32_t attempt() const noexcept { return raw_->attempt; }
    /// The engine's id.
    [[nodiscard]] std::string_view id() const& noexcept { return raw_->id; }
    std::string_view id() const&& = delete;
    /// The name inside the pod; of a sandbox, the pod's name.
    [[nodiscard]] std::string_view name() const& noexcept { return raw_->name; }
    std::string_view name() const&& = delete;
    /// The pod; none while it is unknown.
    [[nodiscard]] std::optional<Pod> pod() const& noexcept { return kept_pod<std::optional<Pod>>(); }
    /// As above, for a temporary.
    [[nodiscard]] Kept<Pod> pod() const&& noexcept { return kept_pod<Kept<Pod>>(); }
    /// The first process, in the caller's pid namespace, if there is one and it is known.
    [[nodiscard]] std::optional<std::int32_t> pid() const noexcept { return detail::known(raw_->pid, 0); }
    /// The pid that the engine reports, if it differs from pid().
    [[nodiscard]] std::optional<std::int32_t> engine_pid() const noexcept { return detail::known(raw_->engine_pid, 0); }
    /// The exit code, if there is one and it is known.
    [[nodiscard]] std::optional<std::int32_t> exit_code() const noexcept { return detail::known(raw_->exit_code, -1); }
    /// When the first process began, in clock ticks since boot: with it, a pid is unique.
    [[nodiscard]] std::optional<std::uint64_t> pid_start_ticks() const noexcept {
        return detail::known(raw_->pid_start_ticks);
    }
    /// What is unknown and may still become known.
    [[nodiscard]] Set<Missing> missing() const noexcept { return Set<Missing>(raw_->missing); }
    /// The image, as the pod's author wrote it.
    [[nodiscard]] std::string_view image() const& noexcept { return raw_->image; }
    std::string_view image() const&& = delete;
    /// The repository with the digest of the manifest.
    [[nodiscard]] std::string_view image_ref() const& noexcept { return raw_->image_ref; }
    std::string_view image_ref() const&& = delete;
    /// The id of the image: the digest of its configuration.
    [[nodiscard]] std::string_view image_id() const& noexcept { return raw_->image_id; }
    std::string_view image_id() const&& = delete;
    /// The name of the image without tag and digest.
    [[nodiscard]] std::string_view image_repository() const& noexcept { return raw_->image_repository; }
    std::string_view image_repository() const&& = delete;
    /// The tag of the image; "" where its name has none.
    [[nodiscard]] std::string_view image_tag() const& noexcept { return raw_->image_tag; }
    std::string_view image_tag() const&& = delete;
    /// The digest of the image's manifest.
    [[nodiscard]] std::string_view image_digest() const& noexcept { return raw_->image_digest; }
    std::string_view image_digest() const&& = delete;
    /// How it ended, in one word: "Completed", "Error", "OOMKilled"; "gone" if it vanished without an exit.
    [[nodiscard]] std::string_view reason() const& noexcept { return raw_->reason; }
    std::string_view reason() const&& = delete;
    /// A longer explanation of the end; often "".
    [[nodiscard]] std::string_view message() const& noexcept { return raw_->message; }
    std::string_view message() const&& = delete;
    /// The cgroup: a path below the mount of the cgroup file system.
    [[nodiscard]] std::string_view cgroup_path() const& noexcept { return raw_->cgroup_path; }
    std::string_view cgroup_path() const&& = delete;
    /// The id of that cgroup in cgroup v2, as bpf_get_current_cgroup_id gives it.
    [[nodiscard]] std::optional<std::uint64_t> cgroup_id() const noexcept { return detail::known(raw_->cgroup_id); }
    /// The namespaces of the first process.
    [[nodiscard]] Namespaces namespaces() const noexcept {
        return raw_->namespaces != nullptr ? Namespaces(*raw_->namespaces) : Namespaces();
    }
    /// When it was created.
    [[nodiscard]] std::optional<Time> created_at() const noexcept { return detail::time(raw_->created_unix_nano); }
    /// When it was started.
    [[nodiscard]] std::optional<Time> started_at() const noexcept { return detail::time(raw_->started_unix_nano); }
    /// When it ended.
    [[nodiscard]] std::optional<Time> finished_at() const noexcept { return detail::time(raw_->finished_unix_nano); }
    /// The file that the engine writes the container's output to, as the engine sees the file system.
    [[nodiscard]] std::string_view log_path() const& noexcept { return raw_->log_path; }
    std::string_view log_path() const&& = delete;
    /// The entry point: what the pod's author set, otherwise the first word of the command line that the engine starts.
    [[nodiscard]] Strings command() const noexcept { return {raw_, raw_->command, raw_->command_len}; }
    /// The arguments: what the pod's author set, otherwise the rest of the command line.
    [[nodiscard]] Strings args() const noexcept { return {raw_, raw_->args, raw_->args_len}; }
    /// The working directory inside the container.
    [[nodiscard]] std::string_view working_dir() const& noexcept { return raw_->working_dir; }
    std::string_view working_dir() const&& = delete;
    /// The user of the first process; none while it is unknown.
    [[nodiscard]] std::optional<User> user() const& noexcept { return kept<std::optional<User>>(raw_->user); }
    /// As above, for a temporary.
    [[nodiscard]] Kept<User> user() const&& noexcept { return kept<Kept<User>>(raw_->user); }
    /// The mounts that the pod's author and the kubelet asked for.
    [[nodiscard]] Mounts mounts() const noexcept { return {raw_, raw_->mounts, raw_->mounts_len}; }
    /// The limits; none while they are unknown.
    [[nodiscard]] std::optional<Resources> resources() const& noexcept { return kept<std::optional<Resources>>(raw_->resources); }
    /// As above, for a temporary.
    [[nodiscard]] Kept<Resources> resources() const&& noexcept { return kept<Kept<Resources>>(raw_->resources); }
    /// How the previous run ended; none if there was none, or if nothing is known about it.
    [[nodiscard]] std::optional<Previous> previous() const& noexcept { return kept<std::optional<Previous>>(raw_->previous); }
    /// As above, for a temporary.
    [[nodiscard]] Kept<Previous> previous() const&& noexcept { return kept<Kept<Previous>>(raw_->previous); }
    /// The container's own labels; the pod has labels of its own.
    [[nodiscard]] Labels labels() const noexcept { return {raw_, raw_->labels, raw_->labels_len}; }
    /// One of the container's own labels, if it is there.
    [[nodiscard]] std::optional<std::string_view> label(const Text& key) const& {
        const char* const value = cri_container_label(raw_.get(), key.c_str());
        return value != nullptr ? std::optional<std::string_view>(value) : std::nullopt;
    }
    std::optional<std::string_view> label(const Text& key) const&& = delete;
    /// The container's own annotations.
    [[nodiscard]] Labels annotations() const noexcept { return {raw_, raw_->annotations, raw_->annotations_len}; }
    /// The container's facts under another project's names: "otel" (OpenTelemetry), "falco" or "ecs" (Elastic Common
    /// Schema).
    [[nodiscard]] Result<Attributes> attributes(const Text& schema) const {
        const cri_label* first = nullptr;
        std::size_t size = 0;
        cri_error* raw = nullptr;
        const auto status = static_cast<Status>(cri_container_attributes(raw_.get(), schema.c_str(), &first, &size, &raw));
        const detail::Handle<cri_error, cri_error_free> error(raw);
        if (status < Status::ok) return detail::fail<Attributes>(Error(status, error.get()));
        return Attributes(raw_, first, size);
    }
    /// The rucksack: JSON that the program itself has added.
    [[nodiscard]] std::string_view rucksack() const& noexcept { return raw_->rucksack; }
    std::string_view rucksack() const&& = delete;
    /// The C record.
    [[nodiscard]] const cri_container* raw() const& noexcept { return raw_.get(); }
    const cri_container* raw() const&& = delete;

private:
    template <class Maybe>
    Maybe kept_pod() const noexcept {
        return raw_->pod != nullptr ? Maybe(std::in_place, raw_->pod) : Maybe();
    }
    // A part of the record, together with a reference that keeps the record.
    template <class Maybe, class Part>
    Maybe kept(const Part* part) const noexcept {
        return part != nullptr ? Maybe(std::in_place, raw_.get()) : Maybe();
    }

    detail::Ref<cri_container> raw_;
};

/// An event, borrowed by a callback until it returns, and therefore not copied. Its container may be kept.
class EventView {
public:
    /// Made from the C struct.
    explicit EventView(const cri_event* raw) noexcept : raw_(raw) {}
    EventView(const EventView&) = delete;
    EventView& operator=(const EventView&) = delete;

    /// The type of the event. Ignore types that the program does not know.
    [[nodiscard]] EventType type() const noexcept { return static_cast<EventType>(raw_->type); }
    /// How the event is known, and what is special about it.
    [[nodiscard]] EventFlags flags() const noexcept { return EventFlags(raw_->flags); }
    /// Grows from event to event.
    [[nodiscard]] std::uint64_t seq() const noexcept { return raw_->seq; }
    /// The generation of the cache that shows the change.
    [[nodiscard]] std::uint64_t generation() const noexcept { return raw_->generation; }
    /// How many events this consumer lost, for an overflow.
    [[nodiscard]] std::uint64_t lost() const noexcept { return raw_->lost; }
    /// What has changed, for an update.
    [[nodiscard]] Set<Changed> changed() const noexcept { return Set<Changed>(raw_->changed); }
    /// When it happened, as far as the engine reports that.
    [[nodiscard]] Time time() const noexcept { return Time(std::chrono::nanoseconds(raw_->time_unix_nano)); }
    /// When the watcher noticed.
    [[nodiscard]] Time observed() const noexcept { return Time(std::chrono::nanoseconds(raw_->observed_unix_nano)); }
    /// The container or sandbox; none if the event is not about one.
    [[nodiscard]] std::optional<Container> container() const& noexcept { return kept<std::optional<Container>>(); }
    /// As above, for a temporary.
    [[nodiscard]] Kept<Container> container() const&& noexcept { return kept<Kept<Container>>(); }
    /// The state of the watcher when it made this event.
    [[nodiscard]] WatcherState watcher_state() const noexcept { return static_cast<WatcherState>(raw_->watcher_state); }
    /// The reason of a state event, or the text of a log event; otherwise "".
    [[nodiscard]] std::string_view message() const& noexcept { return raw_->message; }
    std::string_view message() const&& = delete;
    /// The level of a log event; otherwise none.
    [[nodiscard]] std::optional<LogLevel> log_level() const noexcept {
        return raw_->log_level != 0 ? std::optional(static_cast<LogLevel>(raw_->log_level)) : std::nullopt;
    }
    /// The event as JSON, "criwatch.event/1".
    Result<Buffer> json() const {
        return detail::call<Buffer, cri_buffer>([&](auto... out) { return cri_event_json(raw_, out...); });
    }
    /// The C record.
    [[nodiscard]] const cri_event* raw() const& noexcept { return raw_; }
    const cri_event* raw() const&& = delete;

protected:
    /// The C record, without a reference of its own.
    const cri_event* raw_;

private:
    template <class Maybe>
    Maybe kept() const noexcept {
        return raw_->container != nullptr ? Maybe(std::in_place, raw_->container) : Maybe();
    }
};

/// An event that was taken from a queue, with its container.
class Event : public EventView {
public:
    /// Takes ownership of the event from cri_event_queue_next.
    explicit Event(cri_event* raw) noexcept : EventView(raw), owner_(raw) {}
    Event(Event&& other) noexcept : EventView(std::exchange(other.raw_, nullptr)), owner_(std::move(other.owner_)) {}
    Event& operator=(Event&& other) noexcept {
        std::swap(raw_, other.raw_);
        owner_.swap(other.owner_);
        return *this;
    }

private:
    detail::Handle<cri_event, cri_event_free> owner_;
};

}  // namespace CRIWATCH_MODE
}  // namespace criwatch
