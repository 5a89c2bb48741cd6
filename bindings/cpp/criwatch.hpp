/// @file
/// criwatch in C++17: which containers and pods run on this node, now, and what changes.
///
///     criwatch::Watcher watcher("unix:///run/containerd/containerd.sock");
///     criwatch::EventQueue queue = watcher.queue();
///     watcher.start();
///     for (const criwatch::Event& event : queue)
///         if (const auto container = event.container()) std::cout << container->name() << '\n';
///
/// Objects are moved, not copied, and free themselves, in any order. Functions that may fail throw criwatch::Error.
/// With CRIWATCH_NO_EXCEPTIONS, or under -fno-exceptions, they return a criwatch::Result instead, which holds the value
/// or the Error; objects are then made by Watcher::create and Options::create, because constructors return nothing.
///
/// criwatch.h describes each function; this file describes only what is different in C++.
/// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <criwatch/constants.hpp>
#include <criwatch/events.hpp>
#include <criwatch/finder.hpp>
#include <criwatch/lookups.hpp>
#include <criwatch/records.hpp>
#include <criwatch/result.hpp>
#include <criwatch/watcher.hpp>
