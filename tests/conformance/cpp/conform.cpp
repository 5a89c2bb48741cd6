// The conformance programme in C++: see ../README.md.

#include "print.hpp"

#include <poll.h>

#include <algorithm>
#include <condition_variable>
#include <functional>
#include <iostream>
#include <map>
#include <mutex>

using namespace criwatch;
using std::chrono::steady_clock;

namespace {

// What a command that needs something answers where there is none.
struct Lacking {
    std::string_view what;
};

template <class T>
T& present(std::optional<T>& thing, std::string_view what) {
    if (!thing) throw Lacking{what};
    return *thing;
}

// A command's line, to be taken word by word.
class Words {
public:
    explicit Words(std::string line) : line_(std::move(line)) {}

    std::string word() {
        const std::size_t end = line_.find(' ');
        std::string first = line_.substr(0, end);
        line_.erase(0, end == std::string::npos ? end : end + 1);
        return first;
    }
    template <class N = long long>
    N number() { return static_cast<N>(std::stoll(word())); }
    Timeout timeout() { return Timeout(number()); }
    const std::string& rest() const { return line_; }
    // nullptr where it says "-".
    const char* given() const { return line_ == "-" ? nullptr : line_.c_str(); }
    bool empty() const { return line_.empty(); }

private:
    std::string line_;
};

// What an event has to be to end a wait.
struct Wanted {
    explicit Wanted(Words& words) : type(words.word()), name(words.word()) {}

    bool is(const EventView& event) const {
        const auto container = event.container();
        return type == to_string(event.type()) && (name == "-" || (container && container->name() == name));
    }

