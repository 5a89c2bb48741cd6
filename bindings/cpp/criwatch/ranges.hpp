/// @file
/// The parts of records: ranges, labels and strings. A range keeps the record or the snapshot that it is in, so it may
/// come from a temporary. Strings are borrowed from an object that has to have a name: a temporary would destroy them.
/// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <criwatch/constants.hpp>

#include <algorithm>
#include <cstddef>
#include <iterator>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <variant>

namespace criwatch {
inline namespace CRIWATCH_MODE {

/// An optional value that a temporary returned. It has to be given a name before its members are used.
template <class T>
class Kept : public std::optional<T> {
public:
    using std::optional<T>::optional;

    /// A member of the value.
    [[nodiscard]] const T* operator->() const& noexcept { return std::optional<T>::operator->(); }
    const T* operator->() const&& = delete;
};

namespace detail {

inline const cri_container* ref(const cri_container* record) noexcept { return cri_container_ref(record); }
inline const cri_pod* ref(const cri_pod* record) noexcept { return cri_pod_ref(record); }
inline void unref(const cri_container* record) noexcept { cri_container_unref(record); }
inline void unref(const cri_pod* record) noexcept { cri_pod_unref(record); }

// One reference to a C record. A copy adds a reference.
template <class Raw>
class Ref {
public:
    explicit Ref(const Raw* raw) noexcept : raw_(ref(raw)) {}
    Ref(const Ref& other) noexcept : Ref(other.raw_) {}
    Ref(Ref&& other) noexcept : raw_(std::exchange(other.raw_, nullptr)) {}
    Ref& operator=(Ref other) noexcept {
        std::swap(raw_, other.raw_);
        return *this;
    }
    ~Ref() { unref(raw_); }

    const Raw* get() const noexcept { return raw_; }
    const Raw* operator->() const noexcept { return raw_; }

private:
    const Raw* raw_;
};

// The owner of a C array: the record or the snapshot that the array is in.
using Keeper = std::variant<std::monostate, Ref<cri_container>, Ref<cri_pod>, std::shared_ptr<cri_snapshot>>;

// Whether an element is borrowed from its range. Records are not, because they keep themselves.
template <class T>
inline constexpr bool is_borrowed = false;
template <>
inline constexpr bool is_borrowed<std::string_view> = true;

}  // namespace detail

/// A C array, as values of T. It keeps the record or the snapshot that the array is in. A copy only adds a reference.
template <class T, class Raw>
class Range {
public:
    /// An iterator over a range, which has to outlive it.
    class Iterator {
    public:
        /// The type of its values.
        using value_type = T;
        /// The type of *it: values are made when they are read.
        using reference = T;
        /// There are no pointers to the values.
        using pointer = void;
        /// The type of distances.
        using difference_type = std::ptrdiff_t;
        /// The iterator category of C++17.
        using iterator_category = std::input_iterator_tag;
        /// The iterator concept of C++20.
        using iterator_concept = std::forward_iterator_tag;

        /// An iterator without a range.
        constexpr Iterator() noexcept = default;
        /// An iterator at a place in a range.
        constexpr explicit Iterator(const Raw* at) noexcept : at_(at) {}
        /// The value.
        [[nodiscard]] T operator*() const { return T(*at_); }
        /// Advances to the next value.
        Iterator& operator++() noexcept { return ++at_, *this; }
        /// Advances to the next value.
        Iterator operator++(int) noexcept { return Iterator(at_++); }
        /// Whether both are at the same place.
        [[nodiscard]] friend bool operator==(Iterator a, Iterator b) noexcept { return a.at_ == b.at_; }
        /// Whether they are at different places.
        [[nodiscard]] friend bool operator!=(Iterator a, Iterator b) noexcept { return a.at_ != b.at_; }

    private:
        const Raw* at_ = nullptr;
    };

    /// An empty range.
    Range() noexcept = default;
    /// A C array, and its owner.
    Range(detail::Keeper keeper, const Raw* first, std::size_t size) noexcept
        : keeper_(std::move(keeper)), first_(first), size_(size) {}

    /// The first value.
    [[nodiscard]] Iterator begin() const& noexcept { return Iterator(first_); }
    Iterator begin() const&& = delete;
    /// The end, after the last value.
    [[nodiscard]] Iterator end() const& noexcept { return Iterator(first_ + size_); }
    Iterator end() const&& = delete;
    /// How many values there are.
    [[nodiscard]] std::size_t size() const noexcept { return size_; }
    /// Whether there are none.
    [[nodiscard]] bool empty() const noexcept { return size_ == 0; }
    /// The value at this place, which has to be below size().
    [[nodiscard]] T operator[](std::size_t at) const& { return T(first_[at]); }
    /// As above; not for strings, because a string of a temporary range would be gone with the range.
    [[nodiscard]] T operator[](std::size_t at) const&& {
        static_assert(!detail::is_borrowed<T>, "give the range a name: what is borrowed from a temporary is gone with it");
        return T(first_[at]);
    }

protected:
    /// The C array.
    [[nodiscard]] const Raw* data() const noexcept { return first_; }

private:
    detail::Keeper keeper_;
    const Raw* first_ = nullptr;
    std::size_t size_ = 0;
};

/// A label or an annotation, borrowed from its range.
struct Label {
    std::string_view key;    ///< The key.
    std::string_view value;  ///< The value.

    /// From the C label.
    explicit Label(const cri_label& raw) noexcept : key(raw.key), value(raw.value) {}
};

namespace detail {

template <>
inline constexpr bool is_borrowed<Label> = true;

}  // namespace detail

/// Labels or annotations, sorted by key. They keep the record that they are in.
class Labels : public Range<Label, cri_label> {
public:
    using Range::Range;

    /// The value of a key, if it is there.
    [[nodiscard]] std::optional<std::string_view> find(std::string_view key) const& noexcept {
        const cri_label* const at = place(key);
        return at != nullptr ? std::optional<std::string_view>(at->value) : std::nullopt;
    }
    std::optional<std::string_view> find(std::string_view key) const&& = delete;
    /// Whether the key is there.
    [[nodiscard]] bool contains(std::string_view key) const noexcept { return place(key) != nullptr; }
    /// The value of a key, or `otherwise`.
    [[nodiscard]] std::string_view get(std::string_view key, std::string_view otherwise = {}) const& noexcept {
        return find(key).value_or(otherwise);
    }
    std::string_view get(std::string_view key, std::string_view otherwise = {}) const&& = delete;
    template <class T, class = std::enable_if_t<std::is_same_v<T, std::string>>>
    std::string_view get(std::string_view key, T&& otherwise) const& = delete;

private:
    const cri_label* place(std::string_view key) const noexcept {
        const auto before = [](const cri_label& label, std::string_view wanted) { return label.key < wanted; };
        const cri_label* const last = data() + size();
        const cri_label* const at = std::lower_bound(data(), last, key, before);
        return at != last && at->key == key ? at : nullptr;
    }
};

/// Keys and values under another project's names. They keep the record that they are in.
using Attributes = Range<Label, cri_label>;

/// Strings of a record. They keep the record.
using Strings = Range<std::string_view, const char*>;

}  // namespace CRIWATCH_MODE
}  // namespace criwatch
