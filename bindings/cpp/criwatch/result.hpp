/// @file
/// Errors, and how functions report them: thrown, or, with CRIWATCH_NO_EXCEPTIONS, returned in a Result.
/// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <criwatch/constants.hpp>

#include <cstdlib>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

namespace criwatch {
inline namespace CRIWATCH_MODE {

/// An error: a status, and a message that includes the causes.
class Error : public std::runtime_error {
public:
    /// An error with this status and message, and no C error.
    Error(Status status, const std::string& message) : std::runtime_error(message), status_(status) {}
    /// Made from a C error. `error` may be nullptr, and still belongs to the caller.
    Error(Status status, const cri_error* error)
        : std::runtime_error(error != nullptr ? cri_error_message(error) : cri_status_name(static_cast<cri_status>(status))),
          status_(error != nullptr ? static_cast<Status>(cri_error_status(error)) : status),
          grpc_code_(cri_error_grpc_code(error)),
          os_code_(cri_error_os_code(error)),
          is_retriable_(cri_error_is_retriable(error) != 0) {}

    /// The status, to branch on.
    [[nodiscard]] Status status() const noexcept { return status_; }
    /// The gRPC status code, if an engine's answer was the cause; otherwise -1.
    [[nodiscard]] int grpc_code() const noexcept { return grpc_code_; }
    /// The errno, if a system call was the cause; otherwise 0.
    [[nodiscard]] int os_code() const noexcept { return os_code_; }
    /// Whether the same call may succeed later without anybody changing anything.
    [[nodiscard]] bool is_retriable() const noexcept { return is_retriable_; }

private:
    Status status_;
    int grpc_code_ = -1;
    int os_code_ = 0;
    bool is_retriable_ = false;
};

#ifdef CRIWATCH_NO_EXCEPTIONS

/// A value, or the error why there is none. Reading the one that is missing ends the program.
template <class T>
class [[nodiscard]] Result {
public:
    /// Success.
    Result(T value) : what_(std::in_place_index<0>, std::move(value)) {}
    /// Failure.
    Result(Error error) : what_(std::in_place_index<1>, std::move(error)) {}

    /// Whether there is a value.
    [[nodiscard]] bool has_value() const noexcept { return what_.index() == 0; }
    /// Whether there is a value.
    explicit operator bool() const noexcept { return has_value(); }
    /// The value.
    [[nodiscard]] T& value() & noexcept { return present(std::get_if<0>(&what_)); }
    /// The value.
    [[nodiscard]] const T& value() const& noexcept { return present(std::get_if<0>(&what_)); }
    /// The value, moved out.
    [[nodiscard]] T value() && noexcept { return std::move(present(std::get_if<0>(&what_))); }
    /// The value.
    [[nodiscard]] T& operator*() & noexcept { return value(); }
    /// The value.
    [[nodiscard]] const T& operator*() const& noexcept { return value(); }
    /// The value, moved out.
    [[nodiscard]] T operator*() && noexcept { return std::move(*this).value(); }
    /// A member of the value.
    [[nodiscard]] T* operator->() & noexcept { return &value(); }
    /// A member of the value.
    [[nodiscard]] const T* operator->() const& noexcept { return &value(); }
    const T* operator->() const&& = delete;
    /// The error.
    [[nodiscard]] const Error& error() const& noexcept { return present(std::get_if<1>(&what_)); }
    /// The error, moved out.
    [[nodiscard]] Error error() && { return std::move(present(std::get_if<1>(&what_))); }

private:
    template <class U>
    static U& present(U* what) noexcept {
        if (what == nullptr) std::abort();
        return *what;
    }

    std::variant<T, Error> what_;
};

/// Success, or an error.
template <>
class [[nodiscard]] Result<void> {
public:
    /// Success.
    Result() noexcept = default;
    /// Failure.
    Result(Error error) : error_(std::move(error)) {}

    /// Whether it succeeded.
    [[nodiscard]] bool has_value() const noexcept { return !error_; }
    /// Whether it succeeded.
    explicit operator bool() const noexcept { return has_value(); }
    /// The error.
    [[nodiscard]] const Error& error() const& noexcept {
        if (!error_) std::abort();
        return *error_;
    }
    /// The error, moved out.
    [[nodiscard]] Error error() && { return std::as_const(*this).error(); }

private:
    std::optional<Error> error_;
};

#else

/// The result type of a function that may fail. Where errors are thrown, as here, it is just the value.
template <class T>
using Result = T;

#endif

/// A string parameter. It is read only during the call, and ends at its first NUL.
class Text {
public:
    /// A C string; nullptr means that the argument is not given.
    Text(const char* text) noexcept : text_(text) {}
    /// A string.
    Text(const std::string& text) noexcept : text_(text.c_str()) {}
    /// A temporary string, which is moved in.
    Text(std::string&& text) noexcept : copy_(std::move(text)), text_(copy_.c_str()) {}
    /// A view, which is copied, because it may not end in NUL.
    Text(std::string_view text) : copy_(text), text_(copy_.c_str()) {}
    Text(const Text&) = delete;
    Text& operator=(const Text&) = delete;

    /// The C string.
    [[nodiscard]] const char* c_str() const& noexcept { return text_; }
    const char* c_str() const&& = delete;

private:
    std::string copy_;
    const char* text_;
};

namespace detail {

// Frees an object with a C function.
template <auto function>
struct Free {
    template <class T>
    void operator()(T* object) const noexcept {
        function(object);
    }
};

// A C object that is freed by `function`.
template <class T, auto function>
using Handle = std::unique_ptr<T, Free<function>>;

template <class T>
Result<T> fail(Error error) {
#ifdef CRIWATCH_NO_EXCEPTIONS
    return error;
#else
    throw error;
#endif
}

// Calls a C function with its last parameters, output and error; gives T(output), or the error.
template <class T, class Out, class Call>
Result<T> call(Call&& function) {
    Out out{};
    cri_error* raw = nullptr;
    const auto status = static_cast<Status>(function(&out, &raw));
    const Handle<cri_error, cri_error_free> error(raw);
    if (status < Status::ok) return fail<T>(Error(status, error.get()));
    return T(out);
}

// As above, for a function without output.
template <class Call>
Result<void> call(Call&& function) {
    cri_error* raw = nullptr;
    const auto status = static_cast<Status>(function(&raw));
    const Handle<cri_error, cri_error_free> error(raw);
    if (status < Status::ok) return fail<void>(Error(status, error.get()));
    return Result<void>();
}

}  // namespace detail

/// A text that the library made; mostly JSON. Copies of it share its memory. Views are borrowed from it, so it has to
/// have a name; str() copies.
class Buffer {
public:
    /// An empty text.
    Buffer() noexcept = default;
    /// Takes ownership of a C object.
    explicit Buffer(cri_buffer raw) noexcept : raw_(raw) {}
    Buffer(Buffer&& other) noexcept : raw_(std::exchange(other.raw_, cri_buffer{})) {}
    Buffer& operator=(Buffer&& other) noexcept {
        std::swap(raw_, other.raw_);
        return *this;
    }
    ~Buffer() { cri_buffer_free(&raw_); }

    /// The text.
    [[nodiscard]] std::string_view view() const& noexcept { return {raw_.data, raw_.len}; }
    std::string_view view() const&& = delete;
    /// The text.
    operator std::string_view() const& noexcept { return view(); }
    operator std::string_view() const&& = delete;
    /// The text with a NUL after it.
    [[nodiscard]] const char* c_str() const& noexcept { return raw_.data != nullptr ? raw_.data : ""; }
    const char* c_str() const&& = delete;
    /// A copy of the text, also from a temporary.
    [[nodiscard]] std::string str() const { return std::string(view()); }
    /// Whether there is no text.
    [[nodiscard]] bool empty() const noexcept { return raw_.len == 0; }

private:
    cri_buffer raw_ = CRI_BUFFER_INIT;
};

}  // namespace CRIWATCH_MODE
}  // namespace criwatch
