/// @file
/// Containers, pods and events as records. Views are borrowed from what shows them; Container and Event own.
/// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <criwatch/result.hpp>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <optional>
#include <string_view>

namespace criwatch {
inline namespace CRIWATCH_MODE {

/// A moment, to the nanosecond.
using Time = std::chrono::time_point<std::chrono::system_clock, std::chrono::nanoseconds>;

/// An array of C's, shown as values of T.
template <class T, class Raw>
class Range {
public:
    /// Walks through a range.
    class Iterator {
    public:
        /// What it gives.
        using value_type = T;
        /// The same: values are made when they are looked at.
        using reference = T;
        /// There is nothing to point to.
        using pointer = void;
        /// Distances.
        using difference_type = std::ptrdiff_t;
        /// What C++17's algorithms may do with it.
        using iterator_category = std::input_iterator_tag;
        /// What C++20's may do with it.
        using iterator_concept = std::forward_iterator_tag;

        /// One that is nowhere.
        constexpr Iterator() noexcept = default;
        /// One that is there.
        constexpr explicit Iterator(const Raw* at) noexcept : at_(at) {}
        /// The value.
        [[nodiscard]] T operator*() const { return T(*at_); }
        /// On to the next one.
        Iterator& operator++() noexcept { return ++at_, *this; }
        /// On to the next one.
        Iterator operator++(int) noexcept { return Iterator(at_++); }
        /// Whether both are at the same place.
        [[nodiscard]] friend bool operator==(Iterator a, Iterator b) noexcept { return a.at_ == b.at_; }
        /// Whether they are not.
        [[nodiscard]] friend bool operator!=(Iterator a, Iterator b) noexcept { return a.at_ != b.at_; }

    private:
        const Raw* at_ = nullptr;
    };

    /// Nothing.
    constexpr Range() noexcept = default;
    /// An array of C's.
    constexpr Range(const Raw* first, std::size_t size) noexcept : first_(first), size_(size) {}

    /// The first one.
    [[nodiscard]] Iterator begin() const noexcept { return Iterator(first_); }
    /// Behind the last one.
    [[nodiscard]] Iterator end() const noexcept { return Iterator(first_ + size_); }
    /// How many there are.
    [[nodiscard]] std::size_t size() const noexcept { return size_; }
    /// Whether there is none.
    [[nodiscard]] bool empty() const noexcept { return size_ == 0; }
    /// The one at this place, which has to be below size().
    [[nodiscard]] T operator[](std::size_t at) const { return T(first_[at]); }

protected:
    /// For C.
    [[nodiscard]] const Raw* data() const noexcept { return first_; }

private:
    const Raw* first_ = nullptr;
    std::size_t size_ = 0;
};

/// A label or an annotation.
struct Label {
    std::string_view key;    ///< The key.
    std::string_view value;  ///< The value.

    /// Out of C.
    explicit Label(const cri_label& raw) noexcept : key(raw.key), value(raw.value) {}
};

/// Labels or annotations, sorted by key.
class Labels : public Range<Label, cri_label> {
public:
    using Range::Range;

    /// The value of a key, if it is there.
    [[nodiscard]] std::optional<std::string_view> find(std::string_view key) const noexcept {
        const auto before = [](const cri_label& label, std::string_view wanted) { return label.key < wanted; };
        const cri_label* const last = data() + size();
        const cri_label* const at = std::lower_bound(data(), last, key, before);
        if (at == last || at->key != key) return std::nullopt;
        return at->value;
    }
    /// Whether the key is there.
    [[nodiscard]] bool contains(std::string_view key) const noexcept { return find(key).has_value(); }
    /// The value of a key, or `otherwise`.
    [[nodiscard]] std::string_view get(std::string_view key, std::string_view otherwise = {}) const noexcept {
        return find(key).value_or(otherwise);
    }
};

/// Strings of a record.
using Strings = Range<std::string_view, const char*>;

/// A pod, as its sandbox shows it. Borrowed from its container or snapshot.
class PodView {
public:
    /// Out of C.
    explicit PodView(const cri_pod* raw) noexcept : raw_(raw) {}

    /// The sandbox's id.
    [[nodiscard]] std::string_view id() const noexcept { return raw_->id; }
    /// The pod's name.
    [[nodiscard]] std::string_view name() const noexcept { return raw_->name; }
    /// The pod's namespace.
    [[nodiscard]] std::string_view pod_namespace() const noexcept { return raw_->pod_namespace; }
    /// The pod's uid, as Kubernetes gives it.
    [[nodiscard]] std::string_view uid() const noexcept { return raw_->uid; }
    /// How often the sandbox was made anew.
    [[nodiscard]] std::uint32_t attempt() const noexcept { return raw_->attempt; }
    /// How it stands.
    [[nodiscard]] PodState state() const noexcept { return static_cast<PodState>(raw_->state); }
    /// What else there is to say.
    [[nodiscard]] Set<PodFlag> flags() const noexcept { return Set<PodFlag>(raw_->flags); }
    /// The pod's addresses, the primary one first.
    [[nodiscard]] Strings ips() const noexcept { return {raw_->ips, raw_->ips_len}; }
    /// The pod's labels.
    [[nodiscard]] Labels labels() const noexcept { return {raw_->labels, raw_->labels_len}; }
    /// The pod's annotations.
    [[nodiscard]] Labels annotations() const noexcept { return {raw_->annotations, raw_->annotations_len}; }
    /// The pod's cgroup; "" where the engine does not tell.
    [[nodiscard]] std::string_view cgroup_path() const noexcept { return raw_->cgroup_path; }
    /// The record itself.
    [[nodiscard]] const cri_pod* raw() const noexcept { return raw_; }

private:
    const cri_pod* raw_;
};

/// A container or sandbox, as it was at one moment. Borrowed from its event or snapshot: a Container keeps it.
class ContainerView {
public:
    /// Out of C.
    explicit ContainerView(const cri_container* raw) noexcept : raw_(raw) {}

    /// What it is.
    [[nodiscard]] Kind kind() const noexcept { return static_cast<Kind>(raw_->kind); }
    /// Whether it is a pod's sandbox.
    [[nodiscard]] bool is_sandbox() const noexcept { return kind() == Kind::sandbox; }
    /// How it stands.
    [[nodiscard]] State state() const noexcept { return static_cast<State>(raw_->state); }
    /// How often it was made anew under this name.
    [[nodiscard]] std::uint32_t attempt() const noexcept { return raw_->attempt; }
    /// The engine's id.
    [[nodiscard]] std::string_view id() const noexcept { return raw_->id; }
    /// The name inside the pod; of a sandbox, the pod's name.
    [[nodiscard]] std::string_view name() const noexcept { return raw_->name; }
    /// The pod; none while it is unknown.
    [[nodiscard]] std::optional<PodView> pod() const noexcept {
        return raw_->pod != nullptr ? std::optional<PodView>(raw_->pod) : std::nullopt;
    }
    /// The first process, in the caller's pid namespace; none where there is none, or it is unknown.
    [[nodiscard]] std::optional<std::int32_t> pid() const noexcept { return known(raw_->pid, 0); }
    /// The exit code; none where there is none, or it is unknown.
    [[nodiscard]] std::optional<std::int32_t> exit_code() const noexcept { return known(raw_->exit_code, -1); }
    /// When the first process began, in clock ticks since boot: with it, a pid is unique.
    [[nodiscard]] std::optional<std::uint64_t> pid_start_ticks() const noexcept {
        return known(raw_->pid_start_ticks, std::uint64_t{0});
    }
    /// What this engine may yet tell.
    [[nodiscard]] Set<Missing> missing() const noexcept { return Set<Missing>(raw_->missing); }
    /// The image, as the pod's author wrote it.
    [[nodiscard]] std::string_view image() const noexcept { return raw_->image; }
    /// What the engine resolved that to.
    [[nodiscard]] std::string_view image_ref() const noexcept { return raw_->image_ref; }
    /// The engine's id of the image.
    [[nodiscard]] std::string_view image_id() const noexcept { return raw_->image_id; }
    /// How it ended, in one word: "Completed", "Error", "OOMKilled"; "gone" when it merely vanished.
    [[nodiscard]] std::string_view reason() const noexcept { return raw_->reason; }
    /// How it ended, in more words; often "".
    [[nodiscard]] std::string_view message() const noexcept { return raw_->message; }
    /// The cgroup, as the file system shows it.
    [[nodiscard]] std::string_view cgroup_path() const noexcept { return raw_->cgroup_path; }
    /// When it was created.
    [[nodiscard]] std::optional<Time> created_at() const noexcept { return time(raw_->created_unix_nano); }
    /// When it was started.
    [[nodiscard]] std::optional<Time> started_at() const noexcept { return time(raw_->started_unix_nano); }
    /// When it ended.
    [[nodiscard]] std::optional<Time> finished_at() const noexcept { return time(raw_->finished_unix_nano); }
    /// The container's own labels. Those of the pod stand at the pod.
    [[nodiscard]] Labels labels() const noexcept { return {raw_->labels, raw_->labels_len}; }
    /// The container's own annotations.
    [[nodiscard]] Labels annotations() const noexcept { return {raw_->annotations, raw_->annotations_len}; }
    /// What the program itself has added: JSON.
    [[nodiscard]] std::string_view rucksack() const noexcept { return raw_->rucksack; }
    /// The record itself.
    [[nodiscard]] const cri_container* raw() const noexcept { return raw_; }

protected:
    /// The record itself, to be given away.
    const cri_container* raw_;

private:
    template <class N>
    static std::optional<N> known(N number, N unknown) noexcept {
        return number != unknown ? std::optional<N>(number) : std::nullopt;
    }
    static std::optional<Time> time(std::int64_t nano) noexcept {
        return nano != 0 ? std::optional<Time>(std::chrono::nanoseconds(nano)) : std::nullopt;
    }
};

/// A container's record, and with it its pod's, kept for as long as this lives. A copy costs a count.
class Container : public ContainerView {
public:
    /// Keeps a record that is still there.
    Container(const ContainerView& view) noexcept : ContainerView(cri_container_ref(view.raw())) {}
    Container(const Container& other) noexcept : Container(static_cast<const ContainerView&>(other)) {}
    Container(Container&& other) noexcept : ContainerView(std::exchange(other.raw_, nullptr)) {}
    Container& operator=(Container other) noexcept {
        std::swap(raw_, other.raw_);
        return *this;
    }
    ~Container() { cri_container_unref(raw_); }
};

/// Something that happened. Borrowed until the callback returns that was given it.
class EventView {
public:
    /// Out of C.
    explicit EventView(const cri_event* raw) noexcept : raw_(raw) {}

    /// What it tells. Types that a program does not know are to be ignored.
    [[nodiscard]] EventType type() const noexcept { return static_cast<EventType>(raw_->type); }
    /// What else there is to say.
    [[nodiscard]] EventFlags flags() const noexcept { return EventFlags(raw_->flags); }
    /// Grows from event to event.
    [[nodiscard]] std::uint64_t seq() const noexcept { return raw_->seq; }
    /// The generation of the picture that shows this.
    [[nodiscard]] std::uint64_t generation() const noexcept { return raw_->generation; }
    /// Of an overflow: how many events this consumer lost.
    [[nodiscard]] std::uint64_t lost() const noexcept { return raw_->lost; }
    /// Of an update: what has changed.
    [[nodiscard]] Set<Changed> changed() const noexcept { return Set<Changed>(raw_->changed); }
    /// When it happened, as far as the engine says.
    [[nodiscard]] Time time() const noexcept { return Time(std::chrono::nanoseconds(raw_->time_unix_nano)); }
    /// When the watcher noticed.
    [[nodiscard]] Time observed() const noexcept { return Time(std::chrono::nanoseconds(raw_->observed_unix_nano)); }
    /// The container or sandbox; none where the event is not about one.
    [[nodiscard]] std::optional<ContainerView> container() const noexcept {
        return raw_->container != nullptr ? std::optional<ContainerView>(raw_->container) : std::nullopt;
    }
    /// What the watcher was doing when it told this.
    [[nodiscard]] WatcherState watcher_state() const noexcept { return static_cast<WatcherState>(raw_->watcher_state); }
    /// Of a state: why, in words. Of a log event: what it says. Otherwise "".
    [[nodiscard]] std::string_view message() const noexcept { return raw_->message; }
    /// Of a log event: how much it matters; none otherwise.
    [[nodiscard]] std::optional<LogLevel> log_level() const noexcept {
        return raw_->log_level != 0 ? std::optional(static_cast<LogLevel>(raw_->log_level)) : std::nullopt;
    }
    /// The event as JSON, "criwatch.event/1".
    Result<Buffer> json() const {
        return detail::call<Buffer, cri_buffer>([&](auto... out) { return cri_event_json(raw_, out...); });
    }
    /// The record itself.
    [[nodiscard]] const cri_event* raw() const noexcept { return raw_; }

protected:
    /// The record itself, to be given away.
    const cri_event* raw_;
};

/// An event that was taken from a queue, with its container.
class Event : public EventView {
public:
    /// Takes over what cri_event_queue_next gave.
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
