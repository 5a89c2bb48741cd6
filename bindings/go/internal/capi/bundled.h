// Included first in every file: without it the compiler would only miss criwatch.h.
#error "criwatch_bundled is for the published module, which comes with the library (scripts/go-modules); in the source tree use criwatch_static"
