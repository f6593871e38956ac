// The coroutine type of everything that waits. It runs on the probe loop's one thread.
#pragma once

#include <utility>  // Boost 1.74 uses std::exchange without it

#include <boost/asio/awaitable.hpp>

namespace holdshort {

// g++ 12 destroys a braced temporary twice when it is an argument of a co_await: build the argument as a
// named local and std::move it in.
template <class T>
using Awaitable = boost::asio::awaitable<T>;

}  // namespace holdshort
