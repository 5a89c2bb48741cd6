// Whatever comes out of a temporary snapshot owns what it shows: two threads take snapshots of a cache that changes all the
// time, and one of them walks them as temporaries. AddressSanitizer and valgrind are the judges.

#include "check.hpp"

#include <atomic>
#include <cstdlib>
#include <optional>
#include <thread>

using namespace criwatch;
using namespace std::chrono_literals;

static std::size_t bytes = 0;

// A thread that takes snapshots and drops them, so that no snapshot is kept by another holder.
static void take(const Watcher& watcher, const std::atomic<bool>& is_over) {
    while (!is_over) static_cast<void>(watcher.snapshot());
}

// A function, so that nothing but the records keeps what they show.
static auto app_of(const Watcher& watcher) { return watcher.snapshot().find("app"); }

static void walk(const Watcher& watcher) {
    for (const auto container : watcher.snapshot().containers()) {
        bytes += container.id().size() + container.name().size() + container.image().size();
        if (const auto pod = container.pod()) bytes += pod->name().size() + pod->pod_namespace().size();
        for (const auto label : container.labels()) bytes += label.key.size() + label.value.size();
    }
    for (const auto pod : watcher.snapshot().pods()) {
        for (const auto ip : pod.ips()) bytes += ip.size();
        for (const auto label : pod.labels()) bytes += label.key.size() + label.value.size();
    }
    const auto app = watcher.snapshot().find("app");
    bytes += app.id().size() + app.image().size();
    for (const auto label : watcher.snapshot().find("app").labels()) bytes += label.value.size();
    for (const auto label : app_of(watcher).annotations()) bytes += label.value.size();
    const auto pod = app_of(watcher).pod();
    CHECK(pod && pod->name() == "web");
    for (const auto label : pod->labels()) bytes += label.value.size();
}

// The same of events: what a queue gives may be taken apart at once.
static std::optional<decltype(std::declval<const Watcher&>().snapshot().find("app"))> first_container(const EventQueue& queue) {
    for (;;)
        if (auto container = (*queue.next()).container()) return container;
}

int main(int, char** argv) {
    tell("pod web ns=shop label=tier=front annotation=a=b app");
    const Watcher watcher(argv[1]);
    const EventQueue queue = watcher.queue();
    watcher.start();
    watcher.wait_ready(60s);
    std::atomic<bool> is_over = false;
    std::thread taker([&] { take(watcher, is_over); });
    std::thread walker([&] { while (!is_over) walk(watcher); });
    const int rounds = std::getenv("SHORT") != nullptr ? 8 : 40;  // Under valgrind.
    for (int i = 0; i < rounds; i++) {
        tell("pod other ns=shop label=n=" + std::to_string(i) + " one two three");
        tell("rm-pod shop/other");
    }
    is_over = true;
    taker.join();
    walker.join();
    const auto kept = first_container(queue);
    CHECK(bytes > 0 && kept && kept->pod() && kept->pod()->name() == "web");
    return failures != 0;
}
