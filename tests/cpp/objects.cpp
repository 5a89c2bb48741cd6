// Errors, moves, records and queues, with exceptions.

#include "check.hpp"

#include <algorithm>
#include <thread>
#include <type_traits>
#include <vector>

using namespace criwatch;
using namespace std::chrono_literals;

template <class T>
constexpr bool is_moved_only = std::is_nothrow_move_constructible_v<T> && std::is_nothrow_move_assignable_v<T> &&
                               !std::is_copy_constructible_v<T> && !std::is_copy_assignable_v<T>;
static_assert(is_moved_only<Buffer> && is_moved_only<Event> && is_moved_only<EventQueue> && is_moved_only<Options>);
static_assert(is_moved_only<Subscription> && is_moved_only<Watcher>);
template <class T>
constexpr bool is_counted = std::is_nothrow_copy_constructible_v<T> && std::is_nothrow_move_constructible_v<T>;
static_assert(is_counted<Container> && is_counted<Pod> && is_counted<Snapshot>);
static_assert(std::is_copy_constructible_v<Snapshot::Containers> && std::is_nothrow_move_constructible_v<Snapshot::Containers>);
static_assert(!std::is_copy_constructible_v<EventView> && !std::is_copy_constructible_v<Rucksack>);
static_assert((EventType::started | EventType::exited).bits() == 6 && EventTypes().empty());
static_assert((InspectFlag::require_process | InspectFlag::show_env).bits() == 3);

template <class Call>
static void fails(Status status, const std::string& part, Call&& call) {
    try {
        call();
        CHECK(!"an error");
    } catch (const Error& error) {
        CHECK(error.status() == status);
        CHECK(std::string(error.what()).find(part) != std::string::npos);
    }
}

static void errors(const char* endpoint) {
    fails(Status::option, "no.such", [&] { Watcher(endpoint, {{"no.such", "1"}}); });
    fails(Status::option, "never", [] { Options().set("relist.interval_ms", "never"); });
    fails(Status::invalid_argument, "tcp", [] { Watcher("tcp://127.0.0.1:1"); });
    const Watcher watcher(endpoint);
    fails(Status::not_ready, "resync", [&] { static_cast<void>(watcher.list()); });
    fails(Status::state, "start", [&] { watcher.wait_ready(0ms); });
    watcher.resync(60s);
    fails(Status::not_found, "nobody", [&] { static_cast<void>(watcher.get("nobody")); });
    try {
        static_cast<void>(watcher.call("RuntimeService/ContainerStatus", "{\"containerId\":\"nobody\"}", 60s));
        CHECK(!"an error");
    } catch (const std::runtime_error& error) {
        CHECK(dynamic_cast<const Error&>(error).grpc_code() == 5);
    }
    try {
        Watcher("unix:///nowhere/cri.sock").resync(60s);
        CHECK(!"an error");
    } catch (const Error& error) {
        CHECK(error.status() == Status::connect && error.os_code() == 2 && error.is_retriable());
    }
}

static void moves(const char* endpoint) {
    Watcher first(endpoint);
    const Watcher watcher = std::move(first);
    fails(Status::invalid_argument, "watcher", [&] { first.start(); });
    watcher.resync(60s);

    Buffer text = watcher.list();
    const std::string copy(text.view());
    Buffer moved = std::move(text);
    CHECK(text.empty() && moved.view() == copy && copy == moved.c_str());
    text = std::move(moved);
    CHECK(text.view() == copy);

    Snapshot snapshot = watcher.snapshot();
    const Snapshot taken = std::move(snapshot);
    CHECK(snapshot.containers().empty() && snapshot.pods().empty() && snapshot.generation() == 0);
    CHECK(taken.containers().size() == 2 && taken.pods().size() == 1 && taken.generation() == watcher.generation());
    const Snapshot selected = taken.select(R"({"kind":"sandbox"})");
    CHECK(selected.containers().size() == 1 && selected.generation() == taken.generation());
    const Snapshot none = taken.select("{\"ifGeneration\":" + std::to_string(taken.generation()) + "}");
    CHECK(none.containers().empty() && none.generation() == 0);
}

static void records(const char* endpoint) {
    std::vector<Container> kept;
    {
        const Watcher watcher(endpoint, {{"details", "full"}});  // The time of start is there at once.
        watcher.resync(60s);
        const Snapshot snapshot = watcher.snapshot();
        for (const Container container : snapshot.containers()) kept.push_back(container);
        const std::string_view id = kept.back().id();
        const Container found = snapshot.find(id.substr(0, 12));  // A view that does not end in NUL.
        CHECK(found.id() == id);
    }
    // Watcher and snapshot are gone.
    Container copy = kept.back();
    kept.clear();
    CHECK(copy.name() == "app" && copy.state() == State::running && !copy.is_sandbox() && copy.pid() > 0);
    CHECK(!copy.exit_code() && !copy.finished_at() && copy.started_at() >= copy.created_at());
    CHECK(copy.label("tier") == "front" && !copy.label("zzz") && copy.label(label_pod_name) == "web");
    const Labels labels = copy.labels();
    CHECK(labels.get("tier") == "front" && labels.find("zzz") == std::nullopt);
    CHECK(labels.contains(label_pod_name) && labels.get("no", "other") == "other");
    CHECK(std::is_sorted(labels.begin(), labels.end(), [](auto a, auto b) { return a.key < b.key; }));
    CHECK(copy.pod() && copy.pod()->pod_namespace() == "shop" && copy.pod()->label("a") == "1" && !copy.pod()->label("tier"));
    Container other = std::move(copy);
    copy = other;
    other = std::move(copy);
    CHECK(other.name() == "app");
}

static void queues(const char* endpoint) {
    const Watcher watcher(endpoint);
    const EventQueue queue = watcher.queue();
    CHECK(!queue.try_next() && queue.fd() >= 0);
    fails(Status::state, "start", [&] { static_cast<void>(watcher.events()); });
    watcher.start();
    for (const Event& event : watcher.events())
        if (event.type() == EventType::replay_end) break;
    std::vector<Event> events;
    std::thread stopper;
    for (Event& event : queue) {
        if (event.type() == EventType::replay_end) stopper = std::thread([&] { watcher.stop(); });
        events.push_back(std::move(event));
    }
    stopper.join();
    CHECK(queue.next().is_closed() && queue.begin() == queue.end());
    fails(Status::stopped, "stopped", [&] { static_cast<void>(watcher.events()); });
    CHECK(std::is_sorted(events.begin(), events.end(), [](auto& a, auto& b) { return a.seq() < b.seq(); }));
    const auto is_app = [](const Event& event) { return event.container() && event.container()->name() == "app"; };
    const auto app = std::find_if(events.begin(), events.end(), is_app);
    CHECK(app != events.end() && app->type() == EventType::started && app->flags().has(EventFlag::initial));
    CHECK(app->json().str().find("criwatch.event/1") != std::string::npos);
    CHECK(events.back().watcher_state() == WatcherState::stopped && to_string(events.back().type()) == "state");
}

int main(int, char** argv) {
    tell("run-pod web ns=shop label=a=1");
    tell("create shop/web app label=tier=front");
    tell("start shop/web/app");
    errors(argv[1]);
    moves(argv[1]);
    records(argv[1]);
    queues(argv[1]);
    return failures != 0;
}
