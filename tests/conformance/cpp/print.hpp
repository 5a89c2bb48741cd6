// The lines of tests/conformance/README.md, in C++.
#pragma once

#include <criwatch.hpp>

#include <ostream>
#include <string>
#include <type_traits>

inline std::string quoted(std::string_view text) {
    static constexpr char digits[] = "0123456789abcdef";
    std::string out = "\"";
    for (const char c : text) {
        if (c == '"' || c == '\\')
            out.append(1, '\\').append(1, c);
        else if (static_cast<unsigned char>(c) < 0x20)
            out.append("\\x").append(1, digits[c >> 4]).append(1, digits[c & 15]);
        else
            out.append(1, c);
    }
    return out + '"';
}

// A number or an enumeration's value, in decimal.
template <class N>
std::string number(N value) {
    if constexpr (std::is_enum_v<N>)
        return std::to_string(static_cast<std::underlying_type_t<N>>(value));
    else
        return std::to_string(value);
}

template <class E>
std::string bits(criwatch::Set<E> set) {
    const std::string text = to_string(set);
    return text.empty() ? "-" : text;
}

// `"a","b"`: what `show` makes of each, joined by commas.
template <class Range, class Show>
std::string joined(const Range& range, Show show) {
    std::string text;
    for (const auto& each : range) text += (text.empty() ? "" : ",") + show(each);
    return text;
}

inline std::string shown(const criwatch::Labels& labels) {
    return '{' + joined(labels, [](const criwatch::Label& l) { return quoted(l.key) + '=' + quoted(l.value); }) + '}';
}

inline std::int64_t nanoseconds(std::optional<criwatch::Time> time) {
    return time ? time->time_since_epoch().count() : 0;
}

inline std::string shown(const criwatch::Strings& texts) { return '[' + joined(texts, quoted) + ']'; }

inline std::string shown(const criwatch::Mounts& mounts) {
    const auto one = [](const criwatch::Mount& m) {
        return quoted(m.container_path) + '=' + quoted(m.host_path) + ':' + bits(m.flags);
    };
    return '[' + joined(mounts, one) + ']';
}

inline std::string shown(const criwatch::Ports& ports) {
    const auto one = [](const criwatch::Port& p) {
        return quoted(p.container) + '/' + quoted(p.name) + ':' + number(p.container_port) + ':' +
               number(p.host_port.value_or(0)) + '/' + quoted(p.protocol);
    };
    return '[' + joined(ports, one) + ']';
}

inline std::string shown(const std::optional<criwatch::User>& user) {
    if (!user) return "-";
    const auto one = [](std::int64_t group) { return number(group); };
    return number(user->uid()) + ':' + number(user->gid()) + ":[" + joined(user->groups(), one) + ']';
}

inline std::string shown(const std::optional<criwatch::Resources>& r) {
    if (!r) return "-";
    const auto limit = [](std::optional<std::int64_t> value) { return number(value.value_or(0)); };
    return "{shares=" + limit(r->cpu_shares()) + " quota=" + limit(r->cpu_quota()) + " period=" + limit(r->cpu_period()) +
           " cpus=" + quoted(r->cpuset_cpus()) + " mems=" + quoted(r->cpuset_mems()) + " memory=" + limit(r->memory_limit()) +
           " swap=" + limit(r->swap_limit()) + " oom=" + (r->oom_score_adj() ? number(*r->oom_score_adj()) : "-") + '}';
}

inline std::string shown(const std::optional<criwatch::Previous>& previous) {
    if (!previous) return "-";
    return "{exit=" + number(previous->exit_code().value_or(-1)) + " reason=" + quoted(previous->reason()) +
           " finished=" + number(nanoseconds(previous->finished_at())) + '}';
}

