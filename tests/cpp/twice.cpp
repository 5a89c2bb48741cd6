// The second of two translation units that include the header.

#include <criwatch.hpp>

#if __cplusplus >= 202002L
#include <ranges>
static_assert(std::ranges::input_range<const criwatch::EventQueue>);
static_assert(std::ranges::forward_range<criwatch::Labels> && std::ranges::forward_range<criwatch::Snapshot::Pods>);
#endif

bool is_compatible();
bool is_compatible() {
    const auto options = criwatch::Options::create();
    return criwatch::abi_version() == criwatch::compiled_abi_version && criwatch::to_string(criwatch::State::running) == "running";
}
