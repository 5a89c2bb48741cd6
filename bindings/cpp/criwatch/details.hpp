/// @file
/// How a container was made, and what a pod declares.
/// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <criwatch/ranges.hpp>

#include <chrono>
#include <cstdint>
#include <limits>
#include <optional>
#include <string_view>
#include <utility>

namespace criwatch {
inline namespace CRIWATCH_MODE {

/// A moment, to the nanosecond.
using Time = std::chrono::time_point<std::chrono::system_clock, std::chrono::nanoseconds>;

namespace detail {

template <class N>
std::optional<N> known(N number, N unknown) noexcept {
    return number != unknown ? std::optional<N>(number) : std::nullopt;
}
inline std::optional<std::int64_t> known(std::int64_t number) noexcept { return known(number, std::int64_t{0}); }
inline std::optional<std::uint64_t> known(std::uint64_t number) noexcept { return known(number, std::uint64_t{0}); }
inline std::optional<Time> time(std::int64_t nano) noexcept {
    return nano != 0 ? std::optional<Time>(std::chrono::nanoseconds(nano)) : std::nullopt;
}
// Reads two flags: true, false, or nothing while the fact is unknown.
template <class E>
std::optional<bool> either(Set<E> flags, E is, E is_not) noexcept {
    return flags.has(is) ? std::optional(true) : flags.has(is_not) ? std::optional(false) : std::nullopt;
}

}  // namespace detail

/// A port that a container declares, borrowed from its range. A declaration opens nothing.
struct Port {
    std::string_view container;              ///< The container's name.
    std::string_view name;                   ///< The port's name; often "".
    std::string_view protocol;               ///< "TCP", "UDP" or "SCTP".
    std::uint32_t container_port;            ///< The port inside the pod.
    std::optional<std::uint32_t> host_port;  ///< The port on the node, if there is one.

    /// Made from the C struct.
    explicit Port(const cri_port& raw) noexcept
        : container(raw.container),
          name(raw.name),
          protocol(raw.protocol),
          container_port(raw.container_port),
          host_port(detail::known(raw.host_port, std::uint32_t{0})) {}
};

/// A mount that the pod's author or the kubelet asked for, borrowed from its range.
struct Mount {
    std::string_view container_path;  ///< Where it is inside the container.
    std::string_view host_path;       ///< What is mounted: a path on the host; "" for an image volume.
    Set<MountFlag> flags;             ///< What else there is to say.

    /// Made from the C struct.
    explicit Mount(const cri_mount& raw) noexcept
        : container_path(raw.container_path), host_path(raw.host_path), flags(raw.flags) {}

    /// Whether the container cannot write to it.
    [[nodiscard]] bool read_only() const noexcept { return flags.has(MountFlag::read_only); }
};

namespace detail {

template <>
inline constexpr bool is_borrowed<Port> = true;
template <>
inline constexpr bool is_borrowed<Mount> = true;

}  // namespace detail

/// Ports of a pod's record, which they keep.
using Ports = Range<Port, cri_port>;
/// Mounts of a container's record, which they keep.
using Mounts = Range<Mount, cri_mount>;
/// Numbers of a record, which they keep.
using Numbers = Range<std::int64_t, std::int64_t>;

/// The user of a container's first process. It keeps the record.
class User {
public:
    /// Made from the C struct.
    explicit User(const cri_container* owner) noexcept : owner_(owner) {}

    /// The user id, inside the container's user namespace.
    [[nodiscard]] std::int64_t uid() const noexcept { return owner_->user->uid; }
    /// The group id.
    [[nodiscard]] std::int64_t gid() const noexcept { return owner_->user->gid; }
    /// The supplementary groups.
    [[nodiscard]] Numbers groups() const noexcept { return {owner_, owner_->user->groups, owner_->user->groups_len}; }

private:
    detail::Ref<cri_container> owner_;
};

/// A container's limits; a missing number means that there is no limit. It keeps the record.
class Resources {
public:
    /// Made from the C struct.
    explicit Resources(const cri_container* owner) noexcept : owner_(owner) {}

    /// The CPU weight, in cgroup v1 shares: 1024 for one CPU.
    [[nodiscard]] std::optional<std::int64_t> cpu_shares() const noexcept { return detail::known(raw()->cpu_shares); }
    /// CPU time in each period, in microseconds.
    [[nodiscard]] std::optional<std::int64_t> cpu_quota() const noexcept { return detail::known(raw()->cpu_quota); }
    /// The period, in microseconds.
    [[nodiscard]] std::optional<std::int64_t> cpu_period() const noexcept { return detail::known(raw()->cpu_period); }
    /// The CPUs it may use, e.g. "0-3,7"; "" for all.
    [[nodiscard]] std::string_view cpuset_cpus() const& noexcept { return raw()->cpuset_cpus; }
    std::string_view cpuset_cpus() const&& = delete;
    /// The memory nodes it may use; "" for all.
    [[nodiscard]] std::string_view cpuset_mems() const& noexcept { return raw()->cpuset_mems; }
    std::string_view cpuset_mems() const&& = delete;
    /// The memory limit, in bytes.
    [[nodiscard]] std::optional<std::int64_t> memory_limit() const noexcept { return detail::known(raw()->memory_limit); }
    /// The limit of memory and swap together, in bytes.
    [[nodiscard]] std::optional<std::int64_t> swap_limit() const noexcept { return detail::known(raw()->swap_limit); }
    /// How readily the kernel kills it when memory is short: -1000 to 1000; none while it is unknown.
    [[nodiscard]] std::optional<std::int32_t> oom_score_adj() const noexcept {
        return detail::known(raw()->oom_score_adj, std::numeric_limits<std::int32_t>::min());
    }

private:
    const cri_resources* raw() const noexcept { return owner_->resources; }

    detail::Ref<cri_container> owner_;
};

/// How the previous run ended: the run of the last attempt with the same name in the same pod. It keeps the record.
class Previous {
public:
    /// Made from the C struct.
    explicit Previous(const cri_container* owner) noexcept : owner_(owner) {}

    /// The exit code, if it is known.
    [[nodiscard]] std::optional<std::int32_t> exit_code() const noexcept {
        return detail::known(owner_->previous->exit_code, std::int32_t{-1});
    }
    /// How it ended, in one word, e.g. "OOMKilled".
    [[nodiscard]] std::string_view reason() const& noexcept { return owner_->previous->reason; }
    std::string_view reason() const&& = delete;
    /// When it ended.
    [[nodiscard]] std::optional<Time> finished_at() const noexcept {
        return detail::time(owner_->previous->finished_unix_nano);
    }

private:
    detail::Ref<cri_container> owner_;
};

/// The namespaces of a container's first process: inode numbers of /proc/PID/ns, none if unknown. The kernel reuses a
/// number as soon as its namespace is gone.
struct Namespaces {
    std::optional<std::uint64_t> net;     ///< Network.
    std::optional<std::uint64_t> mnt;     ///< Mounts.
    std::optional<std::uint64_t> pid;     ///< Process ids.
    std::optional<std::uint64_t> ipc;     ///< IPC.
    std::optional<std::uint64_t> uts;     ///< Host name.
    std::optional<std::uint64_t> user;    ///< Users.
    std::optional<std::uint64_t> cgroup;  ///< Cgroups.

    /// None is known.
    Namespaces() noexcept = default;
    /// Made from the C struct.
    explicit Namespaces(const cri_namespaces& raw) noexcept
        : net(detail::known(raw.net)),
          mnt(detail::known(raw.mnt)),
          pid(detail::known(raw.pid)),
          ipc(detail::known(raw.ipc)),
          uts(detail::known(raw.uts)),
          user(detail::known(raw.user)),
          cgroup(detail::known(raw.cgroup)) {}
};

}  // namespace CRIWATCH_MODE
}  // namespace criwatch
