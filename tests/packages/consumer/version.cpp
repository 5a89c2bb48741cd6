// What is included is the installed header, and what is called the installed library.
#include <criwatch.hpp>
#include <iostream>

int main()
{
    std::cout << cri_version() << '\n';
}
