// The lines of tests/conformance/README.md, in C++.
#pragma once

#include <criwatch.hpp>

#include <algorithm>
#include <cctype>
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

// A value's name, or its number where this header does not know it.
template <class E>
std::string name(E value) {
    const std::string_view known = to_string(value);
    return known.empty() ? number(value) : std::string(known);
}

inline std::string type_name(criwatch::EventType type) {
    std::string text = name(type);
    std::transform(text.begin(), text.end(), text.begin(), [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
    return text;
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

inline void print(std::ostream& out, const criwatch::Pod& p) {
    out << "  pod id=" << quoted(p.id()) << " name=" << quoted(p.name()) << " namespace=" << quoted(p.pod_namespace())
        << " uid=" << quoted(p.uid()) << " attempt=" << p.attempt() << " state=" << name(p.state())
        << " flags=" << bits(p.flags()) << " ips=[" << joined(p.ips(), quoted) << "] labels=" << shown(p.labels())
        << " annotations=" << shown(p.annotations()) << " cgroup=" << quoted(p.cgroup_path()) << '\n';
}

inline void print(std::ostream& out, const criwatch::Container& c) {
    out << "  container kind=" << name(c.kind()) << " state=" << name(c.state())
        << " attempt=" << c.attempt() << " id=" << quoted(c.id()) << " name=" << quoted(c.name())
        << " pod=" << (c.pod() ? quoted(c.pod()->id()) : "-") << " pid=" << c.pid().value_or(0)
        << " ticks=" << (c.pid_start_ticks() ? "yes" : "no") << " exit=" << c.exit_code().value_or(-1)
        << " missing=" << bits(c.missing()) << " image=" << quoted(c.image()) << " image_ref=" << quoted(c.image_ref())
        << " image_id=" << quoted(c.image_id()) << " reason=" << quoted(c.reason()) << " message=" << quoted(c.message())
        << " cgroup=" << quoted(c.cgroup_path()) << " created=" << nanoseconds(c.created_at())
        << " started=" << nanoseconds(c.started_at()) << " finished=" << nanoseconds(c.finished_at())
        << " labels=" << shown(c.labels()) << " annotations=" << shown(c.annotations())
        << " rucksack=" << quoted(c.rucksack()) << '\n';
}

// `seq` is that of the event before, 0 for none, and becomes this one's.
inline void print(std::ostream& out, const criwatch::EventView& e, std::uint64_t& seq) {
    const auto level = e.log_level();
    out << "  event type=" << type_name(e.type()) << " flags=" << bits(e.flags()) << " changed=" << bits(e.changed())
        << " lost=" << e.lost() << " state=" << name(e.watcher_state()) << " level=" << (level ? number(*level) : "0")
        << " time=" << (e.time() != criwatch::Time() ? "yes" : "no") << " seq="
        << (e.seq() > seq ? "grows" : std::to_string(e.seq()) + " after " + std::to_string(seq))
        << " message=" << quoted(e.message()) << '\n';
    seq = e.seq();
    if (const auto container = e.container()) {
        print(out, *container);
        if (const auto pod = container->pod()) print(out, *pod);
    }
}
