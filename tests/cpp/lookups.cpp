// From a pid, a cgroup, a namespace or a name to the container, and what there is when there is none.

#include "check.hpp"

#include <cstdint>
#include <limits>
#include <string>
#include <type_traits>
#include <vector>

using namespace criwatch;
using namespace std::chrono_literals;

static_assert(std::is_copy_constructible_v<Lookup> && std::is_nothrow_move_constructible_v<Lookup>);

static constexpr std::int32_t no_pid = std::numeric_limits<std::int32_t>::max();

template <class Call>
static void fails(Status status, Call&& call) {
    try {
        call();
        CHECK(!"an error");
    } catch (const Error& error) {
        CHECK(error.status() == status);
    }
}

static void too_early(const char* endpoint) {
    const Watcher watcher(endpoint);
    fails(Status::not_ready, [&] { static_cast<void>(watcher.find("app")); });
    fails(Status::not_ready, [&] { static_cast<void>(watcher.lookup_pid(1)); });
    fails(Status::not_ready, [&] { static_cast<void>(watcher.lookup_cgroup(1)); });
}

static bool is(const Lookup& lookup, const Container& container) { return lookup && lookup->id() == container.id(); }

static void in_a_snapshot(const Snapshot& snapshot) {
    const Container app = snapshot.find("app");
    const std::int32_t pid = app.pid().value_or(0);
    const std::uint64_t ticks = app.pid_start_ticks().value_or(0);
    CHECK(pid > 0 && ticks > 0);

    const Lookup found = snapshot.find_pid(pid, ticks);
    CHECK(found && found.status() == Status::ok && found->id() == app.id() && (*found).raw() == app.raw());
    CHECK(snapshot.find_pid(pid, ticks + 1).status() == Status::not_found);
    const Lookup idle = snapshot.find_pid(0);
    CHECK(!idle && idle.is_none() && idle.status() == Status::none);
    const Lookup gone = snapshot.find_pid(no_pid);
    CHECK(!gone && !gone.is_none() && gone.status() == Status::not_found);
    fails(Status::invalid_argument, [&] { static_cast<void>(snapshot.find_pid(-1)); });

    const std::vector<Lookup> many = snapshot.find_pids({pid, 0, no_pid, -1}, {ticks, 0, 0, 0});
    CHECK(many.size() == 4 && is(many[0], app));
    CHECK(many[1].is_none() && many[2].status() == Status::not_found && many[3].status() == Status::invalid_argument);
    CHECK(snapshot.find_pids({0, no_pid}).size() == 2 && snapshot.find_pids({}).empty());
    fails(Status::invalid_argument, [&] { static_cast<void>(snapshot.find_pids({1, 2}, {3})); });

    // Without a cgroup of its own, a container of the simulated engine has none to be found by.
    std::vector<std::uint64_t> ids{std::numeric_limits<std::uint64_t>::max()};
    if (app.cgroup_id()) {
        CHECK(is(snapshot.find_cgroup(*app.cgroup_id()), app));
        ids.push_back(*app.cgroup_id());
    }
    const std::vector<Lookup> cgroups = snapshot.find_cgroups(ids);
    CHECK(cgroups.size() == ids.size() && !cgroups[0] && (ids.size() == 1 || is(cgroups[1], app)));
    CHECK(snapshot.find_cgroups({}).empty());
    try {
        CHECK(snapshot.find_cgroup(ids[0]).status() == cgroups[0].status());
    } catch (const Error& error) {  // Where the kernel or the host refuses the answer.
        CHECK(error.status() == cgroups[0].status());
    }

    const std::string path = "/kubepods/pod1/" + std::string(app.id()) + "/and/more";
    CHECK(is(snapshot.find_cgroup_path(path), app));
    CHECK(is(snapshot.find_cgroup_path(std::string_view(path).substr(0, path.size() - 2)), app));
    CHECK(snapshot.find_cgroup_path({}).is_none() && snapshot.find_cgroup_path("/init.scope").is_none());

    std::size_t sharing = 0;
    CHECK(snapshot.find_namespace(NamespaceKind::mnt, 7, &sharing).status() == Status::not_found && sharing == 0);
    CHECK(snapshot.find_namespace(NamespaceKind::uts, 0xEFFFFFFE).is_none());
    fails(Status::invalid_argument, [&] { static_cast<void>(snapshot.find_namespace(static_cast<NamespaceKind>(99), 7)); });
}

// What a watcher finds is kept beyond it.
static std::vector<Container> in_a_watcher(const Watcher& watcher) {
    std::vector<Container> kept{watcher.find("shop/web/app")};
    fails(Status::not_found, [&] { static_cast<void>(watcher.find("nobody")); });
    const std::int32_t pid = kept[0].pid().value_or(0);
    kept.push_back(*watcher.lookup_pid(pid, kept[0].pid_start_ticks().value_or(0), 60s));
    CHECK(kept[1].id() == kept[0].id());
    CHECK(watcher.lookup_pid(0).is_none() && watcher.lookup_pid(no_pid).status() == Status::not_found);
    fails(Status::invalid_argument, [&] { static_cast<void>(watcher.lookup_pid(-1)); });
    try {
        CHECK(!watcher.lookup_cgroup(std::numeric_limits<std::uint64_t>::max(), 0ms));
    } catch (const Error& error) {
        CHECK(error.status() == Status::permission || error.status() == Status::unsupported || error.status() == Status::os);
    }
    if (const auto id = kept[0].cgroup_id()) kept.push_back(*watcher.lookup_cgroup(*id, 60s));
    CHECK(kept.back().id() == kept[0].id());
    return kept;
}

static std::string attribute(const Attributes& attributes, std::string_view key) {
    for (const Label attribute : attributes)
        if (attribute.key == key) return std::string(attribute.value);
    return "none";
}

static void attributes(std::vector<Container> kept) {
    const Attributes otel = kept.back().attributes("otel");
    const Attributes again = kept.back().attributes("otel");
    const std::string id(kept.back().id());
    fails(Status::invalid_argument, [&] { static_cast<void>(kept.back().attributes("prometheus")); });
    CHECK(attribute(kept.back().attributes("falco"), "container.id") == id.substr(0, 12));
    CHECK(!kept.back().attributes("ecs").empty());
    kept.clear();
    CHECK(attribute(otel, "k8s.namespace.name") == "shop" && attribute(otel, "container.id") == id);
    CHECK(otel.size() == again.size() && attribute(otel, "no.such") == "none");
}

int main(int, char** argv) {
    tell("pod web ns=shop app");
    too_early(argv[1]);
    std::vector<Container> kept;
    {
        const Watcher watcher(argv[1]);
        watcher.start();
        watcher.wait_ready(60s);
        in_a_snapshot(watcher.snapshot());
        kept = in_a_watcher(watcher);
    }
    attributes(std::move(kept));
    return failures != 0;
}
