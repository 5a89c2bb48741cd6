// An agent that serves Prometheus: http://127.0.0.1:PORT/metrics, until its input ends. One poll loop, no thread of its own.
// c++ -std=c++17 metrics.cpp $(pkg-config --cflags --libs criwatch) -o metrics && ./metrics PORT [ENDPOINT]

#include <criwatch.hpp>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <cerrno>
#include <deque>
#include <iostream>
#include <map>
#include <optional>
#include <string>
#include <system_error>
#include <tuple>
#include <utility>

using criwatch::Event;
using criwatch::EventType;

namespace {

// A descriptor that closes itself.
class Descriptor {
public:
    explicit Descriptor(int fd) : fd_(fd) {
        if (fd < 0) throw std::system_error(errno, std::generic_category(), "socket");
    }
    Descriptor(const Descriptor&) = delete;
    Descriptor& operator=(const Descriptor&) = delete;
    ~Descriptor() { close(fd_); }
    int get() const { return fd_; }

private:
    int fd_;
};

// ---- The text format of Prometheus ----

std::string escaped(std::string_view value) {
    std::string text;
    for (const char c : value) {
        if (c == '\\' || c == '"')
            text.append(1, '\\').append(1, c);
        else if (c == '\n')
            text += "\\n";
        else
            text += c;
    }
    return text;
}

class Exposition {
public:
    using Labels = std::initializer_list<std::pair<std::string_view, std::string_view>>;

    // Begins a family; its samples follow.
    void family(const std::string& name, std::string_view type, std::string_view help) {
        name_ = name;
        text_.append("# HELP ").append(name).append(" ").append(help).append("\n");
        text_.append("# TYPE ").append(name).append(" ").append(type).append("\n");
    }
    void sample(Labels labels, std::string_view value) {
        text_ += name_;
        const char* before = "{";
        for (const auto& [key, label] : labels) {
            text_.append(before).append(key).append("=\"").append(escaped(label)).append("\"");
            before = ",";
        }
        text_.append(labels.size() > 0 ? "} " : " ").append(value).append("\n");
    }
    void sample(Labels labels, std::uint64_t value) { sample(labels, std::to_string(value)); }
    const std::string& text() const { return text_; }

private:
    std::string name_, text_;
};

// ---- What is counted ----

class Counters {
public:
    void count(const Event& event) {
        events_[std::string(to_string(event.type()))]++;
        lost_ += event.lost();
        const auto container = event.container();
        if (!container || container->is_sandbox()) return;
        // The final reason of an exit may come later, in an update; so may the facts of one that was "gone". A counter takes
        // nothing back: the first reason stays.
        const bool is_provisional = event.flags().has(criwatch::EventFlag::provisional);
        const bool is_final = event.changed().has(criwatch::Changed::exit);
        if (((event.type() == EventType::exited && !is_provisional) || is_final) && is_first(*container))
            exits_[std::string(container->reason())]++;
    }

    void show(Exposition& out) const {
        out.family("criwatch_events_total", "counter", "Events by type.");
        for (const auto& [type, count] : events_) out.sample({{"type", type}}, count);
        out.family("criwatch_events_lost_total", "counter", "Events that this agent was too slow for.");
        out.sample({}, lost_);
        out.family("criwatch_exits_total", "counter", "Containers that ended, by reason.");
        for (const auto& [reason, count] : exits_) out.sample({{"reason", reason}}, count);
    }

private:
    // Whether the end of this run was not counted yet. A run is an id and a start; one whose start became known is the same.
    bool is_first(const criwatch::Container& container) {
        const auto started = container.started_at();
        const auto [known, is_new] = counted_.try_emplace(std::string(container.id()), started);
        if (is_new) {
            order_.push_back(known->first);
            if (order_.size() > 10000) counted_.erase(order_.front()), order_.pop_front();  // Corrections come soon.
            return true;
        }
        const auto before = std::exchange(known->second, started ? started : known->second);
        return before && started && *before != *started;
    }