    std::string type, name;
};

// The names of the values from first to last.
template <class E>
void names(E first, E last) {
    std::cout << ' ';
    for (auto value = static_cast<std::uint32_t>(first); value <= static_cast<std::uint32_t>(last); value++)
        std::cout << ' ' << to_string(static_cast<E>(value));
    std::cout << '\n';
}

// The same of bits, by way of a set of them.
template <class E>
void bit_names(E first, E last) {
    std::string text = to_string(criwatch::Set<E>(static_cast<std::underlying_type_t<E>>(
        (static_cast<std::uint64_t>(last) << 1) - static_cast<std::uint64_t>(first))));
    std::replace(text.begin(), text.end(), ',', ' ');
    std::cout << "  " << text << '\n';
}

constexpr Status statuses[] = {
    Status::ok, Status::again, Status::closed, Status::none, Status::invalid_argument, Status::not_found,
    Status::timeout, Status::not_ready, Status::stopped, Status::connect, Status::permission, Status::rpc,
    Status::unsupported, Status::protocol, Status::option, Status::query, Status::ambiguous,
    Status::processless, Status::would_deadlock, Status::forked, Status::os, Status::state, Status::internal,
    Status::panic,
};

const std::pair<std::string_view, std::string> constants[] = {
    {"CRI_EVENT_STARTED", number(EventType::started)},
    {"CRI_EVENT_EXITED", number(EventType::exited)},
    {"CRI_EVENT_UPDATED", number(EventType::updated)},
    {"CRI_EVENT_STATE", number(EventType::state)},
    {"CRI_EVENT_REPLAY_BEGIN", number(EventType::replay_begin)},
    {"CRI_EVENT_REPLAY_END", number(EventType::replay_end)},
    {"CRI_EVENT_OVERFLOW", number(EventType::overflow)},
    {"CRI_EVENT_CREATED", number(EventType::created)},
    {"CRI_EVENT_REMOVED", number(EventType::removed)},
    {"CRI_EVENT_LOG", number(EventType::log)},
    {"CRI_EVENT_FLAG_SYNTHETIC", number(EventFlag::synthetic)},
    {"CRI_EVENT_FLAG_INITIAL", number(EventFlag::initial)},
    {"CRI_EVENT_FLAG_REAPPEARED", number(EventFlag::reappeared)},
    {"CRI_EVENT_FLAG_NEVER_STARTED", number(EventFlag::never_started)},
    {"CRI_EVENT_FLAG_PROVISIONAL", number(EventFlag::provisional)},
    {"CRI_EVENT_FLAG_WITNESSED", number(EventFlag::witnessed)},
    {"CRI_EVENT_FLAG_CONFIRMED", number(EventFlag::confirmed)},
    {"CRI_SUBSCRIBE_LIVE_ONLY", number(SubscribeFlag::live_only)},
    {"CRI_INSPECT_REQUIRE_PROCESS", number(InspectFlag::require_process)},
    {"CRI_INSPECT_SHOW_ENV", number(InspectFlag::show_env)},
    {"CRI_INSPECT_SEPARATE_ANNOTATIONS", number(InspectFlag::separate_annotations)},
    {"CRI_KIND_CONTAINER", number(Kind::container)},
    {"CRI_KIND_SANDBOX", number(Kind::sandbox)},
    {"CRI_STATE_UNKNOWN", number(State::unknown)},
    {"CRI_STATE_CREATED", number(State::created)},
    {"CRI_STATE_RUNNING", number(State::running)},
    {"CRI_STATE_EXITED", number(State::exited)},
    {"CRI_POD_UNKNOWN", number(PodState::unknown)},
    {"CRI_POD_READY", number(PodState::ready)},
    {"CRI_POD_NOT_READY", number(PodState::not_ready)},
    {"CRI_POD_FLAG_HOST_NETWORK", number(PodFlag::host_network)},
    {"CRI_POD_FLAG_OWN_NETWORK", number(PodFlag::own_network)},
    {"CRI_POD_FLAG_HOST_PID", number(PodFlag::host_pid)},
    {"CRI_POD_FLAG_OWN_PID", number(PodFlag::own_pid)},
    {"CRI_POD_FLAG_HOST_IPC", number(PodFlag::host_ipc)},
    {"CRI_POD_FLAG_OWN_IPC", number(PodFlag::own_ipc)},
    {"CRI_POD_FLAG_STATIC", number(PodFlag::static_pod)},
    {"CRI_POD_FLAG_NOT_STATIC", number(PodFlag::not_static)},
    {"CRI_MISSING_PID", number(Missing::pid)},
    {"CRI_MISSING_POD", number(Missing::pod)},
    {"CRI_MISSING_STARTED_AT", number(Missing::started_at)},
    {"CRI_MISSING_EXIT", number(Missing::exit)},
    {"CRI_CHANGED_PID", number(Changed::pid)},
    {"CRI_CHANGED_POD", number(Changed::pod)},
    {"CRI_CHANGED_STARTED_AT", number(Changed::started_at)},
    {"CRI_CHANGED_EXIT", number(Changed::exit)},
    {"CRI_CHANGED_STATE", number(Changed::state)},
    {"CRI_CHANGED_LABELS", number(Changed::labels)},
    {"CRI_CHANGED_RUCKSACK", number(Changed::rucksack)},
    {"CRI_CHANGED_IMAGE", number(Changed::image)},
    {"CRI_CHANGED_DETAILS", number(Changed::details)},
    {"CRI_CONTAINER_FLAG_TEXT_REPAIRED", number(ContainerFlag::text_repaired)},
    {"CRI_CONTAINER_FLAG_LABELS_CUT", number(ContainerFlag::labels_cut)},
    {"CRI_CONTAINER_FLAG_UNREADABLE", number(ContainerFlag::unreadable)},
    {"CRI_CONTAINER_FLAG_PRIVILEGED", number(ContainerFlag::privileged)},
    {"CRI_CONTAINER_FLAG_UNPRIVILEGED", number(ContainerFlag::unprivileged)},
    {"CRI_MOUNT_FLAG_READ_ONLY", number(MountFlag::read_only)},
    {"CRI_WATCHER_NEW", number(WatcherState::fresh)},
    {"CRI_WATCHER_CONNECTING", number(WatcherState::connecting)},
    {"CRI_WATCHER_SYNCING", number(WatcherState::syncing)},
    {"CRI_WATCHER_WATCHING", number(WatcherState::watching)},
    {"CRI_WATCHER_POLLING", number(WatcherState::polling)},
    {"CRI_WATCHER_BACKOFF", number(WatcherState::backoff)},
    {"CRI_WATCHER_STOPPED", number(WatcherState::stopped)},
    {"CRI_ENGINE_FOUND", number(EngineNewsType::found)},
    {"CRI_ENGINE_CHANGED", number(EngineNewsType::changed)},
    {"CRI_ENGINE_LOST", number(EngineNewsType::lost)},
    {"CRI_LOG_ERROR", number(LogLevel::error)},
    {"CRI_LOG_WARN", number(LogLevel::warn)},
    {"CRI_LOG_INFO", number(LogLevel::info)},
    {"CRI_LOG_DEBUG", number(LogLevel::debug)},
    {"CRI_NAMESPACE_CGROUP", number(NamespaceKind::cgroup)},
    {"CRI_NAMESPACE_IPC", number(NamespaceKind::ipc)},
    {"CRI_NAMESPACE_MNT", number(NamespaceKind::mnt)},
    {"CRI_NAMESPACE_NET", number(NamespaceKind::net)},
    {"CRI_NAMESPACE_PID", number(NamespaceKind::pid)},
    {"CRI_NAMESPACE_USER", number(NamespaceKind::user)},
    {"CRI_NAMESPACE_UTS", number(NamespaceKind::uts)},
    {"CRI_ENGINE_TYPE", quoted(engine_type)},
    {"CRI_LABEL_POD_NAME", quoted(label_pod_name)},
    {"CRI_LABEL_POD_NAMESPACE", quoted(label_pod_namespace)},
    {"CRI_LABEL_POD_UID", quoted(label_pod_uid)},
    {"CRI_LABEL_CONTAINER_NAME", quoted(label_container_name)},
    {"CRI_LABEL_SANDBOX", quoted(label_sandbox)},
    {"CRI_ANNOTATION_KEY_PREFIX", quoted(annotation_key_prefix)},
};

std::string answer(Status status) {
    return status == Status::ok ? "ok" : std::string(to_string(status).substr(std::string_view("CRI_").size()));
}

// A programme's state, and its commands.
class Programme {
public:
    // Does what a line says; the last line of the answer. The others are printed.
    std::string run(Words words) {
        const auto command = commands_.find(words.word());
        return command == commands_.end() ? "unsupported" : command->second(words);
    }

private:
    using Command = std::function<std::string(Words&)>;

