// Engines are found and followed; argv[1] is the endpoint of one.

#include "check.hpp"

#include <cstdlib>
#include <string>
#include <type_traits>

using namespace criwatch;
using namespace std::chrono_literals;

static_assert(std::is_nothrow_move_constructible_v<Finder> && !std::is_copy_constructible_v<Finder>);
static_assert(std::is_nothrow_move_constructible_v<EngineNews> && !std::is_copy_constructible_v<EngineNews>);

int main(int, char** argv) {
    const std::string endpoint = argv[1];
    // A host that has no other engine.
    char root[] = "/tmp/criwatch-cpp-XXXXXX";
    CHECK(mkdtemp(root) != nullptr);
    const Options options{{"host.root", root},
                          {"discover.sockets", endpoint.substr(std::string("unix://").size())},
                          {"discover.interval_ms", "100"}};

    const Buffer found = discover(options, 60s);
    CHECK(found.view().find("\"schema\":\"criwatch.engines/1\"") != std::string_view::npos);
    CHECK(found.view().find(endpoint) != std::string_view::npos);
    CHECK(!discover(0ms).empty());

    const Finder finder(options);
    CHECK(finder.fd() >= 0);
    const auto news = finder.next(60s);
    CHECK(news.has_value());
    if (news) {
        CHECK(news->type() == EngineNewsType::found && to_string(news->type()) == "found");
        CHECK(news->endpoint().view() == endpoint);
        CHECK(news->json().view().find("criwatch.engineNews/1") != std::string_view::npos);
        const Watcher watcher(news->endpoint().str(), options);
        watcher.resync(60s);
    }
    CHECK(!finder.next(0ms).has_value());
    try {
        Finder(Options{{"host.root", "/nowhere/at/all"}});
        CHECK(!"an error");
    } catch (const Error& error) {
        CHECK(error.status() == Status::option);
    }
    std::remove(root);
    return failures != 0;
}
