#include "agent/thread_offload.h"

#include <utility>

#include <boost/asio/async_result.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/thread_pool.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace holdshort {

struct ThreadOffload::Impl {
  boost::asio::any_io_executor loop;
  std::atomic<int> pending{0};
  boost::asio::thread_pool pool{kThreads};

  // Does `work` on the pool, then hands `resume` to the loop, which is kept alive meanwhile.
  template <class Handler>
  void start(std::function<void()> work, Handler resume) {
    pending.fetch_add(1);
    boost::asio::post(pool, [this, work = std::move(work), resume = std::move(resume),
                             guard = boost::asio::make_work_guard(loop)]() mutable {
      work();
      pending.fetch_sub(1);
      boost::asio::post(loop, [resume = std::move(resume)]() mutable { std::move(resume)(); });
    });
  }
};

ThreadOffload::ThreadOffload(boost::asio::any_io_executor executor)
    : impl_(new Impl{.loop = std::move(executor)}) {}

ThreadOffload::~ThreadOffload() {
  impl_->pool.stop();
  impl_->pool.join();
}

Awaitable<void> ThreadOffload::run(std::function<void()> work) {
  Impl* impl = impl_.get();
  co_await boost::asio::async_initiate<decltype(boost::asio::use_awaitable), void()>(
      [impl](auto handler, std::function<void()> blocking) {
        impl->start(std::move(blocking), std::move(handler));
      },
      boost::asio::use_awaitable, std::move(work));
}

bool ThreadOffload::idle() const { return impl_->pending.load() == 0; }

}  // namespace holdshort
