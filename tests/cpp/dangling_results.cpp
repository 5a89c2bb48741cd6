// As dangling.cpp, for results.

#define CRIWATCH_NO_EXCEPTIONS
#include "dangling.hpp"

void results(const Watcher& watcher) {
    DANGLES(const std::string_view list = watcher.list()->view(); use(list);)
    HOLDS(const auto list = watcher.list(); use(list->view());)
    DANGLES(const std::string_view list = (*watcher.list()).view(); use(list);)
    HOLDS(const Buffer list = *watcher.list(); use(list.view());)
    DANGLES(Buffer& list = *watcher.list(); use(list);)
    HOLDS(const Buffer& list = *watcher.list(); use(list.view());)  // A value: its lifetime is extended.
    DANGLES(Error& error = watcher.start().error(); use(error);)
    HOLDS(const Error& error = watcher.start().error(); use(error.what());)
    HOLDS(const Error& error = watcher.list().error(); use(error.what());)
    HOLDS(for (const auto container : (*watcher.snapshot()).containers()) use(container.state());)
    HOLDS(const Container app = *(*watcher.snapshot()).find("app"); use(app.name());)
}
