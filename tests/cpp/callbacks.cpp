// Callbacks: when they are called, and how they end.

#include "check.hpp"

#include <atomic>
#include <functional>
#include <memory>
#include <optional>

using namespace criwatch;
using namespace std::chrono_literals;

// The destructor waits for the call under way, and after it the callable is gone.
static void barrier(const Watcher& watcher) {
    std::atomic<int> calls = 0;
    std::atomic<bool> is_inside = false;
    Signal inside;
    auto captured = std::make_unique<int>(1);  // A callable that cannot be copied.
    std::weak_ptr<int> alive;
    {
        auto shared = std::make_shared<int>(2);
        alive = shared;
        const Subscription subscription = watcher.subscribe(
            [&, shared = std::move(shared), captured = std::move(captured)](const EventView&) {
                is_inside = true;
                inside.set();
                calls += *captured;
                is_inside = false;
            });
        CHECK(inside.wait());
        CHECK(!alive.expired());
    }
    CHECK(!is_inside && alive.expired() && calls > 0);
}

// A subscription may end in its own callback, and even own itself.
static void ends_itself(const Watcher& watcher) {
    Signal gone;
    int calls = 0;
    struct AtEnd {
        explicit AtEnd(Signal& signal) : gone(signal) {}
        ~AtEnd() { gone.set(); }
        Signal& gone;
    };
    std::optional<Subscription> subscription;
    Signal is_there;
    subscription = watcher.subscribe([&, at_end = std::make_shared<AtEnd>(gone)](const EventView&) {
        CHECK(is_there.wait());
        calls++;
        subscription.reset();
    });
    is_there.set();
    CHECK(gone.wait() && calls == 1 && !subscription);
}

// A callback that cannot be registered is destroyed all the same.
static void refused() {
    const Watcher stopped("unix:///nowhere/cri.sock");
    stopped.stop();
    const auto captured = std::make_shared<int>();
    try {
        static_cast<void>(stopped.subscribe([captured](const EventView&) {}));
        CHECK(!"an error");
    } catch (const Error& error) {
        CHECK(error.status() == Status::stopped && captured.use_count() == 1);
    }
}

static void caught_inside(const Watcher& watcher) {
    Signal caught;
    const std::function<void(const EventView&)> function = [&](const EventView& event) {
        try {
            if (event.type() == EventType::replay_end) throw std::runtime_error("mine");
            watcher.stop();
        } catch (const Error& error) {
            CHECK(error.status() == Status::would_deadlock);
        } catch (const std::runtime_error&) {
            caught.set();
        }
    };
    const Subscription subscription = watcher.subscribe(function);
    CHECK(caught.wait());
}

int main(int, char** argv) {
    tell("pod web ns=shop app");
    Signal logged;
    {
        // A slow machine packs late: the replay waits for it.
        const Watcher watcher(argv[1], {{"packer.timeout_ms", "60000"}, {"ready.pid_wait_ms", "60000"}});
        watcher.set_log(LogLevel::debug, [&](LogLevel level, std::string_view message) {
            CHECK(!to_string(level).empty() && !message.empty());
            logged.set();
        });
        watcher.set_packer([](std::string_view container, std::string_view inspection, const Rucksack& rucksack) {
            CHECK(container.find("\"name\":") != std::string_view::npos);
            CHECK(inspection.find("criwatch.inspect/1") != std::string_view::npos);
            rucksack.set("{\"packed\":true}");
        });
        watcher.start();
        watcher.wait_ready(60s);
        CHECK(logged.wait());
        const EventQueue queue = watcher.queue(EventType::started);
        for (const Event& event : queue) {
            if (event.container()) CHECK(event.container()->rucksack() == "{\"packed\":true}");
            if (event.type() == EventType::replay_end) break;
        }
        barrier(watcher);
        ends_itself(watcher);
        caught_inside(watcher);
        Subscription survivor = watcher.subscribe([](const EventView&) {});
        Subscription moved = std::move(survivor);
        CHECK(!survivor && moved);
        moved.reset();
        CHECK(!moved);
    }
    refused();
    return failures != 0;
}