    static std::string json(const Buffer& text) {
        if (text.empty()) return answer(Status::none);
        std::cout << "  " << text.view() << '\n';
        return "ok";
    }

    Watcher& watcher() { return present(watcher_, "watcher"); }
    EventQueue& queue() { return present(queue_, "queue"); }
    Snapshot& snapshot() { return present(snapshot_, "snapshot"); }

    std::string free() {
        queue_.reset();
        snapshot_.reset();
        watcher_.reset();
        return "ok";
    }

    std::string make(Words& words) {
        free();
        const std::string endpoint = words.word();
        Options options;
        while (!words.empty()) {
            const std::string pair = words.word();
            const std::size_t equals = pair.find('=');
            options.set(pair.substr(0, equals), pair.substr(equals + 1));
        }
        watcher_.emplace(endpoint == "-" ? nullptr : endpoint.c_str(), options);
        return "ok";
    }

    std::string inspect(Words& words) {
        const InspectFlags flags(words.number<std::uint32_t>());
        const Timeout timeout = words.timeout();
        return json(watcher().inspect(words.rest(), timeout, flags));
    }

    std::string call(Words& words) {
        const std::string method = words.word();
        const Timeout timeout = words.timeout();
        return json(watcher().call(method, words.given(), timeout));
    }

    std::string take_snapshot() {
        snapshot_ = watcher().snapshot();
        for (const Container container : snapshot_->containers()) print(std::cout, container);
        for (const Pod pod : snapshot_->pods()) print(std::cout, pod);
        return "ok";
    }

    std::string make_queue(Words& words) {
        const EventTypes types(words.number<std::uint32_t>());
        const SubscribeFlags flags(words.number<std::uint32_t>());
        queue_.reset();
        seq_ = 0;
        queue_ = watcher().queue(types, flags, words.number<std::size_t>());
        return "ok";
    }

    // Takes one event, and prints it.
    Next take(Timeout timeout) {
        Next next = queue().next(timeout);
        if (next) print(std::cout, *next, seq_);
        return next;
    }

    std::string until(Words& words) {
        const Wanted last(words);
        const auto deadline = steady_clock::now() + words.timeout();
        for (;;) {
            const auto left = std::chrono::duration_cast<Timeout>(deadline - steady_clock::now());
            Next next = take(std::max(left, Timeout::zero()));
            if (!next || last.is(*next)) return answer(next.status());
        }
    }

    std::string wait_fd(Words& words) {
        pollfd fd{queue().fd(), POLLIN, 0};
        return answer(poll(&fd, 1, words.number<int>()) > 0 ? Status::ok : Status::again);
    }

    std::string callback(Words& words) {
        struct Shared {
            std::mutex lock;
            std::condition_variable changed;
            bool found = false;
        };
        const auto shared = std::make_shared<Shared>();
        const std::weak_ptr<int> captured = captured_ = std::make_shared<int>();
        const EventTypes types(words.number<std::uint32_t>());
        const SubscribeFlags flags(words.number<std::uint32_t>());
        const Wanted last(words);
        const Timeout timeout = words.timeout();
        Subscription subscription = watcher().subscribe(
            [shared, last, alive = std::move(captured_), seq = std::uint64_t{0}](const EventView& event) mutable {
                const std::lock_guard guard(shared->lock);
                if (shared->found) return;
                print(std::cout, event, seq);
                shared->found = last.is(event);
                shared->changed.notify_one();
            },
            types, flags);
        std::unique_lock guard(shared->lock);
        const bool found = shared->changed.wait_for(guard, timeout, [&] { return shared->found; });
        shared->found = true;  // What comes now is not printed.
        guard.unlock();
        subscription.reset();
        if (!found) return answer(Status::again);
        return captured.expired() ? "ok destroyed=1" : "ok destroyed=0";
    }

