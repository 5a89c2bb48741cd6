/// @file
/// The watcher, its options, and the snapshots it takes.
/// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <criwatch/events.hpp>
#include <criwatch/lookups.hpp>

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <memory>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

namespace criwatch {
inline namespace CRIWATCH_MODE {

/// The options of new watchers, as pairs of strings. A watcher copies them.
class Options {
public:
    /// Some options; all others have their defaults.
    using Pairs = std::initializer_list<std::pair<std::string_view, std::string_view>>;

    /// Takes ownership of a C object.
    explicit Options(cri_options* raw) noexcept : raw_(raw) {}
#ifndef CRIWATCH_NO_EXCEPTIONS
    /// These options; all others have their defaults.
    Options(Pairs pairs = {}) : Options(create(pairs)) {}
#endif
    /// These options; all others have their defaults.
    [[nodiscard]] static Result<Options> create(Pairs pairs = {});
    /// All options as JSON, "criwatch.options/1": key, type, default, what is allowed, and what it does.
    [[nodiscard]] static Result<Buffer> describe() {
        return detail::call<Buffer, cri_buffer>([](auto... out) { return cri_options_describe(out...); });
    }
    /// Sets one option.
    Result<void> set(const Text& key, const Text& value) {
        return detail::call([&](auto err) { return cri_options_set(raw(), key.c_str(), value.c_str(), err); });
    }
    /// The C object.
    [[nodiscard]] const cri_options* raw() const& noexcept { return raw_.get(); }
    const cri_options* raw() const&& = delete;

private:
    detail::Handle<cri_options, cri_options_free> raw_;
};

/// A snapshot: the cache at one moment. It never changes, and outlives its watcher. A copy only adds a reference. The
/// records that it shows stay valid without it.
class Snapshot {
public:
    /// The records of containers.
    using Containers = Range<Container, const cri_container*>;
    /// The records of pods.
    using Pods = Range<Pod, const cri_pod*>;

    /// Start times of processes, in clock ticks since boot.
    using Ticks = std::vector<std::uint64_t>;

    /// Takes ownership of a C object.
    explicit Snapshot(cri_snapshot* raw) : raw_(raw, cri_snapshot_free) {}

    /// The generation that it shows. While Watcher::generation returns the same, there is nothing newer.
    [[nodiscard]] std::uint64_t generation() const noexcept { return cri_snapshot_generation(raw_.get()); }
    /// Everything that runs: containers and ready sandboxes, sorted by namespace, pod and name.
    [[nodiscard]] Containers containers() const noexcept {
        const cri_container* const* first = nullptr;
        std::size_t size = 0;
        // This fails only for nullptr, which a snapshot that was moved from has.
        static_cast<void>(cri_snapshot_containers(raw_.get(), &first, &size, nullptr));
        return {raw_, first, size};
    }
    /// The pods in which something runs, sorted by namespace and name.
    [[nodiscard]] Pods pods() const noexcept {
        const cri_pod* const* first = nullptr;
        std::size_t size = 0;
        static_cast<void>(cri_snapshot_pods(raw_.get(), &first, &size, nullptr));
        return {raw_, first, size};
    }
    /// Finds one container or sandbox, in any state, even if it is gone and still remembered.
    [[nodiscard]] Result<Container> find(const Text& id_or_name) const {
        return detail::call<Container, const cri_container*>(
            [&](auto... out) { return cri_snapshot_find(raw_.get(), id_or_name.c_str(), out...); });
    }
    /// Finds the container of a process or thread. With `start_ticks`, field 22 of /proc/PID/stat, a process that began
    /// at another time is not found; 0: the process that has the pid now.
    [[nodiscard]] Result<Lookup> find_pid(std::int32_t pid, std::uint64_t start_ticks = 0) const {
        return detail::look_up([&](auto... out) { return cri_snapshot_find_pid(raw_.get(), pid, start_ticks, out...); });
    }
    /// As find_pid, for many. `start_ticks`: as many as pids, or none.
    [[nodiscard]] Result<Lookups> find_pids(const std::vector<std::int32_t>& pids, const Ticks& start_ticks = {}) const {
        if (!start_ticks.empty() && start_ticks.size() != pids.size())
            return detail::fail<Lookups>(Error(Status::invalid_argument, "find_pids: not as many start times as pids"));
        const std::uint64_t* const ticks = start_ticks.empty() ? nullptr : start_ticks.data();
        return detail::look_up_all(pids.size(), [&](auto... out) {
            return cri_snapshot_find_pids(raw_.get(), pids.data(), ticks, pids.size(), out...);
        });
    }
    /// Finds the container of a cgroup by the id that bpf_get_current_cgroup_id gives, even one that has ended.
    [[nodiscard]] Result<Lookup> find_cgroup(std::uint64_t cgroup_id) const {
        return detail::look_up([&](auto... out) { return cri_snapshot_find_cgroup(raw_.get(), cgroup_id, out...); });
    }
    /// As find_cgroup, for many.
    [[nodiscard]] Result<Lookups> find_cgroups(const std::vector<std::uint64_t>& cgroup_ids) const {
        return detail::look_up_all(cgroup_ids.size(), [&](auto... out) {
            return cri_snapshot_find_cgroups(raw_.get(), cgroup_ids.data(), cgroup_ids.size(), out...);
        });
    }
    /// Finds the container of a cgroup by its path, as /proc/PID/cgroup shows it. Reads no file.
    [[nodiscard]] Result<Lookup> find_cgroup_path(std::string_view path) const {
        return detail::look_up(
            [&](auto... out) { return cri_snapshot_find_cgroup_path(raw_.get(), path.data(), path.size(), out...); });
    }
    /// Finds the container of a namespace by the number in the link /proc/PID/ns/KIND; the sandbox, if its pod's
    /// containers share it. If one is found, `sharing` receives how many running containers and sandboxes share it.
    [[nodiscard]] Result<Lookup> find_namespace(NamespaceKind kind, std::uint64_t inode, std::size_t* sharing = nullptr) const {
        const auto number = static_cast<std::uint32_t>(kind);
        return detail::look_up([&](auto out, auto err) {
            return cri_snapshot_find_namespace(raw_.get(), number, inode, out, sharing, err);
        });
    }
    /// A snapshot of what a query selects from this one, in any state. If the query's "ifGeneration" is the present
    /// generation, it has no records, and the generation 0.
    [[nodiscard]] Result<Snapshot> select(const Text& query) const {
        return detail::call<Snapshot, cri_snapshot*>(
            [&](auto... out) { return cri_snapshot_select(raw_.get(), query.c_str(), out...); });
    }

private:
    std::shared_ptr<cri_snapshot> raw_;
};

/// The rucksack of one container, to be set by the packer. Borrowed by the packer until it returns.
class Rucksack {
public:
    /// Made from the C object.
    explicit Rucksack(const cri_rucksack* raw) noexcept : raw_(raw) {}
    Rucksack(const Rucksack&) = delete;
    Rucksack& operator=(const Rucksack&) = delete;
    /// Sets the rucksack to this JSON; nullptr: none. Call it only inside the packer that was given it; the last call
    /// counts.
    Result<void> set(const Text& json) const {
        return detail::call([&](auto err) { return cri_rucksack_set(raw_, json.c_str(), err); });
    }

private:
    const cri_rucksack* raw_;
};

/// A watcher of one engine. Its destructor stops it. All functions may be called from any thread at any time. Callbacks
/// are any callables. They are called on threads of the library, one call after the other, and are destroyed after the
/// last call. An exception that leaves one ends the program (std::terminate), as one that leaves a std::thread does.
class Watcher {
public:
    /// Takes ownership of a C object.
    explicit Watcher(cri_watcher* raw) noexcept : raw_(raw) {}
#ifndef CRIWATCH_NO_EXCEPTIONS
    /// A watcher of the engine at "unix:///...", or at a path; nullptr: of the best engine of the node.
    explicit Watcher(const Text& endpoint = nullptr) : Watcher(create(endpoint)) {}
    /// As above, with options: `Watcher(endpoint, {{"relist.interval_ms", "30000"}})`.
    Watcher(const Text& endpoint, const Options& options) : Watcher(create(endpoint, options)) {}
#endif
    /// A watcher of the engine at "unix:///...", or at a path; nullptr: of the best engine of the node.
    [[nodiscard]] static Result<Watcher> create(const Text& endpoint = nullptr) { return create(endpoint, nullptr); }
    /// As above, with options.
    [[nodiscard]] static Result<Watcher> create(const Text& endpoint, const Options& options) {
        return create(endpoint, options.raw());
    }

    /// Starts to follow the engine, in the background. An engine that cannot be reached is not an error.
    Result<void> start() const {
        return detail::call([&](auto err) { return cri_watcher_start(raw(), err); });
    }
    /// Waits until the first lists are complete and the pid of each entry was asked for.
    Result<void> wait_ready(Timeout timeout = forever) const {
        return detail::call([&](auto err) { return cri_watcher_wait_ready(raw(), timeout.count(), err); });
    }
    /// A barrier: after it, all answers are at least as new as a list that began after the call.
    Result<void> resync(Timeout timeout = forever) const {
        return detail::call([&](auto err) { return cri_watcher_resync(raw(), timeout.count(), err); });
    }
    /// Stops for good: ends every wait and closes every queue. The cache stays readable.
    Result<void> stop() const {
        return detail::call([&](auto err) { return cri_watcher_stop(raw(), err); });
    }
    /// The watcher's state.
    [[nodiscard]] WatcherState state() const noexcept { return static_cast<WatcherState>(cri_watcher_state(raw())); }
    /// A number that grows whenever the cache changes; 0 before the cache is filled.
    [[nodiscard]] std::uint64_t generation() const noexcept { return cri_watcher_generation(raw()); }

    /// Lists what runs, or what a query selects, as JSON, "criwatch.containers/1". Empty if the cache still has the
    /// query's "ifGeneration".
    [[nodiscard]] Result<Buffer> list(const Text& query = nullptr) const {
        return json([&](auto... out) { return cri_watcher_list(raw(), query.c_str(), out...); });
    }
    /// As list, grouped by pod: "criwatch.pods/1".
    [[nodiscard]] Result<Buffer> pods(const Text& query = nullptr) const {
        return json([&](auto... out) { return cri_watcher_pods(raw(), query.c_str(), out...); });
    }
    /// One container or sandbox as JSON, "criwatch.container/1".
    [[nodiscard]] Result<Buffer> get(const Text& id_or_name) const {
        return json([&](auto... out) { return cri_watcher_get(raw(), id_or_name.c_str(), out...); });
    }
    /// Which engine this is, "criwatch.engine/1".
    [[nodiscard]] Result<Buffer> engine_info() const {
        return json([&](auto... out) { return cri_watcher_engine_info(raw(), out...); });
    }
    /// The watcher's counters, "criwatch.stats/1".
    [[nodiscard]] Result<Buffer> stats() const {
        return json([&](auto... out) { return cri_watcher_stats(raw(), out...); });
    }
    /// The watcher's counters for a scraper, in the text format of OpenMetrics, to be served as
    /// "application/openmetrics-text; version=1.0.0; charset=utf-8". docs/metrics.md lists the names.
    [[nodiscard]] Result<Buffer> metrics() const {
        return json([&](auto... out) { return cri_watcher_metrics(raw(), out...); });
    }
    /// Takes a snapshot.
    [[nodiscard]] Result<Snapshot> snapshot() const {
        return detail::call<Snapshot, cri_snapshot*>([&](auto... out) { return cri_watcher_snapshot(raw(), out...); });
    }

    /// Finds one container or sandbox, in any state: the one that get() shows, as a record.
    [[nodiscard]] Result<Container> find(const Text& id_or_name) const {
        detail::Given given;  // The record keeps itself; this goes after it is made.
        return detail::call<Container, const cri_container*>([&](auto out, auto err) {
            const cri_status status = cri_watcher_find(raw(), id_or_name.c_str(), out, err);
            given.reset(*out);
            return status;
        });
    }
    /// As Snapshot::find_pid in the newest snapshot. If the process is in a container that the engine has not reported
    /// yet, it waits for that; Status::again after the timeout.
    [[nodiscard]] Result<Lookup> lookup_pid(std::int32_t pid, std::uint64_t start_ticks = 0, Timeout timeout = forever) const {
        detail::Given given;
        return detail::look_up([&](auto out, auto err) {
            const cri_status status = cri_watcher_lookup_pid(raw(), pid, start_ticks, timeout.count(), out, err);
            given.reset(*out);
            return status;
        });
    }
    /// As Snapshot::find_cgroup in the newest snapshot, and waits like lookup_pid.
    [[nodiscard]] Result<Lookup> lookup_cgroup(std::uint64_t cgroup_id, Timeout timeout = forever) const {
        detail::Given given;
        return detail::look_up([&](auto out, auto err) {
            const cri_status status = cri_watcher_lookup_cgroup(raw(), cgroup_id, timeout.count(), out, err);
            given.reset(*out);
            return status;
        });
    }

    /// Asks the engine for everything about one container or sandbox, "criwatch.inspect/1".
    [[nodiscard]] Result<Buffer> inspect(const Text& id_or_name, Timeout timeout = forever, InspectFlags flags = {}) const {
        return json([&](auto... out) {
            return cri_watcher_inspect(raw(), id_or_name.c_str(), flags.bits(), timeout.count(), out...);
        });
    }
    /// Calls any unary RPC of the engine, e.g. "RuntimeService/Status"; request and reply are JSON.
    [[nodiscard]] Result<Buffer> call(const Text& method, const Text& request = nullptr, Timeout timeout = forever) const {
        return json([&](auto... out) {
            return cri_watcher_call(raw(), method.c_str(), request.c_str(), timeout.count(), out...);
        });
    }
    /// Gives a container a rucksack: JSON of the program's own; nullptr removes it.
    Result<void> attach(const Text& id_or_name, const Text& json) const {
        return detail::call(
            [&](auto err) { return cri_watcher_attach(raw(), id_or_name.c_str(), json.c_str(), err); });
    }

    /// Calls `callback(const EventView&)` for each event, beginning with a replay.
    template <class Callback>
    [[nodiscard]] Result<Subscription> subscribe(Callback&& callback, EventTypes types = {}, SubscribeFlags flags = {}) const {
        using Box = std::decay_t<Callback>;
        const auto function = [](const cri_event* event, void* box) noexcept {
            (*static_cast<Box*>(box))(EventView(event));
        };
        Box* const box = new Box(std::forward<Callback>(callback));
        return detail::call<Subscription, cri_subscription*>([&](auto... out) {
            return cri_watcher_subscribe(raw(), types.bits(), flags.bits(), function, box, destroy<Box>, out...);
        });
    }
    /// Makes a queue of events, beginning with a replay. Capacity 0: the option queue.capacity.
    [[nodiscard]] Result<EventQueue> queue(EventTypes types = {}, SubscribeFlags flags = {}, std::size_t capacity = 0) const {
        return detail::call<EventQueue, cri_event_queue*>(
            [&](auto... out) { return cri_event_queue_new(raw(), types.bits(), flags.bits(), capacity, out...); });
    }
    /// Makes a queue for a loop: `for (Event& event : watcher.events())`. It begins with a replay. The watcher has to
    /// be started, because the wait would never end. To make a queue before the start, use queue().
    [[nodiscard]] Result<EventQueue> events(EventTypes types = {}, SubscribeFlags flags = {}) const {
        // state() will not do: it is `fresh` until the library's thread has begun to work.
        if (cri_watcher_wait_ready(raw(), 0, nullptr) == CRI_E_STATE)
            return detail::fail<EventQueue>(Error(Status::state, "the watcher has not been started, so no event would come: call start() "
                                                                 "first, or make a queue() and start it then"));
        return queue(types, flags);
    }
    /// Calls `callback(LogLevel, std::string_view)` for each message. Set it before the start, and only once.
    template <class Callback>
    Result<void> set_log(LogLevel least_urgent, Callback&& callback) const {
        using Box = std::decay_t<Callback>;
        const auto function = [](std::uint32_t level, const char* message, void* box) noexcept {
            (*static_cast<Box*>(box))(static_cast<LogLevel>(level), std::string_view(message));
        };
        Box* const box = new Box(std::forward<Callback>(callback));
        const auto level = static_cast<std::uint32_t>(least_urgent);
        return detail::call([&](auto err) { return cri_watcher_set_log(raw(), level, function, box, destroy<Box>, err); });
    }
    /// Calls `callback(std::string_view container, std::string_view inspection, const Rucksack&)` for each run that
    /// begins, to pack the container's rucksack. Set it before the start, and only once.
    template <class Callback>
    Result<void> set_packer(Callback&& callback) const {
        using Box = std::decay_t<Callback>;
        const auto function = [](const char* container, const char* inspection, const cri_rucksack* out, void* box) noexcept {
            (*static_cast<Box*>(box))(std::string_view(container), std::string_view(inspection), Rucksack(out));
        };
        Box* const box = new Box(std::forward<Callback>(callback));
        return detail::call([&](auto err) { return cri_watcher_set_packer(raw(), function, box, destroy<Box>, err); });
    }
    /// The C object.
    [[nodiscard]] const cri_watcher* raw() const& noexcept { return raw_.get(); }
    const cri_watcher* raw() const&& = delete;

private:
    static Result<Watcher> create(const Text& endpoint, const cri_options* options);

    template <class Box>
    static void destroy(void* box) noexcept {
        delete static_cast<Box*>(box);
    }
    template <class Call>
    static Result<Buffer> json(Call&& function) {
        return detail::call<Buffer, cri_buffer>(std::forward<Call>(function));
    }

    detail::Handle<cri_watcher, cri_watcher_free> raw_;
};

inline Result<Options> Options::create(Pairs pairs) {
    auto options = detail::call<Options, cri_options*>([](auto... out) { return cri_options_new(out...); });
#ifdef CRIWATCH_NO_EXCEPTIONS
    if (!options) return options;
    for (const auto& [key, value] : pairs)
        if (auto set = options->set(key, value); !set) return set.error();
#else
    for (const auto& [key, value] : pairs) options.set(key, value);
#endif
    return options;
}

inline Result<Watcher> Watcher::create(const Text& endpoint, const cri_options* options) {
    if (abi_version() != compiled_abi_version)
        return detail::fail<Watcher>(Error(Status::unsupported, "the loaded libcriwatch has another ABI version than criwatch.h"));
    return detail::call<Watcher, cri_watcher*>(
        [&](auto... out) { return cri_watcher_new(endpoint.c_str(), options, out...); });
}

}  // namespace CRIWATCH_MODE
}  // namespace criwatch
