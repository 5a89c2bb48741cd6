// Errors as values.

#define CRIWATCH_NO_EXCEPTIONS
#include "check.hpp"

using namespace criwatch;
using namespace std::chrono_literals;

static void run(const char* endpoint) {
    const Result<Options> bad = Options::create({{"no.such", "1"}});
    CHECK(!bad && bad.error().status() == Status::option);
    Result<Options> options = Options::create({{"relist.interval_ms", "30000"}});
    CHECK(options && options->set("poll.interval_ms", "50"));
    Result<Watcher> made = Watcher::create(endpoint, *options);
    CHECK(made.has_value());
    const Watcher watcher = *std::move(made);
    const Result<Buffer> early = watcher.list();
    CHECK(!early && early.error().status() == Status::not_ready);

    const Result<EventQueue> too_early = watcher.events();
    CHECK(!too_early && too_early.error().status() == Status::state);
    const Result<EventQueue> queue = watcher.queue();
    CHECK(queue && watcher.start() && watcher.wait_ready(60s));
    const Result<Snapshot> snapshot = watcher.snapshot();
    CHECK(snapshot && snapshot->containers().size() == 2);
    const Result<Container> app = snapshot->find("app");
    CHECK(app && app->name() == "app");
    const Result<Container> nobody = snapshot->find("nobody");
    CHECK(!nobody && nobody.error().status() == Status::not_found);

    int starts = 0;
    for (const Event& event : *queue) {
        starts += event.type() == EventType::started;
        if (event.type() == EventType::replay_end) CHECK(watcher.stop());
    }
    CHECK(starts == 2);
    Result<Next> next = queue->next();
    CHECK(next && next->is_closed() && !*next);
    const Result<void> late = watcher.start();
    CHECK(!late && late.error().status() == Status::stopped);
    CHECK(!watcher.subscribe([](const EventView&) {}));
}

int main(int, char** argv) {
    tell("pod web ns=shop app");
    run(argv[1]);
    return failures != 0;
}