inline std::string shown(const criwatch::Namespaces& n) {
    std::string text;
    bool is_known = false;
    const auto add = [&](std::string_view key, std::optional<std::uint64_t> inode) {
        text.append(text.empty() ? "{" : " ").append(key).append("=").append(number(inode.value_or(0)));
        is_known = is_known || inode;
    };
    add("net", n.net), add("mnt", n.mnt), add("pid", n.pid), add("ipc", n.ipc), add("uts", n.uts), add("user", n.user);
    add("cgroup", n.cgroup);
    return is_known ? text + '}' : "-";
}

inline void print(std::ostream& out, const criwatch::Pod& p) {
    out << "  pod id=" << quoted(p.id()) << " name=" << quoted(p.name()) << " namespace=" << quoted(p.pod_namespace())
        << " uid=" << quoted(p.uid()) << " attempt=" << p.attempt() << " state=" << to_string(p.state())
        << " flags=" << bits(p.flags()) << " ips=" << shown(p.ips()) << " labels=" << shown(p.labels())
        << " annotations=" << shown(p.annotations()) << " cgroup=" << quoted(p.cgroup_path())
        << " created=" << nanoseconds(p.created_at()) << " handler=" << quoted(p.runtime_handler())
        << " net=" << p.net_namespace().value_or(0) << " ports=" << shown(p.ports()) << '\n';
}

inline void print(std::ostream& out, const criwatch::Container& c) {
    out << "  container kind=" << to_string(c.kind()) << " state=" << to_string(c.state())
        << " flags=" << bits(c.flags()) << " attempt=" << c.attempt() << " id=" << quoted(c.id()) << " name=" << quoted(c.name())
        << " pod=" << (c.pod() ? quoted(c.pod()->id()) : "-") << " pid=" << c.pid().value_or(0)
        << " ticks=" << (c.pid_start_ticks() ? "yes" : "no") << " exit=" << c.exit_code().value_or(-1)
        << " missing=" << bits(c.missing()) << " image=" << quoted(c.image()) << " image_ref=" << quoted(c.image_ref())
        << " image_id=" << quoted(c.image_id()) << " reason=" << quoted(c.reason()) << " message=" << quoted(c.message())
        << " cgroup=" << quoted(c.cgroup_path()) << " created=" << nanoseconds(c.created_at())
        << " started=" << nanoseconds(c.started_at()) << " finished=" << nanoseconds(c.finished_at())
        << " labels=" << shown(c.labels()) << " annotations=" << shown(c.annotations())
        << " rucksack=" << quoted(c.rucksack()) << " engine_pid=" << c.engine_pid().value_or(0)
        << " cgroup_id=" << c.cgroup_id().value_or(0) << " namespaces=" << shown(c.namespaces())
        << " repository=" << quoted(c.image_repository()) << " tag=" << quoted(c.image_tag())
        << " digest=" << quoted(c.image_digest()) << " log_path=" << quoted(c.log_path()) << " command=" << shown(c.command())
        << " args=" << shown(c.args()) << " working_dir=" << quoted(c.working_dir()) << " user=" << shown(c.user())
        << " mounts=" << shown(c.mounts()) << " resources=" << shown(c.resources()) << " previous=" << shown(c.previous())
        << '\n';
}

// `seq` is that of the event before, 0 for none, and becomes this one's.
inline void print(std::ostream& out, const criwatch::EventView& e, std::uint64_t& seq) {
    const auto level = e.log_level();
    out << "  event type=" << to_string(e.type()) << " flags=" << bits(e.flags()) << " changed=" << bits(e.changed())
        << " lost=" << e.lost() << " state=" << to_string(e.watcher_state()) << " level=" << (level ? number(*level) : "0")
        << " time=" << (e.time() != criwatch::Time() ? "yes" : "no") << " seq="
        << (e.seq() > seq ? "grows" : std::to_string(e.seq()) + " after " + std::to_string(seq))
        << " message=" << quoted(e.message()) << '\n';
    seq = e.seq();
    if (const auto container = e.container()) {
        print(out, *container);
        if (const auto pod = container->pod()) print(out, *pod);
    }
}
