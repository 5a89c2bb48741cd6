// Compiled together with twice.cpp, in each standard, with exceptions and without.

#include <criwatch.hpp>
#include <criwatch.hpp>

bool is_compatible();

int main() {
    const auto watcher = criwatch::Watcher::create("unix:///nowhere/cri.sock");
    return is_compatible() ? 0 : 1;
}