    std::optional<Watcher> watcher_;
    std::optional<EventQueue> queue_;
    std::optional<Snapshot> snapshot_;
    std::optional<Container> kept_;
    std::shared_ptr<int> captured_;
    std::uint64_t seq_ = 0;

    const std::map<std::string, Command> commands_ = {
        {"version", [](Words&) {
            return "ok abi=" + number(abi_version()) + " number=" + number(version_number()) + " version=" + std::string(version());
        }},
        {"constants", [](Words&) {
            std::cout << "  CRI_ABI_VERSION=" << compiled_abi_version << '\n';
            for (const Status status : statuses) std::cout << "  " << to_string(status) << '=' << number(status) << '\n';
            for (const auto& [name, value] : constants) std::cout << "  " << name << '=' << value << '\n';
            return "ok";
        }},
        {"statuses", [](Words&) {
            for (const Status status : statuses) std::cout << "  " << number(status) << ' ' << to_string(status) << '\n';
            return "ok";
        }},
        {"names", [](Words&) {
            names(EventType::started, EventType::log);
            bit_names(EventFlag::synthetic, EventFlag::confirmed);
            names(Kind::container, Kind::sandbox);
            names(State::unknown, State::exited);
            names(PodState::unknown, PodState::not_ready);
            bit_names(PodFlag::host_network, PodFlag::not_static);
            bit_names(Missing::pid, Missing::exit);
            bit_names(Changed::pid, Changed::details);
            bit_names(ContainerFlag::text_repaired, ContainerFlag::unprivileged);
            bit_names(MountFlag::read_only, MountFlag::read_only);
            names(WatcherState::fresh, WatcherState::stopped);
            names(EngineNewsType::found, EngineNewsType::lost);
            names(LogLevel::error, LogLevel::debug);
            names(NamespaceKind::cgroup, NamespaceKind::uts);
            return "ok";
        }},
        {"options", [](Words&) { return json(Options::describe()); }},
        {"new", [this](Words& words) { return make(words); }},
        {"free", [this](Words&) { return free(); }},
        {"start", [this](Words&) { return watcher().start(), "ok"; }},
        {"stop", [this](Words&) { return watcher().stop(), "ok"; }},
        {"wait-ready", [this](Words& words) { return watcher().wait_ready(words.timeout()), "ok"; }},
        {"resync", [this](Words& words) { return watcher().resync(words.timeout()), "ok"; }},
        {"state", [this](Words&) { return "ok " + std::string(to_string(watcher().state())); }},
        {"generation", [this](Words&) { return watcher().generation() == 0 ? "ok zero" : "ok nonzero"; }},
        {"list", [this](Words& words) { return json(watcher().list(words.given())); }},
        {"pods", [this](Words& words) { return json(watcher().pods(words.given())); }},
        {"get", [this](Words& words) { return json(watcher().get(words.rest())); }},
        {"engine", [this](Words&) { return json(watcher().engine_info()); }},
        {"stats", [this](Words&) { return json(watcher().stats()); }},
        {"inspect", [this](Words& words) { return inspect(words); }},
        {"call", [this](Words& words) { return call(words); }},
        {"attach", [this](Words& words) {
            const std::string name = words.word();
            return watcher().attach(name, words.given()), "ok";
        }},
        {"snapshot", [this](Words&) { return take_snapshot(); }},
        {"find", [this](Words& words) { return print(std::cout, snapshot().find(words.rest())), "ok"; }},
        {"keep", [this](Words& words) { return kept_ = snapshot().find(words.rest()), "ok"; }},
        {"kept", [this](Words&) { return print(std::cout, present(kept_, "record")), "ok"; }},
        {"queue", [this](Words& words) { return make_queue(words); }},
        {"next", [this](Words& words) { return answer(take(words.timeout()).status()); }},
        {"until", [this](Words& words) { return until(words); }},
        {"wait-fd", [this](Words& words) { return wait_fd(words); }},
        {"drop", [this](Words&) { return queue(), queue_.reset(), "ok"; }},
        {"callback", [this](Words& words) { return callback(words); }},
    };
};

std::string answer(Programme& programme, const std::string& line) {
    try {
        return programme.run(Words(line));
    } catch (const Lacking& lacking) {
        return "CRI_E_INVALID_ARGUMENT grpc=-1 os=0 retriable=0 \"no " + std::string(lacking.what) + '"';
    } catch (const Error& error) {
        return std::string(to_string(error.status())) + " grpc=" + std::to_string(error.grpc_code()) +
               " os=" + std::to_string(error.os_code()) + " retriable=" + (error.is_retriable() ? "1 " : "0 ") +
               quoted(error.what());
    }
}

}  // namespace

int main() {
    Programme programme;
    for (std::string line; std::getline(std::cin, line) && line != "quit";)
        std::cout << answer(programme, line) << std::endl;
    std::cout << "ok" << std::endl;
}
