/// @file
/// The results of lookups, from a pid, a cgroup or a namespace to its container. Snapshot and Watcher make them.
/// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <criwatch/records.hpp>

#include <cstddef>
#include <optional>
#include <utility>
#include <vector>

namespace criwatch {
inline namespace CRIWATCH_MODE {

/// The result of a lookup: the container, or the reason why there is none. It owns the record.
class [[nodiscard]] Lookup {
public:
    /// Adds a reference to a C record; nullptr with the reason if there is none.
    explicit Lookup(Status status, const cri_container* raw) noexcept : status_(status) {
        if (status == Status::ok && raw != nullptr) container_.emplace(raw);
    }

    /// Whether there is a container.
    explicit operator bool() const noexcept { return container_.has_value(); }
    /// The container; for what belongs to a pod and to no container of it, the pod's sandbox. Call it only if there is
    /// one.
    [[nodiscard]] const Container& operator*() const& noexcept { return *container_; }
    /// The container, moved out.
    [[nodiscard]] Container operator*() && noexcept { return *std::move(container_); }
    /// A member of the container.
    [[nodiscard]] const Container* operator->() const& noexcept { return &*container_; }
    const Container* operator->() const&& = delete;
    /// Whether it is proven to belong to the host, that is to no container of this engine. Where that cannot be proven,
    /// the result is not_found or an Error instead.
    [[nodiscard]] bool is_none() const noexcept { return status_ == Status::none; }
    /// ok; none; again: it is in a container or pod that is not known yet; not_found: there is no such process, cgroup
    /// or namespace (any more). In a batch, it may also be the status of an Error of a single lookup.
    [[nodiscard]] Status status() const noexcept { return status_; }

private:
    std::optional<Container> container_;
    Status status_;
};

/// The results of many lookups, in the order of the keys.
using Lookups = std::vector<Lookup>;

namespace detail {

// A reference that C has returned.
using Given = Handle<const cri_container, cri_container_unref>;

// Calls a C function with its last parameters, output and error. That something has ended is an answer.
template <class Call>
Result<Lookup> look_up(Call&& function) {
    const cri_container* out = nullptr;
    cri_error* raw = nullptr;
    const auto status = static_cast<Status>(function(&out, &raw));
    const Handle<cri_error, cri_error_free> error(raw);
    if (status < Status::ok && status != Status::not_found) return fail<Lookup>(Error(status, error.get()));
    return Lookup(status, out);
}

// As above, for a C function that fills n records and n statuses.
template <class Call>
Result<Lookups> look_up_all(std::size_t n, Call&& function) {
    Lookups lookups;
    if (n == 0) return lookups;
    std::vector<const cri_container*> out(n);
    std::vector<cri_status> statuses(n);
    cri_error* raw = nullptr;
    const auto status = static_cast<Status>(function(out.data(), statuses.data(), &raw));
    const Handle<cri_error, cri_error_free> error(raw);
    if (status < Status::ok) return fail<Lookups>(Error(status, error.get()));
    lookups.reserve(n);
    for (std::size_t i = 0; i < n; i++) lookups.emplace_back(static_cast<Status>(statuses[i]), out[i]);
    return lookups;
}

}  // namespace detail

}  // namespace CRIWATCH_MODE
}  // namespace criwatch
