// Serves the containers and pods of this node to Prometheus. One poll loop, no thread of its own. README.md says how to use it.
// SPDX-License-Identifier: Apache-2.0

#include "exposition.hpp"

#include <criwatch.hpp>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <iostream>
#include <map>
#include <string>
#include <system_error>
#include <vector>

using criwatch::EventFlag;
using criwatch::EventType;

namespace {

// What stands for all that has no series of its own, so that the number of series has an end.
constexpr const char* others = "_other";

struct Settings {
    std::string address = "127.0.0.1";
    unsigned short port = 9911;
    std::size_t max_pods = 500;
    std::size_t max_exit_series = 1000;
    const char* endpoint = nullptr;
};

// A descriptor that closes itself.
class Descriptor {
public:
    Descriptor(int fd, const std::string& what) : fd_(fd) {
        if (fd < 0) throw std::system_error(errno, std::generic_category(), what);
    }
    Descriptor(const Descriptor&) = delete;
    Descriptor& operator=(const Descriptor&) = delete;
    ~Descriptor() { close(fd_); }
    int get() const { return fd_; }

private:
    int fd_;
};

// ---- What is counted ----

// Ends of containers. Each run is counted once, with its final reason.
class Exits {
public:
    explicit Exits(std::size_t max_series) : max_series_(max_series) {}

