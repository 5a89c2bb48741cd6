/// @file
/// Events: pushed into a callback (Subscription), or taken from a queue (EventQueue).
/// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <criwatch/records.hpp>

#include <chrono>
#include <cstddef>
#include <iterator>
#include <optional>
#include <utility>

namespace criwatch {
inline namespace CRIWATCH_MODE {

/// How long a call may wait, in milliseconds or any longer unit; `forever`, or 0 for not at all.
using Timeout = std::chrono::milliseconds;
/// No timeout. Stopping the watcher ends every wait.
inline constexpr Timeout forever{-1};

/// A callback. The destructor is a barrier: when it returns, no call is running or will come, and the callable and its
/// captures are destroyed. Inside a callback of the same watcher it does not wait: the running call is the last, and
/// the callable is destroyed after it. The subscription may outlive its watcher.
class [[nodiscard]] Subscription {
public:
    /// Takes ownership of a C object.
    explicit Subscription(cri_subscription* raw) noexcept : raw_(raw) {}
    /// Ends the subscription now.
    void reset() noexcept { raw_.reset(); }
    /// Whether it still has its callback: it was neither moved from nor ended.
    explicit operator bool() const noexcept { return raw_ != nullptr; }

private:
    detail::Handle<cri_subscription, cri_subscription_free> raw_;
};

/// The result of taking from a queue: an event, or the reason why there is none.
class [[nodiscard]] Next {
public:
    /// An event, or nullptr with the reason: Status::again, Status::closed.
    explicit Next(Status status, cri_event* event) noexcept : event_(event), status_(status) {}

    /// Whether there is an event.
    explicit operator bool() const noexcept { return status_ == Status::ok; }
    /// The event.
    [[nodiscard]] Event& operator*() & noexcept { return event_; }
    /// The event, moved out.
    [[nodiscard]] Event operator*() && noexcept { return std::move(event_); }
    /// A member of the event.
    [[nodiscard]] Event* operator->() & noexcept { return &event_; }
    Event* operator->() && = delete;
    /// Whether no more events will come: the watcher has stopped, and all events were taken.
    [[nodiscard]] bool is_closed() const noexcept { return status_ == Status::closed; }
    /// ok, again or closed.
    [[nodiscard]] Status status() const noexcept { return status_; }

private:
    Event event_;
    Status status_;
};

/// A queue of events. `for (Event& event : queue)` takes all events until the watcher stops. The queue may outlive its
/// watcher.
class EventQueue {
public:
    /// The end for range-for.
    struct End {};

    /// Takes events, one after the other, and waits for each.
    class Iterator {
    public:
        /// The type of its values.
        using value_type = Event;
        /// The type of distances.
        using difference_type = std::ptrdiff_t;
        /// The iterator concept of C++20.
        using iterator_concept = std::input_iterator_tag;

        /// Takes the first event.
        explicit Iterator(const EventQueue& queue) : queue_(&queue) { ++*this; }
        explicit Iterator(const EventQueue&& queue) = delete;
        /// The event. It may be moved from.
        [[nodiscard]] Event& operator*() const& noexcept { return *current_; }
        Event& operator*() const&& = delete;
        /// A member of the event.
        [[nodiscard]] Event* operator->() const& noexcept { return &*current_; }
        Event* operator->() const&& = delete;
        /// Waits for the next event. It throws what queue.next() throws. Where errors are returned, an error ends the
        /// loop, and queue.next() returns it again.
        Iterator& operator++() {
            auto next = queue_->next();
#ifdef CRIWATCH_NO_EXCEPTIONS
            current_ = next && *next ? std::optional(std::move(**next)) : std::nullopt;
#else
            current_ = next ? std::optional(std::move(*next)) : std::nullopt;
#endif
            return *this;
        }
        /// Waits for the next event.
        void operator++(int) { ++*this; }
        /// Whether no more events will come.
        [[nodiscard]] friend bool operator==(const Iterator& it, End) noexcept { return !it.current_; }
        /// Whether there is an event.
        [[nodiscard]] friend bool operator!=(const Iterator& it, End) noexcept { return it.current_.has_value(); }
        /// Whether no more events will come.
        [[nodiscard]] friend bool operator==(End, const Iterator& it) noexcept { return !it.current_; }
        /// Whether there is an event.
        [[nodiscard]] friend bool operator!=(End, const Iterator& it) noexcept { return it.current_.has_value(); }

    private:
        const EventQueue* queue_;
        mutable std::optional<Event> current_;
    };

    /// Takes ownership of a C object.
    explicit EventQueue(cri_event_queue* raw) noexcept : raw_(raw) {}

    /// Takes the next event, and waits for it; another thread may stop the watcher meanwhile.
    Result<Next> next(Timeout timeout = forever) const {
        cri_event* event = nullptr;
        cri_error* error = nullptr;
        const auto status = static_cast<Status>(cri_event_queue_next(raw_.get(), timeout.count(), &event, &error));
        const detail::Handle<cri_error, cri_error_free> owner(error);
        if (status < Status::ok) return detail::fail<Next>(Error(status, error));
        return Next(status, event);
    }
    /// Takes the next event without waiting.
    Result<Next> try_next() const { return next(Timeout::zero()); }
    /// A descriptor for poll and epoll: readable exactly while try_next() has an event, or the queue is closed. It
    /// belongs to the queue: never read or close it.
    [[nodiscard]] int fd() const& noexcept { return cri_event_queue_fd(raw_.get()); }
    int fd() const&& = delete;
    /// Waits for the first event.
    [[nodiscard]] Iterator begin() const& { return Iterator(*this); }
    Iterator begin() const&& = delete;
    /// The end for range-for.
    [[nodiscard]] End end() const noexcept { return {}; }

private:
    detail::Handle<cri_event_queue, cri_event_queue_free> raw_;
};

}  // namespace CRIWATCH_MODE
}  // namespace criwatch
