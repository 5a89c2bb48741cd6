/// @file
/// The engines of a node: found once, or followed as they come and go.
/// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <criwatch/watcher.hpp>

#include <optional>
#include <utility>

namespace criwatch {
inline namespace CRIWATCH_MODE {

/// Finds every engine of the node, best first, as JSON, "criwatch.engines/1". A socket that cannot be used is listed,
/// too, with the error. `timeout` is for all together; with `forever`, the option connect.timeout_ms applies.
[[nodiscard]] inline Result<Buffer> discover(const Options& options, Timeout timeout = forever) {
    return detail::call<Buffer, cri_buffer>(
        [&](auto... out) { return cri_engines_discover(options.raw(), timeout.count(), out...); });
}
/// As above, with the default options.
[[nodiscard]] inline Result<Buffer> discover(Timeout timeout = forever) {
    return detail::call<Buffer, cri_buffer>(
        [&](auto... out) { return cri_engines_discover(nullptr, timeout.count(), out...); });
}

/// An engine was found, has changed, or is lost.
class EngineNews {
public:
    /// Made from what C returns.
    EngineNews(EngineNewsType type, Buffer endpoint, Buffer json) noexcept
        : type_(type), endpoint_(std::move(endpoint)), json_(std::move(json)) {}

    /// What happened.
    [[nodiscard]] EngineNewsType type() const noexcept { return type_; }
    /// The engine's endpoint, for a Watcher.
    [[nodiscard]] const Buffer& endpoint() const& noexcept { return endpoint_; }
    const Buffer& endpoint() const&& = delete;
    /// Everything about it, "criwatch.engineNews/1".
    [[nodiscard]] const Buffer& json() const& noexcept { return json_; }
    const Buffer& json() const&& = delete;

private:
    EngineNewsType type_;
    Buffer endpoint_;
    Buffer json_;
};

/// Reports which engines come and go, so that a program can keep a Watcher for each.
class Finder {
public:
    /// Takes ownership of a C object.
    explicit Finder(cri_finder* raw) noexcept : raw_(raw) {}
#ifndef CRIWATCH_NO_EXCEPTIONS
    /// Begins to look for engines, with default options.
    Finder() : Finder(create()) {}
    /// Begins to look for engines.
    explicit Finder(const Options& options) : Finder(create(options)) {}
#endif
    /// Begins to look for engines, with default options.
    [[nodiscard]] static Result<Finder> create() { return create(nullptr); }
    /// Begins to look for engines.
    [[nodiscard]] static Result<Finder> create(const Options& options) { return create(options.raw()); }

    /// Waits for the next news; nothing after the timeout.
    Result<std::optional<EngineNews>> next(Timeout timeout = forever) const {
        using News = std::optional<EngineNews>;
        std::uint32_t type = 0;
        cri_buffer endpoint = CRI_BUFFER_INIT;
        cri_buffer json = CRI_BUFFER_INIT;
        cri_error* raw = nullptr;
        const auto status = static_cast<Status>(cri_finder_next(raw_.get(), timeout.count(), &type, &endpoint, &json, &raw));
        Buffer where(endpoint);
        Buffer what(json);
        const detail::Handle<cri_error, cri_error_free> error(raw);
        if (status < Status::ok) return detail::fail<News>(Error(status, error.get()));
        if (status != Status::ok) return News();
        return News(EngineNews(static_cast<EngineNewsType>(type), std::move(where), std::move(what)));
    }
    /// A descriptor for poll and epoll: readable exactly while there is news. It belongs to the finder: never read or
    /// close it.
    [[nodiscard]] int fd() const& noexcept { return cri_finder_fd(raw_.get()); }
    int fd() const&& = delete;

private:
    static Result<Finder> create(const cri_options* options) {
        return detail::call<Finder, cri_finder*>([&](auto... out) { return cri_finder_new(options, out...); });
    }

    detail::Handle<cri_finder, cri_finder_free> raw_;
};

}  // namespace CRIWATCH_MODE
}  // namespace criwatch
