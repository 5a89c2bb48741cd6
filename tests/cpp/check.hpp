// What the C++ tests share: a check that says where it failed and goes on, and the simulated engine. Complaints go to stderr:
// what is written to stdout is for the engine.
#pragma once

#include <criwatch.hpp>

#include <chrono>
#include <condition_variable>
#include <iostream>
#include <mutex>
#include <string>

inline int failures = 0;

#define CHECK(condition) check(static_cast<bool>(condition), #condition, __FILE__, __LINE__)

inline void check(bool holds, const char* condition, const char* file, int line) {
    if (holds) return;
    failures++;
    std::cerr << file << ':' << line << ": not so: " << condition << '\n';
}

// Has the simulated engine do what one line of its script says; what it answers.
inline std::string tell(const std::string& line) {
    std::cout << line << std::endl;
    std::string answer;
    CHECK(std::getline(std::cin, answer) && answer.rfind("ok ", 0) == 0);
    return answer;
}

// Something that happens once, and can be waited for.
class Signal {
public:
    void set() {
        const std::lock_guard guard(lock_);
        is_set_ = true;
        changed_.notify_all();
    }
    bool wait() {
        std::unique_lock guard(lock_);
        return changed_.wait_for(guard, std::chrono::seconds(60), [this] { return is_set_; });
    }

private:
    std::mutex lock_;
    std::condition_variable changed_;
    bool is_set_ = false;
};
