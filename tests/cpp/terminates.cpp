// An exception that leaves a callback ends the program, as one that leaves a std::thread does.

#include "check.hpp"

#include <cstdlib>
#include <exception>

int main(int, char** argv) {
    std::set_terminate([] { std::_Exit(0); });
    const criwatch::Watcher watcher(argv[1]);
    const auto subscription = watcher.subscribe([](const criwatch::EventView&) { throw std::runtime_error("out"); });
    watcher.start();
    Signal never;
    never.wait();
    return 1;
}