    std::map<std::string, std::uint64_t> events_, exits_;
    std::uint64_t lost_ = 0;
    std::map<std::string, std::optional<criwatch::Time>> counted_;
    std::deque<std::string> order_;
};

void show_snapshot(Exposition& out, const criwatch::Snapshot& snapshot) {
    std::map<std::pair<std::string_view, std::string_view>, std::uint64_t> running;
    std::map<std::tuple<std::string_view, std::string_view, std::string_view>, std::uint64_t> restarts;
    for (const auto pod : snapshot.pods()) running[{pod.pod_namespace(), pod.name()}] = 0;
    for (const auto container : snapshot.containers()) {
        const auto pod = container.pod();
        if (!pod || container.is_sandbox()) continue;
        running[{pod->pod_namespace(), pod->name()}]++;
        restarts[{pod->pod_namespace(), pod->name(), container.name()}] = container.attempt();
    }
    out.family("criwatch_containers", "gauge", "Running containers of each pod.");
    for (const auto& [pod, count] : running) out.sample({{"namespace", pod.first}, {"pod", pod.second}}, count);
    out.family("criwatch_container_restarts", "gauge", "How often each running container was made anew.");
    for (const auto& [path, count] : restarts) {
        const auto& [space, pod, container] = path;
        out.sample({{"namespace", space}, {"pod", pod}, {"container", container}}, count);
    }
}

// The library's own numbers: {"stats":{"connects":1,"connectFailures":0,...}} become criwatch_library_connect_failures ...
void show_library(Exposition& out, std::string_view json) {
    constexpr std::string_view begin = "\"stats\":{";
    const std::size_t at = json.find(begin);
    if (at == std::string_view::npos) return;
    json.remove_prefix(at + begin.size());
    json = json.substr(0, json.find('}'));
    while (!json.empty()) {
        const std::string_view pair = json.substr(0, json.find(','));
        json.remove_prefix(std::min(json.size(), pair.size() + 1));
        const std::size_t colon = pair.find(':');
        if (pair.size() < 4 || colon == std::string_view::npos) continue;
        std::string name = "criwatch_library_";
        for (const char c : pair.substr(1, colon - 2)) {
            if (std::isupper(static_cast<unsigned char>(c))) name += '_';
            name += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
        }
        out.family(name, "gauge", "See stats of criwatch.stats/1.");
        out.sample({}, pair.substr(colon + 1));
    }
}

std::string metrics(const criwatch::Watcher& watcher, const Counters& counters) {
    Exposition out;
    out.family("criwatch_state", "gauge", "1 for what the watcher is doing.");
    out.sample({{"state", to_string(watcher.state())}}, 1);
    try {
        show_snapshot(out, watcher.snapshot());
    } catch (const criwatch::Error& error) {
        if (error.status() != criwatch::Status::not_ready) throw;  // Until then there is only the state.
    }
    counters.show(out);
    const criwatch::Buffer stats = watcher.stats();
    show_library(out, stats);
    return out.text();
}

// ---- HTTP, as much as Prometheus needs ----

int listen_on(unsigned short port) {
    const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const int yes = 1;
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    address.sin_port = htons(port);
    socklen_t size = sizeof address;
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
    const auto* const where = reinterpret_cast<sockaddr*>(&address);
    if (bind(fd, where, size) != 0 || listen(fd, 16) != 0)
        throw std::system_error(errno, std::generic_category(), "port " + std::to_string(port));
    getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size);
    std::cout << "http://127.0.0.1:" << ntohs(address.sin_port) << "/metrics" << std::endl;
    return fd;
}

// The first line of the request; "" where none comes in time: nobody holds this agent up.
std::string request_line(int client) {
    std::string request;
    std::array<char, 1024> part;
    while (request.find("\r\n\r\n") == std::string::npos && request.size() < 16384) {
        pollfd readable{client, POLLIN, 0};
        if (poll(&readable, 1, 1000) != 1) return {};
        const ssize_t size = recv(client, part.data(), part.size(), 0);
        if (size <= 0) return {};
        request.append(part.data(), static_cast<std::size_t>(size));
    }
    return request.substr(0, request.find('\r'));
}

void answer(int client, const criwatch::Watcher& watcher, const Counters& counters) {
    const std::string request = request_line(client);
    const bool is_ours = request.rfind("GET /metrics ", 0) == 0 || request.rfind("GET /metrics?", 0) == 0;
    const std::string body = is_ours ? metrics(watcher, counters) : "see /metrics\n";
    std::string reply = is_ours ? "HTTP/1.1 200 OK\r\n" : "HTTP/1.1 404 Not Found\r\n";
    reply += "Content-Type: text/plain; version=0.0.4; charset=utf-8\r\nConnection: close\r\nContent-Length: ";
    reply += std::to_string(body.size()) + "\r\n\r\n" + body;
    for (std::size_t sent = 0; sent < reply.size();) {
        const ssize_t size = send(client, reply.data() + sent, reply.size() - sent, MSG_NOSIGNAL);
        if (size <= 0) return;
        sent += static_cast<std::size_t>(size);
    }
}

void serve(unsigned short port, const char* endpoint) {
    const criwatch::Watcher watcher(endpoint);
    const criwatch::EventQueue queue = watcher.queue();
    Counters counters;
    watcher.start();
    const Descriptor listener(listen_on(port));
    std::array<pollfd, 3> ready{{{STDIN_FILENO, POLLIN, 0}, {listener.get(), POLLIN, 0}, {queue.fd(), POLLIN, 0}}};
    while (poll(ready.data(), ready.size(), -1) > 0 && ready[0].revents == 0) {
        while (auto next = queue.try_next()) counters.count(*next);
        if (ready[1].revents == 0) continue;
        const int client = accept4(listener.get(), nullptr, nullptr, SOCK_CLOEXEC);
        if (client >= 0) answer(Descriptor(client).get(), watcher, counters);
    }
}

}  // namespace

int main(int argc, char** argv) {
    if (argc < 2 || argc > 3) {
        std::cerr << "usage: " << argv[0] << " PORT [ENDPOINT]\n";
        return 2;
    }
    try {
        serve(static_cast<unsigned short>(std::stoi(argv[1])), argv[2]);
    } catch (const std::exception& error) {
        std::cerr << "metrics: " << error.what() << '\n';
        return 1;
    }
}