    void count(const criwatch::Event& event) {
        const bool is_final = event.type() == EventType::exited ? !event.flags().has(EventFlag::provisional)
                                                                : event.flags().has(EventFlag::confirmed);
        const auto container = event.container();
        if (!container || container->is_sandbox() || !is_final) return;
        const auto pod = container->pod();
        const Key key{pod ? std::string(pod->pod_namespace()) : "", std::string(container->reason())};
        const bool has_room = counts_.size() < max_series_ || counts_.count(key) > 0;
        counts_[has_room ? key : Key{others, others}]++;
    }
    void show(Exposition& out) const {
        out.family("cri_exits", "counter", "Containers that ended, by namespace and final reason.");
        for (const auto& [key, count] : counts_) out.sample({{"namespace", key.first}, {"reason", key.second}}, count);
    }

private:
    using Key = std::pair<std::string, std::string>;
    std::map<Key, std::uint64_t> counts_;
    std::size_t max_series_;
};

// ---- What is there now ----

struct PodCounts {
    std::string pod_namespace, name;
    std::optional<criwatch::Time> created;
    std::uint64_t running = 0, exited = 0, restarts = 0;
};

void add(PodCounts& counts, const criwatch::Container& container) {
    if (container.state() == criwatch::State::exited) counts.exited++;
    if (container.state() != criwatch::State::running) return;
    counts.running++;
    counts.restarts += container.attempt();
}

// Containers come sorted by pod. The oldest pods come first: a new one takes no other's series away.
std::vector<PodCounts> count_pods(const criwatch::Snapshot& all, std::size_t max_pods) {
    std::map<std::string_view, PodCounts> by_id;
    for (const auto container : all.containers()) {
        const auto pod = container.pod();
        if (!pod) continue;
        auto& counts = by_id[pod->id()];
        if (counts.name.empty())
            counts = {std::string(pod->pod_namespace()), std::string(pod->name()), pod->created_at()};
        if (!container.is_sandbox()) add(counts, container);
    }
    std::vector<PodCounts> pods;
    for (auto& [id, counts] : by_id) pods.push_back(std::move(counts));
    std::sort(pods.begin(), pods.end(), [](const auto& a, const auto& b) { return a.created < b.created; });
    if (pods.size() > max_pods) {
        PodCounts rest{others, others, {}};
        for (std::size_t i = max_pods; i < pods.size(); i++) {
            rest.running += pods[i].running;
            rest.exited += pods[i].exited;
            rest.restarts += pods[i].restarts;
        }
        pods.resize(max_pods);
        pods.push_back(rest);
    }
    return pods;
}

void show_snapshot(Exposition& out, const criwatch::Snapshot& snapshot, const Settings& settings) {
    const criwatch::Snapshot all = snapshot.select("{\"all\":true}");
    std::map<std::string_view, std::uint64_t> states{{"created", 0}, {"running", 0}, {"exited", 0}, {"unknown", 0}};
    std::uint64_t sandboxes = 0;
    for (const auto container : all.containers()) {
        if (!container.is_sandbox()) states[to_string(container.state())]++;
        else sandboxes += container.state() == criwatch::State::running;
    }
    out.family("cri_containers", "gauge", "Containers that the engine has, by state.");
    for (const auto& [state, count] : states) out.sample({{"state", state}}, count);
    out.family("cri_pods", "gauge", "Pods whose sandbox is ready.");
    out.sample({}, sandboxes);
    const auto pods = count_pods(all, settings.max_pods);
    const auto show = [&](const std::string& name, std::string_view help, std::uint64_t PodCounts::* count) {
        out.family(name, "gauge", help);
        for (const auto& pod : pods) out.sample({{"namespace", pod.pod_namespace}, {"pod", pod.name}}, pod.*count);
    };
    show("cri_pod_running", "Running containers of each pod.", &PodCounts::running);
    show("cri_pod_exited", "Containers of each pod that have exited and were not removed.", &PodCounts::exited);
    show("cri_pod_restarts", "How many times the running containers of each pod have been restarted.", &PodCounts::restarts);
}

std::string metrics(const criwatch::Watcher& watcher, const Exits& exits, const Settings& settings) {
    const criwatch::Buffer library = watcher.metrics();
    Exposition out{std::string(library)};
    try {
        show_snapshot(out, watcher.snapshot(), settings);
    } catch (const criwatch::Error& error) {
        if (error.status() != criwatch::Status::not_ready) throw;  // Until then there is nothing: zeros would be a lie.
    }
    exits.show(out);
    return std::move(out).finish();
}

// ---- HTTP, as much as Prometheus needs ----

int listen_on(const Settings& settings) {
    const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const int yes = 1;
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(settings.port);
    socklen_t size = sizeof address;
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
    auto* const where = reinterpret_cast<sockaddr*>(&address);
    if (inet_pton(AF_INET, settings.address.c_str(), &address.sin_addr) != 1) errno = EINVAL;
    else if (bind(fd, where, size) == 0 && listen(fd, 16) == 0 && getsockname(fd, where, &size) == 0) {
        std::cout << "http://" << settings.address << ":" << ntohs(address.sin_port) << "/metrics" << std::endl;
        return fd;
    }
    throw std::system_error(errno, std::generic_category(), settings.address + ":" + std::to_string(settings.port));
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

void answer(int client, const criwatch::Watcher& watcher, const Exits& exits, const Settings& settings) {
    const std::string request = request_line(client);
    const bool is_ours = request.rfind("GET /metrics ", 0) == 0 || request.rfind("GET /metrics?", 0) == 0;
    const std::string body = is_ours ? metrics(watcher, exits, settings) : "see /metrics\n";
    std::string reply = is_ours ? "HTTP/1.1 200 OK\r\nContent-Type: application/openmetrics-text; version=1.0.0; charset=utf-8\r\n"
                                : "HTTP/1.1 404 Not Found\r\nContent-Type: text/plain\r\n";
    reply += "Connection: close\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
    for (std::size_t sent = 0; sent < reply.size();) {
        const ssize_t size = send(client, reply.data() + sent, reply.size() - sent, MSG_NOSIGNAL);
        if (size <= 0) return;
        sent += static_cast<std::size_t>(size);
    }
}

// SIGINT and SIGTERM, as a descriptor.
int ends() {
    sigset_t signals;
    sigemptyset(&signals);
    sigaddset(&signals, SIGINT);
    sigaddset(&signals, SIGTERM);
    sigprocmask(SIG_BLOCK, &signals, nullptr);
    return signalfd(-1, &signals, SFD_CLOEXEC);
}

void serve(const Settings& settings) {
    const Descriptor signals(ends(), "signalfd");
    const criwatch::Watcher watcher(settings.endpoint);
    const criwatch::EventQueue queue =
        watcher.queue(EventType::exited | EventType::updated, criwatch::SubscribeFlag::live_only);
    Exits exits(settings.max_exit_series);
    watcher.start();
    const Descriptor listener(listen_on(settings), "socket");
    std::array<pollfd, 3> ready{{{signals.get(), POLLIN, 0}, {listener.get(), POLLIN, 0}, {queue.fd(), POLLIN, 0}}};
    while (poll(ready.data(), ready.size(), -1) > 0 && ready[0].revents == 0) {
        while (auto next = queue.try_next()) exits.count(*next);
        if (ready[1].revents == 0) continue;
        const int client = accept4(listener.get(), nullptr, nullptr, SOCK_CLOEXEC);
        if (client >= 0) answer(Descriptor(client, "").get(), watcher, exits, settings);
    }
}

Settings settings_of(int argc, char** argv) {
    Settings settings;
    for (int option; (option = getopt(argc, argv, "l:p:e:")) != -1;) {
        const std::string value = option == '?' ? "" : optarg;
        if (option == 'p') settings.max_pods = std::stoul(value);
        else if (option == 'e') settings.max_exit_series = std::stoul(value);
        else if (const auto colon = value.rfind(':'); option == 'l' && colon != std::string::npos) {
            settings.address = value.substr(0, colon);
            settings.port = static_cast<unsigned short>(std::stoul(value.substr(colon + 1)));
        } else throw std::invalid_argument("usage: exporter [-l ADDRESS:PORT] [-p MAX-PODS] [-e MAX-EXIT-SERIES] [ENDPOINT]");
    }
    settings.endpoint = argv[optind];
    return settings;
}

}  // namespace

int main(int argc, char** argv) {
    try {
        serve(settings_of(argc, argv));
    } catch (const std::exception& error) {
        std::cerr << "exporter: " << error.what() << '\n';
        return 1;
    }
}
