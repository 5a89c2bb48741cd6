// What the programs share that show what dangles: a line that must not compile (DANGLES), because it would borrow from a
// temporary, and its near twin that must (HOLDS). The test compiles each program once with DANGLES empty, silently, and once
// with DANGLES as code: then each such line is an error.

#include <criwatch.hpp>

#ifdef DANGLING
#define DANGLES(...) { __VA_ARGS__ }
#else
#define DANGLES(...)
#endif
#define HOLDS(...) { __VA_ARGS__ }

using namespace criwatch;

template <class... T>
void use(const T&...) {}

