// The text format of OpenMetrics, as much as the exporter needs. SPDX-License-Identifier: Apache-2.0

#pragma once

#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>

// Families of samples, behind those that the library writes itself.
class Exposition {
public:
    using Labels = std::initializer_list<std::pair<std::string_view, std::string_view>>;

    // Begins with a text of OpenMetrics, whose end mark is taken away.
    explicit Exposition(std::string text) : text_(std::move(text)) {
        if (const auto at = text_.rfind(end_mark); at != std::string::npos) text_.resize(at);
    }

    // Begins a family; its samples follow. A counter's samples have "_total" behind the name.
    void family(const std::string& name, std::string_view type, std::string_view help) {
        text_.append("# TYPE ").append(name).append(" ").append(type).append("\n");
        text_.append("# HELP ").append(name).append(" ").append(help).append("\n");
        name_ = type == "counter" ? name + "_total" : name;
    }
    void sample(Labels labels, std::uint64_t value) {
        text_ += name_;
        const char* before = "{";
        for (const auto& [key, label] : labels) {
            text_.append(before).append(key).append("=\"").append(escaped(label)).append("\"");
            before = ",";
        }
        text_.append(labels.size() > 0 ? "} " : " ").append(std::to_string(value)).append("\n");
    }
    // The whole text. Nothing may be added after it.
    std::string finish() && { return std::move(text_.append(end_mark)); }

private:
    static constexpr const char* end_mark = "# EOF\n";

    static std::string escaped(std::string_view value) {
        std::string text;
        for (const char c : value) {
            if (c == '\\' || c == '"') text.append(1, '\\').append(1, c);
            else if (c == '\n') text += "\\n";
            else text += c;
        }
        return text;
    }

    std::string name_, text_;
};
