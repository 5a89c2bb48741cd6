// What must not compile, and its near twin that must: see dangling.hpp.

#include "dangling.hpp"

#include <string>

EventQueue make_queue();
std::string make_string();

void strings_of_records(const Snapshot& snapshot, const Event& event) {
    DANGLES(const std::string_view name = snapshot.find("app").name(); use(name);)
    HOLDS(const Container app = snapshot.find("app"); const std::string_view name = app.name(); use(name);)
    DANGLES(const std::string_view name = snapshot.find_pid(1)->name(); use(name);)
    DANGLES(const std::string_view name = (*snapshot.find_pid(1)).name(); use(name);)
    HOLDS(const auto found = snapshot.find_pid(1); const std::string_view name = found->name(); use(name);)
    HOLDS(const auto otel = snapshot.find("app").attributes("otel"); const Label first = otel[0]; use(first);)
    DANGLES(const std::string_view id = snapshot.containers()[0].id(); use(id);)
    HOLDS(const auto first = snapshot.containers()[0]; const std::string_view id = first.id(); use(id);)
    DANGLES(const std::string_view name = snapshot.pods()[0].name(); use(name);)
    HOLDS(const auto first = snapshot.pods()[0]; const std::string_view name = first.name(); use(name);)
    DANGLES(const std::string_view name = snapshot.find("app").pod()->name(); use(name);)
    HOLDS(const auto pod = snapshot.find("app").pod(); const std::string_view name = pod->name(); use(name);)
    DANGLES(const auto value = snapshot.find("app").label("tier"); use(value);)
    HOLDS(const auto app = snapshot.find("app"); const auto value = app.label("tier"); use(value);)
    DANGLES(const std::string_view cpus = snapshot.find("app").resources()->cpuset_cpus(); use(cpus);)
    HOLDS(const auto limits = snapshot.find("app").resources(); const auto cpus = limits->cpuset_cpus(); use(cpus);)
    DANGLES(const std::string_view reason = snapshot.find("app").previous()->reason(); use(reason);)
    HOLDS(const auto before = snapshot.find("app").previous(); const auto reason = before->reason(); use(reason);)
    HOLDS(const std::string_view name = event.container()->name(); use(name);)  // The event keeps it.
    DANGLES(const std::string_view name = (*event.container()).name(); use(name);)
}

void ranges(const Watcher& watcher, const Container& app) {
    DANGLES(const std::string_view value = app.labels().get("tier"); use(value);)
    HOLDS(const Labels labels = app.labels(); const std::string_view value = labels.get("tier"); use(value);)
    DANGLES(const auto value = app.labels().find("tier"); use(value);)
    HOLDS(const bool is_there = app.labels().contains("tier"); use(is_there);)
    DANGLES(const Labels labels = app.labels(); const auto value = labels.get("tier", make_string()); use(value);)
    HOLDS(const Labels labels = app.labels(); const std::string none = make_string(); use(labels.get("tier", none));)
    DANGLES(const auto first = app.labels()[0]; use(first);)
    HOLDS(const Labels labels = app.labels(); const auto first = labels[0]; use(first);)
    DANGLES(const auto mount = app.mounts()[0]; use(mount);)
    HOLDS(const Mounts mounts = app.mounts(); const auto mount = mounts[0]; use(mount);)
    DANGLES(const std::string_view ip = app.pod()->ips()[0]; use(ip);)
    HOLDS(const Strings ips = app.pod()->ips(); const std::string_view ip = ips[0]; use(ip);)
    DANGLES(const auto first = watcher.snapshot().containers().begin(); use(first);)
    HOLDS(const auto all = watcher.snapshot().containers(); const auto first = all.begin(); use(first);)
    DANGLES(const auto last = app.labels().end(); use(last);)
    HOLDS(for (const auto container : watcher.snapshot().containers()) for (const auto label : container.labels()) use(label);)
    HOLDS(for (const auto label : watcher.snapshot().find("app").labels()) use(label);)
}

void events(EventQueue& queue, const EventView& event) {
    DANGLES(const EventView kept = event; use(kept);)
    HOLDS(const auto kept = event.container(); use(kept);)
    DANGLES(const std::string_view message = queue.next()->message(); use(message);)
    HOLDS(const Next next = queue.next(); use(next.status());)
    DANGLES(const std::string_view message = (*queue.next()).message(); use(message);)
    HOLDS(const Event taken = *queue.next(); const std::string_view message = taken.message(); use(message);)
    DANGLES(const std::string_view name = (*queue.next()).container()->name(); use(name);)
    HOLDS(const auto app = (*queue.next()).container(); const std::string_view name = app->name(); use(name);)
    DANGLES(const cri_event* const raw = (*queue.next()).raw(); use(raw);)
    DANGLES(const auto first = make_queue().begin(); use(first);)
    HOLDS(for (const Event& each : make_queue()) use(each.seq());)
    DANGLES(const EventQueue::Iterator first(make_queue()); use(first);)
    DANGLES(const Event& first = *queue.begin(); use(first);)
    HOLDS(const auto first = queue.begin(); use((*first).seq());)
    DANGLES(const int fd = make_queue().fd(); use(fd);)
    HOLDS(const int fd = queue.fd(); use(fd);)
}

void texts(const Watcher& watcher, const Snapshot& snapshot) {
    DANGLES(const std::string_view list = watcher.list(); use(list);)
    DANGLES(const std::string_view list = watcher.list().view(); use(list);)
    DANGLES(const char* const list = watcher.list().c_str(); use(list);)
    HOLDS(const Buffer list = watcher.list(); const std::string_view view = list; use(view, list.c_str());)
    HOLDS(const std::string list = watcher.list().str(); use(list);)
    DANGLES(const char* const text = Text(make_string()).c_str(); use(text);)
    HOLDS(const Text text(make_string()); const char* const c = text.c_str(); use(c);)  // A temporary string is taken along.
    DANGLES(const cri_options* const raw = Options().raw(); use(raw);)
    HOLDS(const Options options; const cri_options* const raw = options.raw(); use(raw);)
    DANGLES(const cri_watcher* const raw = Watcher().raw(); use(raw);)
    HOLDS(const cri_watcher* const raw = watcher.raw(); use(raw);)
    DANGLES(const cri_container* const raw = snapshot.find("app").raw(); use(raw);)
    HOLDS(const auto app = snapshot.find("app"); const cri_container* const raw = app.raw(); use(raw);)
}

void packers(const Rucksack& rucksack) {
    DANGLES(const Rucksack kept = rucksack; use(kept);)
    HOLDS(rucksack.set("{}");)
}
